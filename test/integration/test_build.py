# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls build`: what it writes, that it writes the same twice, and that each stage runs alone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from integration_tool import Tool

from resnet_hls import pipelines

FILES = {
    "manifest.json", "report.html", "report.json", "reference/model.onnx",
    "ir/00-imported.mlir", "ir/10-integer.mlir", "ir/20-affine.mlir", "ir/25-reuse.mlir", "ir/30-dataflow.mlir",
    "ir/40-scheduled.mlir",
    "src/compact.cpp", "src/compact.h", "src/tasks.cpp", "src/tasks.h", "src/weights.h", "src/resnet_hls/word.h",
    "tb/bounded_top.cpp", "tb/expected.bin", "tb/images.bin", "tb/testbench.cpp",
    "README.md", "vitis/build.sh", "vitis/hls_config.cfg", "vitis/run_hls.tcl", "vivado/build.tcl",
    "pynq/accelerator.json", "pynq/driver.py",
}  # fmt: skip
REPORT = {
    "model", "board", "part", "family", "clock_mhz", "initiation_interval_cycles", "latency_cycles", "fps",
    "fps_limited_by", "limits", "macs_per_frame", "dsp_roofline_fps", "resources", "resources_by_structure",
    "skip_buffer_bytes", "skip_buffer_bytes_naive", "skip_buffer_bytes_published", "residual_blocks",
    "fifo_bytes", "fifo_built_bytes", "line_buffer_bytes", "weight_bytes",
    "load_bytes", "load_cycles", "power_w", "per_task", "streams", "remarks", "provenance",
}  # fmt: skip
# Two stem and block convolutions on 16x16, one stride-2 block with its 1x1 on 8x8, the classifier.
SMALL_MACS = 16 * 16 * 9 * (3 * 4 + 4 * 4 + 4 * 4) + 8 * 8 * (9 * 4 * 8 + 9 * 8 * 8 + 4 * 8) + 8 * 10


def content(folder: Path) -> dict[str, str]:
    """A hash of every file that `build` has written."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "verified.json"]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_files(project: Path) -> None:
    assert set(content(project)) >= FILES


def test_two_builds_are_byte_identical(
    tool: Tool, small_onnx: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one is repeated from the first one's manifest: elsewhere, with another seed, zone, locale."""
    elsewhere = tmp_path / "elsewhere" / "renamed.onnx"
    elsewhere.parent.mkdir()
    shutil.copy(small_onnx, elsewhere)
    monkeypatch.setenv("PYTHONHASHSEED", "12345")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("LC_ALL", "C")  # ASCII, unless Python is told to help itself
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    before = os.umask(0o077)
    try:
        arguments = ("build", elsewhere.name, "--from-manifest", project / "manifest.json")
        done = tool(*arguments, "--force", cwd=elsewhere.parent)
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    again = elsewhere.parent / "compact"
    assert content(again) == content(project)
    said = done.stdout.splitlines()
    assert said[-2:] == [
        "build: wrote compact",
        f"build: all {len(content(project))} files are those that {project}/manifest.json records, byte by byte",
    ]
    recorded = json.loads((project / "manifest.json").read_text())["files"]
    assert recorded == {name: sum for name, sum in content(project).items() if name != "manifest.json"}


def test_nothing_names_this_machine(small_onnx: Path, project: Path) -> None:
    for path in project.rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            for secret in (str(small_onnx.parent), str(project), str(Path.home()), sys.prefix):
                assert secret.encode() not in text, path


def test_manifest(project: Path, small_onnx: Path) -> None:
    manifest = json.loads((project / "manifest.json").read_text())
    assert manifest["name"] == "compact"
    assert manifest["model"] == "compact.qonnx.onnx"
    assert manifest["source_kind"] == "onnx"
    assert manifest["sha256"]["model"] == hashlib.sha256(small_onnx.read_bytes()).hexdigest()
    expected = {"shape": [16, 16, 3], "scale": 2.0**-6, "signed": True, "min": -128, "max": 127}
    assert manifest["input"].items() >= expected.items()
    assert manifest["output"]["shape"] == [1, 1, 10]
    assert manifest["output"]["scale"] == 2.0**-2
    assert manifest["board"] == "kv260"
    assert {"resnet-hls", "torch-mlir", "onnx"} <= set(manifest["versions"])


