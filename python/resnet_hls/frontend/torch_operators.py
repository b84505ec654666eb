# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One rule per operator: its many forms in an exported graph to the one form of :mod:`resnet_hls.frontend.torch_graph`.

Importing this module imports PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

from torch import fx

from resnet_hls.frontend.torch_nodes import aten, new_call, shape, unsupported


def _relu6(node: fx.Node) -> None:
    node.target, node.args = aten.hardtanh.default, (node.args[0], 0.0, 6.0)


def _hardtanh(node: fx.Node) -> None:
    low, high = _argument(node, 1, "min_val", -1.0), _argument(node, 2, "max_val", 1.0)
    node.args, node.kwargs = (node.args[0], float(low), float(high)), {}


def _clamp(node: fx.Node) -> None:
    low, high = _argument(node, 1, "min", None), _argument(node, 2, "max", None)
    if low == 0 and (high is None or high == math.inf):
        node.target, node.args, node.kwargs = aten.relu.default, (node.args[0],), {}
    elif low is None or high is None:
        raise unsupported(node, f"min={low} and max={high}")
    else:
        node.target, node.args, node.kwargs = aten.hardtanh.default, (node.args[0], float(low), float(high)), {}


def _add(node: fx.Node) -> None:
    if any(not isinstance(argument, fx.Node) or argument.op == "get_attr" for argument in node.args[:2]):
        raise unsupported(node, "a constant operand")
    if node.kwargs.get("alpha", 1) != 1:
        raise unsupported(node, f"alpha={node.kwargs['alpha']}")
    left, right = (shape(operand) for operand in cast("tuple[fx.Node, fx.Node]", node.args[:2]))
    if left != right:
        raise unsupported(node, f"operands of the shapes {left} and {right}")
    node.kwargs = {}


def _conv(node: fx.Node) -> None:
    source, weight = node.args[:2]
    bias, stride, padding, dilation, groups = (
        _argument(node, index, name, default)
        for index, name, default in (
            (2, "bias", None),
            (3, "stride", 1),
            (4, "padding", 0),
            (5, "dilation", 1),
            (6, "groups", 1),
        )
    )
    if isinstance(padding, str):
        kernel = shape(cast("fx.Node", weight))[2:]
        spans = [step * (extent - 1) for extent, step in zip(kernel, _pair(dilation), strict=True)]
        if padding == "same" and any(span % 2 for span in spans):
            raise unsupported(node, "padding='same' that is not the same on both sides")
        padding = [span // 2 if padding == "same" else 0 for span in spans]
    arguments = (source, weight, bias, _pair(stride), _pair(padding), _pair(dilation), groups)
    node.target, node.args, node.kwargs = aten.conv2d.default, arguments, {}


def _average_pool(node: fx.Node) -> None:
    kernel = _pair(node.args[1])
    stride = _pair(_argument(node, 2, "stride", []) or kernel)
    if any(_pair(_argument(node, 3, "padding", 0))):
        raise unsupported(node, "padding")
    if _argument(node, 4, "ceil_mode", False):
        raise unsupported(node, "ceil_mode=True")
    if _argument(node, 6, "divisor_override", None) is not None:
        raise unsupported(node, "divisor_override")
    node.args, node.kwargs = (node.args[0], kernel, stride), {}


def _adaptive_pool(node: fx.Node) -> None:
    extents = shape(node.all_input_nodes[0])[-2:]
    results = shape(node)[-2:]
    if any(extent % result for extent, result in zip(extents, results, strict=True)):
        raise unsupported(node, f"output {results} that does not divide {extents}")
    kernel = [extent // result for extent, result in zip(extents, results, strict=True)]
    node.target, node.args, node.kwargs = aten.avg_pool2d.default, (node.args[0], kernel, kernel), {}


def _mean(node: fx.Node) -> None:
    source = node.all_input_nodes[0]
    extents = shape(source)
    axes = sorted(axis % len(extents) for axis in cast("list[int]", node.args[1]))
    if axes != [2, 3] or len(extents) != 4:
        raise unsupported(node, f"dim={axes} of {len(extents)} dimensions (only the mean over height and width)")
    kernel = list(extents[2:])
    if not _argument(node, 2, "keepdim", False):
        with node.graph.inserting_after(node):
            view = new_call(node, aten.view.default, node, [-1, extents[1]])
        node.replace_all_uses_with(view, delete_user_cb=lambda user: user is not view)
        node.meta["val"] = node.meta["val"][..., None, None]
    node.target, node.args, node.kwargs = aten.avg_pool2d.default, (source, kernel, kernel), {}


def _max_pool(node: fx.Node) -> None:
    kernel = _pair(node.args[1])
    stride = _pair(_argument(node, 2, "stride", []) or kernel)
    padding = _pair(_argument(node, 3, "padding", 0))
    if any(step != 1 for step in _pair(_argument(node, 4, "dilation", 1))):
        raise unsupported(node, "dilation")
    if _argument(node, 5, "ceil_mode", False):
        raise unsupported(node, "ceil_mode=True")
    node.args, node.kwargs = (node.args[0], kernel, stride, padding), {}


def _concatenate(node: fx.Node) -> None:
    axis = cast("int", _argument(node, 1, "dim", 0)) % len(shape(node))
    if axis != 1:
        raise unsupported(node, f"dim={axis} (only channels, dim=1)")
    node.args, node.kwargs = (node.args[0], 1), {}


RULES: dict[Any, Callable[[fx.Node], None]] = {
    aten.relu6.default: _relu6,
    aten.hardtanh.default: _hardtanh,
    aten.clamp.default: _clamp,
    aten.clamp_min.default: _clamp,
    aten.add.Tensor: _add,
    aten.conv2d.default: _conv,
    aten.conv2d.padding: _conv,
    aten.avg_pool2d.default: _average_pool,
    aten.adaptive_avg_pool2d.default: _adaptive_pool,
    aten.mean.dim: _mean,
    aten.max_pool2d.default: _max_pool,
    aten.cat.default: _concatenate,
}
"""What to do with a call of an operator, by operator."""


def _pair(value: Any) -> list[int]:
    values = [int(item) for item in value] if isinstance(value, (list, tuple)) else [int(value)]
    return values * 2 if len(values) == 1 else values


def _argument(node: fx.Node, index: int, name: str, default: Any) -> Any:
    return node.args[index] if len(node.args) > index else node.kwargs.get(name, default)
