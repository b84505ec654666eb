# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cycles of tasks and streams: formulas that can be found by hand, then any network against one simulated by hand.

In the formulas `input` writes word k in cycle k + 1 if nothing holds it back (two stages, one word an iteration), and
what stands behind it reads it in cycle k + 2.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from random_dataflow import networks
from slow_reference import simulate_slowly

from resnet_hls.simulate.cycles import Network, Stream, Task, simulate

Steps = NDArray[np.int64]


def each(words: int, every: int = 1, first: int = 0) -> Steps:
    """Word k moves in iteration first + every * k."""
    return first + every * np.arange(words, dtype=np.int64)


def source(stream: str, words: int) -> Task:
    return Task("input", words, {}, {stream: each(words)})


def sink(stream: str, words: int) -> Task:
    return Task("output", words, {stream: each(words)}, {})


def check(network: Network, frames: int) -> tuple[dict[str, NDArray[np.int64]], dict[str, NDArray[np.int64]], int]:
    """Runs it in both simulators, which agree; the cycles of each stream's words and the cycles of all."""
    result = simulate(network, frames=frames, times=True)
    slow = simulate_slowly(network, frames)
    for stream in network.streams:
        np.testing.assert_array_equal(result.times.written[stream.name], slow.written[stream.name], stream.name)
        np.testing.assert_array_equal(result.times.read[stream.name], slow.read[stream.name], stream.name)
    assert (result.deadlock is not None) == slow.deadlock
    if not slow.deadlock:
        assert result.cycles == slow.cycles
    return result.times.written, result.times.read, result.cycles


@pytest.mark.parametrize("interval", [1, 2, 5])
@pytest.mark.parametrize("depth", [2, 3, 9])
@pytest.mark.parametrize("frames", [1, 4])
def test_one_task(depth: int, interval: int, frames: int) -> None:
    words = 6
    task = Task("task", words, {"in": each(words)}, {"out": each(words)}, depth=depth, interval=interval)
    network = Network((source("in", words), task, sink("out", words)), (Stream("in", 2), Stream("out", 2)))
    written, read, cycles = check(network, frames)
    k = np.arange(frames * words)
    # A word comes in every `interval` cycles and leaves the last stage depth - 1 cycles later; frames leave no gap.
    np.testing.assert_array_equal(read["in"], 2 + interval * k)
    np.testing.assert_array_equal(written["out"], 2 + interval * k + depth - 1)
    np.testing.assert_array_equal(read["out"], 2 + interval * k + depth)
    assert cycles == 2 + interval * (frames * words - 1) + depth + 1


