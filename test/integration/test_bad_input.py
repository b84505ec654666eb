# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whatever a user can do wrong ends in one line that says what and where, a way out, and nothing written."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from integration_tool import Tool
from onnx import TensorProto, helper
from onnx_builders import Net, float_network, residual, save

Make = Callable[[Path], Path]


def check(done: subprocess.CompletedProcess[str], message: str, help: str = "", status: int = 1) -> None:
    """One line of error, one of help, nothing else."""
    assert done.returncode == status, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("resnet-hls: error: ")
    assert message in lines[0]
    assert lines[1].startswith("help: ")
    assert help in lines[1]
    assert done.stdout == ""


def truncated(folder: Path) -> Path:
    path = folder / "model.onnx"
    data = residual().SerializeToString()
    path.write_bytes(data[: len(data) // 2])
    return path


def not_onnx(folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_text("hello, world")
    return path


def unsupported_operator(folder: Path) -> Path:
    net = Net("qdq")
    x = net.quant("input/quant", net.input, 2.0**-6)
    x = net.node("Sin", "oscillator", [net.conv("conv", x, 4)])
    return Path(save(net.model(net.quant("out/quant", x, 2.0**-4)), folder / "model.onnx"))


def dynamic_shape(folder: Path) -> Path:
    model = residual()
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    return Path(save(model, folder / "model.onnx"))


def float_model(folder: Path) -> Path:
    return Path(save(float_network(), folder / "model.onnx"))


def two_inputs(folder: Path) -> Path:
    model = residual()
    model.graph.input.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, [1, 3]))
    return Path(save(model, folder / "model.onnx"))


@pytest.mark.parametrize(
    ("make", "message", "help"),
    [
        (truncated, "model.onnx: is no ONNX model, or is truncated", "export"),
        (not_onnx, "model.onnx: is no ONNX model", "export"),
        (unsupported_operator, "model.onnx: oscillator: ", ""),
        (dynamic_shape, "input", "fixed"),
        (float_model, "model.onnx: has no quantizers", "quantize"),
        (two_inputs, "model.onnx: has 2 inputs", "one input"),
        (lambda folder: folder / "none.onnx", "none.onnx: no such file", "check the path"),
        (lambda folder: folder / "none", "there is no model", "resnet8"),
        (lambda folder: folder, "is a folder", ".onnx"),
        (lambda folder: folder / "none.py:network", "none.py: no such file", "module.py:factory"),
    ],
)
def test_bad_model(tool: Tool, tmp_path: Path, make: Make, message: str, help: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    model = make(folder)
    check(tool("build", model, "-o", tmp_path / "out"), message, help)
    assert os.listdir(tmp_path) == ["model"]


def test_importer_that_crashes_gives_a_line(tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmentation fault in the importing process; here one that is made, by what Python runs at its start."""
    (tmp_path / "path").mkdir()
    crash = "import os, sys\nif any('_worker' in part for part in sys.orig_argv): os.kill(os.getpid(), 11)\n"
    (tmp_path / "path" / "sitecustomize.py").write_text(crash)
    model = save(residual(), tmp_path / "model.onnx")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    check(tool("build", model, "-o", tmp_path / "out"), "the importer (torch-mlir) ended with signal SIGSEGV", "doctor")
    assert sorted(os.listdir(tmp_path)) == ["model.onnx", "path"]


@pytest.mark.parametrize(
    ("arguments", "message", "help"),
    [
        (["--board", "kv26"], "there is no board named 'kv26'", "did you mean 'kv260'? the boards are kv260"),
        (["--clock", "0"], "a clock of 0 MHz", "1 to 1000"),
        (["--clock", "fast"], "invalid value for '--clock'", "--help"),
        (["--target-fps", "-1"], "a target of -1 frames", "above 0"),
        (["--max-dsp", "0"], "at most 0 DSP slices", "1 or more"),
        (["--max-lut", "-5"], "at most -5 LUTs", "1 or more"),
        (["--max-uram", "-1"], "at most -1 UltraRAMs", "0 or more"),
        (["--name", "2 words"], "'2 words' is no name", "letters"),
        (["--name", "while"], "'while' is taken", "another"),
        (["--name", "Signal"], "'Signal' is taken", "another"),
        (["--bord", "kv260"], "no such option: --bord", "did you mean '--board'?"),
        (["--without", "hls-temporal-reuse"], "no design without hls-temporal-reuse", "can leave out hls-fuse-loops"),
        (["--without", "hls-fuse-lops"], "no pass 'hls-fuse-lops'", "did you mean 'hls-fuse-loops'?"),
        (["extra"], "unexpected extra argument", "--help"),
    ],
)
def test_bad_options(
    tool: Tool, small_onnx: Path, tmp_path: Path, arguments: list[str], message: str, help: str
) -> None:
    check(tool("build", small_onnx, "-o", tmp_path / "out", *arguments), message, help, status=2)
    assert os.listdir(tmp_path) == []


def test_bad_commands(tool: Tool, small_onnx: Path) -> None:
    check(tool("biuld", small_onnx), "no such command 'biuld'", "did you mean 'build'?", status=2)
    check(tool("build", small_onnx), "missing option '-o'", "resnet-hls build --help", status=2)
    check(tool("build"), "missing argument", "resnet-hls build --help", status=2)
    check(tool("passes", "hls-balanse"), "there is no pass 'hls-balanse'", "did you mean 'hls-balance'?", status=2)


def test_target_that_cannot_be_reached(tool: Tool, small_onnx: Path, tmp_path: Path) -> None:
    done = tool("build", small_onnx, "-o", tmp_path / "out", "--target-fps", "100000000")
    check(done, "hls-balance", "frames a second")
    assert os.listdir(tmp_path) == []


def test_output_is_not_empty(tool: Tool, small_onnx: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    check(tool("build", small_onnx, "-o", tmp_path), "the folder is not empty", "--force")
    check(tool("build", small_onnx, "-o", tmp_path / "file"), "is a file", "-o")
    check(tool("build", small_onnx, "-o", tmp_path / "file" / "out"), "file is a file", "-o")
    assert os.listdir(tmp_path) == ["file"]


def test_output_cannot_be_written(tool: Tool, small_onnx: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    if os.access(tmp_path / "locked", os.W_OK):  # root may write everywhere, but not here
        check(tool("build", small_onnx, "-o", "/proc/resnet-hls/out"), "/proc/resnet-hls/out: cannot be ", "-o")
        return
    check(tool("build", small_onnx, "-o", tmp_path / "locked" / "out"), "locked is not writable", "-o")


def _listens(process: int) -> bool:
    """Whether a process has its handlers; Python itself has one for SIGINT, and the tool's for SIGTERM is its last."""
    status = Path(f"/proc/{process}/status").read_text()
    caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt:")).split()[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_build_leaves_nothing(small_onnx: Path, tmp_path: Path, number: signal.Signals) -> None:
    command = [Path(sys.executable).with_name("resnet-hls"), "build", small_onnx, "-o", tmp_path / "deep" / "out"]
    process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not _listens(process.pid) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.2)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    assert "Traceback" not in errors
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_that_a_library_drops(tmp_path: Path, number: signal.Signals, raised: type[BaseException]) -> None:
    """As Python does of what is raised while an object ends: nothing is written all the same."""
    from resnet_hls.errors import noting_signals, raise_seen
    from resnet_hls.project.folder import appearing

    def build() -> None:
        with noting_signals(), appearing(tmp_path / "out", force=False) as folder:
            (folder / "file").write_text("x")
            with contextlib.suppress(BaseException):
                signal.raise_signal(number)

    before = signal.getsignal(number)
    with pytest.raises(raised):
        build()
    assert os.listdir(tmp_path) == []
    assert signal.getsignal(number) == before
    raise_seen()  # it is over


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_that_another_thread_gets(number: signal.Signals, raised: type[BaseException]) -> None:
    """As any with threads of a library may: it waits too, until what must not be interrupted is over."""
    from resnet_hls.errors import noting_signals, signals_deferred

    over, go = False, threading.Event()

    def kill() -> None:
        go.wait()
        signal.pthread_kill(threading.get_ident(), number)

    def work() -> None:
        nonlocal over
        with noting_signals(), signals_deferred():
            go.set()
            thread.join()
            over = True

    thread = threading.Thread(target=kill)
    thread.start()  # before signals wait
    before = signal.getsignal(number)
    with pytest.raises(raised):
        work()
    assert over
    assert signal.getsignal(number) == before


def test_what_signals_wait_for() -> None:
    """An error there is told instead, an ignored signal stays so, and none is lost."""
    from resnet_hls.errors import signals_deferred

    def write() -> None:
        with signals_deferred():
            signal.raise_signal(signal.SIGTERM)
            raise OSError("full")

    got: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, frame: got.append(number)) for number in numbers]
    try:
        with signals_deferred() as outer, signals_deferred() as inner:
            for number in (*numbers, signal.SIGINT):
                signal.raise_signal(number)
            assert (outer, inner, got) == ([], [*numbers, signal.SIGINT], [])
        assert got == [*numbers]
        with pytest.raises(OSError, match="full"):
            write()
        assert got == [*numbers]
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with signals_deferred() as received:
            signal.raise_signal(signal.SIGINT)
        assert received == []
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    from resnet_hls.errors import UserError
    from resnet_hls.project.folder import appearing

    def write() -> None:
        with appearing(tmp_path / "deep" / "out", force=False) as folder:
            (folder / "file").write_text("x")
            raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="cannot be written: No space left on device"):
        write()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("images", "message", "help"),
    [
        (np.zeros((4, 3, 16, 16), np.uint8), "images have shape (4, 3, 16, 16), expected (N, 16, 16, 3)", "transpose"),
        (np.zeros((4, 16, 16), np.uint8), "images have shape (4, 16, 16)", "channels"),
        (np.zeros((4, 16, 16, 3), np.int64), "images are int64, expected uint8 or float32", "uint8 for pixels"),
        (np.full((4, 16, 16, 3), np.nan, np.float32), "not finite", "NaN"),
        (np.zeros((2, 16, 16, 3), np.uint8), "holds 2 images, 4 were asked for", "--images 2"),
    ],
)
def test_bad_images(tool: Tool, project: Path, tmp_path: Path, images: object, message: str, help: str) -> None:
    np.save(tmp_path / "images.npy", images)
    check(tool("verify", project, "--images", "4", "--data", tmp_path / "images.npy"), message, help)


