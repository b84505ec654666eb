# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Handlers for pooling and for what only changes shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx

from resnet_hls.frontend.onnx_graph import Node, Shape
from resnet_hls.frontend.onnx_layers import padding, window
from resnet_hls.frontend.onnx_parse import Integer, Operand, Padded, Parser, Rejected, Value


def _activation(parser: Parser, node: onnx.NodeProto) -> Value | Integer:
    """Input 0: selecting operations may also stand between QuantizeLinear and DequantizeLinear."""
    operand = parser.operand(node, 0)
    return operand if isinstance(operand, Integer) else parser.value(node)


def _append(parser: Parser, source: Value | Integer, node: Node, shape: Shape) -> Operand:
    result = parser.add(node, shape)
    return Integer(result.name, source.grid) if isinstance(source, Integer) else result


def max_pool(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    return _pool(parser, node, attrs, "MaxPool")


def average_pool(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    return _pool(parser, node, attrs, "AveragePool")


def _pool(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any], op: Any) -> Operand:
    operand = parser.operand(node, 0)
    outer = (0, 0, 0, 0)
    if op == "AveragePool" and isinstance(operand, Padded) and isinstance(operand.inner, Value):
        value: Value | Integer = operand.inner
        outer = operand.pads
    else:
        value = _activation(parser, node) if op == "MaxPool" else parser.value(node)
    shape = parser.graph.shapes[value.name]
    kernel = tuple(int(size) for size in attrs["kernel_shape"])
    strides = tuple(int(step) for step in attrs.get("strides", (1, 1)))
    if len(shape) != 4 or len(kernel) != 2 or len(strides) != 2:
        raise Rejected(f"{op} over {len(kernel)} dimensions", "only 2-D pooling is supported")
    if any(step != 1 for step in attrs.get("dilations", ())):
        raise Rejected(f"{op} has dilations", "use pooling without dilations")
    if min(kernel) < 1 or max(kernel) > 1 << 12 or min(strides) < 1:
        raise Rejected(f"{op} has kernel {kernel}, strides {strides}", "use positive kernel and strides")
    inner = padding(attrs, shape, kernel, strides)
    if op == "AveragePool" and any(inner) and (any(outer) or not attrs.get("count_include_pad", 0)):
        raise Rejected(
            "AveragePool divides by fewer pixels at the border", "use no padding, or count_include_pad=1 in AveragePool"
        )
    if op == "MaxPool" and max(inner) >= min(kernel):
        raise Rejected(f"MaxPool has pads {list(inner)} as large as its kernel", "use smaller pads")
    pads = tuple(a + b for a, b in zip(inner, outer, strict=True))
    size = window(shape, kernel, strides, pads)
    if attrs.get("ceil_mode", 0):
        extents = [shape[2 + i] + pads[i] + pads[2 + i] - kernel[i] for i in range(2)]
        if size != tuple(math.ceil(extent / step) + 1 for extent, step in zip(extents, strides, strict=True)):
            raise Rejected(f"{op} has ceil_mode=1 and windows that reach over the border", "use ceil_mode=0")
    attributes = {"kernel_shape": kernel, "strides": strides, "pads": pads}
    result = Node(op, parser.current, [value.name], parser.result, attributes)
    return _append(parser, value, result, (*shape[:2], *size))


def global_max_pool(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    return _global(parser, node, "MaxPool")


def global_average_pool(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    return _global(parser, node, "AveragePool")


def _global(parser: Parser, node: onnx.NodeProto, op: Any) -> Value:
    value = parser.value(node)
    shape = parser.shape(value)
    if len(shape) != 4:
        raise Rejected(f"{node.op_type} over {len(shape) - 2} dimensions", "only 2-D pooling is supported")
    attributes = {"kernel_shape": shape[2:], "strides": (1, 1), "pads": (0, 0, 0, 0)}
    return parser.add(Node(op, parser.current, [value.name], parser.result, attributes), (*shape[:2], 1, 1))


def reduce_mean(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """ReduceMean over height and width is a global average pooling."""
    value = parser.value(node)
    shape = parser.shape(value)
    given = parser.constant(node, 1, "axes")
    axes = sorted(int(axis) % len(shape) for axis in (attrs.get("axes", ()) if given is None else given))
    if len(shape) != 4 or axes != [2, 3]:
        raise Rejected(f"ReduceMean over axes {axes}", "only the mean over height and width (axes 2, 3) is supported")
    if attrs.get("keepdims", 1):
        return _global(parser, node, "AveragePool")
    attributes = {"kernel_shape": shape[2:], "strides": (1, 1), "pads": (0, 0, 0, 0)}
    pooled = Node("AveragePool", parser.current, [value.name], parser.graph.fresh(f"{parser.result}_2d"), attributes)
    inner = parser.add(pooled, (*shape[:2], 1, 1))
    return parser.add(Node("Reshape", parser.current, [inner.name], parser.result), shape[:2])


def flatten(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    shape = parser.graph.shapes[_activation(parser, node).name]
    axis = int(attrs.get("axis", 1))
    axis = axis + len(shape) if axis < 0 else axis
    return _reshaped(parser, node, (math.prod(shape[:axis]), math.prod(shape[axis:])))


def reshape(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    shape = parser.graph.shapes[_activation(parser, node).name]
    target = parser.constant(node, 1, "shape")
    if target is None:
        raise Rejected("Reshape has no shape", "export the model with opset 13")
    sizes = [int(size) for size in target.ravel()]
    sizes = [shape[i] if size == 0 and not attrs.get("allowzero") else size for i, size in enumerate(sizes)]
    if sizes.count(-1) == 1:
        rest = math.prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = math.prod(shape) // max(rest, 1)
    return _reshaped(parser, node, tuple(sizes))


def squeeze(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    shape = parser.graph.shapes[_activation(parser, node).name]
    given = parser.constant(node, 1, "axes")
    axes = {int(axis) % len(shape) for axis in (attrs.get("axes", ()) if given is None else given.ravel())}
    axes = axes or {axis for axis, size in enumerate(shape) if size == 1}
    return _reshaped(parser, node, tuple(size for axis, size in enumerate(shape) if axis not in axes))


def unsqueeze(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    shape = list(parser.graph.shapes[_activation(parser, node).name])
    given = parser.constant(node, 1, "axes")
    axes = [int(axis) for axis in (attrs.get("axes", ()) if given is None else given.ravel())]
    rank = len(shape) + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        shape.insert(axis, 1)
    return _reshaped(parser, node, tuple(shape))


def transpose(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """Only where it moves nothing but dimensions of size 1."""
    shape = parser.graph.shapes[_activation(parser, node).name]
    permutation = [int(axis) for axis in attrs.get("perm", range(len(shape))[::-1])]
    moved = [axis for axis in permutation if shape[axis] != 1]
    if moved != sorted(moved):
        raise Rejected(
            f"Transpose by {permutation} is not supported", "export the model channels first (NCHW), without Transpose"
        )
    return _reshaped(parser, node, tuple(shape[axis] for axis in permutation))


def _reshaped(parser: Parser, node: onnx.NodeProto, shape: Shape) -> Operand:
    value = _activation(parser, node)
    before = parser.graph.shapes[value.name]
    if math.prod(before) != math.prod(shape) or min(shape, default=0) < 1 or shape[0] != before[0]:
        raise Rejected(f"{node.op_type} from {before} to {shape} mixes images", "keep the batch dimension as it is")
    if shape == before:
        return value
    return _append(parser, value, Node("Reshape", parser.current, [value.name], parser.result), shape)


def identity(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """Identity, and Dropout, which is one in inference."""
    operand = parser.operand(node, 0)
    if operand is None or (node.op_type == "Cast" and not isinstance(operand, Value)):
        raise Rejected(f"{node.op_type} of integers is not supported", "place a DequantizeLinear before it")
    return operand


def cast(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    if attrs.get("to") != onnx.TensorProto.FLOAT:
        raise Rejected("Cast of an activation is not supported", "quantize with QuantizeLinear or Quant")
    return identity(parser, node, attrs)


def shape_of(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """Shape: a constant, as all shapes are static."""
    shape = parser.graph.shapes[_activation(parser, node).name]
    return np.asarray(shape[int(attrs.get("start", 0)) : attrs.get("end")], np.int64)


def pad(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """Zeros around height and width; the convolution after it takes them over."""
    value = _activation(parser, node)
    shape = parser.graph.shapes[value.name]
    given = parser.constant(node, 1, "pads")
    pads = [int(size) for size in (attrs.get("pads", ()) if given is None else given.ravel())]
    fill = parser.constant(node, 2, "value")
    zero = value.grid.zero_point if isinstance(value, Integer) else 0
    number = attrs.get("value", 0.0) if fill is None else float(fill.reshape(()))
    if attrs.get("mode", "constant") != "constant" or number != zero:
        raise Rejected(f"Pad in mode {attrs.get('mode', 'constant')} with {number:g}", "pad with zeros")
    if len(node.input) > 3 or len(shape) != 4 or len(pads) != 8 or any(pads[i] for i in (0, 1, 4, 5)) or min(pads) < 0:
        raise Rejected(f"Pad by {pads}", "pad height and width only, by 0 or more pixels")
    if not any(pads):
        return value
    return Padded(value, (pads[2], pads[3], pads[6], pads[7]))
