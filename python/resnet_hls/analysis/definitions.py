# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether what is computed means something: elements are stored before they are loaded, shifts and divisions defined.

Reads the IR only.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import Array, evaluate, guards_of, passing
from resnet_hls.analysis.nests import Nest, trip_count
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure

#: Iterations of the loops that an access and its conditions depend on: others are not gone through.
_MOST = 1 << 20
_SHIFTS = ("arith.shli", "arith.shrsi", "arith.shrui")
_DIVISIONS = tuple(f"arith.{name}i" for name in ("divs", "divu", "rems", "remu", "floordivs", "ceildivs", "ceildivu"))
_NEVER = np.iinfo(np.int64).max


def check_stored(nest: Nest, stored: dict[ir.Value, NDArray[np.bool_]]) -> None:
    """Whether a nest loads no element before it is stored.

    What counts is the first time of each: the loops that an element and its conditions do not depend on are at their
    first iteration then, so that few are gone through. Not asked: loads that only move what the nest itself stored, as
    of registers and rows that shift; in which order an iteration runs what is in the loops of its body; buffers that
    else branches access; and what depends on too many iterations.

    Args:
        nest: that stays inside its buffers.
        stored: which elements of a buffer, in row-major order, are stored before the nest; buffers that are not in it
            are not asked. What the nest stores is added, everything where that is not known.

    Raises:
        PassFailure: it does, with the access.
    """
    first = {buffer: np.where(known, -1, _NEVER) for buffer, known in stored.items()}
    loads: list[tuple[ir.Operation, Array]] = []
    accesses = iu.walk(nest.root, "affine.load", "affine.store", "hls.read")
    for position, op in enumerate(accesses):
        buffer = op.operands[1] if op.name == "hls.read" else iu.accessed_memref(op)
        if buffer not in stored:
            continue
        times, inside = _first_iterations(op, nest, len(stored[buffer]))
        if times is not None:  # in the order of the program, those of an iteration
            if inside:  # the loops of a body run in some order: a store may be the first, a load the last
                position = len(accesses) - 1 if op.name == "affine.load" else 0
            times = np.where(times < _NEVER, times * len(accesses) + position, _NEVER)
        if op.name != "affine.load":
            # Where it is not known when, nothing is wrong.
            first[buffer] = np.minimum(first[buffer], -1 if times is None else times)
        elif times is not None:
            loads.append((op, times))
    here = {iu.accessed_memref(op) for op in accesses if op.name == "affine.store"}
    for op, times in loads:
        since = first[iu.accessed_memref(op)]
        if iu.accessed_memref(op) in here and _is_moved(op):
            since = np.where(since < _NEVER, -1, _NEVER)  # that it is stored at any time will do
        early = np.flatnonzero((times < since) & (times < _NEVER))
        if early.size:
            shape = ir.MemRefType(iu.accessed_memref(op).type).shape
            element = ", ".join(str(index) for index in np.unravel_index(early[0], shape))
            message = f"a load of element [{element}], which nothing has stored before"
            raise PassFailure(op, message, help="store it first, under a condition that holds by then")
    for buffer, times in first.items():
        stored[buffer] = times < _NEVER


def check_arithmetic(root: ir.Operation) -> None:
    """Whether no operation shifts by a constant that its bits do not have, or divides by zero: that means nothing.

    Raises:
        PassFailure: one does.
    """
    for op in iu.walk(root, *_SHIFTS, *_DIVISIONS):
        amount = iu.scalar_constant(op.operands[1])
        if amount is None or not isinstance(op.results[0].type, ir.IntegerType):
            continue
        width = ir.IntegerType(op.results[0].type).width
        if op.name in _SHIFTS and not 0 <= amount < width:
            raise PassFailure(op, f"a shift of {width} bits by {amount}", help=f"shift by 0 to {width - 1}")
        if op.name in _DIVISIONS and amount == 0:
            raise PassFailure(op, "a division by zero", help="divide by something else")


def _is_moved(load: ir.Operation) -> bool:
    """True where what was loaded is stored and no more: registers and rows that shift hold nothing at first."""
    return all(user.name == "affine.store" for user in iu.users(load.results[0]))


def _first_iterations(op: ir.Operation, nest: Nest, elements: int) -> tuple[Array | None, bool]:
    """The iteration of the nest in which an access touches each element first, and whether loops inside the body say
    which elements; None where it is not known.
    """
    try:
        guards = guards_of(op, nest)
    except PassFailure:  # in an else branch: nothing is known of it
        return None, False
    depth = len(nest.extents)
    exprs = [] if op.name == "hls.read" else list(nest.access(op).exprs)
    inner = [] if op.name == "hls.read" else nest.inner(op)
    asked = set().union(*(dims_of(guard) for guard, _ in guards))
    dims = asked.union(*(dims_of(expr) for expr in exprs))
    known = all(isinstance(value.owner, ir.Block) for value in inner)
    extents = [*nest.extents, *(trip_count(value.owner.owner.operation) for value in inner if known)]
    if not known or max(asked, default=0) >= depth or prod(extents[d] for d in dims) > _MOST:
        return None, False
    grid, mask = passing(guards, dims, extents)
    strides = [prod(nest.extents[d + 1 :]) for d in range(depth)]
    iteration = sum(
        (axis * stride for axis, stride in zip(grid, strides, strict=False)), np.zeros(mask.shape, np.int64)
    )
    inside = max(dims, default=0) >= depth
    if not exprs:  # all of it
        return np.full(elements, iteration[mask].min(initial=_NEVER)), inside
    first = np.full(elements, _NEVER)
    indices = [np.broadcast_to(evaluate(expr, grid), mask.shape)[mask] for expr in exprs]
    try:
        touched = np.ravel_multi_index(tuple(indices), tuple(ir.MemRefType(iu.accessed_memref(op).type).shape))
    except ValueError:  # outside its buffer
        return None, False
    np.minimum.at(first, touched, iteration[mask])
    return first, inside