def test_bad_data(tool: Tool, project: Path, tmp_path: Path) -> None:
    check(tool("verify", project, "--data", tmp_path / "none"), "none: no such folder", "cifar-10-batches-py")
    check(tool("verify", project, "--data", "./drawings"), "drawings: no such folder", "cifar-10-batches-py")
    check(tool("verify", project, "--data", tmp_path), "has no CIFAR-10 test batches", "unpacked")
    (tmp_path / "images.npz").write_bytes(b"PK\x03\x04 damaged")
    check(tool("verify", project, "--data", tmp_path / "images.npz"), "cannot be read as NumPy arrays", "numpy.save")
    check(
        tool("verify", project, "--data", "drawings"), "drawings are 32x32 in colour, the accelerator takes 16x16x3", ""
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "0"], "0 images"),
        (["--pixel-scale", "128"], "a pixel scale of 128"),
        (["--headers", "slow"], "'slow' is not one of"),
        (["--compiler", "cc"], "'cc' is not one of"),
    ],
)
def test_bad_verify_options(tool: Tool, project: Path, arguments: list[str], message: str) -> None:
    check(tool("verify", project, *arguments), message, status=2)


def test_no_project(tool: Tool, project: Path, tmp_path: Path) -> None:
    for command in ("verify", "report"):
        check(tool(command, tmp_path), "no project", "resnet-hls build")
        check(tool(command, tmp_path / "none"), "no project", "resnet-hls build")
    (tmp_path / "src").mkdir()
    (tmp_path / "manifest.json").write_text("{")
    check(tool("verify", tmp_path), "manifest.json: damaged", "again")
    (tmp_path / "report.json").write_text('{"model": "x"}')
    check(tool("report", tmp_path), "report.json: damaged", "again")
    (tmp_path / "manifest.json").write_bytes((project / "manifest.json").read_bytes())
    check(tool("verify", tmp_path), "model.onnx: no such file")


def test_doctor_names_a_fix(tool: Tool, small_onnx: Path, tmp_path: Path) -> None:
    done = tool("doctor", small_onnx)
    assert done.returncode == 0
    assert "doctor: can be built" in done.stdout
    assert "Skips" in done.stdout
    assert (done := tool("doctor", small_onnx, "--quiet")).stdout + done.stderr == ""
    done = tool("doctor", unsupported_operator(tmp_path), "--quiet")  # what is wrong is told all the same
    assert done.returncode == 1
    assert "problem: oscillator" in done.stdout
    assert "help: " in done.stdout
    assert done.stderr == ""
    assert onnx.load(tmp_path / "model.onnx").graph.node  # untouched
