# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scales that are no powers of two, scales per channel, zero points: exact from the model to the scheduled dataflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_builders import Net, quantize_static, save
from torch_mlir import ir

from resnet_hls import pipelines
from resnet_hls.context import make_context
from resnet_hls.frontend.onnx_import import to_linalg
from resnet_hls.passes import PassManager
from resnet_hls.simulate.jit import Jit
from resnet_hls.simulate.oracle import OnnxOracle


def attribute(module: ir.Module, name: str) -> dict[str, Any]:
    function = next(o.operation for o in module.body.operations if o.operation.name == "func.func")
    given = ir.DictAttr(function.attributes[name])
    return {key: given[key].value for key in ("scale", "signed", "min", "max", "zero_point") if key in given}


def check(path: str, stages: tuple[str, ...], images: int = 16) -> None:
    """The module after these pipelines computes what onnxruntime does, as integers, on random images."""
    imported = to_linalg(path, "network")
    with make_context(), ir.Location.unknown():
        module = ir.Module.parse(imported.text)
        for text in stages:
            PassManager.parse(text).run(module)
        given, result = attribute(module, "hls.input"), attribute(module, "hls.output")
        jit = Jit(module.operation)
    real = np.random.default_rng(5).uniform(-3, 3, (images, *imported.input_shape[1:])).astype(np.float32)
    integers = np.rint(real / np.float32(given["scale"])) + given.get("zero_point", 0)
    integers = np.clip(integers, given["min"], given["max"]).astype(np.int64)
    outputs = jit.run(integers.transpose(0, 2, 3, 1).astype(np.int8)).reshape(images, -1)
    outputs = outputs if result["signed"] else outputs.view(np.uint8)
    reference = OnnxOracle(path).run(real).astype(np.float64) / result["scale"]
    expected = (reference.transpose(0, 2, 3, 1) if reference.ndim == 4 else reference).reshape(images, -1)
    assert np.abs(expected - np.rint(expected)).max() < 2.0**-10
    np.testing.assert_array_equal(outputs.astype(np.int64), np.rint(expected) + result.get("zero_point", 0))
    assert len(np.unique(outputs)) > 4


INTEGER = (pipelines.INTEGER.text({}),)


@pytest.mark.parametrize("per_channel", [False, True], ids=["per-tensor", "per-channel"])
@pytest.mark.parametrize("unsigned", [False, True], ids=["int8", "uint8"])
def test_onnxruntime_quantize_static(tmp_path: Path, per_channel: bool, unsigned: bool) -> None:
    pytest.importorskip("ml_dtypes", reason="onnxruntime.quantization needs ml_dtypes")
    check(quantize_static(tmp_path / "m.onnx", per_channel=per_channel, unsigned=unsigned), INTEGER)


@pytest.mark.parametrize("scales", [[0.011, 0.02, 0.031, 0.04], [2.0**-5, 2.0**-7, 2.0**-6, 2.0**-9], 0.0173])
def test_convolution(tmp_path: Path, scales: Any) -> None:
    net = Net(shape=(1, 4, 8, 8))
    x = net.conv("conv", net.quant("input", net.input, 0.037, zero_point=3), 4, weight_scale=scales)
    check(save(net.model(net.quant("output", x, 0.083, zero_point=-7)), tmp_path / "m.onnx"), INTEGER)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (7, 7), (5, 3), (6, 2), (10, 4)])
def test_averages_of_any_window(tmp_path: Path, kernel: int, stride: int) -> None:
    net = Net(shape=(1, 4, 14, 14))
    x = net.node(
        "AveragePool", "pool", [net.quant("input", net.input)], kernel_shape=[kernel] * 2, strides=[stride] * 2
    )
    check(save(net.model(net.quant("output", x)), tmp_path / "m.onnx"), INTEGER)
