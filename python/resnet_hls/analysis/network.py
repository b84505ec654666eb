# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A scheduled dataflow as the network that is simulated: tasks, streams, which word moves when. Reads the IR only."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import Task as TaskOp
from resnet_hls.analysis.tasks import fifos, port_words, stream_name, tasks, the_dataflow, word_bits, words_written
from resnet_hls.simulate import cycles
from resnet_hls.simulate.cycles import Array, Network, Stream

#: The ports' tasks: they move one word an iteration, and never wait for what is outside.
INPUT, OUTPUT = "input", "output"
#: Cycles until a word can be read. Shift registers show it in the next one; a memory is read in one more.
STORAGE_LATENCY = {"srl": 1, "lutram": 2, "bram": 2}


def network_of(module: ir.Operation, sized: bool = True) -> Network:
    """The network of the one dataflow in `module`.

    Args:
        module: unrolled, its loops pipelined.
        sized: its streams have depths and storage; where not, they have room without end.

    Raises:
        PassFailure: there is no dataflow, a task is no single nest, or as many words are not read as written.
    """
    dataflow = the_dataflow(module)
    found = tasks(dataflow)
    words_written(dataflow, found)
    ports = [port(op) for op in iu.walk(dataflow, "hls.source", "hls.sink")]
    streams = tuple(
        Stream(
            stream_name(fifo.results[0]),
            ir.IntegerAttr(fifo.attributes["depth"]).value if sized else None,
            word_bits(fifo.results[0]),
            STORAGE_LATENCY[storage_of(fifo)] if sized else 1,
        )
        for fifo in fifos(dataflow)
    )
    order = [*(p for p in ports if p.writes), *map(task_of, found), *(p for p in ports if p.reads)]
    return Network(tuple(order), streams)


def storage_of(fifo: ir.Operation) -> str:
    """`hls.storage` of an hls.fifo: what it is made of; shift registers where nothing is said."""
    return ir.StringAttr(fifo.attributes["hls.storage"]).value if "hls.storage" in fifo.attributes else "srl"


def task_of(task: TaskOp) -> cycles.Task:
    """What a task does, and when."""

    def steps(streams: Iterable[ir.Value]) -> dict[str, Array]:
        return {stream_name(stream): task.steps(stream) for stream in streams}

    return cycles.Task(
        task.name, task.trip_count, steps(task.inputs), steps(task.outputs), task.pipeline_depth, task.interval
    )


def port(op: ir.Operation) -> cycles.Task:
    """An hls.source or hls.sink as a task."""
    is_source = op.name == "hls.source"
    words = port_words(op)
    steps = {stream_name(op.operands[1 if is_source else 0]): np.arange(words, dtype=np.int64)}
    return cycles.Task(INPUT if is_source else OUTPUT, words, {} if is_source else steps, steps if is_source else {})
