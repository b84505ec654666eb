# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-balance: chooses unroll factors so that all tasks take about as long. Marks loops, rewrites nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import fixed_loops, guards_of
from resnet_hls.analysis.tasks import Task, Transfer, tasks, the_dataflow
from resnet_hls.passes._registry import Pass, PassFailure, option, register_pass


@dataclass
class Choice:
    """The loops of a task that may be unrolled, and the factors chosen for them."""

    task: Task
    taps: set[int]
    lanes: dict[ir.Value, int]  # stream -> the loop whose factor is its number of words' lanes
    factors: dict[int, int] = field(default_factory=dict)

    @property
    def loops(self) -> list[int]:
        return sorted(set(self.lanes.values()))

    @property
    def multipliers_per_lane(self) -> int:
        """Products per iteration when nothing but taps is unrolled."""
        taps = int(np.prod([self.task.nest.extents[d] for d in self.taps], dtype=np.int64))
        return len(iu.walk(self.task.op, "arith.muli")) * taps

    def cycles(self, factors: dict[int, int]) -> int:
        trips = [n // factors.get(d, 1) for d, n in enumerate(self.task.nest.extents) if d not in self.taps]
        return int(np.prod(trips, dtype=np.int64))

    def multipliers(self, factors: dict[int, int]) -> int:
        return self.multipliers_per_lane * int(np.prod(list(factors.values()), dtype=np.int64))


def divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


def lane_loop(task: Task, transfer: Transfer, taps: set[int]) -> int | None:
    """The loop that walks neighbouring words of a stream: the innermost one that the transfer's guard leaves free."""
    fixed = fixed_loops(guards_of(transfer.op, task.nest))
    free = [d for d in range(len(task.nest.loops)) if d not in fixed and d not in taps]
    return free[-1] if free else None


def choice_of(task: Task) -> Choice:
    taps = {d for d, loop in enumerate(task.nest.loops) if "hls.tap" in loop.attributes}
    lanes = {t.stream: loop for t in task.transfers if (loop := lane_loop(task, t, taps)) is not None}
    return Choice(task, taps, lanes)


class _Balancer:
    def __init__(self, module: ir.Operation) -> None:
        self.choices = [choice_of(task) for task in tasks(the_dataflow(module))]
        self.writer = {s: c for c in self.choices for s in c.task.outputs}
        self.reader = {s: c for c in self.choices for s in c.task.inputs}

    def carries_taps(self, stream: ir.Value) -> bool:
        """True for a stream of windows: its words hold taps, which no width converter may reorder."""
        writer = self.writer.get(stream)
        if writer is None:
            return False
        transfer = next(t for t in writer.task.transfers if t.stream == stream)
        return bool(writer.taps - set(fixed_loops(guards_of(transfer.op, writer.task.nest))))

    def options(self, choice: Choice, target: int) -> list[dict[int, int]]:
        """Factors with which the task, and the window task that feeds it, meet the target; cheapest first."""
        extents = choice.task.nest.extents
        found: list[tuple[tuple[int, ...], dict[int, int]]] = []
        for combination in product(*(divisors(extents[d]) for d in choice.loops)):
            factors = dict(zip(choice.loops, combination, strict=True))
            if choice.cycles(factors) > target:
                continue
            converters, ok = 0, True
            for stream in choice.task.inputs:
                loop, feeder = choice.lanes.get(stream), self.writer.get(stream)
                if loop is None or feeder is None:
                    continue
                if self.carries_taps(stream):
                    ok &= feeder.cycles({feeder.lanes[stream]: factors[loop]}) <= target
                    source = next((s for s in feeder.task.inputs if s in feeder.lanes), None)
                    above = self.writer.get(source) if source is not None else None
                    have = (
                        above.factors.get(above.lanes[source]) if above is not None and source in above.lanes else None
                    )
                else:
                    have = feeder.factors.get(feeder.lanes[stream]) if stream in feeder.lanes else None
                want = factors[loop]
                converters += have is not None and have != want
                ok &= have is None or max(have, want) % min(have, want) == 0
            if ok:
                found.append(((choice.multipliers(factors), converters, *combination), factors))
        return [factors for _, factors in sorted(found, key=lambda item: item[0])]

    def assign(self, target: int) -> int | None:
        """Chooses the cheapest factors that reach `target` cycles; the multipliers they need, or None if there are none."""
        for choice in self.choices:
            choice.factors = {}
        total = 0
        for choice in self.choices:
            if any(self.carries_taps(s) for s in choice.task.outputs):
                continue  # a window task follows its reader
            options = self.options(choice, target)
            if not options:
                return None
            choice.factors = options[0]
            total += choice.multipliers(choice.factors)
            for stream in choice.task.inputs:
                if self.carries_taps(stream):
                    feeder = self.writer[stream]
                    feeder.factors = {feeder.lanes[stream]: choice.factors[choice.lanes[stream]]}
        return total

    def targets(self) -> list[int]:
        """Every initiation interval that some choice of factors gives a task: the candidates, ascending."""
        found: set[int] = set()
        for choice in self.choices:
            extents = choice.task.nest.extents
            for combination in product(*(divisors(extents[d]) for d in choice.loops)):
                found.add(choice.cycles(dict(zip(choice.loops, combination, strict=True))))
        return sorted(found)


@register_pass
@dataclass(frozen=True)
class Balance(Pass):
    """Choose unroll factors: the least initiation interval whose multipliers fit the board.

    Before: the dataflow of `hls-to-dataflow`. After: the same with `hls.unroll` on the channel loops of every task. A task's
    loops over input and output channels get the divisors of their trip counts that reach the interval with the fewest
    multipliers and, among those, the fewest width converters; a window task takes the factor of the task that it feeds. The interval is
    the least one for which all multipliers together are within `dsp`, one DSP slice each.
    """

    name: ClassVar[str] = "hls-balance"

    dsp: int = option(1248, "DSP slices that multipliers may take")
    target_cycles: int = option(0, "initiation interval to reach with the fewest multipliers; 0: the least that fits")

    def run(self, op: ir.Operation) -> None:
        balancer = _Balancer(op)
        candidates = balancer.targets()
        if self.target_cycles:
            needed = balancer.assign(self.target_cycles)
            if needed is None:
                raise PassFailure(
                    op, f"no unroll factors reach {self.target_cycles} cycles", help="ask for a lower frame rate"
                )
            if needed > self.dsp:
                raise PassFailure(
                    op, f"{self.target_cycles} cycles need {needed} DSP slices, {self.dsp} are there",
                    help="ask for a lower frame rate or take a larger board",
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
                    help="take a larger board",
                )
        i64 = ir.IntegerType.get_signless(64)
        for choice in balancer.choices:
            for loop, factor in choice.factors.items():
                choice.task.nest.loops[loop].attributes["hls.unroll"] = ir.IntegerAttr.get(i64, factor)
