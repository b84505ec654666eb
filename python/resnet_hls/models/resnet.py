# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Residual networks for CIFAR-10: ResNet8 and ResNet20 (He et al., 2015, section 4.2, with 1x1 downsampling).

Three stages of 16, 32 and 64 channels; ResNet8 has one block per stage and ResNet20 three. The sum of a block takes
the second convolution's batch norm directly: nothing is rounded between that convolution and the residual add, so
that a compiler may start the accumulator with the skip value.

Importing this module imports PyTorch.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

STAGE_CHANNELS = (16, 32, 64)
"""Output channels of the three stages; the first convolution has as many as the first stage."""


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a skip connection: (N, C, H, W) to (N, channels, H/stride, W/stride).

    The skip is a 1x1 convolution with batch norm where the shape changes, and the identity elsewhere.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu2 = nn.ReLU()
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        result: Tensor = self.relu2(out + self.downsample(x))
        return result


class ResNet(nn.Module):
    """A CIFAR residual network with ``blocks`` basic blocks in each of its three stages.

    Takes images as (N, 3, 32, 32) float32, usually pixels in 0..1, and gives (N, classes) logits.
    """

    def __init__(self, blocks: int, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STAGE_CHANNELS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(STAGE_CHANNELS[0])
        self.relu = nn.ReLU()
        self.layer1 = self._stage(STAGE_CHANNELS[0], STAGE_CHANNELS[0], blocks, stride=1)
        self.layer2 = self._stage(STAGE_CHANNELS[0], STAGE_CHANNELS[1], blocks, stride=2)
        self.layer3 = self._stage(STAGE_CHANNELS[1], STAGE_CHANNELS[2], blocks, stride=2)
        self.avgpool = nn.AvgPool2d(8)
        self.fc = nn.Linear(STAGE_CHANNELS[2], classes)

    @staticmethod
    def _stage(in_channels: int, channels: int, blocks: int, stride: int) -> nn.Sequential:
        first = BasicBlock(in_channels, channels, stride)
        return nn.Sequential(first, *(BasicBlock(channels, channels) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits


def initialize(module: nn.Module, seed: int) -> None:
    """Draw every convolution and linear layer of ``module`` anew from ``seed``, the same on every machine."""
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5, generator=generator)
            nn.init.zeros_(layer.bias)


def seeded(blocks: int, seed: int = 0) -> ResNet:
    """A network of ``blocks`` blocks per stage, random weights from ``seed``; torch's own generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        network = ResNet(blocks)
    initialize(network, seed)
    return network


def folded(blocks: int) -> ResNet:
    """A network whose batch norms are folded: identities, and biases in the convolutions. Its weights are not set."""
    with torch.random.fork_rng(devices=[]):
        network = ResNet(blocks)
    for owner in list(network.modules()):
        for name, layer in list(owner.named_children()):
            if isinstance(layer, nn.BatchNorm2d):
                setattr(owner, name, nn.Identity())
            elif isinstance(layer, nn.Conv2d):
                layer.bias = nn.Parameter(torch.zeros(layer.out_channels))
    return network.eval()


def unfolded(network: ResNet, images: Tensor, seed: int = 0) -> ResNet:
    """A network to train that computes what ``network`` does; one that has batch norms is copied.

    A folded one gets them back, with the statistics that ``images`` (N, C, H, W) have there. A convolution gets the
    norm of a random one from ``seed``: its batch norm undoes that, but it decides how far a step of training turns it.
    One of zeros alone stays so.
    """
    result = seeded(len(network.layer1), seed)
    if result.state_dict().keys() == network.state_dict().keys():
        result.load_state_dict(network.state_dict())
        return result
    statistics: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def note(source: nn.Module, _: Any, output: Tensor) -> None:
        variance, mean = torch.var_mean(output, (0, 2, 3), correction=0)
        statistics[source] = variance, mean

    sources = _of_type(network, nn.Conv2d)
    with torch.no_grad():
        hooks = [source.register_forward_hook(note) for source in sources]
        network(images)
        for hook in hooks:
            hook.remove()
        layers = zip(sources, _of_type(result, nn.Conv2d), _of_type(result, nn.BatchNorm2d), strict=True)
        for source, convolution, norm in layers:
            assert source.bias is not None
            variance, mean = statistics[source]
            scale = convolution.weight.norm() / source.weight.norm().clamp_min(1e-12)
            convolution.weight.copy_(source.weight * scale)
            norm.running_mean = (mean - source.bias) * scale
            norm.running_var = variance * scale**2
            norm.weight.copy_(torch.sqrt(norm.running_var + norm.eps) / scale)
            norm.bias.copy_(mean)
        result.fc.load_state_dict(network.fc.state_dict())
    return result.eval()


_Layer = TypeVar("_Layer", bound=nn.Module)


def _of_type(network: nn.Module, kind: type[_Layer]) -> list[_Layer]:
    return [layer for layer in network.modules() if isinstance(layer, kind)]


def resnet8(seed: int = 0) -> ResNet:
    """ResNet8 (one block per stage) with random weights from ``seed``."""
    return seeded(1, seed)


def resnet20(seed: int = 0) -> ResNet:
    """ResNet20 (three blocks per stage) with random weights from ``seed``."""
    return seeded(3, seed)
