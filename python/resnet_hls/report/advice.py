# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a report means: what limits the rate, who waits for whom, what to change. From the figures alone.

Says nothing that the figures do not: where a design could be faster is `hls-balance`'s business, whose remarks tell
what was proven.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

Report = dict[str, Any]

#: From this share of what may be used on, a resource is what stops a faster design.
_SCARCE = 0.97
_NAMES = 4
#: The kinds of resources as people call them.
LABELS = {"dsp": "DSP", "lut": "LUT", "ff": "FF", "bram36": "BRAM", "uram": "URAM"}


@dataclass(frozen=True)
class Blocker:
    """Why a task waits.

    Args:
        stream: that it waits for the longest.
        kind: `empty` or `full`.
        cycles: a frame that it waits for it.
        other: the task at the other end of the stream.
        root: the task at the end of the chain of such waits, which itself doesn't wait, or waits for one of the chain.
    """

    stream: str
    kind: str
    cycles: int
    other: str
    root: str


def blockers(report: Report) -> dict[str, Blocker]:
    """Of each task that waits, for whom, and who is at the end of the chain."""
    streams = {row["name"]: row for row in report["streams"]}
    longest = {row["name"]: row["waits_for"] for row in report["per_task"] if row["waits_for"]}
    other = {
        name: streams[wait["stream"]]["to" if wait["kind"] == "full" else "from"]
        for name, wait in longest.items()
        if wait["stream"] in streams
    }

    def root(name: str) -> str:
        seen = {name}
        while name in other and other[name] not in seen:
            name = other[name]
            seen.add(name)
        return name

    return {
        name: Blocker(longest[name]["stream"], longest[name]["kind"], longest[name]["cycles"], one, root(name))
        for name, one in other.items()
    }


def waits(row: dict[str, Any]) -> tuple[int, int]:
    """Cycles a frame in which a task waits for words, and for room."""
    return sum(row["empty_cycles"].values()), sum(row["full_cycles"].values())


def kind_of(report: Report, name: str) -> str:
    """What a task is for: `computes`, `window` (hands out windows of a map), `width` (changes the width of words).

    From what it multiplies, keeps and moves, not from its name.
    """
    row = next(row for row in report["per_task"] if row["name"] == name)
    taken = [stream for stream in report["streams"] if stream["to"] == name]
    given = [stream for stream in report["streams"] if stream["from"] == name]
    bits_in, bits_out = (sum(s["words"] * s["width_bits"] for s in some) for some in (taken, given))
    if row["macs"]:
        return "computes"
    if row["line_buffer_bytes"] or bits_out > bits_in > 0:
        return "window"
    same = bits_in == bits_out and len(taken) == len(given) == 1
    return "width" if same and taken[0]["width_bits"] != given[0]["width_bits"] else "computes"


def busiest(report: Report) -> list[str]:
    """The tasks that are busy in every cycle."""
    return [row["name"] for row in report["per_task"] if row["cycles"] >= report["initiation_interval_cycles"]]


def limits(report: Report) -> list[str]:
    """What sets the rate, and what keeps the design from a higher one, a sentence a line."""
    return [*_rate(report), *(_budget(report) if is_busy(report) else [])]


def is_busy(report: Report) -> bool:
    """True where one task that never waits sets the rate, and not a circle of waits."""
    if not report["limits"] or report["limits"][0]["kind"] != "busy":
        return False
    first = report["limits"][0]
    return bool(first["task"] == "input" or first["cycles"] >= report["initiation_interval_cycles"])


def _rate(report: Report) -> list[str]:
    rows, interval = report["limits"], report["initiation_interval_cycles"]
    if not rows:
        return ["The simulation does not tell what limits the rate."]
    first = rows[0]
    if is_busy(report) and first["task"] == "input":
        return [f"The image arrives one word a cycle and takes all {interval:,} cycles: nothing inside is slower."]
    if is_busy(report):
        told = [
            f"{first['task']} works in every one of the {interval:,} cycles between two frames: no FIFO makes the "
            "design faster, only more lanes do."
        ]
        alike = [name for name in busiest(report) if name != first["task"]]
        return [*told, f"As busy: {some(alike)}."] if alike else told
    told = [f"A circle of waits sets the rate, {report['fps_limited_by']} in it; no task alone is as slow."]
    for row in rows[:6]:
        does = "works" if row["stream"] is None else f"waits, as {row['stream']} is {row['kind']}"
        told.append(f"{percent(row['cycles'], interval)} of the interval {row['task']} {does}.")
    return told


