# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls doctor` for PyTorch modules: quantizes and imports the module as `build` would, and says what it found.

Importing this module is cheap; `examine` imports PyTorch.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_hls.errors import UserError
from resnet_hls.frontend.doctor import Diagnosis, Layer, Quantizer, Skip, SkipOperand
from resnet_hls.frontend.onnx_graph import Problem
from resnet_hls.frontend.sources import TorchSource

if TYPE_CHECKING:
    from torch import fx

    from resnet_hls.frontend.torch_module import QuantizedModule

Shape = tuple[int, ...]


def examine(source: TorchSource) -> Diagnosis:
    """Examines what `source` means. Whatever is wrong with it becomes a problem of the diagnosis; nothing is raised."""
    path = Path(source.model)
    try:
        quantized = source.quantized
        imported = source.imported()
    except UserError as error:
        problem = Problem(error.where or source.model, error.message, error.help)
        return Diagnosis(path, "", (), (), (), (), (), (problem,), ())
    graph = quantized.module.graph
    shapes = _shapes(quantized)
    return Diagnosis(
        path=path,
        dialect="PyTorch PT2E",
        input_shape=(1, *quantized.input_shape),
        output_shape=imported.output_shape,
        layers=tuple(_layers(graph, shapes)),
        skips=tuple(_skips(graph)),
        quantizers=tuple(_quantizers(graph)),
        problems=(),
        notes=imported.notes,
    )


def _shapes(quantized: QuantizedModule) -> dict[str, Shape]:
    """The shape of what each node computes for one image, found by computing it."""
    import torch
    from torch import fx

    found: dict[str, Shape] = {}

    class Recorder(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            result = super().run_node(n)
            if isinstance(result, torch.Tensor):
                found[n.name] = tuple(result.shape)
            return result

    with torch.no_grad():
        Recorder(quantized.module).run(torch.zeros(1, *quantized.input_shape))
    return found


def _is_call(node: fx.Node) -> bool:
    return node.op == "call_function" and "quantized_decomposed" not in str(node.target)


def _layers(graph: fx.Graph, shapes: dict[str, Shape]) -> list[Layer]:
    from resnet_hls.frontend.torch_nodes import LAYERS, describe, operator_name

    layers = []
    for node in graph.nodes:
        if not _is_call(node) or node.name not in shapes or _is_constant(node):
            continue
        given, result = shapes[node.all_input_nodes[0].name], shapes[node.name]
        macs = 0
        if node.target in LAYERS:
            weight = shapes[node.all_input_nodes[1].name]
            macs = math.prod(weight[1:]) * math.prod(result[1:])
        layers.append(Layer(describe(node), operator_name(node), given, result, macs))
    return layers


def _is_constant(node: fx.Node) -> bool:
    """Computed from weights alone."""
    sources = node.all_input_nodes
    return bool(sources) and all(source.op == "get_attr" or _is_constant(source) for source in sources)


def _skips(graph: fx.Graph) -> list[Skip]:
    from resnet_hls.frontend.torch_nodes import aten, describe

    skips = []
    for node in graph.nodes:
        if node.target != aten.add.Tensor or len(node.all_input_nodes) != 2:
            continue
        first, second = (_operand(operand) for operand in node.all_input_nodes)
        equal = first.scale == second.scale and first.fraction_bits is not None
        skips.append(Skip(describe(node), (first, second), equal))
    return skips


def _operand(node: fx.Node) -> SkipOperand:
    from resnet_hls.frontend.torch_nodes import describe

    if not _is_call(node) and len(node.args) > 1:
        scale = float(str(node.args[1]))
        return SkipOperand(_source(node), -int(math.log2(scale)), _power(scale))
    return SkipOperand(describe(node), None, "accumulator")


def _source(node: fx.Node) -> str:
    """The layer whose result a quantizer or dequantizer passes on."""
    from resnet_hls.frontend.torch_nodes import describe

    while node.op == "call_function" and not _is_call(node):
        node = node.all_input_nodes[0]
    return describe(node)


def _power(scale: float) -> str:
    exponent = math.log2(scale)
    return f"2^{exponent:.0f}" if exponent == round(exponent) else f"{scale:g}"


def _quantizers(graph: fx.Graph) -> list[Quantizer]:
    found = []
    for node in graph.nodes:
        if node.op != "call_function" or _is_call(node):
            continue
        constant = node.all_input_nodes[0].op == "get_attr"
        if str(node.target).startswith("quantized_decomposed.dequantize") and not constant:
            continue  # the quantizer in front of it is listed
        scale, zero_point, least = float(str(node.args[1])), int(str(node.args[2])), int(str(node.args[3]))
        bits = 16 if "int16" in str(node.args[5]) else 8
        role = "activation"
        if constant:
            user = next(iter(node.users))
            role = "bias" if len(user.args) > 2 and user.args[2] is node else "weight"
        elif node.all_input_nodes[0].op == "placeholder":
            role = "input"
        name = _source(next(iter(node.users))) if constant else _source(node)
        found.append(Quantizer(name, role, bits, least < 0, _power(scale), zero_point, math.log2(scale) % 1 == 0))
    return found
