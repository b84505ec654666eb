# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Builds a tiled task: the loop over groups, lane loops for each cluster, buffers with lanes, constants laid out anew.

Decides nothing: that is `_tiling.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from torch_mlir import ir
from torch_mlir.dialects import arith, memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Constraint, trip_count
from resnet_hls.analysis.overlap import OVERLAP
from resnet_hls.analysis.reuse import SKIP_ROWS
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._tiled_constants import Constants
from resnet_hls.passes._tiled_scope import Marks, Scope, Unit, WordBuffer, marks_of, substitute
from resnet_hls.passes._tiled_words import TiledWords
from resnet_hls.passes._tiling import Cluster, Tiling, only_reads, without_registers


class TaskBuilder(TiledWords):
    """Appends the tiled form of one task to `body`, connected to new streams; the old task stays as it is.

    `streams` gives the new stream for each old one that the task uses.
    """

    def __init__(self, tiling: Tiling, constants: Constants, streams: dict[ir.Value, ir.Value]) -> None:
        super().__init__(tiling, dict(streams))
        self.constants = constants

    def build(self, body: ir.Block) -> None:
        tiling = self.tiling
        with ir.InsertionPoint(body), tiling.task.op.location:
            task = hls.TaskOp(ir.StringAttr.get(tiling.task.name)).operation
        for name, mark in marks_of(tiling.task.op).items():
            task.attributes[name] = mark
        self.block = task.regions[0].blocks.append()
        with ir.InsertionPoint(self.block), tiling.nest.root.location:
            self.outside()
            kept = [d for d, n in enumerate(tiling.groups) if n > 1]
            marks: list[Marks] = [{"hls.label": ir.StringAttr.get(tiling.label(d, lanes=False))} for d in kept] or [{}]
            marks[-1]["hls.pipeline"] = ir.UnitAttr.get()
            if OVERLAP in tiling.nest.root.attributes:
                marks[0][OVERLAP] = tiling.nest.root.attributes[OVERLAP]
            with iu.affine_loops([tiling.groups[d] for d in kept] or [1], marks) as induction:
                self.group_of = dict(zip(kept, induction, strict=False))
                for cluster in tiling.clusters:
                    self.statement(cluster, induction)

    def outside(self) -> None:
        """Constants, weights and buffers of the task, in their new layout."""
        for op in (o.operation for o in iu.body(self.tiling.task.op).operations):
            if op.name == "arith.constant":
                iu.clone_into([op], self.mapping)
            elif op.name in {"memref.alloc", "memref.get_global"} and op.results[0] in self.tiling.layouts:
                with op.location:
                    self.buffers[op.results[0]] = self.tiled_buffer(op)

    def tiled_buffer(self, op: ir.Operation) -> ir.Value:
        tiling, layout = self.tiling, self.tiling.layouts[op.results[0]]
        shape = tiling.shape_of(layout)
        i64 = ir.IntegerType.get_signless(64)
        # How many trailing dimensions are lanes: accessed together in one step.
        lanes = ir.IntegerAttr.get(i64, len(tiling.units_in(layout.lanes)))
        if op.name == "memref.get_global":
            symbol = ir.FlatSymbolRefAttr(op.attributes["name"]).value
            name, kind = self.constants.laid_out(symbol, layout, tiling, shape, lanes)
            return memref.GetGlobalOp(kind, name).result
        element = ir.MemRefType(op.results[0].type).element_type
        buffer = memref.AllocOp(ir.MemRefType.get(shape, element), [], []).result
        attributes = buffer.owner.operation.attributes
        attributes["hls.lanes"] = lanes
        for name in ("hls.name", SKIP_ROWS):
            if name in op.attributes:
                attributes[name] = op.attributes[name]
        return buffer

    def statement(self, cluster: Cluster, groups: list[ir.Value]) -> None:
        """One cluster: its guard, the words it reads, its lanes, the words it writes."""
        lanes = self.tiling.cluster_lanes(cluster)
        units = self.tiling.units_in(lanes)
        ops, guard = cluster.guarded, cluster.guard
        if not ops:
            return
        kept = self.kept_word(cluster, ops, units)
        computing = cluster.computing
        with self.guarded(guard, lanes, groups, cluster.whole), ops[0].location:
            words = {} if kept is not None else self.words_of(cluster, ops, units)
            for op in ops:
                self.read(op, lanes, groups, words, kept)
            if cluster.whole and not self.tiling.copies_taps(cluster):
                held = {old: self.held_word(word, cluster, units) for old, word in words.items()}
                self.hold(words, held, cluster, units, groups)
                words = held
            elif kept is None and computing:
                with self.all_groups(cluster.whole) as taps:
                    self.lanes_of(cluster, computing, units, [*groups, *taps], words)
                computing = []
            for op in ops:
                if op.name == "hls.write":
                    hls.WriteOp(words[op.operands[0]].value, self.mapping[op.operands[1]])
        if kept is None and computing:  # taps in turn, from the register that keeps them
            with self.guarded(guard, lanes, groups), ops[0].location:
                self.lanes_of(cluster, computing, units, groups, words)

    def guarded(
        self, guard: ir.Operation | None, lanes: list[int], groups: list[ir.Value], first: Sequence[int] = ()
    ) -> AbstractContextManager[None]:
        """An `affine.if` over the groups for the condition of a statement with these lanes, none for None.

        Only in the first group of the loops `first`.
        """
        variables = list(self.group_of.values())
        places = [self.place(d, variables, {}) for d in range(len(self.tiling.nest.loops))]
        found: list[Constraint] = [(ir.AffineExpr.get_dim(variables.index(self.group_of[d])), True) for d in first]
        for expr, equal in [] if guard is None else self.tiling.group_constraints(guard, lanes):
            edge = self.tiling.group_of_iteration(expr) if equal else None
            if edge is None:
                found.append((substitute(expr, places, len(variables)), equal))
            elif edge[0] in self.group_of:
                position = variables.index(self.group_of[edge[0]])
                found.append((ir.AffineExpr.get_dim(position) - edge[1], True))
        return iu.affine_guard(found, groups)

    def read(
        self, op: ir.Operation, lanes: list[int], groups: list[ir.Value], words: dict[ir.Value, WordBuffer],
        kept: ir.Value | None,
    ) -> None:  # fmt: skip
        """The reads of a statement that is no more than that."""
        reads = [op] if op.name == "hls.read" else iu.walk(op, "hls.read") if only_reads(op) else []
        with self.guarded(op if only_reads(op) else None, lanes, groups):
            for inner in reads:
                word = words[inner.operands[1]].value if kept is None else kept
                hls.ReadOp(self.mapping[inner.operands[0]], word)

    def hold(
        self, words: dict[ir.Value, WordBuffer], held: dict[ir.Value, WordBuffer], cluster: Cluster,
        units: list[Unit], groups: list[ir.Value],
    ) -> None:  # fmt: skip
        """Copies words with all taps into registers."""
        with self.all_groups(cluster.whole) as taps:
            marks = list(map(self.lane_marks, units))
            with iu.affine_loops(list(map(self.tiling.extent, units)), marks) as variables:
                lane_of = dict(zip(units, variables, strict=True))
                for old, word in words.items():
                    load = next(op for op in iu.users(old) if op.name == "affine.load")
                    value = Scope(self, [*groups, *taps, *variables], lane_of, {old: word}).load(load)
                    scope = Scope(self, [*groups, *taps, *variables], lane_of, {old: held[old]})
                    buffer, index_map = scope.index(load)
                    iu.affine_store(value, buffer, index_map, scope.variables)

    def lanes_of(
        self, cluster: Cluster, ops: list[ir.Operation], units: list[Unit], groups: list[ir.Value],
        words: dict[ir.Value, WordBuffer],
    ) -> None:  # fmt: skip
        """The statements of a cluster for all its lanes; loops over registers stay outside, lanes are innermost."""
        registers, ops = without_registers(ops)
        added = None if registers else accumulation(ops)
        if added is not None:
            self.sum_of_lanes(cluster, ops, added, units, groups, words)
            return
        extents = [*map(trip_count, registers), *map(self.tiling.extent, units)]
        with iu.affine_loops(extents, [*map(marks_of, registers), *map(self.lane_marks, units)]) as variables:
            for loop, variable in zip(registers, variables, strict=False):
                self.mapping[iu.body(loop).arguments[0]] = variable
            lane_of = dict(zip(units, variables[len(registers) :], strict=True))
            scope = Scope(self, [*groups, *variables], lane_of, words)
            with scope.guarded(self.tiling.masks[cluster.position]):
                for op in ops:
                    scope.copy(op)

    def sum_of_lanes(
        self, cluster: Cluster, ops: list[ir.Operation], added: ir.Value, units: list[Unit], groups: list[ir.Value],
        words: dict[ir.Value, WordBuffer],
    ) -> None:  # fmt: skip
        """An accumulation: a step sums up its products first, so that one addition meets the accumulator.

        What one step waits for in the last must not hold the whole adder tree, or no tool starts a step every cycle.
        """
        store = ops[-1]
        own = self.tiling.units_in(self.tiling.layouts[store.operands[1]].lanes)
        inner = [unit for unit in units if unit not in own]
        kind = store.operands[0].type
        root = next(o for o in self.block.operations if o.operation.name == "affine.for")
        with ir.InsertionPoint(root):
            total = memref.AllocOp(ir.MemRefType.get([], kind), [], []).result
        total.owner.operation.attributes["hls.name"] = ir.StringAttr.get("sum")
        scalar = ir.AffineMap.get(0, 0, [])
        load = next(op for op in ops if op.name == "affine.load" and op.operands[0] == store.operands[1])
        with iu.affine_loops([self.tiling.extent(unit) for unit in own], list(map(self.lane_marks, own))) as outer:
            iu.affine_store(iu.int_constant(0, ir.IntegerType(kind).width), total, scalar, [])
            with iu.affine_loops(
                [self.tiling.extent(unit) for unit in inner], list(map(self.lane_marks, inner))
            ) as lanes:
                variable = dict(zip([*own, *inner], [*outer, *lanes], strict=True))
                lane_of = {unit: variable[unit] for unit in units}  # in the order of the lanes of a word
                scope = Scope(self, [*groups, *outer, *lanes], lane_of, words)
                with scope.guarded(self.tiling.masks[cluster.position]):
                    for op in ops[:-2]:
                        if op != load:
                            scope.copy(op)
                    value = arith.addi(iu.affine_load(total, scalar, []), self.mapping.get(added, added))
                    iu.affine_store(value, total, scalar, [])
            scope = Scope(self, [*groups, *outer], dict(zip(own, outer, strict=True)), words)
            scope.copy(load)
            result = arith.addi(self.mapping[load.results[0]], iu.affine_load(total, scalar, []))
            self.mapping[store.operands[0]] = result
            scope.copy(store)

    def lane_marks(self, unit: Unit) -> Marks:
        i64 = ir.IntegerType.get_signless(64)
        return {
            "hls.unroll": ir.IntegerAttr.get(i64, self.tiling.extent(unit)),
            "hls.label": ir.StringAttr.get(self.tiling.unit_label(unit)),
        }


def accumulation(ops: list[ir.Operation]) -> ir.Value | None:
    """What a cluster adds to an element that it loads and stores back, when that is all it does."""
    if len(ops) < 3 or ops[-1].name != "affine.store" or ops[-2].name != "arith.addi":
        return None
    store, addition = ops[-1], ops[-2]
    if store.operands[0] != addition.results[0] or sum(op.name == "affine.store" for op in ops) != 1:
        return None
    loads = [op for op in ops if op.name == "affine.load" and op.operands[0] == store.operands[1]]
    if len(loads) != 1 or len(iu.users(loads[0].results[0])) != 1 or loads[0].results[0] not in list(addition.operands):
        return None
    left, right = addition.operands
    return right if left == loads[0].results[0] else left
