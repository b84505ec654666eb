# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays that a task adds to in place: every sum that stands in them, element by element. Reads the IR only.

Each store is an event: it sets an element or adds to it. Sorted by element and by when they happen, the sums between
two sets are running sums. Loops outside all that an event depends on repeat the same events; if a frame's first event
at each element sets it, one iteration of them is enough.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.intervals import Array, Interval
from resnet_hls.analysis.iterations import evaluate
from resnet_hls.analysis.nests import trip_count

#: More events are not followed.
_MOST_EVENTS = 2**23


def loops_around(op: ir.Operation) -> list[ir.Operation]:
    """The `affine.for`s around an operation of a task, the outermost first."""
    found = []
    parent = op.parent.operation
    while parent.name != "hls.task":
        if parent.name == "affine.for":
            found.append(parent)
        parent = parent.parent.operation
    return found[::-1]


def grids_of(loops: list[ir.Operation], first: int = 0) -> dict[ir.Value, Array]:
    """The values of each loop's variable, along an axis of its own; 0 for those before `first`."""
    rank = len(loops)
    counts = [trip_count(loop) if d >= first else 1 for d, loop in enumerate(loops)]
    return {
        iu.body(loop).arguments[0]: np.arange(n).reshape([n if axis == d else 1 for axis in range(rank)])
        for d, (loop, n) in enumerate(zip(loops, counts, strict=True))
    }


def index_of(op: ir.Operation, grids: Mapping[ir.Value, Array]) -> list[Array]:
    """Where an affine.load or affine.store accesses its array, an index for each dimension."""
    dims = [grids[operand] for operand in iu.index_operands(op)]
    return [evaluate(expr, dims) for expr in iu.access_map(op).results]


def mask_of(op: ir.Operation, grids: Mapping[ir.Value, Array]) -> Array:
    """In which iterations the conditions around an operation hold."""
    mask = np.array(True)
    inner, parent = op, op.parent.operation
    while parent.name != "hls.task":
        if parent.name == "affine.if":
            dims = [grids[operand] for operand in iu.index_operands(parent)]
            holds = np.array(True)
            for expr, equal in iu.set_constraints(parent.attributes["condition"]):
                value = evaluate(expr, dims)
                holds = holds & ((value == 0) if equal else (value >= 0))
            mask = mask & (holds if inner.block == parent.regions[0].blocks[0] else ~holds)
        inner, parent = parent, parent.parent.operation
    return mask


def addition_in_place(store: ir.Operation) -> tuple[ir.Operation, ir.Value] | None:
    """Of a store that adds to the element: the load of that element, and what is added; None for any other store."""
    return update_in_place(store, ("arith.addi",))


def update_in_place(store: ir.Operation, names: Collection[str]) -> tuple[ir.Operation, ir.Value] | None:
    """The same, of a store that does one of the operations `names` to the element."""
    addition = iu.defining_op(store.operands[0])
    if addition is None or addition.name not in names or len(iu.users(addition.results[0])) != 1:
        return None
    for position in (0, 1):
        load = iu.defining_op(addition.operands[position])
        if load is None or load.name != "affine.load" or len(iu.users(load.results[0])) != 1:
            continue
        same = iu.accessed_memref(load) == iu.accessed_memref(store)
        same = same and iu.access_map(load) == iu.access_map(store)
        if same and iu.index_operands(load) == iu.index_operands(store) and _nothing_between(load, store):
            return load, addition.operands[1 - position]
    return None


def _nothing_between(load: ir.Operation, store: ir.Operation) -> bool:
    """True when both stand in one block and nothing is stored to the array in between."""
    if load.block != store.block:
        return False
    operations = [op.operation for op in store.block.operations]
    between = operations[operations.index(load) + 1 : operations.index(store)]
    array = iu.accessed_memref(store)
    return all(iu.accessed_memref(s) != array for op in between for s in iu.walk(op, "affine.store"))


def is_added_to(array: ir.Value) -> bool:
    """True for an array of which all uses are loads and stores, with one that adds in place."""
    users = iu.users(array)
    if any(op.name not in {"affine.load", "affine.store"} for op in users):
        return False
    return any(op.name == "affine.store" and addition_in_place(op) for op in users)


class Clock:
    """When an operation of a task happens: the number of those before it, a linear form in the loops around it."""

    def __init__(self, task: ir.Operation) -> None:
        self._start: dict[ir.Operation, int] = {}
        self._length: dict[ir.Operation, int] = {}
        self.ticks = self._block(iu.body(task))

    def _block(self, block: ir.Block) -> int:
        ticks = 0
        for op in (o.operation for o in block.operations):
            self._start[op] = ticks
            inside = 0
            for region in op.regions:
                for inner in region.blocks:
                    for operation in inner.operations:
                        self._start[operation.operation] = 0
                    inside = max(inside, self._block(inner))  # sides of an affine.if exclude each other
            self._length[op] = inside
            ticks += max(1, inside * (trip_count(op) if op.name == "affine.for" else 1))
        return ticks

    def time(self, op: ir.Operation, grids: Mapping[ir.Value, Array]) -> Array:
        """When `op` happens, for the given iterations."""
        total = np.array(self._start[op])
        parent = op.parent.operation
        while parent.name != "hls.task":
            total = total + self._start[parent]
            if parent.name == "affine.for":
                total = total + grids[iu.body(parent).arguments[0]] * self._length[parent]
            parent = parent.parent.operation
        return total


