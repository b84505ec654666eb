# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""When tasks run that wait for words and for room, computed for whole frames at once. Knows arrays only, no IR.

A task runs one iteration a cycle; an iteration waits for the words that it reads, which can be read the cycle after
they were written, and for room for those that it writes: in a stream of depth D, word k is written in the cycle in
which word k - D is read, at the earliest. With c(j) the earliest cycle for iteration j by these, iteration i runs at
t(i) = max(t(i-1) + 1, c(i)), whose closed form is t(i) = i + max over j <= i of (c(j) - j), at least i.

A task may end a frame while it begins the next (`hls.overlap`): then some of its words belong to iterations beyond
those of a frame, which are the first ones of the frame that follows. Iterations are counted in rounds: one for each
frame, and one more for what is left of the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from resnet_hls.analysis.iterations import Array

#: Evaluations of a task after which its schedule is taken for one that does not settle.
ROUNDS = 64


@dataclass(frozen=True)
class Actor:
    """What a task does in a frame: its iterations, and in which of them it reads and writes each word of a stream.

    Iterations from `trips` on are those of the next frame; the words of a stream are all moved before any of the next
    frame is.
    """

    trips: int
    reads: Mapping[str, Array]
    writes: Mapping[str, Array]

    @property
    def steps(self) -> list[Array]:
        return [*self.reads.values(), *self.writes.values()]

    @property
    def overlaps(self) -> bool:
        """True when it ends a frame while it begins the next."""
        return any(int(steps.max(initial=0)) >= self.trips for steps in self.steps)

    def batch(self, frames: int) -> Actor:
        """What it does in several frames, as one."""
        sides = ({s: repeated(steps, self.trips, frames) for s, steps in m.items()} for m in (self.reads, self.writes))
        return Actor((frames + self.overlaps) * self.trips, *sides)


