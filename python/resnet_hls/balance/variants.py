# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What unroll factors a task may have, and what they mean for its cycles and its streams. Reads the IR only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil, prod
from typing import Any, NamedTuple

from numpy.typing import NDArray
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.intervals import bits_of
from resnet_hls.analysis.iterations import fixed_loops, guards_of, same_for_all_lanes
from resnet_hls.analysis.tasks import Task, stream_name, transfer_of
from resnet_hls.analysis.walks import HandOut, groups_of_row, hand_outs, is_walk, width_of
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._quantities import type_range
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes._tiling_words import Word, word

#: Pixels that a step may hand out: more of them cost more registers than they are worth.
PIXELS = (1, 2, 3, 4)
#: Products in a slice that are worth a look: bytes times a bit would fit three times, constants of zero many times.
_MOST_PER_SLICE = 4
#: Factors by loop. Loops of taps that are not named are unrolled completely, other loops not at all.
Factors = Mapping[int, int]


class Figure(NamedTuple):
    """Factors, cycles of a frame, and products of a step with two in a slice, with three …, the fewest at last."""

    factors: dict[int, int]
    cycles: int
    products: tuple[int, ...]


@dataclass(frozen=True)
class Shape:
    """A task before it is unrolled: which of its loops may be, and what they walk.

    Args:
        task: untiled.
        per_slice: products that a DSP slice may take where they share an operand, two at least.
        twin: of a task that differs in names and constants only, to be asked for what is the same.
    """

    task: Task
    per_slice: int = 2
    twin: Shape | None = None

    @cached_property
    def taps(self) -> list[int]:
        """Loops over the taps of a window."""
        return [d for d, loop in enumerate(self.task.nest.loops) if "hls.tap" in loop.attributes]

    @cached_property
    def walked(self) -> dict[str, set[int]]:
        """Stream -> the loops, taps apart, in each of whose iterations words move."""
        found: dict[str, set[int]] = {}
        for transfer in self.task.transfers:
            if free := self._free(transfer.op) - set(self.taps):
                found[stream_name(transfer.stream)] = free
        return found

    @cached_property
    def windows(self) -> set[str]:
        """Streams whose words hold the taps of a window, which no width converter may reorder."""
        return {stream for stream, loops in self._moved.items() if loops & set(self.taps)}

    @cached_property
    def makes_windows(self) -> bool:
        return any(stream_name(stream) in self.windows for stream in self.task.outputs)

    @cached_property
    def lane_loop(self) -> dict[str, int]:
        """Stream -> the innermost of these loops, which walks neighbours: its factor is the number of lanes."""
        return {stream: max(loops) for stream, loops in self.walked.items()}

    @cached_property
    def _moved(self) -> dict[str, set[int]]:
        """Stream -> the loops, taps too, in whose iterations any of its transfers moves elements."""
        found: dict[str, set[int]] = {}
        for transfer in self.task.transfers:
            found.setdefault(stream_name(transfer.stream), set()).update(self._free(transfer.op))
        return found

    def _free(self, op: ir.Operation) -> set[int]:
        return set(range(len(self.task.nest.loops))) - set(fixed_loops(guards_of(op, self.task.nest)))

    @cached_property
    def columns(self) -> int | None:
        """The loop over columns, of which a step may take several pixels; None where there is no such loop.

        In every stream that it walks it stands between rows and the loop that walks neighbours.
        """
        walked = [sorted(loops) for loops in self.walked.values()]
        found = {loops[-2] for loops in walked if len(loops) > 2}
        if len(found) != 1:
            return None
        (column,) = found
        if any(column in loops and loops[-2:-1] != [column] for loops in walked):
            return None
        try:
            regular = not is_walk(self.task) or (width_of(self.task) > 0 and len(hand_outs(self.task)) > 0)
        except PassFailure:  # it can be built, but not for several pixels a step
            return None
        return column if regular else None

    @cached_property
    def handed_out(self) -> dict[str, HandOut] | None:
        """How a task that walks a feature map hands out windows or pixels of it, by stream; None for any other task."""
        if self.columns is None or not is_walk(self.task):
            return None
        return {stream_name(transfer_of(op).stream): found for op, found in hand_outs(self.task).items()}

    def pixels(self, factors: Factors) -> int:
        """Pixels of a row that a step takes."""
        return 1 if self.columns is None else factors.get(self.columns, 1)

    def word(self, stream: str, factors: Factors) -> Word:
        """The words of a stream."""
        if stream not in self.lane_loop:
            return word(self.word_taps(stream), 1, 1)
        loop = self.lane_loop[stream]
        run, lanes = self.task.nest.extents[loop], factors.get(loop, 1)
        pixels = self.pixels(factors) if self.columns in self.walked[stream] else 1
        row = self.task.nest.extents[self.columns] if pixels > 1 and self.columns is not None else 1
        if pixels > 1 and self.handed_out is not None:
            found = self.handed_out.get(stream)
            pixels, row = (pixels, width_of(self.task)) if found is None else (pixels // found.stride, found.count)
        return word(self.word_taps(stream), run, lanes, pixels, row)

    def word_taps(self, stream: str) -> int:
        """Taps that a word of a stream holds of each of its elements: 1 where it is no window."""
        return prod(self.task.nest.extents[d] for d in self._moved[stream] & set(self.taps))

    def cycles(self, factors: Factors) -> int:
        """Iterations of the pipelined loop for a frame."""
        unrolled = {d: self.task.nest.extents[d] for d in self.taps} | dict(factors)
        groups = {d: ceil(n / unrolled.get(d, 1)) for d, n in enumerate(self.task.extents)}
        if self.handed_out is not None and self.columns is not None and factors.get(self.columns, 1) > 1:
            groups[self.columns] = groups_of_row(self.task, factors[self.columns])
        return prod(groups.values())

    def products(self, factors: Factors, per_slice: int) -> int:
        """Multiplications of a step, where so many that share an operand count as one: a DSP slice takes them."""
        lanes = {d: self.task.nest.extents[d] for d in self.taps} | dict(factors)
        total = 0
        for loops, sharing in self._multiplied:
            total += min(
                ceil(prod(lanes.get(d, 1) for d in shared) / per_slice) * prod(lanes.get(d, 1) for d in loops - shared)
                for shared in sharing
            )
        return total

    @cached_property
    def _multiplied(self) -> list[tuple[set[int], list[set[int]]]]:
        """Per product of the body the loops it is computed in, and those in which each operand stays the same."""
        found = []
        for op in iu.walk(self.task.op, "arith.muli"):
            loops = self._free(op)
            left, right = (self._changes(operand) for operand in op.operands)
            found.append((loops, [(loops & left) - right, (loops & right) - left]))
        return found

    def reduced(self, factors: Factors) -> int:
        """Lanes of a step that are added up: taps and inputs, where they are multiplied."""
        lanes = {d: self.task.nest.extents[d] for d in self.taps} | dict(factors)
        written = set().union(*(self.walked.get(stream_name(s), set()) for s in self.task.outputs))
        loops = set().union(*(loops for loops, _ in self._multiplied)) - written
        return prod(lanes.get(d, 1) for d in loops) if self._multiplied else 0

    def _changes(self, value: ir.Value) -> set[int]:
        """Loops in whose iterations a value is another one."""
        op = iu.defining_op(value)
        if op is None or op.name != "affine.load":
            return set().union(*(self._changes(operand) for operand in op.operands)) if op is not None else set()
        access = self.task.nest.access(op)
        stores = [a.op for a in self.task.nest.accesses if a.is_store and a.buffer == access.buffer]
        return set().union(*(dims_of(e) for e in access.exprs), *map(self._free, stores))

    @cached_property
    def all_factors(self) -> list[dict[int, int]]:
        """Every combination worth a look: of all factors that make as many groups, the smallest."""
        loops = sorted(set(self.lane_loop.values()))
        choices = [self._possible(d) for d in loops]
        if self.columns is not None:
            loops, choices = [*loops, self.columns], [*choices, self._pixels(self.columns)]
        found = []
        for taps in [{}] if self.makes_windows else self._tap_factors():
            found += [dict(zip(loops, combination, strict=True)) | taps for combination in product(*choices)]
        return found

    @cached_property
    def figures(self) -> list[Figure]:
        """All factors, with the cycles and the products of each."""
        if self.twin is not None:
            return self.twin.figures
        packings = range(2, self.per_slice + 1)
        return [
            Figure(factors, self.cycles(factors), tuple(self.products(factors, n) for n in packings))
            for factors in self.all_factors
        ]

    def _tap_factors(self) -> list[dict[int, int]]:
        """All taps a step, or only those of the innermost loops."""
        several = [d for d in self.taps if self.task.nest.extents[d] > 1]
        return [dict.fromkeys(several[:outer], 1) for outer in range(len(several) + 1)]

    def _possible(self, loop: int) -> list[int]:
        """Factors of a loop: only 1 where it walks a stream otherwise than word by word, as words hold neighbours."""
        if any(self.lane_loop[s] != loop and loop in loops for s, loops in self.walked.items()):
            return [1]
        extent = self.task.nest.extents[loop]
        smallest = sorted({ceil(extent / groups) for groups in range(1, extent + 1)})
        return [u for u in smallest if extent % u or self._alike(loop, u)]

    def _alike(self, loop: int, factor: int) -> bool:
        """True when no transfer happens for some lanes of a group only."""
        guards = [g for t in self.task.transfers for g, equal in guards_of(t.op, self.task.nest) if not equal]
        return all(same_for_all_lanes(guard, loop, factor) for guard in guards)

    def _pixels(self, loop: int) -> list[int]:
        """Factors of the loop over columns."""
        if self.handed_out is None:
            return [u for u in PIXELS if u <= self.task.nest.extents[loop] and self._alike(loop, u)]
        strides = {found.stride for found in self.handed_out.values()}
        stride = strides.pop()
        if strides:
            return [1]
        return [1, *(u * stride for u in PIXELS if u * stride <= width_of(self.task) and u * stride > 1)]


def minimal(shape: Shape, found: list[dict[int, int]]) -> list[dict[int, int]]:
    """Those of `found` that no other is below in every factor: less is unrolled, so nothing costs more."""
    every = {d: shape.task.nest.extents[d] for d in shape.taps}
    rows = sorted((tuple(sorted((every | factors).items())), factors) for factors in found)
    kept: list[tuple[tuple[int, ...], dict[int, int]]] = []
    for row, factors in rows:  # ascending, so that what is below stands before
        values = tuple(factor for _, factor in row)
        if not any(all(a <= b for a, b in zip(other, values, strict=True)) for other, _ in kept):
            kept.append((values, factors))
    return [factors for _, factors in kept]


def products_per_slice(task: Task, constants: Mapping[str, NDArray[Any]], wide: int) -> int:
    """How many products of a task that share an operand may be worth a slice, two at least.

    Lanes are as far apart as a product has bits, and the packed operands fit the wide side of the multiplier, `wide`
    bits. That is what values leave room for; hls-pack-dsp decides.

    Args:
        task: untiled.
        constants: elements by symbol.
        wide: bits of the wider operand of a slice's multiplier.
    """
    most = 2
    for op in iu.walk(task.op, "arith.muli"):
        bounds = [_range_of(operand, constants) for operand in op.operands]
        corners = [a * b for a in bounds[0] for b in bounds[1]]
        apart = bits_of(min(corners), max(corners))
        most = max(most, *(1 + (wide - bits_of(*bound)) // apart for bound in bounds))
    return min(most, _MOST_PER_SLICE)


def _range_of(value: ir.Value, constants: Mapping[str, NDArray[Any]]) -> tuple[int, int]:
    """What an operand can be: the elements of a constant, or all that its type has before it is extended."""
    op, signed = iu.defining_op(value), True
    while op is not None and op.name in {"arith.extsi", "arith.extui"}:
        signed, value = op.name == "arith.extsi", op.operands[0]
        op = iu.defining_op(value)
    array = iu.defining_op(op.operands[0]) if op is not None and op.name == "affine.load" else None
    if array is not None and array.name == "memref.get_global" and signed:
        elements = constants[ir.FlatSymbolRefAttr(array.attributes["name"]).value]
        return int(elements.min()), int(elements.max())
    return type_range(ir.IntegerType(value.type).width, signed)
