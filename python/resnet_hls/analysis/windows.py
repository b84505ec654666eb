# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sliding windows and row-by-row walks: what an access means for a stream of elements. Changes no IR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import evaluate
from resnet_hls.analysis.nests import Access, Nest, linear
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure


@dataclass(frozen=True)
class WindowedDimension:
    """`index = stride * output + dilation * tap - padding` along one dimension of a buffer of `extent` elements."""

    extent: int
    output: int | None  # loop that walks the outputs; None for a single one
    outputs: int
    stride: int
    tap: int | None  # loop that walks the taps; None for a single one
    taps: int
    dilation: int
    padding: int

    @property
    def span(self) -> int:
        """Elements that a window covers."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def steps(self) -> int:
        """Positions to walk: all elements, and as many beyond them as the last window needs."""
        last = (self.outputs - 1) * self.stride + self.span - 1 - self.padding
        return max(self.extent, last + 1)


def windowed(load: Access, nest: Nest, axis: int) -> WindowedDimension | None:
    """The window along dimension `axis` of a load.

    None when its index is no linear function of at most one output and at most one tap loop.
    """
    form = linear(load.exprs[axis])
    if form is None:
        return None
    coefficients, constant = form
    extent = ir.MemRefType(load.buffer.type).shape[axis]
    outputs = sorted(d for d in coefficients if d in parallel_loops(nest))
    taps = sorted(d for d in coefficients if d not in outputs)
    if len(outputs) > 1 or len(taps) > 1 or constant > 0 or min(coefficients.values(), default=1) < 1:
        return None

    def loop(found: list[int]) -> tuple[int | None, int, int]:
        """A loop, its trip count and its coefficient."""
        return (found[0], nest.extents[found[0]], coefficients[found[0]]) if found else (None, 1, 1)

    found = WindowedDimension(extent, *loop(outputs), *loop(taps), -constant)
    return found if found.padding < found.span else None


def parallel_loops(nest: Nest) -> set[int]:
    """Loops that index what the nest hands on (stores that it does not load itself)."""
    loaded = {load.buffer for load in nest.loads}
    results = [store for store in nest.stores if store.buffer not in loaded]
    return {d for store in results for e in store.exprs for d in dims_of(e)}


def is_private(buffer: ir.Value, nest: Nest) -> bool:
    """True when only this nest touches the buffer."""
    inside = {a.op for a in nest.accesses}
    return not isinstance(buffer, ir.BlockArgument) and all(user in inside for user in iu.users(buffer))


def padding_value(load: Access) -> tuple[ir.Operation, int] | None:
    """The `affine.if` that yields either this load or a constant, and the constant."""
    parent = load.op.parent.operation
    if parent.name != "affine.if" or len(parent.results) != 1 or load.op.block != parent.regions[0].blocks[0]:
        return None
    then, otherwise = ([o.operation for o in region.blocks[0].operations][-1].operands[0] for region in parent.regions)
    number = iu.scalar_constant(otherwise)
    return None if number is None or then != load.op.results[0] else (parent, int(number))


def is_padding(nest: Nest, load: Access, guard: ir.Operation) -> bool:
    """True when the condition of `guard` holds exactly where `load` stays inside its map: by enumeration."""
    exprs, shape = load.exprs[-3:-1], ir.MemRefType(load.buffer.type).shape[-3:-1]
    conditions = nest.constraints(guard)
    used = {d for e in [*exprs, *(e for e, _ in conditions)] for d in dims_of(e)}
    ranges = [np.arange(n if d in used else 1) for d, n in enumerate(nest.extents)]
    grid = np.meshgrid(*ranges, indexing="ij", sparse=True)
    inside = np.ones(tuple(map(len, ranges)), dtype=bool)
    for expr, n in zip(exprs, shape, strict=True):
        index = evaluate(expr, grid)
        inside &= (index >= 0) & (index < n)
    held = np.ones_like(inside)
    for expr, equal in conditions:
        value = evaluate(expr, grid)
        held &= (value == 0) if equal else (value >= 0)
    return bool(np.array_equal(inside, held))


def is_walk(access: Access) -> bool:
    """True when every index is a constant or a loop, plus a constant under a guard (a part of a concatenation)."""
    return all((form := linear(expr)) is not None and list(form[0].values()) in ([], [1]) for expr in access.exprs)


def covers(nest: Nest, access: Access) -> bool:
    """True when the loops of an access run over all of its buffer; taken for granted of one under a guard."""
    if access.op.parent.operation != nest.loops[-1]:
        return True
    shape = ir.MemRefType(access.buffer.type).shape
    extents = [1 if (d := single_dim(expr)) is None else nest.extents[d] for expr in access.exprs]
    return extents == list(shape)


def needs_window(nest: Nest, load: Access) -> bool:
    """True for a load that needs elements more than once, or leaves some out: no plain walk over all of its buffer."""
    partial = not covers(nest, load) and len(load.exprs) > 2
    return padding_value(load) is not None or not is_walk(load) or partial


def check_order(nest: Nest, access: Access) -> None:
    """Raises PassFailure unless the nest touches the elements of the buffer in row-major order, all of them."""
    guarded = access.op.parent.operation != nest.loops[-1]
    before = -1
    for extent, expr in zip(ir.MemRefType(access.buffer.type).shape, access.exprs, strict=True):
        d = single_dim(expr)
        if d is None and extent == 1:
            continue
        if d is None or (not guarded and nest.extents[d] != extent):
            raise PassFailure(access.op, "an access to a part of a feature map only", help="see docs/passes.md")
        if d < before:
            what = "stored" if access.is_store else "read"
            help = "a transposition inside the network cannot be streamed: elements come row by row, channels innermost"
            raise PassFailure(access.op, f"elements are {what} in another order than row by row", help=help)
        before = d


def enclosing_guards(op: ir.Operation, nest: Nest) -> set[int]:
    """Loops that an enclosing `affine.if` holds at one iteration."""
    held: set[int] = set()
    parent = op.parent.operation
    while parent != nest.loops[-1]:
        if parent.name == "affine.if":
            exprs = nest.in_terms_of_loops(
                [e for e, equal in iu.set_constraints(parent.attributes["condition"]) if equal],
                iu.index_operands(parent),
            )
            held |= {d for e in exprs if (d := single_dim(e)) is not None}
        parent = parent.parent.operation
    return held


def single_dim(expr: ir.AffineExpr) -> int | None:
    form = linear(expr)
    return next(iter(form[0])) if form is not None and len(form[0]) == 1 else None


def name_of(nest: Nest) -> str:
    """`hls.name` of a nest, or a name made from its location."""
    if "hls.name" in nest.root.attributes:
        name: str = ir.StringAttr(nest.root.attributes["hls.name"]).value
        return name
    return iu.identifier(iu.source_name(nest.root)) or "task"
