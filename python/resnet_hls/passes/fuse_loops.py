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
from resnet_hls.ir_utils import edge_guard as edge_guard
from resnet_hls.passes._registry import Pass, register_pass


@dataclass
class _Fusion:
    function: ir.Operation

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
        self.fuse_consumers()


@register_pass
@dataclass(frozen=True)
class FuseLoops(Pass):
    """Move bias, requantization, activation and residual add into the nest that produces their operand.

    Before: perfect affine nests; reductions are flattened. After: what was a nest of its own stands in the last step of
    the reduction that produces its operand, or beside the elementwise operation that does.

    An elementwise nest is fused into the last nest that produces one of its operands, when every load of that nest's
    result names the element that the same iteration stores: then all its other operands exist by that time. The test
    is exact on index tuples of loops and constants and refuses everything else (a shifted, guarded or partial access
    keeps its own nest).
    """

    name: ClassVar[str] = "hls-fuse-loops"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            _Fusion(iu.public_function(op)).run()
