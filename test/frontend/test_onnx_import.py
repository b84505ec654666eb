# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Importing in a process of its own: what arrives as linalg, where it comes from, and what a crash looks like."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_builders import Net, Style, classifier, depthwise, residual, save
from torch_mlir import ir

from resnet_hls.errors import UserError
from resnet_hls.frontend import onnx_import, sources
from resnet_hls.frontend.onnx_import import ImportedModule, start_import, to_linalg


def assembly(imported: ImportedModule, *, locations: bool = False) -> str:
    with ir.Context():
        module = ir.Module.parse(imported.text)
        module.operation.verify()
        return str(module.operation.get_asm(large_elements_limit=8, enable_debug_info=locations))


def imported(tmp_path: Path, model: Any, name: str = "network") -> ImportedModule:
    return to_linalg(save(model, tmp_path / "m.onnx"), name)


@pytest.mark.parametrize("style", ["qdq", "qcdq", "qonnx"])
def test_residual(tmp_path: Path, style: Style) -> None:
    module = imported(tmp_path, residual(style), "tiny")
    text = assembly(module)
    assert "func.func @tiny(%arg0: tensor<1x3x16x16xf32>) -> tensor<1x10x1x1xf32>" in text
    assert text.count("linalg.conv_2d_nchw_fchw_q") == 7
    assert "linalg.conv_2d_nchw_fchw " not in text
    assert (module.input, module.input_shape, module.output_shape) == ("image", (1, 3, 16, 16), (1, 10, 1, 1))
    assert module.dialect == style.upper()


def test_fully_connected_layer_is_a_convolution(tmp_path: Path) -> None:
    module = imported(tmp_path, classifier())
    text = assembly(module)
    assert "matmul" not in text
    assert "collapse_shape" not in text
    assert "-> tensor<1x10x1x1xf32>" in text
    assert module.output_shape == (1, 10)


def test_depthwise(tmp_path: Path) -> None:
    assert assembly(imported(tmp_path, depthwise())).count("linalg.depthwise_conv_2d_nhwc_hwc_q") == 1


def test_scales_per_channel_keep_integer_convolutions(tmp_path: Path) -> None:
    net = Net(shape=(1, 4, 8, 8))
    x = net.quant("input", net.input, 0.037, signed=False, zero_point=3)
    x = net.conv("conv", x, 3, weight_scale=[0.01, 0.02, 0.03])
    module = imported(tmp_path, net.model(net.quant("output", x, 0.05)))
    text = assembly(module)
    assert text.count("linalg.conv_2d_nchw_fchw_q") == 1
    assert "tensor<1x3x1x1xf32>" in text


def test_locations_are_source_nodes(tmp_path: Path) -> None:
    module = imported(tmp_path, residual("qonnx"))
    found = set(re.findall(r'loc\("([^"]+)"', assembly(module, locations=True)))
    assert {"stem/conv", "layer2/0/downsample", "layer1/0/add", "layer1/0/relu1/quant"} <= found
    assert found - {module.input, "graph:network"} <= set(module.source_nodes)


def test_user_errors_come_through(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file") as caught:
        to_linalg(tmp_path / "none.onnx", "network")
    assert caught.value.help == "check the path"


def test_name_must_be_an_identifier() -> None:
    with pytest.raises(ValueError, match="'2x' is no C identifier"):
        start_import("m.onnx", "2x")


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV"),
        ("raise RuntimeError('lost')", "status 1 (RuntimeError: lost)"),
        ("pass", "status 0"),
    ],
)
def test_a_crash_is_one_line(monkeypatch: pytest.MonkeyPatch, program: str, ending: str) -> None:
    start = subprocess.Popen

    def crashing(arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return start([sys.executable, "-c", program], **options)

    monkeypatch.setattr(onnx_import.subprocess, "Popen", crashing)
    with pytest.raises(UserError) as caught:
        to_linalg("m.onnx", "network")
    assert str(caught.value) == f"m.onnx: the importer (torch-mlir) ended with {ending}"
    assert "doctor" in caught.value.help


def test_cancel_stops_the_process(tmp_path: Path) -> None:
    with start_import(save(residual(), tmp_path / "m.onnx"), "network") as handle:
        process = handle._process
    assert process.returncode is not None


def test_importing_needs_no_torch(tmp_path: Path) -> None:
    path = save(residual(), tmp_path / "m.onnx")
    program = f"""
import sys
from resnet_hls.frontend import _worker
header, bytecode = _worker.run({path!r}, "network")
assert "error" not in header and bytecode[:4] == b"ML\\xefR", header
assert "torch" not in sys.modules, "importing torch takes seconds"
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_resnet20_has_its_convolutions(resnet20_onnx: Path) -> None:
    assert assembly(to_linalg(resnet20_onnx, "resnet20")).count("linalg.conv_2d_nchw_fchw_q") == 22


def test_bytecode_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = (imported(tmp_path, residual()).text for _ in range(2))
    assert np.array_equal(np.frombuffer(first, np.uint8), np.frombuffer(second, np.uint8))


def test_a_file_that_changes_while_it_is_built(tmp_path: Path) -> None:
    """Several processes read it: what they read may be of two models."""
    path = Path(save(classifier(), tmp_path / "m.onnx"))
    with sources.find(path) as source:
        assert source.hashes().keys() == {"model"}
        path.write_bytes(path.read_bytes() + b"\x08")
        with pytest.raises(UserError, match="has changed since it was read"):
            source.hashes()
