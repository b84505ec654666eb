# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A quantized PyTorch graph as linalg on tensors: torch.export, torch-mlir's FX importer, torch-mlir's pipelines.

Two rewrites make the result what the integer stage reads best: an operator that only moves or selects int8 values
(reshape, max pooling, concatenation) works on the int8 tensor itself, and every operation carries the name of the
module of the user's network it comes from.

Importing this module imports PyTorch and torch-mlir.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, fx
from torch_mlir import ir, rewrite
from torch_mlir.extras.fx_decomp_util import get_decomposition_table
from torch_mlir.extras.fx_importer import ContextCache, FxImporter

from resnet_hls.frontend.torch_nodes import RESHAPES, SHARING_OPS, aten, module_path, operator_name

quantized = torch.ops.quantized_decomposed
QUANTIZE = quantized.quantize_per_tensor.default
DEQUANTIZE = quantized.dequantize_per_tensor.default

_NAME = "resnet_hls_name"


def layer_names(graph: fx.Graph) -> dict[fx.Node, str]:
    """A name for each call of a quantized graph: the module path, and what the call does there.

    ``layer1.0.conv1`` for the layer itself, ``layer1.0.conv1.quantize`` for the quantizer of its result,
    ``layer1.0.conv1.weight`` for a constant of its, ``layer1.0.add`` for a function called in the ``forward`` of
    ``layer1.0``; a second call of the same module gets ``_1``.
    """
    names: dict[fx.Node, str] = {}
    seen: Counter[str] = Counter()
    for node in graph.nodes:
        if node.op != "call_function" or node.target in (QUANTIZE, DEQUANTIZE):
            continue
        path, operator = module_path(node), operator_name(node)
        name = path if _is_leaf(node) else f"{path}.{operator}".lstrip(".")
        names[node] = f"{name}_{seen[name]}" if seen[name] else name
        seen[name] += 1
    for node in graph.nodes:
        if node.target not in (QUANTIZE, DEQUANTIZE):
            continue
        source = _origin(node)
        if source.op == "get_attr":
            user = next(iter(node.users))
            role = {1: "weight", 2: "bias"}.get(user.args.index(node) if node in user.args else 0, "constant")
            names[node] = f"{names.get(user, user.name)}.{role}"
        else:
            role = "quantize" if node.target == QUANTIZE else "dequantize"
            names[node] = f"{names.get(source, source.name)}.{role}"
    return names


def _origin(node: fx.Node) -> fx.Node:
    while node.target in (QUANTIZE, DEQUANTIZE) or (
        node.target in RESHAPES and node.all_input_nodes[0].op == "get_attr"
    ):
        node = node.all_input_nodes[0]
    return node


def _is_leaf(node: fx.Node) -> bool:
    stack: Mapping[str, Any] = node.meta.get("nn_module_stack") or {}
    kind = str(list(stack.values())[-1][1]) if stack else ""
    return bool(module_path(node)) and "torch.nn.modules" in kind and "container" not in kind


def reshape_integers(graph: fx.Graph) -> None:
    """Replace reshape(dequantize(x)) by dequantize(reshape(x)), so that a layer sees its dequantizers."""
    for node in list(graph.nodes):
        if node.target not in RESHAPES or (source := node.all_input_nodes[0]).target != DEQUANTIZE:
            continue
        with graph.inserting_before(node):
            moved = graph.call_function(node.target, (source.args[0], node.args[1]))
            result = graph.call_function(DEQUANTIZE, (moved, *source.args[1:]), source.kwargs)
        moved.meta, result.meta = dict(node.meta), dict(node.meta)
        node.replace_all_uses_with(result)
        graph.erase_node(node)
    graph.eliminate_dead_code()


def move_on_integers(graph: fx.Graph) -> None:
    """Replace quantize(op(dequantize(x), …)) by op(x, …) where op moves or selects values and all scales are equal."""
    for node in list(graph.nodes):
        if node.target != QUANTIZE or (moved := node.args[0]).target not in SHARING_OPS | RESHAPES:
            continue
        sources = moved.all_input_nodes
        if len(moved.users) != 1 or any(s.target != DEQUANTIZE or s.args[1:] != node.args[1:] for s in sources):
            continue
        integers = {source: source.args[0] for source in sources}
        moved.args = fx.node.map_arg(moved.args, integers.__getitem__)
        node.replace_all_uses_with(moved)
        graph.erase_node(node)
    graph.eliminate_dead_code()


