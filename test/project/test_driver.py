# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pynq/driver.py on this machine: images in, logits out, through DMA buffers and the compiled C++, bit by bit."""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))
sys.path.insert(0, str(Path(__file__).parents[1] / "frontend"))
from small_networks import Compiled, write_project

from resnet_hls import boards, emit
from resnet_hls.context import make_context
from resnet_hls.passes import PassManager
from resnet_hls.project.manifest import Port
from resnet_hls.project.tools import Design, tool_files
from resnet_hls.resources import library_folder
from resnet_hls.simulate.jit import Jit
from resnet_hls.simulate.verify import quantize

HERE = Path(__file__).parent
SCHEDULE = "hls-balance,hls-unroll-loops,hls-place-memories,hls-pipeline-loops,hls-size-fifos,verify-scheduled"


@dataclass(frozen=True)
class OnBoard:
    """A project with a bitstream, of sorts: `library` is what the board does.

    Attributes:
        images, expected: integers, and what must come out for them.
    """

    folder: Path
    library: Path
    design: Design
    images: np.ndarray[Any, Any]
    expected: np.ndarray[Any, Any]


def _module(file: str) -> ir.Module:
    """An example of the emitter's tests, scheduled where it is not yet."""
    module = ir.Module.parse((HERE.parent / "emit" / file).read_text(), make_context())
    if "hls.depth" not in str(module):
        with module.context:
            PassManager.parse(f"builtin.module({SCHEDULE})").run(module)
    return module


@pytest.fixture(
    scope="module",
    params=[
        # Frames of which the last rows run with the next one's first; one element a beat.
        ("overlap-task.mlir", Port((4, 1, 2), 0.25, True), Port((4, 1, 2), 0.5, True, zero_point=3)),
        # Weights in UltraRAM; two elements in a beat, three in one of four bytes.
        ("loaded-weights.mlir", Port((1, 10, 4), 0.0078125, True, -100, 100), Port((10, 6), 1.0, True)),
    ],
    ids=["overlapping frames", "loaded weights"],
)
def on_board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OnBoard:
    file, source, sink = request.param
    module = _module(file)
    images = np.random.default_rng(1).integers(*source.range, (11, *source.shape), endpoint=True).astype(np.int8)
    shape = ir.FunctionType(
        ir.TypeAttr(module.body.operations[len(module.body.operations) - 1].attributes["function_type"]).value
    ).inputs[0]
    expected = Jit(module.operation, optimize=0).run(images.reshape(len(images), *ir.MemRefType(shape).shape))
    expected = expected.reshape(len(images), *sink.shape)
    folder = tmp_path_factory.mktemp("board") / "project"
    write_project(Compiled(module, images, expected.reshape(len(images), -1)), folder)
    name = emit.dataflow_graph(module).name
    words = emit.port_words(module)
    beats = len(emit.weights_image(module)) // 8
    design = Design(name, boards.load("kv260"), (source, words[0]), (sink, words[1]), beats)
    for path, text in tool_files(design).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    for suffix in ("bit", "hwh"):
        (folder / f"pynq/{name}.{suffix}").write_text("")
    library = folder / "board.so"
    flags = [f"-DNAME={name}", f'-DHEADER="{name}.h"', *(["-DWEIGHTS"] if beats else [])]
    command = ["g++", "-std=c++14", "-O1", "-w", "-shared", "-fPIC", *flags]
    command += ["-I", str(folder / "src"), "-I", str(library_folder("csim"))]
    sources = [HERE / "board.cpp", *sorted((folder / "src").glob("*.cpp"))]
    subprocess.run([*command, *map(str, sources), "-o", str(library)], check=True)
    return OnBoard(folder, library, design, images, expected)


