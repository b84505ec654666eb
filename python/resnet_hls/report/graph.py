# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The dataflow graph of a report as SVG: tasks by load, streams by occupancy. Every task is a link to its details."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from resnet_hls.report import advice, layout
from resnet_hls.report.advice import Report

#: Of a letter at the size that page.css gives to labels, and of a line of them.
_LETTER, _LINE = 6.15, 13.0
_LONGEST, _MOST_LINES = 15, 3
#: From this depth on, a stream's is written beside it: shallower ones are only there to hand words over.
_DEEP = 16


#: Corners of what is no common task.
_ROUND = {"port": 17.0, "width": 14.0}
#: From a kind of place and a name to the name of the place in the page.
Anchor = Callable[[str, str], str]


def svg(report: Report, anchor: Anchor) -> Markup:
    """The graph.

    Args:
        report: whose tasks and streams it shows.
        anchor: gives the `node` of a task, which this is, and its `task`, which has the details.
    """
    rows = {row["name"]: row for row in report["per_task"]}
    load = {name: row["cycles"] / report["initiation_interval_cycles"] for name, row in rows.items()}
    kinds = {name: advice.kind_of(report, name) for name in rows}
    labels = {name: _label(report, name, kinds.get(name, "port")) for name in ("input", *rows, "output")}
    sizes = {name: _size(labels[name], load.get(name, 0.0)) for name in labels}
    streams = report["streams"]
    placed = layout.place(sizes, [(row["from"], row["to"]) for row in streams])
    most = max((advice.stream_bytes(row) for row in streams), default=1)
    content = Markup("").join(
        [
            *(_stream(row, parts, most) for row, parts in zip(streams, placed.edges, strict=True)),
            *(_depth(row, parts) for row, parts in zip(streams, placed.edges, strict=True)),
            *(
                _task(report, name, placed.centres[name], sizes[name], labels[name], load.get(name), kinds, anchor)
                for name in labels
            ),
        ]
    )
    title = f"Dataflow of {report['model']}: {len(rows)} tasks, {len(streams)} streams"
    said = "From left to right, line by line. The tables of tasks and of streams below have the same in numbers."
    return Markup(
        '<svg class="graph" role="group" aria-labelledby="graph-title graph-desc" viewBox="0 0 {w:.0f} {h:.0f}" '
        'width="{w:.0f}" height="{h:.0f}" xmlns="http://www.w3.org/2000/svg">'
        '<title id="graph-title">{title}</title><desc id="graph-desc">{said}</desc>'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .8 7.5 4 0 7.2z"/></marker></defs>{content}</svg>'
    ).format(w=placed.width, h=placed.height, title=title, said=said, content=content)


def _label(report: Report, name: str, kind: str) -> list[str]:
    """What is written on a task, in lines; on a converter the words' widths, because its name tells nothing else."""
    if kind == "width":
        into = next(row for row in report["streams"] if row["to"] == name)
        out = next(row for row in report["streams"] if row["from"] == name)
        return ["width", f"{into['width_bits']} → {out['width_bits']}"]
    pieces = [piece + "_" for piece in name.split("_")]
    pieces[-1] = pieces[-1][:-1]
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + len(piece) > _LONGEST:
            lines.append("")
        lines[-1] += piece
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], "…" + lines[-1]]
    return [line if len(line) <= _LONGEST + 5 else line[: _LONGEST + 4] + "…" for line in lines if line]


def _size(label: Sequence[str], load: float) -> tuple[float, float]:
    """Width by the label, height by the load."""
    width = max(max(map(len, label), default=0) * _LETTER + 18, 54.0)
    return width, len(label) * _LINE + 22 + 22 * min(load, 1.0)


