# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Handlers for the layers: convolution, matrix product, addition, activation, concatenation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx

from resnet_hls.frontend.onnx_graph import Array, Node, Parameter, Shape
from resnet_hls.frontend.onnx_parse import Operand, Padded, Parser, Rejected, Value

_WEIGHT = "quantize the weights too (Quant, or int8 constants with DequantizeLinear)"
_OUTPUT_CHANNELS = "use one weight scale per tensor or per output channel"


def conv(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """A 2-D convolution; zeros added by a Pad before it become its own padding."""
    operand = parser.operand(node, 0)
    padded = operand if isinstance(operand, Padded) else None
    value = padded.inner if padded and isinstance(padded.inner, Value) else parser.value(node)
    weight = _weight(parser, node)
    shape = parser.shape(value)
    kernel = weight.values.shape[2:]
    if weight.values.ndim != 4 or len(shape) != 4:
        raise Rejected(f"is a {weight.values.ndim - 2}-D convolution", "only 2-D convolutions are supported")
    if weight.grid.per_channel and weight.axis != 0:
        raise Rejected("has weight scales per input channel", _OUTPUT_CHANNELS)
    group = int(attrs.get("group", 1))
    if group < 1 or shape[1] != weight.values.shape[1] * group or weight.values.shape[0] % group:
        raise Rejected(
            f"weight of shape {_times(weight.values.shape)} in {group} groups does not fit {shape[1]} input channels",
            "check the model with onnx.checker.check_model, export it again",
        )
    if tuple(attrs.get("kernel_shape", kernel)) != kernel:
        raise Rejected(f"kernel_shape {attrs['kernel_shape']} differs from the weight's {kernel}", "export it again")
    strides, dilations = _pair(attrs, "strides"), _pair(attrs, "dilations")
    reach = (dilations[0] * (kernel[0] - 1) + 1, dilations[1] * (kernel[1] - 1) + 1)
    inner = padding(attrs, shape, reach, strides)
    outer = padded.pads if padded else (0, 0, 0, 0)
    pads = tuple(a + b for a, b in zip(inner, outer, strict=True))
    result = Node(
        "Conv",
        parser.current,
        [value.name],
        parser.result,
        {"strides": strides, "pads": pads, "dilations": dilations, "group": group},
        weight=weight,
    )
    _set_bias(result, parser.operand(node, 2))
    return parser.add(result, (shape[0], weight.values.shape[0], *window(shape, reach, strides, pads)))


def gemm(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """A fully connected layer: Gemm, or MatMul by a constant; the weight is kept as outputs x inputs."""
    value = parser.value(node)
    weight = _weight(parser, node)
    shape = parser.shape(value)
    if len(shape) != 2 or weight.values.ndim != 2:
        raise Rejected(f"multiplies {_times(shape)} by {_times(weight.values.shape)}", "place a Flatten before it")
    if attrs.get("transA", 0) or attrs.get("alpha", 1.0) != 1.0 or attrs.get("beta", 1.0) != 1.0:
        raise Rejected("has transA, alpha or beta", "export a Gemm with alpha 1, beta 1 and transA 0")
    output_axis = 0 if attrs.get("transB", 0) else 1
    if weight.grid.per_channel and weight.axis != output_axis:
        raise Rejected("has weight scales per input", _OUTPUT_CHANNELS)
    if output_axis == 1:
        weight = Parameter(weight.name, weight.values.T, weight.grid)
    if weight.values.shape[1] != shape[1]:
        raise Rejected(f"weight for {weight.values.shape[1]} inputs does not fit {shape[1]}", "export the model again")
    result = Node("Gemm", parser.current, [value.name], parser.result, weight=weight)
    _set_bias(result, parser.operand(node, 2))
    return parser.add(result, (shape[0], weight.values.shape[0]))


def add(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """An addition of two activations of one shape, or of a bias to a layer without one."""
    operands = [parser.operand(node, number) for number in range(2)]
    constants = [operand for operand in operands if isinstance(operand, np.ndarray | Parameter)]
    if constants:
        return _add_bias(parser, node, constants[0], 0 if operands[0] is not constants[0] else 1)
    values = [parser.value(node, number) for number in range(2)]
    shapes = [parser.shape(value) for value in values]
    if shapes[0] != shapes[1]:
        raise Rejected(f"adds {_times(shapes[0])} and {_times(shapes[1])}", "both operands need one shape")
    return parser.add(Node("Add", parser.current, [v.name for v in values], parser.result), shapes[0])


def _add_bias(parser: Parser, node: onnx.NodeProto, constant: Parameter | Array, number: int) -> Operand:
    value = parser.value(node, number)
    layer = parser.graph.producers().get(value.name)
    values = constant.values if isinstance(constant, Parameter) else constant
    if layer is None or layer.weight is None or parser.uses[node.input[number]] != 1 or _has_bias(layer):
        raise Rejected("adds a constant to an activation", "fold the constant into the bias of the layer before it")
    channels = parser.shape(value)[1]
    wanted = (channels,) if layer.op == "Gemm" else (channels, 1, 1)
    if values.size != channels or (values.shape[-len(wanted) :] != wanted):
        raise Rejected(f"adds a constant of shape {_times(values.shape)}", "fold it into the bias before it")
    if isinstance(constant, Parameter):
        layer.bias = Parameter(constant.name, values.reshape(-1), constant.grid)
    else:
        layer.float_bias = values.reshape(-1)
    return value


def relu(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    value = parser.value(node)
    return parser.add(Node("Relu", parser.current, [value.name], parser.result), parser.shape(value))


def concat(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """A concatenation of activations along the channels."""
    values = [parser.value(node, number) for number in range(len(node.input))]
    shapes = [parser.shape(value) for value in values]
    axis = int(attrs["axis"]) % len(shapes[0])
    if axis != 1:
        raise Rejected(f"concatenates along axis {attrs['axis']}", "only channels (axis 1) can be concatenated")
    if len({(shape[0], shape[2:]) for shape in shapes}) != 1:
        raise Rejected(f"concatenates {', '.join(map(_times, shapes))}", "all operands need one height and width")
    channels = sum(shape[1] for shape in shapes)
    result = Node("Concat", parser.current, [value.name for value in values], parser.result, {"axis": 1})
    return parser.add(result, (shapes[0][0], channels, *shapes[0][2:]))


def batch_normalization(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """Named, with what to do; what follows is looked at as if it were not there."""
    from resnet_hls.frontend.onnx_advice import advice

    parser.graph.problem(parser.current, "BatchNormalization is not supported", advice("BatchNormalization"))
    return parser.value(node)


def padding(attrs: dict[str, Any], shape: Shape, kernel: Shape, strides: Shape) -> tuple[int, ...]:
    """(top, left, bottom, right) of a convolution or pooling, from `pads` or `auto_pad`."""
    mode = attrs.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", "VALID", ""):
        pads = tuple(int(pad) for pad in attrs.get("pads", (0, 0, 0, 0))) if mode != "VALID" else (0, 0, 0, 0)
        if len(pads) != 4 or min(pads) < 0 or max(pads) > 1 << 12:
            raise Rejected(f"has pads {list(pads)}", "use four pads of 0 or more")
        return pads
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise Rejected(f"has auto_pad {mode}", "use explicit pads")
    total = [
        max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
        for size, stride, reach in zip(shape[2:], strides, kernel, strict=True)
    ]
    less, more = [pad // 2 for pad in total], [pad - pad // 2 for pad in total]
    return (*less, *more) if mode == "SAME_UPPER" else (*more, *less)


def window(shape: Shape, kernel: Shape, strides: Shape, pads: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of what a sliding window gives."""
    height, width = (
        (shape[2 + i] + pads[i] + pads[2 + i] - kernel[i]) // strides[i] + 1
        if shape[2 + i] + pads[i] + pads[2 + i] >= kernel[i]
        else 0
        for i in range(2)
    )
    return height, width


def _weight(parser: Parser, node: onnx.NodeProto) -> Parameter:
    weight = parser.operand(node, 1)
    if isinstance(weight, np.ndarray):
        raise Rejected(f"weight {node.input[1]} is not quantized", _WEIGHT)
    if not isinstance(weight, Parameter):
        raise Rejected(f"weight {node.input[1]} is computed, not constant", "only constant weights are supported")
    if weight.values.size and (weight.values.min() < -128 or weight.values.max() > 127):
        raise Rejected(
            f"weights need more than 8 bits ({weight.values.min()} to {weight.values.max()})",
            "quantize weights to int8 or fewer bits",
        )
    if weight.grid.zero_point and weight.grid.per_channel:
        raise Rejected("has weight scales per channel and a zero point", "use symmetric weights (zero point 0)")
    return weight


def _set_bias(layer: Node, operand: Operand | None) -> None:
    assert layer.weight is not None
    if operand is None:
        return
    values = operand.values if isinstance(operand, Parameter) else operand
    if not isinstance(values, np.ndarray):
        raise Rejected("bias is computed, not constant", "only constant biases are supported")
    if values.size != layer.weight.values.shape[0]:
        raise Rejected(
            f"has {values.size} biases for {layer.weight.values.shape[0]} output channels", "export the model again"
        )
    if isinstance(operand, Parameter):
        layer.bias = Parameter(operand.name, values.reshape(-1), operand.grid)
    else:
        layer.float_bias = values.reshape(-1).astype(np.float32)


def _has_bias(layer: Node) -> bool:
    return layer.bias is not None or layer.float_bias is not None


def _pair(attrs: dict[str, Any], key: str) -> tuple[int, int]:
    given = tuple(int(number) for number in attrs.get(key, (1, 1)))
    if len(given) != 2 or min(given) < 1 or max(given) > 1 << 12:
        raise Rejected(f"has {key} {', '.join(map(str, given)) or 'without numbers'}", f"use two {key} of 1 or more")
    return given[0], given[1]


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape) or "scalar"
