# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A simulation as a trace that Perfetto (ui.perfetto.dev) shows: tasks as tracks, FIFOs as counters.

A microsecond of the trace is a cycle: cycles stay whole numbers at every clock. Every track gets so many events at most
that a browser can show them all; where there is more to tell, short waits are drawn together or left out, and a counter
shows the most words of so many cycles.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from resnet_hls.errors import UserError
from resnet_hls.simulate.cycles import Array, Network, Simulation, simulate
from resnet_hls.simulate.timeline import Activity, activity, most_in_buckets, occupancy

#: Frames that a trace shows, at most: in memory there is a number for each word, written and read.
FRAMES = 16
#: Events of all tasks, and of all streams, at most; less than 20 MB.
_EVENTS = 120_000
_TASKS, _STREAMS = 1, 2  # what Perfetto calls processes

Event = dict[str, Any]


def save(path: Path, network: Network, frames: int, name: str, clock_mhz: float) -> None:
    """Simulate frames and write their trace.

    Args:
        path: of the file.
        network: to simulate.
        frames: of which the first `FRAMES` are shown.
        name, clock_mhz: see `trace`.

    Raises:
        UserError: the file cannot be written.
    """
    simulation = simulate(network, min(frames, FRAMES), times=True, cure=False)
    write(path, trace(network, simulation, name, clock_mhz))


def trace(network: Network, simulation: Simulation, name: str, clock_mhz: float) -> dict[str, Any]:
    """The content of a trace.

    Args:
        network: that was simulated.
        simulation: with the cycles of all words; it may have ended in a deadlock.
        name: of the design.
        clock_mhz: what the cycles are scaled with where people read times.

    Returns:
        Chrome's trace event format: names of the tracks, then slices and counters by time, what encloses others first.
    """
    assert simulation.times is not None, "simulate with times=True"
    events = [*_task_events(network, simulation), *_stream_events(network, simulation)]
    if simulation.deadlock is not None:
        where = {"pid": _TASKS, "tid": 0, "ts": simulation.deadlock.cycle}
        events.append({"name": str(simulation.deadlock), "ph": "i", "s": "g", **where})
    events.sort(key=lambda event: (event["ts"], -event.get("dur", 0)))
    scale = f"1 µs is a cycle, {1000 / clock_mhz:g} ns at {clock_mhz:g} MHz"
    return {
        "displayTimeUnit": "ns",
        "otherData": {"design": name, "clock_mhz": clock_mhz, "frames": simulation.simulated, "scale": scale},
        "traceEvents": [*_names(network, f"{name}: tasks ({scale})", f"{name}: words in streams"), *events],
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a trace, whole or not at all; compressed where the name ends in `.gz`.

    Raises:
        UserError: the file cannot be written.
    """
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace('},{"name"', '},\n{"name"').encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, compresslevel=6, mtime=0)
    temporary = path.parent / f".resnet-hls-trace.{os.getpid()}.tmp"
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        help = "choose another --trace file" if path.parent.is_dir() else f"make the folder {path.parent} first"
        raise UserError(f"cannot be written: {error.strerror}", where=str(path), help=help) from None


def _names(network: Network, tasks: str, streams: str) -> Iterator[Event]:
    """What the tracks are called, and their order."""
    for number, name in ((_TASKS, tasks), (_STREAMS, streams)):
        yield {"name": "process_name", "ph": "M", "pid": number, "tid": 0, "ts": 0, "args": {"name": name}}
        yield {
            "name": "process_sort_index",
            "ph": "M",
            "pid": number,
            "tid": 0,
            "ts": 0,
            "args": {"sort_index": number},
        }
    for number, task in enumerate(network.tasks, 1):
        track = {"ph": "M", "pid": _TASKS, "tid": number, "ts": 0}
        yield {"name": "thread_name", **track, "args": {"name": task.name}}
        yield {"name": "thread_sort_index", **track, "args": {"sort_index": number}}


def _task_events(network: Network, simulation: Simulation) -> Iterator[Event]:
    """A slice for each frame of each task, and slices for waits, in the frames and between them."""
    assert simulation.times is not None
    streams = {stream.name: stream for stream in network.streams}
    most = _EVENTS // len(network.tasks)
    for number, task in enumerate(network.tasks, 1):
        found = activity(task, streams, simulation.times, simulation.simulated)
        track = {"ph": "X", "pid": _TASKS, "tid": number}
        for frame, (begin, end) in enumerate(found.frames.tolist()):
            yield {"name": f"frame {frame}", **track, "ts": begin, "dur": end - begin}
        gap = 0
        while len((waits := _together(found, task.iterations, gap)).begin) > most:
            gap = max(4, 2 * gap)
        for begin, end, waited, port in zip(*(column.tolist() for column in waits), strict=True):
            name = _wait_name(*found.waits.ports[port])
            yield {"name": name, **track, "ts": begin, "dur": end - begin, "args": {"cycles": waited}}
        # A stage at the end of a pipeline may wait while those before it still fill up.
        free = max([0, *found.frames[:, 1].tolist(), *found.waits.end.tolist()])
        for wait in () if simulation.deadlock is None else simulation.deadlock.waits:
            since = max(wait.since, free)
            if wait.task == task.name and since < simulation.cycles:
                name = f"for ever: {_wait_name(wait.stream, wait.full)}"
                yield {"name": name, **track, "ts": since, "dur": simulation.cycles - since}


def _wait_name(stream: str, full: bool) -> str:
    return f"{stream} is {'full' if full else 'empty'}"


class _Waits(NamedTuple):
    """Slices: `waited` of the cycles between `begin` and `end` the task did wait."""

    begin: Array
    end: Array
    waited: Array
    port: Array


def _together(found: Activity, iterations: int, gap: int) -> _Waits:
    """Waits for the same, drawn together where what is between is no longer than `gap`, nor than they are themselves.

    None goes beyond a frame. Those that are shorter than `gap` even so are left out.
    """
    waits = found.waits
    length = waits.end - waits.begin
    part = 2 * (waits.iteration // iterations) + (waits.iteration % iterations > 0)  # between two frames, or in one
    between = waits.begin[1:] - waits.end[:-1]
    joined = (waits.port[1:] == waits.port[:-1]) & (part[1:] == part[:-1])
    joined &= (between <= gap) & (between <= np.maximum(length[1:], length[:-1]))
    first = np.flatnonzero(np.concatenate([[True], ~joined])[: len(length)])
    last = np.concatenate([first[1:], [len(length)]])[: len(first)] - 1
    waited = np.add.reduceat(length, first) if len(first) else length
    keep = waits.end[last] - waits.begin[first] >= gap
    return _Waits(*(column[keep] for column in (waits.begin[first], waits.end[last], waited, waits.port[first])))


def _stream_events(network: Network, simulation: Simulation) -> Iterator[Event]:
    """The words in each stream."""
    assert simulation.times is not None
    most = _EVENTS // len(network.streams)
    for stream in network.streams:
        exact, bucket = occupancy(stream.name, simulation.times), 1
        while len((found := most_in_buckets(*exact, bucket))[0]) > most:
            bucket *= 2
        for cycle, words in zip(found[0].tolist(), found[1].tolist(), strict=True):
            yield {"name": stream.name, "ph": "C", "pid": _STREAMS, "ts": cycle, "args": {"words": words}}
