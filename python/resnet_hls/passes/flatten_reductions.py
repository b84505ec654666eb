# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-flatten-reductions: a reduction and the nest that starts its accumulator become one perfect nest.

Changes the order of the steps of a sum or an extremum, never which steps there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from torch_mlir import ir
from torch_mlir.dialects import memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest, is_constant, is_local, match_indices, nests
from resnet_hls.ir_utils import dims_of, edge_guard
from resnet_hls.passes._constant_nests import inline_constant_nests
from resnet_hls.passes._registry import Pass, register_pass, remark

#: Reductions whose steps may be taken in any order.
_COMMUTATIVE = {f"arith.{name}" for name in ("addi", "muli", "andi", "ori", "xori", "maxsi", "maxui", "minsi", "minui")}


def streamed_operand(nest: Nest, accumulator: Access) -> Access | None:
    """The load whose elements arrive from outside: not a constant, not the accumulator; the one of highest rank."""
    candidates = [load for load in nest.loads if load.buffer != accumulator.buffer and not is_constant(load.buffer)]
    return max(candidates, key=lambda load: len(load.exprs), default=None)


def streaming_order(nest: Nest, accumulator: Access) -> list[int]:
    """Loops in the order in which the streamed operand is produced, so that it can be consumed as it comes.

    A loop that alone indexes a dimension of the operand takes that dimension's place; of a dimension with a window
    (`y * stride + ky`) the output loop does, and the window's taps go innermost. Loops that the operand doesn't know
    (output channels) come after those: the operand's element is used for all of them while it is there.
    """
    operand = streamed_operand(nest, accumulator)
    if operand is None:
        return list(range(len(nest.loops)))
    written = {d for e in accumulator.exprs for d in dims_of(e)}
    outer: list[int] = []
    taps: list[int] = []
    shape = ir.MemRefType(operand.buffer.type).shape
    used = [sorted(dims_of(expr)) for expr in operand.exprs]
    # A window with a single row of outputs is one although its taps index that dimension alone.
    walks = all(
        isinstance(expr, (ir.AffineDimExpr, ir.AffineConstantExpr)) and prod(nest.extents[d] for d in dims) == n
        for expr, dims, n in zip(operand.exprs, used, shape, strict=True)
    )
    for axis, dims in enumerate(used):
        if len(dims) == 1 and (walks or axis == len(used) - 1 or dims[0] in written):
            outer += [d for d in dims if d not in outer]
        else:
            outer += [d for d in dims if d in written and d not in outer]
            taps += [d for d in dims if d not in written]
    unknown = [d for d in range(len(nest.loops)) if d not in outer and d not in taps]
    return [*outer, *unknown, *taps]


class _Refusal(Exception):
    """Why a reduction stays as it is."""


