# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A set of images that a small residual network learns in seconds, and that network."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from resnet_hls.training.batches import Labelled
from resnet_hls.training.recipe import RECIPES, Recipe

CLASSES = 4
RECIPE = dataclasses.replace(
    RECIPES["resnet8"],
    epochs=3,
    quantized_epochs=1,
    batch_size=32,
    learning_rate=0.05,
    warm_up=1,
    average=0.9,
    cutout=4,
    seed=5,
)


def striped(count: int, seed: int) -> Labelled:
    """Noisy images (count, 16, 16, 3): stripes that lie or stand, on red or on blue, also when shifted and flipped."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    line = (torch.arange(16) // 2 % 2 * 90.0)[None, :].expand(16, 16)
    images = torch.randint(0, 60, (count, 16, 16, 3), generator=generator).float()
    for index, label in enumerate(labels.tolist()):
        images[index, :, :, 1] += line if label % 2 else line.T
        images[index, :, :, 2 * (label // 2)] += 60
    return Labelled(images.to(torch.uint8), labels)


class Residual(nn.Module):
    """A convolution, one block with a downsampling skip, pooling, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.skip = nn.Conv2d(8, 16, 1, stride=2, bias=False)
        self.bn3 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.pool = nn.AvgPool2d(8)
        self.fc = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)) + self.bn3(self.skip(x)))
        result: Tensor = self.fc(torch.flatten(self.pool(x), 1))
        return result


def network(seed: int = 0) -> Residual:
    """The same network for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Residual()


def recipe(**changes: object) -> Recipe:
    """The recipe of these tests, changed."""
    return dataclasses.replace(RECIPE, **changes)  # type: ignore[arg-type]
