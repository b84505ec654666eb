# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A task that walks a feature map, several pixels of a row a step.

```
                     group of pixels ──> column[R][p]        newest row, p = 0, 1, …: a lane each
                                         column[R-1][p]      from the line buffer, a group of pixels at each address
   window_columns ──> window[k][0 … B-1], window[k][B + p] <── column
   window[k][0 … B-1 + pixels]: all columns that the windows of a group need, of which the last B are kept for the next
```
`hls-temporal-reuse` makes such tasks for one pixel a step. A hand-out happens there at columns d, d + s, d + 2 s, …;
here it happens for a group of pixels / s of these at once, D groups after its first one, when the last of them is
there. So the registers reach back further than a window is wide, where a window's end is no end of a group.

A loop over columns becomes one over groups, and inside one over the pixels that enter and one over those that leave.
In the last group of a row the pixels beyond its end have no meaning, in the column, the line buffer and the registers.
Nor had what the walk held when it was beyond the row, so it hands out none of that; and in words such lanes mean
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch_mlir import ir
from torch_mlir.dialects import memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import linear, trip_count
from resnet_hls.analysis.reuse import POSITION
from resnet_hls.analysis.tasks import Task
from resnet_hls.analysis.walks import (
    COLUMNS,
    HELP,
    HandOut,
    Statement,
    groups_of_row,
    hand_outs,
    is_walk,
    statements,
    width_of,
)
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure


def widen(task: Task) -> tuple[Task, tuple[int, ...]]:
    """Puts a walk of several pixels a step in the place of one whose loop over columns has a mark `hls.unroll`.

    Returns:
        The task, and which of its loops go over pixels of a group; they are marked to be unrolled. A task that is no
        walk, or has no such mark, stays as it is, without such loops.

    Raises:
        PassFailure: the walk cannot take so many pixels.
    """
    if not is_walk(task) or "hls.unroll" not in task.nest.loops[COLUMNS].attributes:
        return task, ()
    pixels = ir.IntegerAttr(task.nest.loops[COLUMNS].attributes["hls.unroll"]).value
    return _Widening(task, pixels).run() if pixels > 1 else (task, ())


@dataclass
class _Window:
    """Registers of a window: `before` keeps columns for the next step."""

    window: ir.Value
    before: ir.Value | None = None
    columns: int = 0  # as it was
    kept: int = 0  # in `before`, as it will be


