# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the unroll factors of a task mean for its statements and buffers. Reads the IR, changes nothing.

A tiled task is one loop over groups; what a step does for the lanes of a group stands in loops of its own, one set for
each *cluster* of statements. So lanes that took turns now run cluster by cluster; `_tiling_checks.py` and, access by
access, `_tiling_order.py` refuse a task where that shows.
`_tiled_task.py` builds the tiled task.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import fixed_loops, guards_of, same_for_all_lanes
from resnet_hls.analysis.nests import Constraint, linear
from resnet_hls.analysis.tasks import Task
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes._tiling_checks import check
from resnet_hls.passes._tiling_layouts import Layout, extent_of, find_layouts
from resnet_hls.passes._tiling_masks import copies_taps, find_masks
from resnet_hls.passes._tiling_words import Word, word_of

ACCESSES = ("affine.load", "affine.store")
TRANSFERS = ("hls.read", "hls.write")


def unroll_factor(loop: ir.Operation, extent: int) -> int:
    """The factor a loop is marked with, which need not divide its trip count; all taps, or 1, without a mark."""
    factor = extent if "hls.tap" in loop.attributes else 1
    if "hls.unroll" in loop.attributes:
        factor = ir.IntegerAttr(loop.attributes["hls.unroll"]).value
    if not 1 <= factor <= extent:
        message = f"unroll factor {factor} of a loop of {extent} iterations"
        raise PassFailure(loop, message, help="choose one from 1 to the trip count")
    return factor


def only_reads(op: ir.Operation) -> bool:
    """True for a condition around nothing but reads of streams."""
    return bool(
        op.name == "affine.if"
        and not len(op.results)
        and all(inner.name == "hls.read" for inner in iu.block_operations(op.regions[0].blocks[0]))
    )


def without_registers(ops: list[ir.Operation]) -> tuple[list[ir.Operation], list[ir.Operation]]:
    """Loops that `ops` consist of, one inside the other, and what is in the innermost."""
    found: list[ir.Operation] = []
    while len(ops) == 1 and ops[0].name == "affine.for":
        found.append(ops[0])
        ops = iu.block_operations(iu.body(ops[0]))
    return found, ops


@dataclass
class Cluster:
    """Statements of the body that belong together: connected by values or by a word of a stream."""

    ops: list[ir.Operation]
    position: int
    loops: set[int] = field(default_factory=set)  # loops that its accesses depend on
    whole: list[int] = field(
        default_factory=list
    )  # tap loops of which it reads all taps at once, but needs some a step

    @property
    def guard(self) -> ir.Operation | None:
        """The `affine.if` around all of it."""
        first = self.ops[0]
        return first if len(self.ops) == 1 and first.name == "affine.if" and not first.results else None

    @property
    def guarded(self) -> list[ir.Operation]:
        """Its statements, without the guard around them."""
        guard = self.guard
        return self.ops if guard is None else iu.block_operations(guard.regions[0].blocks[0])

    @property
    def computing(self) -> list[ir.Operation]:
        """Those of them that do more than pass on words."""
        return [op for op in self.guarded if op.name not in TRANSFERS and not only_reads(op)]


@dataclass(frozen=True)
class Use:
    """An access of a cluster to a buffer, and the iterations at which guards hold the loops."""

    cluster: Cluster
    op: ir.Operation
    fixed: dict[int, int]

    @property
    def is_store(self) -> bool:
        return bool(self.op.name == "affine.store")


