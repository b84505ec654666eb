# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The operators of an exported PyTorch graph that the compiler knows, and what its other parts ask of a node.

Importing this module imports PyTorch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from resnet_hls.errors import UserError

aten = torch.ops.aten

LAYERS = {aten.conv2d.default}
"""Operators with a weight, and perhaps a bias."""
BATCH_NORMS = {aten.batch_norm.default}
ACTIVATIONS = {aten.relu.default, aten.hardtanh.default}
AVERAGE_POOLS = {aten.avg_pool2d.default}
SHARING_OPS = {aten.max_pool2d.default, aten.cat.default}
"""Operators whose operands and result have one scale."""
RESHAPES = {aten.view.default}


def only_user(node: fx.Node) -> fx.Node | None:
    """The node that reads ``node`` when there is exactly one, else None."""
    return next(iter(node.users)) if len(node.users) == 1 else None


def module_path(node: fx.Node) -> str:
    """Where in the user's module ``node`` comes from, e.g. ``layer1.0.conv1``; "" for the module itself."""
    stack = node.meta.get("nn_module_stack") or {}
    path = str(next(reversed(stack.values()))[0]) if stack else ""
    return path.removeprefix("L['self']").lstrip(".").removeprefix("self.")


def operator_name(node: fx.Node) -> str:
    """The operator of a call, e.g. ``silu`` for ``aten.silu.default``."""
    target = node.target
    packet = getattr(target, "overloadpacket", None)
    return str(getattr(packet or target, "__name__", target)).removesuffix("_")


def describe(node: fx.Node) -> str:
    """What an error message calls ``node``: its module path, or its name where it has none."""
    return module_path(node) or node.name


def unsupported(node: fx.Node, detail: str = "") -> UserError:
    """The error for an operator, or a form of one, that has no integer form here."""
    return UserError(
        f"operator '{operator_name(node)}'{' with ' + detail if detail else ''} is not supported",
        where=describe(node),
        help="supported are Conv2d, BatchNorm2d, ReLU, ReLU6, add, cat, average and max pooling, flatten and Linear",
    )


def shape(node: fx.Node) -> tuple[int, ...]:
    """The shape of a node's tensor, batch first; -1 for a batch extent left open."""
    return tuple(extent if isinstance(extent, int) else -1 for extent in node.meta["val"].shape)


def new_call(origin: fx.Node, target: Any, *arguments: Any) -> fx.Node:
    """A new call at the insertion point of ``origin``'s graph that says to come from where ``origin`` comes from."""
    node = origin.graph.call_function(target, arguments)
    node.meta = {key: value for key, value in origin.meta.items() if key != "quantization_annotation"}
    node.meta["val"] = target(*fx.node.map_arg(arguments, lambda argument: argument.meta.get("val")))
    return node
