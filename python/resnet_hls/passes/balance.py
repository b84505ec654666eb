# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-balance: chooses unroll factors by an exact integer program. Marks loops and constants, rewrites nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from torch_mlir import ir

from resnet_hls import boards
from resnet_hls import ir_utils as iu
from resnet_hls.analysis.costs import Resources
from resnet_hls.analysis.weights import is_weights
from resnet_hls.balance.building import Builder, mark
from resnet_hls.balance.designs import STORAGES, Built, Choice, Designs, count
from resnet_hls.balance.pricing import Trials
from resnet_hls.balance.program import LEAST_LOADED, Effort, Solution
from resnet_hls.balance.search import Balanced, Search, over
from resnet_hls.balance.workers import Workers
from resnet_hls.passes._registry import Pass, PassFailure, option, register_pass, remark
from resnet_hls.passes.narrow_integers import NarrowIntegers
from resnet_hls.passes.pack_dsp import PackDsp
from resnet_hls.passes.place_memories import WEIGHTS, PlaceMemories, no_uram
from resnet_hls.passes.unroll_loops import UnrollLoops


@register_pass
@dataclass(frozen=True)
class Balance(Pass):
    """Choose unroll factors: the least initiation interval that a board has the resources for, at the least cost.

    Before: the dataflow of `hls-to-dataflow`. After: the same with `hls.unroll` on loops over columns, channels
    and taps, `hls.fabric` on tasks some of whose products are in LUTs, and `hls.storage` on weights.

    Every task is built in each variant that is worth a look, by the passes that follow, and its resources are
    counted (`analysis/resources.py`); width converters and FIFOs where neighbours differ count as well. An
    integer program (OR-tools CP-SAT, `balance/program.py`) then takes one variant for each task. The interval
    is the least for which everything fits; among designs with that interval the one with the fewest products in LUTs,
    then the fewest DSP slices, LUTs and block RAMs. With `target-cycles` the interval is given. The remark tells what
    was proven. The same input gives the same design on every machine: `effort` counts work, not time.

    Weights lie in LUTs or in block RAM, which have them when the device starts. UltraRAM does not: it costs a port and
    a load before the first frame, so that a design has weights in it only where none was found without that is as
    fast, or none that fits at all, and then in as few as that takes. `weights` asks for one kind of memory for all of
    them; weights of which a step takes all at once are in LUTs whatever it says.
    """

    name: ClassVar[str] = "hls-balance"

    dsp: int = option(1248, "DSP slices that may be used")
    lut: int = option(93696, "LUTs that may be used")
    ff: int = option(187392, "flip-flops that may be used")
    bram36: int = option(129, "block RAMs of 36 Kib that may be used")
    uram: int = option(64, "UltraRAMs that may be used")
    family: Literal["ultrascale+", "7series"] = option("ultrascale+", "family of the device")
    clock_mhz: float = option(250.0, "clock of the accelerator in MHz")
    target_cycles: int = option(0, "initiation interval to reach at the least cost; 0: the least that fits")
    effort: float = option(20.0, "work that the integer program may do, about seconds")
    weights: Literal["auto", "lut", "bram", "uram"] = option("auto", "what weights lie in")

    def run(self, op: ir.Operation) -> None:
        builder = Builder(
            UnrollLoops(check=False),  # what is chosen is checked when it is built
            (NarrowIntegers(), PackDsp(family=self.family)),
            (PlaceMemories(family=self.family),),
            partial(count, family=self.family, clock_mhz=self.clock_mhz),
        )
        with Workers(op, builder) as workers:
            self.choose(op, Trials(op, builder, workers))

    def choose(self, op: ir.Operation, trials: Trials[Built]) -> None:
        """Marks what is chosen."""
        budget = Resources(self.dsp, self.lut, self.ff, self.bram36, self.uram)
        storages = STORAGES if self.weights == "auto" else (WEIGHTS[self.weights],)
        designs = Designs(op, self.family, trials, budget, storages)
        if not designs.shapes:
            raise PassFailure(op, "a dataflow without tasks")
        self.check_uram(op)
        effort = Effort(self.effort)
        search = Search(designs, effort)
        loading = Search(designs.with_loads(), effort, LEAST_LOADED) if self.may_load else search
        if self.target_cycles:
            found = self.reached(op, search, loading, budget)
            remark(op, f"{described(found)}, the cheapest design for {self.target_cycles:,} cycles{gaps(found)}")
        else:
            best, proven = self.best(search, loading)
            if best is None:
                raise self.too_small(op, loading, budget)
            found = best.solution
            remark(op, f"{described(found)}, {proven}{gaps(found)}")
        apply(designs, found)

    @property
    def may_load(self) -> bool:
        """True where UltraRAM is a choice beside other memories."""
        return self.weights == "auto" and self.uram > 0 and self.family == "ultrascale+"

    def check_uram(self, op: ir.Operation) -> None:
        """That there is UltraRAM where weights shall lie in it."""
        weights = [constant for constant in iu.walk(op, "memref.global") if is_weights(constant)]
        if self.weights == "uram" and weights and self.family != "ultrascale+":
            raise no_uram(weights[0], f"devices of the family {self.family} have none")
        if self.weights == "uram" and weights and not self.uram:
            raise no_uram(weights[0], "none may be used")

    def best(self, search: Search, loading: Search) -> tuple[Balanced | None, str]:
        """The design with the least interval, and what was proven of it; with UltraRAM where that makes it faster."""
        best = search.least()
        if loading is search:
            return best, "" if best is None else proof(best)
        below = None if best is None else best.solution.interval
        faster = loading.least(below)
        if faster is not None:
            return faster, proof(faster)
        if best is None:
            return None, ""
        return best, proof(best) + ("" if loading.is_refuted(best.solution.interval) else " without UltraRAM")

    def reached(self, op: ir.Operation, plain: Search, search: Search, budget: Resources) -> Solution:
        """The cheapest design for the target. Raises PassFailure where none fits, with the ways out."""
        found = plain.cheapest(self.target_cycles)
        if found is None and search is not plain:
            found = search.cheapest(self.target_cycles)
        if found is not None:
            return found
        needed, best = search.needs(self.target_cycles), search.least()
        lacking = over(needed, budget) if needed is not None else []
        if (
            self.target_cycles < search.choices.intervals()[0]
            or search.choices.least_products(self.target_cycles) is None
        ):
            problem = f"no unroll factors reach {self.target_cycles:,} cycles"
        elif lacking:
            problem = f"{self.target_cycles:,} cycles need {' and '.join(lacking)}"
        else:
            raise self.undecided(op)
        ways = []
        if best is not None:
            interval = best.solution.interval
            ways.append(f"ask for {self.clock_mhz * 1e6 / interval:,.0f} frames a second ({interval:,} cycles)")
            ways.append(
                f"a clock of {self.clock_mhz * interval / self.target_cycles:,.0f} MHz would do, if it can be met"
            )
        raise PassFailure(
            op, problem, help="; ".join([*ways, *self.boards_for(needed)]) or "ask for a lower frame rate"
        )

    def too_small(self, op: ir.Operation, search: Search, budget: Resources) -> PassFailure:
        """That not even the smallest design fits."""
        needed = search.needs(search.choices.intervals()[-1])
        lacking = over(needed, budget) if needed is not None else []
        if not lacking:
            return self.undecided(op)
        problem = f"the smallest design needs {' and '.join(lacking)}"
        return PassFailure(op, problem, help="; ".join(["allow more of it", *self.boards_for(needed)]))

    def undecided(self, op: ir.Operation) -> PassFailure:
        return PassFailure(op, f"no design was found with an effort of {self.effort:g}", help="allow more effort")

    def boards_for(self, needed: Resources | None) -> list[str]:
        """In words, the boards of this family that have what is needed."""
        if needed is None:
            return []
        known = [boards.load(name) for name in boards.names()]
        fitting = [
            board.name
            for board in known
            if board.family == self.family
            and all(getattr(needed, name) <= getattr(board.usable, name) for name in boards.RESOURCES)
        ]
        return [f"{' or '.join(fitting)} would do"] if fitting else []