@pytest.mark.parametrize("latency", [1, 2, 4])
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, None])
def test_throughput_of_a_stream(depth: int | None, latency: int) -> None:
    """Room comes back latency + 1 cycles after a word was written: `latency` until it is read, one until that shows."""
    words, frames = 7, 3
    network = Network((source("a", words), sink("a", words)), (Stream("a", depth, latency=latency),))
    written, read, _ = check(network, frames)
    k = np.arange(frames * words)
    room = len(k) if depth is None else depth
    np.testing.assert_array_equal(written["a"], 1 + k % room + k // room * max(latency + 1, room))
    np.testing.assert_array_equal(read["a"], written["a"] + latency)


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
@pytest.mark.parametrize("stages", [2, 3, 6])
@pytest.mark.parametrize("rate", [2, 3, 5])
def test_rate_mismatch(rate: int, stages: int, depth: int) -> None:
    """A task gives a word each cycle, the one behind it works on each for `rate` cycles."""
    words, frames = 6, 3
    fast = Task("fast", words, {"in": each(words)}, {"between": each(words)}, depth=stages)
    slow = Task("slow", rate * words, {"between": each(words, rate)}, {"out": each(words, rate, rate - 1)}, depth=4)
    network = Network(
        (source("in", words), fast, slow, sink("out", words)),
        (Stream("in", 2), Stream("between", depth), Stream("out", 2)),
    )
    written, read, _ = check(network, frames)
    first = 2 + stages - 1  # the cycle in which `fast` writes its first word
    for k in range(frames * words):
        # The slow task never waits; the fast one does for room in the stream, and then for its own second stage.
        assert read["between"][k] == first + 1 + rate * k
        assert written["out"][k] == first + 1 + rate * k + (rate - 1) + 3
        room = first + 1 + rate * (k - depth) + 1 if k >= depth else 0
        assert written["between"][k] == max(first + k, room)
        assert read["in"][k] == max(2 + k, written["between"][k - (stages - 1)] if k >= stages - 1 else 0)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_stalled_pipeline_fills(depth: int) -> None:
    """What waits for room lets come after it what its stages hold: bubbles close."""
    words, room, pause = 20, 3, 1000
    task = Task("task", words, {"in": each(words)}, {"out": each(words)}, depth=depth)
    slow = Task("slow", words, {"out": each(words)}, {}, interval=pause)
    network = Network((source("in", words), task, slow), (Stream("in", 2), Stream("out", room)))
    written, read, _ = check(network, 1)
    first = read["out"][0]
    # One word was read, `room` stand in the stream, and depth - 1 in the stages behind the first.
    assert np.sum(written["out"] < first + pause) == 1 + room
    assert np.sum(read["in"] < first + pause) == 1 + room + depth - 1


def test_a_stalled_pipeline_drains() -> None:
    """What waits for a word does not hold back what is ahead of it."""
    depth, pause = 9, 100
    rare = Task("rare", 2, {}, {"in": each(2)}, interval=pause)
    task = Task("task", 2, {"in": each(2)}, {"out": each(2)}, depth=depth)
    network = Network((rare, task, sink("out", 2)), (Stream("in", 2), Stream("out", 2)))
    written, _, _ = check(network, 1)
    np.testing.assert_array_equal(written["out"], [2 + depth - 1, 2 + pause + depth - 1])


def fork_join(stages: int, depth: int, late: int = 0, overlap: bool = False, words: int = 12) -> Network:
    """A skip of `depth` words beside a task of `stages` stages that gives word k in iteration k + late."""
    more = 0 if overlap else late
    fork = Task("fork", words, {"in": each(words)}, {"long": each(words), "skip": each(words)}, depth=3)
    long = Task("long", words + more, {"long": each(words)}, {"result": each(words, first=late)}, depth=stages)
    join = Task("join", words, {"result": each(words), "skip": each(words)}, {"out": each(words)}, depth=2)
    return Network(
        (source("in", words), fork, long, join, sink("out", words)),
        (Stream("in", 2), Stream("long", 2), Stream("skip", depth), Stream("result", 2), Stream("out", 2)),
    )


@pytest.mark.parametrize("stages", [2, 4, 7])
@pytest.mark.parametrize("shallow", [-4, -1, 0, 1])
def test_fork_join(stages: int, shallow: int) -> None:
    """The skip's room comes back after the long way: one cycle, its stages, one more, and one until it shows.

    That many words less one wait in it at full speed, and it needs one place more, as the full flag is a register.
    """
    words, frames = 12, 2
    around = stages + 2
    depth = max(1, around + shallow)
    written, read, cycles = check(fork_join(stages, depth), frames)
    k = np.arange(frames * words)
    np.testing.assert_array_equal(written["skip"], 4 + k % depth + k // depth * max(around, depth))
    np.testing.assert_array_equal(written["long"], written["skip"])
    np.testing.assert_array_equal(written["result"], written["long"] + stages)
    np.testing.assert_array_equal(read["skip"], written["skip"] + stages + 1)
    assert cycles == read["skip"][-1] + 3
    if shallow >= 0:
        assert cycles == 4 + frames * words - 1 + stages + 1 + 3


@pytest.mark.parametrize("late", [1, 4])
def test_deadlock(late: int) -> None:
    """The long way gives nothing before it has late + 1 words, and so many must the skip take."""
    stages = 3
    network = fork_join(stages, late, late)
    written, read, _ = check(network, 2)
    assert simulate(network, frames=2).deadlock is not None
    for stream in ("long", "skip"):
        np.testing.assert_array_equal(written[stream][:late], 4 + np.arange(late))
        assert np.all(written[stream][late:] == -1)
    assert np.sum(read["long"] >= 0) == late
    for stream in ("skip", "result", "out"):
        assert np.all(read[stream] == -1)
    # The fork holds two iterations in its stages behind the first, and two words wait in front of it.
    assert np.sum(read["in"] >= 0) == late + 2
    assert np.sum(written["in"] >= 0) == late + 2 + 2


@pytest.mark.parametrize("late", [1, 4])
def test_no_deadlock(late: int) -> None:
    written, read, _ = check(fork_join(3, late + 1, late), 2)
    assert np.all(read["out"] >= 0)
    assert written["result"][0] == written["long"][late] + 3


def test_overlap() -> None:
    """A task that is late by some words gives a frame's last ones with the next frame's first, without a pause."""
    words, frames, late, stages = 12, 3, 4, 3
    written, _, cycles = check(fork_join(stages, 100, late, overlap=True), frames)
    k = np.arange(frames * words)
    np.testing.assert_array_equal(written["skip"], 4 + k)
    # In the round after the last frame it waits for no words.
    np.testing.assert_array_equal(written["result"], 4 + k + late + stages)
    assert cycles == 4 + frames * words - 1 + late + stages + 1 + 3
    # Without overlap each frame begins `late` cycles later than the one before has ended.
    written, _, _ = check(fork_join(stages, 100, late, overlap=False), frames)
    np.testing.assert_array_equal(written["result"], 4 + k + late + stages + k // words * late)


def test_several_words_in_an_iteration() -> None:
    """They move in one cycle, and all of them must fit."""
    pair = Task("pair", 3, {}, {"a": np.repeat(each(3), 2)})
    single = Task("single", 6, {"a": each(6)}, {})
    written, read, _ = check(Network((pair, single), (Stream("a", 2),)), 2)
    # Both places are free the cycle after the second word of the pair before was read.
    np.testing.assert_array_equal(written["a"], np.repeat(1 + 3 * each(6), 2))
    np.testing.assert_array_equal(read["a"], np.repeat(1 + 3 * each(6), 2) + np.tile([1, 2], 6))
    written, _, _ = check(Network((pair, single), (Stream("a", 1),)), 2)
    assert np.all(written["a"] == -1)


@settings(max_examples=5 * settings().max_examples)
@given(network=networks(), frames=st.integers(1, 4))
def test_any_network(network: Network, frames: int) -> None:
    check(network, frames)


@settings(max_examples=5 * settings().max_examples)
@given(network=networks(), frames=st.integers(5, 40))
def test_skipped_frames(network: Network, frames: int) -> None:
    """Frames that are not run, because they are shifts of the one before, end as if they had been; so is a frame."""
    skipped, run = simulate(network, frames, cure=False), simulate(network, frames, times=True, cure=False)
    assert (skipped.deadlock is None) == (run.deadlock is None)
    if skipped.deadlock is not None:
        return
    assert (skipped.cycles, skipped.latency) == (run.cycles, run.latency)
    for stream, all_of_it in zip(skipped.streams, run.streams, strict=True):
        assert stream.peak == all_of_it.peak
    if skipped.steady:
        assert all(task.busy + task.stalled == int(skipped.interval or 0) for task in skipped.tasks)


@settings(max_examples=5 * settings().max_examples)
@given(network=networks(), frames=st.integers(1, 3))
def test_since_when_a_deadlock_waits(network: Network, frames: int) -> None:
    """A stage of the circle has moved its last word before it waits, and the last of them waits from `cycle` on."""
    found = simulate(network, frames, times=True)
    if found.deadlock is None or not found.deadlock.waits:
        return
    assert found.times is not None
    tasks = {task.name: task for task in network.tasks}
    for wait in found.deadlock.waits:
        moved, streams = (found.times.written, tasks[wait.task].writes) if wait.full else (
            found.times.read, tasks[wait.task].reads
        )  # fmt: skip
        assert all(moved[stream].max(initial=-1) < wait.since for stream in streams)
    assert found.deadlock.cycle == max(wait.since for wait in found.deadlock.waits)
    if found.deadlock.cure:
        cured = network.with_depths(found.deadlock.cure)
        assert simulate(cured, max(frames, network.frames_that_show)).completed
        for name, depth in found.deadlock.cure.items():
            if depth > 1:
                less = cured.with_depths({name: depth - 1})
                unchanged = {s.name: s.depth for s in network.streams}[name] == depth
                assert unchanged or not simulate(less, max(frames, network.frames_that_show), cure=False).completed


def test_a_circle_limits_the_rate() -> None:
    """A skip with too little room: the limit is a circle with the full skip, and its parts are the whole interval."""
    stages, words = 6, 32
    found = simulate(fork_join(stages, 3, 0, words=words), 20)
    assert found.steady
    assert found.interval == pytest.approx(words * (stages + 2) / 3)  # three frames repeat
    assert any(limit.full and limit.stream == "skip" for limit in found.limits)
    assert found.interval is not None
    assert sum(limit.cycles for limit in found.limits) == int(found.interval)
    busy = simulate(fork_join(stages, stages + 2, 0, words=words), 20)
    assert busy.interval == words
    assert [(limit.stream, limit.cycles) for limit in busy.limits] == [("", words)]


def test_no_network() -> None:
    """What is no network is refused by name."""
    one = Task("one", 4, {}, {"a": each(4)})
    two = Task("two", 4, {"a": each(4)}, {})
    for tasks, streams, why in (
        ((one, two), (Stream("a", 0),), "stream 'a' has room for 0 words"),
        ((one,), (Stream("a", 2),), "stream 'a' has no reader"),
        ((two,), (Stream("a", 2),), "stream 'a' has no writer"),
        ((one, Task("again", 4, {}, {"a": each(4)}), two), (Stream("a", 2),), "stream 'a' has two writers"),
        ((one, two, Task("again", 4, {"a": each(4)}, {})), (Stream("a", 2),), "stream 'a' has two readers"),
        ((one, Task("two", 4, {"a": each(3)}, {})), (Stream("a", 2),), "written 4 words a frame, and read 3"),
        ((one, Task("two", 4, {"a": each(4)}, {}, depth=1)), (Stream("a", 2),), "fewer than two pipeline stages"),
        ((one, Task("two", 4, {"a": each(4, every=2)}, {})), (Stream("a", 2),), "more iterations than a frame has"),
    ):
        with pytest.raises(ValueError, match=why):
            simulate(Network(tasks, streams))
    with pytest.raises(ValueError, match="0 frames"):
        simulate(Network((one, two), (Stream("a", 2),)), 0)


def test_too_many_cycles() -> None:
    one, two = Task("one", 4, {}, {"a": each(4)}), Task("two", 4, {"a": each(4)}, {})
    network = Network((one, two), (Stream("a", 2),))
    assert not simulate(network, 10, most_cycles=100).exceeded
    assert simulate(network, 10, most_cycles=20).exceeded
    assert simulate(network, 1000, most_cycles=1000).exceeded  # most of them are not run one by one
