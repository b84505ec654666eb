# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A layered layout of a dataflow graph that is broken into lines, as text is: nodes of one rank stand above each other.

Networks are long chains with short ways round, and forty tasks side by side fit on no screen. So the ranks are broken
where few edges cross, which is between residual blocks, into lines of about the same length; an edge across a break
leaves on the right and comes in again on the left. Within a line, it is the usual four steps (Sugiyama, Tagawa, Toda
1981): ranks by longest path, virtual nodes where an edge passes a rank, orders by means, places by relaxation.

Pure geometry; the same graph has the same layout.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

Node = Hashable
Point = tuple[float, float]

#: Between two ranks, two nodes of a rank, two lines; on the left and right; between ways in a gutter.
RANK_GAP, NODE_GAP, LINE_GAP, MARGIN, WAY_GAP = 34.0, 16.0, 30.0, 26.0, 9.0
_ABOVE = 6.0
#: What a virtual node takes, and how often orders and places are improved.
_THIN, _SWEEPS, _RELAXED = 10.0, 12, 150
#: An edge that crosses a break costs as much as a line of which this much, squared, is empty.
_CROSSING = 0.8


@dataclass(frozen=True)
class Layout:
    """Where everything is.

    Args:
        width, height: of the picture.
        centres: of the nodes.
        edges: of each edge, in the order given: the points of each of its parts, one a line, from left to right, and
            between two parts the way from one line to the next.
    """

    width: float
    height: float
    centres: Mapping[Node, Point]
    edges: Sequence[Sequence[Sequence[Point]]]


@dataclass
class _Line:
    """A line: its columns from left to right, each with what stands in it, from top to bottom."""

    columns: list[list[Node]]
    links: list[tuple[Node, Node]] = field(default_factory=list)


def place(
    sizes: Mapping[Node, tuple[float, float]], edges: Sequence[tuple[Node, Node]], width: float = 1180.0
) -> Layout:
    """Lay out an acyclic graph.

    Args:
        sizes: width and height of each node, in an order in which edges lead forth.
        edges: source and target, several between two nodes allowed.
        width: of the picture, about.
    """
    rank = _ranks(list(sizes), edges)
    count = max(rank.values(), default=-1) + 1
    widths = [max((sizes[n][0] for n in sizes if rank[n] == r), default=_THIN) for r in range(count)]
    breaks = _breaks(widths, [(rank[a], rank[b]) for a, b in edges], width)
    line_of = [sum(r >= b for b in breaks) for r in range(count)]
    starts = [0, *breaks]
    lines = [_Line([[] for r in range(count) if line_of[r] == number]) for number in range(len(starts))]
    for node in sizes:
        lines[line_of[rank[node]]].columns[rank[node] - starts[line_of[rank[node]]]].append(node)
    chains = [_chain(edge, number, rank, line_of, starts, lines) for number, edge in enumerate(edges)]
    heights = {node: size[1] for node, size in sizes.items()}
    x_of, y_of, half, bottoms, total = _positions(lines, starts, widths, heights, chains)
    centres = {node: (x_of[node], y_of[node]) for node in sizes}
    right = max(bottom[1] for bottom in bottoms) if bottoms else 0.0
    ways = _ways(chains, sizes, x_of, y_of, half, bottoms, right)
    return Layout(right + MARGIN, total, centres, ways)


def _ranks(nodes: Sequence[Node], edges: Sequence[tuple[Node, Node]]) -> dict[Node, int]:
    """The length of the longest path to each node; an edge that would close a circle counts for nothing."""
    into: dict[Node, list[Node]] = {node: [] for node in nodes}
    for source, target in edges:
        into[target].append(source)
    rank: dict[Node, int] = {}
    pending = list(nodes)
    while pending:
        ready = [node for node in pending if all(one in rank for one in into[node])] or pending[:1]
        for node in ready:
            rank[node] = max((rank[one] + 1 for one in into[node] if one in rank), default=0)
        pending = [node for node in pending if node not in rank]
    return rank


def _breaks(widths: Sequence[float], spans: Sequence[tuple[int, int]], width: float) -> list[int]:
    """The ranks that begin a line, the first left out: the least empty room and the fewest edges across."""
    count = len(widths)
    crossing = [sum(a < r <= b for a, b in spans) for r in range(count)]
    best: list[tuple[float, int]] = [(0.0, 0)] + [(float("inf"), 0)] * count
    for end in range(1, count + 1):
        length = 0.0
        for start in range(end - 1, -1, -1):
            length += widths[start] + RANK_GAP
            if length > width and start < end - 1:
                break
            empty = max(1 - length / width, 0.0) * (0.5 if end == count else 1)
            cost = best[start][0] + empty**2 + (_CROSSING * (crossing[start] - 1) if start else 0.0) + 0.02
            if cost < best[end][0]:
                best[end] = (cost, start)
    found = []
    at = count
    while at > 0 and best[at][1] > 0:
        at = best[at][1]
        found.append(at)
    return found[::-1]


