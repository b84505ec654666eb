# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reports of the vendor's tools: all three forms, beside a model, and factors that builds learn from them.

The reports in `Inputs/` are written by hand: no vendor tool was run for any of them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from resnet_hls.boards import Resources
from resnet_hls.driver import make_options
from resnet_hls.errors import UserError
from resnet_hls.report import calibration, comparison, imported

INPUTS = Path(__file__).parent / "Inputs"


def small_report(**changes: Any) -> dict[str, Any]:
    """As much of a report as is compared."""
    used = {"dsp": 20, "lut": 1600, "ff": 2500, "bram36": 1.0, "uram": 0}
    return {
        "model": "small",
        "board": "kv260",
        "part": "xck26-sfvc784-2LV-c",
        "family": "ultrascale+",
        "resources": {kind: {"used": amount} for kind, amount in used.items()},
        "per_task": [
            {"name": "conv1", "dsp": 20, "lut": 1000, "ff": 1000, "bram36": 0.5, "uram": 0},
            {"name": "conv1_window", "dsp": 0, "lut": 500, "ff": 600, "bram36": 0.5, "uram": 0},
        ],
        **changes,
    }


def test_csynth() -> None:
    found = imported.read(INPUTS / "csynth.xml", "small")
    assert (found.source, found.part, found.top) == ("Vitis HLS 2023.2 estimate", "xck26-sfvc784-2LV-c", "small")
    assert found.total == {"dsp": 20, "lut": 2400, "ff": 3000, "bram36": 1.5, "uram": 0}
    assert found.modules["conv1"] == {"dsp": 20, "lut": 1200, "ff": 1500, "bram36": 1, "uram": 0}
    assert not found.whole_design


def test_older_csynth(tmp_path: Path) -> None:
    """Another name for DSP slices, and nothing about UltraRAM."""
    text = (INPUTS / "csynth.xml").read_text().replace("<DSP>", "<DSP48E>").replace("</DSP>", "</DSP48E>")
    (tmp_path / "old.xml").write_text(text.replace("<URAM>0</URAM>", "").replace("<Version>2023.2</Version>", ""))
    found = imported.read(tmp_path / "old.xml", "small")
    assert found.total == {"dsp": 20, "lut": 2400, "ff": 3000, "bram36": 1.5, "uram": 0}
    assert found.source == "Vitis HLS estimate"


def test_utilization() -> None:
    found = imported.read(INPUTS / "utilization.rpt", "small")
    assert found.total == {"dsp": 20, "lut": 5400, "ff": 7000, "bram36": 4.5, "uram": 0}
    assert (found.source, found.top) == ("Vivado 2023.2 utilization (Routed)", "design_1_wrapper")
    assert found.whole_design


def test_utilization_of_7series(tmp_path: Path) -> None:
    text = (INPUTS / "utilization.rpt").read_text().replace("CLB LUTs*", "Slice LUTs").replace("CLB Reg", "Slice Reg")
    (tmp_path / "a.rpt").write_text("".join(line for line in text.splitlines(True) if "URAM" not in line))
    assert imported.read(tmp_path / "a.rpt", "small").total == imported.read(INPUTS / "utilization.rpt", "small").total


def test_hierarchical_utilization() -> None:
    found = imported.read(INPUTS / "hierarchical.rpt", "small")
    assert found.total == {"dsp": 20, "lut": 2000, "ff": 2500, "bram36": 1.5, "uram": 0}
    assert found.modules["conv1"] == {"dsp": 20, "lut": 1000, "ff": 1250, "bram36": 0.5, "uram": 0}
    assert not found.whole_design


def test_utilization_of_our_block_design(tmp_path: Path) -> None:
    """vivado/build.tcl synthesizes the accelerator as a cell, whose name Vivado puts in front of all modules in it."""
    text = (INPUTS / "hierarchical.rpt").read_text()
    for old, new in (("design_1", "small_system"), (" small ", " small_system_accelerator_0_small ")):
        text = text.replace(old, new)
    text = text.replace(" small_conv1 ", " small_system_accelerator_0_small_conv1 ")
    (tmp_path / "utilization.rpt").write_text(text)
    found = imported.read(tmp_path / "utilization.rpt", "small")
    assert found.total == {"dsp": 20, "lut": 2000, "ff": 2500, "bram36": 1.5, "uram": 0}
    assert found.modules["conv1"] == {"dsp": 20, "lut": 1000, "ff": 1250, "bram36": 0.5, "uram": 0}


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("csynth.xml", "</profile>", "", "is damaged"),
        ("csynth.xml", "AreaEstimates", "Areas", "has no AreaEstimates/Resources"),
        ("csynth.xml", "<LUT>2400</LUT>", "<LUT>many</LUT>", "'LUT' is 'many', expected a number"),
        ("csynth.xml", "<LUT>2400</LUT>", "", "tells nothing of lut"),
        ("utilization.rpt", "DSPs", "XYZs", "tells nothing of dsp"),
        ("utilization.rpt", "Site Type", "Place", "is no report of Vitis HLS or of Vivado's utilization"),
        ("utilization.rpt", "| 5400 |", "| much |", "'CLB LUTs' is 'much', expected a number"),
        ("hierarchical.rpt", " small ", " large ", "has no row of 'small'"),
    ],
)
def test_wrong_files(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    text = (INPUTS / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new))
    with pytest.raises(UserError) as caught:
        imported.read(tmp_path / name, "small")
    assert message in caught.value.message
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.help


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: No such file"):
        imported.read(tmp_path / "none.xml", "small")
    (tmp_path / "a.xml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is no text"):
        imported.read(tmp_path / "a.xml", "small")


