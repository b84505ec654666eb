# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tiling one task by its unroll factors: statements are distributed over lane loops, buffers get lane dimensions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import affine, memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import fixed_loops, guards_of
from resnet_hls.analysis.nests import linear, trip_count
from resnet_hls.analysis.tasks import Task, transfer_of
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes.channels_last import dims_of


def unroll_factor(loop: ir.Operation, extent: int) -> int:
    """The factor a loop is marked with: its trip count for a tap, `hls.unroll` otherwise, 1 without a mark."""
    if "hls.tap" in loop.attributes:
        return extent
    if "hls.unroll" not in loop.attributes:
        return 1
    factor: int = ir.IntegerAttr(loop.attributes["hls.unroll"]).value
    if factor < 1 or extent % factor:
        raise PassFailure(
            loop, f"unroll factor {factor} does not divide the trip count {extent}", help="choose a divisor"
        )
    return factor


@dataclass
class Cluster:
    """Statements of the body that belong together: connected by values or by a word of a stream."""

    ops: list[ir.Operation]
    loops: set[int] = field(default_factory=set)  # loops that its accesses depend on


@dataclass
class Layout:
    """How a buffer is indexed after tiling: which of its dimensions are split into address and lane, and lanes added to it."""

    shape: list[int]
    split: dict[int, int]  # dimension -> loop whose tile splits it
    expanded: list[int]  # loops whose lanes were added
    lanes: list[int]  # loops of the lane dimensions, in order
    value: ir.Value | None = None

    def address_dims(self) -> list[int]:
        return [d for d in range(len(self.shape)) if d not in self.split]