@dataclass
class _Flattening:
    function: ir.Operation

    def run(self) -> None:
        found = nests(self.function)
        place = {nest.root: number for number, nest in enumerate(found)}
        storing: dict[ir.Value, list[Nest]] = {}
        for nest in found:
            for buffer in dict.fromkeys(store.buffer for store in nest.stores):
                storing.setdefault(buffer, []).append(nest)
        for nest in found:
            accumulator = nest.accumulator
            if accumulator is None:
                continue
            others = [other for other in storing[accumulator.buffer] if other is not nest]
            if not others:
                continue  # it starts its accumulator itself
            try:
                start = self.start(nest, accumulator, others, place)
            except _Refusal as refusal:
                remark(nest.root, f"the reduction keeps its own nest: {refusal}")
                continue
            self.flatten(nest, start, accumulator)

    def start(self, nest: Nest, accumulator: Access, others: list[Nest], place: dict[ir.Operation, int]) -> Nest:
        """The nest that starts the accumulator of `nest`.

        Raises:
            _Refusal: starting each element in the first step of its reduction, or another order of the steps, could
                change what is computed.
        """
        if not is_local(accumulator.buffer) or len(nest.stores) > 1:
            raise _Refusal("it stores into other buffers than its accumulator")
        if len(others) > 1 or place[others[0].root] > place[nest.root]:
            raise _Refusal("its accumulator is stored by more nests than the one that starts it")
        start = others[0]
        pairs = match_indices(accumulator, start.stores[0])
        if (
            start.accumulator is not None
            or len(start.stores) > 1
            or start.stores[0].op.parent != start.loops[-1]
            or pairs is None
            or set(pairs) | start.idle != set(range(len(start.loops)))
            or any(start.extents[r] != nest.extents[w] for r, w in pairs.items())
            or not all(isinstance(e, (ir.AffineDimExpr, ir.AffineConstantExpr)) for e in accumulator.exprs)
        ):
            raise _Refusal("its accumulator does not start element by element, in the way in which it is summed")
        for user in iu.users(accumulator.buffer):
            root = _root(user)
            if root not in (start.root, nest.root) and place[root] < place[nest.root]:
                raise _Refusal("its accumulator is read before the reduction ends")
        step = iu.defining_op(accumulator.op.operands[0])
        loaded = [a.op.results[0] for a in nest.loads if a.buffer == accumulator.buffer]
        if (
            step is None
            or step.name not in _COMMUTATIVE
            or accumulator.op.parent != nest.loops[-1]
            or len(loaded) != 1
            or len(iu.users(loaded[0])) != 1
            or loaded[0] not in list(step.operands)
        ):
            raise _Refusal("its steps cannot be taken in another order")
        return start

    def flatten(self, nest: Nest, start: Nest, accumulator: Access) -> None:
        """Replace `start` and `nest` by one perfect nest in streaming order."""
        order = streaming_order(nest, accumulator)
        extents = [nest.extents[d] for d in order]
        written = {d for e in accumulator.exprs for d in dims_of(e)}
        place = {old: new for new, old in enumerate(order)}
        reductions = [place[d] for d in order if d not in written]
        # Elements of the accumulator that are alive at once: those indexed by loops inside the outermost reduction
        # loop.
        inner = [d for d in order if d in written and place[d] > min(reductions, default=len(order))]
        kind = ir.MemRefType(accumulator.buffer.type)
        with ir.InsertionPoint(iu.body(self.function).operations[0]), nest.root.location:
            local = memref.AllocOp(
                ir.MemRefType.get([nest.extents[d] for d in inner] or [1], kind.element_type), [], []
            ).result
        local.owner.operation.attributes["hls.name"] = ir.StringAttr.get("accumulator")
        dim = ir.AffineExpr.get_dim
        local_map = ir.AffineMap.get(len(order), 0, [dim(place[d]) for d in inner] or [ir.AffineExpr.get_constant(0)])
        full_map = ir.AffineMap.get(
            len(order), 0, [dim(place[e.position]) if isinstance(e, ir.AffineDimExpr) else e for e in accumulator.exprs]
        )
        pairs = match_indices(accumulator, start.stores[0])
        assert pairs is not None
        with ir.InsertionPoint(nest.root), nest.root.location, iu.affine_loops(extents) as induction:
            new = {nest.induction[d]: induction[place[d]] for d in order}
            with iu.affine_guard(edge_guard(reductions, extents, last=False), induction):
                mapping = {start.induction[r]: induction[place[w]] for r, w in pairs.items()}
                ops = [op for op in iu.block_operations(start.block) if op.name != "affine.store"]
                iu.clone_into(ops, mapping)
                value = start.stores[0].op.operands[0]
                iu.affine_store(mapping.get(value, value), local, local_map, induction)
            for op in iu.block_operations(nest.block):
                if op.name == "affine.load" and op.operands[0] == accumulator.buffer:
                    new[op.results[0]] = iu.affine_load(local, local_map, induction)
                elif op == accumulator.op:
                    iu.affine_store(new[op.operands[0]], local, local_map, induction)
                else:
                    iu.clone_into([op], new)
            with iu.affine_guard(edge_guard(reductions, extents, last=True), induction):
                total = iu.affine_load(local, local_map, induction)
                iu.affine_store(total, accumulator.buffer, full_map, induction)
        iu.erase_tree(start.root)
        iu.erase_tree(nest.root)


def _root(op: ir.Operation) -> ir.Operation:
    """The top-level operation of the function around `op`."""
    while op.parent.operation.name != "func.func":
        op = op.parent.operation
    return op


@register_pass
@dataclass(frozen=True)
class FlattenReductions(Pass):
    """Make every reduction one perfect nest, in the order in which its operand arrives.

    Before: one affine nest per operation; a reduction is two, one that starts its accumulator and one that sums. After:
    one perfect nest per reduction. It starts its accumulator in its first step and hands the total on in its last one,
    both under `affine.if`, so that it flattens to one pipelined loop; the accumulator holds just the elements alive at
    once. The loops follow the order in which the streamed operand is produced; taps of a window are innermost. What a
    nest computes from constants alone (an int16 bias widened) is computed where it is used.

    The steps of a sum, a product or an extremum of integers may be taken in any order. A reduction of another kind, or
    one whose accumulator is started in parts or read in between, stays as it is, and a remark says why.
    """

    name: ClassVar[str] = "hls-flatten-reductions"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            function = iu.public_function(op)
            inline_constant_nests(function)
            _Flattening(function).run()
