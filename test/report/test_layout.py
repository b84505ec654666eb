# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layouts of graphs: everything apart, forwards, the long way straight, and the same each time."""

from __future__ import annotations

import itertools
import random

import pytest

from resnet_hls.report.layout import Layout, place

Edges = list[tuple[str, str]]


def chain(blocks: int) -> Edges:
    """Residual blocks one after the other: each is four tasks long, and has a way round the two in the middle."""
    edges = []
    for block in range(blocks):
        a, b, c, d, following = (f"n{4 * block + step}" for step in range(5))
        edges += [(a, b), (b, c), (c, d), (a, d), (d, following)]
    return edges[:-1]


def nodes(edges: Edges) -> dict[str, tuple[float, float]]:
    names = dict.fromkeys(name for edge in edges for name in edge)
    return dict.fromkeys(sorted(names, key=lambda name: int(name[1:])), (100.0, 40.0))


def check(found: Layout, sizes: dict[str, tuple[float, float]], edges: Edges) -> None:
    """Nothing overlaps or is outside, and each edge runs from its source to its target, in each line to the right."""
    boxes = {n: (x - sizes[n][0] / 2, y - sizes[n][1] / 2, *found.centres[n]) for n, (x, y) in found.centres.items()}
    for one, other in itertools.combinations(sizes, 2):
        (x0, y0), (x1, y1) = found.centres[one], found.centres[other]
        across, down = ((sizes[one][axis] + sizes[other][axis]) / 2 for axis in (0, 1))
        assert abs(x0 - x1) >= across or abs(y0 - y1) >= down, (one, other)
    for name, (left, top, x, y) in boxes.items():
        assert left >= 0, name
        assert top >= 0, name
        assert 2 * x - left <= found.width, name
        assert 2 * y - top <= found.height, name
    for (source, target), parts in zip(edges, found.edges, strict=True):
        assert parts[0][0][0] == found.centres[source][0] + sizes[source][0] / 2
        assert parts[-1][-1][0] == found.centres[target][0] - sizes[target][0] / 2
        assert abs(parts[0][0][1] - found.centres[source][1]) <= sizes[source][1] / 2
        for before, after in itertools.pairwise(parts):
            assert before[-1] == after[0]
        for part in parts[::2]:
            assert all(a[0] <= b[0] for a, b in itertools.pairwise(part))


@pytest.mark.parametrize("blocks", [1, 4, 20])
def test_residual_blocks(blocks: int) -> None:
    edges = chain(blocks)
    sizes = nodes(edges)
    found = place(sizes, edges, 1000)
    check(found, sizes, edges)
    assert found.width <= 1100
    # The long way of each block is straight.
    for block in range(blocks):
        heights = [found.centres[f"n{4 * block + step}"][1] for step in range(4)]
        assert max(heights) - min(heights) < 1
    assert place(sizes, edges, 1000) == found


def test_breaks_between_blocks() -> None:
    """A line ends where one edge crosses, not inside a block, where two would."""
    edges = chain(6)
    found = place(nodes(edges), edges, 1000)
    crossing = [parts for parts in found.edges if len(parts) > 1]
    gutters = {parts[1][2][1] for parts in crossing}
    assert len(crossing) == len(gutters) > 1


def test_random_graphs() -> None:
    draw = random.Random(7)
    for _ in range(40):
        count = draw.randint(1, 25)
        names = [f"n{number}" for number in range(count)]
        sizes = {name: (draw.uniform(40, 160), draw.uniform(20, 70)) for name in names}
        pairs = [(a, b) for a, b in itertools.combinations(names, 2) if draw.random() < 2.5 / count]
        check(place(sizes, pairs, draw.choice([300, 700, 1200])), sizes, pairs)


def test_circle() -> None:
    """What no dataflow should have still has a place."""
    edges = [("n0", "n1"), ("n1", "n2"), ("n2", "n1"), ("n2", "n3")]
    found = place(nodes(edges), edges)
    assert [len(parts) for parts in found.edges] == [1] * 4
    assert len({x for x, _ in found.centres.values()}) >= 3


def test_nothing() -> None:
    assert place({}, []).edges == []
