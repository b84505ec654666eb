# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Requantization by a scale that is no power of two, as an integer multiplier, an offset and a shift: exact by
construction.

A quantizer is a staircase: a monotone function F from integers (an accumulator) to a few integer levels, computed by
the model in
float32 with all its roundings. `(n * multiplier + offset) >> shift`, the form of ONNX's QLinearConv and of TFLite, is
a staircase,
too. The two are equal for every n if they have the same thresholds, and for each level k with threshold t(k) (the
least n with
F(n) >= k) that is a pair of linear inequalities in multiplier and offset:

    multiplier * t(k) + offset >= k * 2^shift        and        multiplier * (t(k) - 1) + offset < k * 2^shift

`fit` looks for the least shift with a solution. Where float32 rounding has moved single thresholds off any straight
line there is
none; then the line with the fewest differences is taken, and the accumulators at which it is off are listed as
corrections.
Either way the result is the model's own for every accumulator, without a claim about rounding modes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Integers = np.ndarray[Any, np.dtype[np.int64]]
#: A staircase per channel: values (channels, n) of n accumulators per channel, of the same shape.
Staircase = Callable[[Integers], Integers]

MAX_SHIFT = 40
MAX_MULTIPLIER = 2**31 - 1
#: Shift of the line that corrections are made to: fine enough that the line itself adds no differences.
LINE_SHIFT = 32


@dataclass(frozen=True)
class Requantization:
    """`clamp(((n * multiplier[c] + offset[c]) >> shift) + corrections, lowest, highest)`.

    Where n equals `corrected[c, i]`, `correction[c, i]` is added; unused places hold a number that no accumulator
    reaches.
    """

    multiplier: Integers  # (channels,)
    offset: Integers  # (channels,)
    shift: int
    lowest: int
    highest: int
    corrected: Integers  # (channels, corrections)
    correction: Integers  # (channels, corrections)

    @property
    def corrections(self) -> int:
        """How many accumulators of a channel may need a correction."""
        return int(self.corrected.shape[1])

    def __call__(self, accumulators: Integers) -> Integers:
        """The levels of accumulators of shape (channels, n)."""
        levels = (accumulators * self.multiplier[:, None] + self.offset[:, None]) >> self.shift
        for at, amount in zip(self.corrected.T, self.correction.T, strict=True):
            levels = levels + np.where(accumulators == at[:, None], amount[:, None], 0)
        clipped: Integers = np.clip(levels, self.lowest, self.highest)
        return clipped


def thresholds(staircase: Staircase, channels: int, lo: int, hi: int) -> tuple[Integers, int, int]:
    """(t, lowest, highest): t[c, i] is the least n in [lo, hi + 1] at which channel c reaches level lowest + 1 + i.

    `hi + 1` stands for "never". The staircase must not fall. Found by bisection, all channels and levels at once.

    Raises:
        ValueError: the staircase falls between the ends of its range.
    """
    ends = staircase(np.tile(np.array([lo, hi], dtype=np.int64), (channels, 1)))
    if (ends[:, 0] > ends[:, 1]).any():
        raise ValueError("a quantizer that falls as its input grows")
    lowest, highest = int(ends[:, 0].min()), int(ends[:, 1].max())
    levels = np.arange(lowest + 1, highest + 1, dtype=np.int64)
    below = np.full((channels, len(levels)), lo - 1, dtype=np.int64)  # F < level here (or out of range)
    reached = np.full((channels, len(levels)), hi + 1, dtype=np.int64)  # F >= level here (or out of range)
    while (reached - below).max(initial=0) > 1:
        middle = (below + reached) >> 1
        at_least = staircase(np.clip(middle, lo, hi)) >= levels[None, :]
        reached, below = np.where(at_least, middle, reached), np.where(at_least, below, middle)
    return reached, lowest, highest


@dataclass(frozen=True)
class HalfEvenShift:
    """`clamp(n / 2^shift[c] rounded half to even, lowest, highest)`: powers of two that differ by channel."""

    shift: Integers  # (channels,)
    lowest: int
    highest: int

    def __call__(self, accumulators: Integers) -> Integers:
        """The levels of accumulators of shape (channels, n)."""
        shift = self.shift[:, None]
        half = np.where(shift > 0, (1 << np.maximum(shift - 1, 0)) - 1, 0)
        odd = np.where(shift > 0, (accumulators >> shift) & 1, 0)
        clipped: Integers = np.clip((accumulators + half + odd) >> shift, self.lowest, self.highest)
        return clipped