class TiledTask:
    """One task, its unroll factors, and what follows from them. `build` writes the tiled task; the old one stays as it is."""

    def __init__(self, task: Task, constants: iu.ConstantReader) -> None:
        self.task, self.constants = task, constants
        self.nest = task.nest
        self.factors = [unroll_factor(l, n) for l, n in zip(self.nest.loops, self.nest.extents, strict=True)]
        self.groups = [n // u for n, u in zip(self.nest.extents, self.factors, strict=True)]
        self.words = {transfer.buffer: transfer.stream for transfer in task.transfers}
        self.lane_order = self.order_lanes()
        self.clusters = self.find_clusters()
        for cluster in self.clusters:
            cluster.loops = self.loops_of(cluster.ops)
        self.layouts = self.find_layouts()
        self.units = self.find_units()

    # --- analysis --------------------------------------------------------------------------------------------------------

    def order_lanes(self) -> list[int]:
        """Lane loops from the outermost to the innermost: results that share an input, then taps, then the input's own lanes.

        Writers and readers of a stream must agree on the order of lanes in a word; this rule depends on the loops' roles only.
        """
        held: set[int] = set()
        for transfer in self.task.transfers:
            if not transfer.is_write:
                held |= set(fixed_loops(guards_of(transfer.op, self.nest)))
        written: set[int] = set()
        for transfer in self.task.transfers:
            if transfer.is_write:
                written |= set(range(len(self.nest.loops))) - set(fixed_loops(guards_of(transfer.op, self.nest)))
        taps = {d for d, loop in enumerate(self.nest.loops) if "hls.tap" in loop.attributes}
        self.held, self.written = held, written

        def rank(d: int) -> tuple[int, int]:
            return (1 if d in taps else 0 if d in held & written else 2, d)

        return sorted((d for d, u in enumerate(self.factors) if u > 1), key=rank)

    def find_clusters(self) -> list[Cluster]:
        ops = iu.block_operations(self.nest.block)
        parent = list(range(len(ops)))

        def root(i: int) -> int:
            while parent[i] != i:
                i = parent[i]
            return i

        def unite(i: int, j: int) -> None:
            a, b = sorted((root(i), root(j)))
            parent[b] = a

        owner_of = {inner: i for i, op in enumerate(ops) for inner in iu.walk(op)}
        word_users: dict[ir.Value, int] = {}
        for i, op in enumerate(ops):
            for inner in iu.walk(op):
                for operand in inner.operands:
                    producer = iu.defining_op(operand)
                    if producer is not None and producer in owner_of:
                        unite(i, owner_of[producer])
                    if operand in self.words:
                        unite(i, word_users.setdefault(operand, i))
        grouped: dict[int, list[ir.Operation]] = {}
        for i, op in enumerate(ops):
            grouped.setdefault(root(i), []).append(op)
        return [Cluster(grouped[i]) for i in sorted(grouped)]

    def exprs_of(self, op: ir.Operation) -> list[ir.AffineExpr]:
        return self.nest.in_terms_of_loops(list(iu.access_map(op).results), iu.index_operands(op))

    def loops_of(self, ops: list[ir.Operation]) -> set[int]:
        """Loops that the accesses and the conditions of `ops` depend on; a guard on an edge iteration alone doesn't count."""
        count = len(self.nest.loops)
        used: set[int] = set()
        for op in (inner for outer in ops for inner in iu.walk(outer)):
            if op.name in {"affine.load", "affine.store"}:
                used |= {d for e in self.exprs_of(op) for d in dims_of(e) if d < count}
            elif op.name == "affine.if":
                exprs = self.nest.in_terms_of_loops(
                    [e for e, _ in iu.set_constraints(op.attributes["condition"])], iu.index_operands(op)
                )
                used |= {d for e in exprs if len(dims_of(e)) > 1 for d in dims_of(e) if d < count}
            elif op.name in {"hls.read", "hls.write"}:  # a word for each iteration that its guard leaves free
                used |= set(range(count)) - set(fixed_loops(guards_of(op, self.nest)))
        return used

    def cluster_lanes(self, cluster: Cluster) -> list[int]:
        return [d for d in self.lane_order if d in cluster.loops]

    def buffers(self) -> dict[ir.Value, list[tuple[Cluster, ir.Operation]]]:
        found: dict[ir.Value, list[tuple[Cluster, ir.Operation]]] = {}
        for cluster in self.clusters:
            for op in (inner for outer in cluster.ops for inner in iu.walk(outer, "affine.load", "affine.store")):
                buffer = iu.accessed_memref(op)
                if buffer not in self.words:
                    found.setdefault(buffer, []).append((cluster, op))
        return found

    def find_layouts(self) -> dict[ir.Value, Layout]:
        buffers = self.buffers()
        expanded: dict[ir.Value, set[int]] = {buffer: set() for buffer in buffers}
        changed = True
        while changed:  # a buffer that gets lanes hands them to the clusters that use it
            changed = False
            for buffer, uses in buffers.items():
                for cluster, op in uses:
                    loads_it = any(c is cluster and o.name == "affine.load" for c, o in uses)
                    if op.name == "affine.store" and not loads_it:
                        indexed = {d for e in self.exprs_of(op) for d in dims_of(e)}
                        missing = {d for d in self.cluster_lanes(cluster) if d not in indexed}
                        changed |= not missing <= expanded[buffer]
                        expanded[buffer] |= missing
                for cluster, _ in uses:
                    changed |= not expanded[buffer] <= cluster.loops
                    cluster.loops |= expanded[buffer]
        layouts: dict[ir.Value, Layout] = {}
        for buffer, uses in buffers.items():
            shape = list(ir.MemRefType(buffer.type).shape)
            split: dict[int, int] = {}
            for axis in range(len(shape)):
                exprs = [self.exprs_of(op)[axis] for _, op in uses]
                loops = {e.position if isinstance(e, ir.AffineDimExpr) else -1 for e in exprs}
                if len(loops) == 1 and 0 <= (loop := loops.pop()) < len(self.factors) and self.factors[loop] > 1:
                    split[axis] = loop
            lanes = [d for d in self.lane_order if d in expanded[buffer] or d in split.values()]
            layouts[buffer] = Layout(shape, split, sorted(expanded[buffer]), lanes)
        return layouts

    def find_units(self) -> list[tuple[int, ...]]:
        """Lane loops that always go together become one loop over flat lanes: a plain dot product instead of a nest.

        Two neighbours in lane order belong together when every cluster and every buffer has both or neither, and no index or
        condition needs one of them by itself.
        """
        alone = {d for uses in self.buffers().items() for d in self.bare_loops(*uses)}
        for op in iu.walk(self.nest.root, "affine.if"):
            exprs = self.nest.in_terms_of_loops(
                [e for e, _ in iu.set_constraints(op.attributes["condition"])], iu.index_operands(op)
            )
            alone |= {d for e in exprs if len(dims_of(e)) > 1 for d in dims_of(e)}
        groups = [c.loops for c in self.clusters] + [set(layout.lanes) for layout in self.layouts.values()]
        units: list[tuple[int, ...]] = []
        for d in self.lane_order:
            last = units[-1][-1] if units else None
            if last is not None and not {d, last} & alone and all((d in g) == (last in g) for g in groups):
                units[-1] = (*units[-1], d)
            else:
                units.append((d,))
        return units

    def bare_loops(self, buffer: ir.Value, uses: list[tuple[Cluster, ir.Operation]]) -> set[int]:
        """Loops that index a dimension of the buffer which is not split into address and lane."""
        split = self.layouts[buffer].split
        return {
            d for _, op in uses for axis, e in enumerate(self.exprs_of(op)) if axis not in split for d in dims_of(e)
        }

    def extent(self, unit: tuple[int, ...]) -> int:
        return int(np.prod([self.factors[d] for d in unit], dtype=np.int64))

    def units_in(self, loops: set[int] | list[int]) -> list[tuple[int, ...]]:
        return [unit for unit in self.units if unit[0] in loops]

    def label(self, d: int, lanes: bool) -> str:
        """What the loop walks, for names in the emitted code: rows, columns, groups or lanes of channels, taps."""
        taps = [t for t, loop in enumerate(self.nest.loops) if "hls.tap" in loop.attributes]
        if d in taps:
            return "tap_columns" if d == taps[-1] and len(taps) > 1 else "tap_rows" if len(taps) > 1 else "taps"
        shared = [e for e in range(len(self.nest.loops)) if e in self.held & self.written and e not in taps]
        free = [e for e in range(len(self.nest.loops)) if e not in taps and e not in shared]
        suffix = "lanes" if lanes else "groups"
        if d in shared:
            return f"output_{suffix}"
        if d == free[-1]:
            return f"input_{suffix}" if shared else f"channel_{suffix}"
        return ("rows", "columns")[free.index(d)] if free.index(d) < 2 else f"loop_{d}"

    def unit_label(self, unit: tuple[int, ...]) -> str:
        return self.label(unit[0], lanes=True) if len(unit) == 1 else "taps"

    def stream_lanes(self, stream: ir.Value) -> int:
        """Lanes of a word of `stream` on this task's side."""
        for cluster in self.clusters:
            for op in (inner for outer in cluster.ops for inner in iu.walk(outer, "hls.read", "hls.write")):
                if any(t.op == op and t.stream == stream for t in self.task.transfers):
                    return int(np.prod([self.factors[d] for d in self.cluster_lanes(cluster)], dtype=np.int64))
        raise PassFailure(self.task.op, "a stream that the task does not use")

    # --- construction ----------------------------------------------------------------------------------------------------

    def build(
        self, body: ir.Block, read: dict[ir.Value, ir.Value], written: dict[ir.Value, ir.Value], module: ir.Operation
    ) -> None:
        """Appends the tiled task to `body`, connected to the given new streams."""
        with ir.InsertionPoint(body), self.task.op.location:
            task = hls.TaskOp(ir.StringAttr.get(self.task.name))
            block = task.regions[0].blocks.append()
        self.mapping: dict[ir.Value, ir.Value] = {s: read[s] for s in self.task.inputs}
        self.mapping |= {s: written[s] for s in self.task.outputs}
        with ir.InsertionPoint(block), self.nest.root.location:
            self.outside(module)
            kept = [d for d, n in enumerate(self.groups) if n > 1]
            marks: list[dict[str, ir.Attribute]] = [
                {"hls.label": ir.StringAttr.get(self.label(d, lanes=False))} for d in kept
            ] or [{}]
            marks[-1]["hls.pipeline"] = ir.UnitAttr.get()
            with iu.affine_loops([self.groups[d] for d in kept] or [1], marks) as induction:
                self.group_of = dict(zip(kept, induction, strict=False))
                for cluster in self.clusters:
                    self.statement(cluster, induction)

    def outside(self, module: ir.Operation) -> None:
        """Constants, weights and buffers of the task, in their new layout."""
        for op in (o.operation for o in iu.body(self.task.op).operations):
            if op.name == "arith.constant":
                iu.clone_into([op], self.mapping)
            elif op.name in {"memref.alloc", "memref.get_global"} and op.results[0] in self.layouts:
                with op.location:
                    layout = self.layouts[op.results[0]]
                    kind = ir.MemRefType(op.results[0].type)
                    shape = self.new_shape(layout)
                    if op.name == "memref.alloc":
                        layout.value = memref.AllocOp(ir.MemRefType.get(shape, kind.element_type), [], []).result
                        layout.value.owner.operation.attributes["hls.lanes"] = self.lane_attribute(layout)
                        if "hls.name" in op.attributes:
                            layout.value.owner.operation.attributes["hls.name"] = op.attributes["hls.name"]
                    else:
                        layout.value = self.constant(op, layout, shape, kind, module)

    def new_shape(self, layout: Layout) -> list[int]:
        address = [
            n if axis not in layout.split else self.groups[layout.split[axis]] for axis, n in enumerate(layout.shape)
        ]
        address = [n for axis, n in enumerate(address) if axis not in layout.split or n > 1]
        return [*address, *(self.extent(unit) for unit in self.units_in(layout.lanes))] or [1]

    def lane_attribute(self, layout: Layout) -> ir.Attribute:
        """How many trailing dimensions are lanes: accessed together in one step."""
        return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), len(self.units_in(layout.lanes)))

    def constant(
        self, op: ir.Operation, layout: Layout, shape: list[int], kind: ir.MemRefType, module: ir.Operation
    ) -> ir.Value:
        name = ir.FlatSymbolRefAttr(op.attributes["name"]).value
        old = next(g for g in iu.walk(module, "memref.global") if ir.StringAttr(g.attributes["sym_name"]).value == name)
        array = relayout(self.constants.array(old.attributes["initial_value"]), layout, self.groups, self.factors)
        new_name, new_kind = f"{name}_lanes", ir.MemRefType.get(shape, kind.element_type)
        with ir.InsertionPoint(old), old.location:
            new = memref.GlobalOp(
                new_name,
                ir.TypeAttr.get(new_kind),
                sym_visibility="private",
                initial_value=iu.dense(array.reshape(shape)),
                constant=True,
            )
            new.operation.attributes["hls.lanes"] = self.lane_attribute(layout)
        return memref.GetGlobalOp(new_kind, new_name).result

    def place(self, d: int, variables: list[ir.Value], lanes: dict[tuple[int, ...], ir.Value]) -> ir.AffineExpr:
        """Loop `d` of the old nest as an expression over `variables`."""
        total = ir.AffineExpr.get_constant(0)
        if d in self.group_of:
            total = total + ir.AffineExpr.get_dim(variables.index(self.group_of[d])) * self.factors[d]
        if (d,) in lanes:
            total = total + ir.AffineExpr.get_dim(variables.index(lanes[(d,)]))
        return total

    def statement(self, cluster: Cluster, groups: list[ir.Value]) -> None:
        """One cluster: its guard, the words it reads, its lanes, the words it writes."""
        lanes, units = self.cluster_lanes(cluster), self.units_in(self.cluster_lanes(cluster))
        ops, guard = cluster.ops, None
        if len(ops) == 1 and ops[0].name == "affine.if" and not ops[0].results:
            guard, ops = ops[0], iu.block_operations(ops[0].regions[0].blocks[0])
        with iu.affine_guard(self.guard(guard, lanes) if guard is not None else [], groups), ops[0].location:
            words: dict[ir.Value, ir.Value] = {}
            for op in ops:
                for inner in iu.walk(op, "hls.read", "hls.write"):
                    if inner != op:
                        raise PassFailure(inner, "a stream access under a condition of its own")
                    transfer = transfer_of(op)
                    if transfer.buffer not in words:
                        words[transfer.buffer] = self.kept_word(ops, units) or self.word(transfer.buffer, units)
                    if not transfer.is_write:
                        hls.ReadOp(self.mapping[transfer.stream], words[transfer.buffer])
            if self.kept_word(ops, units) is not None:
                return
            registers: list[ir.Operation] = []  # loops over registers stay outside, lanes of a word innermost
            inner = ops
            while len(inner) == 1 and inner[0].name == "affine.for":
                registers.append(inner[0])
                inner = iu.block_operations(iu.body(inner[0]))
            extents = [*(trip_count(loop) for loop in registers), *(self.extent(unit) for unit in units)]
            with iu.affine_loops(extents, [*map(marks_of, registers), *map(self.lane_marks, units)]) as variables:
                for loop, variable in zip(registers, variables, strict=False):
                    self.mapping[iu.body(loop).arguments[0]] = variable
                lane_of = dict(zip(units, variables[len(registers) :], strict=True))
                scope = _Scope(self, [*groups, *variables], lane_of, words)
                for op in inner:
                    if op.name not in {"hls.read", "hls.write"}:
                        scope.copy(op)
            for op in ops:
                if op.name == "hls.write":
                    hls.WriteOp(words[op.operands[0]], self.mapping[op.operands[1]])

    def lane_marks(self, unit: tuple[int, ...]) -> dict[str, ir.Attribute]:
        i64 = ir.IntegerType.get_signless(64)
        return {
            "hls.unroll": ir.IntegerAttr.get(i64, self.extent(unit)),
            "hls.label": ir.StringAttr.get(self.unit_label(unit)),
        }

    def kept_word(self, ops: list[ir.Operation], units: list[tuple[int, ...]]) -> ir.Value | None:
        """The register that a word is read into and kept in, when a cluster does no more than that."""
        if [op.name for op in ops] != ["hls.read", "affine.load", "affine.store"]:
            return None
        layout = self.layouts.get(ops[2].operands[1])
        if (
            layout is None
            or self.units_in(layout.lanes) != units
            or self.new_shape(layout) != ([self.extent(u) for u in units] or [1])
        ):
            return None
        return layout.value

    def word(self, buffer: ir.Value, units: list[tuple[int, ...]]) -> ir.Value:
        """A word buffer at the top of the task."""
        shape = [self.extent(unit) for unit in units] or [1]
        kind = ir.MemRefType.get(shape, ir.MemRefType(buffer.type).element_type)
        root = ir.InsertionPoint.current.block.owner
        while root.operation.parent.name != "hls.task":
            root = root.operation.parent
        with ir.InsertionPoint(root.operation):
            word = memref.AllocOp(kind, [], []).result
        if "hls.name" in buffer.owner.operation.attributes:
            word.owner.operation.attributes["hls.name"] = buffer.owner.operation.attributes["hls.name"]
        return word

    def guard(self, guard: ir.Operation, lanes: list[int]) -> list[tuple[ir.AffineExpr, bool]]:
        """The condition of a cluster over the group loops. An edge iteration of a tiled loop is one of its first or last group."""
        constraints = iu.set_constraints(guard.attributes["condition"])
        exprs = self.nest.in_terms_of_loops([e for e, _ in constraints], iu.index_operands(guard))
        variables = list(self.group_of.values())
        result: list[tuple[ir.AffineExpr, bool]] = []
        for expr, (_, equal) in zip(exprs, constraints, strict=True):
            form = linear(expr)
            dims = dims_of(expr)
            if equal and form is not None and list(form[0].values()) == [1]:
                loop = next(iter(form[0]))
                if loop in lanes:
                    raise PassFailure(guard, "a guard on one lane of an unrolled loop")
                if loop in self.group_of:
                    group = -form[1] // self.factors[loop]
                    result.append((ir.AffineExpr.get_dim(variables.index(self.group_of[loop])) - group, True))
                continue
            if dims & set(lanes):
                raise PassFailure(guard, "a guard that differs between the lanes of an unrolled loop")
            result.append(
                (
                    substitute(
                        expr, [self.place(d, variables, {}) for d in range(len(self.nest.loops))], len(variables)
                    ),
                    equal,
                )
            )
        return result


