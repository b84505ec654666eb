# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Perfect nests of affine loops and what they access. Reads the IR, changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure


def trip_count(loop: ir.Operation) -> int:
    """Trip count of a normalized `affine.for` (0 to a constant, step 1), at least 1. Raises PassFailure for others."""
    lower = ir.AffineMapAttr(loop.attributes["lowerBoundMap"]).value
    upper = ir.AffineMapAttr(loop.attributes["upperBoundMap"]).value
    step = ir.IntegerAttr(loop.attributes["step"]).value
    bounds = [*lower.results, *upper.results]
    if len(bounds) != 2 or not all(isinstance(b, ir.AffineConstantExpr) for b in bounds) or step != 1:
        raise PassFailure(loop, "a loop that does not run from a constant to a constant in steps of 1")
    first, last = (ir.AffineConstantExpr(b).value for b in bounds)
    if first != 0:
        raise PassFailure(loop, f"a loop that starts at {first}", help="normalize loops to start at 0")
    if last < 1:
        raise PassFailure(loop, f"a loop from 0 to {last}, which never runs", help="run canonicalize, which removes it")
    count: int = last
    return count


#: An expression over the loops of a nest that is 0 where the constraint holds (True), or not negative (False).
Constraint = tuple[ir.AffineExpr, bool]


@dataclass(frozen=True)
class Access:
    """One affine.load or affine.store: the buffer and, per dimension, an expression over the nest's loops."""

    op: ir.Operation
    buffer: ir.Value
    exprs: tuple[ir.AffineExpr, ...]

    @property
    def is_store(self) -> bool:
        return bool(self.op.name == "affine.store")


@dataclass(frozen=True)
class Nest:
    """A perfect nest: loops from the outermost to the innermost; everything else stands in the innermost body.

    A loop marked `hls.pipeline` is the innermost one: loops inside it belong to its body (registers that shift,
    unrolled).
    """

    loops: tuple[ir.Operation, ...]

    @staticmethod
    def at(root: ir.Operation) -> Nest:
        """The nest rooted at an `affine.for`. Raises PassFailure when it is not perfect."""
        loops = [root]
        while True:
            ops = iu.block_operations(iu.body(loops[-1]))
            inner = [op for op in ops if op.name == "affine.for"]
            if not inner or "hls.pipeline" in loops[-1].attributes:
                return Nest(tuple(loops))
            if len(ops) != 1:
                raise PassFailure(
                    loops[-1], "a nest that is not perfect", help="only the innermost loop may hold other operations"
                )
            loops.append(inner[0])

    @property
    def root(self) -> ir.Operation:
        return self.loops[0]

    @property
    def block(self) -> ir.Block:
        return iu.body(self.loops[-1])

    @cached_property
    def extents(self) -> list[int]:
        return [trip_count(loop) for loop in self.loops]

    @cached_property
    def induction(self) -> list[ir.Value]:
        return [iu.body(loop).arguments[0] for loop in self.loops]

    @cached_property
    def idle(self) -> set[int]:
        """Loops of one iteration whose variable nothing uses: a nest has a loop, even around a single element."""
        return {d for d, value in enumerate(self.induction) if self.extents[d] == 1 and not iu.has_uses(value)}

    def in_terms_of_loops(self, exprs: Sequence[ir.AffineExpr], operands: Sequence[ir.Value]) -> list[ir.AffineExpr]:
        """Expressions over `operands` as expressions over the nest's induction variables.

        Variables of loops inside the body (registers that shift) become further dimensions, numbered after the nest's
        own.
        """
        variables = [*self.induction, *self._others(operands)]
        to_loops = ir.AffineMap.get(len(variables), 0, [ir.AffineExpr.get_dim(variables.index(v)) for v in operands])
        composed = [ir.AffineExpr.simplify_affine_expr(e.compose(to_loops), len(variables), 0) for e in exprs]
        # By way of a map: only its results come as the right subclass of AffineExpr.
        return list(ir.AffineMap.get(len(variables), 0, composed).results)

    def _others(self, operands: Sequence[ir.Value]) -> list[ir.Value]:
        return [value for value in dict.fromkeys(operands) if value not in self.induction]

    def inner(self, op: ir.Operation) -> list[ir.Value]:
        """What an access is indexed by besides the nest's own variables, in the order of its further dimensions."""
        return self._others(iu.index_operands(op))

    def access(self, op: ir.Operation) -> Access:
        exprs = self.in_terms_of_loops(list(iu.access_map(op).results), iu.index_operands(op))
        return Access(op, iu.accessed_memref(op), tuple(exprs))

    def constraints(self, op: ir.Operation) -> list[Constraint]:
        """The condition of an `affine.if` as constraints over the nest's induction variables."""
        found = iu.set_constraints(op.attributes["condition"])
        exprs = self.in_terms_of_loops([e for e, _ in found], iu.index_operands(op))
        return list(zip(exprs, (equal for _, equal in found), strict=True))

    @cached_property
    def accesses(self) -> list[Access]:
        """Every access of the nest in program order, those under `affine.if` included."""
        return [self.access(op) for op in iu.walk(self.root, "affine.load", "affine.store")]

    @property
    def loads(self) -> list[Access]:
        return [a for a in self.accesses if not a.is_store]

    @property
    def stores(self) -> list[Access]:
        return [a for a in self.accesses if a.is_store]

    @property
    def accumulator(self) -> Access | None:
        """The store of a buffer that the nest also loads at the same index: what it reduces into."""
        for store in self.stores:
            if any(load.buffer == store.buffer and load.exprs == store.exprs for load in self.loads):
                return store
        return None

    @property
    def parallel(self) -> set[int]:
        """Loops that index every store (each iteration of them writes its own element)."""
        indexed = [{d for e in store.exprs for d in dims_of(e)} for store in self.stores]
        return set.intersection(*indexed) if indexed else set()


