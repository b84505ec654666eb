# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-fold-residual-add: a skip value becomes a part of what an accumulator starts with.

Moves additions only, never anything that rounds; sums are taken modulo two to the accumulator's width, as before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir
from torch_mlir.dialects import arith

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest, is_constant, linear, nests
from resnet_hls.ir_utils import dims_of
from resnet_hls.locations import describe
from resnet_hls.passes._registry import Pass, register_pass, remark

_SHIFTS = ("arith.shli", "arith.shrsi", "arith.shrui")
_WRAPS = "#arith.overflow<none>"


class _Refusal(Exception):
    """Why an addition stays where it is."""


@dataclass(frozen=True)
class _Reduction:
    """A buffer that `nest` stores `combine(what is there, …)` into: in between `starts` and `totals` of it."""

    nest: Nest
    step: Access
    combine: ir.Operation
    starts: tuple[Access, ...]
    totals: tuple[Access, ...]

    @property
    def start(self) -> ir.Operation:
        """The store of what the accumulator starts with.

        Raises:
            _Refusal: this is no sum, or not one whose elements are started once, in the first of their steps, and
                handed on in their last.
        """
        if self.combine.name != "arith.addi":
            raise _Refusal(f"the reduction is no sum, its step is '{self.combine.name}'")
        _check_wraps(self.combine)
        if len(self.starts) != 1 or len(self.totals) != 1:
            raise _Refusal("the total is used otherwise, too")
        nest, start, total = self.nest, self.starts[0], self.totals[0]
        first, last = _pinned(start.op, nest, last=False), _pinned(total.op, nest, last=True)
        order = [access.op for access in nest.accesses]
        if (
            first is None
            or first != last
            or self.step.op.parent != nest.loops[-1]
            or not start.exprs == self.step.exprs == total.exprs
            or not all(isinstance(e, (ir.AffineDimExpr, ir.AffineConstantExpr)) for e in self.step.exprs)
            or not order.index(start.op) < order.index(self.step.op) < order.index(total.op)
        ):
            raise _Refusal("the reduction is not flattened")
        # Loops that neither sum nor tell elements apart must not run inside the sum: they would start it again.
        elements = {d for e in self.step.exprs for d in dims_of(e)}
        if any(d > min(first, default=d) for d in range(len(nest.loops)) if d not in first | elements):
            raise _Refusal("the reduction is not flattened")
        return start.op

    @property
    def loops(self) -> frozenset[int]:
        """The loops that sum, of a reduction whose `start` is known."""
        return _pinned(self.totals[0].op, self.nest, last=True) or frozenset()


def _reductions(nest: Nest) -> list[_Reduction]:
    found = []
    for store in nest.stores:
        combine = iu.defining_op(store.op.operands[0])
        loads = [load for load in nest.loads if load.buffer == store.buffer]
        taken = [load for load in loads if combine is not None and load.op.results[0] in list(combine.operands)]
        if combine is not None and len(taken) == 1 and taken[0].exprs == store.exprs and not len(combine.regions):
            starts = [s for s in nest.stores if s.buffer == store.buffer and s.op != store.op]
            totals = [load for load in loads if load.op != taken[0].op]
            found.append(_Reduction(nest, store, combine, tuple(starts), tuple(totals)))
    return found


def _check_wraps(add: ir.Operation) -> None:
    """Raises _Refusal where sums of another order could break what `add` promises."""
    if "overflowFlags" in add.attributes and str(add.attributes["overflowFlags"]) != _WRAPS:
        raise _Refusal("an addition promises not to overflow")


def _pinned(op: ir.Operation, nest: Nest, last: bool) -> frozenset[int] | None:
    """The loops that the guard around `op` holds at their first, or last, iteration; None under any other guard."""
    guard = op.parent.operation
    if guard == nest.loops[-1]:
        return frozenset()
    if guard.name != "affine.if" or guard.parent.operation != nest.loops[-1] or op.block != guard.regions[0].blocks[0]:
        return None
    held = set()
    operands = iu.index_operands(guard)
    for expr, equal in iu.set_constraints(guard.attributes["condition"]):
        form = linear(nest.in_terms_of_loops([expr], operands)[0])
        if form is None or len(form[0]) != 1 or not equal:
            return None
        ((loop, factor),) = form[0].items()
        if loop >= len(nest.loops) or factor * (nest.extents[loop] - 1 if last else 0) + form[1] != 0:
            return None
        held.add(loop)
    return frozenset(held)


@dataclass(frozen=True)
class _Plan:
    """An addition of `total` and `addend`, which the operations `moved` compute, and the store at the start."""

    total: ir.Value
    addend: ir.Value
    moved: tuple[ir.Operation, ...]
    start: ir.Operation