@dataclass(frozen=True)
class HalfEvenLine:
    """A line whose ties go to the even level: `clamp(down + (up - down) * (down & 1), lowest, highest)`.

    `up` and `down` are `(n * multiplier[c] + offset[c]) >> shift` with an offset each, between which a tie lies: an
    average of twelve pixels meets one at every level.
    """

    multiplier: Integers  # (channels,)
    offset_down: Integers  # (channels,)
    offset_up: Integers  # (channels,)
    shift: int
    lowest: int
    highest: int

    def __call__(self, accumulators: Integers) -> Integers:
        """The levels of accumulators of shape (channels, n)."""
        scaled = accumulators * self.multiplier[:, None]
        down = (scaled + self.offset_down[:, None]) >> self.shift
        up = (scaled + self.offset_up[:, None]) >> self.shift
        clipped: Integers = np.clip(down + (up - down) * (down & 1), self.lowest, self.highest)
        return clipped


def fit_half_even(
    staircase: Staircase, slopes: np.ndarray[Any, Any], constants: np.ndarray[Any, Any], lo: int, hi: int
) -> HalfEvenLine | None:
    """A line with ties to even that reproduces the staircase on [lo, hi]; None if there is none.

    Args:
        staircase, slopes, lo, hi: as `fit` takes them.
        constants: (channels,), the level at accumulator 0 in real arithmetic.
    """
    channels = len(slopes)
    reached, lowest, highest = thresholds(staircase, channels, lo, hi)
    levels = np.arange(lowest + 1, highest + 1, dtype=np.int64)
    edges = levels[None, :] - 0.5  # the real numbers between two levels
    real = slopes[:, None] * np.stack([reached - 1, reached]) + constants[:, None]
    before, at = np.abs(real - edges[None, :, :]) < 1e-6  # a tie just below the threshold (odd level), or at it (even)
    up = np.where(before, reached - 1, reached)
    down = np.where(at, reached + 1, reached)
    rows = [
        (_Inequalities.of(u, levels, lo, hi), _Inequalities.of(d, levels, lo, hi))
        for u, d in zip(up, down, strict=True)
    ]
    for shift in range(max(row.least_shift for pair in rows for row in pair), MAX_SHIFT + 1):
        found = [_same_multiplier(u, d, shift) for u, d in rows]
        if all(numbers is not None for numbers in found):
            numbers = np.array(found, dtype=np.int64).reshape(channels, 3)
            line = HalfEvenLine(numbers[:, 0], numbers[:, 2], numbers[:, 1], shift, lowest, highest)
            return line if np.array_equal(thresholds(line, channels, lo, hi)[0], reached) else None
    return None


def _same_multiplier(up: _Inequalities, down: _Inequalities, shift: int) -> tuple[int, int, int] | None:
    """(multiplier, offset of up, offset of down), or None."""
    first, second = up.multipliers(shift), down.multipliers(shift)
    if first is None or second is None:
        return None
    least, most = max(first[0], second[0]), min(first[1], second[1])
    if least > most:
        return None
    multiplier = (least + most) // 2
    offsets = up.offset(multiplier, shift), down.offset(multiplier, shift)
    return None if offsets[0] is None or offsets[1] is None else (multiplier, offsets[0], offsets[1])


def fit_shift(staircase: Staircase, slopes: np.ndarray[Any, Any], lo: int, hi: int) -> HalfEvenShift | None:
    """Shifts that reproduce the staircase, where its slopes, shape (channels,), are powers of two not above one; else
    None.
    """
    exponents = np.log2(slopes)
    if not np.array_equal(exponents, np.round(exponents)) or exponents.max() > 0 or exponents.min() < -31:
        return None
    reached, lowest, highest = thresholds(staircase, len(slopes), lo, hi)
    shift = HalfEvenShift((-exponents).astype(np.int64), lowest, highest)
    return shift if np.array_equal(thresholds(shift, len(slopes), lo, hi)[0], reached) else None


