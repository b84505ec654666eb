# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The buffers of a tiled task that words of streams go through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod

from torch_mlir import ir
from torch_mlir.dialects import memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import transfer_of
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes._tiled_scope import Marks, Tiled, Unit, WordBuffer
from resnet_hls.passes._tiling import TRANSFERS, Cluster, only_reads


class TiledWords(Tiled):
    """A task with its words. `block` is that of the new task."""

    block: ir.Block

    def words_of(self, cluster: Cluster, ops: list[ir.Operation], units: list[Unit]) -> dict[ir.Value, WordBuffer]:
        """The word buffers of a cluster, by the old ones: as its streams carry them."""
        words: dict[ir.Value, WordBuffer] = {}
        for op in ops:
            for inner in iu.walk(op, *TRANSFERS):
                if inner != op and not only_reads(op):
                    raise PassFailure(inner, "a stream access under a condition of its own")
                buffer = transfer_of(inner).buffer
                if buffer not in words:
                    words[buffer] = self.word(buffer, cluster, units)
                shape = ir.MemRefType(words[buffer].value.type).shape
                if prod(shape) != self.tiling.word_of(transfer_of(inner).stream).width:
                    help = "unroll only loops that walk the stream"
                    raise PassFailure(inner, "a word with lanes that its stream does not walk", help=help)
        return words

    def word(self, buffer: ir.Value, cluster: Cluster, units: list[Unit]) -> WordBuffer:
        """A buffer for a word with lanes for `units`, and with all taps where they take turns."""
        tiling, entries = self.tiling, list[Unit]()
        for d in tiling.word_order:
            entries += [(d,)] if d in cluster.whole else [unit for unit in units if unit[0] == d]
        extents = [tiling.nest.extents[u[0]] if u[0] in cluster.whole else tiling.extent(u) for u in entries]
        return WordBuffer(self.allocate(buffer, extents), [], entries, set(cluster.whole))

    def held_word(self, word: WordBuffer, cluster: Cluster, units: list[Unit]) -> WordBuffer:
        """A register that a word of all taps is kept in, a group of taps at each address."""
        extents = [self.tiling.groups[d] for d in cluster.whole]
        held = self.allocate(word.value, [*extents, *map(self.tiling.extent, units)])
        i64 = ir.IntegerType.get_signless(64)
        held.owner.operation.attributes["hls.lanes"] = ir.IntegerAttr.get(i64, len(units))
        return WordBuffer(held, list(cluster.whole), units, set())

    def kept_word(self, cluster: Cluster, ops: list[ir.Operation], units: list[Unit]) -> ir.Value | None:
        """The register that a word is read into and kept in, when a cluster does no more than that."""
        if [op.name for op in ops] != ["hls.read", "affine.load", "affine.store"] or cluster.whole:
            return None
        layout = self.tiling.layouts.get(ops[2].operands[1])
        if (
            layout is None
            or self.tiling.units_in(layout.lanes) != units
            or self.tiling.shape_of(layout) != ([self.tiling.extent(u) for u in units] or [1])
        ):
            return None
        return self.buffers[ops[2].operands[1]]

    def allocate(self, like: ir.Value, extents: list[int]) -> ir.Value:
        """A buffer at the top of the task that is called as `like` is."""
        kind = ir.MemRefType.get(extents or [1], ir.MemRefType(like.type).element_type)
        root = next(o for o in self.block.operations if o.operation.name == "affine.for")
        with ir.InsertionPoint(root):
            buffer = memref.AllocOp(kind, [], []).result
        if "hls.name" in like.owner.operation.attributes:
            buffer.owner.operation.attributes["hls.name"] = like.owner.operation.attributes["hls.name"]
        return buffer

    @contextmanager
    def all_groups(self, loops: list[int]) -> Iterator[list[ir.Value]]:
        """All groups of some loops in one step: gives their variables, which stand for the groups meanwhile."""
        i64, groups = ir.IntegerType.get_signless(64), self.tiling.groups
        marks: list[Marks] = [
            {
                "hls.unroll": ir.IntegerAttr.get(i64, groups[d]),
                "hls.label": ir.StringAttr.get(self.tiling.label(d, lanes=False)),
            }
            for d in loops
        ]
        before = dict(self.group_of)
        with iu.affine_loops([groups[d] for d in loops], marks) as variables:
            self.group_of |= dict(zip(loops, variables, strict=True))
            yield variables
        self.group_of = before
