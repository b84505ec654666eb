# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Builds a tiled task: the loop over groups, lane loops for each cluster, buffers with lanes, constants laid out anew.

Decides nothing: that is `_tiling.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import affine, arith, memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import trip_count
from resnet_hls.analysis.tasks import transfer_of
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes._tiling import TRANSFERS, Cluster, Constraint, Layout, Tiling, only_reads

Unit = tuple[int, ...]
Marks = dict[str, ir.Attribute]


class Constants:
    """The constants of a module, by symbol, and their elements."""

    def __init__(self, module: ir.Operation) -> None:
        self._reader = iu.ConstantReader(module)
        self._globals = {ir.StringAttr(op.attributes["sym_name"]).value: op for op in iu.walk(module, "memref.global")}

    def laid_out(
        self, symbol: str, layout: Layout, tiling: Tiling, shape: list[int], lanes: ir.Attribute
    ) -> tuple[str, ir.MemRefType]:
        """A new constant beside the old one, its elements in the order `[address …][lane …]`; its symbol and type."""
        old = self._globals[symbol]
        array = relayout(self._reader.array(old.attributes["initial_value"]), layout, tiling)
        kind = ir.MemRefType.get(shape, ir.MemRefType(ir.TypeAttr(old.attributes["type"]).value).element_type)
        name, number = f"{symbol}_lanes", 2
        while name in self._globals:
            name, number = f"{symbol}_lanes_{number}", number + 1
        with ir.InsertionPoint(old), old.location:
            new = memref.GlobalOp(
                name,
                ir.TypeAttr.get(kind),
                sym_visibility="private",
                initial_value=iu.dense(array.reshape(shape)),
                constant=True,
            ).operation
        new.attributes["hls.lanes"] = lanes
        self._globals[name] = new
        return name, kind


def relayout(array: np.ndarray[Any, Any], layout: Layout, tiling: Tiling) -> np.ndarray[Any, Any]:
    """A constant's elements in the order `[address …][lane …]`."""
    split_shape: list[int] = []
    address: list[int] = []
    lane_axis: dict[int, int] = {}
    for axis, extent in enumerate(array.shape):
        address.append(len(split_shape))
        if axis in layout.split:
            loop = layout.split[axis]
            lane_axis[loop] = len(split_shape) + 1
            split_shape += [tiling.groups[loop], tiling.factors[loop]]
        else:
            split_shape.append(extent)
    return np.ascontiguousarray(array.reshape(split_shape).transpose([*address, *(lane_axis[d] for d in layout.lanes)]))


def marks_of(loop: ir.Operation) -> Marks:
    """The `hls.*` attributes of a loop."""
    return {name: loop.attributes[name] for name in loop.attributes if name.startswith("hls.")}


def substitute(expr: ir.AffineExpr, places: list[ir.AffineExpr], count: int) -> ir.AffineExpr:
    """`expr` with dimension d replaced by `places[d]`, an expression over `count` variables."""
    composed = expr.compose(ir.AffineMap.get(count, 0, places))
    return ir.AffineMap.get(count, 0, [ir.AffineExpr.simplify_affine_expr(composed, count, 0)]).results[0]


class TaskBuilder:
    """Appends the tiled form of one task to `body`, connected to new streams; the old task stays as it is.

    `streams` gives the new stream for each old one that the task uses.
    """

    def __init__(self, tiling: Tiling, constants: Constants, streams: dict[ir.Value, ir.Value]) -> None:
        self.tiling, self.constants = tiling, constants
        self.mapping = dict(streams)
        self.buffers: dict[ir.Value, ir.Value] = {}

    def build(self, body: ir.Block) -> None:
        tiling = self.tiling
        with ir.InsertionPoint(body), tiling.task.op.location:
            self.block = hls.TaskOp(ir.StringAttr.get(tiling.task.name)).regions[0].blocks.append()
        with ir.InsertionPoint(self.block), tiling.nest.root.location:
            self.outside()
            kept = [d for d, n in enumerate(tiling.groups) if n > 1]
            marks: list[Marks] = [{"hls.label": ir.StringAttr.get(tiling.label(d, lanes=False))} for d in kept] or [{}]
            marks[-1]["hls.pipeline"] = ir.UnitAttr.get()
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
        if "hls.name" in op.attributes:
            attributes["hls.name"] = op.attributes["hls.name"]
        return buffer

    def place(self, d: int, variables: list[ir.Value], lanes: dict[Unit, ir.Value]) -> ir.AffineExpr:
        """Loop `d` of the old nest as an expression over `variables`."""
        total = ir.AffineExpr.get_constant(0)
        if d in self.group_of:
            total = total + ir.AffineExpr.get_dim(variables.index(self.group_of[d])) * self.tiling.factors[d]
        if (d,) in lanes:
            total = total + ir.AffineExpr.get_dim(variables.index(lanes[(d,)]))
        return total

    def statement(self, cluster: Cluster, groups: list[ir.Value]) -> None:
        """One cluster: its guard, the words it reads, its lanes, the words it writes."""
        lanes = self.tiling.cluster_lanes(cluster)
        units = self.tiling.units_in(lanes)
        ops, guard = cluster.ops, None
        if len(ops) == 1 and ops[0].name == "affine.if" and not ops[0].results:
            guard, ops = ops[0], iu.block_operations(ops[0].regions[0].blocks[0])
        if not ops:
            return
        with self.guarded(guard, lanes, groups), ops[0].location:
            kept = self.kept_word(ops, units)
            words = self.words_of(ops, units, kept)
            for op in ops:
                self.read(op, lanes, groups, words)
            computing = [op for op in ops if op.name not in TRANSFERS and not only_reads(op)]
            if kept is None and computing:
                self.lanes_of(computing, units, groups, words)
            for op in ops:
                if op.name == "hls.write":
                    hls.WriteOp(words[op.operands[0]], self.mapping[op.operands[1]])

    def guarded(self, guard: ir.Operation | None, lanes: list[int], groups: list[ir.Value]) -> Any:
        """An `affine.if` over the groups for the condition of a statement with these lanes; nothing for None."""
        if guard is None:
            return iu.affine_guard([], [])
        variables = list(self.group_of.values())
        places = [self.place(d, variables, {}) for d in range(len(self.tiling.nest.loops))]
        found: list[Constraint] = []
        for expr, equal in self.tiling.group_constraints(guard, lanes):
            edge = self.tiling.group_of_iteration(expr) if equal else None
            if edge is None:
                found.append((substitute(expr, places, len(variables)), equal))
            elif edge[0] in self.group_of:
                position = variables.index(self.group_of[edge[0]])
                found.append((ir.AffineExpr.get_dim(position) - edge[1], True))
        return iu.affine_guard(found, groups)

    def read(self, op: ir.Operation, lanes: list[int], groups: list[ir.Value], words: dict[ir.Value, ir.Value]) -> None:
        if op.name == "hls.read":
            hls.ReadOp(self.mapping[op.operands[0]], words[op.operands[1]])
        elif only_reads(op):
            with self.guarded(op, lanes, groups):
                for inner in iu.block_operations(op.regions[0].blocks[0]):
                    hls.ReadOp(self.mapping[inner.operands[0]], words[inner.operands[1]])

    def words_of(self, ops: list[ir.Operation], units: list[Unit], kept: ir.Value | None) -> dict[ir.Value, ir.Value]:
        """The word buffers of a cluster, by the old ones."""
        words: dict[ir.Value, ir.Value] = {}
        for op in ops:
            for inner in iu.walk(op, *TRANSFERS):
                if inner != op and not only_reads(op):
                    raise PassFailure(inner, "a stream access under a condition of its own")
                buffer = transfer_of(inner).buffer
                if buffer not in words:
                    words[buffer] = self.word(buffer, units) if kept is None else kept
        return words

    def lanes_of(
        self, ops: list[ir.Operation], units: list[Unit], groups: list[ir.Value], words: dict[ir.Value, ir.Value]
    ) -> None:
        """The statements of a cluster for all its lanes; loops over registers stay outside, lanes are innermost."""
        registers: list[ir.Operation] = []
        while len(ops) == 1 and ops[0].name == "affine.for":
            registers.append(ops[0])
            ops = iu.block_operations(iu.body(ops[0]))
        added = None if registers else accumulation(ops)
        if added is not None:
            self.sum_of_lanes(ops, added, units, groups, words)
            return
        extents = [*map(trip_count, registers), *map(self.tiling.extent, units)]
        with iu.affine_loops(extents, [*map(marks_of, registers), *map(self.lane_marks, units)]) as variables:
            for loop, variable in zip(registers, variables, strict=False):
                self.mapping[iu.body(loop).arguments[0]] = variable
            lane_of = dict(zip(units, variables[len(registers) :], strict=True))
            scope = _Scope(self, [*groups, *variables], lane_of, words)
            for op in ops:
                scope.copy(op)

    def sum_of_lanes(
        self,
        ops: list[ir.Operation],
        added: ir.Value,
        units: list[Unit],
        groups: list[ir.Value],
        words: dict[ir.Value, ir.Value],
    ) -> None:
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
                scope = _Scope(self, [*groups, *outer, *lanes], lane_of, words)
                for op in ops[:-2]:
                    if op != load:
                        scope.copy(op)
                value = arith.addi(iu.affine_load(total, scalar, []), self.mapping.get(added, added))
                iu.affine_store(value, total, scalar, [])
            scope = _Scope(self, [*groups, *outer], dict(zip(own, outer, strict=True)), words)
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

    def kept_word(self, ops: list[ir.Operation], units: list[Unit]) -> ir.Value | None:
        """The register that a word is read into and kept in, when a cluster does no more than that."""
        if [op.name for op in ops] != ["hls.read", "affine.load", "affine.store"]:
            return None
        layout = self.tiling.layouts.get(ops[2].operands[1])
        if (
            layout is None
            or self.tiling.units_in(layout.lanes) != units
            or self.tiling.shape_of(layout) != ([self.tiling.extent(u) for u in units] or [1])
        ):
            return None
        return self.buffers[ops[2].operands[1]]

    def word(self, buffer: ir.Value, units: list[Unit]) -> ir.Value:
        """A word buffer at the top of the task."""
        shape = [self.tiling.extent(unit) for unit in units] or [1]
        kind = ir.MemRefType.get(shape, ir.MemRefType(buffer.type).element_type)
        root = next(o for o in self.block.operations if o.operation.name == "affine.for")
        with ir.InsertionPoint(root):
            word = memref.AllocOp(kind, [], []).result
        if "hls.name" in buffer.owner.operation.attributes:
            word.owner.operation.attributes["hls.name"] = buffer.owner.operation.attributes["hls.name"]
        return word


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


class _Scope:
    """Copies operations of a cluster with their accesses rewritten for the tiled loops."""

    def __init__(
        self,
        builder: TaskBuilder,
        variables: list[ir.Value],
        lanes: dict[Unit, ir.Value],
        words: dict[ir.Value, ir.Value],
    ) -> None:
        self.builder, self.tiling = builder, builder.tiling
        self.variables, self.lanes, self.words = variables, lanes, words
        self.mapping = builder.mapping

    def rewrite(self, exprs: list[ir.AffineExpr], operands: list[ir.Value]) -> list[ir.AffineExpr]:
        """Expressions over old operands as expressions over the new variables."""
        places: list[ir.AffineExpr] = []
        induction = self.tiling.nest.induction
        for operand in operands:
            if operand in induction:
                places.append(self.builder.place(induction.index(operand), self.variables, self.lanes))
            else:
                places.append(ir.AffineExpr.get_dim(self.variables.index(self.mapping[operand])))
        return [substitute(e, places, len(self.variables)) for e in exprs]

    def index(self, op: ir.Operation) -> tuple[ir.Value, ir.AffineMap]:
        buffer, operands = iu.accessed_memref(op), iu.index_operands(op)
        count = len(self.variables)
        if buffer in self.words:
            lanes = [ir.AffineExpr.get_dim(self.variables.index(v)) for v in self.lanes.values()]
            return self.words[buffer], ir.AffineMap.get(count, 0, lanes or [ir.AffineExpr.get_constant(0)])
        layout = self.tiling.layouts[buffer]
        in_loops = self.tiling.exprs_of(op)
        exprs: list[ir.AffineExpr] = []
        for axis, expr in enumerate(iu.access_map(op).results):
            if axis not in layout.split:
                if layout.shape[axis] > 1:
                    exprs += self.rewrite([expr], operands)
                continue
            loop = in_loops[axis].position
            if loop in self.builder.group_of:
                exprs.append(ir.AffineExpr.get_dim(self.variables.index(self.builder.group_of[loop])))
        exprs += [
            ir.AffineExpr.get_dim(self.variables.index(self.lanes[u])) for u in self.tiling.units_in(layout.lanes)
        ]
        index_map = ir.AffineMap.get(count, 0, exprs or [ir.AffineExpr.get_constant(0)])
        return self.builder.buffers[buffer], index_map

    def copy(self, op: ir.Operation) -> None:
        with op.location:
            if op.name == "affine.load":
                buffer, index_map = self.index(op)
                self.mapping[op.results[0]] = iu.affine_load(buffer, index_map, self.variables)
            elif op.name == "affine.store":
                buffer, index_map = self.index(op)
                iu.affine_store(self.mapping.get(op.operands[0], op.operands[0]), buffer, index_map, self.variables)
            elif op.name == "affine.if":
                self.copy_if(op)
            elif op.name == "affine.for":
                self.copy_for(op)
            else:
                iu.clone_into([op], self.mapping)

    def copy_for(self, op: ir.Operation) -> None:
        """A loop over registers: copied with its marks."""
        with iu.affine_loops([trip_count(op)], [marks_of(op)]) as induction:
            self.variables.append(induction[0])
            self.mapping[iu.body(op).arguments[0]] = induction[0]
            for inner in iu.block_operations(iu.body(op)):
                self.copy(inner)
            self.variables.pop()

    def copy_if(self, op: ir.Operation) -> None:
        constraints = iu.set_constraints(op.attributes["condition"])
        exprs = self.rewrite([e for e, _ in constraints], iu.index_operands(op))
        condition = ir.IntegerSet.get(len(self.variables), 0, exprs, [equal for _, equal in constraints])
        otherwise = len(op.regions) > 1 and len(op.regions[1].blocks) > 0
        new = affine.AffineIfOp(
            condition, [r.type for r in op.results], cond_operands=list(self.variables), has_else=otherwise
        )
        for number, block in enumerate([new.then_block, *([new.else_block] if otherwise else [])]):
            source = op.regions[number].blocks[0]
            with ir.InsertionPoint(block):
                for inner in iu.block_operations(source):
                    self.copy(inner)
                yielded = [o.operation for o in source.operations][-1].operands
                affine.AffineYieldOp([self.mapping.get(v, v) for v in yielded])
        for old, result in zip(op.results, new.results, strict=True):
            self.mapping[old] = result