def _task(
    report: Report,
    name: str,
    centre: layout.Point,
    size: tuple[float, float],
    label: Sequence[str],
    load: float | None,
    kinds: dict[str, str],
    anchor: Anchor,
) -> Markup:
    (x, y), (width, height) = centre, size
    text = list(label) if load is None else [*label, advice.percent(load, 1)]
    first = y - (len(text) - 1) / 2 * _LINE
    spans = Markup("").join(
        Markup('<tspan x="{x:.1f}" y="{at:.1f}"{mark}>{line}</tspan>').format(
            x=x,
            at=first + number * _LINE,
            line=line,
            mark=Markup(' class="share"') if load is not None and number == len(text) - 1 else "",
        )
        for number, line in enumerate(text)
    )
    shape = Markup(
        '<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{r}"/><text>{spans}</text>'
    ).format(
        x=x - width / 2, y=y - height / 2, w=width, h=height, r=_ROUND.get(kinds.get(name, "port"), 6.0), spans=spans
    )
    if load is None:
        return Markup('<g class="task port">{shape}</g>').format(shape=shape)
    return Markup(
        '<a class="task {kind}" id="{id}" href="#{href}" data-task="{name}" style="--load:{load:.3f}">'
        "<title>{told}</title>{shape}</a>"
    ).format(
        kind=kinds[name],
        id=anchor("node", name),
        href=anchor("task", name),
        name=name,
        load=min(load, 1.0),
        told=_told(report, name),
        shape=shape,
    )


def _told(report: Report, name: str) -> str:
    row = next(row for row in report["per_task"] if row["name"] == name)
    interval = report["initiation_interval_cycles"]
    empty, full = advice.waits(row)
    takes = ", ".join(f"{row[k]:,g} {advice.LABELS[k]}" for k in advice.LABELS if row[k])
    return (
        f"{name}: busy {advice.percent(row['cycles'], interval)}, waits for input {advice.percent(empty, interval)}, "
        f"for output {advice.percent(full, interval)}; {takes}"
    )


def _stream(row: dict[str, Any], parts: Sequence[Sequence[layout.Point]], most: int) -> Markup:
    share = row["peak"] / row["depth"]
    size = advice.stream_bytes(row)
    stroke = 1.3 + 4.2 * math.log1p(size) / math.log1p(max(most, 1)) * (size / most) ** 0.35
    # Every other part is a way from one line to the next; an edge may begin or end with one.
    drawn = [_bent(points) if number % 2 else _curve(points) for number, points in enumerate(parts) if len(points) > 1]
    paths = Markup("").join(
        Markup('<path d="{d}"{tip}/>').format(
            d=path, tip=Markup(' marker-end="url(#tip)"') if number == len(drawn) - 1 else ""
        )
        for number, path in enumerate(drawn)
    )
    told = (
        f"{row['name']}: {row['peak']:,} of {row['depth']:,} words of {row['width_bits']} bits, {size:,} bytes, "
        f"{row['storage']}"
    )
    return Markup(
        '<g class="stream" data-from="{a}" data-to="{b}" style="--share:{share:.3f};stroke-width:{stroke:.1f}">'
        "<title>{told}</title>{paths}</g>"
    ).format(a=row["from"], b=row["to"], share=share, stroke=stroke, told=told, paths=paths)


def _depth(row: dict[str, Any], parts: Sequence[Sequence[layout.Point]]) -> Markup:
    """The depth of a deep stream, on its longest level piece."""
    if row["depth"] < _DEEP:
        return Markup("")
    pieces = [(a, b) for points in parts for a, b in itertools.pairwise(points)]
    a, b = max(pieces, key=lambda piece: abs(piece[1][0] - piece[0][0]) - abs(piece[1][1] - piece[0][1]))
    return Markup('<text class="depth" x="{x:.1f}" y="{y:.1f}">{depth}</text>').format(
        x=(a[0] + b[0]) / 2, y=(a[1] + b[1]) / 2, depth=f"{row['depth']:,}"
    )


def _curve(points: Sequence[layout.Point]) -> str:
    """Through points, level at each."""
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        middle = (x0 + x1) / 2
        path.append(f"H{x1:.1f}" if y0 == y1 else f"C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
    return "".join(path)


def _bent(points: Sequence[layout.Point]) -> str:
    """Along level and upright pieces, with round corners."""
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        legs = [math.dist(before, corner), math.dist(corner, after)]
        radius = min(8.0, legs[0] / 2, legs[1] / 2)
        start, end = (_towards(corner, other, radius) for other in (before, after))
        path.append(f"L{start[0]:.1f} {start[1]:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {end[0]:.1f} {end[1]:.1f}")
    path.append(f"L{points[-1][0]:.1f} {points[-1][1]:.1f}")
    return "".join(path)


def _towards(start: layout.Point, end: layout.Point, by: float) -> layout.Point:
    length = math.dist(start, end)
    if length == 0:
        return start
    return start[0] + (end[0] - start[0]) * by / length, start[1] + (end[1] - start[1]) * by / length