def apply(designs: Designs, found: Solution) -> None:
    """Marks tasks and weights."""
    constants = {ir.StringAttr(c.attributes["sym_name"]).value: c for c in iu.walk(designs.module, "memref.global")}
    for name, variant in found.chosen.items():
        choice: Choice = variant.key
        task = designs.shapes[name].task
        mark(task, dict(choice.factors), found.fabric.get(name, 0), choice.per_slice)
        for use in iu.walk(task.op, "memref.get_global"):
            constant = constants[ir.FlatSymbolRefAttr(use.attributes["name"]).value]
            if is_weights(constant):
                constant.attributes["hls.storage"] = ir.StringAttr.get(choice.storage)


def described(found: Solution) -> str:
    cost = found.cost
    uram = f", {cost.uram:,.0f} URAM" if cost.uram else ""
    products = sum(n * v.fabric.less.dsp for name, n in found.fabric.items() if (v := found.chosen[name]).fabric)
    fabric = f", {products:,.0f} pairs of products in LUTs" if products else ""
    figures = f"{cost.dsp:,.0f} DSP, {cost.lut:,.0f} LUT, {cost.ff:,.0f} FF, {cost.bram36:,.1f} BRAM36{uram}{fabric}"
    return f"a frame every {found.interval:,} cycles with {figures} (modelled)"


def proof(best: Balanced) -> str:
    if best.gap <= 0:
        return "proven to be the least interval of these factors"
    return f"at most {best.gap:.1%} above the least interval of these factors"


def gaps(found: Solution) -> str:
    """What was not proven of a design's cost."""
    open_gaps = [f"{name} at most {gap:.1%} above the least" for name, gap in found.gaps.items() if gap > 0]
    return f"; {', '.join(open_gaps)}" if open_gaps else ""
