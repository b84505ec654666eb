# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a simulation says to people, on networks whose rate is limited in each of the ways there are."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from resnet_hls.report import simulation as text
from resnet_hls.simulate.cycles import Network, Stream, Task, simulate
from resnet_hls.simulate.scheduled import Design

WORDS = 8


def each(every: int = 1, first: int = 0) -> NDArray[np.int64]:
    return first + every * np.arange(WORDS, dtype=np.int64)


def result(*tasks: Task, frames: int = 10, **depths: int) -> text.Result:
    """Of tasks between `input`, which writes stream `a`, and `output`, which reads stream `z`."""
    ends = (Task("input", WORDS, {}, {"a": each()}), *tasks, Task("output", WORDS, {"z": each()}, {}))
    streams = list(dict.fromkeys(stream for task in ends for stream in task.writes))
    network = Network(ends, tuple(Stream(name, depths.get(name, 2)) for name in streams))
    return text.Result(Design("net", Path("out/ir/40-scheduled.mlir"), 250.0, network), simulate(network, frames))


def skip(**depths: int) -> text.Result:
    """A fork whose long way needs all but one of the words before it gives the first."""
    fork = Task("fork", WORDS, {"a": each()}, {"long": each(), "skip": each()})
    last = Task("last", 2 * WORDS, {"long": each()}, {"sums": each(1, WORDS - 2)})
    join = Task("join", WORDS, {"sums": each(), "skip": each()}, {"z": each()})
    return result(fork, last, join, **depths)


def rendered(found: text.Result) -> str:
    console = Console(file=io.StringIO(), width=120)
    text.render(found, console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_a_busy_task() -> None:
    found = result(
        Task("slow", 4 * WORDS, {"a": each(4)}, {"b": each(4)}),
        Task("second", 4 * WORDS, {"b": each(4)}, {"z": each(4)}),
    )
    assert found.simulation.interval == 32
    assert text.limited_by(found.simulation) in ("slow", "second")
    lines = text.lines(found)
    assert "  7,812,500 frames/s (simulated): a frame every 32 cycles, steady after" in lines[1]
    assert "unroll it further" in lines[4]
    assert lines[5].startswith("  as busy are ")
    assert text.limit_rows(found.simulation)[0].items() >= {"stream": None, "kind": "busy", "cycles": 32}.items()
    row = next(line for line in rendered(found).splitlines() if "output" in line)
    assert "25 %" in row
    assert "75 % empty z" in row


def test_the_input() -> None:
    found = result(Task("fast", WORDS, {"a": each()}, {"z": each()}))
    if text.limited_by(found.simulation) == "input":
        assert any("limited by the input" in line for line in text.lines(found))
    assert found.simulation.interval == WORDS


def test_a_shallow_stream() -> None:
    """Deep enough to run, not deep enough to run without waiting."""
    deep = skip(skip=20)
    assert deep.simulation.interval == 2 * WORDS
    assert text.limited_by(deep.simulation) != "skip"
    depths = range(1, 20)
    runs = {depth: skip(skip=depth) for depth in depths}
    running = [depth for depth in depths if runs[depth].simulation.deadlock is None]
    enough = next(depth for depth in running if runs[depth].simulation.interval == 2 * WORDS)
    least = running[0]
    assert least < enough
    lines = "\n".join(text.lines(runs[least]))
    assert "limited by a circle of waits; the slowest task alone takes 16 cycles" in lines
    assert f"deepen skip from {least} to {enough} words of 8 bits: a frame every 16 cycles" in lines
    assert text.limited_by(runs[least].simulation) == "skip"


def test_a_deadlock() -> None:
    found = skip(skip=2)
    error = text.problem(found, None)
    assert error is not None
    assert error.status == 1
    assert "deadlock in cycle" in error.message
    assert any(line.startswith("fork has waited since cycle") for line in error.details)
    assert any("for room in full skip, depth 2, which join reads" in line for line in error.details)
    assert any("for words of empty sums, which last writes" in line for line in error.details)
    assert found.simulation.deadlock is not None
    depth = found.simulation.deadlock.cure["skip"]
    assert f"stream 'skip' needs room for {depth} words, and has 2" in error.help
    assert skip(skip=depth).simulation.deadlock is None
    assert skip(skip=depth - 1).simulation.deadlock is not None
    assert error.render("tool").splitlines()[1].startswith("  ")
    content = json.loads(text.as_json(found))
    assert content["deadlock"]["cure"] == {"skip": depth}
    assert content["deadlock"]["waits"][0].keys() == {"task", "stream", "full", "since"}


def test_too_many_cycles() -> None:
    found = result(Task("fast", WORDS, {"a": each()}, {"z": each()}), frames=1000)
    assert text.problem(found, None) is None
    error = text.problem(found, 100)
    assert error is not None
    assert "1000 frames take more than 100 cycles" in error.message


def test_one_frame() -> None:
    found = result(Task("fast", WORDS, {"a": each()}, {"z": each()}), frames=1)
    assert "one frame has no rate" in text.lines(found)[1]
    assert text.limited_by(found.simulation) == ""
    assert json.loads(text.as_json(found))["fps"] is None
    assert "fast" in rendered(found)


def test_not_steady_yet() -> None:
    found = result(Task("fast", WORDS, {"a": each()}, {"z": each()}), frames=2)
    assert "not steady yet" in text.lines(found)[1]
