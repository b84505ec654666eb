# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tasks of a dataflow: their nests, their stream accesses by iteration, the graph they form. Reads the IR only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import Array, steps_of
from resnet_hls.analysis.nests import Nest
from resnet_hls.analysis.overlap import overlap_of
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import PassFailure


def task_nest(task: ir.Operation) -> Nest:
    """The one nest of a task. Raises PassFailure when there is none or more than one."""
    roots = [o.operation for o in iu.body(task).operations if o.operation.name == "affine.for"]
    if len(roots) != 1:
        raise PassFailure(task, f"a task with {len(roots)} nests, expected one")
    return Nest.at(roots[0])


@dataclass(frozen=True)
class Transfer:
    """An hls.read or hls.write of a task, and the stream (the fifo's result) that it names."""

    op: ir.Operation
    stream: ir.Value

    @property
    def is_write(self) -> bool:
        return bool(self.op.name == "hls.write")

    @property
    def buffer(self) -> ir.Value:
        """The word buffer that is filled or sent."""
        return self.op.operands[0] if self.is_write else self.op.operands[1]


def transfer_of(op: ir.Operation) -> Transfer:
    return Transfer(op, op.operands[0] if op.name == "hls.read" else op.operands[1])


@dataclass(frozen=True)
class Task:
    op: ir.Operation

    @property
    def name(self) -> str:
        name: str = ir.StringAttr(self.op.attributes["sym_name"]).value
        return name

    @cached_property
    def nest(self) -> Nest:
        return task_nest(self.op)

    @cached_property
    def inputs(self) -> list[ir.Value]:
        """Streams that the task reads, in program order."""
        return list(dict.fromkeys(t.stream for t in self.transfers if not t.is_write))

    @cached_property
    def outputs(self) -> list[ir.Value]:
        """Streams that the task writes, in program order."""
        return list(dict.fromkeys(t.stream for t in self.transfers if t.is_write))

    @cached_property
    def transfers(self) -> list[Transfer]:
        """Reads and writes in program order."""
        return [transfer_of(op) for op in iu.walk(self.op, "hls.read", "hls.write")]

    @cached_property
    def _steps(self) -> dict[ir.Value, Array]:
        return {}

    def steps(self, stream: ir.Value) -> Array:
        """The iteration of the task at each of its transfers of `stream`, in order; from `trip_count` on they are the
        next frame's. Do not change it.
        """
        if stream not in self._steps:
            found = [steps_of(t.op, self.nest) for t in self.transfers if t.stream == stream]
            self._steps[stream] = np.sort(np.concatenate(found)) if len(found) != 1 else found[0]
        return self._steps[stream]

    @cached_property
    def extents(self) -> list[int]:
        """Iterations of each loop of the nest per frame; rows that run together with the next frame's count there."""
        first, *others = self.nest.extents
        return [first - overlap_of(self.nest), *others]

    @property
    def trip_count(self) -> int:
        """Iterations of the pipelined loop per frame.

        Those of transfers may lie beyond: in the iterations of the next frame, where frames overlap.
        """
        return int(np.prod(self.extents, dtype=np.int64))

    @property
    def interval(self) -> int:
        """`hls.interval` of the pipelined loop: cycles between two iterations; 1 where nothing is said."""
        return self._of_loop("hls.interval", 1)

    @property
    def pipeline_depth(self) -> int:
        """`hls.depth` of the pipelined loop: stages from reading to writing; 2 where nothing is said."""
        return self._of_loop("hls.depth", 2)

    def _of_loop(self, name: str, default: int) -> int:
        attributes = self.nest.loops[-1].attributes
        return ir.IntegerAttr(attributes[name]).value if name in attributes else default


def tasks(dataflow: ir.Operation) -> list[Task]:
    return [Task(o.operation) for o in iu.body(dataflow).operations if o.operation.name == "hls.task"]


def fifos(dataflow: ir.Operation) -> list[ir.Operation]:
    return [o.operation for o in iu.body(dataflow).operations if o.operation.name == "hls.fifo"]


def stream_name(stream: ir.Value) -> str:
    name: str = ir.StringAttr(stream.owner.operation.attributes["sym_name"]).value
    return name


def lanes_of(stream: ir.Value) -> int:
    """Elements in a word of the stream."""
    return int(np.prod(hls.element_of(stream.type).shape))


def lanes_attribute(op: ir.Operation) -> int:
    """`hls.lanes` of an array: how many of its trailing dimensions are accessed together in one step."""
    return ir.IntegerAttr(op.attributes["hls.lanes"]).value if "hls.lanes" in op.attributes else 0


def word_bits(stream: ir.Value) -> int:
    width: int = ir.IntegerType(hls.element_of(stream.type).element_type).width
    return lanes_of(stream) * width


def words_written(dataflow: ir.Operation, found: list[Task] | None = None) -> dict[ir.Value, int]:
    """Words per frame through each stream; `found` are the dataflow's tasks, where a caller has them.

    Raises PassFailure for a stream of which another number is read, with both.
    """
    written: dict[ir.Value, int] = {}
    read: dict[ir.Value, int] = {}
    for op in (o.operation for o in iu.body(dataflow).operations):
        if op.name == "hls.source":
            written[op.operands[1]] = port_words(op)
        elif op.name == "hls.sink":
            read[op.operands[0]] = port_words(op)
    for task in tasks(dataflow) if found is None else found:
        written |= {stream: len(task.steps(stream)) for stream in task.outputs}
        read |= {stream: len(task.steps(stream)) for stream in task.inputs}
    for fifo in fifos(dataflow):
        stream = fifo.results[0]
        if written.get(stream, 0) != read.get(stream, 0):
            counts = f"{written.get(stream, 0)} words are written and {read.get(stream, 0)} read in a frame"
            raise PassFailure(fifo, f"stream '{stream_name(stream)}': {counts}")
    return written


def port_words(op: ir.Operation) -> int:
    """Words per frame through an hls.source or hls.sink."""
    buffer, stream = op.operands if op.name == "hls.source" else reversed(list(op.operands))
    return int(np.prod(ir.MemRefType(buffer.type).shape, dtype=np.int64)) // lanes_of(stream)


def the_dataflow(module: ir.Operation) -> ir.Operation:
    """The one hls.dataflow of the module. Raises PassFailure when there is none or more than one."""
    found = iu.outermost(module, "hls.dataflow")
    if len(found) != 1:
        raise PassFailure(module, f"expected one hls.dataflow, found {len(found)}", help="run hls-to-dataflow first")
    return found[0]