def test_comparison() -> None:
    found = comparison.read(INPUTS / "csynth.xml", small_report())
    assert found["resources"]["lut"] == {"modelled": 1600, "real": 2400, "real_by_modelled": 1.5}
    assert found["resources"]["uram"]["real_by_modelled"] is None
    assert [row["name"] for row in found["per_task"]] == ["conv1"]
    assert found["per_task"][0]["ff"] == {"modelled": 1000, "real": 1500, "real_by_modelled": 1.5}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "other"}, "a report of 'small'; the project is 'other'"),
        ({"part": "xczu3eg-sbva484-1-i"}, "a report for xck26-sfvc784-2LV-c; the project is for xczu3eg-sbva484-1-i"),
    ],
)
def test_report_of_another_design(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        comparison.read(INPUTS / "csynth.xml", small_report(**changes))


def test_factors_are_geometric_means_of_designs(tmp_path: Path) -> None:
    path, report = tmp_path / "factors.toml", small_report()
    first = comparison.add(path, report, comparison.read(INPUTS / "csynth.xml", report))
    assert first == {"ultrascale+": {"dsp": 1.0, "lut": 1.5, "ff": 1.2, "bram36": 1.5}}
    second = comparison.add(path, report, comparison.read(INPUTS / "hierarchical.rpt", report))
    assert second["ultrascale+"]["lut"] == pytest.approx((1.5 * 1.25) ** 0.5, abs=1e-4)
    # The same once more replaces what is there.
    assert comparison.add(path, report, comparison.read(INPUTS / "hierarchical.rpt", report)) == second
    content = tomllib.loads(path.read_text())
    assert len(content["design"]) == 2
    assert calibration.load(path, "ultrascale+") == second["ultrascale+"]
    assert [p.name for p in tmp_path.iterdir()] == ["factors.toml"]
    with pytest.raises(UserError, match="has no factors for 7series devices"):
        calibration.load(path, "7series")


def test_a_whole_design_teaches_nothing(tmp_path: Path) -> None:
    found = comparison.read(INPUTS / "utilization.rpt", small_report())
    assert found["whole_design"]
    with pytest.raises(UserError, match="the shell included"):
        comparison.add(tmp_path / "factors.toml", small_report(), found)
    assert list(tmp_path.iterdir()) == []


def test_factors_shrink_what_may_be_used(tmp_path: Path) -> None:
    path = tmp_path / "factors.toml"
    path.write_text('[scale."ultrascale+"]\nlut = 1.25\ndsp = 1\n')
    options = make_options("kv260", max_lut=50000, resource_factors=path)
    assert options.usable.lut == 50000
    assert options.modelled == Resources(dsp=1248, lut=40000, ff=187392, bram36=129, uram=64)
    assert options.parameters()["lut"] == 40000
    report = calibration.with_factors({"resources": {"lut": {"used": 100}, "ff": {"used": 3}}}, options.factors)
    assert report["resources"] == {"lut": {"used": 100, "calibrated": 125.0}, "ff": {"used": 3}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scale = 1", "'scale' is no table"),
        ("[scale.ultrascale]\nlut = 1", "'scale.ultrascale' is no table of a family"),
        ('[scale."ultrascale+"]\nluts = 1', "'scale.ultrascale+.luts' is 1"),
        ('[scale."ultrascale+"]\nlut = 0', "'scale.ultrascale+.lut' is 0"),
        ('[scale."ultrascale+"]\nlut = nan', "'scale.ultrascale+.lut' is nan"),
        ("[scale", "is no TOML"),
    ],
)
def test_wrong_factors(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "factors.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        calibration.load(path, "ultrascale+")
    assert message in caught.value.message
