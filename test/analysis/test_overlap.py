# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""In which rows a statement executes, and which walks may end a frame while they begin the next."""

from __future__ import annotations

import numpy as np
import pytest
from torch_mlir import ir

from resnet_hls.analysis.iterations import executed
from resnet_hls.analysis.nests import Nest
from resnet_hls.analysis.overlap import may_overlap, overlap_of, rows_of
from resnet_hls.context import make_context
from resnet_hls.ir_utils import walk


def module_with(condition: str) -> ir.Module:
    """Six rows, four columns, three taps, and a store under a condition over (y, x, k)."""
    text = f"""
      func.func @f(%map: memref<6x4xi8>) {{
        %zero = arith.constant 0 : i8
        affine.for %y = 0 to 6 {{
          affine.for %x = 0 to 4 {{
            affine.for %k = 0 to 3 {{
              affine.if affine_set<(y, x, k) : ({condition})>(%y, %x, %k) {{
                affine.store %zero, %map[%y, %x] : memref<6x4xi8>
              }}
            }}
          }}
        }} {{hls.overlap = 2 : i64}}
        return
      }}"""
    return ir.Module.parse(text, make_context())


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("y - 1 >= 0, -y + 4 >= 0", (1, 4)),
        ("y - 1 >= 0, (y - 1) mod 2 == 0, x - 1 >= 0", (1, 5)),
        ("y + k - 6 >= 0", (4, 5)),
        ("y - x - 2 >= 0, x + k - 3 == 0, -k + 1 >= 0", (4, 5)),
        ("x - 3 == 0", (0, 5)),
        ("y - 6 >= 0", (0, -1)),
    ],
)
def test_rows(condition: str, rows: tuple[int, int]) -> None:
    """The same as by going through all iterations."""
    module = module_with(condition)
    with module.context:
        nest = Nest.at(walk(module.operation, "affine.for")[0])
        store = nest.stores[0].op
        assert rows_of(store, nest) == rows
        found = executed(store, nest)[0]
        assert overlap_of(nest) == 2
    assert (found.tolist() == []) == (rows == (0, -1))
    if len(found):
        assert (int(np.min(found)), int(np.max(found))) == rows


@pytest.mark.parametrize(
    ("height", "rows", "handed_out", "allowed"),
    [
        (4, 5, [(1, 4)], True),
        (4, 6, [(1, 4), (2, 5)], True),
        (4, 6, [(1, 4), (1, 5)], False),
        (4, 4, [(0, 3)], False),
        (1, 2, [(1, 1)], True),
        (1, 3, [(2, 2)], False),
    ],
    ids=["window", "skip", "both_frames_in_a_row", "nothing_below", "one_row", "below_the_next_frame_too"],
)
def test_may_overlap(height: int, rows: int, handed_out: list[tuple[int, int]], allowed: bool) -> None:
    assert may_overlap(height, rows, handed_out) == allowed
