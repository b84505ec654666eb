# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Schedules of random networks against a simulation that goes from cycle to cycle, without any closed form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_hls.analysis import waiting
from resnet_hls.analysis.iterations import Array
from resnet_hls.analysis.schedule import Network
from resnet_hls.analysis.timing import Actor, Timing, peak, repeated, stuck
from resnet_hls.analysis.waiting import least_depths

Depths = dict[str, int]


@dataclass(frozen=True)
class Case:
    """Actors in order, and the cycles at which a frame's words of "image" arrive."""

    actors: list[Actor]
    image: Array
    interval: int

    def timing(self, frames: int, following: bool = False) -> Timing:
        arrivals = {"image": repeated(self.image, self.interval, frames)}
        return Timing(self.actors, arrivals, frames, self.interval if following else 0)


@dataclass(frozen=True)
class Simulated:
    """The cycle in which each word was written and read."""

    written: dict[str, list[int]]
    read: dict[str, list[int]]

    def waiting(self, stream: str) -> int:
        """Most words in a stream, counted at the end of every cycle."""
        written, read = self.written[stream], self.read[stream]
        last = max(read)
        return max(sum(w <= cycle for w in written) - sum(r <= cycle for r in read) for cycle in range(-1, last + 1))


def simulate(case: Case, depths: Mapping[str, int], frames: int, following: bool = False) -> Simulated | None:
    """Every cycle, every actor runs its next iteration if it can; None when one day none can.

    What is left of the last frame runs no sooner than the interval allows where others follow.
    """
    readers = {stream for actor in case.actors for stream in actor.reads}
    arrivals = [int(cycle) + frame * case.interval for frame in range(frames) for cycle in case.image]
    written: dict[str, list[int]] = {"image": [cycle - 1 for cycle in arrivals]}
    read: dict[str, list[int]] = {}
    for actor in case.actors:
        written |= {stream: [] for stream in actor.writes}
        read |= {stream: [] for stream in actor.reads}
    iterations = [actor.trips * (frames + actor.overlaps) for actor in case.actors]
    ran: list[list[int]] = [[] for _ in case.actors]
    cycle = 0

    def words(actor: Actor, steps: Array, iteration: int) -> int:
        """Of the frame that has begun, and of the one before it."""
        frame, step = divmod(iteration, actor.trips)
        begun = int((steps == step).sum()) if frame < frames else 0
        return begun + (int((steps == step + actor.trips).sum()) if frame > 0 else 0)

    def is_early(number: int) -> bool:
        """Whether an actor has to wait with what is left of the last frame."""
        actor, iteration = case.actors[number], len(ran[number])
        frame, step = divmod(iteration, actor.trips)
        moment = any((steps % actor.trips == step).any() for steps in actor.steps)
        left = following and frame == frames and iteration < iterations[number] and moment
        return left and cycle < ran[number][iteration - actor.trips] + case.interval

    def runs(number: int) -> bool:
        actor, iteration = case.actors[number], len(ran[number])
        if iteration == iterations[number] or is_early(number):
            return False
        for stream, steps in actor.reads.items():
            wanted = len(read[stream]) + words(actor, steps, iteration)
            if len([w for w in written[stream] if w < cycle]) < wanted:
                return False
        for stream, steps in actor.writes.items():
            wanted = len(written[stream]) + words(actor, steps, iteration)
            if stream in depths and stream in readers and wanted - len(read[stream]) > depths[stream]:
                return False
        return True

    while any(len(cycles) < count for cycles, count in zip(ran, iterations, strict=True)):
        going = cycle <= max(arrivals) or any(is_early(number) for number in range(len(case.actors)))
        # Readers first: a word that leaves makes room in the same cycle.
        for number in reversed(range(len(case.actors))):
            actor = case.actors[number]
            if runs(number):
                for stream, steps in actor.reads.items():
                    read[stream] += [cycle] * words(actor, steps, len(ran[number]))
                for stream, steps in actor.writes.items():
                    written[stream] += [cycle] * words(actor, steps, len(ran[number]))
                ran[number].append(cycle)
                going = True
        if not going:
            return None
        cycle += 1
    return Simulated(written, read)