class Tiling:
    """One task, its unroll factors, and what follows from them.

    Args:
        task: with marks on its loops.
        split: loops over the pixels of a group that `_pixel_walk.py` has made of one over columns.

    Raises:
        PassFailure: a factor is no number of lanes, or the task cannot run its lanes cluster by cluster.
    """

    def __init__(self, task: Task, split: Collection[int] = ()) -> None:
        self.task = task
        self.split = set(split)
        self.nest = task.nest
        self.factors = [unroll_factor(loop, n) for loop, n in zip(self.nest.loops, self.nest.extents, strict=True)]
        self.groups = [-(-n // u) for n, u in zip(self.nest.extents, self.factors, strict=True)]
        self.words = {transfer.buffer for transfer in task.transfers}
        self.taps = {d for d, loop in enumerate(self.nest.loops) if "hls.tap" in loop.attributes}
        #: Tap loops of which a step takes some taps: words still hold all of them.
        self.turns = {d for d in self.taps if self.groups[d] > 1}
        #: Loops whose last group has lanes beyond the last iteration.
        self.ragged = {d for d, n in enumerate(self.nest.extents) if n % self.factors[d]}
        self._exprs: dict[ir.Operation, list[ir.AffineExpr]] = {}
        self.lane_order = [d for d in self.word_order if self.factors[d] > 1]
        self.clusters = self._find_clusters()
        for cluster in self.clusters:
            cluster.loops = self._loops_of(cluster.ops)
            reads = [self.free_of[op] for outer in cluster.ops for op in iu.walk(outer, "hls.read")]
            cluster.whole = [d for d in self.word_order if d in self.turns.intersection(*[set().union(*reads)])]
        self.uses = self._find_uses()
        self.layouts = find_layouts(self)
        check(self)
        self.masks = find_masks(self)
        self.units = self._find_units()

    @cached_property
    def free_of(self) -> dict[ir.Operation, set[int]]:
        """Per transfer the loops that its guards do not hold at one iteration: it moves a word for each of theirs."""
        every = set(range(len(self.nest.loops)))
        return {t.op: every - set(fixed_loops(guards_of(t.op, self.nest))) for t in self.task.transfers}

    def walked(self, op: ir.Operation) -> list[int]:
        """The loops that a transfer walks, from the outermost to the innermost, without those of taps and of pixels
        that are split off: the last one walks neighbours, the one before the pixels of a row.
        """
        return sorted(self.free_of[op] - self.taps - self.split)

    @cached_property
    def pixels(self) -> set[int]:
        """Loops whose lanes are pixels."""
        outer = {d for t in self.task.transfers for d in self.walked(t.op)[:-1] if self.factors[d] > 1}
        return self.split | outer

    @cached_property
    def word_order(self) -> list[int]:
        """Loops of which a word has lanes, from the outermost to the innermost: pixels, then results that share an
        input, then taps, then the input's own lanes.

        Writers and readers of a stream must agree on the order of lanes in a word; this rule depends on the loops'
        roles only.
        """

        def rank(d: int) -> tuple[int, int]:
            return (0 if d in self.pixels else 2 if d in self.taps else 1 if d in self.shared else 3, d)

        return sorted((d for d, u in enumerate(self.factors) if u > 1 or d in self.turns), key=rank)

    @cached_property
    def shared(self) -> set[int]:
        """Loops that walk results which share an input: some read does not happen in them, some write does."""
        every = set(range(len(self.nest.loops)))
        held = {d for t in self.task.transfers if not t.is_write for d in every - self.free_of[t.op]}
        return held & {d for t in self.task.transfers if t.is_write for d in self.free_of[t.op]}

    def _find_clusters(self) -> list[Cluster]:
        ops = iu.block_operations(self.nest.block)
        parent = list(range(len(ops)))

        def root(i: int) -> int:
            while parent[i] != i:
                i = parent[i]
            return i

        def unite(i: int, j: int) -> None:
            a, b = sorted((root(i), root(j)))
            parent[b] = a

        walked = [iu.walk(op) for op in ops]
        owner_of = {inner: i for i, inners in enumerate(walked) for inner in inners}
        word_users: dict[ir.Value, int] = {}
        for i, inners in enumerate(walked):
            for inner in inners:
                for operand in inner.operands:
                    producer = iu.defining_op(operand)
                    if producer is not None and producer in owner_of:
                        unite(i, owner_of[producer])
                    if operand in self.words:
                        unite(i, word_users.setdefault(operand, i))
        grouped: dict[int, list[ir.Operation]] = {}
        for i, op in enumerate(ops):
            grouped.setdefault(root(i), []).append(op)
        return [Cluster(grouped[i], i) for i in sorted(grouped)]

    def exprs_of(self, op: ir.Operation) -> list[ir.AffineExpr]:
        """The indices of an access in terms of the nest's loops."""
        if op not in self._exprs:
            self._exprs[op] = self.nest.in_terms_of_loops(list(iu.access_map(op).results), iu.index_operands(op))
        return self._exprs[op]

    def _loops_of(self, ops: list[ir.Operation]) -> set[int]:
        """Loops that accesses and conditions of `ops` depend on; a guard on an edge iteration alone doesn't count."""
        count = len(self.nest.loops)
        used: set[int] = set()
        for op in (inner for outer in ops for inner in iu.walk(outer)):
            if op.name in ACCESSES:
                used |= {d for e in self.exprs_of(op) for d in dims_of(e) if d < count}
            elif op.name == "affine.if":
                guards = self._is_guard(op, ops)
                for expr, _ in self.nest.constraints(op):
                    dims = dims_of(expr)
                    if not guards or len(dims) > 1:
                        used |= {d for d in dims if d < count}
            elif op.name in TRANSFERS:  # a word for each iteration that its guard leaves free
                used |= self.free_of[op]
        return used

    def _is_guard(self, op: ir.Operation, cluster: list[ir.Operation]) -> bool:
        """True for an `affine.if` around all of a cluster, or around reads only: it stays outside the lane loops."""
        return op in cluster and not len(op.results) and (len(cluster) == 1 or only_reads(op))

    def cluster_lanes(self, cluster: Cluster) -> list[int]:
        return [d for d in self.lane_order if d in cluster.loops]

    def registers(self, cluster: Cluster) -> list[ir.Operation]:
        """Loops over registers that a cluster consists of: they stay outside its lanes."""
        return without_registers(cluster.computing)[0]

    def _find_uses(self) -> dict[ir.Value, list[Use]]:
        """Accesses to every buffer of the task that is no word of a stream."""
        found: dict[ir.Value, list[Use]] = {}
        for cluster in self.clusters:
            for op in (inner for outer in cluster.ops for inner in iu.walk(outer, *ACCESSES)):
                buffer = iu.accessed_memref(op)
                if buffer not in self.words:
                    fixed = {} if op.parent.operation == self.nest.loops[-1] else fixed_loops(guards_of(op, self.nest))
                    found.setdefault(buffer, []).append(Use(cluster, op, fixed))
        return found

    def _find_units(self) -> list[tuple[int, ...]]:
        """Lane loops that always go together become one loop over flat lanes: a plain dot product instead of a nest.

        Two neighbours in lane order belong together when every cluster and every buffer has both or neither, and no
        index or condition needs one of them by itself.
        """
        alone = {
            d
            for buffer, uses in self.uses.items()
            for use in uses
            for axis, e in enumerate(self.exprs_of(use.op))
            if axis not in self.layouts[buffer].split
            for d in dims_of(e)
        }
        for cluster in self.clusters:
            for op in (inner for outer in cluster.ops for inner in iu.walk(outer, "affine.if")):
                guards = self._is_guard(op, cluster.ops)
                exprs = [e for e, _ in self.nest.constraints(op) if not guards or len(dims_of(e)) > 1]
                alone |= {d for e in exprs for d in dims_of(e)}
        alone |= self.turns.union(*self.masks.values())
        sets = [c.loops for c in self.clusters] + [set(layout.lanes) for layout in self.layouts.values()]
        units: list[tuple[int, ...]] = []
        for last, d in pairwise([-1, *self.word_order]):
            if self.factors[d] == 1:
                continue
            if last >= 0 and not {d, last} & alone and all((d in s) == (last in s) for s in sets):
                units[-1] = (*units[-1], d)
            else:
                units.append((d,))
        return units

    # --- for the construction
    # --------------------------------------------------------------------------------------------

    def extent(self, unit: tuple[int, ...]) -> int:
        return int(np.prod([self.factors[d] for d in unit], dtype=np.int64))

    def units_in(self, loops: set[int] | list[int]) -> list[tuple[int, ...]]:
        return [unit for unit in self.units if unit[0] in loops]

    def shape_of(self, layout: Layout) -> list[int]:
        """Extents of a tiled buffer: addresses, then lanes."""
        address = [extent_of(axis, layout, self) for axis in layout.address]
        return [*address, *(self.extent(unit) for unit in self.units_in(layout.lanes))] or [1]

    def copies_taps(self, cluster: Cluster) -> bool:
        """True when a cluster only puts the taps it reads into registers: it does that for all of them at once."""
        return copies_taps(self, cluster)

    def label(self, d: int, lanes: bool) -> str:
        """What the loop walks, for names in the emitted code: rows, columns, groups or lanes of channels, taps."""
        taps = sorted(self.taps)
        suffix = "lanes" if lanes else "groups"
        if d in taps:
            kind = "tap_column" if d == taps[-1] and len(taps) > 1 else "tap_row" if len(taps) > 1 else "tap"
            return f"{kind}_{suffix}" if 1 < self.factors[d] < self.nest.extents[d] else f"{kind}s"
        if d in self.split or (lanes and d in self.pixels):
            return "pixels"
        shared = self.shared - self.taps - self.split
        free = [e for e in range(len(self.nest.loops)) if e not in taps and e not in shared | self.split]
        if d in shared:
            return f"output_{suffix}"
        if d == free[-1]:
            return f"input_{suffix}" if shared else f"channel_{suffix}"
        return ("rows", "columns")[free.index(d)] if free.index(d) < 2 else f"loop_{d}"

    def unit_label(self, unit: tuple[int, ...]) -> str:
        return self.label(unit[0], lanes=True) if len(unit) == 1 else "taps"

    def word_of(self, stream: ir.Value) -> Word:
        """What a word of `stream` holds on this task's side."""
        return word_of(self, stream)

    def group_constraints(self, guard: ir.Operation, lanes: list[int]) -> list[Constraint]:
        """The condition of a statement with lanes, as one over loops that all of its lanes agree on.

        What remains refers to lane loops by group: an edge iteration of a loop without lanes here is one of its first
        or last group. Raises PassFailure for a condition that differs between lanes.
        """
        result: list[Constraint] = []
        for expr, equal in self.nest.constraints(guard):
            fixed = fixed_loops([(expr, equal)])
            if dims_of(expr) & self.turns - set(fixed):
                raise PassFailure(guard, "a condition that differs between the taps of a window")
            if not equal and dims_of(expr) & self.split and self._of_a_group(expr):
                result += [] if self._always(expr) else [(expr, equal)]
                continue
            for d in dims_of(expr) & set(lanes):
                if equal or not same_for_all_lanes(expr, d, self.factors[d]):
                    raise PassFailure(guard, "a condition that differs between the lanes of an unrolled loop")
            for d in dims_of(expr) - set(lanes):
                if self.factors[d] > 1 and d not in fixed:
                    raise PassFailure(guard, "a condition on lanes that the statement does not have")
            result.append((expr, equal))
        return result

    def _of_a_group(self, expr: ir.AffineExpr) -> bool:
        """True when `expr >= 0` holds in the first pixel of a group, at least, where it holds in any."""
        form = linear(expr)
        return form is not None and all(form[0].get(d, 0) <= 0 for d in self.split)

    def _always(self, expr: ir.AffineExpr) -> bool:
        """True when `expr >= 0` holds in the first pixel of each group."""
        coefficients, constant = linear(expr) or ({}, -1)
        least = (min(0, c * (self.nest.extents[d] - 1)) for d, c in coefficients.items() if d not in self.split)
        return constant + sum(least) >= 0

    def group_of_iteration(self, expr: ir.AffineExpr) -> tuple[int, int] | None:
        """The loop, and its group, that `expr == 0` holds fixed; None for any other equation."""
        form = linear(expr)
        if form is None or list(form[0].values()) != [1]:
            return None
        loop = next(iter(form[0]))
        return loop, -form[1] // self.factors[loop]
