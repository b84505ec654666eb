# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What unroll factors a task may have, and what they mean for its cycles and its streams. Reads the IR only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil, prod

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import fixed_loops, guards_of, same_for_all_lanes
from resnet_hls.analysis.tasks import Task, stream_name
from resnet_hls.ir_utils import dims_of

#: Factors by loop. Loops of taps that are not named are unrolled completely, other loops not at all.
Factors = Mapping[int, int]


@dataclass(frozen=True)
class Shape:
    """A task before it is unrolled: which of its loops may be, and what they walk."""

    task: Task

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
        return {stream_name(t.stream) for t in self.task.transfers if self._free(t.op) & set(self.taps)}

    @cached_property
    def makes_windows(self) -> bool:
        return any(stream_name(stream) in self.windows for stream in self.task.outputs)

    @cached_property
    def lane_loop(self) -> dict[str, int]:
        """Stream -> the innermost of these loops, which walks neighbours: its factor is the number of lanes."""
        return {stream: max(loops) for stream, loops in self.walked.items()}

    def _free(self, op: ir.Operation) -> set[int]:
        return set(range(len(self.task.nest.loops))) - set(fixed_loops(guards_of(op, self.task.nest)))

    def lanes(self, stream: str, factors: Factors) -> int:
        """Lanes of the words of a stream, without those of taps."""
        return factors.get(self.lane_loop[stream], 1) if stream in self.lane_loop else 1

    def word_taps(self, stream: str) -> int:
        """Taps that a word of a stream holds of each of its elements: 1 where it is no window."""
        free = set().union(*(self._free(t.op) for t in self.task.transfers if stream_name(t.stream) == stream))
        return prod(self.task.nest.extents[d] for d in free & set(self.taps))

    def extent(self, stream: str) -> int:
        """Iterations of the loop that walks a stream's words: how many elements are neighbours."""
        return self.task.nest.extents[self.lane_loop[stream]] if stream in self.lane_loop else 1

    def cycles(self, factors: Factors) -> int:
        """Iterations of the pipelined loop for a frame."""
        unrolled = {d: self.task.nest.extents[d] for d in self.taps} | dict(factors)
        return prod(ceil(n / unrolled.get(d, 1)) for d, n in enumerate(self.task.extents))

    def products(self, factors: Factors) -> int:
        """Multiplications of a step, where two that share an operand count as one: a DSP slice takes both."""
        lanes = {d: self.task.nest.extents[d] for d in self.taps} | dict(factors)
        total = 0
        for loops, sharing in self._multiplied:
            total += min(
                ceil(prod(lanes.get(d, 1) for d in shared) / 2) * prod(lanes.get(d, 1) for d in loops - shared)
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
        found = []
        for taps in [{}] if self.makes_windows else self._tap_factors():
            found += [dict(zip(loops, combination, strict=True)) | taps for combination in product(*choices)]
        return found

    @cached_property
    def figures(self) -> list[tuple[dict[int, int], int, int]]:
        """All factors, with the cycles and the products of each."""
        return [(factors, self.cycles(factors), self.products(factors)) for factors in self.all_factors]

    def _tap_factors(self) -> list[dict[int, int]]:
        """All taps a step, or only those of the innermost loops."""
        several = [d for d in self.taps if self.task.nest.extents[d] > 1]
        return [dict.fromkeys(several[:outer], 1) for outer in range(len(several) + 1)]

    def _possible(self, loop: int) -> list[int]:
        """Factors of a loop: only 1 where it walks a stream otherwise than word by word, as words hold neighbours."""
        if any(self.lane_loop[s] != loop and loop in loops for s, loops in self.walked.items()):
            return [1]
        extent = self.task.nest.extents[loop]
        guards = [g for t in self.task.transfers for g, equal in guards_of(t.op, self.task.nest) if not equal]
        smallest = sorted({ceil(extent / groups) for groups in range(1, extent + 1)})
        return [u for u in smallest if extent % u or all(same_for_all_lanes(g, loop, u) for g in guards)]


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