def nests(function: ir.Operation, buffer: ir.Value | None = None) -> list[Nest]:
    """The top-level nests of a function in program order; those that access `buffer` only, where one is given."""
    block = iu.body(function)
    accessing = None if buffer is None else {_root_in(block, user) for user in iu.users(buffer)}
    return [
        Nest.at(op.operation)
        for op in block.operations
        if op.operation.name == "affine.for" and (accessing is None or op.operation in accessing)
    ]


def _root_in(block: ir.Block, op: ir.Operation) -> ir.Operation:
    """The operation of a block that holds `op`, or is it."""
    while op.block != block:
        op = op.parent.operation
    return op


def linear(expr: ir.AffineExpr) -> tuple[dict[int, int], int] | None:
    """Coefficients by dimension and the constant of a linear expression; None for `mod`, `floordiv` and the like."""
    if isinstance(expr, ir.AffineConstantExpr):
        return {}, expr.value
    if isinstance(expr, ir.AffineDimExpr):
        return {expr.position: 1}, 0
    if isinstance(expr, ir.AffineAddExpr):
        left, right = linear(expr.lhs), linear(expr.rhs)
        if left is None or right is None:
            return None
        dims = {d: left[0].get(d, 0) + right[0].get(d, 0) for d in left[0] | right[0]}
        return {d: c for d, c in dims.items() if c}, left[1] + right[1]
    if isinstance(expr, ir.AffineMulExpr):
        left, right = linear(expr.lhs), linear(expr.rhs)
        if left is None or right is None or (left[0] and right[0]):
            return None
        dims, factor = (left[0], right[1]) if left[0] else (right[0], left[1])
        return {d: c * factor for d, c in dims.items() if c * factor}, left[1] * right[1]
    return None


def match_indices(written: Access, read: Access) -> dict[int, int] | None:
    """Which loop of the reader is which loop of the writer, when both name the same element in the same way; else None.

    Exact for accesses whose expressions are distinct loops or constants: then the equation between the two index tuples
    has just this solution.
    """
    pairs: dict[int, int] = {}
    for a, b in zip(written.exprs, read.exprs, strict=True):
        if isinstance(a, ir.AffineDimExpr) and isinstance(b, ir.AffineDimExpr):
            if pairs.setdefault(b.position, a.position) != a.position:
                return None
        elif a != b:
            return None
    return pairs if len(set(pairs.values())) == len(pairs) else None


def is_local(buffer: ir.Value) -> bool:
    """True for a buffer that the function allocates (not an argument, not a constant)."""
    op = iu.defining_op(buffer)
    return op is not None and op.name == "memref.alloc"


def is_constant(buffer: ir.Value) -> bool:
    op = iu.defining_op(buffer)
    return op is not None and op.name == "memref.get_global"
