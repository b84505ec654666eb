# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A simulation for people and for programs: lines, tables, JSON, and what is wrong where it did not end well.

Every figure is simulated: cycles counted on the scheduled IR, with modelled pipeline depths (docs/simulation.md).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from resnet_hls.errors import UserError
from resnet_hls.simulate.cycles import Deadlock, Network, Simulation, TaskFigures, first_enough, simulate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from resnet_hls.simulate.scheduled import Design

#: Parts of a circle that are shown one by one, and names in a row.
_PARTS, _NAMES = 12, 4


@dataclass(frozen=True)
class Wait:
    """The stream that a task waits for the longest: `kind` is `empty` or `full`, `cycles` a frame."""

    stream: str
    kind: str
    cycles: int


@dataclass(frozen=True)
class Result:
    """A simulation, and what it is of."""

    design: Design
    simulation: Simulation

    @property
    def fps(self) -> float | None:
        """Frames a second, where there is an interval."""
        interval = self.simulation.interval
        return None if interval is None else self.design.clock_mhz * 1e6 / interval

    @property
    def frame(self) -> float:
        """Cycles that the figures of tasks and streams are of."""
        found = self.simulation
        return found.interval if found.steady and found.interval else found.cycles / found.simulated

    def milliseconds(self, cycles: int) -> str:
        """Cycles as time."""
        return f"{cycles / self.design.clock_mhz / 1000:.3f} ms"


def waits_for(figures: TaskFigures) -> Wait | None:
    """What a task waits for the longest; None where it never waits."""
    waits = [Wait(name, "empty", cycles) for name, cycles in figures.empty.items()]
    waits += [Wait(name, "full", cycles) for name, cycles in figures.full.items()]
    longest = max(waits, key=lambda wait: wait.cycles, default=None)
    return longest if longest is not None and longest.cycles > 0 else None


def limited_by(simulation: Simulation) -> str:
    """What sets the rate: a task that is always busy, or of the full streams in a circle the one that takes longest.

    Empty where nothing is known, as after a single frame.
    """
    limits = simulation.limits
    if not limits or is_busy(simulation):
        return limits[0].task if limits else ""
    return next((limit.stream for limit in limits if limit.full), limits[0].task)


def is_busy(simulation: Simulation) -> bool:
    """True where one task that never waits sets the rate."""
    limits, interval = simulation.limits, simulation.interval
    return bool(limits and interval) and not limits[0].stream and limits[0].cycles >= (interval or 0)


def limit_rows(simulation: Simulation) -> list[dict[str, Any]]:
    """What sets the rate, for JSON: `task`, `stream` (null where the task works), `kind`, `cycles` of the interval."""
    return [
        {
            "task": limit.task,
            "stream": limit.stream or None,
            "kind": ("full" if limit.full else "empty") if limit.stream else "busy",
            "cycles": limit.cycles,
        }
        for limit in simulation.limits
    ]


def as_json(result: Result) -> str:
    """What `resnet-hls simulate --json` prints; cycles of tasks and streams are those of a frame."""
    return json.dumps(as_content(result), indent=2, ensure_ascii=False)


def as_content(result: Result) -> dict[str, Any]:
    """The same, as Python has it."""
    found = result.simulation
    interval = int(found.interval) if found.interval is not None and found.interval.is_integer() else found.interval
    return {
        "model": result.design.name,
        "clock_mhz": result.design.clock_mhz,
        "frames": found.frames,
        "frames_simulated_one_by_one": found.simulated,
        "steady": found.steady,
        "initiation_interval_cycles": interval,
        "latency_cycles": found.latency,
        "fps": None if result.fps is None else round(result.fps, 1),
        "cycles": found.cycles,
        "limits": limit_rows(found),
        "tasks": [
            {
                "name": task.name,
                "cycles": task.busy,
                "stall_cycles": task.stalled,
                "empty_cycles": dict(task.empty),
                "full_cycles": dict(task.full),
            }
            for task in found.tasks
        ],
        "streams": [
            {
                "name": stream.name,
                "width_bits": described.bits,
                "depth": stream.depth,
                "peak": stream.peak,
                "full_cycles": stream.full,
                "empty_cycles": stream.empty,
            }
            for stream, described in zip(found.streams, result.design.network.streams, strict=True)
        ],
        "deadlock": None if found.deadlock is None else asdict(found.deadlock),
        "provenance": "simulated",
    }


