# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""C++ of the load at start: the port that weights come through, and the memories that they fill.

UltraRAM has no contents when the device starts. The port's task hands beats to the tasks that have weights there, one
after the other; each fills its memories before its first frame, and until then its frames wait. All of them remember
in a static variable that it is done, which a reset of the accelerator takes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from torch_mlir import ir

from resnet_hls.analysis.weights import BEAT_BITS, Load, loads_of
from resnet_hls.cpp_names import Names
from resnet_hls.emit.arrays import Array, storage
from resnet_hls.emit.expressions import type_name
from resnet_hls.emit.layout import signature, wrapped

#: The port, the type of its beats, and its task.
PORT, PORT_TYPE, TASK = "weights", "weights_axis_t", "load_weights"
#: The type of what the streams behind it carry.
BEAT = "resnet_hls::load_beat"


@dataclass(frozen=True)
class LoadStream:
    """The stream that brings a task its weights: its name, and what it fills, in order."""

    name: str
    loads: tuple[Load, ...]

    @property
    def beats(self) -> int:
        return sum(load.beats for load in self.loads)

    @property
    def parameter(self) -> str:
        return f"hls::stream<{BEAT}>& {self.name}"


def load_streams(module: ir.Operation, taken: Iterable[str]) -> dict[str, LoadStream]:
    """The streams of all tasks that need one, by the task's name, in the order of the load; `taken` are other names."""
    names = Names(taken)
    by_task: dict[str, list[Load]] = {}
    for load in loads_of(module):
        by_task.setdefault(load.task, []).append(load)
    return {task: LoadStream(names.unique(f"{task}_load"), tuple(loads)) for task, loads in by_task.items()}


def memory_array(op: ir.Operation, source: ir.Operation, name: str) -> tuple[Array, list[str]]:
    """A memref.get_global of the memref.global `source` in UltraRAM: a memory without contents, and its directives."""
    load = Load("", "", source)
    lanes = list(ir.MemRefType(op.results[0].type).shape)[len(load.shape) :]
    extents = "".join(f"[{n}]" for n in load.shape)
    lines = [
        f"static word<{type_name(load.width)}, {int(np.prod(lanes, dtype=np.int64))}> {name}{extents};",
        f"#pragma HLS AGGREGATE variable={name} compact=bit",
        f"#pragma HLS BIND_STORAGE variable={name} {storage(source, 'uram')}",
    ]
    return Array(name, len(load.shape), lanes, constant=True), lines


def once(body: Sequence[str], flag: str = "loaded") -> list[str]:
    """Lines that run in the first call after a reset."""
    inner = [line if line.startswith("#") else f"  {line}" for line in body]
    return [
        f"static bool {flag} = false;",
        f"#pragma HLS RESET variable={flag}",
        f"if (!{flag}) {{",
        *inner,
        f"  {flag} = true;",
        "}",
    ]


def fill(load: Load, name: str, stream: str, labels: Sequence[str]) -> list[str]:
    """The loops that fill the memory `name` from a stream; there is a label for each dimension of its address."""
    lines = []
    variables = ["ijklmn"[depth] for depth in range(len(load.shape))]
    for depth, (variable, extent) in enumerate(zip(variables, load.shape, strict=True)):
        head = f"for (int {variable} = 0; {variable} < {extent}; ++{variable}) {{"
        lines.append(f"{'  ' * depth}{labels[depth]}: {head}")
    inner = "  " * len(load.shape)
    lines.append(f"#pragma HLS PIPELINE II={load.word_beats} style=flp")
    place = "".join(f"[{variable}]" for variable in variables)
    word = f"resnet_hls::load_word<{type_name(load.width)}, {load.lanes}>({stream})"
    lines += wrapped(f"{name}{place} = {word};", inner)
    return [*lines, *(f"{'  ' * depth}}}" for depth in reversed(range(len(load.shape))))]


def port_signature(streams: Sequence[LoadStream]) -> str:
    return signature(TASK, [f"hls::stream<{PORT_TYPE}>& {PORT}", *(stream.parameter for stream in streams)])


def port_task(streams: Sequence[LoadStream]) -> str:
    """The function of the port: the beats of each task to its stream."""
    body = []
    for number, stream in enumerate(streams):
        label = f"load_{number + 1}" if number else "load"
        body += [
            f"{label}: for (int i = 0; i < {stream.beats}; ++i) {{",
            "#pragma HLS PIPELINE II=1 style=flp",
            f"  {stream.name}.write({PORT}.read().data);",
            "}",
        ]
    lines = [line if line.startswith("#") else f"  {line}" for line in once(body)]
    return (
        "// The port of weights in UltraRAM: beats to the tasks, one task after the other, once after a reset.\n"
        f"{port_signature(streams)} {{\n" + "\n".join(lines) + "\n}\n\n"
    )


def port_type() -> str:
    return f"using {PORT_TYPE} = ap_axiu<{BEAT_BITS}, 0, 0, 0>;\n"
