# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Handlers for the quantizers of the three dialects: Quant (QONNX), QuantizeLinear, Clip and DequantizeLinear.

Every one ends as a "Quantize" node (activations) or a `Parameter` (constants).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from resnet_hls.frontend.onnx_graph import Array, Grid, Node, Parameter
from resnet_hls.frontend.onnx_parse import Integer, Operand, Padded, Parser, Rejected, Value, real

_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int32": (-(2**31), 2**31 - 1)}
_STATIC = "export the model with constant scales and zero points"
_PER_TENSOR = "quantize activations with one scale per tensor; only weights may have one per channel"
_EIGHT_BITS = "quantize activations to 8 bits or fewer, int8 or uint8"


def quant(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """QONNX Quant: scale, zero point and bit width are inputs; signed, narrow, rounding_mode attributes."""
    parser.graph.dialects.add("QONNX")
    operand = parser.operand(node, 0)
    scale = _scale(parser, node)
    zero_point = _integral(parser.constant(node, 2, "zero point"), "zero point")
    bits = _integral(parser.constant(node, 3, "bit width"), "bit width")
    rounding = str(attrs.get("rounding_mode", "ROUND")).upper()
    if rounding not in ("ROUND", "HALF_EVEN"):
        raise Rejected(f"rounding mode {rounding} is not supported", "use ROUND (half to even)")
    signed, narrow = bool(attrs.get("signed", 1)), bool(attrs.get("narrow", 0))
    if not 1 <= bits <= 32:
        raise Rejected(f"quantizes to {bits} bits", "use 2 to 8 bits; up to 32 for biases")
    low = -(2 ** (bits - 1)) + narrow if signed else 0
    high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
    if isinstance(operand, np.ndarray | Parameter):
        values = operand if isinstance(operand, np.ndarray) else real(operand)
        flat, axis = _flatten_scale(scale, values.ndim)
        integers = _round(values, scale, zero_point, low, high)
        return Parameter(parser.current, integers, Grid(flat, zero_point, low, high, signed), axis)
    flat, _ = _flatten_scale(scale, scale.ndim)
    if bits > 8:
        raise Rejected(f"quantizes an activation to {bits} bits", _EIGHT_BITS)
    return _quantize(parser, node, Grid(flat, zero_point, low, high, signed))


def quantize_linear(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """QuantizeLinear; its result is an `Integer`, or an array where the input is constant."""
    parser.graph.dialects.add("QDQ")
    operand = parser.operand(node, 0)
    scale, zero_point, kind = _linear(parser, node, attrs, "uint8")
    low, high = _range(kind)
    if isinstance(operand, np.ndarray | Parameter):
        values = operand if isinstance(operand, np.ndarray) else real(operand)
        wide = _broadcast(scale, values.ndim, int(attrs.get("axis", 1)))
        return _round(values, wide, zero_point, low, high).astype(kind)
    flat, _ = _flatten_scale(scale, scale.ndim)
    grid = Grid(flat, zero_point, low, high, kind != "uint8")
    if kind not in ("int8", "uint8"):
        raise Rejected(f"quantizes an activation to {kind}", _EIGHT_BITS)
    result = _quantize(parser, node, grid)
    if isinstance(result, Padded):
        assert isinstance(result.inner, Value)
        return Padded(Integer(result.inner.name, grid), result.pads)
    return Integer(result.name, grid)


def dequantize_linear(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """DequantizeLinear of an activation (at the scale it was quantized with) or of constant integers."""
    parser.graph.dialects.add("QDQ")
    operand = parser.operand(node, 0)
    if isinstance(operand, Padded) and isinstance(operand.inner, Integer):
        return Padded(_same_grid(parser, node, attrs, operand.inner), operand.pads)
    if isinstance(operand, Integer):
        return _same_grid(parser, node, attrs, operand)
    if not isinstance(operand, np.ndarray):
        raise Rejected("dequantizes what is not quantized", "place a QuantizeLinear before it")
    scale, zero_point, kind = _linear(parser, node, attrs, str(operand.dtype))
    values = operand.astype(np.int64)
    low, high = _range(kind)
    if kind == "uint8":  # the same numbers as int8
        values, zero_point, low, high = values - 128, zero_point - 128, -128, 127
    flat = scale if scale.ndim == 0 else _flatten_scale(scale, 1)[0]
    axis = int(attrs.get("axis", 1)) % max(values.ndim, 1)
    if flat.ndim and flat.size != values.shape[axis]:
        raise Rejected(f"has {flat.size} scales for {values.shape[axis]} channels", _STATIC)
    return Parameter(parser.current, values, Grid(flat, zero_point, low, high, True), axis)


def clip(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> Operand:
    """Clip: of integers between Q and DQ (a narrower range of the quantizer), or of real numbers (ReLU6)."""
    operand = parser.operand(node, 0)
    if isinstance(operand, Integer):
        parser.graph.dialects.add("QCDQ")
        low, high = _bounds(parser, node, attrs)
        grid = operand.grid
        grid = Grid(grid.scale, grid.zero_point, int(max(low, grid.low)), int(min(high, grid.high)), grid.signed)
        if grid.low > grid.high:
            raise Rejected(f"clips to the empty range {low:g} to {high:g}", "check min and max")
        result = parser.add(
            Node("Quantize", parser.current, [operand.name], parser.result, grid=grid),
            parser.graph.shapes[operand.name],
        )
        return Integer(result.name, grid)
    value = parser.value(node)
    low, high = _bounds(parser, node, attrs)
    if not low <= high:
        raise Rejected(f"clips to the empty range {low:g} to {high:g}", "check min and max")
    attributes = {"low": low, "high": high}
    return parser.add(Node("Clip", parser.current, [value.name], parser.result, attributes), parser.shape(value))


def _quantize(parser: Parser, node: onnx.NodeProto, grid: Grid) -> Value | Padded:
    """Appends a quantizer of an activation."""
    operand = parser.operand(node, 0)
    padded = operand if isinstance(operand, Padded) else None
    value = padded.inner if padded else parser.value(node)
    if grid.per_channel:
        raise Rejected("quantizes an activation with a scale per channel", _PER_TENSOR)
    if not grid.low <= grid.zero_point <= grid.high:
        raise Rejected(
            f"zero point {grid.zero_point} is outside {grid.low} to {grid.high}", "use a zero point in that range"
        )
    parser.graph.quantizers += 1
    output = parser.result if not padded else parser.graph.fresh(f"{parser.result}_inner")
    result = parser.add(
        Node("Quantize", parser.current, [value.name], output, grid=grid), parser.graph.shapes[value.name]
    )
    return Padded(result, padded.pads) if padded else result


def _same_grid(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any], operand: Integer) -> Value:
    scale, zero_point, _ = _linear(parser, node, attrs, "int8" if operand.grid.signed else "uint8")
    flat, _ = _flatten_scale(scale, scale.ndim)
    if flat.ndim or float(flat) != float(operand.grid.scale) or zero_point != operand.grid.zero_point:
        raise Rejected(
            f"dequantizes with scale {float(flat.max()):g}, zero point {zero_point}, what was quantized with "
            f"{float(operand.grid.scale):g}, {operand.grid.zero_point}",
            "use one scale and zero point for a QuantizeLinear and its DequantizeLinear",
        )
    return Value(operand.name)


def _linear(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any], default: str) -> tuple[Array, int, str]:
    """Scale, zero point and integer type of a QuantizeLinear or DequantizeLinear."""
    if attrs.get("block_size"):
        raise Rejected("quantizes in blocks", "quantize per tensor, or weights per channel")
    scale = _scale(parser, node)
    zero = parser.constant(node, 2, "zero point")
    kind = default if zero is None else str(zero.dtype)
    if zero is None:
        return scale, 0, kind
    if zero.ndim and zero.shape != scale.shape:
        raise Rejected(f"zero point has shape {zero.shape}, scale {scale.shape}", _STATIC)
    return scale, _integral(zero, "zero point"), kind


def _range(kind: str) -> tuple[int, int]:
    if kind not in _RANGES:
        raise Rejected(f"quantizes to {kind}", "use int8 or uint8; int32 for biases")
    return _RANGES[kind]


def _scale(parser: Parser, node: onnx.NodeProto) -> Array:
    scale = parser.constant(node, 1, "scale")
    if scale is None or not scale.size:
        raise Rejected("has no scale", _STATIC)
    scale = scale.astype(np.float32)
    if not (np.isfinite(scale).all() and (scale >= np.float32(2.0**-60)).all() and (scale <= 2.0**60).all()):
        raise Rejected(f"has scale {float(scale.min()):g}", "use positive scales; 0 comes from a dead channel")
    return scale


def _integral(value: Array | None, what: str) -> int:
    """The one integer that `value` holds, however often."""
    if value is None or not value.size:
        raise Rejected(f"has no {what}", _STATIC)
    number = float(value.ravel()[0])
    if not (np.asarray(value, np.float64) == number).all():
        raise Rejected(f"has several {what}s", f"use one {what} for all channels (weights: 0, symmetric)")
    if not number.is_integer():
        raise Rejected(f"has {what} {number:g}, which is no integer", f"use an integer {what}")
    return int(number)


def _flatten_scale(scale: Array, rank: int) -> tuple[Array, int]:
    """A scalar where all scales are equal; else one axis of scales, and which axis of the value that is."""
    if (scale == scale.ravel()[0]).all():
        return np.asarray(scale.ravel()[0], np.float32), 0
    axes = [axis for axis, size in enumerate(scale.shape) if size != 1]
    if len(axes) != 1:
        raise Rejected(f"has scales of shape {scale.shape}", "use one scale per tensor, or one per output channel")
    return scale.reshape(-1), axes[0] + rank - scale.ndim


def _broadcast(scale: Array, rank: int, axis: int) -> Array:
    if scale.ndim == 0 or scale.size == 1:
        return scale.reshape(())
    return scale.reshape([-1 if i == axis % rank else 1 for i in range(rank)])


def _round(values: Array, scale: Array, zero_point: int, low: int, high: int) -> Array:
    """Integers of `values`: half to even, saturating."""
    if not np.isfinite(values).all():
        raise Rejected("quantizes a constant that is not finite", "check the weights for NaN and infinity")
    with np.errstate(over="ignore"):  # saturates below
        rounded = np.rint(values.astype(np.float32) / scale) + np.float32(zero_point)
    return np.clip(rounded.astype(np.float64), low, high).astype(np.int64)


def _bounds(parser: Parser, node: onnx.NodeProto, attrs: dict[str, Any]) -> tuple[float, float]:
    bounds = []
    for number, key, default in ((1, "min", -np.inf), (2, "max", np.inf)):
        value = parser.constant(node, number, key)
        if value is not None and value.size != 1:
            raise Rejected(f"clips with {value.size} numbers as {key}", "clip with one number for all channels")
        bounds.append(float(attrs.get(key, default) if value is None else value.reshape(())))
    return bounds[0], bounds[1]