def problem(result: Result, most_cycles: int | None) -> UserError | None:
    """What is wrong with a simulation that did not complete.

    Args:
        result: the simulation.
        most_cycles: its limit.
    """
    found, network, where = result.simulation, result.design.network, str(result.design.path)
    if found.deadlock is not None:
        message = f"deadlock in cycle {found.deadlock.cycle:,}: no frame can go on, each of these waits for the next"
        details, help = witness(network, found.deadlock), cure(network, found.deadlock)
        return UserError(message, where=where, details=details, help=help)
    if found.exceeded or (most_cycles is not None and found.cycles > most_cycles):
        count = f"{found.frames} frame{'s' * (found.frames != 1)}"
        slowest = f"the slowest task alone takes {network.interval:,} for a frame"
        return UserError(
            f"{count} take more than {most_cycles:,} cycles, and the simulation was stopped there",
            where=where,
            help=f"give a larger --max-cycles, or fewer --frames; {slowest}",
        )
    return None


def witness(network: Network, deadlock: Deadlock) -> tuple[str, ...]:
    """The chain of waiting, a line for each task."""
    depths = {stream.name: stream.depth for stream in network.streams}
    other = {True: _readers(network), False: _writers(network)}
    return tuple(
        f"{wait.task} has waited since cycle {wait.since:,} "
        + (
            f"for room in full {wait.stream}, depth {depths[wait.stream]},"
            if wait.full
            else f"for words of empty {wait.stream},"
        )
        + f" which {other[wait.full][wait.stream]} {'reads' if wait.full else 'writes'}"
        for wait in deadlock.waits
    )


def cure(network: Network, deadlock: Deadlock) -> str:
    """The depths that cure a deadlock, in words."""
    depths = {stream.name: stream.depth for stream in network.streams}
    if not deadlock.cure:
        return "no depths cure it: the tasks wait for words that are never written; check the order of their transfers"
    needs = [
        f"stream '{name}' needs room for {depth:,} words, and has {depths[name]}"
        for name, depth in deadlock.cure.items()
        if depth > (depths[name] or 0)
    ]
    return f"{'; '.join(needs)}: set {'its depth' if len(needs) == 1 else 'their depths'}, or run hls-size-fifos"


def lines(result: Result) -> list[str]:
    """The headline: rate, latency, what sets the rate."""
    found = result.simulation
    count = f"{found.frames} frame{'s' * (found.frames != 1)}"
    text = [
        f"{result.design.name}, {count} without a gap, {result.design.clock_mhz:g} MHz; pipeline depths are modelled"
    ]
    if found.interval is None or result.fps is None:
        text.append("  one frame has no rate: simulate two or more")
    else:
        every = f"{found.interval:,.0f}" if found.interval == int(found.interval) else f"{found.interval:,.1f}"
        steady = (
            f"steady after {found.simulated} frames"
            if found.steady
            else f"not steady yet: an average of the later half of {found.frames} frames"
        )
        text.append(f"  {result.fps:,.0f} frames/s (simulated): a frame every {every} cycles, {steady}")
    if found.latency is not None:
        latency = f"{found.latency:,} cycles, {result.milliseconds(found.latency)}"
        text.append(f"  latency of the first frame {latency} (simulated)")
    text.append(f"  all of it takes {found.cycles:,} cycles, {result.milliseconds(found.cycles)} (simulated)")
    return [*text, *(f"  {line}" for line in limit_lines(result))]


