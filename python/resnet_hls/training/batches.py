# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Labelled images in memory, and the batches of an epoch: what step s sees depends on the seed and s alone.

No generator is carried from step to step, so that a run that goes on from a checkpoint sees what it would have seen.
Importing this module imports PyTorch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from resnet_hls.data import cifar10
from resnet_hls.errors import UserError

PADDING = 4
"""Pixels that an image may be shifted by."""
_ORDER, _CHANGES = 1, 2
_GREY = 0.5


@dataclass(frozen=True)
class Labelled:
    """Images (N, H, W, C), uint8 pixels, and their labels (N,), int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> Labelled:
        """The same on another device."""
        return Labelled(self.images.to(device), self.labels.to(device))


def load(folder: str | os.PathLike[str], held_out: int) -> tuple[Labelled, Labelled]:
    """CIFAR-10's training set without its last `held_out` images, and these, for validation. No test image is read.

    Raises:
        UserError: the folder has no CIFAR-10, or one of its files has another MD5 sum than the official one.
    """
    images, labels = cifar10.load(folder, "train", check_md5=True)
    return split(Labelled(torch.from_numpy(images), torch.from_numpy(labels)), held_out)


def split(data: Labelled, held_out: int) -> tuple[Labelled, Labelled]:
    """`data` without its last `held_out` images, and these.

    Raises:
        UserError: that leaves nothing to one of the two.
    """
    if not 0 < held_out < len(data):
        raise UserError(f"{held_out} of {len(data)} images held out", help="hold some out, and not all", status=2)
    return (
        Labelled(data.images[:-held_out], data.labels[:-held_out]),
        Labelled(data.images[-held_out:], data.labels[-held_out:]),
    )


def to_float(images: Tensor) -> Tensor:
    """Pixels (N, H, W, C), uint8, as the networks take them: (N, C, H, W), float32 in 0..1, channels last in memory."""
    return images.permute(0, 3, 1, 2).to(torch.float32) / 255


def training_batch(data: Labelled, batch_size: int, step: int, seed: int, cutout: int = 0) -> tuple[Tensor, Tensor]:
    """The augmented images (N, C, H, W), float32 in 0..1, and labels (N,) of `step`, counted over all epochs.

    Each image is reflected at its borders and shifted by up to 4 pixels, flipped in half of the cases, and greyed in a
    square of side `cutout`. An epoch takes every image once but for a last batch that would not be full.
    """
    steps = steps_per_epoch(len(data), batch_size)
    epoch, position = divmod(step, steps)
    order = torch.randperm(len(data), generator=_generator(seed, _ORDER, epoch))
    chosen = order[position * batch_size : (position + 1) * batch_size]
    return augment(data.images, chosen, cutout, _generator(seed, _CHANGES, step)), data.labels[chosen]


def steps_per_epoch(images: int, batch_size: int) -> int:
    """How many full batches there are, and one at least."""
    return max(1, images // batch_size)


def augment(images: Tensor, chosen: Tensor, cutout: int, generator: torch.Generator) -> Tensor:
    """Images `chosen` (N,) of `images` (M, H, W, C), uint8, changed at random: (N, C, H, W), float32 in 0..1."""
    count, (height, width) = len(chosen), images.shape[1:3]
    shift = torch.randint(-PADDING, PADDING + 1, (2, count, 1), generator=generator)
    flipped = torch.rand(count, 1, generator=generator) < 0.5
    rows = _reflect(torch.arange(height) + shift[0], height)
    columns = _reflect(torch.arange(width) + shift[1], width)
    columns = torch.where(flipped, columns.flip(1), columns)
    batch = to_float(images[chosen[:, None, None], rows[:, :, None], columns[:, None]])
    if cutout:
        centre = torch.rand(2, count, 1, generator=generator)
        inside = [
            (torch.arange(size) - (centre[axis] * size).floor() + cutout // 2).clamp(-1, cutout)
            for axis, size in enumerate((height, width))
        ]
        row, column = ((distance >= 0) & (distance < cutout) for distance in inside)
        batch.masked_fill_((row[:, :, None] & column[:, None])[:, None].to(batch.device), _GREY)
    return batch


def _reflect(index: Tensor, size: int) -> Tensor:
    """Positions of a line of `size`, reflected at its first and last element."""
    index = index.abs()
    return torch.where(index >= size, 2 * (size - 1) - index, index)


def _generator(seed: int, purpose: int, number: int) -> torch.Generator:
    """A generator of its own for each use."""
    state = np.random.SeedSequence([seed, purpose, number]).generate_state(1)  # PyTorch takes 32 bits of a seed
    return torch.Generator().manual_seed(int(state[0]))
