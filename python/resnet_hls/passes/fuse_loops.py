# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-fuse-loops: loop fusion.

Moves operations between nests where dependences allow; never recomputes, never reorders a sum's bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest, is_local, match_indices, nests
from resnet_hls.passes._registry import Pass, register_pass, remark

#: A feature map has elements of so many bits at most; what is wider is a sum that nobody has rounded yet.
_ROUNDED_BITS = 8


class _Refusal(Exception):
    """Why a nest cannot be moved into another one."""


@dataclass(frozen=True)
class _Plan:
    """How a nest moves into `producer`: the stores whose values it takes over, and its loops as loops of `producer`."""

    producer: Nest
    forwarded: dict[ir.Value, Access]
    pairs: dict[int, int]

    @property
    def block(self) -> ir.Block:
        """Where all forwarded values exist."""
        return next(iter(self.forwarded.values())).op.block


@dataclass
class _Fusion:
    function: ir.Operation

    def run(self) -> None:
        """Moves each elementwise nest into one that produces an operand of it.

        In program order: when a nest's turn comes, the nests before it are what they will be.
        """
        writer: dict[ir.Value, ir.Operation] = {}  # buffer -> root of the nest that stores it
        for nest in nests(self.function):
            buffers = [store.buffer for store in nest.stores]
            root = self.fuse(nest, writer)
            for buffer in buffers:
                writer[buffer] = nest.root if root is None else root

    def fuse(self, consumer: Nest, writer: dict[ir.Value, ir.Operation]) -> ir.Operation | None:
        """Moves `consumer` if that is exact; returns the root of the nest that it is in then, or None."""
        if consumer.accumulator is not None or len(consumer.parallel | consumer.idle) != len(consumer.loops):
            return None
        roots = {load.buffer: writer[load.buffer] for load in consumer.loads if load.buffer in writer}
        if not roots:
            return None
        place = {op.operation: number for number, op in enumerate(iu.body(self.function).operations)}
        last_first = sorted(set(roots.values()), key=place.__getitem__, reverse=True)
        last, refusals = last_first[0], []
        for root in sorted(last_first, key=lambda root: not takes_total(consumer, Nest.at(root))):
            try:
                plan = plan_fusion(consumer, Nest.at(root), [b for b, other in roots.items() if other == root])
                self.check_move(plan.producer, place[root], place[last])
            except _Refusal as refusal:
                refusals.append(str(refusal))
                continue
            if root != last:
                root.move_after(last)
            self.apply(consumer, plan)
            return root
        remark(consumer.root, f"the elementwise nest stays: {refusals[0]}")
        return None

    def check_move(self, nest: Nest, first: int, last: int) -> None:
        """Sees to it that `nest` can run after the operation at place `last` as well as at its own, `first`.

        Raises:
            _Refusal: something between the two reads or stores what it stores, or stores what it reads.
        """
        stored, loaded = {a.buffer for a in nest.stores}, {a.buffer for a in nest.loads}
        for op in [o.operation for o in iu.body(self.function).operations][first + 1 : last + 1]:
            for access in iu.walk(op, "affine.load", "affine.store"):
                buffer = iu.accessed_memref(access)
                if buffer in stored or (access.name == "affine.store" and buffer in loaded):
                    raise _Refusal("another operand is produced later, from what the same nest stores")

    def apply(self, consumer: Nest, plan: _Plan) -> None:
        """Moves what `consumer` does to where the values that it takes over are stored."""
        mapping = {consumer.induction[r]: plan.producer.induction[w] for r, w in plan.pairs.items()}
        mapping |= {value: store.op.operands[0] for value, store in plan.forwarded.items()}
        moved = [op for op in iu.block_operations(consumer.block) if not op.results or op.results[0] not in mapping]
        self.hoist(moved, plan.producer.root)
        with ir.InsertionPoint([op.operation for op in plan.block.operations][-1]):
            iu.clone_into(moved, mapping)
        iu.erase_tree(consumer.root)
        for store in plan.forwarded.values():
            self.drop_dead(store.op)

    def hoist(self, ops: list[ir.Operation], root: ir.Operation) -> None:
        """Moves the buffers and constants that `ops` use before the nest at `root`."""
        top = [op.operation for op in iu.body(self.function).operations]
        later = set(top[top.index(root) :])
        for op in [inner for moved in ops for inner in iu.walk(moved)]:
            for operand in op.operands:
                owner = iu.defining_op(operand)
                if owner is not None and owner in later:
                    owner.move_before(root)
                    later.discard(owner)

    def drop_dead(self, store: ir.Operation) -> None:
        """Erases a store into a buffer that nobody loads any more, and the buffer."""
        buffer = store.operands[1]
        if is_local(buffer) and all(user.name == "affine.store" for user in iu.users(buffer)):
            store.erase()
            owner = iu.defining_op(buffer)
            if owner is not None:
                iu.erase_if_unused(owner)