def marks_of(loop: ir.Operation) -> dict[str, ir.Attribute]:
    """The `hls.*` attributes of a loop."""
    return {name: loop.attributes[name] for name in loop.attributes if name.startswith("hls.")}


def substitute(expr: ir.AffineExpr, places: list[ir.AffineExpr], count: int) -> ir.AffineExpr:
    composed = expr.compose(ir.AffineMap.get(count, 0, places))
    return ir.AffineMap.get(count, 0, [ir.AffineExpr.simplify_affine_expr(composed, count, 0)]).results[0]


def relayout(
    array: np.ndarray[Any, Any], layout: Layout, groups: list[int], factors: list[int]
) -> np.ndarray[Any, Any]:
    """A constant's elements in the order `[address …][lane …]`."""
    split_shape: list[int] = []
    address: list[int] = []
    lane_axis: dict[int, int] = {}
    for axis, extent in enumerate(array.shape):
        if axis in layout.split:
            loop = layout.split[axis]
            address.append(len(split_shape))
            lane_axis[loop] = len(split_shape) + 1
            split_shape += [groups[loop], factors[loop]]
        else:
            address.append(len(split_shape))
            split_shape.append(extent)
    return np.ascontiguousarray(array.reshape(split_shape).transpose([*address, *(lane_axis[d] for d in layout.lanes)]))


