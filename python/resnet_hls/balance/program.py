# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The integer program behind hls-balance, for OR-tools' CP-SAT: one variant for each task. Arithmetic only, no IR.

A task is built in one of several variants, each with its cycles a frame, its resources, and the words of its streams.
Where the two ends of a stream have other words, a width converter stands between them, which costs resources and cycles
of its own. All together must fit, and no task or converter may take longer than the interval.

Resources are counted in tenths, so that the program has integers only.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

from resnet_hls.analysis.costs import Resources
from resnet_hls.boards import RESOURCES

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

_TENTHS = 10
#: Part of the effort that is left which one search may take, at most: there may be others.
_SHARE = 8


#: Products in LUTs, then the resources in the order of what a board has least of.
Objective = Literal["uram", "fabric", "dsp", "lut", "memory", "over"]
LEAST: tuple[Objective, ...] = ("fabric", "dsp", "lut", "memory")
#: Where weights may lie in UltraRAM: no more of it than must be, for it has to be loaded.
LEAST_LOADED: tuple[Objective, ...] = ("uram", *LEAST)


@dataclass(frozen=True)
class Fabric:
    """Products that may go to LUTs instead of DSP slices, some lanes of a reduction at a time.

    Args:
        lanes: of the reduction, at most.
        less: what a lane does not need then.
        more: what it needs instead.
    """

    lanes: int
    less: Resources
    more: Resources


@dataclass(frozen=True)
class Variant:
    """One way to build a task.

    Args:
        key: what the caller knows it by.
        cycles: a frame.
        cost: with all products in DSP slices.
        words: what tells those of each stream apart, by name.
        fabric: where products may go to LUTs.
    """

    key: Any
    cycles: int
    cost: Resources
    words: Mapping[str, Hashable]
    fabric: Fabric | None = None


@dataclass(frozen=True)
class Converter:
    """What stands between two ends with other words; of equal words nothing, which costs nothing."""

    cycles: int = 0
    cost: Resources = field(default_factory=Resources)


@dataclass(frozen=True)
class Link:
    """A stream between two tasks.

    Args:
        converters: what it takes for words at the writer's and at the reader's end; a pair that is missing cannot be.
    """

    stream: str
    writer: str
    reader: str
    converters: Mapping[tuple[Hashable, Hashable], Converter]


@dataclass(frozen=True)
class Problem:
    """Tasks by name with their variants, the streams between them, what may be used, and what is used anyway."""

    variants: Mapping[str, Sequence[Variant]]
    links: Sequence[Link]
    budget: Resources
    fixed: Resources = field(default_factory=Resources)


@dataclass(frozen=True)
class Solution:
    """What to build.

    Attributes:
        chosen: a variant for each task.
        fabric: lanes of its reduction whose products are in LUTs, for each task that has any.
        cost: of everything, `Problem.fixed` included.
        interval: cycles a frame: those of the slowest task or converter.
        gaps: for each objective, how far below the value found a better one may be, as a share: 0 if there is none.
    """

    chosen: Mapping[str, Variant]
    fabric: Mapping[str, int]
    cost: Resources
    interval: int
    gaps: Mapping[Objective, float]

    def cost_of(self, name: str) -> Resources:
        """What one task takes."""
        variant, fabric = self.chosen[name], self.chosen[name].fabric
        if fabric is None:
            return variant.cost
        return variant.cost + (fabric.more + fabric.less * -1) * self.fabric.get(name, 0)


class Undecided(Exception):
    """The effort was spent before a design was found, or it was proven that there is none."""


@dataclass
class Effort:
    """How much work a search may do, as CP-SAT counts it: the same on every machine, about a second of one."""

    left: float

    def spend(self, work: float) -> None:
        self.left = max(0.0, self.left - work)


@dataclass
class _Sums:
    """Linear expressions of the model, in tenths where they are resources."""

    cost: dict[str, list[tuple[Any, int]]] = field(default_factory=lambda: {name: [] for name in RESOURCES})
    fabric: list[tuple[Any, int]] = field(default_factory=list)

    def add(self, variable: Any, cost: Resources, sign: int = 1) -> None:
        for name in RESOURCES:
            if amount := getattr(cost, name):
                self.cost[name].append((variable, sign * tenths(amount)))


def tenths(amount: float) -> int:
    return ceil(round(amount * _TENTHS, 3))


