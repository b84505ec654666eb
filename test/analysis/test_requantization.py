# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Multipliers, offsets and shifts reproduce float32 quantizers for every accumulator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_hls.analysis.requantization import (
    HalfEvenShift,
    Integers,
    Staircase,
    fit,
    fit_half_even,
    fit_pair,
    fit_shift,
    thresholds,
)


def quantizer(scales: Any, step: float, relu: bool = False) -> Staircase:
    """What a model computes: float32 multiplication, division, rounding half to even, saturation."""
    factors = np.asarray(scales, np.float32)[:, None]

    def staircase(numbers: Integers) -> Integers:
        real = numbers.astype(np.float32) * factors
        real = np.maximum(real, np.float32(0)) if relu else real
        levels: Integers = np.clip(np.rint(real / np.float32(step)), -128, 127).astype(np.int64)
        return levels

    return staircase


def all_numbers(channels: int, lo: int, hi: int) -> Integers:
    return np.tile(np.arange(lo, hi + 1, dtype=np.int64), (channels, 1))


@settings(max_examples=40, deadline=None)
@given(
    scales=st.lists(st.floats(2.0**-14, 2.0**-6, width=32), min_size=1, max_size=6),
    step=st.floats(2.0**-7, 2.0**-2, width=32),
    relu=st.booleans(),
    reach=st.integers(100, 60_000),
)
def test_fit_is_exact_for_every_accumulator(scales: list[float], step: float, relu: bool, reach: int) -> None:
    staircase = quantizer(scales, step, relu)
    slopes = np.asarray(scales, np.float32).astype(np.float64) / np.float32(step)
    found = fit(staircase, slopes, -reach, reach)
    if found is None:  # refused is allowed, wrong is not
        return
    numbers = all_numbers(len(scales), -reach, reach)
    np.testing.assert_array_equal(found(numbers), staircase(numbers))
    assert np.abs(found.multiplier * reach + np.abs(found.offset)).max() < 2**62


def test_a_usual_layer_needs_no_corrections() -> None:
    scales = np.array([0.000311, 0.000727, 0.00113], np.float32)
    found = fit(quantizer(scales, 0.0517), scales.astype(np.float64) / np.float32(0.0517), -30_000, 30_000)
    assert found is not None
    assert found.corrections == 0


def test_corrections_mend_what_float32_moved() -> None:
    scale, step = np.float32(0.00123457), np.float32(0.0573421)
    staircase = quantizer([scale], step)
    reach = 2**21
    found = fit(staircase, np.array([float(scale) / float(step)]), -reach, reach, max_corrections=64)
    assert found is not None
    near = np.arange(-7000, 7001, dtype=np.int64)[None, :]
    np.testing.assert_array_equal(found(near), staircase(near))


def test_channels_of_powers_of_two_are_shifts() -> None:
    slopes = np.array([2.0**-3, 2.0**-5, 1.0])
    staircase = quantizer(slopes * 0.25, 0.25)
    found = fit_shift(staircase, slopes, -5000, 5000)
    assert isinstance(found, HalfEvenShift)
    numbers = all_numbers(3, -5000, 5000)
    np.testing.assert_array_equal(found(numbers), staircase(numbers))
    assert fit_shift(staircase, slopes * 1.5, -5000, 5000) is None


@pytest.mark.parametrize("pixels", [6, 12, 20, 36, 100])
def test_averages_meet_ties_at_every_level(pixels: int) -> None:
    def average(numbers: Integers) -> Integers:
        real = numbers.astype(np.float32) * np.float32(0.0625) / np.float32(pixels)
        levels: Integers = np.clip(np.rint(real / np.float32(0.0625)), -128, 127).astype(np.int64)
        return levels

    reach = 128 * pixels
    found = fit_half_even(average, np.array([1 / pixels]), np.zeros(1), -reach, reach - pixels)
    assert found is not None
    numbers = all_numbers(1, -reach, reach - pixels)
    np.testing.assert_array_equal(found(numbers), average(numbers))


def test_thresholds_are_the_least_numbers() -> None:
    reached, lowest, highest = thresholds(quantizer([0.1], 1.0), 1, -20, 20)
    assert (lowest, highest) == (-2, 2)
    assert reached.tolist() == [[-14, -5, 6, 15]]  # 0.5 rounds to the even 0, 1.5 to the even 2


def test_a_falling_staircase_is_refused() -> None:
    with pytest.raises(ValueError, match="falls"):
        thresholds(lambda n: -n, 1, -4, 4)


def test_pairs_of_a_residual_add() -> None:
    a, b = (grid.reshape(-1) for grid in np.meshgrid(np.arange(-128, 128), np.arange(256), indexing="ij"))
    left, right, step = np.float32(0.0123), np.float32(0.0345), np.float32(0.0511)
    real = (a.astype(np.float32) * left + b.astype(np.float32) * right) / step
    wanted = np.clip(np.rint(real), -128, 127).astype(np.int64)
    found = fit_pair(a, b, wanted, [float(left) / float(step), float(right) / float(step)], 0.0)
    assert found is not None
    have = np.clip(
        (a * found.multipliers[0] + b * found.multipliers[1] + found.offset) >> found.shift, found.lowest, found.highest
    )
    for x, y, amount in found.corrections:
        have[(a == x) & (b == y)] += amount
    np.testing.assert_array_equal(have, wanted)
