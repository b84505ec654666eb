# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which iterations of a nest execute an operation, in what order it touches elements: exact, by enumeration.

Reads the IR only.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_mlir import ir

from resnet_hls.analysis.nests import Nest, linear, trip_count
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure

Array = np.ndarray[Any, np.dtype[np.int64]]
#: Iterations of one operation that are gone through: arrays of 8 GiB.
_MOST = 1 << 27
#: Iterations of a nest: as many as an accelerator at some 300 MHz does in a minute.
_MOST_OF_NEST = 1 << 34
#: Iterations of the loops of one index.
_MOST_ASKED = 1 << 20


def evaluate(expr: ir.AffineExpr, dims: Sequence[Array]) -> Array:
    """The values of an affine expression for arrays of dimension values (broadcast against each other)."""
    if isinstance(expr, ir.AffineConstantExpr):
        return np.array(expr.value)
    if isinstance(expr, ir.AffineDimExpr):
        position: int = expr.position
        return dims[position]
    if not isinstance(expr, ir.AffineBinaryExpr):
        raise ValueError(f"cannot evaluate {expr}")
    left, right = evaluate(expr.lhs, dims), evaluate(expr.rhs, dims)
    if isinstance(expr, ir.AffineAddExpr):
        return left + right
    if isinstance(expr, ir.AffineMulExpr):
        return left * right
    if isinstance(expr, ir.AffineModExpr):
        return left % right
    if isinstance(expr, ir.AffineFloorDivExpr):
        return left // right
    return -((-left) // right)  # ceildiv


def guards_of(op: ir.Operation, nest: Nest, inside: ir.Operation | None = None) -> list[tuple[ir.AffineExpr, bool]]:
    """Constraints over the nest's loops under which `op` executes: the conditions of the `affine.if`s around it.

    Only those below the operation `inside`, where it is given.

    Raises PassFailure for an operation in an else branch whose condition is no single inequality.
    """
    found: list[tuple[ir.AffineExpr, bool]] = []
    inner, parent = op, op.parent.operation
    stop = nest.loops[-1] if inside is None else inside
    while parent != stop:
        if parent.name == "affine.if":
            here = nest.constraints(parent)
            if len(parent.regions) > 1 and inner.block != parent.regions[0].blocks[0]:
                if len(here) != 1 or here[0][1]:
                    raise PassFailure(op, "an access in the else branch of a condition that is no single inequality")
                here = [(negation(here[0][0], len(nest.loops)), False)]
            found += here
        inner, parent = parent, parent.parent.operation
    return found


def negation(expr: ir.AffineExpr, dims: int) -> ir.AffineExpr:
    """The expression that is at least 0 exactly where `expr` is not."""
    return ir.AffineMap.get(dims, 0, [ir.AffineExpr.simplify_affine_expr(expr * -1 - 1, dims, 0)]).results[0]


def fixed_loops(guards: Sequence[tuple[ir.AffineExpr, bool]]) -> dict[int, int]:
    """Loops that a guard `loop == constant` holds at one iteration, with that iteration."""
    fixed: dict[int, int] = {}
    for expr, equal in guards:
        form = linear(expr)
        if equal and form is not None and list(form[0].values()) == [1]:
            fixed[next(iter(form[0]))] = -form[1]
    return fixed


def same_for_all_lanes(expr: ir.AffineExpr, loop: int, factor: int) -> bool:
    """True when `expr >= 0` is the same for all of `factor` neighbouring iterations of `loop`, in every group."""
    if factor == 1 or loop not in dims_of(expr):
        return True
    form = linear(expr)
    if form is None or abs(form[0][loop]) != 1:
        return False
    coefficients, constant = form
    others = all(c % factor == 0 for d, c in coefficients.items() if d != loop)
    return others and constant % factor == (0 if coefficients[loop] > 0 else factor - 1)


def executed(op: ir.Operation, nest: Nest) -> list[Array]:
    """Per loop of the nest, its value at each execution of `op`, in order of execution.

    Raises:
        PassFailure: there are too many of them.
    """
    guards = guards_of(op, nest)
    fixed = fixed_loops(guards)
    if (count := prod(n for d, n in enumerate(nest.extents) if d not in fixed)) > _MOST:
        message = f"{count:,} iterations, more than the {_MOST:,} that can be gone through one by one"
        raise PassFailure(nest.root, message, help="build a smaller network, or one for smaller images")
    # None, where a guard holds a loop at an iteration that it has not.
    ranges = [
        np.array([fixed[d]])[: 0 <= fixed[d] < n] if d in fixed else np.arange(n) for d, n in enumerate(nest.extents)
    ]
    grid = np.meshgrid(*ranges, indexing="ij", sparse=True)
    shape = tuple(len(r) for r in ranges)
    mask = np.ones(shape, dtype=bool)
    for expr, equal in guards:
        value = evaluate(expr, grid)
        mask &= (value == 0) if equal else (value >= 0)
    if mask.all():
        return [np.broadcast_to(g, shape).reshape(-1) for g in grid]
    return [np.broadcast_to(g, shape)[mask] for g in grid]


def steps_of(op: ir.Operation, nest: Nest) -> Array:
    """The linear iteration number of the nest at each execution of `op`."""
    loops = executed(op, nest)
    return np.ravel_multi_index(tuple(loops), tuple(nest.extents))


def element_order(op: ir.Operation, nest: Nest) -> Array:
    """Row-major element numbers that an affine.load or affine.store touches, in order of execution.

    Raises:
        PassFailure: it leaves its buffer.
    """
    loops = executed(op, nest)
    access = nest.access(op)
    shape = ir.MemRefType(access.buffer.type).shape
    indices = [np.broadcast_to(evaluate(e, loops), loops[0].shape) for e in access.exprs]
    try:
        return np.ravel_multi_index(tuple(indices), tuple(shape))
    except ValueError:
        size = "x".join(map(str, shape))
        raise PassFailure(
            op, f"an access outside its buffer of {size} elements", help="stay inside the buffer"
        ) from None


def check_bounds(nest: Nest) -> None:
    """Whether a nest ends in sensible time, and every access of it stays inside its buffer.

    An index is asked for the loops that it depends on, and for those that guards tie to them: few, so that this takes
    no time. Not asked: accesses under guards that depend on loops inside the body, registers' and lanes'.

    Raises:
        PassFailure: one does not.
    """
    if prod(nest.extents) > _MOST_OF_NEST:
        message = f"a nest of {prod(nest.extents):,} iterations, more than the {_MOST_OF_NEST:,} that end in a minute"
        raise PassFailure(nest.root, message, help="build a smaller network, or one for smaller images")
    for access in nest.accesses:
        values = nest.inner(access.op)
        if not all(isinstance(value.owner, ir.Block) for value in values):
            continue
        extents = [*nest.extents, *(trip_count(value.owner.owner.operation) for value in values)]
        try:
            guards = guards_of(access.op, nest)
        except PassFailure:  # in an else branch: nothing is known of it
            continue
        if any(max(dims_of(guard), default=0) >= len(nest.extents) for guard, _ in guards):
            continue
        for expr, size in zip(access.exprs, ir.MemRefType(access.buffer.type).shape, strict=True):
            index = _values(expr, guards, extents)
            if index.size and not (index.min() >= 0 and index.max() < size):
                bad = index.min() if index.min() < 0 else index.max()
                message = f"an access at index {bad} of a dimension of {size} elements"
                raise PassFailure(access.op, message, help="stay inside the buffer, or guard the access")


def _values(expr: ir.AffineExpr, guards: Sequence[tuple[ir.AffineExpr, bool]], extents: Sequence[int]) -> Array:
    """The values of an expression in all iterations that guards let pass; none, where there are too many to say."""
    dims = set(dims_of(expr))
    while True:
        tied = [guard for guard in guards if dims & set(dims_of(guard[0]))]
        wider = dims.union(*(dims_of(guard) for guard, _ in tied))
        if wider == dims:
            break
        dims = wider
    if prod(extents[d] for d in dims) > _MOST_ASKED:
        return np.empty(0, np.int64)
    grid, mask = passing(tied, dims, extents)
    return np.broadcast_to(evaluate(expr, grid), mask.shape)[mask]


def passing(
    guards: Sequence[tuple[ir.AffineExpr, bool]], dims: set[int], extents: Sequence[int]
) -> tuple[list[Array], NDArray[np.bool_]]:
    """The values of every loop (broadcast against each other), others than `dims` at their first iteration only, and
    which of these iterations guards let pass.
    """
    shape = tuple(n if d in dims else 1 for d, n in enumerate(extents))
    grid = list(np.meshgrid(*map(np.arange, shape), indexing="ij", sparse=True))
    mask = np.ones(shape, dtype=bool)
    for guard, equal in guards:
        value = evaluate(guard, grid)
        mask &= (value == 0) if equal else (value >= 0)
    return grid, mask


def is_row_major_once(op: ir.Operation, nest: Nest) -> bool:
    """True when `op` touches every element of its buffer once, in row-major order: as a stream carries them."""
    size = int(np.prod(ir.MemRefType(nest.access(op).buffer.type).shape))
    return np.array_equal(element_order(op, nest), np.arange(size))
