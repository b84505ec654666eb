# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How deep streams have to be: cases that can be found by hand, and random networks beside an exhaustive search.

What a network can do with some depths is asked of the simulation here, never of the search that chose them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from random_dataflow import networks

from resnet_hls.simulate.cycles import Network, Stream, Task, simulate
from resnet_hls.simulate.sizing import size

Steps = NDArray[np.int64]
Depths = dict[str, int]
#: Frames after which a rate is certain: what one frame is faster than the next adds up, until a stream is full.
FRAMES = 1000
#: Least depth of a stream.
MINIMUM = 2


def each(words: int, every: int = 1, first: int = 0) -> Steps:
    """Word k moves in iteration first + every * k."""
    return first + every * np.arange(words, dtype=np.int64)


def keeps(network: Network, depths: Mapping[str, int | None]) -> bool:
    """True when frames come as often as the slowest task can work on them."""
    found = simulate(network.with_depths(depths), FRAMES, cure=False)
    return found.completed and found.whole_interval == network.interval


def bits_of(network: Network, depths: Depths) -> int:
    return sum(depths[stream.name] * stream.bits for stream in network.streams)


def shallower(network: Network, depths: Depths) -> list[str]:
    """Streams of which each alone could have a word less."""
    names = [name for name, depth in depths.items() if depth > MINIMUM]
    return [name for name in names if keeps(network, depths | {name: depths[name] - 1})]