def _chain(
    edge: tuple[Node, Node],
    number: int,
    rank: Mapping[Node, int],
    line_of: Sequence[int],
    starts: Sequence[int],
    lines: Sequence[_Line],
) -> list[list[Node]]:
    """An edge as its nodes line by line, with virtual ones in the ranks that it passes; they are put into the lines."""
    source, target = edge
    if rank[target] <= rank[source]:  # it goes back, across everything
        return [[source, target]]
    parts: list[list[Node]] = [[source]]
    at = line_of[rank[source]]
    for passed in range(rank[source] + 1, rank[target] + 1):
        if line_of[passed] != at:
            at = line_of[passed]
            parts.append([])
        if passed == rank[target]:
            parts[-1].append(target)
        else:
            virtual = (number, passed)
            lines[at].columns[passed - starts[at]].append(virtual)
            parts[-1].append(virtual)
    at = line_of[rank[source]]
    for offset, part in enumerate(parts):
        lines[at + offset].links += itertools.pairwise(part)
    return parts


def _positions(
    lines: Sequence[_Line],
    starts: Sequence[int],
    widths: Sequence[float],
    heights: Mapping[Node, float],
    chains: Sequence[list[list[Node]]],
) -> tuple[dict[Node, float], dict[Node, float], dict[Node, float], list[tuple[float, float]], float]:
    """Centres of nodes and half of their columns; of each line, where it ends below and on the right; the height."""
    x_of: dict[Node, float] = {}
    y_of: dict[Node, float] = {}
    half: dict[Node, float] = {}
    bottoms: list[tuple[float, float]] = []
    across = [sum(_breaks_after(chain, line) for chain in chains) for line in lines]
    top = _ABOVE
    for number, line in enumerate(lines):
        _order(line)
        y = _relax(line, heights)
        least = min((y[n] - heights.get(n, _THIN) / 2 for c in line.columns for n in c), default=0.0)
        x = MARGIN
        for column, nodes in enumerate(line.columns):
            width = widths[starts[number] + column]
            for node in nodes:
                x_of[node] = x + width / 2
                half[node] = width / 2
                y_of[node] = y[node] - least + top
            x += width + RANK_GAP
        bottom = max((y_of[n] + heights.get(n, _THIN) / 2 for c in line.columns for n in c), default=top)
        bottoms.append((bottom, x - RANK_GAP + MARGIN))
        top = bottom + LINE_GAP + WAY_GAP * max(across[number] - 1, 0)
    return x_of, y_of, half, bottoms, (bottoms[-1][0] if bottoms else 0.0) + _ABOVE


def _breaks_after(chain: list[list[Node]], line: _Line) -> bool:
    """Whether an edge goes on in the line after `line`."""
    members = {node for column in line.columns for node in column}
    return any(part and part[-1] in members for part in chain[:-1])


def _order(line: _Line) -> None:
    """Orders each column by the means of the places of its neighbours, to and fro."""
    before: dict[Node, list[Node]] = {}
    after: dict[Node, list[Node]] = {}
    for a, b in line.links:
        before.setdefault(b, []).append(a)
        after.setdefault(a, []).append(b)
    for sweep in range(_SWEEPS):
        forth = sweep % 2 == 0
        columns = line.columns if forth else line.columns[::-1]
        neighbours = before if forth else after
        for previous, column in itertools.pairwise(columns):
            at = {node: place - (len(previous) - 1) / 2 for place, node in enumerate(previous)}
            middle = (len(column) - 1) / 2
            keys = {
                node: _mean([at[one] for one in neighbours.get(node, []) if one in at], place - middle)
                for place, node in enumerate(column)
            }
            column.sort(key=keys.__getitem__)


def _relax(line: _Line, heights: Mapping[Node, float]) -> dict[Node, float]:
    """Vertical centres: near those of the neighbours, in order, without touching; real nodes pull most."""
    y: dict[Node, float] = {}
    for column in line.columns:
        _spread(column, dict.fromkeys(column, 0.0), heights, y)
    neighbours: dict[Node, list[Node]] = {}
    for a, b in line.links:
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    moving = line.columns[1:]  # the first one stays until the end: a graph without a hold drifts for ever
    sweeps = [moving if sweep % 2 == 0 else moving[::-1] for sweep in range(_RELAXED)]
    for columns in [*sweeps, line.columns[:1]]:
        for column in columns:
            wanted = {}
            for node in column:
                near = [(y[one], _pull(one in heights, node in heights)) for one in neighbours.get(node, [])]
                weight = sum(w for _, w in near)
                wanted[node] = sum(p * w for p, w in near) / weight if weight else y[node]
            _spread(column, wanted, heights, y)
    return y


