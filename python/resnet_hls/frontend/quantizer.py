# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The integer format of the compiler as a torchao PT2E quantizer, and the observer that chooses its scales.

Weights and activations are int8, biases int16, every scale is one power of two per tensor and every zero point is 0.
A convolution, its batch norm and its activation are one unit. What a convolution hands to a residual add stays in the
accumulator's scale; only the other operand of the add, and its result, are quantized.

Importing this module imports PyTorch and torchao (six seconds): do it inside functions.
"""

from __future__ import annotations

import math
from typing import Any, Literal, cast

import torch
from torch import Tensor, fx
from torchao.quantization.pt2e import FakeQuantize, MinMaxObserver
from torchao.quantization.pt2e.quantizer import (
    DerivedQuantizationSpec,
    QuantizationAnnotation,
    QuantizationSpec,
    Quantizer,
    SharedQuantizationSpec,
)

from resnet_hls.frontend.torch_graph import normalize
from resnet_hls.frontend.torch_nodes import (
    ACTIVATIONS,
    AVERAGE_POOLS,
    BATCH_NORMS,
    LAYERS,
    RESHAPES,
    SHARING_OPS,
    aten,
    only_user,
    unsupported,
)

ScaleChoice = Literal["range", "error"]
"""How an observer chooses a scale: by the largest magnitude it saw, or by the mean squared rounding error."""

_LOWEST_EXPONENT, _HIGHEST_EXPONENT = -24, 8
_ERROR_SAMPLES = 1 << 14


class PowerOfTwoObserver(MinMaxObserver):  # type: ignore[misc]
    """Watches a tensor and gives it a scale 2^e and zero point 0.

    ``choice="range"``: the smallest scale with max |x| <= 128 scale. Clipping x = 128 scale to 127 costs one step,
    which is what rounding costs at worst with the next larger scale.
    ``choice="error"``: the scale of least squared error over (a strided sample of) what was seen.

    ``coarsening`` is added to the exponent afterwards; :func:`resnet_hls.frontend.torch_module.quantize` uses it to
    make biases fit 16 bits. Where ``given`` is set, it is the exponent, whatever was seen.
    """

    def __init__(self, choice: ScaleChoice = "range", **options: Any) -> None:
        super().__init__(**options)
        self.choice = choice
        self.coarsening = 0
        self.given: int | None = None
        exponents = torch.arange(_LOWEST_EXPONENT, _HIGHEST_EXPONENT + 1, dtype=torch.float64)
        self.register_buffer("squared_error", torch.zeros_like(exponents))

    def forward(self, x_orig: Tensor) -> Tensor:
        """Record ``x_orig`` (any shape), and return it unchanged."""
        super().forward(x_orig)
        if self.choice == "error" and x_orig.numel():
            flat = x_orig.detach().flatten()
            sample = flat[:: max(1, flat.numel() // _ERROR_SAMPLES)].double()
            for index, exponent in enumerate(range(_LOWEST_EXPONENT, _HIGHEST_EXPONENT + 1)):
                rounded = torch.clamp(torch.round(sample * 2.0**-exponent), self.quant_min, self.quant_max)
                self.squared_error[index] += (rounded * 2.0**exponent - sample).square().sum()
        return x_orig

    @property
    def exponent(self) -> int:
        """The exponent e of the scale 2^e."""
        if self.given is not None:
            return self.given
        largest = max(abs(float(self.min_val)), abs(float(self.max_val)))
        if not math.isfinite(largest) or largest == 0.0:
            return -7 + self.coarsening  # nothing was seen, or only zeros
        if self.choice == "error":
            best = int(torch.argmin(self.squared_error)) + _LOWEST_EXPONENT
        else:
            mantissa, exponent = math.frexp(largest / 128)
            best = exponent - 1 if mantissa == 0.5 else exponent
            best = min(max(best, _LOWEST_EXPONENT), _HIGHEST_EXPONENT)
        return best + self.coarsening

    def calculate_qparams(self) -> tuple[Tensor, Tensor]:
        """Scale (float32, shape (1,)) and zero point (int64, shape (1,), always 0)."""
        return torch.tensor([2.0**self.exponent]), torch.zeros(1, dtype=torch.int64)


def _product_of_scales(observers: list[Any]) -> tuple[Tensor, Tensor]:
    scale = math.prod(float(observer.calculate_qparams()[0]) for observer in observers)
    return torch.tensor([scale]), torch.zeros(1, dtype=torch.int64)


class PowerOfTwoQuantizer(Quantizer):  # type: ignore[misc]
    """Annotates a network of convolutions, batch norms, ReLUs, adds, concatenations, poolings and linear layers.

    Args:
        choice: how activation and weight scales are chosen, see :class:`PowerOfTwoObserver`.
        training: insert fake quantizers (for ``prepare_qat_pt2e``) instead of observers.

    ``annotate`` raises :class:`resnet_hls.UserError` naming the module path of an operator it has no integer form for.
    """

    def __init__(self, choice: ScaleChoice = "range", training: bool = False) -> None:
        super().__init__()

        def spec(lowest: int) -> QuantizationSpec:
            constructor = PowerOfTwoObserver.with_args(choice=choice)
            if training:
                constructor = FakeQuantize.with_args(observer=PowerOfTwoObserver, choice=choice)
            return QuantizationSpec(torch.int8, constructor, lowest, 127, torch.per_tensor_symmetric)

        self.activation = spec(-128)
        self.weight = spec(-127)  # symmetric: two products share one DSP without an overflow

    def transform_for_annotation(self, model: fx.GraphModule) -> fx.GraphModule:
        """Bring the exported graph to the few operators of :mod:`resnet_hls.frontend.torch_nodes`."""
        return normalize(model)

    def annotate(self, model: fx.GraphModule) -> fx.GraphModule:
        """Write a quantization annotation into every node of ``model`` that computes."""
        accumulators = {operand for node in model.graph.nodes if (operand := accumulator_operand(node)) is not None}
        for node in model.graph.nodes:
            if node.op == "call_function":
                self._annotate(node, accumulators)
        return model

    def validate(self, model: fx.GraphModule) -> None:
        """Every node that computes was annotated; ``annotate`` raised otherwise."""

    def _annotate(self, node: fx.Node, accumulators: set[fx.Node]) -> None:
        if node.target in LAYERS:
            source, weight, *rest = cast("tuple[fx.Node, ...]", node.args)
            inputs: dict[fx.Node, Any] = {source: self.activation, weight: self.weight}
            if rest and rest[0] is not None:
                inputs[rest[0]] = DerivedQuantizationSpec(
                    derived_from=[(source, node), (weight, node)],
                    derive_qparams_fn=_product_of_scales,
                    dtype=torch.int16,
                    quant_min=-(1 << 15),
                    quant_max=(1 << 15) - 1,
                    qscheme=torch.per_tensor_symmetric,
                )
            last = _end_of_unit(node)
            _mark(node, inputs)
            if last not in accumulators:
                _mark(last, output=self.activation)
        elif node.target == aten.add.Tensor:
            kept = accumulator_operand(node)
            _mark(node, {operand: self.activation for operand in node.all_input_nodes if operand is not kept})
            _mark(_end_of_unit(node), output=self.activation)
        elif node.target in AVERAGE_POOLS:
            _mark(node, {node.all_input_nodes[0]: self.activation})
            _mark(_end_of_unit(node), output=self.activation)
        elif node.all_input_nodes and all(source.op == "get_attr" for source in node.all_input_nodes):
            pass  # the reshape of a weight, which is folded, or the counter of a batch norm
        elif node.target in SHARING_OPS or node.target in RESHAPES:
            first, *others = node.all_input_nodes
            shared = SharedQuantizationSpec((first, node))
            _mark(node, {first: self.activation, **dict.fromkeys(others, shared)}, shared)
        elif node.target in ACTIVATIONS:
            if "quantization_annotation" not in node.meta:  # it belongs to no layer
                _mark(node, {node.all_input_nodes[0]: self.activation}, self.activation)
        elif node.target not in BATCH_NORMS or "quantization_annotation" not in node.meta:
            raise unsupported(node)


def accumulator_operand(node: fx.Node) -> fx.Node | None:
    """The operand of a residual add that stays an accumulator: a convolution (with batch norm) that nothing else reads.

    Where both operands are, the one with the larger kernel does, and the first of two equal ones.
    """
    if node.op != "call_function" or node.target != aten.add.Tensor:
        return None
    candidates: list[tuple[int, fx.Node]] = []
    for operand in node.all_input_nodes:
        layer = operand.all_input_nodes[0] if operand.target in BATCH_NORMS else operand
        if layer.target in LAYERS and only_user(operand) is node and (layer is operand or only_user(layer) is operand):
            candidates.append((cast("fx.Node", layer.args[1]).meta["val"].numel(), operand))
    return max(candidates, key=lambda candidate: candidate[0])[1] if candidates else None


def _end_of_unit(node: fx.Node) -> fx.Node:
    """The last node of the chain node, batch norm, activation, as far as nothing else reads what is between them."""
    user = only_user(node)
    if user is not None and user.target in BATCH_NORMS:
        node, user = user, only_user(user)
        node.meta["quantization_annotation"] = QuantizationAnnotation(_annotated=True)
    return user if user is not None and user.target in ACTIVATIONS else node


def _mark(node: fx.Node, inputs: dict[fx.Node, Any] | None = None, output: Any = None) -> None:
    annotation = node.meta.setdefault("quantization_annotation", QuantizationAnnotation(_annotated=True))
    if inputs is not None:
        annotation.input_qspec_map = inputs
    if output is not None:
        annotation.output_qspec = output
