# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What bounds the rate from above, as rows and as a plot: DSP slices, ports, the slowest task."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from resnet_hls.report.advice import Report

#: Multiply-accumulates of a DSP slice in a cycle, at most: two int8 products that share an operand.
MACS_PER_DSP = 2
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 620.0, 340.0, 74.0, 26.0, 30.0, 46.0


@dataclass(frozen=True)
class Bound:
    """A rate that cannot be exceeded, or is reached.

    Args:
        name: what bounds.
        fps: frames a second.
        how: `simulated`, `modelled`, `counted`.
        why: how it is computed.
    """

    name: str
    fps: float
    how: str
    why: str


def bounds(report: Report) -> list[Bound]:
    """The bounds, the lowest first, and what the design does."""
    clock, macs = report["clock_mhz"] * 1e6, report["macs_per_frame"]
    found = [Bound("this design", report["fps"], report["provenance"]["fps"], "clock / interval")]
    available, used = report["resources"]["dsp"]["available"], report["resources"]["dsp"]["used"]
    if macs:
        several = {"all DSP slices of the board": available} | (
            {"the DSP slices it takes": used} if used != available else {}
        )
        for name, slices in several.items():
            if slices:
                fps = MACS_PER_DSP * slices * clock / macs
                why = f"{MACS_PER_DSP} MACs x {slices:,} slices x clock / {macs:,} MACs"
                found.append(Bound(name, fps, "modelled", why))
    for port in ("input", "output"):
        words = sum(row["words"] for row in report["streams"] if port in (row["from"], row["to"]))
        if words:
            found.append(Bound(f"the port {port}", clock / words, "counted", f"clock / {words:,} words a frame"))
    limit = report["fps_limited_by"]
    slowest = max(report["per_task"], key=lambda row: (row["cycles"], row["name"] == limit), default=None)
    if slowest is not None and slowest["cycles"]:
        why = f"clock / {slowest['cycles']:,} cycles of {slowest['name']}"
        found.append(Bound("the slowest task alone", clock / slowest["cycles"], "simulated", why))
    return sorted(found, key=lambda bound: bound.fps)


def macs_a_cycle(report: Report) -> float:
    """Multiply-accumulates of the network that the design does in a cycle."""
    return float(report["macs_per_frame"] / report["initiation_interval_cycles"])


def svg(report: Report) -> Markup:
    """Frames a second against DSP slices: the roof, and the design as a point."""
    clock, macs = report["clock_mhz"] * 1e6, report["macs_per_frame"]
    dsp = report["resources"]["dsp"]
    if not macs or not dsp["available"]:
        return Markup("")
    slope = MACS_PER_DSP * clock / macs
    roof, most_x = slope * dsp["available"], _nice(dsp["available"] * 1.12)
    most_y = _nice(max(roof, report["fps"]) * 1.12)

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / most_x

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / most_y

    parts = []
    for value in _ticks(most_x):
        parts.append(_text(x(value), _HEIGHT - _BOTTOM + 17, f"{value:,.0f}", "middle"))
        parts.append(_line(x(value), _TOP, x(value), _HEIGHT - _BOTTOM, "grid"))
    for value in _ticks(most_y):
        parts.append(_text(_LEFT - 8, y(value) + 4, f"{value:,.0f}", "end"))
        parts.append(_line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), "grid"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "DSP slices", "middle", "axis"))
    parts.append(_text(_LEFT - 8, _TOP - 12, "frames/s", "end", "axis"))
    path = f"M{x(0):.1f} {y(0):.1f}L{x(dsp['available']):.1f} {y(roof):.1f}H{_WIDTH - _RIGHT:.1f}"
    parts.append(Markup('<path class="roof" d="{d}"/>').format(d=path))
    parts.append(_line(x(dsp["available"]), y(roof), x(dsp["available"]), _HEIGHT - _BOTTOM, "device"))
    at = x(dsp["used"]), y(report["fps"])
    parts.append(Markup('<circle class="point" cx="{:.1f}" cy="{:.1f}" r="6"/>').format(*at))
    side = -1 if at[0] > _WIDTH * 0.45 else 1
    anchor = "end" if side < 0 else "start"
    parts.append(_text(at[0] + 10 * side, at[1] - 11, f"{report['fps']:,.0f} frames/s", anchor, "here"))
    parts.append(_text(_WIDTH - _RIGHT, y(roof) + 17, f"roof {roof:,.0f}", "end", "axis"))
    title = (
        f"Roofline: {report['fps']:,.0f} frames/s with {dsp['used']:,} DSP slices; {roof:,.0f} with all of the board"
    )
    return Markup(
        '<svg class="roofline" role="img" aria-labelledby="roof-title roof-desc" viewBox="0 0 {w:.0f} {h:.0f}" '
        'xmlns="http://www.w3.org/2000/svg"><title id="roof-title">{title}</title>'
        '<desc id="roof-desc">The table beside it has the same in numbers.</desc>{parts}</svg>'
    ).format(w=_WIDTH, h=_HEIGHT, title=title, parts=Markup("").join(parts))


def _nice(value: float) -> float:
    """The next number above that axes end at."""
    unit: float = 10.0 ** math.floor(math.log10(value))
    return next(step * unit for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * unit >= value)


def _ticks(most: float) -> list[float]:
    unit: float = 10.0 ** math.floor(math.log10(most))
    step = next(s * unit for s in (0.1, 0.2, 0.25, 0.5, 1, 2, 5) if most / (s * unit) <= 6)
    return [step * number for number in range(int(most / step + 1e-9) + 1)]


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> Markup:
    return Markup('<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>').format(
        kind=kind, x=x, y=y, anchor=anchor, text=text
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>').format(
        kind=kind, x1=x1, y1=y1, x2=x2, y2=y2
    )