def least_bits(network: Network, depths: Depths) -> int:
    """The fewest bits of all depths that keep the interval, where `depths` do: found by trying them all.

    More room never costs the interval. So a stream needs at least what it needs where all others have plenty, and
    depths need not be looked at where their largest would not do.
    """
    widest = sorted(network.streams, key=lambda stream: -stream.bits)
    names, bits = [stream.name for stream in widest], [stream.bits for stream in widest]
    plenty = dict.fromkeys(names, 1000)
    floor = {
        name: next(depth for depth in range(MINIMUM, 1001) if keeps(network, plenty | {name: depth})) for name in names
    }
    best = bits_of(network, depths)

    def search(number: int, chosen: Depths, spent: int) -> None:
        nonlocal best
        left = best - 1 - spent  # bits above what streams need at least
        rest = range(number, len(names))
        if left < 0 or not keeps(network, chosen | {names[k]: floor[names[k]] + left // bits[k] for k in rest}):
            return
        if number == len(names):
            best = spent
            return
        name = names[number]
        for more in range(left // bits[number] + 1):
            search(number + 1, chosen | {name: floor[name] + more}, spent + more * bits[number])

    search(0, {}, bits_of(network, floor))
    return best


# By hand.


def fork_join(stages: int, late: int, window: int = 0, wide: int = 72) -> Network:
    """A task of `stages` stages that gives word k in iteration k + late, and beside it a skip.

    With a `window`, that is a task of so many stages on the skip, which makes words of `wide` bits of its words of 8.
    """
    words = 12
    fork = Task("fork", words, {"in": each(words)}, {"long": each(words), "skip": each(words)}, depth=3)
    long = Task("long", words, {"long": each(words)}, {"result": each(words, first=late)}, depth=stages)
    join = Task(
        "join", words, {"result": each(words), "wide" if window else "skip": each(words)}, {"out": each(words)}, depth=2
    )
    source = Task("input", words, {}, {"in": each(words)})
    sink = Task("output", words, {"out": each(words)}, {})
    streams = tuple(Stream(name, None) for name in ("in", "long", "skip", "result", "out"))
    if not window:
        return Network((source, fork, long, join, sink), streams)
    windows = Task("window", words, {"skip": each(words)}, {"wide": each(words)}, depth=window)
    return Network((source, fork, long, windows, join, sink), (*streams, Stream("wide", None, bits=wide)))


@pytest.mark.parametrize("late", [0, 1, 5])
@pytest.mark.parametrize("stages", [2, 4, 7])
def test_fork_join(stages: int, late: int) -> None:
    """A skip has room for what the long way holds: see test_fork_join of test_cycles.py."""
    found = size(fork_join(stages, late))
    assert found.depths == {"in": 2, "long": 2, "skip": stages + late + 2, "result": 2, "out": 2}
    assert found.bits == 8 * (stages + late + 2 + 4 * 2)
    assert found.settled


@pytest.mark.parametrize("late", [3, 8])
@pytest.mark.parametrize("window", [2, 3])
@pytest.mark.parametrize("stages", [3, 6])
def test_wide_words_wait_narrow(stages: int, window: int, late: int) -> None:
    """Words wait for the long way in front of the task that makes wide ones of them, and in its stages.

    `join` takes word k in some cycle J + k, and `fork` gave it stages + late + 1 cycles before. With two places behind
    it, `window` writes word k when k - 2 has been taken, in J + k - 1, and reads it when k - (window - 1) is written,
    in J + k - window. From then on a new word may come in one cycle later.
    """
    found = size(fork_join(stages, late, window))
    assert found.depths["wide"] == 2
    assert found.depths["skip"] == stages + late + 2 - window
    assert all(found.depths[name] == 2 for name in ("in", "long", "result", "out"))


def zipped(bits: int) -> Network:
    """As before, but what waits is a word of `bits`, made of two words of 8 bits from two streams."""
    network = fork_join(6, 8, 2, bits)
    streams = (*network.streams, Stream("second", None))

    def change(task: Task) -> Task:
        if task.name == "fork":
            return replace(task, writes={**task.writes, "second": each(12)})
        return replace(task, reads={**task.reads, "second": each(12)}) if task.name == "window" else task

    return Network(tuple(map(change, network.tasks)), streams)


@pytest.mark.parametrize(("bits", "narrow"), [(24, True), (12, False)])
def test_streams_that_depend_on_one_another(bits: int, narrow: bool) -> None:
    """A word less behind the task takes one more in each of both streams in front: 16 bits for 24, or for 12."""
    network = zipped(bits)
    found = size(network)
    assert (found.depths["wide"] == 2) == narrow
    assert (found.depths["skip"] > 2) == narrow
    assert (found.depths["second"] > 2) == narrow
    assert found.bits == least_bits(network, found.depths)


def one_at_a_time(network: Network) -> Depths:
    """The least that each stream needs where the others have room for what waits without bounds."""
    peaks = {figures.name: figures.peak for figures in simulate(network).streams}
    return {
        name: next(depth for depth in range(MINIMUM, peak + 2) if keeps(network, peaks | {name: depth}))
        for name, peak in peaks.items()
    }


@pytest.mark.parametrize(("make", "better"), [(lambda: fork_join(6, 8, 2), 3), (lambda: zipped(24), 1.25)])
def test_better_than_one_at_a_time(make: Callable[[], Network], better: float) -> None:
    network = make()
    alone = one_at_a_time(network)
    assert keeps(network, alone)
    assert bits_of(network, alone) > better * size(network).bits


def test_no_depths_are_enough() -> None:
    """A frame begins with a word of the frame before, which takes longer than a task works on a frame."""
    words, stages = 4, 9
    first = Task("first", words, {"back": np.array([words])}, {"there": each(words)}, depth=stages)
    second = Task("second", words, {"there": each(words)}, {"back": np.array([words - 1]), "out": each(words)})
    sink = Task("output", words, {"out": each(words)}, {})
    network = Network((first, second, sink), tuple(Stream(name, None) for name in ("back", "there", "out")))
    found = simulate(network, FRAMES)
    assert found.completed
    assert found.whole_interval > network.interval
    with pytest.raises(ValueError, match="no steady state at an interval of 4 cycles"):
        size(network)


def test_tasks_that_are_nearly_as_fast() -> None:
    """The first task is ahead by one more cycle with each frame, until it is held back: after some 200 frames."""
    first = Task("first", 200, {}, {"a": each(2, 100)})
    second = Task("second", 201, {"a": each(2, 100)}, {})
    network = Network((first, second), (Stream("a", None),))
    assert keeps(network, {"a": 2})
    assert size(network).depths == {"a": 2}


def test_what_others_need_not_hold() -> None:
    """The window needs two words; held back by it, `first` could be so late that `other` gets its words later."""
    first = Task("first", 8, {}, {"other": np.array([1, 3, 4, 6, 7]), "window": each(7)}, depth=5)
    other = Task("other", 7, {"other": np.array([0, 1, 2, 4, 5])}, {}, depth=4)
    window = Task(
        "window", 8, {"window": np.array([0, 1, 3, 5, 6, 7, 7])}, {"slow": np.array([5, 6, 7, 8, 11])}, depth=3
    )
    slow = Task("slow", 9, {"slow": np.array([4] * 5)}, {}, depth=6, interval=2)
    streams = (Stream("other", None, 16, latency=2), Stream("window", None), Stream("slow", None, 1))
    network = Network((first, other, window, slow), streams)
    assert keeps(network, {"other": 2, "window": 2, "slow": 5})
    assert size(network).depths == {"other": 2, "window": 2, "slow": 5}


# Random networks.


@given(network=networks(), minimum=st.integers(1, 3))
@settings(max_examples=5 * settings().max_examples)
def test_depths_keep_the_interval(network: Network, minimum: int) -> None:
    found = size(network, minimum=minimum)
    assert set(found.depths) == {stream.name for stream in network.streams}
    assert min(found.depths.values()) >= minimum
    assert found.bits == bits_of(network, found.depths) <= found.unbounded_bits
    assert keeps(network, found.depths)
    assert found.proof.completed
    assert found.proof.whole_interval == network.interval
    assert size(network, minimum=minimum).depths == found.depths


def test_few_bits() -> None:
    """How good a search is that is not exhaustive: nearly always the fewest bits, and seldom far from them.

    Where a stream alone could have a word less, the search has seen others that would then hold more.
    """
    ratios: list[float] = []
    loose: list[bool] = []

    @given(network=networks(most_tasks=4, most_forks=2))
    @settings(max_examples=20 * settings().max_examples)
    def collect(network: Network) -> None:
        found = size(network)
        ratios.append(found.bits / least_bits(network, found.depths))
        loose.append(bool(shallower(network, found.depths)))

    collect()
    assert np.mean(np.array(ratios) == 1) > 0.95, sorted(ratios)[::-1][:20]
    assert np.mean(loose) < 0.04
    assert max(ratios) < 1.5


def paced(network: Network) -> Network:
    """The same with a new frame once an interval, for all that begins one by itself."""
    tasks: list[Task] = []
    streams = list(network.streams)
    for task in network.tasks:
        if not task.reads:
            begin = f"begin {task.name}"
            pace = Task(f"pace {task.name}", 1, {}, {begin: each(1)}, interval=network.interval)
            tasks += [pace, replace(task, reads={begin: each(1)})]
            streams.append(Stream(begin, None))
        else:
            tasks.append(task)
    return Network(tuple(tasks), tuple(streams))


def steady_latency(network: Network, depths: Mapping[str, int | None], frames: int = 300) -> int:
    """Cycles from a frame's first word to its last result, long after the first frame."""
    times = simulate(paced(network.with_depths(depths)), frames, times=True).times
    assert times is not None

    def of_frame(cycles: NDArray[np.int64]) -> NDArray[np.int64]:
        return cycles.reshape(frames, -1)[frames - 3]

    begin = min(of_frame(times.written[name])[0] for task in network.tasks if not task.reads for name in task.writes)
    end = max(of_frame(times.read[name])[-1] for task in network.tasks if not task.writes for name in task.reads)
    return int(end - begin + 1)


def driven(network: Network) -> Network:
    """The same, but every task begins with a word that it reads, so that the first frame's time leaves no trace."""

    def change(task: Task) -> Task:
        if not task.reads:
            return task
        first = min(task.reads, key=lambda name: int(task.reads[name][0]))
        return replace(task, reads={**task.reads, first: task.reads[first] - task.reads[first][0]})

    return Network(tuple(map(change, network.tasks)), network.streams)


@given(network=networks().map(driven))
@settings(max_examples=5 * settings().max_examples)
def test_objective_latency(network: Network) -> None:
    """In the steady state, a frame takes no longer from its first word to its last result than with endless streams."""
    found = size(network, "latency")
    assert keeps(network, found.depths)
    endless = dict.fromkeys(found.depths, None)
    assert steady_latency(network, found.depths) <= steady_latency(network, endless)