class _Scope:
    """Copies operations of a cluster with their accesses rewritten for the tiled loops."""

    def __init__(
        self, tiled: TiledTask, variables: list[ir.Value], lanes: dict[int, ir.Value], words: dict[ir.Value, ir.Value]
    ) -> None:
        self.tiled, self.variables, self.lanes, self.words = tiled, variables, lanes, words
        self.mapping = tiled.mapping

    def rewrite(self, exprs: list[ir.AffineExpr], operands: list[ir.Value]) -> list[ir.AffineExpr]:
        """Expressions over old operands as expressions over the new variables."""
        places: list[ir.AffineExpr] = []
        for operand in operands:
            if operand in self.tiled.nest.induction:
                places.append(self.tiled.place(self.tiled.nest.induction.index(operand), self.variables, self.lanes))
            else:
                places.append(ir.AffineExpr.get_dim(self.variables.index(self.mapping[operand])))
        return [substitute(e, places, len(self.variables)) for e in exprs]

    def index(self, op: ir.Operation) -> tuple[ir.Value, ir.AffineMap]:
        buffer, operands = iu.accessed_memref(op), iu.index_operands(op)
        old = list(iu.access_map(op).results)
        count = len(self.variables)
        if buffer in self.words:
            lanes = [ir.AffineExpr.get_dim(self.variables.index(v)) for v in self.lanes.values()]
            return self.words[buffer], ir.AffineMap.get(count, 0, lanes or [ir.AffineExpr.get_constant(0)])
        layout = self.tiled.layouts[buffer]
        in_loops = self.tiled.exprs_of(op)
        exprs: list[ir.AffineExpr] = []
        for axis, expr in enumerate(old):
            if axis not in layout.split:
                exprs += self.rewrite([expr], operands)
                continue
            loop = in_loops[axis].position
            if loop in self.tiled.group_of:
                exprs.append(ir.AffineExpr.get_dim(self.variables.index(self.tiled.group_of[loop])))
        exprs += [ir.AffineExpr.get_dim(self.variables.index(self.lanes[u])) for u in self.tiled.units_in(layout.lanes)]
        assert layout.value is not None
        return layout.value, ir.AffineMap.get(count, 0, exprs or [ir.AffineExpr.get_constant(0)])

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