@pytest.fixture
def pynq(on_board: OnBoard, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The stand-in, freshly imported, with the board behind it."""
    monkeypatch.setenv("RESNET_HLS_BOARD", str(on_board.library))
    monkeypatch.syspath_prepend(str(HERE / "stand_in"))
    monkeypatch.delitem(sys.modules, "pynq", raising=False)
    import pynq  # type: ignore[import-not-found, unused-ignore]

    yield pynq
    sys.modules.pop("pynq", None)


def driver_of(folder: Path) -> Any:
    """The module driver.py of a project."""
    spec = importlib.util.spec_from_file_location("driver", folder / "pynq/driver.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("batch", [1, 3, 4, 100])
def test_integers(on_board: OnBoard, pynq: Any, batch: int) -> None:
    """Eleven images in eleven calls, in four with a short last one, in three, in one: the same integers."""
    accelerator = driver_of(on_board.folder).Accelerator(batch=batch)
    got, profile = accelerator.run(on_board.images, profile=True)
    np.testing.assert_array_equal(got, on_board.expected)
    assert got.dtype == np.int8
    load = [0] if on_board.design.weights_beats else []
    assert pynq.calls == [*load, *(min(batch, 11 - first) for first in range(0, 11, batch))]
    assert profile["frames"] == 11
    assert 0 < profile["accelerator_seconds"] < profile["seconds"]
    assert profile["fps"] == 11 / profile["seconds"]
    np.testing.assert_array_equal(accelerator.run(on_board.images[::-1]), on_board.expected[::-1])
    assert len(accelerator.run(on_board.images[:0])) == 0


def test_floats(on_board: OnBoard, pynq: Any) -> None:
    """Real images become the integers of the model's quantizer, and its integers real outputs."""
    source, sink = on_board.design.input[0], on_board.design.output[0]
    accelerator = driver_of(on_board.folder).Accelerator(batch=4)
    noise = np.random.default_rng(2).uniform(-0.49, 0.49, on_board.images.shape)
    images = ((on_board.images + noise) * source.scale).astype(np.float32)
    logits, profile = accelerator.predict(images, profile=True)
    np.testing.assert_array_equal(logits, sink.to_real(on_board.expected))
    assert logits.dtype == np.float32
    assert profile["accelerator_fps"] >= profile["fps"] > 0
    # Ties, and what lies outside the range, as the reference has it.
    edges = np.linspace(-2, 2, images[0].size, dtype=np.float32).reshape(1, *source.shape) * np.float32(99.5)
    np.testing.assert_array_equal(
        accelerator.input.quantize(edges * source.scale), quantize(edges * source.scale, source)
    )
    np.testing.assert_array_equal(
        accelerator.predict(edges * source.scale), sink.to_real(accelerator.run(quantize(edges * source.scale, source)))
    )


def test_weights_are_loaded_once(on_board: OnBoard, pynq: Any) -> None:
    """With the bitstream; not when it is there already, and again with it."""
    driver = driver_of(on_board.folder)
    driver.Accelerator()
    again = driver.Accelerator(download=False)
    np.testing.assert_array_equal(again.run(on_board.images), on_board.expected)
    fresh = driver.Accelerator()
    np.testing.assert_array_equal(fresh.run(on_board.images), on_board.expected)
    assert pynq.loads == [f"{on_board.design.name}.bit"] * 2
    assert pynq.calls == ([0, 11, 0, 11] if on_board.design.weights_beats else [11, 11])
    fresh.close()


def test_wrong_images(on_board: OnBoard, pynq: Any) -> None:
    accelerator = driver_of(on_board.folder).Accelerator()
    real = on_board.images.astype(np.float32)
    with pytest.raises(TypeError, match="expected floats as the model takes them; run\\(\\) takes integers"):
        accelerator.predict(on_board.images)
    with pytest.raises(TypeError, match="images are float32, expected int8; predict\\(\\) takes floats"):
        accelerator.run(real)
    with pytest.raises(ValueError, match=r"expected \(N, .*\): channels last"):
        accelerator.predict(real[:, :, :, :1])
    real[0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        accelerator.predict(real)
    if on_board.design.input[0].greatest == 100:
        with pytest.raises(ValueError, match="integers beyond \\[-100, 100\\]"):
            accelerator.run(np.full_like(on_board.images, 101))


def test_a_board_that_hangs(on_board: OnBoard, pynq: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that does not end is given up, where PYNQ would wait forever."""
    accelerator = driver_of(on_board.folder).Accelerator(timeout=0.05)
    monkeypatch.setattr(pynq.Board, "go_on", lambda board: None)
    with pytest.raises(RuntimeError, match=r"the accelerator did not take its images within 0\.05 s; load it again"):
        accelerator.run(on_board.images)


def test_missing_files(on_board: OnBoard, pynq: Any, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(on_board.folder, folder)
    driver = driver_of(folder)
    name = on_board.design.name
    if on_board.design.weights_beats:
        (folder / "data/weights.bin").write_bytes(b"0" * 8)
        with pytest.raises(ValueError, match=r"weights\.bin has 8 bytes, not those of this accelerator's weights"):
            driver.Accelerator()
        (folder / "data/weights.bin").unlink()
        with pytest.raises(FileNotFoundError, match=r"weights\.bin is not in"):
            driver.Accelerator()
    (folder / f"pynq/{name}.hwh").unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name}\.hwh is not in"):
        driver.Accelerator()


def test_check(on_board: OnBoard) -> None:
    """`driver.py ../tb` as on the board, and what it says when something is wrong."""
    folder = on_board.folder / "pynq"
    environment = {"PYTHONPATH": str(HERE / "stand_in"), "RESNET_HLS_BOARD": str(on_board.library)}
    command = [sys.executable, "driver.py"]
    done = subprocess.run([*command, "../tb"], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("driver: 11/11 frames bit-exact; ")
    broken = on_board.folder / "broken"
    shutil.copytree(on_board.folder / "tb", broken, dirs_exist_ok=True)
    expected = bytearray((broken / "expected.bin").read_bytes())
    expected[-1] ^= 1
    (broken / "expected.bin").write_bytes(bytes(expected))
    done = subprocess.run(
        [*command, str(broken)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout[:30]) == (1, "driver: 10/11 frames bit-exact")


def test_bench_as_the_vendor_compiles_it(on_board: OnBoard, tmp_path: Path) -> None:
    """tb/ needs no include path but the tool's own, and finds its files in the folder that the tool copies them to."""
    work = tmp_path / "csim/build"
    work.mkdir(parents=True)
    sources = sorted((on_board.folder / "src").glob("*.cpp"))
    command = ["g++", "-std=c++14", "-w", "-I", str(library_folder("csim")), str(on_board.folder / "tb/testbench.cpp")]
    subprocess.run([*command, *map(str, sources), "-o", str(work / "csim.exe")], cwd=work, check=True)
    text = tool_files(on_board.design)["vitis/hls_config.cfg"]
    names = [line.split("=")[1] for line in text.splitlines() if line.startswith("tb.file=")]
    for name in names:
        shutil.copy(on_board.folder / "vitis" / name, work)
    moved = on_board.folder.rename(on_board.folder.with_name("moved"))
    try:
        done = subprocess.run(["./csim.exe"], cwd=work, capture_output=True, text=True, check=False)
    finally:
        moved.rename(on_board.folder)
    assert (done.returncode, done.stdout) == (0, "testbench: 11/11 frames bit-exact\n"), done.stderr


def test_description(on_board: OnBoard) -> None:
    """What lies in the folder has no path, and says all that the driver needs."""
    content = json.loads((on_board.folder / "pynq/accelerator.json").read_text())
    assert content["bitstream"] == f"{on_board.design.name}.bit"
    assert set(content["input"]) == set(content["output"])
    ast.parse((on_board.folder / "pynq/driver.py").read_text(), feature_version=(3, 8))  # the Python of PYNQ 2.7
    other = replace(on_board.design, board=boards.load("pynq-z2"))
    assert tool_files(other)["pynq/driver.py"] == tool_files(on_board.design)["pynq/driver.py"]
