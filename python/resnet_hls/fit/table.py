# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the points come to: the fastest design of each board, the designs that none is better than, tables of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resnet_hls.boards import RESOURCES
from resnet_hls.fit.points import FITS, Result
from resnet_hls.report.advice import LABELS

if TYPE_CHECKING:
    from rich.table import Table

#: What a design costs, by the name that the front is told under.
COSTS = ("dsp", "lut", "power_w")


def cost(result: Result, kind: str) -> float | None:
    """What a design takes of a resource, or its power; None where that is not known."""
    found = result["power_w"] if kind == "power_w" else result["resources"][kind]["used"]
    return None if found is None else float(found)


def fastest(results: Sequence[Result]) -> dict[str, Result | None]:
    """For each board, in order, the fastest of its designs that fit; None where none does."""
    found: dict[str, Result | None] = dict.fromkeys(result["board"] for result in results)
    for result in results:
        best = found[result["board"]]
        if result["status"] == FITS and (best is None or result["fps"] > best["fps"]):
            found[result["board"]] = result
    return found


def front(results: Sequence[Result], kind: str) -> list[Result]:
    """The designs that fit and that no other is better than: as fast for less, or faster for as much. By cost."""
    known = [(cost(r, kind), r["fps"], r) for r in results if r["status"] == FITS and cost(r, kind) is not None]
    found: list[Result] = []
    for _, _, result in sorted(known, key=lambda entry: (entry[0], -entry[1], entry[2]["board"])):
        if not found or result["fps"] > found[-1]["fps"]:
            found.append(result)
    return found


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """All points, the fastest of each board, and the fronts (places in `points`), as `json` can write them."""
    points = list(results)
    return {
        "boards": {
            board: None if best is None else {"fps": best["fps"], "point": points.index(best)}
            for board, best in fastest(points).items()
        },
        "fronts": {kind: [points.index(result) for result in front(points, kind)] for kind in COSTS},
        "points": points,
        "provenance": {"fps": "simulated", "latency_ms": "simulated", "resources": "modelled", "power_w": "modelled"},
    }


def board_table(results: Sequence[Result]) -> Table:
    """The fastest design of each board, what limits it, what it takes."""
    from rich.table import Table

    table = Table("board")
    for heading in ("MHz", "frames/s\n(simulated)", "latency ms\n(simulated)"):
        table.add_column(heading, justify="right")
    table.add_column("rate\nset by")
    table.add_column("fullest\nresource")
    for kind in RESOURCES:
        table.add_column(f"{LABELS[kind]}\n(modelled)", justify="right")
    for board, best in fastest(results).items():
        if best is None:
            first = next(result for result in results if result["board"] == board)
            table.add_row(board, f"{first['clock_mhz']:g}", first["status"], *[""] * (3 + len(RESOURCES)))
            continue
        takes = [_share(best["resources"][kind]) for kind in RESOURCES]
        fullest = LABELS.get(best["limiting_resource"] or "", "")
        figures = f"{best['clock_mhz']:g}", f"{best['fps']:,.0f}", f"{best['latency_ms']:.3f}"
        table.add_row(board, *figures, best["fps_limited_by"], fullest, *takes)
    return table


def _share(entry: dict[str, float]) -> str:
    used = f"{entry['used']:,.1f}".removesuffix(".0")
    return f"{used} of {entry['usable']:,}" if entry["usable"] else ""


def problem_lines(results: Sequence[Result]) -> list[str]:
    """Of each point that is no design: why; a line each."""
    lines = []
    for result in results:
        if result["status"] != FITS:
            asked = "fastest" if result["target_fps"] is None else f"{result['target_fps']:,g} frames/s"
            lines.append(f"{result['board']}, {asked}: {result['status']}: {result['message']}")
    return lines
