# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whatever dialect a model comes in, its canonical form gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_builders import Net, Style, classifier, depthwise, quantize_static, residual, run, save

from resnet_hls.frontend.onnx_model import load
from resnet_hls.simulate.oracle import OnnxOracle

STYLES: tuple[Style, ...] = ("qdq", "qcdq", "qonnx")


def images(shape: tuple[int, ...], count: int = 4, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(0, 1, (count, *shape)).astype(np.float32)


def outputs(path: Path | str) -> Any:
    oracle = OnnxOracle(path)
    return oracle.run(images(oracle.input_shape))


def check_against_source(model: onnx.ModelProto, path: Path) -> None:
    """The canonical form of a QDQ or QCDQ model equals the model itself, run by onnxruntime."""
    save(model, path)
    oracle = OnnxOracle(path)
    inputs = images(oracle.input_shape)
    expected, got = run(model, inputs), oracle.run(inputs)
    assert got.shape == expected.shape
    assert len(np.unique(expected)) > 2, "the network says nothing"
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("build", [residual, classifier, depthwise])
def test_all_dialects_agree(tmp_path: Path, build: Callable[[Style], onnx.ModelProto]) -> None:
    results = [outputs(save(build(style), tmp_path / f"{style}.onnx")) for style in STYLES]
    assert len(np.unique(results[0])) > 4
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    for style in STYLES:
        assert load(tmp_path / f"{style}.onnx").dialect == style.upper()


@pytest.mark.parametrize("style", ["qdq", "qcdq"])
@pytest.mark.parametrize("build", [residual, classifier, depthwise])
def test_equals_source(tmp_path: Path, build: Callable[[Style], onnx.ModelProto], style: Style) -> None:
    check_against_source(build(style), tmp_path / "m.onnx")


def single(signed: bool = True, scale: float = 2.0**-4, zero_point: int = 0, style: Style = "qdq") -> tuple[Net, str]:
    net = Net(style, shape=(1, 4, 8, 8))
    return net, net.quant("input", net.input, scale, signed=signed, zero_point=zero_point)


def _max_pool(net: Net, x: str) -> str:
    return net.conv("conv", net.node("MaxPool", "pool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4), 5)


def _padded(net: Net, x: str) -> str:
    pads = net.constant("pads", [0, 0, 1, 0, 0, 0, 1, 2], np.int64)
    return net.conv("conv", net.node("Pad", "pad", [x, pads]), 5, pads=[0, 1, 0, 1])


def _concat(net: Net, x: str) -> str:
    y = net.quant("y", net.conv("conv", x, 4, 1), 2.0**-3)
    return net.node("Concat", "concat", [x, y], axis=1)


def _flat_network(net: Net, x: str) -> str:
    x = net.linear("fc1", net.node("Flatten", "flatten", [x]), 12, in_features=256, weight_scale=2.0**-9)
    x = net.quant("q1", net.node("Relu", "relu", [x]), 2.0**-2, signed=False)
    return net.linear("fc2", x, 7, transposed=False, weight_scale=2.0**-9)


def _matmul(net: Net, x: str) -> str:
    x = net.node("Reshape", "reshape", [x, net.constant("shape", [1, -1], np.int64)])
    x = net.node("MatMul", "matmul", [x, net.weight("w", (256, 6), 2.0**-9)])
    return net.node("Add", "bias", [x, net.bias("b", 6, 2.0**-13)])


def _view(net: Net, x: str) -> str:
    """What PyTorch exports for x.view(x.size(0), -1)."""
    size = net.node("Gather", "gather", [net.node("Shape", "shape", [x]), net.constant("zero", 0, np.int64)], axis=0)
    size = net.node("Unsqueeze", "unsqueeze", [size, net.constant("axes", [0], np.int64)])
    shape = net.node("Concat", "concat", [size, net.constant("rest", [-1], np.int64)], axis=0)
    return net.linear("fc", net.node("Reshape", "reshape", [x, shape]), 6, in_features=256, weight_scale=2.0**-9)


def _average(**attributes: Any) -> Callable[[Net, str], str]:
    return lambda net, x: net.node("AveragePool", "pool", [x], **attributes)


CONSTRUCTS: dict[str, Callable[[Net, str], str]] = {
    "conv": lambda net, x: net.conv("conv", x, 6),
    "conv-no-bias": lambda net, x: net.conv("conv", x, 6, bias=False),
    "conv-stride": lambda net, x: net.conv("conv", x, 6, stride=2, pads=[0, 0, 1, 1]),
    "conv-dilated": lambda net, x: net.conv("conv", x, 6, dilation=2),
    "conv-grouped": lambda net, x: net.conv("conv", x, 8, group=2),
    "conv-depthwise": lambda net, x: net.conv("conv", x, 4, group=4),
    "conv-4-bit-weights": lambda net, x: net.conv("conv", x, 6, weight_bits=4, weight_scale=2.0**-4),
    "relu": lambda net, x: net.conv("conv", net.node("Relu", "relu", [x]), 6),
    "max-pool-conv": _max_pool,
    "global-max-pool": lambda net, x: net.node("GlobalMaxPool", "pool", [x]),
    "average-pool": _average(kernel_shape=[2, 2], strides=[2, 2]),
    "average-pool-7": _average(kernel_shape=[7, 7], strides=[1, 1]),
    "average-pool-padded": _average(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, count_include_pad=1),
    "reduce-mean": lambda net, x: net.node("ReduceMean", "mean", [x], axes=[2, 3], keepdims=0),
    "pad": _padded,
    "concat": _concat,
    "add-accumulators": lambda net, x: net.node("Add", "add", [net.conv("a", x, 4), net.conv("b", x, 4, 1)]),
    "linear-layers": _flat_network,
    "matmul": _matmul,
    "view": _view,
    "identity": lambda net, x: net.conv("conv", net.node("Dropout", "drop", [net.node("Identity", "id", [x])]), 4),
}


@pytest.mark.parametrize("signed", [True, False], ids=["int8", "uint8"])
@pytest.mark.parametrize("name", CONSTRUCTS)
def test_construct(tmp_path: Path, name: str, signed: bool) -> None:
    net, x = single(signed)
    check_against_source(net.model(net.quant("output", CONSTRUCTS[name](net, x))), tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("bits", "signed", "narrow"), [(4, False, False), (4, True, False), (8, True, True), (3, True, True)]
)
def test_small_ranges_are_kept(tmp_path: Path, bits: int, signed: bool, narrow: bool) -> None:
    results = []
    for style in STYLES[1:]:
        net, x = single(style=style)
        x = net.quant("small", net.conv("conv", x, 4), 2.0**-2, bits=bits, signed=signed, narrow=narrow)
        model = net.model(net.quant("output", net.conv("conv2", x, 4), 2.0**-2))
        if style == "qcdq":
            check_against_source(model, tmp_path / "qcdq.onnx")
        results.append(outputs(save(model, tmp_path / "m.onnx")))
    np.testing.assert_array_equal(*results)


def test_relu6_becomes_a_range(tmp_path: Path) -> None:
    model = load(save(depthwise(), tmp_path / "m.onnx"))
    grids = [node.grid for node in model.graph.nodes if node.name.startswith("relu6")]
    assert [(grid.low, grid.high) for grid in grids if grid] == [(0, 96)]


def test_integer_ops_between_quantize_and_dequantize(tmp_path: Path) -> None:
    net = Net()
    scale, zero = net.constant("s", 2.0**-5, np.float32), net.constant("z", 0, np.uint8)
    x = net.node("QuantizeLinear", "q", [net.input, scale, zero])
    x = net.node("Flatten", "flatten", [net.node("MaxPool", "pool", [x], kernel_shape=[2, 2], strides=[2, 2])])
    check_against_source(net.model(net.node("DequantizeLinear", "dq", [x, scale, zero])), tmp_path / "m.onnx")


@pytest.mark.parametrize("zero_point", [0, 5])
@pytest.mark.parametrize("signed", [True, False], ids=["int8", "uint8"])
def test_scales_that_are_no_power_of_two(tmp_path: Path, signed: bool, zero_point: int) -> None:
    net, x = single(signed, 0.037, zero_point)
    x = net.conv("conv", net.node("Relu", "relu", [x]), 6, weight_scale=0.011 * np.arange(1, 7))
    model = net.model(net.quant("output", x, 0.083, zero_point=-3))
    path = save(model, tmp_path / "m.onnx")
    inputs = images((4, 8, 8))
    steps = (OnnxOracle(path).run(inputs) - run(model, inputs)) / 0.083
    assert np.abs(steps).max() <= 1.001, "float sums in the source may round to the neighbour"
    assert (np.abs(steps) > 0.5).mean() < 1e-3


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("unsigned", [False, True])
def test_onnxruntime_quantize_static(tmp_path: Path, per_channel: bool, unsigned: bool) -> None:
    pytest.importorskip("ml_dtypes", reason="onnxruntime.quantization needs ml_dtypes")
    path = quantize_static(tmp_path / "m.onnx", per_channel=per_channel, unsigned=unsigned)
    oracle = OnnxOracle(path)
    inputs = np.random.default_rng(3).random((16, 3, 16, 16), np.float32)
    got, expected = oracle.run(inputs), run(path, inputs)
    scale = next(node.grid.scale for node in reversed(oracle.model.graph.nodes) if node.grid)
    assert np.abs((got - expected) / scale).max() <= 1.001
    assert (got == expected).mean() > 0.9
    assert oracle.model.dialect == "QDQ"


def test_float_bias_is_quantized_and_said(tmp_path: Path) -> None:
    net, x = single()
    bias = net.constant("bias", [0.1, -0.2, 0.3, 0.4], np.float32)
    x = net.node("Conv", "conv", [x, net.weight("w", (4, 4, 1, 1), 2.0**-7), bias], kernel_shape=[1, 1])
    model = load(save(net.model(net.quant("output", x)), tmp_path / "m.onnx"))
    assert len(model.notes) == 1
    assert model.notes[0].startswith("conv: bias is no quantized tensor: rounded to int32")
    layer = next(node for node in model.graph.nodes if node.op == "Conv")
    assert layer.bias is not None
    assert layer.bias.values.tolist() == [round(v * 2**11) for v in (0.1, -0.2, 0.3, 0.4)]


def test_coarse_bias_is_exact(tmp_path: Path) -> None:
    net, x = single()
    w, b = net.weight("w", (4, 4, 1, 1), 2.0**-7), net.bias("b", 4, 2.0**-6)
    model = net.model(net.quant("output", net.node("Conv", "conv", [x, w, b], kernel_shape=[1, 1]), 2.0**-1))
    check_against_source(model, tmp_path / "m.onnx")
    assert load(tmp_path / "m.onnx").notes == ()


def test_every_reader_has_a_dequantize_of_its_own(tmp_path: Path) -> None:
    proto = load(save(residual(), tmp_path / "m.onnx")).proto
    users: dict[str, int] = {}
    for node in proto.graph.node:
        for name in node.input:
            users[name] = users.get(name, 0) + 1
    dequantized = [node.output[0] for node in proto.graph.node if node.op_type == "DequantizeLinear"]
    assert dequantized
    assert all(users.get(name, 0) <= 1 for name in dequantized)
    onnx.checker.check_model(proto, full_check=True)


def test_input_quantizers_of_one_kind_are_one(tmp_path: Path) -> None:
    net = Net(shape=(1, 4, 8, 8))
    a, b = (net.conv(f"conv{i}", net.quant(f"input{i}", net.input), 4) for i in range(2))
    model = load(save(net.model(net.quant("output", net.node("Add", "add", [a, b]))), tmp_path / "m.onnx"))
    assert [node.name for node in model.graph.nodes if model.graph.input in node.inputs] == ["input0/QuantizeLinear"]


def test_batch_may_be_symbolic(tmp_path: Path) -> None:
    net = Net(shape=("batch", 3, 16, 16))
    model = load(
        save(net.model(net.quant("output", net.conv("conv", net.quant("in", net.input), 4))), tmp_path / "m.onnx")
    )
    assert model.input_shape == (1, 3, 16, 16)


def test_external_data(tmp_path: Path) -> None:
    model = residual()
    expected = outputs(save(model, tmp_path / "m.onnx"))
    onnx.save(model, str(tmp_path / "e.onnx"), save_as_external_data=True, location="weights.bin", size_threshold=64)
    assert (tmp_path / "weights.bin").stat().st_size
    np.testing.assert_array_equal(outputs(tmp_path / "e.onnx"), expected)
