# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reuse distances: how long a nest that walks a feature map needs each of its elements. Reads the IR only.

A nest walks a map when its position (row, column) at a step is also the newest element of the map that any access of
the step may need; the others lie some rows and columns back. The largest of these lags is the reuse distance: an
element must stay for as many rows and columns, and no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest, is_constant, linear, nests
from resnet_hls.analysis.windows import is_private, needs_window

#: On a nest that walks a map, and then on its line buffer: rows that are there for skips alone.
SKIP_ROWS = "hls.skip_rows"

#: Loops of a walk that are no taps: rows, columns, channels.
POSITION = 3


@dataclass(frozen=True)
class Lagged:
    """A load that lies `rows` and `columns` behind the position, each from the least to the most over all taps.

    chain: operations that make what is handed out from the loaded element alone, in program order; result: their last.
    """

    access: Access
    rows: tuple[int, int]
    columns: tuple[int, int]
    chain: tuple[ir.Operation, ...]
    result: ir.Value

    @cached_property
    def function(self) -> str:
        """What the chain computes, as text: equal for chains that compute the same."""
        numbers: dict[ir.Value, str] = {self.access.op.results[0]: "x"}
        lines = []
        for op in self.chain:
            operands = [numbers.get(operand, str(iu.scalar_constant(operand))) for operand in op.operands]
            attributes = [f"{name}={op.attributes[name]}" for name in sorted(op.attributes)]
            lines.append(f"{op.name}({', '.join(operands)}) {attributes} {op.results[0].type}")
            numbers[op.results[0]] = f"v{len(numbers)}"
        return "\n".join([*lines, numbers[self.result]])


@dataclass(frozen=True)
class Walk:
    """A nest that walks `buffer`: loops over rows, columns and channels, then loops over taps."""

    nest: Nest
    buffer: ir.Value
    loads: tuple[Lagged, ...]

    @property
    def rows(self) -> int:
        """Reuse distance in rows: how many rows back the oldest element lies that a step may need."""
        return max(load.rows[1] for load in self.loads)

    @property
    def columns(self) -> int:
        """Reuse distance in columns."""
        return max(load.columns[1] for load in self.loads)


def walk_of(nest: Nest) -> Walk | None:
    """The walk that a nest is; None for one that does more than hand out elements of one map, or none but the newest.

    Exact: every load is at `[0 …, row - a(taps), column - b(taps), channel]` with a, b never negative, and whatever is
    computed depends on one element and constants.
    """
    outside = {a.buffer for a in nest.accesses if not is_private(a.buffer, nest)}
    buffers = {a.buffer for a in nest.loads} & outside
    if len(buffers) != 1 or len(nest.loops) < POSITION:
        return None
    buffer = buffers.pop()
    if is_constant(buffer) or any(a.buffer != buffer for a in nest.loads):
        return None
    if len(ir.MemRefType(buffer.type).shape) < POSITION or buffer in {a.buffer for a in nest.stores}:
        return None
    if any("hls.tap" not in loop.attributes for loop in nest.loops[POSITION:]):
        return None
    found = [_lagged(load, nest) for load in nest.loads]
    loads = [load for load in found if load is not None]
    if len(loads) != len(found) or len(loads) != len(nest.stores):
        return None
    plain = len(loads) == 1 and loads[0].access.op.parent.operation == nest.loops[-1]
    if plain and loads[0].rows == loads[0].columns == (0, 0):
        return None  # an elementwise nest
    return Walk(nest, buffer, tuple(loads))


def _lagged(load: Access, nest: Nest) -> Lagged | None:
    *leading, row, column, channel = load.exprs
    shape = ir.MemRefType(load.buffer.type).shape
    if any(n != 1 or not isinstance(e, ir.AffineConstantExpr) for e, n in zip(leading, shape, strict=False)):
        return None
    if channel != ir.AffineExpr.get_dim(2) or nest.extents[2] != shape[-1]:
        return None
    rows, columns = _lag(row, 0, nest.extents), _lag(column, 1, nest.extents)
    chain = _chain(load.op)
    if rows is None or columns is None or chain is None:
        return None
    return Lagged(load, rows, columns, *chain)


def _lag(index: ir.AffineExpr, position: int, extents: Sequence[int]) -> tuple[int, int] | None:
    """Least and most of `position - index` over all taps; None where that depends on anything else, or is negative."""
    form = linear(index)
    if form is None or form[0].get(position) != 1:
        return None
    taps = {d: c for d, c in form[0].items() if d != position}
    if any(d < POSITION or d >= len(extents) for d in taps):
        return None
    reach = [c * (extents[d] - 1) for d, c in taps.items()]
    least = -form[1] - sum(max(0, r) for r in reach)
    return (least, -form[1] - sum(min(0, r) for r in reach)) if least >= 0 else None


def _chain(load: ir.Operation) -> tuple[tuple[ir.Operation, ...], ir.Value] | None:
    """Operations of the load's block that depend on it, and what becomes of it; None where another value comes in."""
    known = {load.results[0]}
    chain: list[ir.Operation] = []
    ops = [o.operation for o in load.block.operations]
    for op in ops[ops.index(load) + 1 :]:
        if op.name.startswith("arith.") and known & set(op.operands):
            if any(o not in known and iu.scalar_constant(o) is None for o in op.operands):
                return None
            chain.append(op)
            known.add(op.results[0])
    result = chain[-1].results[0] if chain else load.results[0]
    inner = set(chain)
    if any(user not in inner for value in known - {result} for user in iu.users(value)):
        return None
    return tuple(chain), result


def chain_from(origin: ir.Value, value: ir.Value) -> list[ir.Operation] | None:
    """Operations that make `value` of `origin` and constants alone, in program order; None where that is not so."""
    chain: dict[ir.Operation, None] = {}

    def visit(wanted: ir.Value) -> bool:
        if wanted == origin or iu.scalar_constant(wanted) is not None:
            return True
        op = iu.defining_op(wanted)
        if op is None or not op.name.startswith("arith.") or not all(visit(operand) for operand in op.operands):
            return False
        chain.setdefault(op)
        return True

    return list(chain) if visit(value) else None


def walks_over(function: ir.Operation, buffer: ir.Value) -> list[Walk]:
    """The nests that walk `buffer`, in program order."""
    found = (walk_of(nest) for nest in nests(function, buffer))
    return [walk for walk in found if walk is not None and walk.buffer == buffer]


def windowed_readers(function: ir.Operation) -> dict[ir.Value, int]:
    """Feature maps that windows slide over, and how many do."""
    found: dict[ir.Value, int] = {}
    for nest in nests(function):
        walk = walk_of(nest)
        for load in nest.loads:
            streamed = not is_constant(load.buffer) and not is_private(load.buffer, nest)
            if streamed and (walk is not None or needs_window(nest, load)):
                found[load.buffer] = found.get(load.buffer, 0) + 1
    return found