def _budget(report: Report) -> list[str]:
    """The resources that are used up, and whether that was proven to be all they give."""
    told = []
    for kind in (full := scarce(report)):
        entry = report["resources"][kind]
        room = entry["available"] - entry["usable"]
        kept = f"; the budget keeps {room:,} of the device for the shell and routing" if room > 0 else ""
        told.append(f"{_used(entry):,.5g} of {entry['usable']:,} usable {LABELS[kind]} are taken{kept}.")
    remark = next((r["message"] for r in report["remarks"] if r["pass"] == "hls-balance" and not r["where"]), "")
    if full and "proven to be the least interval" in remark:
        told.append("hls-balance has proven that no unroll factors give a shorter interval in this budget.")
    elif full and "above the least interval" in remark:
        told.append("hls-balance has not proven that this is the least interval: a larger --effort may find a shorter.")
    return told


def scarce(report: Report) -> list[str]:
    """The resources of which the design takes all that it may, by kind."""
    entries = report["resources"].items()
    return [kind for kind, e in entries if e["usable"] and e["used"] and _used(e) >= _SCARCE * e["usable"]]


def changes(report: Report) -> list[str]:
    """What to change for more frames a second, or less memory, a sentence a line."""
    return [*_faster(report), *over_budget(report), *_idle(report), *_memory(report)]


def _faster(report: Report) -> list[str]:
    interval, clock = report["initiation_interval_cycles"], report["clock_mhz"]
    if not is_busy(report):
        return ["Faster: a deeper stream; `resnet-hls simulate DIR` tries out which, and how far."]
    if scarce(report):
        told = ["Faster: a larger board; `resnet-hls fit MODEL --boards all` tells what each would do."]
    else:
        told = ["No resource is used up: the design is as fast as was asked for, or as its loops allow."]
    if clock < 1000:
        better = min(1000.0, round(clock * 1.1))
        told.append(
            f"Faster: a higher --clock, where timing closes: {better:g} MHz would be {better * 1e6 / interval:,.0f} "
            f"frames/s in the same {interval:,} cycles; pipelines may get longer, and take more FF."
        )
    return told


def over_budget(report: Report) -> list[str]:
    """What the design takes more of than it may: FIFOs get their depths after hls-balance has counted on some."""
    told = []
    for name, entry in report["resources"].items():
        used = _used(entry)
        if used > entry["usable"]:
            less = entry["usable"] - (used - entry["usable"])
            told.append(
                f"over budget: {used:,.0f} {LABELS[name]} of {entry['usable']:,} that may be used, as FIFOs took "
                f"more than expected; --max-{name} {max(math.floor(less), 0)} leaves room for them"
            )
    return told


def idle_dsp(report: Report) -> float:
    """DSP slices that do nothing, on the average of a frame."""
    interval = report["initiation_interval_cycles"]
    return float(sum(row["dsp"] * (1 - min(row["cycles"] / interval, 1)) for row in report["per_task"]))


def _idle(report: Report) -> list[str]:
    interval, used = report["initiation_interval_cycles"], report["resources"]["dsp"]["used"]
    idle = idle_dsp(report)
    if not used or idle < 0.01 * used:
        return []
    slack = {row["name"]: row["dsp"] * (1 - row["cycles"] / interval) for row in report["per_task"]}
    most = sorted((name for name in slack if slack[name] > 0), key=lambda name: -slack[name])
    return [f"{idle:,.0f} of {used:,} DSP slices stand idle on the average, most of all in {some(most[:3])}."]


def _memory(report: Report) -> list[str]:
    told = []
    asked, built = report["fifo_bytes"], report["fifo_built_bytes"]
    by_size = sorted(report["streams"], key=lambda row: -stream_bytes(row))
    deep = [row for row in by_size if row["depth"] > 2][:3]
    if deep:
        names = ", ".join(f"{row['from']} to {row['to']} ({stream_bytes(row):,} bytes)" for row in deep)
        told.append(
            f"FIFOs ask for {asked:,} bytes and are built of {built:,}, as memories come in few sizes. "
            f"Largest: {names}."
        )
    bram = [row for row in report["per_task"] if row["bram36"]]
    if bram:
        top = sorted(bram, key=lambda row: -row["bram36"])[:3]
        names = ", ".join(f"{row['name']} ({row['bram36']:g})" for row in top)
        told.append(f"Block RAM is for weights and long line buffers; the most in {names}.")
    return told


def stream_bytes(row: dict[str, Any]) -> int:
    """Depth times width."""
    return int(-(-row["width_bits"] * row["depth"] // 8))


def _used(entry: dict[str, Any]) -> float:
    """As a calibration counts it, where there is one."""
    return float(entry.get("calibrated", entry["used"]))


def percent(part: float, of: float) -> str:
    """A share; one that is not nothing never looks like nothing, and one that is not all never like all."""
    share = 100 * part / of if of else 0.0
    if 0 < share < 1:
        return "<1 %"
    return ">99 %" if 99 < share < 100 else f"{share:.0f} %"


def some(names: list[str], most: int = _NAMES) -> str:
    """The first of many names."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
