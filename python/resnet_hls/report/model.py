# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The content of `report.json`, from a scheduled module. Reads the IR, changes nothing.

Every figure says in `provenance` how it was obtained: `counted` in the IR, `modelled`, `simulated` (cycles, counted by
lib/sim on the scheduled IR) or `measured`. A figure that nothing here can give is null.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from torch_mlir import ir

from resnet_hls import boards
from resnet_hls import ir_utils as iu
from resnet_hls.analysis.costs import Resources
from resnet_hls.analysis.fifos import built_depth
from resnet_hls.analysis.nests import trip_count
from resnet_hls.analysis.network import network_of, storage_of
from resnet_hls.analysis.residuals import ResidualBlock
from resnet_hls.analysis.resources import DesignResources, design_resources
from resnet_hls.analysis.resources_values import is_packed
from resnet_hls.analysis.reuse import SKIP_ROWS
from resnet_hls.analysis.tasks import Task, fifos, stream_name, tasks, the_dataflow, word_bits, words_written
from resnet_hls.analysis.weights import BEAT_BITS, load_cycles, loads_of
from resnet_hls.boards import Board
from resnet_hls.locations import layer_name
from resnet_hls.passes import PassFailure, Remark
from resnet_hls.report.resources import KINDS, amounts, resource_table, structure_rows
from resnet_hls.report.simulation import limit_rows, limited_by, waits_for
from resnet_hls.report.skips import skip_report
from resnet_hls.simulate.cycles import STEADY_WITHIN, Simulation, StreamFigures, TaskFigures, simulate

_SIMULATED = (
    "initiation_interval_cycles",
    "latency_cycles",
    "fps",
    "fps_limited_by",
    "limits",
    "per_task.cycles",
    "per_task.stall_cycles",
    "per_task.empty_cycles",
    "per_task.full_cycles",
    "per_task.waits_for",
    "streams.peak",
    "streams.full_cycles",
    "streams.empty_cycles",
)
_MODELLED = (
    "dsp_roofline_fps",
    *(f"resources.{kind}" for kind in KINDS),
    "resources_by_structure",
    "fifo_built_bytes",
    "load_cycles",
    *(f"per_task.{kind}" for kind in KINDS),
    "per_task.pipeline_depth",
    "streams.built_depth",
    *(f"streams.{kind}" for kind in KINDS[1:]),
)
_COUNTED = (
    "macs_per_frame",
    "skip_buffer_bytes",
    "skip_buffer_bytes_naive",
    "skip_buffer_bytes_published",
    "residual_blocks",
    "fifo_bytes",
    "line_buffer_bytes",
    "weight_bytes",
    "load_bytes",
    "per_task.macs",
    "per_task.line_buffer_bytes",
    "streams.depth",
    "streams.words",
    "streams.storage",
)
#: Two published figures of whole boards tell no share of the accelerator's (docs/resources.md).
_UNKNOWN = ("power_w",)
#: Multiply-accumulates of a DSP slice in a cycle, at most: two int8 products that share an operand.
_MACS_PER_DSP = 2
#: What hls-temporal-reuse calls the arrays that it makes.
_REUSE_BUFFERS = ("line_buffer", "window_columns")