@dataclass(frozen=True)
class _Moments:
    """The iterations of an actor in which it reads or writes, in some frame.

    Attributes:
        steps: (rounds, moments); of the first round and of the last, some neither read nor write.
        at: finds those of a frame's words in `by_frame`.
    """

    steps: Array
    at: dict[str, Array | slice]
    frames: int

    @staticmethod
    def of(actor: Actor, frames: int) -> _Moments:
        busy = np.zeros(actor.trips, bool)
        for steps in actor.steps:
            busy[steps % actor.trips] = True
        number, moments = np.cumsum(busy) - 1, np.flatnonzero(busy)

        def places(steps: Array) -> Array:
            return number[steps % actor.trips] + len(moments) * (steps // actor.trips)

        at = {s: _selection(places(steps)) for s, steps in (*actor.reads.items(), *actor.writes.items())}
        rounds = frames + actor.overlaps
        return _Moments(moments + actor.trips * np.arange(rounds)[:, None], at, frames)

    def by_frame(self, values: Array) -> Array:
        """A row for each frame, in which its words are found, for values of all moments; a view of them.

        Where frames overlap, a row goes on into the next round: it shares elements with the row below.
        """
        rounds, moments = self.steps.shape
        if rounds == self.frames:
            return values.reshape(self.steps.shape)
        flat = values.reshape(-1)
        (size,) = flat.strides
        return as_strided(flat, (self.frames, 2 * moments), (moments * size, size))


def _selection(positions: Array) -> Array | slice:
    """Positions as a slice where they are evenly spaced, which numpy selects without a copy."""
    if len(positions) > 1 and (distance := int(positions[1] - positions[0])) > 0:
        even = slice(int(positions[0]), int(positions[-1]) + 1, distance)
        if np.array_equal(np.arange(even.start, even.stop, distance), positions):
            return even
    return positions


class Timing:
    """The earliest schedule of a network of actors.

    Attributes:
        actors: in the order in which words pass them.
        depths: room in the streams that had a bound when the schedule was settled, in words.
        times: the cycle of each moment (iteration that reads or writes) of each actor, (rounds, moments).
    """

    def __init__(self, actors: Sequence[Actor], arrivals: Mapping[str, Array], frames: int, interval: int = 0) -> None:
        """A schedule to be settled.

        Args:
            actors: in the order in which words pass them.
            arrivals: the streams that come from outside, with the cycles from which words can be read.
            frames: that are modelled.
            interval: what is left of the last frame runs no sooner than as many cycles after the same of the frame
                before, as if another frame followed; 0 where none does.
        """
        self.actors = actors
        self.frames = frames
        self.interval = interval
        self.depths: dict[str, int] = {}
        self.times: dict[int, Array] = {}
        self.reader = {stream: i for i, actor in enumerate(actors) for stream in actor.reads}
        self.writer = {stream: i for i, actor in enumerate(actors) for stream in actor.writes}
        self._arrivals = arrivals
        self._moments = [_Moments.of(actor, frames) for actor in actors]
        self._cycles: dict[tuple[int, str], Array] = {}

    def written(self, stream: str) -> Array:
        """The cycle in which each word is written."""
        if stream not in self.writer:
            return self._arrivals[stream] - 1
        return self._of_words(self.writer[stream], stream)

    def read(self, stream: str) -> Array:
        """The cycle in which each word is read; what leaves the network is taken at once."""
        if stream not in self.reader:
            return self.written(stream) + 1
        return self._of_words(self.reader[stream], stream)

    def cycles(self, number: int, stream: str, times: Array) -> Array:
        """The cycle in which an actor reads or writes each word of a stream, if it ran at these times."""
        moments = self._moments[number]
        return moments.by_frame(times)[:, moments.at[stream]].reshape(-1)

    def run(self, number: int, times: Array) -> None:
        """Let an actor run at these times."""
        self.times[number] = times
        for stream in self._moments[number].at:
            self._cycles.pop((number, stream), None)

    def _of_words(self, number: int, stream: str) -> Array:
        key = (number, stream)
        if key not in self._cycles:
            self._cycles[key] = self.cycles(number, stream, self.times[number])
        return self._cycles[key]

    def settle(self, depths: Mapping[str, int], rounds: int = ROUNDS) -> bool:
        """Compute the earliest schedule with these depths; False where it is not found in `rounds` evaluations of a
        task: nothing more can be said than that streams fill again and again.

        Waiting grows with every evaluation and never beyond the earliest schedule, so what settles is that one.
        """
        self.depths = dict(depths)
        self.times, self._cycles = {}, {}
        pending = set(range(len(self.actors)))
        left = [rounds] * len(self.actors)
        while pending:
            number = min(pending)
            pending.remove(number)
            if not left[number]:
                return False
            left[number] -= 1
            times = self.earliest(number, self.depths)
            if number in self.times and np.array_equal(times, self.times[number]):
                continue
            self.run(number, times)
            pending |= {self.reader[stream] for stream in self.actors[number].writes if stream in self.reader}
            pending |= {self.writer[stream] for stream in self.actors[number].reads if self._is_overfull(stream)}
        return True

    def earliest(self, number: int, depths: Mapping[str, int]) -> Array:
        """When an actor can run, given when its neighbours do; neighbours that have not run yet hold nothing back."""
        actor, moments = self.actors[number], self._moments[number]
        late = np.zeros(moments.steps.shape, np.int64)
        late_by_frame, steps_by_frame = moments.by_frame(late), moments.by_frame(moments.steps)

        def wait(stream: str, until: Array) -> None:
            at = moments.at[stream]
            # Of several words in one iteration the last one stays, and is the latest.
            least = until.reshape(self.frames, -1) - steps_by_frame[:, at]
            late_by_frame[:, at] = np.maximum(late_by_frame[:, at], least)

        for stream in actor.reads:
            wait(stream, self.written(stream) + 1)
        for stream in actor.writes:
            if stream in depths and self.reader.get(stream) in self.times:
                depth, read = depths[stream], self.read(stream)
                wait(stream, np.concatenate([np.zeros(min(depth, len(read)), np.int64), read[:-depth]]))
        if self.interval and actor.overlaps:
            before = np.maximum.accumulate(late[:-1].reshape(-1)).reshape(late[:-1].shape)[-1]
            # `late` is in cycles behind the iteration's number.
            late[-1] = np.maximum(late[-1], before + self.interval - actor.trips)
        return moments.steps + np.maximum.accumulate(late.reshape(-1)).reshape(late.shape)

    def latest(self, number: int) -> Array:
        """When an actor has to run so that no reader of what it writes runs later than it does."""
        moments = self._moments[number]
        room = np.full(moments.steps.shape, np.iinfo(np.int64).max)
        room_by_frame, steps_by_frame = moments.by_frame(room), moments.by_frame(moments.steps)
        for stream in self.actors[number].writes:
            at, until = moments.at[stream], (self.read(stream) - 1).reshape(self.frames, -1)
            if not isinstance(at, slice):
                # Of several words in one iteration the first is needed first; assigned last, it stays.
                at, until = at[::-1], until[:, ::-1]
            room_by_frame[:, at] = np.minimum(room_by_frame[:, at], until - steps_by_frame[:, at])
        least = np.minimum.accumulate(room.reshape(-1)[::-1])[::-1].reshape(room.shape)
        never = least == np.iinfo(np.int64).max
        latest: Array = np.where(never, self.times[number], moments.steps + np.where(never, 0, least))
        return latest

    def peak(self, stream: str) -> int:
        """Most words that wait in a stream."""
        return peak(self.written(stream), self.read(stream))

    def is_steady(self, interval: int) -> bool:
        """True when nothing runs later in the last frame than an interval after it ran in the frame before.

        Then this holds for all frames that follow: cycles are sums and maxima of the cycles before. Where frames
        overlap, the schedule must have been settled as if another followed at this interval or later: what a task
        waits for in the last frame is then as late as it would be.
        """
        last = self.frames - 1
        return all((times[last] - times[last - 1] <= interval).all() for times in self.times.values())

    def _is_overfull(self, stream: str) -> bool:
        """True when a word is written before there is room for it."""
        if stream not in self.depths or stream not in self.writer:
            return False
        depth = self.depths[stream]
        return bool((self.written(stream)[depth:] < self.read(stream)[:-depth]).any())


def peak(written: Array, read: Array, first: int = 0, end: int | None = None) -> int:
    """Most words in a stream: word k stays from the cycle after it is written until it is read.

    Where it is asked, only while the words from `first` to `end` enter.
    """
    # When word k has entered, all words up to k have entered, and those that are read by its writing have left.
    left = np.searchsorted(read, written[first:end], side="right")
    return int((np.arange(first + 1, first + 1 + len(left)) - left).max())


def repeated(steps: Array, trips: int, frames: int) -> Array:
    """Iterations of one frame of `trips` iterations, for several frames one after the other."""
    return (steps[None, :] + trips * np.arange(frames)[:, None]).reshape(-1)


def stuck(actors: Sequence[Actor], depths: Mapping[str, int]) -> list[str]:
    """The full streams that tasks wait for when none can go on; none where a frame completes.

    Asks for the order of iterations only, not for cycles: exact, and slow where depths are small. As tasks with
    blocking reads and writes give the same streams in every order (Kahn, 1974), one that completes shows that all do.
    Several frames are one of actors that do all of it (`Actor.batch`).
    """
    reader = {stream: i for i, actor in enumerate(actors) for stream in actor.reads}
    writer = {stream: i for i, actor in enumerate(actors) for stream in actor.writes}
    done = [0] * len(actors)
    going = True
    full: list[str] = []
    while going:
        going, full = False, []
        for number, actor in enumerate(actors):
            reached = actor.trips
            for stream, steps in actor.reads.items():
                if stream in writer:
                    there = np.searchsorted(actors[writer[stream]].writes[stream], done[writer[stream]])
                    reached = min(reached, int(steps[there]) if there < len(steps) else actor.trips)
            for stream, steps in actor.writes.items():
                if stream in reader and stream in depths:
                    gone = np.searchsorted(actors[reader[stream]].reads[stream], done[reader[stream]])
                    room = gone + depths[stream]
                    if room < len(steps) and steps[room] <= reached:
                        reached = int(steps[room])
                        full.append(stream)
            going |= reached > done[number]
            done[number] = reached
    return full if any(d < actor.trips for d, actor in zip(done, actors, strict=True)) else []
