# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What tasks and streams do over time, from the cycles of their words: frames, waits, words in FIFOs. No IR, no files.

A task is seen where its iterations begin, in the first stage of its pipeline: there it works on one at a time. It
begins iteration i in cycle i * interval + lag(i), where the lag only grows, each time that it has to wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from resnet_hls.simulate.cycles import Array, Stream, Task, Times


@dataclass(frozen=True)
class Waits:
    """The times in which a task waits, one after the other.

    Attributes:
        begin, end: first cycle in which it waits, and the one in which it goes on.
        iteration: that waits to begin.
        port: what for, a number in `ports`.
        ports: stream, and whether the task waits for room in it rather than for a word.
    """

    begin: Array
    end: Array
    iteration: Array
    port: Array
    ports: tuple[tuple[str, bool], ...]

    def cycles(self) -> dict[tuple[str, bool], int]:
        """How long it waits for each, all in all."""
        waited = np.bincount(self.port, self.end - self.begin, len(self.ports))
        return {port: int(cycles) for port, cycles in zip(self.ports, waited, strict=True)}


@dataclass(frozen=True)
class Activity:
    """A task over time.

    Attributes:
        frames: in which cycle each frame's first iteration begins, and when its last one has: (frames, 2).
        waits: before and within frames.
    """

    frames: Array
    waits: Waits


class _Moves(NamedTuple):
    """Iterations of a task that read, or that write.

    `cycle` is when they do, `allowed` the earliest that the streams allow, because of what happens at `port`.
    """

    iteration: Array
    cycle: Array
    allowed: Array
    port: Array


