# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The generated files of tb/."""

from pathlib import Path

import numpy as np
import pytest

from resnet_hls.project.testbench import DataflowGraph, Stream, Task, render_bounded_top, write_testbench

STREAMS = (Stream("a", "word_t", 3),)
TASKS = (Task("first", ("input", "a")), Task("second", ("a", "output")))


def test_bounded_top_connects_the_tasks() -> None:
    text = render_bounded_top(DataflowGraph("net", STREAMS, TASKS))
    assert '  hls::stream<word_t> a("a", 3);\n' in text
    assert '  tasks.spawn("first", [&] { ::first(frames, input, a); });\n' in text
    assert '  tasks.spawn("second", [&] { ::second(frames, a, output); });\n' in text
    assert "  hls::expect_drained(a);\n" in text


def test_a_port_of_weights() -> None:
    """Its task counts no frames; who has such a port must use it, and who has none cannot."""
    load = Task("load_weights", ("weights", "l"), counts_frames=False)
    streams, tasks = (*STREAMS, Stream("l", "beat_t", 2)), (load, TASKS[0], Task("second", ("l", "a", "output")))
    text = render_bounded_top(DataflowGraph("net", streams, tasks, loads_weights=True))
    assert "hls::stream<output_axis_t>& output, hls::stream<weights_axis_t>& weights) {\n" in text
    assert '  tasks.spawn("load_weights", [&] { ::load_weights(weights, l); });\n' in text
    with pytest.raises(ValueError, match="weights is an argument of 0 tasks"):
        DataflowGraph("net", STREAMS, TASKS, loads_weights=True)
    with pytest.raises(ValueError, match="no stream is named weights"):
        DataflowGraph("net", streams, tasks)


@pytest.mark.parametrize(
    ("streams", "tasks", "message"),
    [
        (STREAMS, (Task("first", ("input", "b")), TASKS[1]), "no stream is named b"),
        (STREAMS, (*TASKS, Task("third", ("a",))), "a is an argument of 3 tasks"),
        (STREAMS, TASKS[1:], "input is an argument of 0 tasks"),
        ((*STREAMS, *STREAMS), TASKS, "two streams are named a"),
        ((Stream("a", "word_t", 0),), TASKS, "stream a has depth 0"),
    ],
)
def test_graphs_that_are_none(streams: tuple[Stream, ...], tasks: tuple[Task, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataflowGraph("net", streams, tasks)


def test_vectors_are_bytes(tmp_path: Path) -> None:
    graph = DataflowGraph("net", STREAMS, TASKS)
    images, outputs = np.arange(24, dtype=np.int8).reshape(2, 2, 2, 3), np.arange(6, dtype=np.int8).reshape(2, 3)
    write_testbench(tmp_path, graph, images, outputs)
    assert (tmp_path / "images.bin").read_bytes() == bytes(range(24))
    assert (tmp_path / "expected.bin").read_bytes() == bytes(range(6))
    with pytest.raises(ValueError, match="as many outputs as images"):
        write_testbench(tmp_path, graph, images, outputs[:1])
