# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls simulate`: figures, traces, deadlocks with a cure, and whatever someone does to the scheduled module."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from integration_tool import Tool
from test_bad_input import check

import resnet_hls
from resnet_hls.simulate import scheduled
from resnet_hls.simulate.cycles import STEADY_WITHIN, simulate

SCHEDULED = "ir/40-scheduled.mlir"
NEEDS = r"stream '(\S+)' needs room for ([\d,]+) words"


@pytest.fixture
def edited(project: Path, tmp_path: Path) -> Callable[[Callable[[str], str]], Path]:
    """A copy of the project with another scheduled module."""

    def edit(change: Callable[[str], str]) -> Path:
        folder = tmp_path / "edited"
        shutil.copytree(project, folder)
        text = (folder / SCHEDULED).read_text()
        assert change(text) != text
        (folder / SCHEDULED).write_text(change(text))
        return folder

    return edit


def test_figures(tool: Tool, project: Path) -> None:
    done = tool("simulate", project, "--json")
    assert done.returncode == 0, done.stderr
    content, report = json.loads(done.stdout), json.loads((project / "report.json").read_text())
    assert content["provenance"] == "simulated"
    for key in ("clock_mhz", "initiation_interval_cycles", "latency_cycles", "fps", "model"):
        assert content[key] == report[key]
    assert content["steady"]
    assert content["deadlock"] is None
    interval = content["initiation_interval_cycles"]
    for row in content["tasks"]:
        assert row["cycles"] + row["stall_cycles"] <= interval
        assert sum((row["empty_cycles"] | row["full_cycles"]).values()) == row["stall_cycles"]
    for row in content["streams"]:
        assert 1 <= row["peak"] <= row["depth"]
        assert row["full_cycles"] + row["empty_cycles"] <= interval
    assert sum(row["cycles"] for row in content["limits"]) >= interval - len(content["limits"])
    printed = tool("simulate", project, "--frames", 20)
    assert printed.returncode == 0
    assert f"{content['fps']:,.0f} frames/s (simulated): a frame every {interval:,.0f} cycles, steady" in printed.stdout
    assert "limited by " in printed.stdout
    assert all(row["name"] in printed.stdout for row in content["tasks"])


def test_from_python(small_onnx: Path, project: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(small_onnx.parent)
        accelerator = resnet_hls.compile(small_onnx.name)
    try:
        found = accelerator.simulate(frames=STEADY_WITHIN)
    finally:
        accelerator.close()
    assert found == simulate(scheduled.read(project).network, STEADY_WITHIN)
    assert accelerator.report["latency_cycles"] == found.latency


@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
def test_trace(tool: Tool, project: Path, tmp_path: Path, name: str) -> None:
    done = tool("simulate", project, "--frames", 3, "--trace", tmp_path / name)
    assert done.returncode == 0, done.stderr
    assert f"wrote {tmp_path / name}" in done.stdout
    data = (tmp_path / name).read_bytes()
    content = json.loads(gzip.decompress(data) if name.endswith(".gz") else data)
    assert content["otherData"].items() >= {"frames": 3, "clock_mhz": 250.0}.items()
    names = {event["args"]["name"] for event in content["traceEvents"] if event["name"] == "thread_name"}
    report = json.loads((project / "report.json").read_text())
    assert names == {row["name"] for row in report["per_task"]} | {"input", "output"}
    counters = {event["name"] for event in content["traceEvents"] if event["ph"] == "C"}
    assert counters == {row["name"] for row in report["streams"]}
    assert len(data) < 20e6


def test_deadlock(tool: Tool, edited: Callable[[Callable[[str], str]], Path], tmp_path: Path) -> None:
    """All streams as shallow as they can be: the skip of the first block, for one, needs more."""
    folder = edited(lambda text: re.sub(r"{depth = \d+ : i64, ", "{depth = 1 : i64, ", text))
    done = tool("simulate", folder, "--trace", tmp_path / "trace.json")
    assert done.returncode == 1
    first, *details, help = done.stderr.splitlines()
    assert re.match(rf"resnet-hls: error: {folder / SCHEDULED}: deadlock in cycle [\d,]+: ", first)
    assert details
    for line in details:
        assert re.match(r"  \S+ has waited since cycle [\d,]+ for (room in full|words of empty) \S+, ", line)
    cure = {name: int(depth.replace(",", "")) for name, depth in re.findall(NEEDS, help)}
    assert cure
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert any(event["name"].startswith("deadlock") for event in events)
    assert any(event["name"].startswith("for ever: ") for event in events)
    printed = json.loads(tool("simulate", folder, "--json").stdout)
    assert {name: depth for name, depth in printed["deadlock"]["cure"].items() if depth > 1} == cure
    text = (folder / SCHEDULED).read_text()
    for name, depth in cure.items():
        text = re.sub(rf'depth = 1 (: i64, [^}}]*sym_name = "{name}")', rf"depth = {depth} \1", text)
    (folder / SCHEDULED).write_text(text)
    done = tool("simulate", folder, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_limit_of_cycles(tool: Tool, project: Path) -> None:
    check(tool("simulate", project, "--max-cycles", 100), "10 frames take more than 100 cycles", "--max-cycles")
    # Even those frames count that are not run one by one.
    check(
        tool("simulate", project, "--frames", 100000, "--max-cycles", 10_000_000),
        "100000 frames take more than 10,000,000 cycles",
        "--frames",
    )


@pytest.mark.parametrize(
    ("change", "message", "help"),
    [
        (
            lambda text: re.sub(r"{depth = \d+ ", "{depth = 0 ", text, count=1),
            "at least 1",
            "depth = 0",
        ),
        (lambda text: re.sub(r"\n.*hls\.sink.*", "", text), "1 writers and 0 readers", "hls.fifo"),
        (lambda text: re.sub(r"\n.*hls\.source.*", "", text), "0 writers and 1 readers", "hls.fifo"),
        (lambda text: re.sub(r"(\n.*hls\.source.*)", r"\1\1", text), "2 writers and 1 readers", "hls.fifo"),
        (lambda text: text[: len(text) // 2], ":", "reads '"),
        (lambda text: "", "expected one public func.func", ""),
    ],
)
def test_broken_graph(
    tool: Tool,
    edited: Callable[[Callable[[str], str]], Path],
    change: Callable[[str], str],
    message: str,
    help: str,
) -> None:
    folder = edited(change)
    done = tool("simulate", folder)
    check(done, message, help)
    assert str(folder / SCHEDULED) in done.stderr


def test_wrong_numbers(tool: Tool, edited: Callable[[Callable[[str], str]], Path]) -> None:
    folder = edited(lambda text: re.sub(r"hls\.depth = \d+", "hls.depth = 1", text))
    check(tool("simulate", folder), "hls.depth = 1, not 2 at least", "hls-pipeline-loops")


def test_no_project(tool: Tool, project: Path, tmp_path: Path) -> None:
    check(tool("simulate", tmp_path), "no project", "resnet-hls build")
    shutil.copytree(project, tmp_path / "copy")
    (tmp_path / "copy" / SCHEDULED).unlink()
    check(tool("simulate", tmp_path / "copy"), f"{SCHEDULED}: there is no such file", "build the project again")


def test_bad_options(tool: Tool, project: Path, tmp_path: Path) -> None:
    check(tool("simulate", project, "--frames", 0), "--frames 0", "give 1 to", status=2)
    check(tool("simulate", project, "--max-cycles", -5), "--max-cycles -5", "give 1 to", status=2)
    trace = tmp_path / "none" / "trace.json"
    check(tool("simulate", project, "--trace", trace), f"{trace}: cannot be written", "make the folder")