@dataclass
class _Folding:
    """The additions of one nest."""

    nest: Nest

    def run(self) -> None:
        while any(self.try_fold(add) for add in self.residual_adds()):
            pass
        for add in self.residual_adds():
            remark(add, f"the addition stays behind the reduction: {self.reason(add)}")

    # --- what the nest computes ---------------------------------------------------------------------------------------

    def slice(self, values: Iterable[ir.Value]) -> list[ir.Operation]:
        """The operations of the nest that `values` are computed by, in program order; an `if` counts as one."""
        found: set[ir.Operation] = set()
        pending = [op for value in values if (op := iu.defining_op(value)) is not None]
        while pending:
            op = pending.pop()
            if op in found or op.parent.operation.name == "func.func":
                continue
            found.add(op)
            inside = iu.walk(op)
            needed = [owner for o in inside for v in o.operands if (owner := iu.defining_op(v)) is not None]
            pending += [owner for owner in needed if owner not in inside]
        return [op for op in iu.walk(self.nest.loops[-1]) if op in found]

    def sources(self, value: ir.Value) -> set[ir.Operation]:
        """The loads that `value` is computed from, those of constants left out."""
        loads = [o for op in self.slice([value]) for o in iu.walk(op, "affine.load")]
        return {load for load in loads if not is_constant(iu.accessed_memref(load))}

    def residual_adds(self) -> list[ir.Operation]:
        """The additions of two values from different loads, in program order; those inside a reduction left out."""
        inside = self.slice(store.op.operands[0] for r in _reductions(self.nest) for store in (r.step, *r.starts))
        found = []
        for add in iu.walk(self.nest.loops[-1], "arith.addi"):
            if add not in inside:
                left, right = (self.sources(operand) for operand in add.operands)
                if left - right and right - left:
                    found.append(add)
        return found

    # --- rewriting ----------------------------------------------------------------------------------------------------

    def try_fold(self, add: ir.Operation) -> bool:
        try:
            plan = self.plan(add)
        except _Refusal:
            return False
        self.fold(add, plan)
        return True

    def plan(self, add: ir.Operation) -> _Plan:
        """How to move what `add` adds to a total into the start of its accumulator.

        Raises:
            _Refusal: that could change the sum.
        """
        total, reduction = self.total(list(add.operands))
        start = reduction.start
        if len(iu.users(total)) != 1:
            raise _Refusal("the total is used otherwise, too")
        _check_wraps(add)
        addend = next(operand for operand in add.operands if operand != total)
        moved = self.slice([addend])
        stored = {store.buffer for store in self.nest.stores}
        if any(iu.accessed_memref(load) in stored for op in moved for load in iu.walk(op, "affine.load")):
            raise _Refusal("what is added is computed in the same nest")
        summed = [self.nest.induction[d] for d in reduction.loops]
        if any(operand in summed for op in moved for o in iu.walk(op) for operand in o.operands):
            raise _Refusal("what is added is not known in the first step of the reduction")
        return _Plan(total, addend, tuple(moved), start)

    def fold(self, add: ir.Operation, plan: _Plan) -> None:
        start, addend = plan.start, plan.addend
        with ir.InsertionPoint(start), add.location:
            mapping: dict[ir.Value, ir.Value] = {}
            iu.clone_into(plan.moved, mapping)
            value, skip = start.operands[0], mapping.get(addend, addend)
            start.operands[0] = skip if iu.scalar_constant(value) == 0 else arith.AddIOp(value, skip).result
        add.results[0].replace_all_uses_with(plan.total)
        remark(add, "the addition is a part of what the accumulator starts with")
        for op in [add, *reversed(plan.moved)]:
            if not any(iu.has_uses(result) for result in op.results):
                iu.erase_tree(op)
        self.nest = Nest.at(self.nest.root)

    def total(self, operands: list[ir.Value]) -> tuple[ir.Value, _Reduction]:
        """The operand that is the total of a reduction, and this reduction.

        Raises:
            _Refusal: none is.
        """
        for reduction in _reductions(self.nest):
            for total in reduction.totals:
                if total.op.results[0] in operands:
                    return total.op.results[0], reduction
        raise _Refusal("no reduction ends in the same nest")

    # --- why not ------------------------------------------------------------------------------------------------------

    def reason(self, add: ir.Operation) -> str:
        """Why `add` cannot be folded."""
        totals = {total.op.results[0]: r for r in _reductions(self.nest) for total in r.totals}
        if not any(operand in totals for operand in add.operands):
            for total in totals:
                if between := self.between(total, add):
                    return _obstacle(between)
        try:
            self.plan(add)
        except _Refusal as refusal:
            return str(refusal)
        raise AssertionError("an addition that can be folded was left")

    def between(self, total: ir.Value, add: ir.Operation) -> list[ir.Operation]:
        """The operations on the way from `total` to `add`, in program order."""
        reached: list[ir.Value] = [total]
        found = []
        for op in self.slice(add.operands):
            if any(operand in reached for operand in op.operands):
                found.append(op)
                reached += op.results
        return found


def _obstacle(between: list[ir.Operation]) -> str:
    """What stands between a total and an addition that the total reaches."""
    widths = {op: ir.IntegerType(op.results[0].type).width for op in between if op.name == "arith.trunci"}
    if widths:
        narrowest = min(widths, key=widths.__getitem__)
        return f"the sum is rounded to {widths[narrowest]} bits before the addition{_at(narrowest)}"
    for op in between:
        if op.name in _SHIFTS:
            return f"the total is shifted before the addition{_at(op)}"
    op = next((op for op in between if op.name != "arith.addi"), None)
    if op is not None:
        return f"'{op.name}' stands between the total and the addition{_at(op)}"
    return f"another addition, which stays, comes before it{_at(between[0])}"


def _at(op: ir.Operation) -> str:
    where = describe(op.location)
    return f", at {where}" if where else ""


@register_pass
@dataclass(frozen=True)
class FoldResidualAdd(Pass):
    """Start accumulators with the skip value that is added to their total, where nothing rounds in between.

    Before: flattened reductions, with the residual addition fused into their last step. After: where the total of a sum
    is used by nothing but an addition, and what is added comes from another buffer (a skip, widened and shifted to the
    accumulator's scale), the first step of the reduction reads it and adds it to the start value; the last step has
    the total at once. Several additions in a row fold one by one.

    This is exact: integer addition modulo two to the accumulator's width is associative and commutative, and the
    element of the skip is the same in every step of the reduction. An addition behind a rounding, a saturation or a
    shift of the total stays, as one to a maximum does; a remark says why, for each.
    """

    name: ClassVar[str] = "hls-fold-residual-add"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            for nest in nests(iu.public_function(op)):
                _Folding(nest).run()
