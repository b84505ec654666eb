# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a step sees: shifted, flipped and greyed images, the same for the same seed and step."""

from __future__ import annotations

import numpy as np
import pytest
import small
import torch

from resnet_hls.errors import UserError
from resnet_hls.training import batches

DATA = small.striped(50, 0)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    images, labels = batches.training_batch(DATA, 16, 7, seed=3)
    state = torch.get_rng_state()
    again = batches.training_batch(DATA, 16, 7, seed=3)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(images, again[0])
    assert torch.equal(labels, again[1])
    assert not torch.equal(images, batches.training_batch(DATA, 16, 7, seed=4)[0])
    assert not torch.equal(images, batches.training_batch(DATA, 16, 10, seed=3)[0])  # the same place of another epoch


def test_an_epoch_takes_no_image_twice() -> None:
    numbered = batches.Labelled(DATA.images, torch.arange(len(DATA)))
    taken = torch.cat([batches.training_batch(numbered, 16, step, seed=0)[1] for step in range(3)])
    assert taken.unique().numel() == 48


def test_images_are_reflected_shifted_and_flipped() -> None:
    chosen = torch.arange(len(DATA))
    changed = batches.augment(DATA.images, chosen, 0, torch.Generator().manual_seed(0)).numpy()
    assert changed.shape == (50, 3, 16, 16)
    assert changed.dtype == np.float32
    seen = set()
    for original, image in zip(DATA.images.numpy(), changed, strict=True):
        padded = np.pad(original, ((4, 4), (4, 4), (0, 0)), mode="reflect").transpose(2, 0, 1) / np.float32(255)
        matches = [
            (row, column, flip)
            for row in range(9)
            for column in range(9)
            for flip in (False, True)
            if np.array_equal(padded[:, row : row + 16, column : column + 16][:, :, :: -1 if flip else 1], image)
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    assert {row for row, _, _ in seen} == set(range(9))
    assert {flip for _, _, flip in seen} == {False, True}


def test_cutout_greys_a_square() -> None:
    plain, cut = (
        batches.augment(DATA.images, torch.arange(50), size, torch.Generator().manual_seed(1)) for size in (0, 6)
    )
    changed = (plain != cut).any(1)
    assert bool((cut.permute(0, 2, 3, 1)[changed] == 0.5).all())
    for mask in changed:
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        height, width = (int(line.max() - line.min()) + 1 for line in (rows, columns))
        assert 3 <= height <= 6
        assert 3 <= width <= 6
        assert int(mask.sum()) == height * width
    assert int(changed.flatten(1).sum(1).max()) == 36


def test_what_is_held_out() -> None:
    training, validation = batches.split(DATA, 8)
    assert torch.equal(validation.images, DATA.images[-8:])
    assert len(training) == 42
    for held_out in (0, 50):
        with pytest.raises(UserError, match=f"{held_out} of 50 images held out"):
            batches.split(DATA, held_out)
