# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Constant folding for what exporters leave around quantizers and reshapes: `Shape`, `Gather`, `Concat` and friends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from resnet_hls.frontend.onnx_graph import Array

Attributes = dict[str, Any]


def attributes(node: onnx.NodeProto) -> Attributes:
    """The node's attributes as Python values; strings decoded."""
    result: Attributes = {}
    for entry in node.attribute:
        value = helper.get_attribute_value(entry)
        result[entry.name] = value.decode(errors="replace") if isinstance(value, bytes) else value
    return result


def foldable(op: str) -> bool:
    return op in _FOLD


def fold(op: str, inputs: Sequence[Array | None], attrs: Attributes) -> Array:
    """The node's value, from constant inputs (None: an optional input that is absent).

    Raises:
        ValueError, IndexError, KeyError, TypeError: the node is malformed.
    """
    return np.asarray(_FOLD[op](list(inputs), attrs))


def _axes(inputs: list[Any], attrs: Attributes) -> tuple[int, ...]:
    axes = inputs[1] if len(inputs) > 1 and inputs[1] is not None else attrs.get("axes", ())
    return tuple(int(axis) for axis in np.ravel(axes))


def _constant(inputs: list[Any], attrs: Attributes) -> Array:
    if "value" in attrs:
        return np.asarray(numpy_helper.to_array(attrs["value"]))
    for key, dtype in (("value_float", np.float32), ("value_floats", np.float32), ("value_int", np.int64)):
        if key in attrs:
            return np.asarray(attrs[key], dtype)
    return np.asarray(attrs["value_ints"], np.int64)


def _cast(inputs: list[Any], attrs: Attributes) -> Array:
    return np.asarray(inputs[0]).astype(helper.tensor_dtype_to_np_dtype(attrs["to"]))


def _reshape(inputs: list[Any], attrs: Attributes) -> Array:
    value, target = inputs[0], [int(size) for size in inputs[1]]
    sizes = [value.shape[i] if size == 0 and not attrs.get("allowzero") else size for i, size in enumerate(target)]
    return np.reshape(value, sizes)


def _slice(inputs: list[Any], attrs: Attributes) -> Array:
    value, starts, ends = inputs[:3]
    axes = inputs[3] if len(inputs) > 3 and inputs[3] is not None else range(len(starts))
    steps = inputs[4] if len(inputs) > 4 and inputs[4] is not None else [1] * len(starts)
    index: list[slice] = [slice(None)] * value.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[int(axis)] = slice(int(start), int(end), int(step))
    return np.asarray(value[tuple(index)])


def _clip(inputs: list[Any], attrs: Attributes) -> Array:
    low = inputs[1] if len(inputs) > 1 else attrs.get("min")
    high = inputs[2] if len(inputs) > 2 else attrs.get("max")
    return np.asarray(np.clip(inputs[0], low, high), inputs[0].dtype)


def _divide(inputs: list[Any], attrs: Attributes) -> Array:
    if inputs[0].dtype.kind in "iu":
        return np.asarray(np.trunc(inputs[0] / inputs[1]), inputs[0].dtype)
    return np.asarray(inputs[0] / inputs[1])


def _unsqueeze(inputs: list[Any], attrs: Attributes) -> Array:
    return np.expand_dims(inputs[0], _axes(inputs, attrs))


_FOLD: dict[str, Callable[[list[Any], Attributes], Any]] = {
    "Constant": _constant,
    "Identity": lambda inputs, attrs: inputs[0],
    "Cast": _cast,
    "Reshape": _reshape,
    "Slice": _slice,
    "Clip": _clip,
    "Div": _divide,
    "Add": lambda inputs, attrs: inputs[0] + inputs[1],
    "Sub": lambda inputs, attrs: inputs[0] - inputs[1],
    "Mul": lambda inputs, attrs: inputs[0] * inputs[1],
    "Neg": lambda inputs, attrs: -inputs[0],
    "Sqrt": lambda inputs, attrs: np.sqrt(inputs[0]),
    "Unsqueeze": _unsqueeze,
    "Squeeze": lambda inputs, attrs: np.squeeze(inputs[0], _axes(inputs, attrs) or None),
    "Concat": lambda inputs, attrs: np.concatenate([np.atleast_1d(value) for value in inputs], attrs["axis"]),
    "Gather": lambda inputs, attrs: np.take(inputs[0], inputs[1], attrs.get("axis", 0)),
    "Transpose": lambda inputs, attrs: np.transpose(inputs[0], attrs.get("perm")),
}
