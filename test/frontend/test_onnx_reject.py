# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What cannot be built is rejected by name, with a way out, in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_builders import Net, float_network, residual, save

from resnet_hls.errors import UserError
from resnet_hls.frontend.onnx_model import load


def rejected(path: Path | str, *, where: str = "", what: str, help: str = "") -> UserError:
    """Loads, and expects an error of one line with all three parts."""
    with pytest.raises(UserError) as caught:
        load(path)
    error = caught.value
    assert what in error.message
    assert "\n" not in f"{error}{error.help}"
    assert error.where.startswith(str(path))
    assert where in error.where
    assert error.help
    assert help in error.help
    assert error.status == 1
    return error


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_missing_file(tmp_path: Path) -> None:
    rejected(tmp_path / "none.onnx", what="no such file")


def test_folder(tmp_path: Path) -> None:
    rejected(tmp_path, what="is a folder")


@pytest.mark.parametrize("data", [b"PK\x03\x04" + bytes(100), b"hello, world", b"\x80\x05" * 40])
def test_not_onnx(tmp_path: Path, data: bytes) -> None:
    rejected(write(tmp_path / "m.onnx", data), what="is no ONNX model")


def test_empty(tmp_path: Path) -> None:
    rejected(write(tmp_path / "m.onnx", b""), what="is empty")


def test_truncated(tmp_path: Path) -> None:
    data = residual().SerializeToString()
    rejected(write(tmp_path / "m.onnx", data[: len(data) // 2]), what="truncated")


def test_external_data_missing(tmp_path: Path) -> None:
    path = str(tmp_path / "m.onnx")
    onnx.save(residual(), path, save_as_external_data=True, location="weights.bin", size_threshold=64)
    (tmp_path / "weights.bin").unlink()
    rejected(path, what="is in weights.bin, which cannot be read", help="put weights.bin beside m.onnx")


def test_float_model(tmp_path: Path) -> None:
    rejected(save(float_network(), tmp_path / "m.onnx"), what="has no quantizers", help="quantize_static")


Change = Callable[[onnx.ModelProto], Any]


def _second_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1]))


def _second_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("stem/conv_out", TensorProto.FLOAT, None))


def _dim(model: onnx.ModelProto, number: int) -> Any:
    return model.graph.input[0].type.tensor_type.shape.dim[number]


def _opset(model: onnx.ModelProto) -> None:
    del model.opset_import[:]