def takes_total(consumer: Nest, producer: Nest) -> bool:
    """True when `consumer` adds something to the total of the reduction in `producer` before anyone has rounded it.

    There the addition can become the start of the accumulator (`hls-fold-residual-add`), and in another nest the total
    would need a stream several times as wide as a feature map's.
    """
    accumulator = producer.accumulator
    if accumulator is None:
        return False
    totals = {load.op.results[0] for load in producer.loads if load.buffer == accumulator.buffer}
    for store in producer.stores:
        value, uses = store.op.operands[0], iu.users(store.buffer)
        if value not in totals or ir.IntegerType(value.type).width <= _ROUNDED_BITS or len(iu.users(value)) > 1:
            continue
        loads = [load for load in consumer.loads if load.buffer == store.buffer]
        if len(loads) == 1 and len(uses) == len([store, *loads]):
            users = iu.users(loads[0].op.results[0])
            if [user.name for user in users] == ["arith.addi"]:
                return True
    return False


def plan_fusion(consumer: Nest, producer: Nest, buffers: list[ir.Value]) -> _Plan:
    """How `consumer` can take over what `producer` stores into `buffers`.

    Raises:
        _Refusal: the element that an iteration loads is not the one that the same iteration stores.
    """
    forwarded: dict[ir.Value, Access] = {}
    pairs: dict[int, int] | None = None
    for load in consumer.loads:
        if load.buffer not in buffers:
            continue
        stores = [s for s in producer.stores if s.buffer == load.buffer]
        if len(stores) != 1 or any(other.buffer == load.buffer for other in producer.loads):
            raise _Refusal("its operand is stored step by step")
        if load.op.parent != consumer.loops[-1]:
            raise _Refusal("it reads its operand under a guard")
        matched = match_indices(stores[0], load)
        if matched is None or (pairs is not None and pairs != matched):
            raise _Refusal("it reads other elements than those stored in the same iteration")
        pairs, forwarded[load.op.results[0]] = matched, stores[0]
    assert pairs is not None
    if set(pairs) | consumer.idle != set(range(len(consumer.loops))):
        raise _Refusal("it has more loops than its operand has dimensions")
    if any(consumer.extents[r] != producer.extents[w] for r, w in pairs.items()):
        raise _Refusal("it reads a part of its operand only")
    if len({store.op.block for store in forwarded.values()}) != 1:
        raise _Refusal("its operands are stored under different guards")
    return _Plan(producer, forwarded, pairs)


@register_pass
@dataclass(frozen=True)
class FuseLoops(Pass):
    """Move bias, requantization, activation and residual add into the nest that produces their operand.

    Before: perfect affine nests; reductions are flattened. After: what was a nest of its own stands in the last step of
    the reduction that produces its operand, or beside the elementwise operation that does.

    An elementwise nest is fused into a nest that produces one of its operands, when every load of that nest's result
    names the element that the same iteration stores. Of several, this is the last in program order: then all other
    operands exist by that time. But where one operand is the total of a reduction that nobody has rounded yet, and all
    that becomes of it is an addition, it is the nest of this reduction, which moves behind the others if nothing
    between them reads what it stores: so the total stays where it is, and `hls-fold-residual-add` can make the addition
    its start.

    The test is exact on index tuples of loops and constants and refuses everything else (a shifted, guarded or partial
    access keeps its own nest); a remark says why.
    """

    name: ClassVar[str] = "hls-fuse-loops"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            _Fusion(iu.public_function(op)).run()
