# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-balance: chooses unroll factors so that all tasks take about as long. Marks loops, rewrites nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import fixed_loops, guards_of, same_for_all_lanes
from resnet_hls.analysis.tasks import Task, tasks, the_dataflow
from resnet_hls.passes._registry import Pass, PassFailure, option, register_pass


@dataclass(frozen=True)
class Option:
    """Factors by loop, the cycles a frame takes with them, the multipliers and epilogues (requantizers) they need."""

    factors: dict[int, int]
    cycles: int
    multipliers: int
    epilogues: int

    @property
    def cost(self) -> tuple[int, int]:
        return self.multipliers, self.epilogues


@dataclass
class Choice:
    """The loops of a task that may be unrolled, and the factors chosen for them."""

    task: Task
    taps: set[int]
    lanes: dict[ir.Value, int]  # stream -> the loop whose factor is its number of words' lanes
    walked: dict[ir.Value, set[int]]  # stream -> the loops in each of whose iterations words move
    window_outputs: set[ir.Value]  # streams whose words hold taps, which no width converter may reorder
    factors: dict[int, int] = field(default_factory=dict)

    @cached_property
    def multiplications(self) -> list[set[int]]:
        """Per product of the body the loops it is computed in; a loop that a guard holds at one iteration is none."""
        every = set(range(len(self.task.nest.loops)))
        ops = iu.walk(self.task.op, "arith.muli")
        return [every - set(fixed_loops(guards_of(op, self.task.nest))) for op in ops]

    def cycles(self, factors: dict[int, int]) -> int:
        extents = enumerate(self.task.extents)
        return prod(n // factors.get(d, 1) for d, n in extents if d not in self.taps)

    def multipliers(self, factors: dict[int, int]) -> int:
        """Multipliers of a step: products of all lanes and taps."""
        lanes = {d: self.task.nest.extents[d] for d in self.taps} | factors
        return sum(prod(lanes.get(d, 1) for d in loops) for loops in self.multiplications)

    def epilogues(self, factors: dict[int, int]) -> int:
        """Results of a step that share an input: each needs adders, a requantizer and a start value of its own.

        With few of them the lanes go to input channels instead: then windows come in few wide words, and whoever makes
        them is done the sooner, with an edge or between two frames.
        """
        inputs = [self.walked.get(stream, set()) for stream in self.task.inputs]
        written = {self.lanes[s] for s in self.task.outputs if s in self.lanes}
        return prod(factors[d] for d in written if not all(d in walked for walked in inputs))

    @cached_property
    def options(self) -> list[Option]:
        """Every combination of factors; fewest multipliers first, then the smallest factors."""
        loops = sorted(set(self.lanes.values()))
        found = []
        for combination in product(*(self.possible_factors(d) for d in loops)):
            factors = dict(zip(loops, combination, strict=True))
            found.append(Option(factors, self.cycles(factors), self.multipliers(factors), self.epilogues(factors)))
        return sorted(found, key=lambda o: (*o.cost, *o.factors.values()))

    def possible_factors(self, loop: int) -> list[int]:
        """Divisors of the trip count with which all lanes of a group read and write the same streams.

        Only 1 for a loop that walks a stream otherwise than word by word: words hold neighbouring elements.
        """
        if any(self.lanes[s] != loop and loop in loops for s, loops in self.walked.items()):
            return [1]
        guards = [g for t in self.task.transfers for g, equal in guards_of(t.op, self.task.nest) if not equal]
        extent = self.task.nest.extents[loop]
        divisors = [d for d in range(1, extent + 1) if extent % d == 0]
        return [d for d in divisors if all(same_for_all_lanes(guard, loop, d) for guard in guards)]


def choice_of(task: Task) -> Choice:
    taps = {d for d, loop in enumerate(task.nest.loops) if "hls.tap" in loop.attributes}
    walked: dict[ir.Value, set[int]] = {}
    windows: set[ir.Value] = set()
    for transfer in task.transfers:
        free = set(range(len(task.nest.loops))) - set(fixed_loops(guards_of(transfer.op, task.nest)))
        if transfer.is_write and free & taps:
            windows.add(transfer.stream)
        if free - taps:
            walked[transfer.stream] = free - taps
    # The innermost of these loops walks neighbouring words.
    return Choice(task, taps, {stream: max(loops) for stream, loops in walked.items()}, walked, windows)


class _Balancer:
    def __init__(self, module: ir.Operation) -> None:
        self.choices = [choice_of(task) for task in tasks(the_dataflow(module))]
        self.writer = {s: c for c in self.choices for s in c.task.outputs}
        self.reader = {s: c for c in self.choices for s in c.task.inputs}

    def windows(self, choice: Choice) -> list[tuple[ir.Value, Choice]]:
        """Streams of windows that a task reads, each with the window task that feeds it."""
        feeders = [(s, self.writer.get(s)) for s in choice.task.inputs]
        return [(s, feeder) for s, feeder in feeders if feeder is not None and s in feeder.window_outputs]

    def converters(self, choice: Choice, chosen: Option, target: int) -> int | None:
        """Width converters before the task with these factors.

        None where words cannot be converted or a window task that feeds it is too slow.
        """
        windows = dict(self.windows(choice))
        count = 0
        for stream in choice.task.inputs:
            if stream not in choice.lanes:
                continue
            want, feeder, source = chosen.factors[choice.lanes[stream]], self.writer.get(stream), stream
            if stream in windows:
                feeder = windows[stream]
                loop = feeder.lanes.get(stream)
                if (1 if loop is None else feeder.task.nest.extents[loop]) % want:
                    return None  # a map of one channel: its windows come one by one
                if feeder.cycles({} if loop is None else {loop: want}) > target:
                    return None
                if feeder.factors.get(loop, want) != want:
                    return None  # another window comes with other lanes, and no converter may reorder taps
                others = self.others(feeder, stream)
                if any(max(other, want) % min(other, want) for other in others):
                    return None
                count += sum(other != want for other in others)
                source = next((s for s in feeder.task.inputs if s in feeder.lanes), stream)
                feeder = self.writer.get(source) if source != stream else None
            have = feeder.factors.get(feeder.lanes[source]) if feeder is not None and source in feeder.lanes else None
            if have is not None and max(have, want) % min(have, want):
                return None
            count += have is not None and have != want
        return count

    def others(self, feeder: Choice, stream: ir.Value) -> list[int]:
        """Lanes with which others read, by converters if need be, what a window task hands out besides windows."""
        plain = [s for s in feeder.task.outputs if s != stream and s not in feeder.window_outputs]
        readers = [(s, self.reader.get(s)) for s in plain]
        return [r.factors[r.lanes[s]] for s, r in readers if r is not None and r.lanes.get(s) in r.factors]

    def choose(self, choice: Choice, target: int) -> Option | None:
        """The option that reaches the target: least cost, then fewest converters, then smallest factors."""
        best: tuple[int, Option] | None = None
        for candidate in choice.options:
            if best is not None and candidate.cost > best[1].cost:
                break
            if candidate.cycles <= target:
                converters = self.converters(choice, candidate, target)
                if converters is not None and (best is None or converters < best[0]):
                    best = converters, candidate
        return None if best is None else best[1]

    def assign(self, target: int) -> int | None:
        """Chooses the cheapest factors that reach `target` cycles; gives the multipliers they need, or None."""
        for choice in self.choices:
            choice.factors = {}
        total = 0
        for choice in self.choices:
            if choice.window_outputs:
                continue  # a window task follows its reader
            chosen = self.choose(choice, target)
            if chosen is None:
                return None
            choice.factors = chosen.factors
            total += chosen.multipliers
            for stream, feeder in self.windows(choice):
                if stream in choice.lanes and stream in feeder.lanes:
                    feeder.factors = {feeder.lanes[stream]: choice.factors[choice.lanes[stream]]}
        return total

    def targets(self) -> list[int]:
        """Every initiation interval that some choice of factors gives a task: the candidates, ascending."""
        return sorted({found.cycles for choice in self.choices for found in choice.options})


@register_pass
@dataclass(frozen=True)
class Balance(Pass):
    """Choose unroll factors: the least initiation interval whose multipliers fit the board.

    Before: the dataflow of `hls-to-dataflow`. After: the same with `hls.unroll` on the channel loops of every task. A
    task's loops over input and output channels get the divisors of their trip counts that reach the interval with the
    fewest multipliers; among those, the fewest results a step (each needs a requantizer), then the fewest width
    converters. A window task takes the factor of the task that it feeds. The interval is the least one for which all
    multipliers together are within `dsp`, one DSP slice each.
    """

    name: ClassVar[str] = "hls-balance"

    dsp: int = option(1248, "DSP slices that multipliers may take")
    target_cycles: int = option(0, "initiation interval to reach with the fewest multipliers; 0: the least that fits")

    def run(self, op: ir.Operation) -> None:
        balancer = _Balancer(op)
        candidates = balancer.targets()
        if not candidates:
            raise PassFailure(op, "a dataflow without tasks")
        if self.target_cycles:
            needed = balancer.assign(self.target_cycles)
            if needed is None:
                raise PassFailure(
                    op, f"no unroll factors reach {self.target_cycles} cycles", help="ask for a lower frame rate"
                )
            if needed > self.dsp:
                raise PassFailure(
                    op, f"{self.target_cycles} cycles need {needed} DSP slices, {self.dsp} are there",
                    help="ask for a lower frame rate, allow more DSP slices, or take a larger board",
                )  # fmt: skip
        else:
            low, high = 0, len(candidates) - 1  # the multipliers needed fall as the interval grows
            while low < high:
                middle = (low + high) // 2
                needed = balancer.assign(candidates[middle])
                low, high = (low, middle) if needed is not None and needed <= self.dsp else (middle + 1, high)
            needed = balancer.assign(candidates[high])
            if needed is None or needed > self.dsp:
                raise PassFailure(
                    op,
                    f"the smallest design needs {needed} DSP slices, {self.dsp} are there",
                    help="allow more DSP slices, or take a larger board",
                )
        i64 = ir.IntegerType.get_signless(64)
        for choice in balancer.choices:
            for loop, factor in choice.factors.items():
                choice.task.nest.loops[loop].attributes["hls.unroll"] = ir.IntegerAttr.get(i64, factor)