def clamp_in_quantizers(graph: fx.Graph) -> None:
    """Replace quantize(relu(x)) and quantize(hardtanh(x)) by a quantizer with narrower limits.

    That is exact where the bounds are multiples of the scale, and is done only there.
    """
    for node in list(graph.nodes):
        if node.target != QUANTIZE or len(node.args[0].users) != 1:
            continue
        clamp = node.args[0]
        scale, zero_point, lowest, highest, dtype = node.args[1:]
        if clamp.target == aten.relu.default:
            low, high = float(zero_point), float(highest)
        elif clamp.target == aten.hardtanh.default:
            low, high = (bound / scale + zero_point for bound in clamp.args[1:])
        else:
            continue
        if low == int(low) and high == int(high):
            node.args = (clamp.args[0], scale, zero_point, max(lowest, int(low)), min(highest, int(high)), dtype)
    graph.eliminate_dead_code()


def drop_trailing_reshape(graph: fx.Graph) -> bool:
    """Return (N, C, 1, 1) where the network ends by reshaping that to (N, C); False if it does not."""
    output = graph.output_node()
    result = output.all_input_nodes[0]
    view = cast("fx.Node", result.args[0]) if result.target == DEQUANTIZE else result
    if view.target not in RESHAPES:
        return False
    source = view.all_input_nodes[0]
    while "val" not in source.meta:  # PT2E's own quantize and dequantize, which keep the shape
        source = source.all_input_nodes[0]
    if tuple(source.meta["val"].shape[2:]) != (1, 1):
        return False
    view.replace_all_uses_with(view.all_input_nodes[0])
    graph.eliminate_dead_code()
    return True


class _NamedContext(ContextCache):  # type: ignore[misc]
    """Gives imported operations the names that :func:`export` put into the graph as locations."""

    def get_node_location(self, node: fx.Node) -> ir.Location | None:
        name = (node.meta.get("custom") or {}).get(_NAME) or node.name
        return ir.Location.name(name, context=self._c)


def export(module: fx.GraphModule, image: Tensor) -> torch.export.ExportedProgram:
    """``module`` exported for ``image`` (1, C, H, W), decomposed for torch-mlir, each call with its layer name."""
    graph_module = copy.deepcopy(module)
    move_on_integers(graph_module.graph)
    reshape_integers(graph_module.graph)
    clamp_in_quantizers(graph_module.graph)
    drop_trailing_reshape(graph_module.graph)
    graph_module.recompile()
    names = layer_names(graph_module.graph)
    ordered = [names[node] for node in graph_module.graph.nodes if node.op == "call_function"]
    program = torch.export.export(graph_module, (image,))
    calls = [node for node in program.graph.nodes if node.op == "call_function"]
    for node, name in zip(calls, ordered, strict=True):
        node.meta["custom"] = {_NAME: name}
    decomposed: torch.export.ExportedProgram = program.run_decompositions(dict(get_decomposition_table()))
    return decomposed


def import_program(program: torch.export.ExportedProgram, name: str, context: ir.Context) -> ir.Module:
    """The torch dialect of ``program``, as public function ``name``, ready for ``PIPELINE``."""
    importer = FxImporter(context=context)
    importer._cc = _NamedContext(context, py_attr_tracker=importer._py_attr_tracker)
    importer.import_frozen_program(program, func_name=name)
    _name_quantizers(importer.module)
    return importer.module


def _name_quantizers(module: ir.Module) -> None:
    """torch.quantized_decomposed.* to torch.operator "torch.quantized_decomposed.*", the form the matcher reads."""

    def convert(op: Any, rewriter: Any) -> None:
        operation = op.operation
        operands = list(operation.operands)[:6]  # without out_dtype
        with rewriter.ip, operation.location:
            if operation.name.endswith("dequantize_per_tensor"):
                operands[3:5] = _full_range(operands[5])
            new = ir.Operation.create(
                "torch.operator",
                results=[result.type for result in operation.results],
                operands=operands,
                attributes={"name": ir.StringAttr.get(operation.name)},
            )
        rewriter.replace_op(op, new)

    with module.context:
        patterns = rewrite.RewritePatternSet()
        for operator in ("quantize_per_tensor", "dequantize_per_tensor"):
            patterns.add(f"torch.quantized_decomposed.{operator}", convert)
        rewrite.apply_patterns_and_fold_greedily(module, patterns.freeze())


_INTEGER_BITS = {1: 8, 2: 16}  # torch's numbers of int8 and int16


def _full_range(dtype: ir.Value) -> list[ir.Value]:
    """Limits that clamp nothing: what is dequantized was quantized, and is in range."""
    bits = _INTEGER_BITS[ir.IntegerAttr(dtype.owner.attributes["value"]).value]
    i64 = ir.IntegerType.get_signless(64)
    limits = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    return [
        ir.Operation.create(
            "torch.constant.int", results=[dtype.type], attributes={"value": ir.IntegerAttr.get(i64, limit)}
        ).result
        for limit in limits
    ]