def limit_lines(result: Result) -> list[str]:
    """What sets the rate, and what to do about it."""
    found = result.simulation
    if not found.limits or found.interval is None:
        return []
    first = found.limits[0]
    if is_busy(found):
        task = next(task for task in result.design.network.tasks if task.name == first.task)
        how = "in every cycle" if task.interval == 1 else f"every {task.interval} cycles"
        if not task.reads:
            return [f"limited by the input, which brings a word {how}: no depth and no lanes make it faster"]
        text = [
            f"limited by {first.task}, which begins an iteration {how}: unroll it further, no depth makes it faster"
        ]
        alike = [one.name for one in found.tasks if one.busy >= found.interval and one.name != first.task]
        return [*text, f"as busy are {_some(alike)}"] if alike else text
    slowest = f"{result.design.network.interval:,} cycles for a frame"
    text = [f"limited by a circle of waits; the slowest task alone takes {slowest}"]
    for limit in found.limits[:_PARTS]:
        what = f"waits for {'room in full' if limit.full else 'words of'} {limit.stream}" if limit.stream else "works"
        text.append(f"  {_percent(limit.cycles, found.interval):>5}  {limit.task} {what}")
    if len(found.limits) > _PARTS:
        text.append(f"  and {len(found.limits) - _PARTS} more")
    return [*text, *deepen_lines(result)]


def deepen_lines(result: Result) -> list[str]:
    """Which full stream of the circle to deepen, how far, and what comes of it; of one stream, the others unchanged."""
    network, found = result.design.network, result.simulation
    full = list(dict.fromkeys(limit.stream for limit in found.limits if limit.full))

    def interval(name: str, depth: int | None) -> float:
        return simulate(network.with_depths({name: depth}), found.frames, cure=False).interval or 0

    best = {name: interval(name, None) for name in full[:_PARTS]}
    name = min(best, key=best.__getitem__, default="")
    if not name or best[name] >= (found.interval or 0):
        return ["deeper streams would not help, one at a time"] if full else []
    stream = next(stream for stream in network.streams if stream.name == name)
    # The interval never grows with the depth.
    high = first_enough(lambda depth: interval(name, depth) <= best[name], (stream.depth or 0) + 1)
    room = f"from {stream.depth} to {high} words of {stream.bits} bits"
    return [f"deepen {name} {room}: a frame every {best[name]:,.0f} cycles"]


def render(result: Result, console: Console) -> None:
    """Print the headline, the tasks and the streams."""
    for line in lines(result):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    console.print(task_table(result))
    console.print(stream_table(result))


def task_table(result: Result) -> Table:
    """How each task spends a frame."""
    from rich.table import Table

    table = Table("task", title="Tasks: cycles of a frame (simulated)")
    for heading in ("stages", "busy", "waits"):
        table.add_column(heading, justify="right")
    table.add_column("most of all for")
    for task, described in zip(result.simulation.tasks, result.design.network.tasks, strict=True):
        longest = waits_for(task)
        what = "" if longest is None else f"{_percent(longest.cycles, result.frame)} {longest.kind} {longest.stream}"
        shares = (_percent(task.busy, result.frame), _percent(task.stalled, result.frame) if longest else "")
        table.add_row(task.name, str(described.depth), *shares, what)
    return table


def stream_table(result: Result) -> Table:
    """How full each stream is."""
    from rich.table import Table

    table = Table("stream", title="Streams: most words that wait, and cycles of a frame (simulated)")
    for heading in ("bits", "depth", "peak", "full", "empty"):
        table.add_column(heading, justify="right")
    for stream, described in zip(result.simulation.streams, result.design.network.streams, strict=True):
        shares = (_percent(stream.full, result.frame), _percent(stream.empty, result.frame))
        table.add_row(stream.name, f"{described.bits:,}", f"{stream.depth:,}", f"{stream.peak:,}", *shares)
    return table


def _percent(cycles: int, of: float) -> str:
    """A share; one that is not nothing never looks like nothing, and one that is not all never like all."""
    share = 100 * cycles / of
    if 0 < share < 1:
        return "<1 %"
    return ">99 %" if 99 < share < 100 else f"{share:.0f} %"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _readers(network: Network) -> dict[str, str]:
    return {stream: task.name for task in network.tasks for stream in task.reads}


def _writers(network: Network) -> dict[str, str]:
    return {stream: task.name for task in network.tasks for stream in task.writes}