def test_report(tool: Tool, project: Path) -> None:
    text = (project / "report.json").read_text()
    report = json.loads(text)
    assert set(report) == REPORT
    assert report["macs_per_frame"] == SMALL_MACS
    interval = report["initiation_interval_cycles"]
    assert interval >= max(row["cycles"] for row in report["per_task"])
    assert report["fps"] == pytest.approx(250e6 / interval, abs=0.1)
    assert report["resources"]["dsp"]["used"] == sum(row["dsp"] for row in report["per_task"])
    assert report["resources"]["dsp"]["used"] <= report["resources"]["dsp"]["available"] == 1248
    for kind in ("dsp", "lut", "ff", "bram36", "uram"):
        used = report["resources"][kind]["used"]
        assert used == pytest.approx(sum(row[kind] for row in report["resources_by_structure"]), abs=10)
        assert 0 <= used <= report["resources"][kind]["usable"] <= report["resources"][kind]["available"]
    assert report["resources"]["lut"]["available"] == 117120
    # Each row is rounded up to whole LUTs.
    parts = [*report["per_task"], *report["streams"], *report["resources_by_structure"][-1:]]
    assert report["resources"]["lut"]["used"] == pytest.approx(sum(row["lut"] for row in parts), abs=len(parts))
    names = {row["name"] for row in report["per_task"]}
    for row in report["streams"]:
        assert row["from"] in names | {"input"}
        assert row["to"] in names | {"output"}
        assert 1 <= row["peak"] <= row["depth"] <= row["built_depth"]
        assert row["full_cycles"] + row["empty_cycles"] <= interval
    assert report["fifo_built_bytes"] >= report["fifo_bytes"]
    for row in report["per_task"]:
        assert row["pipeline_depth"] >= 2
        assert row["cycles"] + row["stall_cycles"] <= interval
        longest = row["waits_for"]
        assert longest is None or (
            0 < longest["cycles"] <= row["stall_cycles"] and longest["kind"] in ("empty", "full")
        )
    assert report["limits"][0]["cycles"] <= interval
    assert report["fps_limited_by"] in {*names, *(row["name"] for row in report["streams"])}
    for key in ("fps", "latency_cycles", "per_task.cycles", "per_task.stall_cycles", "streams.peak"):
        assert report["provenance"][key] == "simulated"
    printed = tool("report", project)
    assert printed.returncode == 0
    assert "frames/s (simulated)" in printed.stdout
    assert all(name in printed.stdout for name in names)
    assert tool("report", project, "--json").stdout == text


def test_remarks_are_reported(tool: Tool, project: Path, tmp_path: Path) -> None:
    report = json.loads((project / "report.json").read_text())
    report["remarks"] = []
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert "Remarks" not in tool("report", tmp_path).stdout
    rows = [("hls-fuse-loops", "layer 'add'", "stays"), ("my-pass", "", "[is] here")]
    report["remarks"] = [{"pass": name, "where": where, "message": message} for name, where, message in rows]
    (tmp_path / "report.json").write_text(json.dumps(report))
    printed = tool("report", tmp_path).stdout
    assert "Remarks\n  layer 'add': remark: [hls-fuse-loops] stays\n  remark: [my-pass] [is] here\n" in printed


