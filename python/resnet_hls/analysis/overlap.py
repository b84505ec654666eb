# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Frames that overlap: a nest that walks a feature map ends a frame while it begins the next. Reads the IR only.

A walk has more rows of steps than its map has, for windows that hang over the bottom and for what it hands out some
rows late. With `hls.overlap = k` on the loop over rows, these last k rows run together with the first k rows of the
next frame: in the step of row y < k the nest reads row y of that frame and hands out what belongs to row H + y of this
one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch_mlir import ir

from resnet_hls.analysis.iterations import evaluate, guards_of
from resnet_hls.analysis.nests import Nest
from resnet_hls.ir_utils import dims_of

#: On the outermost loop: how many of its iterations run together with the first ones of the next frame.
OVERLAP = "hls.overlap"


def overlap_of(nest: Nest) -> int:
    """The rows that a nest runs together with the next frame's; 0 without a mark."""
    attributes = nest.root.attributes
    return ir.IntegerAttr(attributes[OVERLAP]).value if OVERLAP in attributes else 0


def rows_of(op: ir.Operation, nest: Nest) -> tuple[int, int]:
    """First and last iteration of the outermost loop in which `op` executes; (0, -1) where it never does.

    Exact but for conditions that no value of other loops meets: only loops that conditions tie to the rows are gone
    through.
    """
    guards = [(expr, equal, dims_of(expr)) for expr, equal in guards_of(op, nest)]
    tied, before = {0}, set[int]()
    while tied != before:
        before = set(tied)
        tied |= {d for _, _, dims in guards if dims & tied for d in dims}
    ranges = [np.arange(n if d in tied else 1) for d, n in enumerate(nest.extents)]
    grid = np.meshgrid(*ranges, indexing="ij", sparse=True)
    mask = np.ones(tuple(map(len, ranges)), dtype=bool)
    for expr, equal, dims in guards:
        if dims & tied:
            value = evaluate(expr, grid)
            mask &= (value == 0) if equal else (value >= 0)
    rows = np.flatnonzero(mask.reshape(len(ranges[0]), -1).any(axis=1))
    return (int(rows[0]), int(rows[-1])) if len(rows) else (0, -1)


def rows_of_statement(statement: ir.Operation, nest: Nest) -> tuple[int, int]:
    """The same for what an `affine.if` in the innermost body guards."""
    return rows_of(statement.regions[0].blocks[0].operations[0].operation, nest)


def may_overlap(height: int, rows: int, handed_out: Sequence[tuple[int, int]]) -> bool:
    """True when a walk of `rows` rows may run those beyond the map's `height` together with the next frame's first.

    `handed_out` holds the first and the last row of all that the walk hands out: none may have to hand out for both
    frames in one row of steps, or a stream's words would come in another order.
    """
    return height < rows <= 2 * height and all(first > last - height for first, last in handed_out)
