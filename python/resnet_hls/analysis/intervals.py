# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arithmetic on intervals of integers, array by array: the values that an `arith` operation can give.

Values are read as signed numbers of their type, as MLIR's `arith` does unless an operation says otherwise. Where an
operation could wrap, or is not known here, the interval is that of the type. Nothing in here reads IR.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.int64]]

#: Bounds that are farther from 0 are not computed with: sums of two of them still have room in 64 bits.
_SAFE = 2**62


def bits_of(least: int, most: int) -> int:
    """Bits of the narrowest signed integer that holds `least` and `most`; 1 at least."""
    return 1 + max((n if n >= 0 else ~n).bit_length() for n in (least, most))


@dataclass(frozen=True)
class Interval:
    """Intervals `lo` to `hi`, both included: arrays that broadcast against each other, an axis for each loop around."""

    lo: Array
    hi: Array

    @staticmethod
    def of(least: int, most: int | None = None) -> Interval:
        """One interval; it has no axes."""
        return Interval(np.array(least, np.int64), np.array(least if most is None else most, np.int64))

    @staticmethod
    def of_type(width: int) -> Interval:
        """All values of a signed integer of `width` bits, 64 at most."""
        return Interval.of(-(2 ** (width - 1)), 2 ** (width - 1) - 1)

    @property
    def least(self) -> int:
        return int(self.lo.min())

    @property
    def most(self) -> int:
        return int(self.hi.max())

    @property
    def bits(self) -> int:
        """Of the narrowest signed integer that holds all values."""
        return bits_of(self.least, self.most)

    @property
    def whole(self) -> Interval:
        """All of the intervals in one."""
        return Interval.of(self.least, self.most)

    def lifted(self, rank: int) -> Interval:
        """The same below further loops: axes of extent 1 at the end."""
        lo, hi = (a.reshape(a.shape + (1,) * (rank - a.ndim)) for a in (self.lo, self.hi))
        return Interval(lo, hi)

    def join(self, other: Interval) -> Interval:
        """The values of both."""
        return Interval(np.minimum(self.lo, other.lo), np.maximum(self.hi, other.hi))

    def wrapped(self, width: int) -> Interval:
        """What is left in a signed integer of `width` bits: any of its values where one of these has no room."""
        least, most = -(2 ** (width - 1)), 2 ** (width - 1) - 1
        wraps = (self.lo < least) | (self.hi > most)
        if not wraps.any():
            return self
        return Interval(np.where(wraps, least, self.lo), np.where(wraps, most, self.hi))


def _monotone(a: Interval, b: Interval, combine: Callable[[Array, Array], Array]) -> Interval:
    """Of an operation that is monotone in each operand, in whatever direction: what it gives for the ends."""
    found = [combine(x, y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    return Interval(np.minimum.reduce(found), np.maximum.reduce(found))


def _add(a: Interval, b: Interval) -> Interval:
    return Interval(a.lo + b.lo, a.hi + b.hi)


def _subtract(a: Interval, b: Interval) -> Interval:
    return Interval(a.lo - b.hi, a.hi - b.lo)


def _multiply(a: Interval, b: Interval) -> Interval | None:
    if _farthest(a) * _farthest(b) >= _SAFE:
        return None
    return _monotone(a, b, np.multiply)


def _and(a: Interval, b: Interval) -> Interval | None:
    """With a number that is not negative: neither negative nor more than that."""
    bounds = [x.most for x in (a, b) if x.least >= 0]
    return Interval.of(0, min(bounds)) if bounds else None


def _or(a: Interval, b: Interval) -> Interval | None:
    """Of numbers that are not negative: no more bits than they have, and no less than either."""
    if min(a.least, b.least) < 0:
        return None
    return Interval.of(max(a.least, b.least), 2 ** max(a.most.bit_length(), b.most.bit_length()) - 1)


def _exclusive_or(a: Interval, b: Interval) -> Interval | None:
    either = _or(a, b)
    return None if either is None else Interval.of(0, either.most)


def _shift_left(a: Interval, b: Interval) -> Interval | None:
    if not 0 <= b.least <= b.most < 62:
        return None
    return _multiply(a, Interval(np.left_shift(1, b.lo), np.left_shift(1, b.hi)))


def _shift_right(a: Interval, b: Interval) -> Interval | None:
    return _monotone(a, b, np.right_shift) if 0 <= b.least <= b.most < 64 else None


def _maximum(a: Interval, b: Interval) -> Interval:
    return Interval(np.maximum(a.lo, b.lo), np.maximum(a.hi, b.hi))


def _minimum(a: Interval, b: Interval) -> Interval:
    return Interval(np.minimum(a.lo, b.lo), np.minimum(a.hi, b.hi))


def _farthest(a: Interval) -> int:
    return max(abs(a.least), abs(a.most))


def _if_not_negative(of: Callable[[Interval, Interval], Interval | None]) -> Callable[..., Interval | None]:
    """An operation on unsigned numbers: signed ones are the same where none is negative."""
    return lambda a, b: of(a, b) if min(a.least, b.least) >= 0 else None


_OPERATIONS: dict[str, Callable[[Interval, Interval], Interval | None]] = {
    "arith.addi": _add,
    "arith.subi": _subtract,
    "arith.muli": _multiply,
    "arith.andi": _and,
    "arith.ori": _or,
    "arith.xori": _exclusive_or,
    "arith.shli": _shift_left,
    "arith.shrsi": _shift_right,
    "arith.shrui": _if_not_negative(_shift_right),
    "arith.maxsi": _maximum,
    "arith.minsi": _minimum,
    "arith.maxui": _if_not_negative(_maximum),
    "arith.minui": _if_not_negative(_minimum),
}


def result_of(name: str, width: int, operands: Sequence[Interval], operand_width: int) -> Interval:
    """What an `arith` operation gives.

    Args:
        name: of the operation.
        width: of its result, in bits.
        operands: what it is given, in order.
        operand_width: of the last operand, in bits; extensions and truncations read it.

    Returns:
        An interval that holds every value; that of the type where nothing more is known.
    """
    found: Interval | None = None
    if width > 64 or any(_farthest(x) > _SAFE for x in operands):
        return Interval.of_type(min(width, 64))
    if name in {"arith.extsi", "arith.trunci"}:
        found = operands[0]
    elif name == "arith.extui":
        (a,) = operands
        mixed, unsigned = (a.lo < 0) & (a.hi >= 0), 2**operand_width if operand_width < 62 else None
        if unsigned is not None:
            lo = np.where(mixed, 0, np.where(a.lo < 0, a.lo + unsigned, a.lo))
            hi = np.where(mixed, unsigned - 1, np.where(a.hi < 0, a.hi + unsigned, a.hi))
            found = Interval(lo, hi)
    elif name == "arith.select":
        found = operands[1].join(operands[2])
    elif name in _OPERATIONS:
        found = _OPERATIONS[name](operands[0], operands[1])
    return Interval.of_type(width) if found is None else found.wrapped(width)
