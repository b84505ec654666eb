# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Simulation of a dataflow cycle by cycle, with finite FIFOs. Knows tasks, streams and arrays only, no IR.

docs/simulation.md states the model; `lib/sim` computes it; `analysis/network.py` makes a network of a scheduled module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from resnet_hls.simulate import _cycles

Array = NDArray[np.int64]

#: Frames, cycles and words at most, each.
MOST = 10**9
#: Frames after which a simulation that has not become steady says so.
STEADY_WITHIN = 64


@dataclass(frozen=True)
class Task:
    """One pipelined loop.

    Attributes:
        name: of the task.
        iterations: of its loop a frame.
        reads, writes: for each stream the iteration in which each word of a frame moves, in order; from `iterations`
            on they are the next frame's.
        depth: stages of its pipeline: it reads in the first and writes in the last, so two at least.
        interval: cycles between two iterations, at least (the loop's initiation interval).
    """

    name: str
    iterations: int
    reads: Mapping[str, Array]
    writes: Mapping[str, Array]
    depth: int = 2
    interval: int = 1

    @property
    def cycles(self) -> int:
        """Cycles a frame that it takes where it never waits."""
        return self.iterations * self.interval

    @property
    def overlaps(self) -> bool:
        """True when it ends a frame while it begins the next."""
        return any(int(steps[-1]) >= self.iterations for steps in (*self.reads.values(), *self.writes.values()))


@dataclass(frozen=True)
class Stream:
    """A FIFO.

    Attributes:
        name: of the stream.
        depth: words that it has room for; None for room without end.
        bits: in a word.
        latency: cycles from the one in which a word is written to the first in which it can be read.
    """

    name: str
    depth: int | None
    bits: int = 8
    latency: int = 1


@dataclass(frozen=True)
class Network:
    """Tasks and the streams between them. The ports are tasks, too, which only write or only read.

    Raises:
        ValueError: where it is simulated, a stream has not one writer and one reader that move as many words a frame,
            or a task cannot run.
    """

    tasks: tuple[Task, ...]
    streams: tuple[Stream, ...]

    @property
    def interval(self) -> int:
        """Cycles between frames of the slowest task: no depths make it less."""
        return max(task.cycles for task in self.tasks)

    @property
    def frames_that_show(self) -> int:
        """So many frames, where they complete with some depths, that any number of them does.

        What waits for itself does so in a circle of iterations, each waiting for the next. The least such circle passes
        each task once, for whoever comes twice to a task can leave it the first time as the second. From there on it
        goes back in time, but for words of a frame that a task writes in the round of the next: by one round at most
        for each task that overlaps frames. One round before, for what such a task begins with, and one behind, as in
        the last the task waits for no words.
        """
        overlapping = sum(task.overlaps for task in self.tasks)
        return overlapping + 2 if overlapping else 1

    def with_depths(self, depths: Mapping[str, int | None]) -> Network:
        """The same with other depths for the streams that are named."""
        streams = tuple(replace(s, depth=depths[s.name]) if s.name in depths else s for s in self.streams)
        changed = Network(self.tasks, streams)
        if "_compiled" in self.__dict__:  # the tasks are the same
            changed.__dict__["_compiled"] = self._compiled
        return changed

    def with_latencies(self, latencies: Mapping[str, int]) -> Network:
        """The same with other latencies for the streams that are named."""
        streams = tuple(replace(s, latency=latencies.get(s.name, s.latency)) for s in self.streams)
        return Network(self.tasks, streams)

    @cached_property
    def _compiled(self) -> _cycles.Network:
        compiled = _cycles.Network()
        number = {stream.name: i for i, stream in enumerate(self.streams)}
        for stream in self.streams:
            compiled.add_stream(stream.name, stream.latency)
        for task in self.tasks:
            reads, writes = (
                [(number[name], np.ascontiguousarray(steps, np.int64)) for name, steps in side.items()]
                for side in (task.reads, task.writes)
            )
            compiled.add_task(task.name, task.iterations, task.interval, task.depth, reads, writes)
        compiled.connect()
        return compiled

    def compiled(self) -> _cycles.Network:
        """What `lib/sim` works on, but for the depths. Raises ValueError where it is no network that could run."""
        for stream in self.streams:
            if stream.depth is not None and not 1 <= stream.depth <= MOST:
                raise ValueError(f"stream '{stream.name}' has room for {stream.depth} words, expected 1 to {MOST:,}")
        return self._compiled

    def run(self, frames: int, *, most_cycles: int = 0, skip: bool = True, words: bool = False) -> _cycles.Simulation:
        """What `lib/sim` finds; `simulate` gives names to it."""
        depths = [stream.depth or 0 for stream in self.streams]  # 0: room without end
        return _cycles.simulate(self.compiled(), depths, frames, most_cycles, skip, words)


