# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What tasks and streams do over time, found from the cycles of words, against what the simulator counts as it goes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from random_dataflow import networks

from resnet_hls.simulate.cycles import Network, Stream, Task, simulate
from resnet_hls.simulate.timeline import activity, most_in_buckets, occupancy


@given(networks(), st.integers(1, 4))
def test_waits_and_peaks(network: Network, frames: int) -> None:
    """Also of runs that end in a deadlock."""
    result = simulate(network, frames, times=True, cure=False)
    assert result.times is not None
    streams = {stream.name: stream for stream in network.streams}
    for task, figures in zip(network.tasks, result.tasks, strict=True):
        found = activity(task, streams, result.times, frames)
        waits = found.waits
        expected = {(name, False): n for name, n in figures.empty.items()}
        expected |= {(name, True): n for name, n in figures.full.items()}
        assert {port: cycles // result.simulated for port, cycles in waits.cycles().items()} == expected
        assert (waits.begin < waits.end).all()
        assert (waits.begin[1:] >= waits.end[:-1]).all()
        assert (found.frames[:, 0] < found.frames[:, 1]).all()
        assert (found.frames[1:, 0] >= found.frames[:-1, 1]).all()
    for stream, holds in zip(network.streams, result.streams, strict=True):
        _, words = occupancy(stream.name, result.times)
        assert words.max(initial=0) == holds.peak


def test_by_hand() -> None:
    """Two words a frame, of which the second comes late; a reader that takes a cycle for each and then three more."""
    words = np.array([0, 5], np.int64)
    network = Network(
        (
            Task("input", 6, {}, {"s": words}),
            Task("output", 5, {"s": np.array([0, 1], np.int64)}, {}),
        ),
        (Stream("s", 2),),
    )
    result = simulate(network, 2, times=True)
    assert result.times is not None
    assert result.times.written["s"].tolist() == [1, 6, 7, 12]
    assert result.times.read["s"].tolist() == [2, 7, 11, 13]
    found = activity(network.tasks[1], {"s": network.streams[0]}, result.times, 2)
    # The third word is there in cycle 8, but the reader is busy with its first frame to cycle 10.
    assert found.frames.tolist() == [[2, 11], [11, 14]]
    assert found.waits.begin.tolist() == [0, 3, 12]
    assert found.waits.end.tolist() == [2, 7, 13]
    assert [part.tolist() for part in occupancy("s", result.times)] == [
        [1, 3, 6, 7, 8, 14],
        [1, 0, 1, 2, 1, 0],
    ]


@pytest.mark.parametrize("bucket", [1, 2, 3, 8, 100])
def test_buckets(bucket: int) -> None:
    random = np.random.default_rng(bucket)
    for _ in range(50):
        cycles = np.unique(random.integers(0, 60, random.integers(0, 20)))
        values = random.integers(0, 5, len(cycles))
        every = np.zeros(200, np.int64)
        for cycle, value in zip(cycles, values, strict=True):
            every[cycle:] = value
        expected = every[: 200 // bucket * bucket].reshape(-1, bucket).max(axis=1)
        found = np.zeros(200, np.int64)
        at, most = most_in_buckets(cycles, values, bucket)
        for cycle, value in zip(at, most, strict=True):
            assert cycle % bucket == 0
            found[cycle:] = value
        np.testing.assert_array_equal(found[: len(expected) * bucket : bucket], expected)
        assert (at[1:] > at[:-1]).all()
