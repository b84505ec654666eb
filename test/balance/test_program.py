# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The integer program against trying every combination."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_hls.analysis.costs import Resources
from resnet_hls.balance.program import (
    LEAST,
    LEAST_LOADED,
    Converter,
    Effort,
    Fabric,
    Link,
    Problem,
    Undecided,
    Variant,
    solve,
)
from resnet_hls.boards import RESOURCES

LANES = (1, 2, 3)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """A row of tasks, some streams of which need converters, some of which cannot be converted."""
    count = draw(st.integers(1, 4))
    amounts = st.integers(0, 12)
    variants = {}
    for number in range(count):
        found = []
        for key in range(draw(st.integers(1, 4))):
            dsp = draw(amounts)
            fabric = None
            if dsp and draw(st.booleans()):
                lanes = draw(st.integers(1, 3))
                each = draw(st.integers(1, max(1, dsp // lanes)))
                if lanes * each <= dsp:
                    fabric = Fabric(lanes, Resources(dsp=each), Resources(lut=draw(st.integers(1, 9))))
            cost = Resources(dsp, draw(amounts), draw(amounts), draw(st.integers(0, 6)) / 2, 0)
            lanes_of = {f"s{n}": draw(st.sampled_from(LANES)) for n in (number - 1, number)}
            found.append(Variant(key, draw(st.integers(1, 6)), cost, lanes_of, fabric))
        variants[f"t{number}"] = found
    links = []
    for number in range(count - 1):
        converters = {(a, a): Converter() for a in LANES}
        for a, b in product(LANES, repeat=2):
            if a != b and draw(st.booleans()):
                converters[a, b] = Converter(draw(st.integers(1, 6)), Resources(lut=draw(amounts)))
        links.append(Link(f"s{number}", f"t{number}", f"t{number + 1}", converters))
    budget = Resources(*(draw(st.integers(0, 40)) for _ in RESOURCES))
    return Problem(variants, links, budget)


def designs(problem: Problem, interval: int) -> list[tuple[int, Resources]]:
    """Products in LUTs, and the cost, of everything that fits."""
    found = []
    for chosen in product(*problem.variants.values()):
        by_name = dict(zip(problem.variants, chosen, strict=True))
        pairs = [
            link.converters.get((by_name[link.writer].words[link.stream], by_name[link.reader].words[link.stream]))
            for link in problem.links
        ]
        between = [pair for pair in pairs if pair is not None]
        if len(between) < len(pairs) or max(p.cycles for p in (*chosen, *between)) > interval:
            continue
        base = sum((part.cost for part in (*chosen, *between)), problem.fixed)
        for lanes in product(*(range((v.fabric.lanes if v.fabric else 0) + 1) for v in chosen)):
            cost, products = base, 0.0
            for variant, n in zip(chosen, lanes, strict=True):
                if variant.fabric is not None:
                    cost += variant.fabric.more * n + variant.fabric.less * -n
                    products += n * variant.fabric.less.dsp
            if all(getattr(cost, name) <= getattr(problem.budget, name) for name in RESOURCES):
                found.append((round(products), cost))
    return found


@settings(max_examples=80, deadline=None)
@given(problems(), st.integers(1, 6))
def test_the_least_of_all_combinations(problem: Problem, interval: int) -> None:
    """Fewest products in LUTs, then DSP slices, LUTs, memories: as trying all of them gives."""
    every = designs(problem, interval)
    found = solve(problem, interval, Effort(20.0))
    if not every:
        assert found is None
        return
    assert found is not None
    assert found.interval <= interval
    assert set(found.gaps.values()) <= {0}
    products = sum(
        n * fabric.less.dsp for name, n in found.fabric.items() if (fabric := found.chosen[name].fabric) is not None
    )
    least = min((p, c.dsp, c.lut, c.bram36 + c.uram) for p, c in every)
    assert (products, found.cost.dsp, found.cost.lut, found.cost.bram36 + found.cost.uram) == pytest.approx(least)
    assert any(cost == found.cost for _, cost in every)


def test_what_is_missing() -> None:
    """Without budgets the program tells what the design needs that is least over them."""
    variants = {"t": [Variant(0, 5, Resources(dsp=30, lut=10), {}), Variant(1, 5, Resources(dsp=12, lut=40), {})]}
    problem = Problem(variants, [], Resources(dsp=10, lut=30))
    assert solve(problem, 5, Effort(5.0)) is None
    found = solve(problem, 5, Effort(5.0), ["over"], bounded=())
    assert found is not None
    assert found.cost == Resources(dsp=12, lut=40)


def test_no_effort_left() -> None:
    """A program that there was no time for is no proof that nothing fits."""
    many = [Variant(n, 1, Resources(dsp=7 + n % 5, lut=11 - n % 7), {}) for n in range(12)]
    problem = Problem({f"t{n}": many for n in range(60)}, [], Resources(dsp=481, lut=511))
    with pytest.raises(Undecided):
        solve(problem, 1, Effort(0.0), LEAST)


def test_what_must_be_loaded_comes_last() -> None:
    """UltraRAM is taken by the one task that must, although it would save LUTs in both."""
    ways = [Variant("rom", 1, Resources(lut=50), {}), Variant("uram", 1, Resources(lut=10, uram=3), {})]
    problem = Problem({"a": ways, "b": ways}, [], Resources(0, 70, 0, 0, 9))
    found = solve(problem, 1, Effort(5.0), LEAST_LOADED)
    assert found is not None
    assert sorted(variant.key for variant in found.chosen.values()) == ["rom", "uram"]
    assert found.cost == Resources(lut=60, uram=3)
    assert solve(problem, 1, Effort(5.0), LEAST).cost.uram == 6  # type: ignore[union-attr]
