# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small PyTorch networks, and what the tests of the PyTorch frontend ask of quantized ones. Imports PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.nn import functional

from resnet_hls.models import BUNDLED, resnet

quantized = torch.ops.quantized_decomposed
QUANTIZE = quantized.quantize_per_tensor.default
DEQUANTIZE = quantized.dequantize_per_tensor.default


def synthetic_images(count: int, seed: int = 0, size: int = 32) -> NDArray[np.float32]:
    """Smooth random colour images (count, 3, size, size): float32 pixels k/255 in 0..1, the same for the same ``seed``.

    Each is the sum of three bilinearly enlarged noise fields (2, 4 and 8 cells wide), with an own contrast.
    """
    generator = np.random.default_rng(seed)
    image = np.zeros((count, 3, size, size))
    for cells, weight in ((2, 1.0), (4, 0.6), (8, 0.4)):
        noise = generator.standard_normal((count, 3, cells + 1, cells + 1))
        position = np.arange(size) * (cells / size)
        low = position.astype(np.int64)
        part = position - low
        rows = noise[:, :, low] * (1 - part)[:, None] + noise[:, :, low + 1] * part[:, None]
        image += weight * (rows[..., low] * (1 - part) + rows[..., low + 1] * part)
    contrast = generator.uniform(0.1, 0.35, (count, 1, 1, 1))
    brightness = generator.uniform(0.3, 0.7, (count, 1, 1, 1))
    pixels = np.round(np.clip(brightness + contrast * image, 0.0, 1.0) * 255)
    return (pixels / 255).astype(np.float32)


def settle_batch_norm(module: nn.Module, images: Tensor) -> None:
    """Set the statistics of every batch norm in ``module`` to those of ``images`` (N, 3, 32, 32), and go to eval mode.

    They are rounded to multiples of 2^-10, so that they do not depend on the order of summation.
    """
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    module.train()
    with torch.no_grad():
        module(images)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            for statistic in (norm.running_mean, norm.running_var):
                assert statistic is not None
                statistic.copy_(torch.round(statistic * 1024) / 1024)
    module.eval()


def untrained(name: str, seed: int = 0) -> tuple[nn.Module, Tensor]:
    """A bundled network with random weights, in eval mode, and images (64, 3, 32, 32) that settled its batch norms."""
    images = torch.from_numpy(synthetic_images(64, seed))
    network = resnet.seeded(BUNDLED[name].blocks, seed)
    settle_batch_norm(network, images)
    return network, images


class Depthwise(nn.Module):
    """A depthwise convolution with batch norm and stride, and a dilated one in two groups."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding="same", bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8, bias=False)
        self.bn2 = nn.BatchNorm2d(8)
        self.grouped = nn.Conv2d(8, 16, 3, padding=2, dilation=2, groups=2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn(self.conv(x)))
        x = self.relu(self.bn2(self.depthwise(x)))
        return self.grouped(x)


class Pools(nn.Module):
    """Max pooling with and without padding, ReLU6, concatenation, dropout, a global mean, two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(3, 8, 3, padding=1, stride=2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.fc1 = nn.Linear(24, 24)
        self.bn = nn.BatchNorm1d(24)
        self.fc2 = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        left = functional.max_pool2d(functional.relu6(self.conv1(x)), 2)
        right = functional.max_pool2d(self.pool(self.conv1(x)), 1)
        y = torch.cat([left, right, self.conv2(x)], 1)
        y = functional.dropout(y, 0.3, self.training).mean((2, 3))
        return self.fc2(torch.relu(self.bn(self.fc1(y))))


class Adds(nn.Module):
    """Adds in place, of the input, of one value twice, of two convolutions; the last linear layer reads a map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(3, 3, 1)
        self.pool = nn.AvgPool2d(4)
        self.fc = nn.Linear(3 * 8 * 8, 10, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(x)
        y += x
        y = torch.relu_(y)
        z = self.conv2(y) + self.conv1(y)
        z = torch.relu(z) + z
        return self.fc(self.pool(z).reshape(x.size(0), -1))


class One(nn.Module):
    """A function of the image as a module, with two convolutions at hand."""

    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 1)
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def images(count: int = 8, seed: int = 5) -> NDArray[np.float32]:
    """Images (count, 3, 32, 32): smooth ones, pixels k/255, and normally distributed numbers."""
    generator = np.random.default_rng(seed)
    parts = [
        synthetic_images(count, seed),
        (generator.integers(0, 256, (count, 3, 32, 32)) / 255).astype(np.float32),
        generator.normal(size=(count, 3, 32, 32)).astype(np.float32),
    ]
    return np.concatenate(parts)[::3]


def seeded(network: Callable[[], nn.Module], seed: int = 1) -> nn.Module:
    """``network()`` with weights from ``seed``, in eval mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return network().eval()


class _Exact(fx.Interpreter):
    """Runs a quantized graph in float64, where nothing of it rounds but the quantizers."""

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if target == QUANTIZE:
            values, scale, zero_point, lowest, highest, _ = args
            return torch.clamp(torch.round(values / scale) + zero_point, lowest, highest)
        if target == DEQUANTIZE:
            return (args[0].double() - args[2]) * args[1]
        return super().call_function(target, args, kwargs)


def run_exactly(module: fx.GraphModule, batch: NDArray[np.float32]) -> NDArray[np.float64]:
    """What a quantized ``module`` gives in exact arithmetic."""
    with torch.no_grad():
        result: NDArray[np.float64] = _Exact(module).run(torch.from_numpy(batch).double()).numpy()
    return result


def scales(module: fx.GraphModule) -> list[float]:
    """The scale of every quantizer and dequantizer."""
    return [node.args[1] for node in module.graph.nodes if node.target in (QUANTIZE, DEQUANTIZE)]


def constant(module: fx.GraphModule, node: fx.Node) -> Tensor:
    """The integers behind a dequantized constant."""
    value: Any = module
    for name in str(node.args[0].target).split("."):
        value = getattr(value, name)
    assert isinstance(value, Tensor)
    return value
