# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether a tiled task computes what the task does: each load must find what it found. Reads the IR, changes nothing.

Lanes that took turns run cluster by cluster, in a step of their own, on buffers that may have an element for each lane.
This goes through the accesses of a buffer in both orders, and compares where each loaded value comes from: the store
that set the element, and what was added to it since, in any order.

Not asked: what loads find in a buffer that gets an element for each lane before the iteration of the outer loops has
stored it. Registers that shift hold such values beyond the edges of a map, and nobody needs them there. Nor nests that
take too long; the rules of `_tiling_checks.py` remain for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.accumulation import Clock, index_of, loops_around, mask_of, update_in_place
from resnet_hls.analysis.iterations import Array
from resnet_hls.analysis.nests import linear, trip_count
from resnet_hls.passes._registry import PassFailure

if TYPE_CHECKING:
    from resnet_hls.passes._tiling import Tiling, Use

#: Accesses of a buffer, and places at which its conditions are asked; more are not gone through.
_MOST, _MOST_ASKED = 1 << 21, 1 << 26
#: Operations that may be done in any order.
_COMMUTE = ("arith.addi", "arith.maxsi", "arith.maxui", "arith.minsi", "arith.minui")
_LOAD, _SET, _UPDATE = range(3)


def check_order(tiling: Tiling) -> None:
    """Raises PassFailure for a task in which a load would find another value, and names the load."""
    moved = set(tiling.lane_order).union(*(c.whole for c in tiling.clusters))
    if not moved:
        return
    clock = Clock(tiling.task.op)
    for buffer, uses in tiling.uses.items():
        if any(use.is_store for use in uses):
            _Order(tiling, clock, buffer, uses, min(moved)).check()


@dataclass(frozen=True)
class _Events:
    """Accesses in the order of the program, an entry each.

    Attributes:
        use: which of the uses it is.
        kind: `_LOAD`, `_SET` or `_UPDATE`.
        old: element that it accesses and time at which it happens, now.
        new: the same, when tiled.
        name: of what happens when tiled: several of now may be one then.
    """

    use: Array
    kind: Array
    old: tuple[Array, Array]
    new: tuple[Array, Array]
    name: NDArray[np.uint64]


