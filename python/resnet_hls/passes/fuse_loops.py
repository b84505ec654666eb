# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-fuse-loops: loop fusion.

Moves operations between nests where dependences allow; never recomputes, never reorders a sum's bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from torch_mlir import ir
from torch_mlir.dialects import memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest, is_constant, is_local, match_indices, nests
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._constant_nests import inline_constant_nests
from resnet_hls.passes._registry import Pass, register_pass


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


def edge_guard(loops: list[int], extents: list[int], last: bool) -> list[tuple[ir.AffineExpr, bool]]:
    """Constraints that hold in the first (or last) iteration of the given loops."""
    dim = ir.AffineExpr.get_dim
    return [(dim(d) - (extents[d] - 1) if last else dim(d), True) for d in loops]


@dataclass
class _Fusion:
    function: ir.Operation

    # --- reductions ---------------------------------------------------------------------------------------------------

    def flatten_reductions(self) -> None:
        """Rewrites each reduction and the nest that starts its accumulator into one perfect nest in streaming order."""
        found = nests(self.function)
        storing: dict[ir.Value, list[Nest]] = {}
        for nest in found:
            for buffer in dict.fromkeys(store.buffer for store in nest.stores):
                storing.setdefault(buffer, []).append(nest)
        for nest in found:
            accumulator = nest.accumulator
            if accumulator is None or is_constant(accumulator.buffer):
                continue
            starts = [other for other in storing[accumulator.buffer] if other is not nest]
            if len(starts) == 1 and starts[0].accumulator is None and len(starts[0].stores) == 1:
                self.flatten(nest, starts[0], accumulator)

    def flatten(self, nest: Nest, start: Nest, accumulator: Access) -> None:
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
        with ir.InsertionPoint(nest.root), nest.root.location, iu.affine_loops(extents) as induction:
            new = {nest.induction[d]: induction[place[d]] for d in order}
            with iu.affine_guard(edge_guard(reductions, extents, last=False), induction):
                pairs = match_indices(accumulator, start.stores[0])
                assert pairs is not None
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

    # --- elementwise consumers ----------------------------------------------------------------------------------------

    def fuse_consumers(self) -> None:
        """Moves each elementwise nest into the last of the nests that produce its operands.

        In program order: when a nest's turn comes, the nests before it are what they will be.
        """
        found = nests(self.function)
        place = {nest.root: number for number, nest in enumerate(found)}
        writer: dict[ir.Value, ir.Operation] = {}  # buffer -> root of the last nest that stores it
        for nest in found:
            buffers = [store.buffer for store in nest.stores]
            producer = self.fuse(nest, writer, place)
            for buffer in buffers:
                writer[buffer] = nest.root if producer is None else producer

    def fuse(
        self, consumer: Nest, writer: dict[ir.Value, ir.Operation], place: dict[ir.Operation, int]
    ) -> ir.Operation | None:
        """Moves `consumer` if that is exact; returns the root of the nest that it is in then, or None."""
        if consumer.accumulator is not None or len(consumer.parallel) != len(consumer.loops):
            return None
        roots = {load.buffer: writer[load.buffer] for load in consumer.loads if load.buffer in writer}
        if not roots:
            return None
        producer = Nest.at(max(roots.values(), key=place.__getitem__))
        forwarded: dict[ir.Value, Access] = {}
        pairs: dict[int, int] | None = None
        for load in consumer.loads:
            if load.buffer not in roots or roots[load.buffer] != producer.root:
                continue
            stores = [s for s in producer.stores if s.buffer == load.buffer]
            matched = match_indices(stores[0], load) if len(stores) == 1 else None
            if matched is None or (pairs is not None and pairs != matched) or load.op.parent != consumer.loops[-1]:
                return None
            pairs, forwarded[load.op.results[0]] = matched, stores[0]
        assert pairs is not None
        if set(pairs) != set(range(len(consumer.loops))):
            return None
        if any(consumer.extents[r] != producer.extents[w] for r, w in pairs.items()):
            return None
        blocks = {store.op.block for store in forwarded.values()}
        if len(blocks) != 1:
            return None
        # The last of the stores: from there on every forwarded value exists.
        block = blocks.pop()
        at = [op.operation for op in block.operations][-1]
        mapping = {consumer.induction[r]: producer.induction[w] for r, w in pairs.items()}
        mapping |= {value: store.op.operands[0] for value, store in forwarded.items()}
        with ir.InsertionPoint(at):
            iu.clone_into(
                [op for op in iu.block_operations(consumer.block) if not op.results or op.results[0] not in mapping],
                mapping,
            )
        iu.erase_tree(consumer.root)
        for store in forwarded.values():
            self.drop_dead(store.op)
        return producer.root

    def drop_dead(self, store: ir.Operation) -> None:
        """Erases a store into a buffer that nobody loads any more, and the buffer."""
        buffer = store.operands[1]
        if is_local(buffer) and all(user.name == "affine.store" for user in iu.users(buffer)):
            store.erase()
            owner = iu.defining_op(buffer)
            if owner is not None:
                iu.erase_if_unused(owner)

    def run(self) -> None:
        inline_constant_nests(self.function)
        self.flatten_reductions()
        self.fuse_consumers()


@register_pass
@dataclass(frozen=True)
class FuseLoops(Pass):
    """Move bias, requantization, activation and residual add into the nest that produces their operand.

    Before: one affine nest per operation. After: one perfect nest per reduction, which starts its accumulator in its
    first step and requantizes in its last one (both under `affine.if`), with an accumulator that holds just the
    elements alive at once. The loops of a reduction follow the order in which its streamed operand is produced; taps
    of a window are innermost. What a nest computes from constants alone (an int16 bias widened) is computed where it is
    used.

    An elementwise nest is fused into the last nest that produces one of its operands, when every load of that nest's
    result names the element that the same iteration stores: then all its other operands exist by that time. The test
    is exact on index tuples of loops and constants and refuses everything else (a shifted, guarded or partial access
    keeps its own nest).
    """

    name: ClassVar[str] = "hls-fuse-loops"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            _Fusion(iu.public_function(op)).run()
