# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times of arrival against closed forms, and the waiting that follows from them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_mlir import ir

from resnet_hls.analysis.arrival import Arrival, at_position, waiting
from resnet_hls.context import make_context
from resnet_hls.ir_utils import public_function

MAP = "memref<{0}x{1}x2xi8>"


def window(source: str, target: str, rows: int, columns: int, skip: str = "") -> str:
    """A nest that adds up 3 x 3 pixels of `source`, padded by one, and a pixel of `skip`."""
    kind = MAP.format(rows, columns)
    added = f"%7 = affine.load {skip}[%y, %x, %c] : {kind}\n %8 = arith.addi %6, %7 : i8" if skip else ""
    inside = f"affine_set<(y, x, j, i) : (y + j - 1 >= 0, {rows} - y - j >= 0, x + i - 1 >= 0, {columns} - x - i >= 0)>"
    return f"""
    affine.for %y = 0 to {rows} {{ affine.for %x = 0 to {columns} {{ affine.for %c = 0 to 2 {{
      affine.for %j = 0 to 3 {{ affine.for %i = 0 to 3 {{
        affine.if affine_set<(j, i) : (j == 0, i == 0)>(%j, %i) {{
          affine.store %zero, %acc[0] : memref<1xi8>
        }}
        %0 = affine.if {inside}(%y, %x, %j, %i) -> i8 {{
          %1 = affine.load {source}[%y + %j - 1, %x + %i - 1, %c] : {kind}
          affine.yield %1 : i8
        }} else {{
          affine.yield %zero : i8
        }}
        %2 = affine.load %acc[0] : memref<1xi8>
        %3 = arith.addi %2, %0 : i8
        affine.store %3, %acc[0] : memref<1xi8>
        affine.if affine_set<(j, i) : (j - 2 == 0, i - 2 == 0)>(%j, %i) {{
          %6 = affine.load %acc[0] : memref<1xi8>
          {added}
          affine.store {"%8" if skip else "%6"}, {target}[%y, %x, %c] : {kind}
        }}
      }} }} }} }} }}"""


def chain(rows: int, columns: int, length: int) -> str:
    """`length` windows one after the other, the last of which adds the image."""
    kind = MAP.format(rows, columns)
    names = ["%image", *(f"%map{n}" for n in range(length - 1)), "%result"]
    maps = "\n".join(f"{name} = memref.alloc() : {kind}" for name in names[1:-1])
    nests = [
        window(a, b, rows, columns, "%image" if n == length - 1 else "") for n, (a, b) in enumerate(pairwise(names))
    ]
    # One accumulator per nest: it is private to each.
    accumulators = "\n".join(f"%acc{n} = memref.alloc() : memref<1xi8>" for n in range(length))
    body = "\n".join(nest.replace("%acc[", f"%acc{n}[") for n, nest in enumerate(nests))
    return f"""func.func @f(%image: {kind}, %result: {kind}) {{
      %zero = arith.constant 0 : i8
      {maps}
      {accumulators}
      {body}
      return
    }}"""


@settings(deadline=None, max_examples=20)
@given(st.integers(6, 9), st.integers(6, 9), st.integers(1, 4))
def test_a_skip_waits_for_its_windows(rows: int, columns: int, length: int) -> None:
    """A skip over n windows waits for n rows and n pixels, however the map ends."""
    with make_context(), ir.Location.unknown():
        module = ir.Module.parse(chain(rows, columns, length))
        arrival = Arrival(public_function(module.operation))
        last = arrival.timelines[-1]
        skip = last.loads[-1]
        pixels, due = last.order(skip, arrival.stored[skip.buffer].shape)
        waits = waiting(arrival.stored[skip.buffer].reshape(-1)[pixels], due)
    assert waits == length * columns + length


def test_a_position_below_the_map_keeps_its_pace() -> None:
    """Rows below the map take as long as its own, columns beside it no time."""
    times = np.arange(12).reshape(3, 4) * 4
    rows, columns = np.array([0, 2, 3, 4, -1]), np.array([9, 3, 0, 1, 2])
    assert at_position(times, rows, columns, 48).tolist() == [12, 44, 32 + 16, 36 + 32, 0]


@pytest.mark.parametrize(
    ("given_at", "taken_at", "most"),
    [([0, 1, 2], [0, 1, 2], 0), ([0, 1, 2], [2, 3, 4], 2), ([5, 5, 5], [5, 6, 7], 2), ([], [], 0)],
)
def test_waiting(given_at: list[int], taken_at: list[int], most: int) -> None:
    """Whatever is taken at the time at which it comes does not wait."""
    assert waiting(np.array(given_at), np.array(taken_at)) == most