@dataclass
class Accumulation:
    """The sums in one array that `is_added_to`.

    Args:
        array: the memref.alloc's result.
        clock: of its task.
        stored: what each store sets, or adds.
        solved: whether `solve` has found the sums.
    """

    array: ir.Value
    clock: Clock
    stored: dict[ir.Operation, Interval] = field(default_factory=dict)
    solved: bool = False
    _first: int = 0
    _keys: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    _sums: Interval = field(default_factory=lambda: Interval.of(0))

    def solve(self) -> Interval | None:
        """All values that stand in the array at any time; None where that cannot be told."""
        first = min(map(self._depends_from, self.stored))
        farthest = max(abs(bound) for value in self.stored.values() for bound in (value.least, value.most))
        while True:
            events = sum(self._events(store, first) for store in self.stored)
            if events > _MOST_EVENTS or events * farthest >= 2**62:
                return None
            if self._run(first):
                self.solved = True
                return self._sums.whole
            if first == 0:
                return None
            first -= 1

    def _depends_from(self, store: ir.Operation) -> int:
        """The outermost loop that makes a difference to an event."""
        grids = grids_of(loops_around(store))
        arrays = [*index_of(store, grids), mask_of(store, grids), self.stored[store].lo, self.stored[store].hi]
        axes = [axis for a in arrays for axis, n in enumerate(a.shape) if n > 1]
        return min(axes, default=max(len(grids) - 1, 0))

    def _events(self, store: ir.Operation, first: int) -> int:
        return prod(trip_count(loop) for loop in loops_around(store)[first:])

    def _element(self, op: ir.Operation, grids: Mapping[ir.Value, Array]) -> Array:
        number = np.array(0)
        for index, extent in zip(index_of(op, grids), ir.MemRefType(self.array.type).shape, strict=True):
            number = number * extent + index
        return number

    def _run(self, first: int) -> bool:
        """Adds up the events of the loops from `first` on; False where an element is added to before it is set."""
        found: list[tuple[Array, Array, Array, Array]] = []
        for store, value in self.stored.items():
            loops = loops_around(store)
            grids = grids_of(loops, first)
            shape = [1 if d < first else trip_count(loop) for d, loop in enumerate(loops)]
            key = self._element(store, grids) * self.clock.ticks + self.clock.time(store, grids)
            sets = np.array(addition_in_place(store) is None)
            happens = np.broadcast_to(mask_of(store, grids), shape)
            whole = value.lifted(len(loops))
            found.append(tuple(np.broadcast_to(a, shape)[happens] for a in (key, sets, whole.lo, whole.hi)))  # type: ignore[arg-type]
        key, sets, lo, hi = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if not len(key):
            return False
        order = np.argsort(key, kind="stable")
        key, sets, lo, hi = key[order], sets[order], lo[order], hi[order]
        element = key // self.clock.ticks
        begins = np.concatenate([[True], element[1:] != element[:-1]])
        if not sets[begins].all():
            return False
        start = np.maximum.accumulate(np.where(sets, np.arange(len(key)), 0))
        sums = [np.cumsum(bound) for bound in (lo, hi)]
        sums = [total - total[start] + bound[start] for total, bound in zip(sums, (lo, hi), strict=True)]
        self._first, self._keys, self._sums = first, key, Interval(*sums)
        return True

    def loaded(self, load: ir.Operation) -> Interval:
        """What a load finds after `solve` has found the sums."""
        loops = loops_around(load)
        grids, rank = grids_of(loops, self._first), len(loops)
        shape = [1 if d < self._first else trip_count(loop) for d, loop in enumerate(loops)]
        if prod(shape) > _MOST_EVENTS:
            return self._sums.whole
        everywhere = mask_of(load, grids_of(loops))
        everywhere = everywhere.reshape(everywhere.shape + (1,) * (rank - everywhere.ndim))
        happens = np.broadcast_to(everywhere.any(axis=tuple(range(self._first)), keepdims=True), shape)
        element = np.broadcast_to(self._element(load, grids), shape)[happens]
        time = np.broadcast_to(self.clock.time(load, grids), shape)[happens]
        last = np.searchsorted(self._keys, element * self.clock.ticks + time) - 1
        if not len(last) or (last < 0).any() or (self._keys[last] // self.clock.ticks != element).any():
            return self._sums.whole  # of an iteration before, perhaps
        # Where the load does not happen, any value will do that it has elsewhere.
        lo, hi = (np.full(shape, bound[last[0]]) for bound in (self._sums.lo, self._sums.hi))
        lo[happens], hi[happens] = self._sums.lo[last], self._sums.hi[last]
        return Interval(lo, hi)