def build_report(
    name: str,
    board: Board,
    module: ir.Operation,
    blocks: Sequence[ResidualBlock],
    remarks: Sequence[Remark] = (),
    untiled: ir.Operation | None = None,
    usable: boards.Resources | None = None,
) -> dict[str, Any]:
    """The content of `report.json`.

    Args:
        name: of the model.
        board: with the clock of the design.
        module: scheduled: unrolled, placed, FIFOs sized.
        blocks: residual blocks of its affine stage.
        remarks: of the passes that made it.
        untiled: its dataflow stage, whose multiply-accumulates are those of the network; without it, those of lanes
            beyond the end of an uneven group count as well.
        usable: what the design may take; by default the board's budget.

    Returns:
        What `json` can write; keys in their order, units in their names.

    Raises:
        PassFailure: the module is not scheduled, or deadlocks.
    """
    with module.context, module.location:
        dataflow = the_dataflow(module)
        simulated = simulate_module(module)
        per_task = {figures.name: figures for figures in simulated.tasks}
        found = tasks(dataflow)
        per_name = {task.name: multiply_accumulates(task) for task in tasks(the_dataflow(untiled or module))}
        macs = sum(per_name.values())
        design = design_resources(module, board.family, board.clock_mhz)
        rows = [
            task_row(task, per_task[task.name], design.tasks[task.name].total, per_name.get(task.name, 0))
            for task in found
        ]
        streams = stream_rows(dataflow, simulated.streams, design)
        frequency, loads = board.clock_mhz * 1e6, loads_of(module)
        return {
            "model": name,
            "board": board.name,
            "part": board.part,
            "family": board.family,
            "clock_mhz": board.clock_mhz,
            "initiation_interval_cycles": simulated.whole_interval,
            "latency_cycles": simulated.latency,
            "fps": round(frequency / simulated.whole_interval, 1),
            "fps_limited_by": limited_by(simulated),
            "limits": limit_rows(simulated),
            "macs_per_frame": macs,
            "dsp_roofline_fps": round(_MACS_PER_DSP * board.resources.dsp * frequency / macs, 1) if macs else None,
            "resources": resource_table(board, usable or board.usable, design),
            "resources_by_structure": structure_rows(design),
            **skip_report(
                module,
                blocks,
                {task.name: line_buffer_bytes(task.op) for task in found},
                {task.name: skip_row_bytes(task.op) for task in found},
            ),
            "fifo_bytes": sum(math.ceil(row["depth"] * row["width_bits"] / 8) for row in streams),
            "fifo_built_bytes": sum(math.ceil(row["built_depth"] * row["width_bits"] / 8) for row in streams),
            "line_buffer_bytes": line_buffer_bytes(dataflow),
            "weight_bytes": weight_bytes(module),
            "load_bytes": sum(load.beats for load in loads) * BEAT_BITS // 8,
            "load_cycles": load_cycles(loads),
            "power_w": None,
            "per_task": rows,
            "streams": streams,
            "remarks": [{"pass": r.pass_name, "where": r.where, "message": r.message} for r in remarks],
            "provenance": provenance(),
        }


def simulate_module(module: ir.Operation) -> Simulation:
    """A scheduled module in its steady state.

    Raises:
        PassFailure: the module is not scheduled, or deadlocks.
    """
    found = simulate(network_of(module), STEADY_WITHIN)
    if found.deadlock is not None:
        raise PassFailure(module, str(found.deadlock), help="run hls-size-fifos")
    return found


def provenance() -> dict[str, str | None]:
    """How each figure of the report was obtained; None for those that are null."""
    return {
        **dict.fromkeys(_SIMULATED, "simulated"),
        **dict.fromkeys(_MODELLED, "modelled"),
        **dict.fromkeys(_COUNTED, "counted"),
        **dict.fromkeys(_UNKNOWN, None),
    }


def task_row(task: Task, figures: TaskFigures, takes: Resources, macs: int) -> dict[str, Any]:
    """What the report says about a task; `unroll` holds the lanes of each unrolled loop that has a name."""
    longest = waits_for(figures)
    unroll: dict[str, int] = {}
    for loop in iu.walk(task.op, "affine.for"):
        if "hls.unroll" in loop.attributes and "hls.label" in loop.attributes:
            label = ir.StringAttr(loop.attributes["hls.label"]).value
            unroll[label] = max(unroll.get(label, 1), trip_count(loop))
    return {
        "name": task.name,
        "layer": layer_name(task.op.location),
        "loops": list(task.extents),
        "unroll": unroll,
        "pipeline_depth": task.pipeline_depth,
        "macs": macs,
        "line_buffer_bytes": line_buffer_bytes(task.op),
        "cycles": figures.busy,
        **amounts(takes),
        "stall_cycles": figures.stalled,
        "empty_cycles": {name: cycles for name, cycles in figures.empty.items() if cycles},
        "full_cycles": {name: cycles for name, cycles in figures.full.items() if cycles},
        "waits_for": None if longest is None else asdict(longest),
    }


