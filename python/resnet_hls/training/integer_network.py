# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A network that computes as the compiled hardware does and yet can be trained: fake quantizers with fixed scales.

Batch norms are folded, with the statistics of float training. Scales are chosen once, by error, and stay. All values
are multiples of powers of two, and all sums stay below 2^24 steps, so that float32 computes the integers.
Importing this module imports PyTorch and torchao.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, fx, nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e

from resnet_hls.frontend import torch_integers as ti
from resnet_hls.frontend.quantizer import PowerOfTwoObserver
from resnet_hls.frontend.torch_factory import quiet
from resnet_hls.frontend.torch_module import QuantizedModule
from resnet_hls.frontend.torch_quantize import observe, remarks
from resnet_hls.models.weights import Weights


class FixedScale(nn.Module):
    """Rounds to multiples of 2^exponent, half to even, and clips; the gradient passes where nothing is clipped."""

    scale: Tensor
    zero_point: Tensor

    def __init__(self, exponent: int, least: int, greatest: int) -> None:
        super().__init__()
        self.least, self.greatest = least, greatest
        self.register_buffer("scale", torch.tensor([2.0**exponent]))
        self.register_buffer("zero_point", torch.zeros(1, dtype=torch.int32))

    @property
    def exponent(self) -> int:
        """The exponent of the scale."""
        return math.frexp(float(self.scale))[1] - 1

    def forward(self, x: Tensor) -> Tensor:
        """The rounded values, of the shape of ``x``."""
        return torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero_point, self.least, self.greatest)


class IntegerNetwork:
    """A float network made one of integers.

    Args:
        network: the float network; it is not changed.
        images: (N, C, H, W), float32, that choose the scales.

    Attributes:
        module: to train: images (N, C, H, W), float32, to logits. Its state holds the scales too.

    Raises:
        UserError: the network has no integer form.
    """

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        with quiet():
            self._observed = observe(network, images, "error")
            self.module = _trainable(copy.deepcopy(self._observed))
        self._shape = tuple(images.shape[1:])

    def observed(self) -> fx.GraphModule:
        """The graph with observers, with the weights and scales that `module` has now."""
        with quiet():
            observed = copy.deepcopy(self._observed)
        trained = dict(self.module.named_parameters())
        with torch.no_grad():
            for name, parameter in observed.named_parameters():
                parameter.copy_(trained[name])
        modules, observers = dict(self.module.named_modules(remove_duplicate=False)), observed.named_modules
        for name, observer in observers(remove_duplicate=False):
            if isinstance(observer, PowerOfTwoObserver):
                observer.given = modules[name].exponent
        return observed

    def quantized(self) -> QuantizedModule:
        """What the compiler takes: it computes what `module` computes now, bit by bit."""
        with quiet():
            converted = convert_pt2e(self.observed())
        return QuantizedModule(converted, self._shape, remarks(converted))

    def weights(self, network: str, training: dict[str, Any]) -> Weights:
        """The file of weights for what `module` computes now; `network` is a bundled name, `training` is for people."""
        tensors, exponents = ti.integers(self.observed())
        return Weights(network, {name: tensor.numpy() for name, tensor in tensors.items()}, exponents, training)


def _trainable(observed: fx.GraphModule) -> fx.GraphModule:
    """``observed`` with its observers replaced by fake quantizers of their scales."""
    layers = ti.layers(observed)
    replaced: dict[int, nn.Module] = {}
    for name, module in list(observed.named_modules(remove_duplicate=False)):
        if isinstance(module, PowerOfTwoObserver):
            new = replaced.setdefault(id(module), FixedScale(module.exponent, module.quant_min, module.quant_max))
            observed.set_submodule(name, new)
    limits = torch.iinfo(torch.int16)
    for layer in layers:
        if layer.bias_quantizer is not None:
            exponent = layer.source_observer.exponent + layer.weight_observer.exponent
            observed.set_submodule(layer.bias_quantizer, FixedScale(exponent, limits.min, limits.max))
    for parameter in observed.parameters():
        parameter.requires_grad_(True)
    return observed