def fit(
    staircase: Staircase, slopes: np.ndarray[Any, Any], lo: int, hi: int, max_corrections: int = 8
) -> Requantization | None:
    """Constants that reproduce the staircase on [lo, hi] exactly; None if more than `max_corrections` a channel would
    be needed.

    Args:
        staircase: the quantizer, as the model computes it.
        slopes: (channels,), levels per accumulator in real arithmetic, one for each channel's own scale.
        lo, hi: least and greatest accumulator.
        max_corrections: accumulators of a channel at which the line may be off.
    """
    channels = len(slopes)
    reached, lowest, highest = thresholds(staircase, channels, lo, hi)
    levels = np.arange(lowest + 1, highest + 1, dtype=np.int64)
    rows = [_Inequalities.of(row, levels, lo, hi) for row in reached]
    none = np.zeros((channels, 0), dtype=np.int64)
    start = max((row.least_shift for row in rows), default=0)
    for shift in range(start, MAX_SHIFT + 1):
        found = [row.solve(shift) for row in rows]
        if all(pair is not None for pair in found):
            pairs = np.array(found, dtype=np.int64).reshape(channels, 2)
            if (np.abs(pairs) <= 2**62 // max(1, abs(lo), abs(hi))).all():
                return Requantization(pairs[:, 0], pairs[:, 1], shift, lowest, highest, none, none)
    return _line_with_corrections(reached, levels, slopes, lo, hi, max_corrections)


def _most_satisfying_offset(reached: Integers, levels: Integers, multiplier: int) -> int:
    """The offset at which a line of the given multiplier has the most thresholds right.

    Each threshold is right for an interval of offsets; a sweep over their ends finds where most of them overlap.
    """
    steps = levels << LINE_SHIFT
    first, last = steps - multiplier * reached, steps - 1 - multiplier * (reached - 1)
    ends = np.concatenate([first, last + 1])
    changes = np.concatenate([np.ones_like(first), -np.ones_like(last)])
    order = np.lexsort((changes, ends))
    overlap = np.cumsum(changes[order])
    best = int(np.argmax(overlap))
    here = ends[order]
    return int((here[best] + here[min(best + 1, len(here) - 1)]) // 2)


def _line_with_corrections(
    reached: Integers, levels: Integers, slopes: np.ndarray[Any, Any], lo: int, hi: int, max_corrections: int
) -> Requantization | None:
    """A straight line per channel and the accumulators at which the staircase differs from it."""
    lines: list[tuple[int, int]] = []
    exceptions: list[dict[int, int]] = []
    for row, slope in zip(reached, slopes.tolist(), strict=True):
        inside = (row > lo) & (row <= hi)
        if not inside.any():
            return None
        multiplier = round(slope * 2.0**LINE_SHIFT)
        offset = _most_satisfying_offset(row[inside], levels[inside], multiplier)
        if not 0 < multiplier <= MAX_MULTIPLIER:
            return None
        own = -((-(levels << LINE_SHIFT) + offset) // multiplier)  # least n with n * multiplier + offset >= k * 2^shift
        off: dict[int, int] = {}
        for have, want in zip(np.clip(own, lo, hi + 1).tolist(), row.tolist(), strict=True):
            step = 1 if want < have else -1
            for n in range(min(have, want), max(have, want)):
                off[n] = off.get(n, 0) + step
            if len(off) > max_corrections:
                return None
        lines.append((multiplier, offset))
        exceptions.append(off)
    count = max(len(off) for off in exceptions)
    corrected = np.full((len(lines), count), hi + 1, dtype=np.int64)
    correction = np.zeros((len(lines), count), dtype=np.int64)
    for channel, off in enumerate(exceptions):
        for place, (n, amount) in enumerate(sorted(off.items())):
            corrected[channel, place], correction[channel, place] = n, amount
    pairs = np.array(lines, dtype=np.int64)
    return Requantization(
        pairs[:, 0], pairs[:, 1], LINE_SHIFT, int(levels[0]) - 1, int(levels[-1]), corrected, correction
    )


@dataclass(frozen=True)
class _Inequalities:
    """The inequalities of one channel: `m * at_least + b >= k * 2^shift` and `m * below + b < k * 2^shift`.

    Eliminating the offset b leaves, for each pair of them, a bound on the multiplier: those are kept as the pairs'
    differences in k
    and in n.
    """

    at_least: Integers
    at_least_levels: Integers
    below: Integers
    below_levels: Integers

    @staticmethod
    def of(reached: Integers, levels: Integers, lo: int, hi: int) -> _Inequalities:
        starts, follows = reached <= hi, reached > lo  # reached at all; not there from the beginning
        return _Inequalities(
            np.maximum(reached[starts], lo), levels[starts], np.minimum(reached[follows], hi + 1) - 1, levels[follows]
        )

    def _pairs(self) -> tuple[Integers, Integers]:
        """Differences in n and in k between every `below` and every `at_least`."""
        return self.below[None, :] - self.at_least[:, None], self.below_levels[None, :] - self.at_least_levels[:, None]

    @property
    def least_shift(self) -> int:
        """A shift below which no integer lies between the bounds of the multiplier."""
        run, rise = self._pairs()
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = rise / run
        most, least = slopes[run > 0].min(initial=np.inf), slopes[run < 0].max(initial=0.0)
        if not np.isfinite(most) or most <= least:
            return 0
        return max(0, int(np.floor(-np.log2(most - least))) - 1)

    def multipliers(self, shift: int) -> tuple[int, int] | None:
        """Least and greatest multiplier for which every two inequalities leave room for an offset."""
        run, rise = self._pairs()
        rise = rise << shift
        upper, lower = run > 0, run < 0
        if (rise[run == 0] < 1).any():
            return None
        most = int(((rise[upper] - 1) // run[upper]).min(initial=MAX_MULTIPLIER))
        least = int((-((rise[lower] - 1) // -run[lower])).max(initial=0))
        return (least, most) if least <= most else None

    def offset(self, multiplier: int, shift: int) -> int | None:
        """The offset in the middle of those that fit to a multiplier, or None."""
        low = int(((self.at_least_levels << shift) - multiplier * self.at_least).max(initial=-(2**62)))
        high = int(((self.below_levels << shift) - 1 - multiplier * self.below).min(initial=2**62))
        if low > high:
            return None
        if low == -(2**62) or high == 2**62:
            return high if low == -(2**62) else low
        return low + (high - low) // 2

    def solve(self, shift: int) -> tuple[int, int] | None:
        """(multiplier, offset), or None."""
        between = self.multipliers(shift)
        if between is None:
            return None
        multiplier = sum(between) // 2
        offset = self.offset(multiplier, shift)
        return None if offset is None else (multiplier, offset)


@dataclass(frozen=True)
class PairRequantization:
    """`clamp(((a * multipliers[0] + b * multipliers[1] + offset) >> shift) + corrections, lowest, highest)`.

    `corrections` lists (a, b, amount): pairs at which an amount is added.
    """

    multipliers: tuple[int, int]
    offset: int
    shift: int
    lowest: int
    highest: int
    corrections: tuple[tuple[int, int, int], ...]


def fit_pair(
    a: Integers, b: Integers, wanted: Integers, slopes: list[float], constant: float, max_corrections: int = 16
) -> PairRequantization | None:
    """Constants that reproduce a requantized sum for every pair listed; None if more than `max_corrections` would be
    needed.

    Args:
        a, b: (pairs,), the operands.
        wanted: (pairs,), the levels that the model gives.
        slopes: levels per step of a and of b, in real arithmetic.
        constant: level at a = b = 0.
    """
    lowest, highest = int(wanted.min()), int(wanted.max())
    best: PairRequantization | None = None
    for shift in range(8, LINE_SHIFT + 1, 2):
        multipliers = (round(slopes[0] * 2**shift), round(slopes[1] * 2**shift))
        offset = round((constant + 0.5) * 2**shift)
        have = np.clip((a * multipliers[0] + b * multipliers[1] + offset) >> shift, lowest, highest)
        off = np.flatnonzero(have != wanted)
        if len(off) > max_corrections or (best is not None and len(off) >= len(best.corrections)):
            continue
        listed = tuple((int(a[i]), int(b[i]), int(wanted[i] - have[i])) for i in off)
        best = PairRequantization(multipliers, offset, shift, lowest, highest, listed)
        if not listed:
            return best
    return best