@dataclass(frozen=True)
class Wait:
    """A task that waits.

    Attributes:
        task: its name.
        stream: where it waits.
        full: for room in the stream, rather than for a word.
        since: the cycle from which on.
    """

    task: str
    stream: str
    full: bool
    since: int

    def __str__(self) -> str:
        return f"'{self.task}' waits for {'room in full' if self.full else 'a word of empty'} stream '{self.stream}'"


@dataclass(frozen=True)
class Deadlock:
    """A circle of tasks, each of which waits for the next.

    Attributes:
        cycle: in which the last of them begins to wait.
        waits: in the order of the circle: whom a task waits for stands behind it, and the first behind the last.
        cure: least depths of full streams with which all frames complete, the others unchanged.
    """

    cycle: int
    waits: tuple[Wait, ...]
    cure: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"deadlock in cycle {self.cycle:,}: " + "; ".join(map(str, self.waits))


@dataclass(frozen=True)
class TaskFigures:
    """What a task does with the cycles of a frame.

    Attributes:
        name: of the task.
        busy: cycles in which it begins an iteration, or is between two.
        empty, full: cycles in which it waits for a word of a stream, for room in a stream, by stream.
    """

    name: str
    busy: int
    empty: Mapping[str, int]
    full: Mapping[str, int]

    @property
    def stalled(self) -> int:
        """Cycles in which it waits."""
        return sum(self.empty.values()) + sum(self.full.values())


@dataclass(frozen=True)
class StreamFigures:
    """What a stream holds.

    Attributes:
        name: of the stream.
        depth: words that it has room for; None for room without end.
        peak: most words that take room, in the whole run: from the cycle in which they are written to the one in which
            they are read.
        full, empty: cycles a frame in which it has no room, in which no word waits.
    """

    name: str
    depth: int | None
    peak: int
    full: int
    empty: int


@dataclass(frozen=True)
class Limit:
    """A part of the way that no frame can take faster.

    Attributes:
        task: that is busy, or waits.
        stream: that it waits for; empty where it is busy.
        full: it waits for room.
        cycles: of the interval.
    """

    task: str
    stream: str
    full: bool
    cycles: int


@dataclass(frozen=True)
class Times:
    """The cycles in which the words of each stream are written and read, through all frames that were simulated one by
    one; -1 where a word never moves.
    """

    written: Mapping[str, Array]
    read: Mapping[str, Array]


@dataclass(frozen=True)
class Simulation:
    """What a network does with some frames, one after the other, from empty.

    Attributes:
        frames: that were asked for.
        simulated: of these, one by one; the rest are exact shifts of some of them.
        steady: every further frame is like an earlier one, `interval` cycles behind the one before; on average where
            several repeat together.
        interval: cycles between frames in the steady state; of the later half of the frames where it was not reached,
            None for a single frame.
        latency: cycles from the first frame's first word to its last result.
        cycles: of the whole run.
        tasks: a steady frame's (an average where there is none), in the order of the network.
        streams: the same.
        limits: what the rate depends on, by cycles of the interval: a task that is always busy, or a circle of tasks
            and of streams that they wait for.
        deadlock: why the run stopped, or None.
        exceeded: the run stopped at its limit of cycles.
        times: where they were asked for.
    """

    frames: int
    simulated: int
    steady: bool
    interval: float | None
    latency: int | None
    cycles: int
    tasks: tuple[TaskFigures, ...]
    streams: tuple[StreamFigures, ...]
    limits: tuple[Limit, ...]
    deadlock: Deadlock | None
    exceeded: bool
    times: Times | None

    @property
    def completed(self) -> bool:
        """True when all frames came out."""
        return self.deadlock is None and not self.exceeded

    @property
    def whole_interval(self) -> int:
        """The interval in whole cycles, rounded up. Raises ValueError where there is none."""
        if self.interval is None:
            raise ValueError("one frame has no interval")
        return math.ceil(self.interval)