OUTSIDE: dict[str, tuple[Change, str, str]] = {
    "inputs": (_second_input, "has 2 inputs (image, mask)", "one input"),
    "outputs": (_second_output, "has 2 outputs (fc/quant", "one output"),
    "height": (lambda m: setattr(_dim(m, 2), "dim_param", "height"), "dimension 2 is dynamic (height)", "fixed image"),
    "unknown": (lambda m: _dim(m, 3).Clear(), "input image: dimension 3 is dynamic", "fixed image size"),
    "batch": (lambda m: setattr(_dim(m, 0), "dim_value", 4), "has batch size 4", "batch size 1"),
    "shape": (lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"), "has no shape", "1x3x32x32"),
    "type": (lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", 2), "is UINT8, not FLOAT", "float"),
    "opset": (_opset, "names no ONNX operator set", "export"),
    "new-opset": (lambda m: setattr(m.opset_import[0], "version", 99), "operator set 99; 7 to 23", "opset_version=13"),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_outside(tmp_path: Path, name: str) -> None:
    change, what, help = OUTSIDE[name]
    model = residual()
    change(model)
    rejected(save(model, tmp_path / "m.onnx"), what=what, help=help)


def _op(op: str, **attributes: Any) -> Callable[[Net, str], str]:
    return lambda net, x: net.node(op, "culprit", [x], **attributes)


def _constant_op(op: str) -> Callable[[Net, str], str]:
    return lambda net, x: net.node(op, "culprit", [x, net.constant("c", [2.0], np.float32)])


def _batch_norm(net: Net, x: str) -> str:
    parts = [net.constant(name, np.ones(4), np.float32) for name in ("gamma", "beta", "mean", "variance")]
    return net.node("BatchNormalization", "culprit", [net.conv("conv", x, 4), *parts])


def _float_weight(net: Net, x: str) -> str:
    return net.node("Conv", "culprit", [x, net.constant("w", np.ones((4, 4, 1, 1)), np.float32)])


def _wide_weight(net: Net, x: str) -> str:
    w = net.constant("w", np.full((4, 4, 1, 1), 300.0), np.float32)
    parts = [net.constant(f"w{i}", value, np.float32) for i, value in enumerate((1.0, 0.0, 16.0))]
    return net.node("Conv", "culprit", [x, net.node("Quant", "wq", [w, *parts], signed=1, narrow=0)])


def _unquantized_between(net: Net, x: str) -> str:
    y = net.conv("conv", x, 4)
    net.scales[y] = net.scales[x]
    return net.conv("culprit", y, 4)


def _computed_weight(net: Net, x: str) -> str:
    return net.node("Conv", "culprit", [x, x])


def _broadcast(net: Net, x: str) -> str:
    return net.node("Add", "culprit", [x, net.node("GlobalMaxPool", "pool", [x])])


def _clip_before_add(net: Net, x: str) -> str:
    bounds = [net.constant("low", 0.0, np.float32), net.constant("high", 6.0, np.float32)]
    return net.node("Add", "add", [net.node("Clip", "culprit", [x, *bounds]), x])


def _edge_pad(net: Net, x: str) -> str:
    return net.conv(
        "conv", net.node("Pad", "culprit", [x, net.constant("p", [0, 0, 1, 1] * 2, np.int64)], mode="edge"), 4
    )


def _pad_before_add(net: Net, x: str) -> str:
    y = net.node("Pad", "pad", [x, net.constant("p", [0, 0, 1, 1] * 2, np.int64)])
    return net.node("Relu", "culprit", [y])


def _reshape(net: Net, x: str) -> str:
    return net.node("Reshape", "culprit", [x, net.constant("s", [1, 16, 4, 4], np.int64)])


def _input_channel_scales(net: Net, x: str) -> str:
    w = net.weight("w", (4, 4, 1, 1), [0.1, 0.2, 0.3, 0.4], axis=1)
    return net.node("Conv", "culprit", [x, w])


def _quant(**options: Any) -> Callable[[Net, str], str]:
    return lambda net, x: net.quant("culprit", net.conv("conv", x, 4), **options)


def _other_scale(net: Net, x: str) -> str:
    scale, other = net.constant("s", 0.5, np.float32), net.constant("t", 0.25, np.float32)
    zero = net.constant("z", 0, np.int8)
    return net.node("DequantizeLinear", "culprit", [net.node("QuantizeLinear", "q", [x, scale, zero]), other, zero])


def _two_inputs(net: Net, x: str) -> str:
    return net.node("Add", "add", [x, net.quant("culprit", net.input, 2.0**-3)])


def _float_input(net: Net, x: str) -> str:
    return net.node("Add", "culprit", [x, net.input])


def _operator_format(net: Net, x: str) -> str:
    return net.node("QLinearConv", "culprit", [x] * 8)


NODES: dict[str, tuple[Callable[[Net, str], str], str, str]] = {
    "sigmoid": (_op("Sigmoid"), "Sigmoid is not supported", "ReLU"),
    "conv-transpose": (_op("ConvTranspose"), "ConvTranspose is not supported", "supported operations: Conv"),
    "softmax": (_op("Softmax"), "Softmax is not supported", "host"),
    "mul": (_constant_op("Mul"), "Mul is not supported", "fold the factor"),
    "add-constant": (_constant_op("Add"), "adds a constant to an activation", "bias"),
    "batch-norm": (
        _batch_norm,
        "BatchNormalization is not supported",
        "fold it into the convolution before quantizing",
    ),
    "bipolar": (_op("BipolarQuant"), "BipolarQuant is not supported", "2 bits"),
    "trunc": (_op("Trunc"), "Trunc is not supported", "AveragePool"),
    "operator-format": (_operator_format, "QLinearConv is not supported", "QuantFormat.QDQ"),
    "dynamic": (_op("DynamicQuantizeLinear"), "DynamicQuantizeLinear is not supported", "statically"),
    "float-weight": (_float_weight, "weight w is not quantized", "quantize the weights"),
    "wide-weight": (_wide_weight, "weights need more than 8 bits (300 to 300)", "int8"),
    "computed-weight": (_computed_weight, "is computed, not constant", "constant weights"),
    "unquantized": (_unquantized_between, "Conv reads an activation that is not quantized", "quantize the activation"),
    "broadcast": (_broadcast, "adds 1x4x8x8 and 1x4x1x1", "one shape"),
    "clip": (_clip_before_add, "Clip to 0…6 is read by something other than a quantizer", "quantize the activation"),
    "edge-pad": (_edge_pad, "Pad in mode edge", "pad with zeros"),
    "pad": (_pad_before_add, "Pad before Relu is not supported", "use the pads"),
    "reshape": (_reshape, "reshapes (1, 4, 8, 8) to (1, 16, 4, 4)", "Flatten"),
    "transpose": (_op("Transpose", perm=[0, 2, 3, 1]), "Transpose by [0, 2, 3, 1] is not supported", "NCHW"),
    "input-channels": (_input_channel_scales, "has weight scales per input channel", "per output channel"),
    "rounding": (_quant(rounding="FLOOR"), "rounding mode FLOOR is not supported", "half to even"),
    "wide-activation": (_quant(bits=16), "quantizes an activation to 16 bits", "8 bits"),
    "bits": (_quant(bits=2.5), "has bit width 2.5, which is no integer", "integer bit width"),
    "scale": (_quant(scale=0.0), "has scale 0", "positive scales"),
    "nan": (_quant(scale=float("nan")), "has scale nan", "positive scales"),
    "channels": (_quant(scale=np.reshape([0.1, 0.2, 0.3, 0.4], (1, 4, 1, 1))), "a scale per channel", "per tensor"),
    "zero-point": (_quant(zero_point=0.5), "has zero point 0.5, which is no integer", "integer"),
    "zero-range": (_quant(zero_point=300), "zero point 300 is outside -128 to 127", "range"),
    "other-scale": (
        _other_scale,
        "dequantizes with scale 0.25, zero point 0, what was quantized with 0.5",
        "one scale",
    ),
    "two-inputs": (_two_inputs, "quantizes the input image differently from input", "once"),
    "float-input": (_float_input, "Add reads the input image, which is not quantized", "quantize the image first"),
    "average-pads": (
        _op("AveragePool", kernel_shape=[3, 3], pads=[1] * 4),
        "AveragePool divides by fewer pixels at the border",
        "count_include_pad=1",
    ),
    "ceil": (_op("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), "ceil_mode=1", "ceil_mode=0"),
    "dilated-pool": (_op("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]), "has dilations", "without dilations"),
    "mean": (_op("ReduceMean", axes=[1]), "ReduceMean over axes [1]", "height and width"),
    "kernel": (_op("MaxPool", kernel_shape=[20, 20]), "the result would have shape 1x4x0x0", "check kernel"),
    "malformed": (_op("MaxPool"), "MaxPool is malformed", "onnx.checker"),
}


@pytest.mark.parametrize("name", NODES)
def test_node(tmp_path: Path, name: str) -> None:
    build, what, help = NODES[name]
    net = Net("qonnx", shape=(1, 4, 8, 8))
    x = build(net, net.quant("input", net.input))
    net.channels.setdefault(x, 4)
    model = net.model(net.quant("output", x, 2.0**-2))
    rejected(save(model, tmp_path / "m.onnx"), where="culprit", what=what, help=help)


def test_unquantized_output(tmp_path: Path) -> None:
    net = Net()
    x = net.conv("last", net.quant("input", net.input), 4)
    path = save(net.model(x), tmp_path / "m.onnx")
    rejected(path, where="last", what="the output last_out of the model is not quantized", help="output_quant")


def test_undefined_value(tmp_path: Path) -> None:
    model = residual()
    model.graph.node[10].input[0] = "nowhere"
    rejected(save(model, tmp_path / "m.onnx"), what="reads nowhere, which no node before it produces")


def test_damaged_constant(tmp_path: Path) -> None:
    model = residual()
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "stem/conv.weight/int")
    tensor.raw_data = tensor.raw_data[:-3]
    rejected(save(model, tmp_path / "m.onnx"), where="stem/conv.weight/int", what="this constant is damaged")


def test_missing_domain(tmp_path: Path) -> None:
    model = residual("qonnx")
    del model.opset_import[1]
    rejected(
        save(model, tmp_path / "m.onnx"), what="no version of the operator set qonnx.custom_op.general, which Quant"
    )


def test_wrong_weight_shape(tmp_path: Path) -> None:
    model = residual()
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "stem/conv.weight/int")
    tensor.CopyFrom(numpy_helper.from_array(np.zeros((4, 5, 3, 3), np.int8), tensor.name))
    rejected(save(model, tmp_path / "m.onnx"), where="stem/conv", what="does not fit 3 input channels")


def test_more_problems_are_counted(tmp_path: Path) -> None:
    net = Net(shape=(1, 4, 8, 8))
    x = net.quant("input", net.input)
    y = net.node("Add", "add", [net.node("Sigmoid", "s1", [x]), net.node("Tanh", "s2", [x])])
    error = rejected(save(net.model(net.quant("o", y)), tmp_path / "m.onnx"), where="s1", what="Sigmoid")
    assert "lists 1 more" in error.help