def activity(task: Task, streams: Mapping[str, Stream], times: Times, frames: int) -> Activity:
    """What a task does, as far as `times` go.

    Args:
        task: of the network that was simulated.
        streams: of the network, by name.
        times: of a simulation of so many frames, which may have stopped early.
        frames: see `times`.
    """
    interval, latency = task.interval, task.depth - 1
    reads, writes = _reads(task, streams, times), _writes(task, streams, times)
    if task.reads:
        pressed = _pressure(reads, writes, interval, latency)
        # At the same iteration, room behind comes before the words in front.
        iteration = np.concatenate([pressed.iteration, reads.iteration])
        order = np.lexsort((np.repeat([0, 1], [len(pressed.iteration), len(reads.iteration)]), iteration))
        iteration, cycle, port = (
            np.concatenate(sides)[order]
            for sides in (
                (pressed.iteration, reads.iteration),
                (pressed.cycle, reads.cycle),
                (pressed.port, reads.port),
            )
        )
        first = 0
    else:  # it is seen where it writes
        iteration, cycle, port, first = writes.iteration, writes.cycle, writes.port, latency
    lags = np.maximum.accumulate(np.concatenate([[first], cycle - iteration * interval]))
    waits = lags[1:] > lags[:-1]
    end = (iteration * interval + lags[1:])[waits]
    ports = (*((name, False) for name in task.reads), *((name, True) for name in task.writes))
    found = Waits(end - (lags[1:] - lags[:-1])[waits], end, iteration[waits], port[waits], ports)
    last = max([-1, *(int(side.iteration[-1]) for side in (reads, writes) if len(side.iteration))])
    begun = np.arange(min(frames, last // task.iterations + 1), dtype=np.int64) * task.iterations
    ended = np.minimum(begun + task.iterations - 1, np.maximum(begun, last))

    def begins(iterations: Array) -> Array:
        return iterations * interval + lags[np.searchsorted(iteration, iterations, side="right")]

    return Activity(np.stack([begins(begun), begins(ended) + interval], axis=1), found)


def occupancy(stream: str, times: Times) -> tuple[Array, Array]:
    """Words that take room in a stream: cycles in which their number changes, and the numbers from there on.

    A word does so from the cycle in which it is written to the one in which it is read, both included.
    """
    written, read = times.written[stream], times.read[stream]
    written, read = written[written >= 0], read[read >= 0] + 1
    cycles, place = np.unique(np.concatenate([written, read]), return_inverse=True)
    change = np.bincount(place, np.repeat([1, -1], [len(written), len(read)]), len(cycles)).astype(np.int64)
    return cycles[change != 0], np.cumsum(change)[change != 0]


def most_in_buckets(cycles: Array, values: Array, bucket: int) -> tuple[Array, Array]:
    """The same with the most in so many cycles, for each bucket in which that is another number than in the last."""
    if bucket == 1 or len(cycles) == 0:
        return cycles, values
    of = cycles // bucket
    first = np.flatnonzero(np.concatenate([[True], of[1:] != of[:-1]]))
    before = np.concatenate([[0], values])[first]  # what a bucket begins with
    most = np.maximum.reduceat(values, first)
    most = np.where(cycles[first] % bucket > 0, np.maximum(most, before), most)
    # A bucket behind in which nothing changes has what the last one ended with.
    after = values[np.concatenate([first[1:], [len(cycles)]]) - 1]
    at = np.stack([of[first], of[first] + 1], axis=1).ravel()
    number = np.stack([most, after], axis=1).ravel()
    keep = np.concatenate([at[1:] > at[:-1], [True]])  # unless something changes there
    keep[::2] = True
    at, number = at[keep], number[keep]
    changed = np.concatenate([[True], number[1:] != number[:-1]])
    return at[changed] * bucket, number[changed]


def _iterations(task: Task, steps: Array, words: int) -> Array:
    """The iteration in which each of the first `words` words moves."""
    word = np.arange(words)
    found: Array = word // len(steps) * task.iterations + steps[word % len(steps)]
    return found


def _reads(task: Task, streams: Mapping[str, Stream], times: Times) -> _Moves:
    sides = []
    for port, (name, steps) in enumerate(task.reads.items()):
        cycle = times.read[name][times.read[name] >= 0]
        there = times.written[name][: len(cycle)] + streams[name].latency
        sides.append((_iterations(task, steps, len(cycle)), cycle, there, np.full(len(cycle), port)))
    return _latest(sides)


def _writes(task: Task, streams: Mapping[str, Stream], times: Times) -> _Moves:
    sides = []
    for port, (name, steps) in enumerate(task.writes.items(), len(task.reads)):
        cycle = times.written[name][times.written[name] >= 0]
        room = np.full(len(cycle), -1, np.int64)
        depth = streams[name].depth
        if depth is not None:
            room[depth:] = times.read[name][: max(0, len(cycle) - depth)] + 1
        sides.append((_iterations(task, steps, len(cycle)), cycle, room, np.full(len(cycle), port)))
    return _latest(sides)


def _latest(sides: Sequence[tuple[Array, ...]]) -> _Moves:
    """One move an iteration, with the port that allows it last, the first of several."""
    if not sides:
        return _Moves(*(np.zeros(0, np.int64) for _ in range(4)))
    iteration, cycle, allowed, port = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    order = np.lexsort((port, -allowed, iteration))
    ordered = iteration[order]
    order = order[np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]]
    return _Moves(iteration[order], cycle[order], allowed[order], port[order])


def _pressure(reads: _Moves, writes: _Moves, interval: int, latency: int) -> _Moves:
    """Iterations that cannot begin because the last stage waits for room, or has since then not caught up.

    An iteration leaves the first stage when the one that is so many stages ahead leaves the last.
    """
    lag = writes.cycle - writes.iteration * interval
    before = np.concatenate([[0], lag])[: len(lag)]
    begun = np.searchsorted(reads.iteration, writes.iteration, side="right")
    through = np.concatenate([[0], reads.cycle - reads.iteration * interval])[begun] + latency
    waits, caught_up = lag > np.maximum(before, through), through >= before
    latest = np.maximum.accumulate(np.where(waits | caught_up, np.arange(len(lag)), -1))
    held_by = np.where(latest >= 0, np.where(waits, writes.port, -1)[latest], -1)
    iteration = writes.iteration + latency
    held = (held_by >= 0) & (iteration <= (reads.iteration[-1] if len(reads.iteration) else -1))
    return _Moves(iteration[held], writes.cycle[held], writes.allowed[held], held_by[held])