def simulate(
    network: Network, frames: int = 10, *, most_cycles: int | None = None, times: bool = False, cure: bool = True
) -> Simulation:
    """Simulates frames that follow each other without a gap, from an empty network.

    Args:
        network: with the depths of its streams.
        frames: 1 or more.
        most_cycles: after which the run is given up.
        times: keep the cycle of each word; then every frame is simulated, not only until the state is steady.
        cure: look for depths that cure a deadlock, which takes some runs.

    Raises:
        ValueError: the network is none that could run, or fewer than one frame.
    """
    if not 1 <= frames <= MOST:
        raise ValueError(f"{frames} frames, expected 1 to {MOST:,}")
    raw = network.run(frames, most_cycles=most_cycles or 0, skip=not times, words=times)
    streams = [stream.name for stream in network.streams]
    tasks = []
    for task, figures in zip(network.tasks, raw.tasks, strict=True):
        stalls = list(figures.stalls)
        empty = dict(zip(task.reads, stalls[: len(task.reads)], strict=True))
        tasks.append(
            TaskFigures(task.name, figures.busy, empty, dict(zip(task.writes, stalls[len(empty) :], strict=True)))
        )
    found = tuple(
        StreamFigures(stream.name, stream.depth, figures.peak, figures.full, figures.empty)
        for stream, figures in zip(network.streams, raw.streams, strict=True)
    )
    limits = tuple(
        Limit(network.tasks[at.task].name, "" if at.stream < 0 else streams[at.stream], at.full, at.cycles)
        for at in raw.limits
    )
    deadlock = None
    if raw.deadlock:
        deadlock = _deadlock(network, raw.deadlock)
        if cure:
            deadlock = replace(deadlock, cure=find_cure(network, deadlock, max(frames, network.frames_that_show)))
    return Simulation(
        frames=frames,
        simulated=raw.simulated,
        steady=raw.steady,
        interval=raw.interval or None,
        latency=raw.completed[0] + 1 if raw.completed else None,
        cycles=raw.cycles,
        tasks=tuple(tasks),
        streams=found,
        limits=limits,
        deadlock=deadlock,
        exceeded=raw.exceeded or (most_cycles is not None and raw.cycles > most_cycles),
        times=_times(network, raw, frames) if times else None,
    )


def completes(network: Network, frames: int) -> bool:
    """True when so many frames come out."""
    return not network.run(frames).deadlock


def find_cure(network: Network, deadlock: Deadlock, frames: int) -> dict[str, int]:
    """Least depths with which so many frames complete.

    One stream of the circle, if that is enough: the one that costs the fewest bits. Else several: those of one circle
    after the other get room without end, and then, one by one, as little as they need.
    """
    full = list(dict.fromkeys(wait.stream for wait in deadlock.waits if wait.full))
    bits = {stream.name: stream.bits for stream in network.streams}
    depths = {stream.name: stream.depth for stream in network.streams}
    alone = {name: least for name in full if (least := _least(network, name, frames, depths[name] or 1)) is not None}
    if alone:
        name = min(alone, key=lambda one: (alone[one] - (depths[one] or 0)) * bits[one])
        return {name: alone[name]}
    changed: dict[str, int | None] = {}
    while full:
        changed |= dict.fromkeys(full)
        raw = network.with_depths(changed).run(frames).deadlock
        full = [wait.stream for wait in _deadlock(network, raw).waits if wait.full] if raw else []
        if raw and not full:  # a circle of empty streams: no depths help
            return {}
    for name in sorted(changed, key=lambda one: bits[one], reverse=True):  # words had better wait where they are narrow
        changed[name] = _least(network.with_depths(changed), name, frames, depths[name] or 1)
    return {name: depth for name, depth in changed.items() if depth is not None and depth != depths[name]}


def _least(network: Network, name: str, frames: int, least: int = 1) -> int | None:
    """The least depth of one stream, from `least` on, with which the frames complete; None if there is none."""
    if not completes(network.with_depths({name: None}), frames):
        return None
    return first_enough(lambda depth: completes(network.with_depths({name: depth}), frames), least)


def first_enough(enough: Callable[[int], bool], first: int) -> int:
    """The least number from `first` on that is enough, where all greater ones are, too, and there is one."""
    low, high = first - 1, first
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _deadlock(network: Network, circle: list[_cycles.Blocked]) -> Deadlock:
    waits = tuple(
        Wait(network.tasks[at.task].name, network.streams[at.stream].name, at.wait == _cycles.Wait.ROOM, at.since)
        for at in circle
        if at.stream >= 0
    )
    return Deadlock(max((wait.since for wait in waits), default=0), waits)


def _times(network: Network, raw: _cycles.Simulation, frames: int) -> Times:
    written: dict[str, Array] = {}
    read: dict[str, Array] = {}
    words = {name: len(steps) for task in network.tasks for name, steps in task.writes.items()}
    for stream, moved in zip(network.streams, raw.words, strict=True):
        for side, cycles in ((written, moved.written), (read, moved.read)):
            missing = frames * words[stream.name] - len(cycles)
            side[stream.name] = np.concatenate([cycles, np.full(missing, -1, np.int64)])
    return Times(written, read)
