# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The least interval whose design fits, the cheapest design for an interval, and what to do where there is none."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from resnet_hls.analysis.costs import Resources
from resnet_hls.balance.program import LEAST, Effort, Objective, Problem, Solution, Undecided, solve
from resnet_hls.boards import RESOURCES

#: LUTs that come with a slice for two products, and that two products take instead, about.
_LUTS_OF_SLICE, _LUTS_OF_PAIR = 35, 150
#: How often a design is looked for anew because its tasks take more than their likes.
_TRIES = 4


class Choices(Protocol):
    """What `designs.Designs` has of a dataflow."""

    budget: Resources

    def intervals(self) -> list[int]: ...
    def least_products(self, interval: int) -> int | None: ...
    def problem(self, interval: int, fixed: Resources) -> Problem | None: ...
    def built(self, found: Solution) -> Resources: ...


@dataclass(frozen=True)
class Balanced:
    """A design.

    Attributes:
        solution: what to build.
        bound: no design has fewer cycles a frame.
    """

    solution: Solution
    bound: int

    @property
    def gap(self) -> float:
        """How far below the interval another one may be, as a share; 0 where it is proven to be the least."""
        return max(0.0, 1 - self.bound / self.solution.interval)


@dataclass
class Search:
    """Looks at one interval after the other, each once.

    Args:
        choices: of factors, priced.
        effort: that all of it may take.
        objectives: of the cheapest design, the most important one first.
    """

    choices: Choices
    effort: Effort
    objectives: Sequence[Objective] = LEAST
    _refuted: set[int] = field(default_factory=set)

    def least(self, below: int | None = None) -> Balanced | None:
        """The design with the fewest cycles a frame, fewer than `below` where that is given; None where none fits."""
        intervals = [n for n in self.choices.intervals() if below is None or n < below]
        if not intervals:
            return None
        first = bisect_left(intervals, True, key=self._may_fit) if below is None else len(intervals)
        fits = self._first(len(intervals), first, lambda number: self.fits(intervals[number]))
        if fits is None:
            return None
        refuted = max((n for n in range(fits) if intervals[n] in self._refuted), default=-1)
        for interval in intervals[fits:]:  # nearly always the first: what the likes of its tasks take, they take
            found = self.cheapest(interval)
            if found is not None:
                return Balanced(found, intervals[refuted + 1])
        return None

    def _may_fit(self, interval: int) -> bool:
        """Where to begin: a guess, by what products take in LUTs."""
        products, budget = self.choices.least_products(interval), self.choices.budget
        if products is None:
            return False
        return products * _LUTS_OF_SLICE + max(0, products - budget.dsp) * _LUTS_OF_PAIR <= budget.lut

    @staticmethod
    def _first(count: int, start: int, fits: Callable[[int], bool]) -> int | None:
        """The first number that fits, where all greater ones do: in growing steps from `start`, then halving."""
        low, high, step = -1, count, 1
        number = min(start, count - 1)
        while low < number < high:
            if fits(number):
                high, number = number, max(number - step, low + 1)
            else:
                low, number = number, min(number + step, high - 1)
            step *= 2
            if low >= 0 and high < count:
                break
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(middle) else (middle, high)
        return high if high < count else None

    def is_refuted(self, below: int) -> bool:
        """True where it is proven that no design has fewer cycles a frame."""
        faster = [n for n in self.choices.intervals() if n < below]
        return not faster or faster[-1] in self._refuted

    def fits(self, interval: int) -> bool:
        """True when there is a design of at most so many cycles, as far as the likes of its tasks tell."""
        try:
            found = self._solve(interval, ())
        except Undecided:
            return False
        if found is None:
            self._refuted.add(interval)
        return found is not None

    def cheapest(self, interval: int) -> Solution | None:
        """The cheapest design of at most so many cycles; None where none fits, or none was found."""
        fixed = Resources()
        for _ in range(_TRIES):
            try:
                found = self._solve(interval, self.objectives, fixed)
            except Undecided:
                return None
            if found is None:
                return None
            built = self.choices.built(found)
            found, difference = replace(found, cost=built), built + found.cost * -1
            if all(getattr(built, name) <= getattr(self.choices.budget, name) for name in RESOURCES):
                return found
            fixed += difference  # as much as its tasks take more than their likes
        return None

    def _solve(self, interval: int, objectives: Sequence[Objective], fixed: Resources | None = None) -> Solution | None:
        problem = self.choices.problem(interval, fixed or Resources())
        return None if problem is None else solve(problem, interval, self.effort, objectives)

    def needs(self, interval: int) -> Resources | None:
        """What the design for an interval would take that is least over the budget; None where none is as fast."""
        problem = self.choices.problem(interval, Resources())
        if problem is None:
            return None
        try:
            found = solve(problem, interval, self.effort, ["over"], bounded=())
        except Undecided:
            return None
        return None if found is None else found.cost


def over(needed: Resources, budget: Resources) -> list[str]:
    """In words, what is needed of each resource of which there is too little."""
    return [
        f"{getattr(needed, name):,.0f} {name.upper()} for {getattr(budget, name):,.0f}"
        for name in RESOURCES
        if getattr(needed, name) > getattr(budget, name)
    ]
