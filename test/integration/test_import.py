# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls report --import`: a report of a tool (here one that is made) beside the model's figures, and a refit."""

from __future__ import annotations

import json
from pathlib import Path

from integration_tool import Tool
from test_bad_input import check


def made_report(project: Path, path: Path, factor: float) -> Path:
    """A csynth.xml, made by hand, that has `factor` times what the model says."""
    report = json.loads((project / "report.json").read_text())

    def resources(amounts: dict[str, float]) -> str:
        names = {"dsp": "DSP", "lut": "LUT", "ff": "FF", "uram": "URAM"}
        told = [f"<{name}>{amounts[kind] * factor:.0f}</{name}>" for kind, name in names.items()]
        return f"<AreaEstimates><Resources>{''.join(told)}<BRAM_18K>0</BRAM_18K></Resources></AreaEstimates>"

    total = resources({kind: entry["used"] for kind, entry in report["resources"].items()})
    rows = "".join(f"<Module><Name>{row['name']}</Name>{resources(row)}</Module>" for row in report["per_task"])
    told = f"<Part>{report['part']}</Part><TopModelName>{report['model']}</TopModelName>"
    top = f"<UserAssignments>{told}</UserAssignments>"
    path.write_text(f"<profile>{top}{total}<ModuleInformation>{rows}</ModuleInformation></profile>")
    return path


def test_import_and_refit(tool: Tool, project: Path, small_onnx: Path, tmp_path: Path) -> None:
    made, factors = made_report(project, tmp_path / "csynth.xml", 2), tmp_path / "factors.toml"
    done = tool("report", project, "--import", made, "--refit", factors)
    assert done.returncode == 0, done.stderr
    assert "real / modelled" in done.stdout
    assert "ultrascale+: real = 2 x dsp, 2 x lut" in done.stdout
    content = json.loads(tool("report", project, "--import", made, "--json").stdout)
    report = json.loads((project / "report.json").read_text())
    assert [row["name"] for row in content["per_task"]] == [row["name"] for row in report["per_task"]]
    assert content["resources"]["lut"]["real_by_modelled"] == 2
    done = tool("build", small_onnx, "-o", tmp_path / "out", "--resource-factors", factors, "--max-dsp", "120")
    assert done.returncode == 0, done.stderr
    assert " calibrated) of 1,248 DSP" in done.stdout
    built = json.loads((tmp_path / "out" / "report.json").read_text())
    assert built["resources"]["dsp"]["used"] <= 60
    assert built["resources"]["dsp"]["calibrated"] == 2 * built["resources"]["dsp"]["used"]
    assert "--resource-factors FACTORS.toml" in json.loads((tmp_path / "out" / "manifest.json").read_text())["command"]


def test_errors(tool: Tool, project: Path, tmp_path: Path) -> None:
    check(tool("report", project, "--import", tmp_path / "none"), "cannot be read: No such file", "csynth.xml")
    other = made_report(project, tmp_path / "other.xml", 20)
    done = tool("report", project, "--import", other, "--refit", tmp_path / "b.toml")
    check(done, "real is 20 x dsp of the model", "of this very design?")
    assert not (tmp_path / "b.toml").exists()
    check(tool("report", project, "--refit", tmp_path / "a.toml"), "--refit without --import", "--import", status=2)