@pytest.mark.parametrize("number", range(len(pipelines.STAGES)))
def test_each_stage_runs_alone(project: Path, number: int) -> None:
    stage = pipelines.STAGES[number]
    before = pipelines.IMPORTED_FILE if number == 0 else pipelines.STAGES[number - 1].file
    text = json.loads((project / "manifest.json").read_text())["pipelines"][stage.name]
    opt = Path(sys.executable).with_name("resnet-opt")
    # What is inside a named linalg operation has no place for its location in MLIR's text.
    flags = [] if number == 0 else ["--mlir-print-debuginfo"]

    def run(file: str, pipeline: str) -> str:
        command = [opt, project / "ir" / file, f"--pass-pipeline={pipeline}", *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run(before, text) == run(stage.file, "builtin.module()")


def test_translate_gives_the_sources(project: Path) -> None:
    translate = Path(sys.executable).with_name("resnet-translate")
    command = [translate, project / "ir" / pipelines.SCHEDULE.file, "--emit-hls-cpp"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    for name in ("compact.cpp", "compact.h", "tasks.cpp", "tasks.h", "weights.h"):
        assert f"// ===== {name}\n{(project / 'src' / name).read_text()}" in done.stdout


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_sources_compile_without_warnings(project: Path, repository: Path, compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    for source in sorted((project / "src").glob("*.cpp")):
        # The switch is for g++ before version 13: see lib/include/resnet_hls/warnings.h.
        flags = ["-std=c++14", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-fsyntax-only"]
        include = ["-I", str(project / "src"), "-isystem", str(repository / "lib" / "csim")]
        done = subprocess.run([compiler, *flags, *include, str(source)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_command_line_waits_for_no_numpy() -> None:
    """`build` starts its importer first, and imports the rest meanwhile."""
    program = "import sys, resnet_hls.cli\nsys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_onnx_needs_no_torch(tiny_onnx: Path, tmp_path: Path) -> None:
    program = (
        "import sys\nfrom resnet_hls.cli import main\n"
        f"status = main(['build', {str(tiny_onnx)!r}, '-o', {str(tmp_path / 'out')!r}])\n"
        "heavy = {'torch', 'torchao', 'onnx', 'onnxruntime', 'rich'} & set(sys.modules)\n"
        "sys.exit(status or (f'imported {heavy}' if heavy else 0))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_force_replaces_a_project(tool: Tool, tiny_onnx: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert tool("build", tiny_onnx, "-o", out, "--name", "first").returncode == 0
    (out / "src" / "note.txt").write_text("mine")
    assert tool("build", tiny_onnx, "-o", out).returncode == 1
    assert (out / "src" / "note.txt").exists()
    assert tool("build", tiny_onnx, "-o", out, "--force").returncode == 0
    assert not (out / "src" / "note.txt").exists()
    assert (out / "src" / "tiny.cpp").exists()
    assert os.listdir(tmp_path) == ["out"]


def test_force_replaces_nothing_but_projects(tool: Tool, tiny_onnx: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    done = tool("build", tiny_onnx, "-o", tmp_path, "--force")
    assert done.returncode == 1
    assert "holds no project" in done.stderr
    (tmp_path / "manifest.json").write_text('{"name": "another tool\'s"}')
    (tmp_path / "src").mkdir()
    done = tool("build", tiny_onnx, "-o", tmp_path, "--force")
    assert "holds no project, so --force does not replace it" in done.stderr
    assert {*os.listdir(tmp_path)} == {"precious.txt", "manifest.json", "src"}


def test_empty_folder_is_taken(tool: Tool, tiny_onnx: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert tool("build", tiny_onnx, "-o", tmp_path / "empty").returncode == 0


def test_options_reach_the_design(tool: Tool, tiny_onnx: Path, tmp_path: Path) -> None:
    done = tool(
        "build", tiny_onnx, "-o", tmp_path / "out", "--board", "ultra96v2", "--clock", "100", "--target-fps", "5000",
        "--name", "slow_one",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["board"], report["clock_mhz"], report["model"]) == ("ultra96v2", 100.0, "slow_one")
    assert report["fps"] >= 5000
    fastest = tool("build", tiny_onnx, "-o", tmp_path / "fastest", "--max-dsp", "60")
    assert fastest.returncode == 0, fastest.stderr
    report = json.loads((tmp_path / "fastest" / "report.json").read_text())
    assert report["resources"]["dsp"]["used"] <= 60


def test_own_board(tool: Tool, tiny_onnx: Path, repository: Path, tmp_path: Path) -> None:
    text = (repository / "python" / "resnet_hls" / "boards" / "kv260.toml").read_text()
    text = text.replace("dsp = 1248", "dsp = 62").split("[platform]")[0]
    (tmp_path / "half.toml").write_text(text)
    done = tool("build", tiny_onnx, "-o", tmp_path / "out", "--board", tmp_path / "half.toml")
    assert done.returncode == 0, done.stderr
    note = "the file of half has no table [platform], so there is no vivado/"
    assert f"note: {note}\n" in done.stdout
    assert note in json.loads((tmp_path / "out" / "manifest.json").read_text())["notes"]
    assert (tmp_path / "out/vitis").is_dir()
    assert not (tmp_path / "out/vivado").exists()
    assert json.loads((tmp_path / "out" / "report.json").read_text())["resources"]["dsp"]["used"] <= 62