@dataclass
class _Widening:
    """Rewrites one task."""

    task: Task
    pixels: int
    windows: dict[ir.Value, _Window] = field(default_factory=dict)
    mapping: dict[ir.Value, ir.Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nest = self.task.nest
        self.hand_outs = hand_outs(self.task)
        self.statements = statements(self.nest)
        strides = {found.stride for found in self.hand_outs.values()}
        stride = strides.pop()
        if strides or self.pixels % stride:
            message = f"{self.pixels} pixels a step of windows with a stride of {stride}"
            help = "choose a multiple of the stride"
            raise PassFailure(self.nest.loops[COLUMNS], message, help=help)
        self.leaving = self.pixels // stride
        self.width = width_of(self.task)
        if self.pixels > self.width:
            message = f"{self.pixels} pixels a step of rows of {self.width}"
            raise PassFailure(self.nest.loops[COLUMNS], message, help="choose no more than there are")
        self.groups = groups_of_row(self.task, self.pixels)
        # The loops: rows, groups, channels, then pixels that enter, pixels that leave, taps.
        self.entering_loop = POSITION
        self.leaving_loop = POSITION + 1 if self.leaving > 1 else None
        self.taps_from = POSITION + (1 if self.leaving_loop is None else 2)
        self.place = {d: d if d < POSITION else d - POSITION + self.taps_from for d in range(len(self.nest.loops))}

    # --- what there is ---

    def run(self) -> tuple[Task, tuple[int, ...]]:
        handing_out = [self.handing_out(statement) is not None for statement in self.statements]
        if handing_out != sorted(handing_out):
            raise PassFailure(self.nest.root, "a walk that hands out something before it has read it", help=HELP)
        for statement in self.statements:
            self.look(statement)
        for statement in self.statements:
            if (found := self.handing_out(statement)) is not None:
                for load in statement.of("affine.load"):
                    self.reach(load, found)
        i64 = ir.IntegerType.get_signless(64)
        inner = [(self.entering_loop, self.pixels)]
        if self.leaving_loop is not None:
            inner.append((self.leaving_loop, self.leaving))
        marks: list[dict[str, ir.Attribute]] = [_marks(loop) for loop in self.nest.loops[:POSITION]]
        marks[COLUMNS].pop("hls.unroll")
        marks += [{"hls.unroll": ir.IntegerAttr.get(i64, n)} for _, n in inner]
        marks += [_marks(loop) for loop in self.nest.loops[POSITION:]]
        marks[-1]["hls.pipeline"] = ir.UnitAttr.get()
        rows, _, channels, *taps = self.nest.extents
        extents = [rows, self.groups, channels, *(n for _, n in inner), *taps]

        old = self.task.op
        with ir.InsertionPoint(old), old.location:
            new = old.clone()
        iu.erase_tree(Task(new).nest.root)
        block = iu.body(new)
        originals = [o.operation for o in iu.body(old).operations if o.operation.name != "affine.for"]
        for before, after in zip(originals, [o.operation for o in block.operations], strict=True):
            self.mapping |= dict(zip(before.results, after.results, strict=True))
        self.buffers()
        with ir.InsertionPoint(block), self.nest.root.location, iu.affine_loops(extents, marks) as self.induction:
            for statement in self.statements:
                with statement.ops[0].location:
                    self.statement(statement)
        for op in [o.operation for o in block.operations]:
            if op.name == "memref.alloc" and not iu.has_uses(op.results[0]):
                op.erase()
        iu.erase_tree(old)
        return Task(new), tuple(d for d, _ in inner)

    def shape(self, buffer: ir.Value) -> list[int]:
        return list(ir.MemRefType(buffer.type).shape)

    def is_line(self, access: ir.Operation) -> bool:
        """True for an access that names its column: one to a line buffer."""
        return any(COLUMNS in dims_of(e) for e in self.nest.access(access).exprs)

    def handing_out(self, statement: Statement) -> HandOut | None:
        """When a statement hands out something; None for one that does not."""
        writes = statement.of("hls.write")
        return self.hand_outs[writes[0]] if writes else None

    def look(self, statement: Statement) -> None:
        """Finds the registers of windows: a buffer that is filled from one with a channel more is kept in that."""
        if self.handing_out(statement) is not None:
            return
        loads, stores = statement.of("affine.load"), statement.of("affine.store")
        if len(loads) != 1 or len(stores) != 1 or statement.of("affine.if"):
            raise PassFailure(statement.ops[0], "a statement of a walk that is no copy", help=HELP)
        if any(
            self.is_line(op) and len(self.shape(iu.accessed_memref(op))) != POSITION for op in (loads[0], stores[0])
        ):
            raise PassFailure(statement.ops[0], "a line buffer that is no rows of columns of channels", help=HELP)
        source, target = iu.accessed_memref(loads[0]), iu.accessed_memref(stores[0])
        if len(self.shape(target)) == 2 and not self.is_line(loads[0]):
            found = self.windows.setdefault(target, _Window(target, columns=self.shape(target)[1]))
            if len(self.shape(source)) == POSITION:
                found.before = source

    def reach(self, load: ir.Operation, found: HandOut) -> None:
        """How many columns before the newest group a load of a hand-out needs."""
        buffer = iu.accessed_memref(load)
        column = len(self.shape(buffer)) == 1 and buffer not in {t.buffer for t in self.task.transfers}
        if buffer not in self.windows and not column:
            raise PassFailure(load, "what is handed out is neither in a window nor in the newest column", help=HELP)
        first, last = self.range_of(self.relative(load, found))
        if last >= self.pixels or (first < 0 and column):
            raise PassFailure(load, "a pixel that the registers of a walk do not hold", help=HELP)
        if buffer in self.windows:
            self.windows[buffer].kept = max(self.windows[buffer].kept, -first)

    def relative(self, load: ir.Operation, found: HandOut) -> ir.AffineExpr:
        """The column that a load of a hand-out names, from the first pixel of the newest group, over the new loops."""
        buffer = iu.accessed_memref(load)
        leaving = ir.AffineExpr.get_constant(0)
        if self.leaving_loop is not None:
            leaving = ir.AffineExpr.get_dim(self.leaving_loop)
        position = leaving * found.stride + (found.first - found.delay(self.pixels) * self.pixels)
        if buffer not in self.windows:
            return position  # the newest column
        column = self.moved(self.nest.access(load).exprs[1], None)
        return column + position - (self.windows[buffer].columns - 1)

    def range_of(self, expr: ir.AffineExpr) -> tuple[int, int]:
        """Least and most of an expression over new loops."""
        form = linear(ir.AffineMap.get(len(self.place) + 2, 0, [expr]).results[0])
        if form is None:
            raise PassFailure(self.nest.root, "a window whose columns are no linear function of its taps", help=HELP)
        extents = {self.place[d]: n for d, n in enumerate(self.nest.extents)} | {self.leaving_loop: self.leaving}
        reach = [c * (extents[d] - 1) for d, c in form[0].items()]
        return form[1] + sum(min(0, r) for r in reach), form[1] + sum(max(0, r) for r in reach)

    # --- what there will be ---

    def buffers(self) -> None:
        """Buffers as large as several pixels need them."""
        lines = {iu.accessed_memref(a.op) for a in self.nest.accesses if self.is_line(a.op)}
        windows = {w.window: w for w in self.windows.values()}
        befores = {w.before: w for w in self.windows.values() if w.before is not None}
        words = {t.buffer for t in self.task.transfers}
        for buffer in {a.buffer: None for a in self.nest.accesses}:
            shape = self.shape(buffer)
            if buffer in words:
                continue
            if buffer in lines:
                rows, _, channels = shape
                shape = [rows, -(-self.width // self.pixels), channels, self.pixels]
            elif buffer in windows:
                shape[1] = windows[buffer].kept + self.pixels
            elif buffer in befores:
                shape[1] = max(1, befores[buffer].kept)
            else:
                shape.append(self.pixels)
            old = iu.defining_op(self.mapping[buffer])
            assert old is not None
            with ir.InsertionPoint(old), old.location:
                kind = ir.MemRefType.get(shape, ir.MemRefType(buffer.type).element_type)
                new = memref.AllocOp(kind, [], []).result
            for name, mark in _marks(old).items():
                new.owner.operation.attributes[name] = mark
            self.mapping[buffer] = new

    def moved(self, expr: ir.AffineExpr, column: ir.AffineExpr | None, inner: int = 0) -> ir.AffineExpr:
        """An expression over the old loops, and `inner` loops in the body, as one over the new ones.

        `column` stands for the loop over columns.
        """
        dim = ir.AffineExpr.get_dim
        count = len(self.nest.loops)
        total = self.taps_from + count - POSITION
        places = [dim(self.place[d]) for d in range(count)] + [dim(total + n) for n in range(inner)]
        if column is not None:
            places[COLUMNS] = column
        composed = expr.compose(ir.AffineMap.get(total + inner, 0, places))
        return ir.AffineMap.get(
            total + inner, 0, [ir.AffineExpr.simplify_affine_expr(composed, total + inner, 0)]
        ).results[0]

    def entering(self) -> ir.AffineExpr:
        """The column that enters."""
        return ir.AffineExpr.get_dim(COLUMNS) * self.pixels + ir.AffineExpr.get_dim(self.entering_loop)

    def statement(self, statement: Statement) -> None:
        found = self.handing_out(statement)
        if found is not None:
            self.hand_out(statement, found)
            return
        (load,), (store,) = statement.of("affine.load"), statement.of("affine.store")
        shifts = {w.before: w for w in self.windows.values()}
        source, target = iu.accessed_memref(load), iu.accessed_memref(store)
        window = shifts.get(source) or shifts.get(target)
        dim = ir.AffineExpr.get_dim
        if window is not None and not window.kept:
            return
        constraints = [(self.moved(e, None), equal) for e, equal in statement.conditions if COLUMNS not in dims_of(e)]
        if self.leaving_loop is not None:
            constraints.append((dim(self.leaving_loop), True))
        if window is not None:
            last = target == window.before
            constraints.append((dim(self.entering_loop) - (self.pixels - 1 if last else 0), True))
        in_row = bool(statement.of("hls.read")) or self.is_line(load) or self.is_line(store)
        if in_row and self.groups * self.pixels != self.width:
            constraints.append((self.entering() * -1 + (self.width - 1), False))
        with iu.affine_guard(constraints, self.induction):
            self.copy(statement.ops, window)

    def copy(self, ops: Sequence[ir.Operation], window: _Window | None) -> None:
        """The operations of a statement that fills registers, in their loops over registers."""
        registers: list[ir.Operation] = []
        while len(ops) == 1 and ops[0].name == "affine.for":
            registers.append(ops[0])
            ops = iu.block_operations(iu.body(ops[0]))
        extents, marks = [trip_count(loop) for loop in registers], [_marks(loop) for loop in registers]
        if window is not None:
            if len(registers) != 2:
                raise PassFailure(ops[0], "registers of a window that are not filled row by row", help=HELP)
            extents[-1] = window.kept
            marks[-1]["hls.unroll"] = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), window.kept)
        with iu.affine_loops(extents, marks) as inner:
            for op in ops:
                self.copy_one(op, [*self.induction, *inner], window)

    def copy_one(self, op: ir.Operation, variables: list[ir.Value], window: _Window | None) -> None:
        if op.name not in {"affine.load", "affine.store"}:
            iu.clone_into([op], self.mapping)
            return
        exprs = self.index(op, len(variables) - len(self.induction), window)
        buffer = self.mapping[iu.accessed_memref(op)]
        index_map = ir.AffineMap.get(len(variables), 0, exprs)
        if op.name == "affine.load":
            self.mapping[op.results[0]] = iu.affine_load(buffer, index_map, variables)
        else:
            iu.affine_store(self.mapping[op.operands[0]], buffer, index_map, variables)

    def index(self, op: ir.Operation, inner: int, window: _Window | None) -> list[ir.AffineExpr]:
        """Where a statement that fills registers finds or puts an element."""
        dim = ir.AffineExpr.get_dim
        buffer = iu.accessed_memref(op)
        exprs = [self.moved(e, None, inner) for e in self.nest.access(op).exprs]
        if buffer in {t.buffer for t in self.task.transfers}:
            return exprs
        if buffer in self.windows:
            if window is None:  # a column enters
                exprs[1] = dim(self.entering_loop) + self.windows[buffer].kept
            elif op.name == "affine.load":  # the last columns are kept
                exprs[1] = exprs[1] + (self.pixels - 1)
            return exprs
        if window is not None:
            return exprs  # kept columns
        return [*exprs, dim(self.entering_loop)]  # of a line buffer (an address is a group), or of a column

    # --- what is handed out ---

    def hand_out(self, statement: Statement, found: HandOut) -> None:
        dim = ir.AffineExpr.get_dim
        delay = found.delay(self.pixels)
        group = dim(COLUMNS) - delay
        leaving = dim(self.leaving_loop) if self.leaving_loop is not None else ir.AffineExpr.get_constant(0)
        column = group * self.pixels + leaving * found.stride + found.first
        constraints = [(self.moved(e, None), equal) for e, equal in statement.conditions if COLUMNS not in dims_of(e)]
        constraints.append((dim(self.entering_loop) - (self.pixels - 1), True))
        if delay:
            constraints.append((group, False))
        if (self.groups - delay) * self.leaving != found.count:
            constraints.append((group * -self.leaving - leaving + (found.count - 1), False))
        with iu.affine_guard(constraints, self.induction):
            for inner in statement.ops:
                self.hand_out_one(inner, found, column)

    def hand_out_one(self, op: ir.Operation, found: HandOut, column: ir.AffineExpr) -> None:
        if op.name == "affine.if":
            conditions = [(self.moved(e, column), equal) for e, equal in self.nest.constraints(op)]
            iu.copy_if(
                op, conditions, self.induction, lambda inner: self.hand_out_one(inner, found, column), self.mapping
            )
        elif op.name == "affine.load" and iu.accessed_memref(op) not in {t.buffer for t in self.task.transfers}:
            buffer = iu.accessed_memref(op)
            rows = self.moved(self.nest.access(op).exprs[0], None)
            kept = self.windows[buffer].kept if buffer in self.windows else 0
            index_map = ir.AffineMap.get(len(self.induction), 0, [rows, self.relative(op, found) + kept])
            self.mapping[op.results[0]] = iu.affine_load(self.mapping[buffer], index_map, self.induction)
        elif op.name == "affine.store":
            exprs = [self.moved(e, None) for e in self.nest.access(op).exprs]
            value = self.mapping.get(op.operands[0], op.operands[0])
            index_map = ir.AffineMap.get(len(self.induction), 0, exprs)
            iu.affine_store(value, self.mapping[iu.accessed_memref(op)], index_map, self.induction)
        else:
            iu.clone_into([op], self.mapping)


def _marks(op: ir.Operation) -> dict[str, ir.Attribute]:
    """The `hls.*` attributes of an operation but those of pipelining, which another loop gets."""
    return {name: op.attributes[name] for name in op.attributes if name.startswith("hls.") and name != "hls.pipeline"}
