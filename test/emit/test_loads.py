# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights in UltraRAM: they come through a port once, and everything that is computed is of what came."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parents[1] / "frontend"))
sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))
from onnx_builders import residual
from small_networks import Compiled, compile_network, write_project

from resnet_hls import boards
from resnet_hls.analysis.weights import beats, load_cycles, loads_of
from resnet_hls.context import make_context
from resnet_hls.emit import weights_image
from resnet_hls.errors import UserError
from resnet_hls.report.model import build_report
from resnet_hls.report.text import load_line
from resnet_hls.resources import library_folder
from resnet_hls.simulate import csim
from resnet_hls.simulate.jit import Jit


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Executables of the tests stay out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_HLS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """A residual block whose two 3 x 3 convolutions have their weights in UltraRAM."""
    model = residual(blocks=(1,), width=9, size=6)
    return compile_network(model, tmp_path_factory.mktemp("network"), dsp=60, count=6, weights="uram")


@pytest.fixture(scope="module")
def project(compiled: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(compiled, tmp_path_factory.mktemp("project") / "project")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compiled, Path]:
    """The matrix product of loaded-weights.mlir, and its project."""
    module = ir.Module.parse((Path(__file__).parent / "loaded-weights.mlir").read_text(), make_context())
    images = np.random.default_rng(0).integers(-128, 128, (5, 10, 4)).astype(np.int8)
    expected = Jit(module.operation, optimize=0).run(images).reshape(len(images), -1)
    found = Compiled(module, images[:, None], expected)
    return found, write_project(found, tmp_path_factory.mktemp("product") / "project")


@pytest.mark.parametrize("headers", ["bounded", "xilinx"])
def test_with_other_headers(product: tuple[Compiled, Path], headers: csim.Headers) -> None:
    """Streams that block, and the vendor's own integers; calls of one, two and two frames."""
    if headers == "xilinx":
        try:
            csim.xilinx_headers()
        except UserError as problem:
            pytest.skip(f"needs hls4ml: {problem}")
    compiled, project = product
    executable = csim.compile_testbench(project, headers=headers, optimize=False)
    for batch in (1, 2):
        got = csim.run(executable, compiled.images, at_once=1, batch=batch, weights=csim.weights_of(project))
        np.testing.assert_array_equal(got, compiled.expected)


def test_no_warnings(product: tuple[Compiled, Path]) -> None:
    """-Wall -Wextra have nothing to say about the load."""
    flags = ["-std=c++14", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-unknown-pragmas"]
    folders = ["-I", str(product[1] / "src"), "-isystem", str(library_folder("csim"))]
    for source in sorted((product[1] / "src").glob("*.cpp")):
        result = subprocess.run(["g++", *flags, *folders, str(source)], capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, ""), source.name


def test_loaded_once(compiled: Compiled, project: Path) -> None:
    """Three calls after one load give the model's integers."""
    executable = csim.compile_testbench(project, optimize=False)
    weights = csim.weights_of(project)
    got = csim.run(executable, compiled.images, at_once=1, batch=2, weights=weights)
    np.testing.assert_array_equal(got, compiled.expected)
    assert csim.run_bundled(executable, project) == "testbench: 6/6 frames bit-exact"


def test_what_is_loaded_counts(compiled: Compiled, project: Path, tmp_path: Path) -> None:
    """Other weights give other results; too few, or none, an error."""
    executable = csim.compile_testbench(project, optimize=False)
    image = weights_image(compiled.module)
    changed = tmp_path / "weights.bin"
    changed.write_bytes(bytes(byte ^ 0x40 for byte in image))
    got = csim.run(executable, compiled.images, at_once=1, weights=changed)
    assert (got != compiled.expected).any()
    changed.write_bytes(image[:-8])
    with pytest.raises(UserError, match="its size is not that of the weights"):
        csim.run(executable, compiled.images, at_once=1, weights=changed)
    with pytest.raises(UserError, match="--run needs --weights"):
        csim.run(executable, compiled.images, at_once=1)


def test_report(compiled: Compiled) -> None:
    """The load is in the report, with its bytes and cycles; its memories and its port are in the resources."""
    module = compiled.module.operation
    with compiled.module.context:
        loads = loads_of(module)
    report = build_report("network", boards.load("kv260"), module, [])
    assert [load.words * load.lanes for load in loads] == [9 * 9 * 9] * 2
    assert report["load_bytes"] == len(weights_image(compiled.module)) == 8 * sum(load.beats for load in loads)
    assert sum(load.beats for load in loads) < report["load_cycles"] == load_cycles(loads)
    assert report["resources"]["uram"]["used"] == sum(-(-load.lanes * 8 // 72) for load in loads)
    assert (report["provenance"]["load_bytes"], report["provenance"]["load_cycles"]) == ("counted", "modelled")
    assert f"{report['load_bytes']:,} bytes (counted)" in load_line(report)[0]
    assert load_line({**report, "load_bytes": 0}) == []


@pytest.mark.parametrize("width", [3, 5, 8, 16, 32])
def test_beats(width: int) -> None:
    """A word begins with a beat of its own, no lane lies in two, the rest is zero."""
    least, count, lanes = -(2 ** (width - 1)), 3, 13
    elements = np.random.default_rng(width).integers(least, -least, (count, lanes))
    numbers = np.frombuffer(beats(elements, count, width), "<u8").reshape(count, -1).tolist()
    a_beat = 64 // width
    for word, row in zip(numbers, elements.tolist(), strict=True):
        expected = [0] * -(-lanes // a_beat)
        for lane, element in enumerate(row):
            expected[lane // a_beat] |= (element & (2**width - 1)) << width * (lane % a_beat)
        assert word == expected