def _pull(one: bool, other: bool) -> float:
    """How much two neighbours want to stand at one height: those of one kind most, so that each way is straight."""
    return 2000.0 if one == other else 1.0


def _spread(
    column: Sequence[Node], wanted: Mapping[Node, float], heights: Mapping[Node, float], y: dict[Node, float]
) -> None:
    """The places nearest to those wanted that keep the order and the gaps: what touches shares its weighted mean."""
    blocks: list[tuple[float, float, int]] = []  # where its first node would be if nothing were above, weight, nodes
    offsets: list[float] = []
    at = 0.0
    for number, node in enumerate(column):
        if number:
            last = column[number - 1]
            gap = NODE_GAP if node in heights and last in heights else NODE_GAP / 2
            at += heights.get(last, _THIN) / 2 + heights.get(node, _THIN) / 2 + gap
        offsets.append(at)
        mean, weight, size = wanted[node] - at, 1.0 if node in heights else 0.01, 1
        while blocks and blocks[-1][0] > mean:
            other, heavy, count = blocks.pop()
            mean, weight, size = (mean * weight + other * heavy) / (weight + heavy), weight + heavy, size + count
        blocks.append((mean, weight, size))
    number = 0
    for mean, _, size in blocks:
        for node in column[number : number + size]:
            y[node] = mean + offsets[number]
            number += 1


def _ways(
    chains: Sequence[list[list[Node]]],
    sizes: Mapping[Node, tuple[float, float]],
    x_of: Mapping[Node, float],
    y_of: Mapping[Node, float],
    half: Mapping[Node, float],
    bottoms: Sequence[tuple[float, float]],
    right: float,
) -> list[list[list[Point]]]:
    """The points of each edge; several at one side of a node are spread over it."""
    ends = _ends(chains, sizes, y_of)
    used: dict[int, int] = {}
    found = []
    for number, chain in enumerate(chains):
        parts: list[list[Point]] = []
        for index, part in enumerate(chain):
            points: list[Point] = []
            for node in part:
                x, y = x_of[node], y_of[node]
                if node not in sizes:
                    points += [(x - half[node], y), (x + half[node], y)]
                    continue
                if node == chain[0][0] and index == 0 and not points:
                    points.append((x + sizes[node][0] / 2, y + ends[number][0]))
                else:
                    points.append((x - sizes[node][0] / 2, y + ends[number][1]))
            parts.append(points)
        way: list[list[Point]] = []
        for index, points in enumerate(parts):
            if index:
                leave, enter = parts[index - 1][-1], points[0]
                line = next(n for n, (bottom, _) in enumerate(bottoms) if leave[1] <= bottom)
                place = used.get(line, 0)
                used[line] = place + 1
                gutter = bottoms[line][0] + LINE_GAP / 2 + WAY_GAP * place
                far, near = right + 4 - WAY_GAP * (place % 2), 10.0 + WAY_GAP / 2 * (place % 3)
                way.append([leave, (far, leave[1]), (far, gutter), (near, gutter), (near, enter[1]), enter])
            way.append(points)
        found.append(way)
    return found


def _ends(
    chains: Sequence[list[list[Node]]], sizes: Mapping[Node, tuple[float, float]], y_of: Mapping[Node, float]
) -> list[tuple[float, float]]:
    """For each edge how far from the middle of its source and of its target it touches them."""
    at_source: dict[Node, list[int]] = {}
    at_target: dict[Node, list[int]] = {}
    for number, chain in enumerate(chains):
        at_source.setdefault(chain[0][0], []).append(number)
        at_target.setdefault(chain[-1][-1], []).append(number)

    def second(chain: list[list[Node]], forth: bool) -> float:
        flat = [node for part in chain for node in part]
        # What leaves for another line leaves below.
        same = len(chain[0]) > 1 if forth else len(chain[-1]) > 1
        return y_of[flat[1] if forth else flat[-2]] if same else float("inf")

    def offsets(of: Mapping[Node, list[int]], forth: bool) -> dict[int, float]:
        found = {}
        for node, numbers in of.items():
            ordered = sorted(numbers, key=lambda number: second(chains[number], forth))
            step = min(13.0, sizes[node][1] / (len(ordered) + 1))
            # The one neighbour at the same height gets the middle, so that its edge is straight.
            level = [place for place, n in enumerate(ordered) if abs(second(chains[n], forth) - y_of[node]) < step]
            middle = level[0] if len(level) == 1 else (len(ordered) - 1) / 2
            if max(middle, len(ordered) - 1 - middle) * step > sizes[node][1] / 2 - 4:
                middle = (len(ordered) - 1) / 2
            for place, number in enumerate(ordered):
                found[number] = (place - middle) * step
        return found

    out, into = offsets(at_source, True), offsets(at_target, False)
    return [(out[number], into[number]) for number in range(len(chains))]


def _mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default
