# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Intervals hold every value that an operation gives: compared with all values of four bits, computed one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_hls.analysis.intervals import Interval, bits_of, result_of

WIDTH = 4
LEAST, MOST = -(2 ** (WIDTH - 1)), 2 ** (WIDTH - 1) - 1


def unsigned(number: int) -> int:
    return number % 2**WIDTH


def wrapped(number: int, width: int = WIDTH) -> int:
    return (number + 2 ** (width - 1)) % 2**width - 2 ** (width - 1)


#: What MLIR says that each operation does with two numbers of four bits.
OPERATIONS = {
    "arith.addi": lambda a, b: wrapped(a + b),
    "arith.subi": lambda a, b: wrapped(a - b),
    "arith.muli": lambda a, b: wrapped(a * b),
    "arith.andi": lambda a, b: a & b,
    "arith.ori": lambda a, b: a | b,
    "arith.xori": lambda a, b: a ^ b,
    "arith.maxsi": max,
    "arith.minsi": min,
    "arith.maxui": lambda a, b: wrapped(max(unsigned(a), unsigned(b))),
    "arith.minui": lambda a, b: wrapped(min(unsigned(a), unsigned(b))),
    "arith.divsi": lambda a, b: wrapped(int(a / b)) if b else None,  # not known to the analysis
}
SHIFTS = {
    "arith.shli": lambda a, b: wrapped(a << b),
    "arith.shrsi": lambda a, b: a >> b,
    "arith.shrui": lambda a, b: wrapped(unsigned(a) >> b),
}
number = st.integers(LEAST, MOST)
pair = st.tuples(number, number).map(sorted)


@pytest.mark.parametrize("name", sorted(OPERATIONS | SHIFTS))
@given(a=pair, b=pair)
def test_every_value_is_in_the_interval(name: str, a: list[int], b: list[int]) -> None:
    if name in SHIFTS:
        b = sorted(n % WIDTH for n in b)
    found = result_of(name, WIDTH, [Interval.of(*a), Interval.of(*b)], WIDTH)
    for x in range(a[0], a[1] + 1):
        for y in range(b[0], b[1] + 1):
            value = (OPERATIONS | SHIFTS)[name](x, y)
            assert value is None or found.least <= value <= found.most


@given(a=pair, width=st.integers(1, 8))
def test_casts(a: list[int], width: int) -> None:
    interval, values = Interval.of(*a), range(a[0], a[1] + 1)
    found = result_of("arith.trunci", width, [interval], WIDTH)
    assert all(found.least <= wrapped(x, width) <= found.most for x in values)
    if width > WIDTH:
        found = result_of("arith.extui", width, [interval], WIDTH)
        assert {found.least, found.most} >= {min(map(unsigned, values)), max(map(unsigned, values))}


@pytest.mark.parametrize(
    ("least", "most", "bits"), [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-128, 127, 8), (0, 128, 9), (-129, 0, 9), (5, 7, 4)]
)
def test_bits(least: int, most: int, bits: int) -> None:
    assert bits_of(least, most) == bits


def test_far_numbers_do_not_overflow() -> None:
    whole = Interval.of_type(64)
    for name in ("arith.addi", "arith.muli", "arith.subi"):
        assert result_of(name, 64, [whole, whole], 64).bits == 64
    assert result_of("arith.muli", 64, [Interval.of(2**40), Interval.of(2**40)], 64).bits == 64


def test_each_iteration_has_its_own_interval() -> None:
    weights = np.array([[3, -2], [0, 100]])
    product = result_of("arith.muli", 32, [Interval.of(-128, 127), Interval(weights, weights)], 32)
    np.testing.assert_array_equal(product.lo, [[-384, -254], [0, -12800]])
    np.testing.assert_array_equal(product.hi, [[381, 256], [0, 12700]])
