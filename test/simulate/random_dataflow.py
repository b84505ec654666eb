# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random networks of tasks and streams, small enough that a cycle-by-cycle simulator runs them.

Any acyclic graph: chains, forks that join, several streams between the same two tasks. A word moves in any iteration,
several may move in one, and a frame's last words may move in the next frame's iterations. Many of the depths are too
small for the throughput, and some for anything to end.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from resnet_hls.simulate.cycles import Network, Stream, Task

Steps = NDArray[np.int64]
PATTERNS = ("even", "late", "random", "bursts", "overlap")


@st.composite
def steps(draw: st.DrawFn, iterations: int, words: int) -> Steps:
    """The iterations of a frame in which its words move.

    They may lie in the next frame's iterations, but never so far that its first word would move before.
    """
    pattern = draw(st.sampled_from(PATTERNS))
    if pattern == "even":
        found = np.arange(words) * iterations // words
    elif pattern == "late":
        found = ((np.arange(words) + 1) * iterations - 1) // words
    elif pattern == "bursts":
        rows = sorted(draw(st.lists(st.integers(0, iterations - 1), min_size=1, max_size=2)))
        found = np.sort(np.resize(rows, words))
    else:
        found = np.sort(draw(st.lists(st.integers(0, iterations - 1), min_size=words, max_size=words)))
        if pattern == "overlap":
            found = found + draw(st.integers(0, iterations))
    return np.asarray(np.minimum(found, 2 * iterations - 1), np.int64)


@st.composite
def networks(draw: st.DrawFn, most_tasks: int = 6, most_forks: int = 3) -> Network:
    """A network of two to `most_tasks` tasks; every task but the first reads from one before it.

    `most_forks` are the streams beyond those, which make forks and joins of it.
    """
    count = draw(st.integers(2, most_tasks))
    edges = [(draw(st.integers(max(0, reader - 2), reader - 1)), reader) for reader in range(1, count)]
    edges += [
        (writer, draw(st.integers(writer + 1, count - 1)))
        for writer in draw(st.lists(st.integers(0, count - 2), max_size=most_forks))
    ]
    iterations = [draw(st.integers(1, 10)) for _ in range(count)]
    reads: list[dict[str, Steps]] = [{} for _ in range(count)]
    writes: list[dict[str, Steps]] = [{} for _ in range(count)]
    streams = []
    for number, (writer, reader) in enumerate(edges):
        name = f"s{number}"
        words = draw(st.integers(1, 10))
        # Two ends that agree are what lets a network without much room run at all.
        same = iterations[writer] == iterations[reader] and draw(st.booleans())
        writes[writer][name] = draw(steps(iterations[writer], words))
        reads[reader][name] = writes[writer][name].copy() if same else draw(steps(iterations[reader], words))
        depth = draw(st.none() | st.integers(1, 4) | st.integers(1, 2 * words + 2))
        bits, latency = draw(st.sampled_from((8, 1, 16, 64))), draw(st.sampled_from((1, 1, 2, 3)))
        streams.append(Stream(name, depth, bits, latency))
    tasks = tuple(
        Task(
            f"t{number}",
            iterations[number],
            reads[number],
            writes[number],
            depth=draw(st.one_of(st.integers(2, 8), st.integers(20, 40))),
            interval=draw(st.sampled_from((1, 1, 1, 2, 3))),
        )
        for number in range(count)
    )
    return Network(tasks, tuple(streams))