@st.composite
def cases(draw: st.DrawFn, most: int = 5) -> Case:
    """Up to five actors; every one reads the image or what an earlier one writes; what nobody reads leaves.

    Some write a part of a frame in the iterations of the next.
    """
    count = draw(st.integers(1, most))
    reads: list[dict[str, Array]] = [{} for _ in range(count)]
    writes: list[dict[str, Array]] = [{} for _ in range(count)]
    trips = [draw(st.integers(1, 12)) for _ in range(count)]
    overlaps = [draw(st.booleans()) for _ in range(count)]

    def steps(number: int, words: int, late: bool = False) -> Array:
        first = draw(st.integers(0, trips[number] - 1)) if late and overlaps[number] else 0
        steps = st.integers(first, first + trips[number] - 1)
        return np.sort(draw(st.lists(steps, min_size=words, max_size=words)))

    words = draw(st.integers(1, 8))
    reads[0]["image"] = steps(0, words)
    for reader in range(1, count):
        for writer in sorted(draw(st.sets(st.integers(0, reader - 1), min_size=1, max_size=2))):
            stream, between = f"{writer}_to_{reader}", draw(st.integers(1, 8))
            writes[writer][stream] = steps(writer, between, late=True)
            reads[reader][stream] = steps(reader, between)
    for number in range(count):
        if not writes[number]:
            writes[number][f"out_{number}"] = steps(number, draw(st.integers(1, 4)), late=True)
    interval = max([*trips, words])
    actors = [Actor(t, r, w) for t, r, w in zip(trips, reads, writes, strict=True)]
    return Case(actors, np.arange(words, dtype=np.int64) * interval // words, interval)


def streams(case: Case) -> list[str]:
    return [stream for actor in case.actors for stream in actor.reads]


def check(case: Case, timing: Timing, simulated: Simulated) -> None:
    for actor in case.actors:
        for stream in actor.reads:
            assert timing.read(stream).tolist() == simulated.read[stream]
            assert timing.peak(stream) == simulated.waiting(stream)
        for stream in actor.writes:
            assert timing.written(stream).tolist() == simulated.written[stream]


@given(case=cases(), frames=st.integers(1, 3), following=st.booleans())
def test_unlimited(case: Case, frames: int, following: bool) -> None:
    timing, simulated = case.timing(frames, following), simulate(case, {}, frames, following)
    assert simulated is not None
    assert timing.settle({}, rounds=1)
    check(case, timing, simulated)


def some_depths(case: Case, data: st.DataObject) -> Depths:
    return {s: data.draw(st.integers(1, 5)) for s in streams(case) if s != "image" and data.draw(st.booleans())}


@given(case=cases(), frames=st.integers(1, 3), following=st.booleans(), data=st.data())
def test_limited(case: Case, frames: int, following: bool, data: st.DataObject) -> None:
    """Any depths: the same schedule, or none in both."""
    depths = some_depths(case, data)
    timing, simulated = case.timing(frames, following), simulate(case, depths, frames, following)
    assert timing.settle(depths, rounds=500) == (simulated is not None)
    assert bool(stuck([actor.batch(frames) for actor in case.actors], depths)) == (simulated is None)
    if simulated is not None:
        check(case, timing, simulated)


@given(case=cases(), data=st.data())
def test_as_many_frames_as_show(case: Case, data: st.DataObject) -> None:
    """Where so many frames complete, any number does."""
    depths = some_depths(case, data)
    frames = Network(case.actors, {}, case.interval, "image", "", len(case.image)).frames_that_show
    few, many = ([actor.batch(n) for actor in case.actors] for n in (frames, 4 * frames + 3))
    assert bool(stuck(few, depths)) == bool(stuck(many, depths))


@given(case=cases(), minimum=st.integers(1, 3), data=st.data())
def test_least_depths(case: Case, minimum: int, data: st.DataObject) -> None:
    """With the depths that are found, results come when they come with unlimited ones, and fewer bits wait."""
    frames = 6
    timing, free = case.timing(frames, following=True), simulate(case, {}, frames, following=True)
    assert free is not None
    timing.settle({})
    results = [s for actor in case.actors for s in actor.writes if s not in timing.reader]
    plain = {s: max(minimum, timing.peak(s)) for s in (*streams(case), *results)}
    bits = {s: data.draw(st.integers(1, 64)) for s in plain}
    depths = least_depths(timing, bits, minimum, case.interval)
    assert sum(bits[s] * depths[s] for s in bits) <= sum(bits[s] * plain[s] for s in bits)
    held = simulate(case, depths, frames, following=True)
    assert held is not None
    check(case, timing, held)
    for stream in results:
        assert held.written[stream] == free.written[stream]
    # In frames that the choice has not seen, too.
    longer = simulate(case, depths, 2 * frames, following=True)
    assert longer is not None
    if timing.is_steady(case.interval):
        for stream in results:
            in_time = beyond(held.written[stream], case, frames)
            assert all(a <= b for a, b in zip(longer.written[stream], in_time, strict=True))


def beyond(cycles: Sequence[int], case: Case, frames: int) -> list[int]:
    """Cycles of some frames, and of as many more, each an interval behind the one before."""
    frame = len(cycles) // frames
    return [*cycles, *(c + case.interval * (n + 1) for n in range(frames) for c in cycles[-frame:])]


def steps(*numbers: int) -> Array:
    return np.array(numbers, np.int64)


def skip(**widths: int) -> tuple[Case, dict[str, int]]:
    """Sixteen words go two ways: `main` gives its first when it has read nine, `side` hands each on at once."""
    every, late = np.arange(16), np.arange(8, 24)
    actors = [
        Actor(24, {"image": every}, {"to_main": every, "to_side": every}),
        Actor(24, {"to_main": every}, {"sums": late}),
        Actor(24, {"to_side": every}, {"skip": every}),
        Actor(24, {"sums": every, "skip": every}, {"result": every}),
    ]
    bits = dict.fromkeys(["image", "to_main", "to_side", "sums", "skip", "result"], 8)
    return Case(actors, every * 24 // 16, 24), bits | widths


@pytest.mark.parametrize(
    ("widths", "longer"),
    [({"skip": 16}, "to_side"), ({"skip": 4}, "skip"), ({}, "to_side")],
    ids=["widens", "narrows", "copies"],
)
def test_words_wait_where_they_are_small(widths: dict[str, int], longer: str) -> None:
    """A task that widens words on a skip is held back, so that they wait before it; one that narrows them is not.

    Where that is all the same, they wait in both: each has room for two anyway.
    """
    case, bits = skip(**widths)
    timing = case.timing(4)
    timing.settle({})
    depths = least_depths(timing, bits, 2, case.interval)
    shorter = {"skip": "to_side", "to_side": "skip"}[longer]
    assert depths[longer] >= 8
    assert depths[shorter] == 2


@pytest.mark.parametrize("together", [1, 2])
def test_held_back_together(monkeypatch: pytest.MonkeyPatch, together: int) -> None:
    """Holding back the last task of the skip costs bits; with the one before it, it saves them."""
    monkeypatch.setattr(waiting, "TOGETHER", together)
    case, bits = skip()
    converter = Actor(24, {"skip": np.arange(16)}, {"skip_2": np.arange(16)})
    last = Actor(24, {"sums": np.arange(16), "skip_2": np.arange(16)}, {"result": np.arange(16)})
    case = Case([*case.actors[:3], converter, last], case.image, case.interval)
    timing = case.timing(4)
    timing.settle({})
    depths = least_depths(timing, bits | {"skip": 24, "skip_2": 16}, 2, case.interval)
    assert depths["skip"] == 2
    assert depths["skip_2"] == (8 if together == 1 else 2)
    assert depths["to_side"] == (2 if together == 1 else 6)


def test_too_little_room_never_settles() -> None:
    case, _ = skip()
    assert not case.timing(1).settle({"skip": 2, "to_side": 2})
    assert stuck(case.actors, {"skip": 2, "to_side": 2}) == ["to_side", "skip"]
    assert case.timing(1).settle({"skip": 4, "to_side": 5})


def test_steady() -> None:
    """A task of more iterations than the interval falls behind with every frame."""
    slow = Actor(10, {"image": steps(0)}, {"out": steps(9)})
    timing = Timing([slow], {"image": repeated(steps(0), 8, 3)}, 3)
    assert timing.settle({})
    assert not timing.is_steady(8)
    assert timing.is_steady(10)


def overlapping() -> Case:
    """Two words a frame: the second is handed on while the first of the next frame is read."""
    late = Actor(2, {"image": steps(0, 1)}, {"late": steps(1, 2)})
    return Case([late, Actor(2, {"late": steps(0, 1)}, {"out": steps(0, 1)})], steps(0, 5), 10)


@pytest.mark.parametrize(("following", "last"), [(True, 21), (False, 17)], ids=["others_follow", "last_frame"])
def test_a_frame_ends_in_the_next(following: bool, last: int) -> None:
    """The second word waits for the first of the next frame, and the last of all for nothing or as long."""
    timing = overlapping().timing(2, following)
    assert timing.settle({})
    assert timing.written("late").tolist() == [5, 10, 15, last - 1]
    assert timing.read("late").tolist() == [6, 11, 16, last]
    assert timing.is_steady(10)


def test_peak_of_a_part() -> None:
    """Words that wait while only the last ones enter; those before count where they are still there."""
    written, read = steps(0, 1, 2, 10, 11), steps(5, 6, 12, 13, 14)
    assert peak(written, read) == 3
    assert peak(written, read, 0, 2) == 2
    assert peak(written, read, 3, 4) == 2