def stream_rows(
    dataflow: ir.Operation, simulated: Sequence[StreamFigures], design: DesignResources
) -> list[dict[str, Any]]:
    """What the report says about each stream; `input` and `output` are the ports."""
    per_stream = {figures.name: figures for figures in simulated}
    found = tasks(dataflow)
    words = words_written(dataflow, found)
    writers: dict[ir.Value, str] = {}
    readers: dict[ir.Value, str] = {}
    for op in iu.walk(dataflow, "hls.source"):
        writers[op.operands[1]] = "input"
    for op in iu.walk(dataflow, "hls.sink"):
        readers[op.operands[0]] = "output"
    for task in found:
        writers |= dict.fromkeys(task.outputs, task.name)
        readers |= dict.fromkeys(task.inputs, task.name)
    rows = []
    for fifo in fifos(dataflow):
        stream = fifo.results[0]
        depth, bits, storage = ir.IntegerAttr(fifo.attributes["depth"]).value, word_bits(stream), storage_of(fifo)
        figures = per_stream[stream_name(stream)]
        rows.append(
            {
                "name": figures.name,
                "from": writers[stream],
                "to": readers[stream],
                "width_bits": bits,
                "words": words[stream],
                "depth": depth,
                "storage": storage,
                "built_depth": built_depth(depth, bits, storage),
                "peak": figures.peak,
                "full_cycles": figures.full,
                "empty_cycles": figures.empty,
                **{kind: amount for kind, amount in amounts(design.streams[figures.name]).items() if kind != "dsp"},
            }
        )
    return rows


def multiply_accumulates(task: Task) -> int:
    """Products that a task adds up in a frame, padding included; those of requantization are not counted."""
    inner = [op for op in iu.walk(task.op, "arith.muli") if not _is_guarded(op, task)]
    return task.trip_count * sum(_copies(op, task) * (1 + any(map(is_packed, op.operands))) for op in inner)


def _copies(op: ir.Operation, task: Task) -> int:
    """How many of `op` there are once the loops inside the pipelined one are unrolled."""
    count = 1
    for loop in _around(op, task):
        if loop.name == "affine.for":
            count *= trip_count(loop)
    return count


def _is_guarded(op: ir.Operation, task: Task) -> bool:
    return any(parent.name == "affine.if" for parent in _around(op, task))


def _around(op: ir.Operation, task: Task) -> list[ir.Operation]:
    """The operations around `op`, up to the pipelined loop, which is left out."""
    pipelined = task.nest.loops[-1]
    found = []
    parent = op.parent.operation
    while parent != pipelined:
        found.append(parent)
        parent = parent.parent.operation
    return found


def skip_row_bytes(root: ir.Operation) -> int:
    """Bytes of the rows by which line buffers are longer for the sake of skips."""
    total = 0
    for alloc in iu.walk(root, "memref.alloc"):
        if SKIP_ROWS in alloc.attributes:
            kind = ir.MemRefType(alloc.results[0].type)
            total += _bytes(kind) // kind.shape[0] * ir.IntegerAttr(alloc.attributes[SKIP_ROWS]).value
    return total


def line_buffer_bytes(root: ir.Operation) -> int:
    """Bytes of the arrays that keep rows and pixels for later use, as far as they are no registers."""
    total = 0
    for alloc in iu.walk(root, "memref.alloc"):
        name = ir.StringAttr(alloc.attributes["hls.name"]).value if "hls.name" in alloc.attributes else ""
        if name in _REUSE_BUFFERS and ir.StringAttr(alloc.attributes["hls.storage"]).value != "register":
            total += _bytes(ir.MemRefType(alloc.results[0].type))
    return total


def weight_bytes(module: ir.Operation) -> int:
    """Bytes of all constants: weights and biases."""
    return sum(
        _bytes(ir.MemRefType(ir.TypeAttr(op.attributes["type"]).value)) for op in iu.walk(module, "memref.global")
    )


def _bytes(kind: ir.MemRefType) -> int:
    bits: int = math.prod(kind.shape) * ir.IntegerType(kind.element_type).width
    return bits // 8
