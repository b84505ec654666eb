# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls fit` on a small network: interrupted after a point, it goes on there; what is wrong is told in a line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from integration_tool import Tool
from test_bad_input import check

from resnet_hls.driver import make_options
from resnet_hls.fit.points import network_of
from resnet_hls.fit.run import fit
from resnet_hls.fit.store import Store
from resnet_hls.frontend import sources


def test_interrupted_and_continued(tool: Tool, small_onnx: Path, tmp_path: Path) -> None:
    arguments = [small_onnx, "--boards", "kv260,pynq-z2", "--slower", "1", "--workers", "1", "-o", tmp_path / "out"]
    command = [Path(sys.executable).with_name("resnet-hls"), "fit", *map(str, arguments)]
    pipe = subprocess.PIPE
    first = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    points = tmp_path / "out" / "points"
    deadline = time.monotonic() + 300
    while first.poll() is None and not list(points.glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGINT)  # as Ctrl-C does: to its workers, too
    _, said = first.communicate(timeout=60)
    assert first.returncode == 130, said
    assert said.endswith("resnet-hls: interrupted\n")
    assert "Traceback" not in said
    kept = {path: path.stat().st_mtime_ns for path in points.iterdir()}
    assert kept
    assert all(path.suffix == ".json" for path in kept)

    done = tool("fit", *arguments)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(points.iterdir())) == 4
    content = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert [(p["board"], p["target_fps"] is None) for p in content["points"]] == [
        ("kv260", True), ("kv260", False), ("pynq-z2", True), ("pynq-z2", False),
    ]  # fmt: skip
    for point in content["points"]:
        assert point["status"] == "fits"
        assert point["fps"] >= (point["target_fps"] or 0)
        assert all(entry["used"] <= entry["usable"] for entry in point["resources"].values())
    assert content["points"][1]["resources"]["dsp"]["used"] < content["points"][0]["resources"]["dsp"]["used"]
    assert "pynq-z2" in done.stdout
    assert (tmp_path / "out" / "fit.html").stat().st_size > 4_000_000

    again = tool("fit", *arguments, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == content, "nothing is computed, and the order is the same"


def test_existing_cluster(small_onnx: Path, tmp_path: Path) -> None:
    """Points on a cluster that is there already. A rate that a board cannot reach is a result, not an error."""
    from distributed import LocalCluster

    possible, impossible = make_options("kv260", target_fps=1000), make_options("pynq-z2", target_fps=5e6)
    with sources.find(str(small_onnx)) as source:
        network = network_of(source, possible)
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        found = fit(network, [possible, impossible], 0, Store(tmp_path), scheduler=cluster.scheduler_address)
    assert [(point["board"], point["status"]) for point in found] == [("kv260", "fits"), ("pynq-z2", "does not fit")]
    assert found[0]["fps"] >= 1000
    assert "hls-balance" in found[1]["message"]


@pytest.mark.parametrize(
    ("arguments", "message", "help", "status"),
    [
        (["--boards", "kv26"], "there is no board named 'kv26'", "did you mean 'kv260'?", 2),
        (["--boards", ""], "there is no board named ''", "the boards are", 2),
        (["--slower", "-1"], "--slower -1", "0 or more", 2),
        (["--workers", "0"], "--workers 0", "1 or more", 2),
        (["--clock", "0"], "a clock of 0 MHz", "1 to 1000", 2),
        (["--resource-factors", "none.toml"], "none.toml: cannot be read", "--refit", 1),
    ],
)
def test_errors(
    tool: Tool, small_onnx: Path, tmp_path: Path, arguments: list[str], message: str, help: str, status: int
) -> None:
    check(tool("fit", small_onnx, "-o", tmp_path / "out", *arguments), message, help, status=status)
    assert list(tmp_path.iterdir()) == []
