# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Traces: what Perfetto needs of them, and that they say what the simulation says."""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from random_dataflow import networks

from resnet_hls.errors import UserError
from resnet_hls.simulate import trace as traces
from resnet_hls.simulate.cycles import Network, Stream, Task, simulate

Event = dict[str, Any]


def by_track(events: list[Event], phase: str, key: str) -> dict[Any, list[Event]]:
    found = defaultdict(list)
    for event in events:
        if event["ph"] == phase:
            found[event[key]].append(event)
    return found


def check(events: list[Event], network: Network) -> None:
    """Names first, then all by time; slices lie in one another or apart; counters within depths."""
    first = next((n for n, event in enumerate(events) if event["ph"] != "M"), len(events))
    assert all(event["ph"] in "XCi" for event in events[first:])
    keys = [(event["ts"], -event.get("dur", 0)) for event in events[first:]]
    assert keys == sorted(keys)
    names = {event["tid"]: event["args"]["name"] for event in events[:first] if event["name"] == "thread_name"}
    assert list(names.values()) == [task.name for task in network.tasks]
    for slices in by_track(events, "X", "tid").values():
        open_ends: list[int] = []
        for event in slices:
            begin, end = event["ts"], event["ts"] + event["dur"]
            assert event["dur"] > 0
            while open_ends and open_ends[-1] <= begin:
                open_ends.pop()
            assert not open_ends or end <= open_ends[-1]
            open_ends.append(end)
    depths = {stream.name: stream.depth for stream in network.streams}
    for name, counts in by_track(events, "C", "name").items():
        words = [event["args"]["words"] for event in counts]
        assert min(words) >= 0
        assert depths[name] is None or max(words) <= depths[name]


@given(networks(), st.integers(1, 4), st.sampled_from([20, 200, 100_000]))
def test_any_network(network: Network, frames: int, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traces, "_EVENTS", most)
        result = simulate(network, frames, times=True, cure=False)
        events = traces.trace(network, result, "design", 250.0)["traceEvents"]
    check(events, network)
    for tid, slices in by_track(events, "X", "tid").items():
        waits = sum(event["name"].endswith((" is empty", " is full")) for event in slices)
        assert waits <= most // len(network.tasks) + 2  # two that never end
        figures = result.tasks[tid - 1]
        if most == 100_000 and result.deadlock is None:
            waited = sum(event["args"]["cycles"] for event in slices if "args" in event)
            # Figures are averages that are rounded down, for each stream.
            ports = len(figures.empty) + len(figures.full)
            assert figures.stalled <= waited / result.simulated < figures.stalled + ports
            spans = [(event["ts"], event["dur"]) for event in slices if event["name"].startswith("frame")]
            assert len(spans) == frames
    if result.deadlock is not None:
        assert [event["ts"] for event in events if event["ph"] == "i"] == [result.deadlock.cycle]


def test_frames_begin_with_their_first_word() -> None:
    words = np.arange(4, dtype=np.int64)
    network = Network(
        (
            Task("input", 4, {}, {"a": words}),
            Task("half", 8, {"a": 2 * words}, {"b": 2 * words}, depth=5),
            Task("output", 4, {"b": words}, {}),
        ),
        (Stream("a", 2), Stream("b", 2)),
    )
    result = simulate(network, 3, times=True)
    assert result.times is not None
    events = traces.trace(network, result, "design", 100.0)["traceEvents"]
    begins = [event["ts"] for event in by_track(events, "X", "tid")[2] if event["name"].startswith("frame")]
    assert begins == result.times.read["a"][::4].tolist()
    counts = by_track(events, "C", "name")["a"]
    assert max(event["args"]["words"] for event in counts) == result.streams[0].peak == 2


def test_files(tmp_path: Path) -> None:
    words = np.arange(4, dtype=np.int64)
    network = Network((Task("input", 4, {}, {"a": words}), Task("output", 4, {"a": words}, {})), (Stream("a", 2),))
    traces.save(tmp_path / "trace.json", network, 1000, "net", 250.0)
    traces.save(tmp_path / "trace.json.gz", network, 1000, "net", 250.0)
    text = (tmp_path / "trace.json").read_text()
    assert gzip.decompress((tmp_path / "trace.json.gz").read_bytes()).decode() == text
    content = json.loads(text)
    assert content["otherData"]["frames"] == traces.FRAMES
    assert "1 µs is a cycle, 4 ns at 250 MHz" in text
    assert {path.name for path in tmp_path.iterdir()} == {"trace.json", "trace.json.gz"}
    with pytest.raises(UserError, match="No such file"):
        traces.save(tmp_path / "none" / "trace.json", network, 1, "net", 250.0)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        traces.save(tmp_path / "folder", network, 1, "net", 250.0)
    assert {path.name for path in tmp_path.iterdir()} == {"trace.json", "trace.json.gz", "folder"}
