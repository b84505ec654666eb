# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The integers and exponents of an observed graph by name: what a file of weights holds.

A parameter is called as in the module: ``layer1.0.conv1.weight``, and ``….bias`` also where a folded batch norm gave
it. A feature map is called ``input``, or after the module that computes it; where one computes several, the
later ones are ``NAME:1``, ``NAME:2`` in the order of the graph. Every value is its integer times 2^exponent.

Importing this module imports PyTorch and torchao.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

from resnet_hls.errors import UserError
from resnet_hls.frontend.quantizer import PowerOfTwoObserver
from resnet_hls.frontend.torch_nodes import LAYERS, RESHAPES, module_path

INPUT = "input"


@dataclass(frozen=True)
class Layer:
    """A layer of an observed graph: the names of its parameters there, and the observers of its operands.

    Attributes:
        weight, bias: parameters of the graph module; a layer may have no bias.
        weight_observer, source_observer: of the weight and of the layer's input.
        name: of the layer's module.
        bias_quantizer: the submodule that stands for the bias's quantizer.
    """

    weight: str
    bias: str | None
    weight_observer: PowerOfTwoObserver
    source_observer: PowerOfTwoObserver
    name: str
    bias_quantizer: str | None


def observers(observed: fx.GraphModule) -> dict[str, PowerOfTwoObserver]:
    """The observers of ``observed`` by the names of what they observe, each once, in the order of the graph."""
    modules = _modules(observed)
    found: dict[str, PowerOfTwoObserver] = {}
    seen: set[int] = set()
    for node in observed.graph.nodes:
        observer = modules.get(node.target) if node.op == "call_module" else None
        if not isinstance(observer, PowerOfTwoObserver) or id(observer) in seen:
            continue
        seen.add(id(observer))
        base = name = _name(node.all_input_nodes[0])
        number = 0
        while name in found:
            number += 1
            name = f"{base}:{number}"
        found[name] = observer
    return found


def layers(observed: fx.GraphModule) -> list[Layer]:
    """The layers of ``observed`` whose weight and input are observed."""
    modules = _modules(observed)
    result = []
    for node in observed.graph.nodes:
        if node.target not in LAYERS:
            continue
        source, weight, *rest = node.args
        bias = rest[0] if rest else None
        source_observer, weight_observer = (modules.get(str(operand.target)) for operand in (source, weight))
        if not isinstance(source_observer, PowerOfTwoObserver) or not isinstance(weight_observer, PowerOfTwoObserver):
            continue
        result.append(
            Layer(
                _parameter(weight),
                None if bias is None else _parameter(bias),
                weight_observer,
                source_observer,
                module_path(node),
                None if bias is None else str(bias.target),
            )
        )
    return result


def integers(observed: fx.GraphModule) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Weights (int8) and biases (int16) of ``observed``, and the exponents of these and of all feature maps."""
    exponents = {name: observer.exponent for name, observer in observers(observed).items()}
    tensors: dict[str, Tensor] = {}
    for layer in layers(observed):
        weight = layer.weight_observer
        name = layer.name or layer.weight.rpartition(".")[0]
        tensors[f"{name}.weight"] = rounded(
            observed.get_parameter(layer.weight), weight.exponent, weight.quant_min, weight.quant_max
        ).to(torch.int8)
        if layer.bias is not None:
            exponent = exponents[f"{name}.bias"] = layer.source_observer.exponent + weight.exponent
            limits = torch.iinfo(torch.int16)
            values = rounded(observed.get_parameter(layer.bias), exponent, limits.min, limits.max)
            tensors[f"{name}.bias"] = values.to(torch.int16)
    return tensors, exponents


def rounded(values: Tensor, exponent: int, least: int, greatest: int) -> Tensor:
    """``values`` in steps of 2^exponent, rounded half to even, clipped."""
    return torch.clamp(torch.round(values.detach().double() * 2.0**-exponent), least, greatest)


def give_exponents(observed: fx.GraphModule, exponents: dict[str, int]) -> None:
    """Set the scale of every observer of ``observed``.

    Raises:
        UserError: ``exponents`` lacks one.
    """
    for name, observer in observers(observed).items():
        if name not in exponents:
            raise UserError(f"has no exponent of '{name}'", where="weights", help="take a file of this network")
        observer.given = exponents[name]


def _modules(graph: fx.GraphModule) -> dict[str, Any]:
    return dict(graph.named_modules(remove_duplicate=False))  # observers are shared


def _parameter(node: fx.Node) -> str:
    while node.op != "get_attr":
        node = node.all_input_nodes[0]
    return str(node.target)


def _name(node: fx.Node) -> str:
    if node.op == "placeholder":
        return INPUT
    while node.target in RESHAPES and node.all_input_nodes[0].op == "get_attr":
        node = node.all_input_nodes[0]
    return str(node.target) if node.op == "get_attr" else module_path(node) or node.name
