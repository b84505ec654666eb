# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `resnet-hls fit` makes of points: fronts, tables, the page, what is stored; no design is computed here."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from resnet_hls import cli, driver
from resnet_hls.errors import UserError
from resnet_hls.fit import plot, run, table
from resnet_hls.fit.points import Network, Point, compute
from resnet_hls.fit.store import Store


def result(board: str, fps: float, dsp: int, lut: int, status: str = "fits", power: float | None = None) -> Any:
    used = {"dsp": dsp, "lut": lut, "ff": 10, "bram36": 0.5, "uram": 0}
    return {
        "board": board, "clock_mhz": 100.0, "target_fps": None, "status": status, "message": "takes much", "help": "",
        "fps": fps, "latency_ms": 0.5, "fps_limited_by": "conv1", "limiting_resource": "lut", "power_w": power,
        "resources": {k: {"used": n, "usable": 1000, "available": 2000} for k, n in used.items()}, "seconds": 1.0,
    }  # fmt: skip


RESULTS = [
    result("a", 100, 50, 900),
    result("a", 50, 20, 500),
    result("b", 80, 60, 400),
    result("b", 300, 10, 10, "does not fit"),
]


def test_front_has_what_none_is_better_than() -> None:
    assert [r["fps"] for r in table.front(RESULTS, "dsp")] == [50, 100]
    assert [r["fps"] for r in table.front(RESULTS, "lut")] == [80, 100]
    assert table.front(RESULTS, "power_w") == []
    with_power = [result("a", 10, 1, 1, power=2.5), result("a", 10, 2, 2, power=2.0)]
    assert table.front(with_power, "power_w") == with_power[1:]


def test_summary() -> None:
    summary = table.summary(RESULTS)
    assert summary["boards"] == {"a": {"fps": 100, "point": 0}, "b": {"fps": 80, "point": 2}}
    assert summary["fronts"] == {"dsp": [1, 0], "lut": [2, 0], "power_w": []}
    assert json.loads(json.dumps(summary)) == summary


def test_table_and_problems() -> None:
    console = Console(width=160, file=io.StringIO())
    console.print(table.board_table([*RESULTS, result("c", 1, 1, 1, "does not fit")]))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert [line.split("│")[1].strip() for line in printed.splitlines() if line.startswith("│")] == ["a", "b", "c"]
    assert "does not fit" in printed
    assert table.problem_lines(RESULTS) == ["b, fastest: does not fit: takes much"]


def test_page_needs_no_network() -> None:
    page = plot.page("net", RESULTS)
    assert page == plot.page("net", RESULTS)
    assert "src=" not in page[: page.index("plotly.js")]
    assert '<script src="' not in page
    assert len(page) > 4_000_000  # plotly is inside
    assert "power in W" not in page
    assert "power in W" in plot.page("net", [result("a", 10, 1, 1, power=2.5)])


def test_targets_are_halves() -> None:
    assert run.targets_below(61035.2, 3) == [30520.0, 15260.0, 7629.0]
    assert run.targets_below(100, 0) == []


def test_key_tells_designs_apart() -> None:
    network, options = Network("net", "text"), driver.make_options("kv260")
    key = Point(options).key(network)
    assert key == Point(driver.make_options("kv260")).key(Network("net", "text"))
    others = [
        Point(options).key(Network("net", "other text")),
        Point(replace(options, target_fps=100.0)).key(network),
        Point(replace(options, max_lut=1000)).key(network),
        Point(replace(options, factors={"lut": 1.1})).key(network),
        Point(driver.make_options("kv260", clock_mhz=200)).key(network),
        Point(driver.make_options("zcu102")).key(network),
        Point(replace(options, objective="latency")).key(network),
    ]
    assert len({key, *others}) == 1 + len(others)


def test_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "folder")
    assert store.get("key") is None
    store.put("key", RESULTS[0])
    assert Store(tmp_path / "new" / "folder").get("key") == RESULTS[0]
    store.put("failed", {**RESULTS[0], "status": "failed"})
    assert store.get("failed") is None, "what failed is tried again"
    for damage in ("", "{", "[]", '{"board": 1}'):
        (tmp_path / "new" / "folder" / "points" / "key.json").write_text(damage)
        assert store.get("key") is None
    assert sorted(p.name for p in (tmp_path / "new" / "folder" / "points").iterdir()) == ["failed.json", "key.json"]
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made a folder"):
        Store(tmp_path / "file")


def test_another_version_computes_nothing() -> None:
    found = compute(Network("net", "text"), Point(driver.make_options("kv260")), "0.0.0")
    assert found["status"] == "failed"
    assert "0.0.0 is asked for" in found["message"]


def test_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_TIMEOUT", 0.5)
    options = [driver.make_options("kv260")]
    with pytest.raises(UserError, match="no Dask scheduler answers") as caught:
        run.fit(Network("net", "text"), options, 0, Store(tmp_path), scheduler="tcp://127.0.0.1:9")
    assert caught.value.where == "tcp://127.0.0.1:9"


def test_packages_that_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["fit", "resnet8", "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "fit needs distributed, which is not installed" in said
    assert "pip install 'resnet-hls[fit]'" in said
    assert list(tmp_path.iterdir()) == []
