# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gives a nest that walks a feature map the line buffer and the window registers that it needs to read each element
once.

```
                 stream ──> column[R]   newest row          window_columns: the pixels before, per row
   line_buffer[R-1] ──────> column[R-1]                 ┌──────────────┐
   …  (a row each)          …                 column ──>│ window[k][k] │──> whoever wants it
   line_buffer[0] ────────> column[0]   oldest row      └──────────────┘
```
In each column the rows move up: what was read from row r of the line buffer makes room for what the row below holds.

That goes on from one frame to the next: in row y of a frame, column[R - l] holds row y - l, and where that is negative,
row H + y - l of the frame before. So what a walk hands out below the last row of its map it can hand out while it reads
the first rows of the next frame (`hls.overlap`, see `analysis/overlap.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Constraint
from resnet_hls.analysis.overlap import OVERLAP, may_overlap, rows_of
from resnet_hls.analysis.reuse import POSITION, SKIP_ROWS, Lagged, Walk
from resnet_hls.passes._split_windows import allocate


class LineBuffer:
    """Rewrites one walk in place."""

    def __init__(self, function: ir.Operation, walk: Walk) -> None:
        self.function, self.walk, self.nest = function, walk, walk.nest
        kind = ir.MemRefType(walk.buffer.type)
        self.element = kind.element_type
        *self.leading, self.height, self.width, self.channels = kind.shape
        self.location = walk.loads[0].access.op.location
        self.depth = len(self.nest.loops)
        self.reach = walk.rows

    def allocate(self, shape: list[int], name: str, element: ir.Type | None = None) -> ir.Value:
        return allocate(self.function, shape, element or self.element, self.location, name)

    def run(self) -> None:
        dim, constant = ir.AffineExpr.get_dim, ir.AffineExpr.get_constant
        y, x, c = dim(0), dim(1), dim(2)
        extents = self.nest.extents
        self.nest.loops[-1].attributes["hls.pipeline"] = ir.UnitAttr.get()
        self.mark_overlap()
        first = iu.edge_guard(list(range(POSITION, self.depth)), extents, last=False)
        in_columns = [(self.width - 1 - x, False)] if extents[1] > self.width else []
        in_rows = [(self.height - 1 - y, False)] if extents[0] > self.height else []
        self.column = self.allocate([self.reach + 1], "column")
        with ir.InsertionPoint.at_block_begin(self.nest.block), self.location:
            with self.guard([*first, *in_rows, *in_columns]):
                value = self.load(self.walk.buffer, [*(constant(0) for _ in self.leading), y, x, c])
                self.store(value, self.column, [constant(self.reach)])
            if self.reach:
                line = self.allocate([self.reach, self.width, self.channels], "line_buffer")
                if SKIP_ROWS in self.nest.root.attributes:
                    line.owner.operation.attributes[SKIP_ROWS] = self.nest.root.attributes[SKIP_ROWS]
                row = dim(self.depth)
                with self.guard([*first, *in_columns]), self.unrolled([self.reach]) as inner:
                    self.store(self.load(line, [row, x, c], inner), self.column, [row], inner)
                with self.guard([*first, *in_columns]), self.unrolled([self.reach]) as inner:
                    self.store(self.load(self.column, [row + 1], inner), line, [row, x, c], inner)
            groups: dict[str, list[Lagged]] = {}
            for load in self.walk.loads:
                if load.columns[1]:
                    groups.setdefault(load.function, []).append(load)
            windows = [self.window(loads, first) for loads in groups.values()]
        for load in self.walk.loads:
            if not load.columns[1]:
                rows = load.access.exprs[-3] - y + self.reach
                self.replace(load.access.op, load.access.op.results[0], self.column, [rows])
        for loads, (window, oldest, furthest) in zip(groups.values(), windows, strict=True):
            for load in loads:
                rows, columns = load.access.exprs[-3] - y + oldest, load.access.exprs[-2] - x + furthest
                self.replace(load.access.op, load.result, window, [rows, columns])
                for op in reversed(load.chain):
                    op.erase()
                load.access.op.erase()
        for load in self.walk.loads:
            if not load.columns[1]:
                load.access.op.erase()

    def mark_overlap(self) -> None:
        """Lets the rows of steps below the map run together with the first ones of the next frame."""
        rows = self.nest.extents[0]
        if may_overlap(self.height, rows, [rows_of(store.op, self.nest) for store in self.nest.stores]):
            i64 = ir.IntegerType.get_signless(64)
            self.nest.root.attributes[OVERLAP] = ir.IntegerAttr.get(i64, rows - self.height)

    def window(self, loads: list[Lagged], first: list[Constraint]) -> tuple[ir.Value, int, int]:
        """Registers for what `loads` hand out, filled a column at each position.

        All loads have the same chain, which is computed as an element enters, not for each tap. Gives the registers,
        how many rows the first of them lies behind the position, and how many columns.
        """
        dim, constant = ir.AffineExpr.get_dim, ir.AffineExpr.get_constant
        c, r, s = dim(2), dim(self.depth), dim(self.depth + 1)
        newest, oldest = min(load.rows[0] for load in loads), max(load.rows[1] for load in loads)
        rows, columns = oldest - newest + 1, max(load.columns[1] for load in loads) + 1
        kind = loads[0].result.type
        window = self.allocate([rows, columns], "window", kind)
        before = self.allocate([rows, columns - 1, self.channels], "window_columns", kind)
        with self.guard(first), self.unrolled([rows, columns - 1]) as inner:
            self.store(self.load(before, [r, s, c], inner), window, [r, s], inner)
        with self.guard(first), self.unrolled([rows]) as inner:
            mapping = {loads[0].access.op.results[0]: self.load(self.column, [r + (self.reach - oldest)], inner)}
            iu.clone_into(loads[0].chain, mapping)
            self.store(mapping[loads[0].result], window, [r, constant(columns - 1)], inner)
        with self.guard(first), self.unrolled([rows, columns - 1]) as inner:
            self.store(self.load(window, [r, s + 1], inner), before, [r, s, c], inner)
        return window, oldest, columns - 1

    def replace(self, load: ir.Operation, value: ir.Value, buffer: ir.Value, exprs: Sequence[ir.AffineExpr]) -> None:
        """Puts an element of `buffer` in the place of `value`."""
        simple = [ir.AffineExpr.simplify_affine_expr(expr, self.depth, 0) for expr in exprs]
        with ir.InsertionPoint(load), load.location:
            value.replace_all_uses_with(self.load(buffer, simple))

    def guard(self, constraints: list[Constraint]) -> AbstractContextManager[None]:
        return iu.affine_guard(constraints, self.nest.induction)

    @contextmanager
    def unrolled(self, counts: list[int]) -> Iterator[list[ir.Value]]:
        """Loops over registers, all at once; gives their variables."""
        i64 = ir.IntegerType.get_signless(64)
        marks: list[dict[str, ir.Attribute]] = [
            {"hls.unroll": ir.IntegerAttr.get(i64, n), "hls.label": ir.StringAttr.get(label)}
            for n, label in zip(counts, ("window_rows", "window_columns"), strict=False)
        ]
        with iu.affine_loops(counts, marks) as inner:
            yield inner

    def load(self, buffer: ir.Value, exprs: Sequence[ir.AffineExpr], inner: Sequence[ir.Value] = ()) -> ir.Value:
        operands = [*self.nest.induction, *inner]
        return iu.affine_load(buffer, ir.AffineMap.get(len(operands), 0, list(exprs)), operands)

    def store(
        self, value: ir.Value, buffer: ir.Value, exprs: Sequence[ir.AffineExpr], inner: Sequence[ir.Value] = ()
    ) -> None:
        operands = [*self.nest.induction, *inner]
        iu.affine_store(value, buffer, ir.AffineMap.get(len(operands), 0, list(exprs)), operands)
