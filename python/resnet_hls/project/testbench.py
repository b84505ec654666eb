# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The folder `tb/` of a project: the C++ test bench, its vectors, and the top that runs on bounded streams."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_hls.project.rendering import render

Bytes = NDArray[np.int8] | NDArray[np.uint8]

PORTS = ("input", "output")
#: The port of weights that are loaded at start.
LOAD_PORT = "weights"
#: In a project, what comes through it.
WEIGHTS_FILE = "data/weights.bin"


@dataclass(frozen=True)
class Stream:
    """A FIFO between two tasks.

    Args:
        name: C++ identifier.
        word_type: C++ type of what one word holds, such as `resnet_hls::word<ap_int<8>, 36>`.
        depth: how many words it holds, at least 1.
    """

    name: str
    word_type: str
    depth: int


@dataclass(frozen=True)
class Task:
    """A function of `tasks.h`.

    Args:
        name: of the function.
        args: what it is called with: names of streams, `input`, `output`, `weights` for the ports of the top function.
        counts_frames: it is told the number of frames, in front of these.
    """

    name: str
    args: tuple[str, ...]
    counts_frames: bool = True


@dataclass(frozen=True)
class DataflowGraph:
    """What the top function connects.

    Args:
        name: of the top function.
        streams: between the tasks.
        tasks: in the order of the top function.
        loads_weights: it has a port of weights, which come before the first frame.

    Raises:
        ValueError: a task names a stream that is not there, a stream or port is not used by its two (one) tasks, a name
            is taken twice, or a depth is below 1.
    """

    name: str
    streams: tuple[Stream, ...]
    tasks: tuple[Task, ...]
    loads_weights: bool = False

    def __post_init__(self) -> None:
        ports = (*PORTS, LOAD_PORT) if self.loads_weights else PORTS
        names = [*ports, *(stream.name for stream in self.streams)]
        for name, count in Counter(names).items():
            if count > 1:
                raise ValueError(f"two streams are named {name}")
        uses = Counter(arg for task in self.tasks for arg in task.args)
        if unknown := sorted(set(uses) - set(names)):
            raise ValueError(f"no stream is named {unknown[0]}")
        for name in names:
            wanted = 1 if name in ports else 2
            if uses[name] != wanted:
                raise ValueError(f"{name} is an argument of {uses[name]} tasks, expected {wanted}")
        for stream in self.streams:
            if stream.depth < 1:
                raise ValueError(f"stream {stream.name} has depth {stream.depth}")


def render_testbench(name: str, loads_weights: bool = False) -> str:
    """`tb/testbench.cpp` for the top function `name`, which is declared in `<name>.h` with namespace `<name>_io`."""
    return render("testbench.cpp.j2", name=name, loads_weights=loads_weights)


def render_bounded_top(graph: DataflowGraph) -> str:
    """`tb/bounded_top.cpp`: the top function with every task a coroutine and every stream as deep as it says."""
    return render(
        "bounded_top.cpp.j2",
        name=graph.name,
        streams=graph.streams,
        tasks=graph.tasks,
        loads_weights=graph.loads_weights,
    )


def write_testbench(folder: Path, graph: DataflowGraph, images: Bytes, expected: Bytes) -> None:
    """Writes `testbench.cpp`, `bounded_top.cpp`, `images.bin` and `expected.bin`.

    Args:
        folder: the existing folder `tb`.
        graph: of the accelerator.
        images: (N, H, W, C), int8 or uint8: quantized images.
        expected: (N, …), int8 or uint8: the integers that must come out for them.

    Raises:
        ValueError: the arrays are not of bytes, or not of the same number of images.
        OSError: a file cannot be written.
    """
    if images.itemsize != 1 or expected.itemsize != 1 or len(images) != len(expected):
        raise ValueError(
            f"expected as many outputs as images, in bytes: images are {images.dtype}{images.shape}, "
            f"outputs {expected.dtype}{expected.shape}"
        )
    (folder / "testbench.cpp").write_text(render_testbench(graph.name, graph.loads_weights), encoding="utf-8")
    (folder / "bounded_top.cpp").write_text(render_bounded_top(graph), encoding="utf-8")
    (folder / "images.bin").write_bytes(images.tobytes())
    (folder / "expected.bin").write_bytes(expected.tobytes())
