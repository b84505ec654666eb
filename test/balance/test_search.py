# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which interval is the least, and what is said where there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from resnet_hls.analysis.costs import Resources
from resnet_hls.balance.program import Effort, Problem, Solution, Variant
from resnet_hls.balance.search import Search, over


@dataclass
class Halves:
    """Tasks of which each factor halves the cycles and doubles the slices.

    Built with their own constants they take `more` than what they were chosen for.
    """

    budget: Resources
    tasks: int = 3
    more: float = 0.0
    asked: list[int] = field(default_factory=list)

    def variants(self) -> list[Variant]:
        return [Variant(n, 1024 >> n, Resources(dsp=float(1 << n), lut=10.0), {}) for n in range(9)]

    def intervals(self) -> list[int]:
        return sorted(v.cycles for v in self.variants())

    def least_products(self, interval: int) -> int | None:
        fast = [v.cost.dsp for v in self.variants() if v.cycles <= interval]
        return round(self.tasks * min(fast)) if fast else None

    def problem(self, interval: int, fixed: Resources) -> Problem | None:
        self.asked.append(interval)
        if self.least_products(interval) is None:
            return None
        return Problem({f"t{n}": self.variants() for n in range(self.tasks)}, [], self.budget, fixed)

    def built(self, found: Solution) -> Resources:
        return sum((v.cost for v in found.chosen.values()), Resources(dsp=self.more))


@pytest.mark.parametrize(("dsp", "interval"), [(3, 1024), (5, 1024), (6, 512), (95, 64), (96, 32), (5000, 4)])
def test_the_least_interval_that_fits(dsp: int, interval: int) -> None:
    choices = Halves(Resources(dsp=dsp, lut=1000))
    best = Search(choices, Effort(20.0)).least()
    assert best is not None
    assert best.solution.interval == interval
    assert best.bound == interval
    assert best.gap == 0
    assert best.solution.cost.dsp == 3 * 1024 / interval
    assert len(choices.asked) <= 6


def test_only_faster_ones() -> None:
    """Asked for less than there is, it says that there is none, and that this is proven; asked for more, finds it."""
    search = Search(Halves(Resources(dsp=95, lut=1000)), Effort(20.0))
    assert search.least(below=64) is None
    assert search.is_refuted(64)
    assert not search.is_refuted(128)
    best = search.least(below=1024)
    assert best is not None
    assert (best.solution.interval, best.gap) == (64, 0)
    assert search.least(below=4) is None
    assert search.is_refuted(4), "there is no faster one to choose"


def test_what_its_likes_do_not_tell() -> None:
    """A design whose tasks take more than their likes gives way to the next one; then nothing is proven."""
    choices = Halves(Resources(dsp=96, lut=1000), more=1)
    best = Search(choices, Effort(20.0)).least()
    assert best is not None
    assert best.solution.interval == 64
    assert best.bound == 32
    assert best.gap == 0.5
    assert best.solution.cost.dsp == 49


def test_nothing_fits() -> None:
    search = Search(Halves(Resources(dsp=2, lut=1000)), Effort(20.0))
    assert search.least() is None
    needed = search.needs(1024)
    assert needed is not None
    assert over(needed, search.choices.budget) == ["3 DSP for 2"]
    assert search.needs(1) is None


def test_no_effort() -> None:
    search = Search(Halves(Resources(dsp=96, lut=1000)), Effort(0.0))
    assert search.least() is None
    assert search.cheapest(1024) is None
