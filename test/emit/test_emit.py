# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The emitted C++ compiles without warnings, computes the model's integers, and ends with the chosen FIFO depths."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parents[1] / "frontend"))
sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))
from onnx_builders import Net, residual
from small_networks import Compiled, compile_network, write_project

from resnet_hls.analysis.tasks import fifos, stream_name, the_dataflow
from resnet_hls.errors import UserError
from resnet_hls.passes import PassFailure, PassManager
from resnet_hls.resources import library_folder
from resnet_hls.simulate import csim


def layers() -> onnx.ModelProto:
    """Unsigned images, a 5x5 convolution with stride, a depthwise one, pooling, widths that differ, a classifier."""
    net = Net(shape=(1, 3, 9, 9))
    x = net.quant("input", net.input, 2.0**-4, signed=False)
    x = net.node("Relu", "relu", [net.conv("conv", x, 10, 5, stride=2)])
    x = net.quant("conv/quant", x, 2.0**-1, signed=False)
    x = net.quant("depthwise/quant", net.conv("depthwise", x, 10, group=10), 2.0**-1)
    x = net.node("MaxPool", "pool", [x], kernel_shape=[2, 2], strides=[1, 1])
    x = net.quant("average/quant", net.node("GlobalAveragePool", "average", [x]), 2.0**-2)
    return net.model(net.quant("output", net.linear("fc", net.node("Flatten", "flatten", [x]), 6), 2.0**-1))


def joined() -> onnx.ModelProto:
    """An image with two readers, a concatenation, an unsigned result."""
    net = Net(shape=(1, 4, 6, 6))
    x = net.quant("input", net.input, 2.0**-4)
    y = net.quant("a/quant", net.conv("a", x, 4), 2.0**-1)
    z = net.quant("b/quant", net.conv("b", x, 4, 1), 2.0**-1)
    both = net.node("Concat", "concat", [y, z], axis=1)
    net.channels[both] = 8
    x = net.node("Relu", "relu", [net.conv("last", net.quant("concat/quant", both, 2.0**-1), 5, 1)])
    return net.model(net.quant("output", x, 2.0**-1, signed=False))


NETWORKS: dict[str, tuple[Callable[[], onnx.ModelProto], int]] = {
    "layers": (layers, 90),
    "joined": (joined, 30),
    "residual": (lambda: residual(blocks=(2, 1), size=8), 150),
}


@pytest.fixture(scope="module", params=NETWORKS)
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """A network after all passes, each of which left the integers as they were."""
    build, dsp = NETWORKS[request.param]
    return compile_network(build(), tmp_path_factory.mktemp("network"), dsp, count=6)


@pytest.fixture(scope="module")
def project(compiled: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(compiled, tmp_path_factory.mktemp("project") / "project")


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Executables of the tests stay out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_HLS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("headers", ["fast", "xilinx"])
def test_no_warnings(project: Path, compiler: str, headers: str) -> None:
    """-Wall -Wextra have nothing to say about src/, whoever's headers it includes."""
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    if (compiler, headers) == ("clang++", "xilinx"):
        pytest.skip("takes long, and each is compiled with the other")
    try:
        folders = [library_folder("csim")] if headers == "fast" else [csim.xilinx_headers(), library_folder("csim")]
    except UserError as problem:
        pytest.skip(f"needs hls4ml: {problem}")
    # The vendor's default constructors read themselves before they are set; -O0 does not look into them.
    flags = ["-std=c++14", "-O1" if headers == "fast" else "-O0", "-Wall", "-Wextra"]
    version = subprocess.run([compiler, "-dumpversion"], capture_output=True, text=True, check=True).stdout
    if compiler == "g++" and int(version.split(".")[0]) < 13:
        flags.append("-Wno-unknown-pragmas")  # GCC bug 53431: resnet_hls/warnings.h says so
    flags += ["-I", str(project / "src"), *(part for folder in folders for part in ("-isystem", str(folder)))]
    for source in sorted((project / "src").glob("*.cpp")):
        command = [compiler, *flags, "-c", str(source), "-o", "/dev/null"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, ""), source.name


@pytest.mark.parametrize("headers", ["fast", "xilinx"])
def test_results(compiled: Compiled, project: Path, headers: csim.Headers) -> None:
    """The C++ gives the integers of MLIR's own execution."""
    if headers == "xilinx":
        try:
            csim.xilinx_headers()
        except UserError as problem:
            pytest.skip(f"needs hls4ml: {problem}")
    executable = csim.compile_testbench(project, headers=headers, optimize=False)
    np.testing.assert_array_equal(csim.run(executable, compiled.images), compiled.expected)


def test_bounded(compiled: Compiled, project: Path) -> None:
    """With the chosen depths the tasks end, and leave nothing in a stream."""
    executable = csim.compile_testbench(project, headers="bounded", optimize=False)
    np.testing.assert_array_equal(csim.run(executable, compiled.images), compiled.expected)


@pytest.mark.parametrize("headers", ["fast", "bounded"])
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_frames_of_a_call(compiled: Compiled, project: Path, headers: csim.Headers, batch: int) -> None:
    """However many frames a call runs, they are computed as one alone is; some overlap."""
    assert "frame > 0" in (project / "src" / "tasks.cpp").read_text()
    executable = csim.compile_testbench(project, headers=headers, optimize=False)
    got = csim.run(executable, compiled.images, at_once=1, batch=batch)
    np.testing.assert_array_equal(got, compiled.expected)


def test_a_skip_too_shallow(tmp_path: Path) -> None:
    """With less than the skip needs there is a deadlock, and the contract says so beforehand."""
    compiled = compile_network(residual(blocks=(1,), size=8), tmp_path, without=["hls-share-residual-buffer"])
    with compiled.module.context:
        found = {stream_name(f.results[0]): f for f in fifos(the_dataflow(compiled.module.operation))}
        skip = max(found.values(), key=lambda fifo: ir.IntegerAttr(fifo.attributes["depth"]).value)
        skip.attributes["depth"] = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), 4)
        name = stream_name(skip.results[0])
        with pytest.raises(PassFailure, match=rf"deadlock in cycle \d+: .*'{name}'"):
            PassManager.parse("builtin.module(verify-scheduled)").run(compiled.module)
    executable = csim.compile_testbench(
        write_project(compiled, tmp_path / "project"), headers="bounded", optimize=False
    )
    with pytest.raises(UserError, match=name):
        csim.run(executable, compiled.images[:1])


def test_readable(project: Path) -> None:
    """Long statements are wrapped, loops and functions have names, every task says where it comes from."""
    source = (project / "src" / "tasks.cpp").read_text()
    breakable = [line for line in source.splitlines() if len(line) > 120 and not re.search(r"hls::stream<", line)]
    assert not breakable, breakable[0]
    assert len(re.findall(r"^// IR: hls\.task @", source, re.MULTILINE)) == len(re.findall(r"^void ", source, re.M)) - 2
    assert not re.search(r"^ *for \(", source, re.MULTILINE), "every loop has a label"


def test_two_emissions_are_equal(compiled: Compiled, project: Path, tmp_path: Path) -> None:
    again = write_project(compiled, tmp_path / "again")
    for path in sorted((project / "src").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(project)).read_bytes(), path.name