class _Model:
    """The program for one interval. Booleans choose variants and pairs of words; integers are lanes in LUTs."""

    def __init__(self, problem: Problem, interval: int, bounded: Iterable[str] = RESOURCES) -> None:
        from ortools.sat.python import cp_model

        self.problem, self.interval = problem, interval
        self.model: cp_model.CpModel = cp_model.CpModel()
        self.sums = _Sums()
        self.takes: dict[str, list[tuple[Variant, Any]]] = {}
        self.in_fabric: dict[str, list[Any]] = {}
        self.possible = all(self.task(name, found) for name, found in problem.variants.items())
        if self.possible:
            for link in problem.links:
                self.link(link)
            for name in bounded:
                self.model.add(self.total(name) <= tenths(getattr(problem.budget, name)))

    def task(self, name: str, variants: Sequence[Variant]) -> bool:
        """Exactly one variant, of those that are fast enough; False where there is none."""
        takes = [
            (variant, self.model.new_bool_var(f"{name}_{number}"))
            for number, variant in enumerate(variants)
            if variant.cycles <= self.interval
        ]
        if not takes:
            return False
        self.model.add_exactly_one(variable for _, variable in takes)
        self.takes[name] = takes
        for variant, variable in takes:
            self.sums.add(variable, variant.cost)
            if variant.fabric is not None:
                lanes = self.model.new_int_var(0, variant.fabric.lanes, f"{name}_fabric")
                self.model.add(lanes <= variant.fabric.lanes * variable)
                self.sums.add(lanes, variant.fabric.more)
                self.sums.add(lanes, variant.fabric.less, sign=-1)
                self.sums.fabric.append((lanes, round(variant.fabric.less.dsp)))
                self.in_fabric.setdefault(name, []).append(lanes)
        return True

    def link(self, link: Link) -> None:
        """Words at both ends of a stream: equal, or with a converter between them."""
        ends = [self.by_word(task, link.stream) for task in (link.writer, link.reader)]
        pairs = {
            (a, b): (found, self.model.new_bool_var(f"{link.stream}_{a}_{b}"))
            for a in ends[0]
            for b in ends[1]
            if (found := link.converters.get((a, b))) is not None and found.cycles <= self.interval
        }
        for side, end in enumerate(ends):
            for word, variables in end.items():
                self.model.add(sum(v for pair, (_, v) in pairs.items() if pair[side] == word) == sum(variables))
        for found, variable in pairs.values():
            self.sums.add(variable, found.cost)

    def by_word(self, task: str, stream: str) -> dict[Hashable, list[Any]]:
        found: dict[Hashable, list[Any]] = {}
        for variant, variable in self.takes[task]:
            found.setdefault(variant.words[stream], []).append(variable)
        return found

    def total(self, name: str) -> Any:
        return sum(v * amount for v, amount in self.sums.cost[name]) + tenths(getattr(self.problem.fixed, name))

    def minimize(self, objective: Objective) -> Any:
        """The expression that `objective` stands for."""
        if objective == "fabric":
            return sum(v * amount for v, amount in self.sums.fabric)
        if objective == "memory":
            return 2 * self.total("bram36") + 2 * self.total("uram")
        if objective == "over":
            return self.over()
        return self.total(objective)

    def over(self) -> Any:
        """By how much all resources together are over their budgets, each in thousandths of what may be used."""
        excess = []
        for name in RESOURCES:
            allowed = tenths(getattr(self.problem.budget, name))
            variable = self.model.new_int_var(0, 10**9, f"over_{name}")
            self.model.add(variable * max(allowed, 1) >= 1000 * (self.total(name) - allowed))
            excess.append(variable)
        return sum(excess)


def solve(
    problem: Problem,
    interval: int,
    effort: Effort,
    objectives: Sequence[Objective] = LEAST,
    bounded: Iterable[str] = RESOURCES,
) -> Solution | None:
    """The cheapest design with at most `interval` cycles a frame.

    Args:
        problem: what there is to choose from.
        interval: cycles.
        effort: that it may take; what was spent is taken off.
        objectives: each is made as small as those before it allow; none: any design will do.
        bounded: resources whose budget counts.

    Returns:
        The design; None where there is none, or where none was found within the effort.
    """
    from ortools.sat.python import cp_model

    built = _Model(problem, interval, bounded)
    if not built.possible:
        return None
    if effort.left <= 0:
        raise Undecided
    solution: Solution | None = None
    gaps: dict[Objective, float] = {}
    for number, objective in enumerate(objectives or [None]):
        expression = built.minimize(objective) if objective is not None else None
        if expression is not None:
            built.model.minimize(expression)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        share = effort.left / max(len(objectives) - number, _SHARE)
        solver.parameters.max_deterministic_time = max(share, 0.01)
        status = solver.solve(built.model)
        effort.spend(solver.response_proto.deterministic_time)
        if status == cp_model.INFEASIBLE and solution is None:
            return None
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            break
        if objective is not None and expression is not None:
            best = round(solver.objective_value)
            gaps[objective] = (best - solver.best_objective_bound) / max(best, 1)
            built.model.add(expression <= best)
        solution = _solution(built, solver, gaps)
        _hint(built, solver)
    if solution is None:
        raise Undecided
    return solution


def _hint(built: _Model, solver: cp_model.CpSolver) -> None:
    """Starts the next search where the last one ended."""
    model = built.model
    model.clear_hints()  # type: ignore[no-untyped-call]
    for index in range(len(model.proto.variables)):
        variable = model.get_int_var_from_proto_index(index)
        model.add_hint(variable, solver.value(variable))


def _solution(built: _Model, solver: cp_model.CpSolver, gaps: Mapping[Objective, float]) -> Solution:
    chosen = {
        name: next(variant for variant, variable in takes if solver.value(variable))
        for name, takes in built.takes.items()
    }
    lanes = {name: sum(solver.value(v) for v in found) for name, found in built.in_fabric.items()}
    found = Solution(chosen, {name: n for name, n in lanes.items() if n}, built.problem.fixed, 0, dict(gaps))
    cost = sum((found.cost_of(name) for name in chosen), found.cost)
    cycles = [variant.cycles for variant in chosen.values()]
    for link in built.problem.links:
        ends = (chosen[link.writer].words[link.stream], chosen[link.reader].words[link.stream])
        cost += link.converters[ends].cost
        cycles.append(link.converters[ends].cycles)
    return replace(found, cost=cost, interval=max(cycles))
