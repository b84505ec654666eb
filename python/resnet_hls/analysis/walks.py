# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tasks that walk a feature map: which columns they read, when they hand out what. Reads the IR only.

`hls-temporal-reuse` makes them (`passes/_line_buffer.py`), for one pixel a step; `passes/_pixel_walk.py` for several.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import evaluate, guards_of
from resnet_hls.analysis.nests import Constraint, Nest
from resnet_hls.analysis.reuse import POSITION
from resnet_hls.analysis.tasks import Task
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure

#: The loop over columns.
COLUMNS = 1
#: What to do about a walk that cannot take several pixels a step.
HELP = "unroll the loop over columns only where a line buffer hands out windows"


@dataclass(frozen=True)
class HandOut:
    """A statement that hands out something at the columns `first`, `first + stride`, …, `count` of them in a row."""

    first: int
    stride: int
    count: int

    def delay(self, pixels: int) -> int:
        """Groups of pixels from the first one until the last window of the first group is complete."""
        return -(-(self.first - self.stride + 1) // pixels)

    def groups(self, pixels: int) -> int:
        """Groups of pixels that a row takes until everything is handed out."""
        return -(-self.count * self.stride // pixels) + self.delay(pixels)


def is_walk(task: Task) -> bool:
    """True for a task that hands out windows of a map that it walks, or elements of it, from a line buffer."""
    loops = task.nest.loops
    taps = ["hls.tap" in loop.attributes for loop in loops]
    position = len(loops) >= POSITION and all(taps[POSITION:]) and not any(taps[:POSITION])
    reads = sum(not transfer.is_write for transfer in task.transfers)
    return position and reads == 1 and "hls.pipeline" in loops[-1].attributes


def columns_of(transfer: ir.Operation, nest: Nest) -> list[int]:
    """The columns at which a transfer happens.

    Raises:
        PassFailure: that depends on more than the column.
    """
    columns = np.arange(nest.extents[COLUMNS])
    held = np.ones(len(columns), dtype=bool)
    for expr, equal in guards_of(transfer, nest):
        if COLUMNS in dims_of(expr):
            if dims_of(expr) != {COLUMNS}:
                raise PassFailure(transfer, "a condition on more than the column of a pixel", help=HELP)
            value = evaluate(expr, [columns] * (COLUMNS + 1))
            held &= (value == 0) if equal else (value >= 0)
    return [int(x) for x in np.flatnonzero(held)]


def hand_outs(task: Task) -> dict[ir.Operation, HandOut]:
    """When a walk hands out something, by its writes. Raises PassFailure where the columns are no regular ones."""
    found: dict[ir.Operation, HandOut] = {}
    for write in (t.op for t in task.transfers if t.is_write):
        columns = columns_of(write, task.nest)
        strides = set(np.diff(columns).tolist()) or {1}
        if not columns or len(strides) > 1:
            raise PassFailure(write, "windows at columns that have no stride", help=HELP)
        found[write] = HandOut(columns[0], strides.pop(), len(columns))
    return found


def width_of(task: Task) -> int:
    """Columns of the map that a walk reads. Raises PassFailure where it does not read a row from its beginning."""
    (read,) = (t.op for t in task.transfers if not t.is_write)
    columns = columns_of(read, task.nest)
    if columns != list(range(len(columns))):
        raise PassFailure(read, "a row that is not read from its beginning", help=HELP)
    return len(columns)


def groups_of_row(task: Task, pixels: int) -> int:
    """Steps that a walk of so many pixels a step takes for the columns of a row."""
    return max(-(-width_of(task) // pixels), *(found.groups(pixels) for found in hand_outs(task).values()))


@dataclass(frozen=True)
class Statement:
    """What a step does under one condition, or under none."""

    ops: list[ir.Operation]
    conditions: list[Constraint]

    def of(self, *names: str) -> list[ir.Operation]:
        """Its operations of these names."""
        return [inner for op in self.ops for inner in iu.walk(op, *names)]


def statements(nest: Nest) -> list[Statement]:
    """The statements of a walk in program order: each ends with what it stores or hands out."""
    found: list[Statement] = []
    loose: list[ir.Operation] = []
    ops = iu.block_operations(nest.block)
    for op, following in zip(ops, [*ops[1:], None], strict=True):
        if op.name == "affine.if" and not op.results:
            found.append(Statement(iu.block_operations(op.regions[0].blocks[0]), nest.constraints(op)))
            continue
        loose.append(op)
        last = following is None or following.name != "hls.write"
        if op.name in {"affine.for", "hls.write"} or (op.name == "affine.store" and last):
            found.append(Statement(loose, []))
            loose = []
    return found
