# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Post-training quantization with torchao PT2E: export, observe, settle the scales, convert, and check the ranges.

Importing this module imports PyTorch and torchao.
"""

from __future__ import annotations

import copy
import math
from typing import Any, cast

import torch
from torch import Tensor, fx, nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

from resnet_hls.errors import UserError
from resnet_hls.frontend.quantizer import PowerOfTwoObserver, PowerOfTwoQuantizer, ScaleChoice
from resnet_hls.frontend.torch_graph import normalize
from resnet_hls.frontend.torch_import import DEQUANTIZE
from resnet_hls.frontend.torch_module import first_line, is_quantized
from resnet_hls.frontend.torch_nodes import AVERAGE_POOLS, LAYERS, aten, describe

_BATCH = 64
_EXACT = 24
"""float32 holds every integer below two to this."""
_LEAST_WEIGHT = 8
"""A layer whose largest weight would be rounded to fewer steps than this is refused."""


def quantize(module: nn.Module, images: Tensor, choice: ScaleChoice) -> tuple[fx.GraphModule, list[str]]:
    """The converted graph of ``module``, calibrated on ``images`` (N, C, H, W), and remarks: torch_module.quantize."""
    if is_quantized(module):
        graph = normalize(export(module, images[:1]))
        biases = quantize_biases(graph)
        notes = [
            "taken as quantized by the caller",
            *(f"{name}: its float bias was rounded to int16" for name in biases),
        ]
        return graph, [*notes, *remarks(graph)]
    converted = convert_pt2e(observe(module, images, choice))
    return converted, remarks(converted)


def observe(module: nn.Module, images: Tensor, choice: ScaleChoice) -> fx.GraphModule:
    """The graph of ``module`` with an observer at every quantizer, whose scale is settled; PT2E's convert takes it.

    Raises:
        UserError: as :func:`export`, :func:`settle_scales` and the quantizer.
    """
    prepared = prepare(module, images[:1], choice)
    with torch.no_grad():
        for start in range(0, len(images), _BATCH):
            prepared(images[start : start + _BATCH])
    settle_scales(prepared)
    return prepared


def prepare(module: nn.Module, image: Tensor, choice: ScaleChoice = "range") -> fx.GraphModule:
    """The graph of ``module`` for images like ``image`` (1, C, H, W), with observers that have seen nothing yet."""
    prepared: fx.GraphModule = prepare_pt2e(export(module, image), PowerOfTwoQuantizer(choice))
    return prepared


def export(module: nn.Module, image: Tensor) -> fx.GraphModule:
    """A graph of ``module`` in eval mode for images of ``image``'s shape (1, C, H, W); ``module`` is not changed.

    Raises:
        UserError: the module does not run on such an image, cannot be exported, or returns other than one tensor.
    """
    name = type(module).__name__
    if not isinstance(module, fx.GraphModule):
        module = copy.deepcopy(module).eval()
    with torch.no_grad():
        try:
            result = module(image)
        except Exception as problem:
            message = f"fails on an image of the shape {tuple(image.shape)}: {first_line(problem)}"
            raise UserError(message, where=name, help="give images of the shape the module is made for") from problem
    if not isinstance(result, Tensor) or result.ndim < 2 or result.shape[0] != 1:
        kind = f"a tensor of the shape {tuple(result.shape)}" if isinstance(result, Tensor) else type(result).__name__
        raise UserError(f"returns {kind}, expected one tensor with the batch first", where=name)
    try:
        program = torch.export.export(module, (image,))
    except Exception as problem:
        message = f"cannot be exported: {first_line(problem)}"
        raise UserError(message, where=name, help="'forward' must not branch on the values of tensors") from problem
    unlifted = program.module(check_guards=False)
    exported = fx.GraphModule(unlifted, unlifted.graph)  # without the hook that insists on one image
    if isinstance(module, fx.GraphModule):
        copy_origin(module.graph, exported.graph)
    return exported


def copy_origin(source: fx.Graph, target: fx.Graph) -> None:
    """Carry the module paths of ``source`` over to ``target``, an export of it, where both have the same calls."""
    pairs = [[node for node in graph.nodes if node.op == "call_function"] for graph in (source, target)]
    if [node.target for node in pairs[0]] == [node.target for node in pairs[1]]:
        for old, new in zip(*pairs, strict=True):
            if "nn_module_stack" in old.meta:
                new.meta["nn_module_stack"] = old.meta["nn_module_stack"]


def quantize_biases(converted: fx.GraphModule) -> list[str]:
    """Round every float bias of a quantized layer to int16 at the accumulator's scale; returns the layers' names.

    PT2E leaves the biases float that it folds from batch norms in quantization-aware training.

    Raises:
        UserError: a bias does not fit 16 bits.
    """
    names: list[str] = []
    for node in converted.graph.nodes:
        bias = node.args[2] if node.target in LAYERS else None
        if not isinstance(bias, fx.Node) or bias.op != "get_attr":
            continue
        operands = [operand for operand in node.args[:2] if operand.target == DEQUANTIZE]
        if len(operands) != 2:
            continue
        scale = math.prod(float(operand.args[1]) for operand in operands)
        integers = torch.round(_tensor(converted, bias).detach().double() / scale)
        if float(integers.abs().max()) > (1 << 15) - 1:
            raise UserError(f"its bias does not fit 16 bits at scale {scale:.3g}", where=describe(node))
        name = f"_int16_bias_{len(names)}"
        converted.register_buffer(name, integers.to(torch.int16))
        with converted.graph.inserting_before(node):
            constant = converted.graph.get_attr(name)
            limits = (-(1 << 15), (1 << 15) - 1)
            node.update_arg(2, converted.graph.call_function(DEQUANTIZE, (constant, scale, 0, *limits, torch.int16)))
        names.append(describe(node))
    converted.graph.eliminate_dead_code()
    converted.recompile()
    return names


def settle_scales(prepared: fx.GraphModule) -> None:
    """Enlarge weight scales until every bias fits 16 bits and every skip value fits the accumulator it is added to.

    Raises:
        UserError: that would leave a layer hardly any weight bits; it names the layer.
    """
    modules = dict(prepared.named_modules(remove_duplicate=False))  # observers are shared

    def observer(node: Any) -> Any:
        return modules[node.target] if isinstance(node, fx.Node) and node.op == "call_module" else None

    for node in prepared.graph.nodes:
        if node.target not in LAYERS:
            continue
        source, weight = observer(node.args[0]), observer(node.args[1])
        if not isinstance(weight, PowerOfTwoObserver) or not isinstance(source, PowerOfTwoObserver):
            continue
        if node.args[2] is not None:
            bias = float(_tensor(prepared, node.args[2].all_input_nodes[0]).abs().max())
            while round(bias * 2.0 ** -(source.exponent + weight.exponent)) > (1 << 15) - 1:
                weight.coarsening += 1
            _check_weights(node, weight, f"a bias of {bias:.3g} does not fit 16 bits")
        for add in node.users:
            for other in add.all_input_nodes if add.target == aten.add.Tensor else ():
                skip = observer(other)
                if isinstance(skip, PowerOfTwoObserver):
                    while skip.exponent - source.exponent - weight.exponent > _EXACT - 8:
                        weight.coarsening += 1
                    _check_weights(node, weight, "the skip value added to it is 2^24 times larger than its products")


def _check_weights(node: fx.Node, weight: PowerOfTwoObserver, reason: str) -> None:
    largest = max(abs(float(weight.min_val)), abs(float(weight.max_val)))
    if weight.coarsening and 0 < largest < _LEAST_WEIGHT * 2.0**weight.exponent:
        raise UserError(
            f"{reason} at a scale that keeps its weights (largest {largest:.3g})",
            where=describe(node),
            help="bring weights and bias to similar magnitudes (is a batch norm's variance nearly 0?)",
        )


def remarks(converted: fx.GraphModule) -> list[str]:
    """Where PyTorch's float arithmetic may not be the integer arithmetic, and other facts worth a line."""
    notes: list[str] = []
    for node in converted.graph.nodes:
        if node.target in LAYERS:
            bits = _accumulator_bits(converted, node)
            if bits is not None and bits >= _EXACT:
                reach = f"accumulators may reach 2^{bits:.1f}, where PyTorch's float32 is no longer exact"
                notes.append(f"{describe(node)}: {reach}")
        elif node.target in AVERAGE_POOLS:
            area = math.prod(cast("list[int]", node.args[1]))
            if area & (area - 1):
                notes.append(f"{describe(node)}: averages {area} values, which is no power of two")
    return notes


def _accumulator_bits(converted: fx.GraphModule, node: fx.Node) -> float | None:
    """log2 of the largest magnitude that the layer's accumulator can reach, None without quantized operands."""
    weight, bias = node.args[1], node.args[2]
    if not isinstance(weight, fx.Node) or weight.target != DEQUANTIZE:
        return None
    total = _tensor(converted, weight.all_input_nodes[0]).double().abs().flatten(1).sum(1) * 128
    if isinstance(bias, fx.Node) and bias.target == DEQUANTIZE:
        total = total + _tensor(converted, bias.all_input_nodes[0]).double().abs()
    return math.log2(max(float(total.max()), 1.0))


def _tensor(module: fx.GraphModule, node: fx.Node) -> Tensor:
    """The parameter or buffer that a ``get_attr`` node reads, through reshapes."""
    while node.op != "get_attr":
        node = node.all_input_nodes[0]
    value: Any = module
    for name in str(node.target).split("."):
        value = getattr(value, name)
    return cast("Tensor", value)
