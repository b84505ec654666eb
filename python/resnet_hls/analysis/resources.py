# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""DSP slices, LUTs, registers, block RAM and URAM of a scheduled design: a model. Reads the IR only.

docs/resources.md tells what is counted, the source of each figure, and how far off the model is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis import costs
from resnet_hls.analysis.costs import Resources
from resnet_hls.analysis.latency import Iteration
from resnet_hls.analysis.network import storage_of
from resnet_hls.analysis.resources_arrays import add_arrays
from resnet_hls.analysis.resources_pipeline import pipeline_registers
from resnet_hls.analysis.resources_task import STRUCTURES, Structures
from resnet_hls.analysis.tasks import Task, fifos, stream_name, tasks, the_dataflow, word_bits
from resnet_hls.analysis.weights import BEAT_BITS, loads_of
from resnet_hls.passes._registry import PassFailure

#: Percent by which what a tool builds may differ from the model, by resource.
ERROR_PERCENT = {"dsp": 0, "lut": 25, "ff": 35, "bram36": 10, "uram": 0}
#: Bits of the number of frames, and of the counter that goes up to it.
_FRAME_BITS = 32
#: Bits of the words of an AXI4-Stream port that are no data: valid, ready, last.
_AXIS_BITS = 3


@dataclass(frozen=True)
class TaskResources:
    """What a task takes: all of it, and by structure, in the order of `STRUCTURES`."""

    total: Resources
    by_structure: Mapping[str, Resources]


@dataclass(frozen=True)
class DesignResources:
    """What a design takes: all of it, and by task, by stream and for its ports."""

    total: Resources
    tasks: Mapping[str, TaskResources]
    streams: Mapping[str, Resources]
    ports: Resources
    by_structure: Mapping[str, Resources] = field(default_factory=dict)


def task_resources(
    task: Task,
    storage: Mapping[ir.Value, str],
    family: str = "ultrascale+",
    clock_mhz: float = 250.0,
    iteration: Iteration | None = None,
) -> TaskResources:
    """What a task takes, without its streams.

    Args:
        task: scheduled: unrolled, its arrays placed.
        storage: `hls.storage` of every array and constant that the task names: `storage_of_task`.
        family: one of `costs.FAMILIES`.
        clock_mhz: how much fits between two registers.
        iteration: its model, where there is one already.

    Raises:
        PassFailure: an operation that the model does not know.
    """
    with task.op.context:
        found = Structures(task, storage, family)
        add_arrays(found)
        found.add("control", control(task))
        found.add("pipeline registers", pipeline_registers(found, iteration or Iteration(task, storage), clock_mhz))
    by_structure = {name: found.found.get(name, Resources()) for name in STRUCTURES}
    return TaskResources(sum(by_structure.values(), Resources()), by_structure)


def control(task: Task) -> Resources:
    """Counters, the handshake of the task and of its streams, and what tells stages that there is work for them.

    Stages run on their own, so that each has a bit that says so and a test whether the next can take its work.
    """
    depth = task.pipeline_depth
    counted = costs.counters(task.nest.extents)
    frames = costs.adder(_FRAME_BITS) + costs.comparison(_FRAME_BITS) + costs.registers(_FRAME_BITS)
    stages = Resources(lut=1.5 * depth, ff=depth) + costs.delay(depth - 1, counted.ff)
    streams = Resources(lut=3) * (len(task.inputs) + len(task.outputs))
    return counted + frames + stages + streams + Resources(lut=12, ff=8)


def stream_resources(depth: int, bits: int, storage: str, family: str = "ultrascale+") -> Resources:
    """What a FIFO takes, its counters and flags included; `storage` is one of `fifos.STORAGES`."""
    return costs.fifo(depth, bits, storage, family)


def port_resources(bits: int) -> Resources:
    """A port, a task that passes words on: its counters, and a register slice of two words."""
    frames = costs.adder(_FRAME_BITS) + costs.comparison(_FRAME_BITS) + costs.registers(_FRAME_BITS)
    word = bits + _AXIS_BITS
    return frames + costs.counters([1 << 12]) + costs.choice(2, word) + Resources(lut=20, ff=2 * word + 12)


def storage_of_task(task: Task, constants: Mapping[str, ir.Operation]) -> dict[ir.Value, str]:
    """`hls.storage` of every array and constant that a task names; `constants` are the module's, by symbol.

    Raises:
        PassFailure: an array that has none.
    """
    found = {alloc.results[0]: _storage(alloc) for alloc in iu.walk(task.op, "memref.alloc")}
    for use in iu.walk(task.op, "memref.get_global"):
        found[use.results[0]] = _storage(constants[ir.FlatSymbolRefAttr(use.attributes["name"]).value])
    return found


def constants_of(module: ir.Operation) -> dict[str, ir.Operation]:
    """The constants of a module by their symbols."""
    found = [o.operation for o in iu.body(module).operations if o.operation.name == "memref.global"]
    return {ir.StringAttr(op.attributes["sym_name"]).value: op for op in found}


def design_resources(module: ir.Operation, family: str = "ultrascale+", clock_mhz: float = 250.0) -> DesignResources:
    """What a scheduled module takes, without what brings frames to its ports and results away.

    Raises:
        PassFailure: the module is not scheduled, or has an operation that the model does not know.
    """
    dataflow, constants = the_dataflow(module), constants_of(module)
    of_tasks = {
        task.name: task_resources(task, storage_of_task(task, constants), family, clock_mhz) for task in tasks(dataflow)
    }
    of_streams = {}
    for fifo in fifos(dataflow):
        if "depth" not in fifo.attributes:
            raise PassFailure(fifo, "a stream without a depth", help="run hls-size-fifos")
        stream, depth = fifo.results[0], ir.IntegerAttr(fifo.attributes["depth"]).value
        of_streams[stream_name(stream)] = stream_resources(depth, word_bits(stream), storage_of(fifo), family)
    ports = Resources()
    for op in iu.walk(dataflow, "hls.source", "hls.sink"):
        ports += port_resources(word_bits(op.operands[1 if op.name == "hls.source" else 0]))
    if loads_of(module):
        ports += costs.load_port(BEAT_BITS)
    by_structure = {
        **{name: sum((t.by_structure[name] for t in of_tasks.values()), Resources()) for name in STRUCTURES},
        "streams": sum(of_streams.values(), Resources()),
        "ports": ports,
    }
    return DesignResources(sum(by_structure.values(), Resources()), of_tasks, of_streams, ports, by_structure)


def _storage(array: ir.Operation) -> str:
    if "hls.storage" not in array.attributes:
        raise PassFailure(array, "an array without hls.storage", help="run hls-place-memories")
    return str(ir.StringAttr(array.attributes["hls.storage"]).value)