class _Order:
    """The accesses to one buffer.

    Args:
        outer: loops before this one are walked as before: what they do in different iterations stays in order.
    """

    def __init__(self, tiling: Tiling, clock: Clock, buffer: ir.Value, uses: Sequence[Use], outer: int) -> None:
        self.tiling, self.clock, self.uses, self.outer = tiling, clock, uses, outer
        self.depth = len(tiling.nest.loops)
        self.layout = tiling.layouts[buffer]
        updates = {use.op: found for use in uses if use.is_store and (found := update_in_place(use.op, _COMMUTE))}
        if len({iu.defining_op(store.operands[0]).name for store in updates}) > 1:  # type: ignore[union-attr]
            updates = {}
        self.updates = set(updates)
        self.updated = {load for load, _ in updates.values()}
        self.masks = [mask_of(use.op, self.grids(use.op, {})) for use in uses]

    def check(self) -> None:
        """Raises PassFailure for a load that would find another value."""
        for held in self.iterations():
            if (events := self.events(held)) is None:
                return
            if len(events.use):
                self.compare(events)

    def grids(self, op: ir.Operation, held: dict[int, int]) -> dict[ir.Value, Array]:
        """The values of the loops around an access, an axis each; those of `held` at one iteration."""
        loops = loops_around(op)
        axes = [np.array([held[d]]) if d in held else np.arange(trip_count(loop)) for d, loop in enumerate(loops)]
        shaped = np.meshgrid(*axes, indexing="ij", sparse=True)
        return {iu.body(loop).arguments[0]: axis for loop, axis in zip(loops, shaped, strict=True)}

    def iterations(self) -> list[dict[int, int]]:
        """For loops whose iterations do alike, one of them; all combinations of those of the others before `outer`."""
        conditions = {d for mask in self.masks for d in range(self.depth) if mask.ndim > d and mask.shape[d] > 1}
        choosing = set(self.layout.loops.values()) - conditions
        alike = choosing | {d for d in range(self.outer) if d not in conditions and self.shifts(d)}
        free = [d for d in range(self.outer) if d not in alike]
        rest = dict.fromkeys(alike, 0)
        if not free:
            return [rest]
        extents = [self.tiling.nest.extents[d] for d in free]
        asked = sum(prod(n for d, n in enumerate(mask.shape) if d not in free) for mask in self.masks)
        if prod(extents) * asked > _MOST_ASKED:
            return []
        places = np.stack(np.unravel_index(np.arange(prod(extents)), extents), axis=1)
        if all(map(self.shifts, free)):  # what matters is which conditions hold
            places = places[self.distinct(free, extents)]
        return [rest | dict(zip(free, map(int, place), strict=True)) for place in places]

    def distinct(self, free: list[int], extents: list[int]) -> Array:
        """Of the iterations of `free` one for each set of accesses that happen."""
        rows = []
        for mask in self.masks:
            mask = mask.reshape(mask.shape + (1,) * (self.depth - mask.ndim))
            shape = [n if d not in free else self.tiling.nest.extents[d] for d, n in enumerate(mask.shape)]
            moved = np.moveaxis(np.broadcast_to(mask, shape), free, range(len(free)))
            rows.append(moved.reshape(prod(extents), -1))
        first: Array = np.unique(np.concatenate(rows, axis=1), axis=0, return_index=True)[1]
        return first

    def shifts(self, loop: int) -> bool:
        """True when another iteration of `loop` shifts all elements by the same."""
        found = set()
        for use in self.uses:
            forms = [linear(expr) for expr in self.tiling.exprs_of(use.op)]
            found.add(tuple(None if form is None else form[0].get(loop, 0) for form in forms))
        return len(found) == 1 and None not in next(iter(found))

    def events(self, held: dict[int, int]) -> _Events | None:
        """What happens in these iterations; None if that is too much."""
        parts: list[tuple[Array, ...]] = []
        for number, use in enumerate(self.uses):
            if use.op in self.updated:
                continue
            grids = self.grids(use.op, held)
            shape = tuple(max(axis.shape[d] for axis in grids.values()) for d in range(len(grids)))
            if prod(shape) * len(self.uses) > _MOST:
                return None
            happens = np.broadcast_to(mask_of(use.op, grids), shape)
            values = [*grids.values(), *index_of(use.op, grids), self.clock.time(use.op, grids)]
            values.append(self.clock.time(use.op, self.body(use.op, grids)))
            *found, time, inside = (np.broadcast_to(each, shape)[happens] for each in values)
            loops, index = found[: len(grids)], found[len(grids) :]
            same = np.ones(len(time), np.int64)
            kind = _LOAD if not use.is_store else _UPDATE if use.op in self.updates else _SET
            element = _number([same * 0, *index], [1, *self.layout.shape])
            parts.append((same * number, same * kind, element, time, *self.tiled(use, loops, index, inside)))
        which, kinds, element, time, place, step, order, most = map(np.concatenate, zip(*parts, strict=True))
        then = step * (most.max(initial=0) + 1) + order
        return _Events(which, kinds, (element, time), (place, then), _mixed(then))

    def body(self, op: ir.Operation, grids: dict[ir.Value, Array]) -> dict[ir.Value, Array]:
        """The grids with the loops of the nest at their first iteration."""
        first = {iu.body(loop).arguments[0] for loop in loops_around(op)[: self.depth]}
        return {variable: axis * 0 if variable in first else axis for variable, axis in grids.items()}

    def tiled(
        self, use: Use, loops: list[Array], index: list[Array], inside: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Of an access when tiled: element, step and cluster, place in these, how many places there are.

        Args:
            loops: around it, their values.
            index: in the buffer, as it is.
            inside: place among the operations of an iteration.
        """
        tiling, layout, cluster = self.tiling, self.layout, use.cluster
        early = tiling.turns.intersection(cluster.whole) if tiling.copies_taps(cluster) else set()
        lanes = tiling.cluster_lanes(cluster)
        group = [values // tiling.factors[d] for d, values in enumerate(loops[: self.depth])]
        lane = {d: values % tiling.factors[d] for d, values in enumerate(loops[: self.depth])}
        zero = np.zeros_like(loops[0])
        address = [group[layout.split[axis]] if axis in layout.split else index[axis] for axis in layout.address]
        sizes = [self.addresses()[axis] for axis in layout.address]
        kept = [tiling.factors[d] for d in layout.lanes]
        place = _number([zero, *address, *(lane[d] for d in layout.lanes)], [1, *sizes, *kept])
        steps = [zero if d in early else values for d, values in enumerate(group)]
        position = sorted({other.cluster.position for other in self.uses}).index(cluster.position)
        step = _number([*steps, zero + position], [*tiling.groups, len(self.uses)])
        around = tiling.registers(cluster)
        registers = loops[self.depth :][: len(around)]
        order = [*(group[d] for d in sorted(early)), *registers, *(lane[d] for d in lanes), inside]
        extents = [*(tiling.groups[d] for d in sorted(early)), *map(trip_count, around)]
        extents += [*(tiling.factors[d] for d in lanes), self.clock.ticks]
        return place, step, _number(order, extents), zero + prod(extents)

    def compare(self, events: _Events) -> None:
        """Raises PassFailure for a load that would find another value."""
        own = not self.layout.lanes or set(self.layout.lanes) <= set(self.layout.split.values())
        own = own and len(self.layout.address) >= sum(n > 1 for n in self.addresses())
        now = _sources(events.kind, *events.old, events.name, events.old[0])
        once = np.unique(events.name, return_index=True)[1]
        place, then = events.new
        tiled = _sources(events.kind[once], place[once], then[once], events.name[once], events.old[0][once])
        order = np.searchsorted(events.name[once], events.name)
        wrong = (events.kind == _LOAD) & (now[0] != tiled[0][order])
        if not own:
            wrong &= now[0] != _untouched(events.old[0])
        if wrong.any():
            raise self.failure(self.uses[int(events.use[np.argmax(wrong)])])
        if own:
            pairs = dict(zip(events.old[0].tolist(), events.new[0].tolist(), strict=True))
            for element, place in pairs.items():
                if now[1][element] != tiled[1][place]:
                    raise self.failure(next(use for use in self.uses if use.is_store))

    def addresses(self) -> list[int]:
        """Addresses of each dimension, where steps do not share them."""
        split, groups = self.layout.split, self.tiling.groups
        return [groups[split[axis]] if axis in split else n for axis, n in enumerate(self.layout.shape)]

    def failure(self, use: Use) -> PassFailure:
        """Names the access."""
        help = "unroll other loops, or load and store where the lanes of a step do not meet"
        return PassFailure(use.op, "an access between two lanes of an unrolled loop", help=help)


def _number(parts: Sequence[Array], extents: Sequence[int]) -> Array:
    """One number for several, in lexicographic order."""
    number = np.zeros_like(parts[0])
    for part, extent in zip(parts, extents, strict=True):
        number = number * extent + part
    return number


def _mixed(numbers: Array) -> NDArray[np.uint64]:
    """Numbers that look random, different for different ones (D. Lemire's and S. Vigna's splitmix64)."""
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _untouched(element: Array) -> NDArray[np.uint64]:
    """For what an element holds at first."""
    return _mixed(-1 - element)


def _sources(
    kind: Array, element: Array, time: Array, name: NDArray[np.uint64], origin: Array
) -> tuple[NDArray[np.uint64], dict[int, int]]:
    """What stands in the element of each access when it happens, as a number for the store that set it and the updates
    since; and what stands in each element at last. `origin` numbers what an element holds at first.
    """
    order = np.lexsort((time, element))
    element, kind, name, origin = element[order], kind[order], name[order], origin[order]
    count = np.arange(len(order))
    begins = np.r_[True, element[1:] != element[:-1]]
    group = np.maximum.accumulate(np.where(begins, count, 0))
    last = np.maximum.accumulate(np.where(kind == _SET, count, -1))
    is_set = last >= group
    source = np.where(is_set, name[last], _untouched(origin))
    total = np.cumsum(np.where(kind == _UPDATE, name, np.uint64(0)), dtype=np.uint64)
    before = np.where(is_set, total[last], np.where(group > 0, total[group - 1], np.uint64(0)))
    state = source + (total - before)
    found = np.empty_like(state)
    found[order] = state
    ends = np.r_[begins[1:], True]
    return found, dict(zip(element[ends].tolist(), state[ends].tolist(), strict=True))
