# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-unroll-loops: unroll factors become lanes. Loops are tiled, streams and memories become as wide as that needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import fifos, stream_name, tasks, the_dataflow
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import Pass, register_pass
from resnet_hls.passes._tiled_constants import Constants
from resnet_hls.passes._tiled_task import TaskBuilder
from resnet_hls.passes._tiling import Tiling
from resnet_hls.passes._width_converter import convert_width


def i64(number: int) -> ir.IntegerAttr:
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), number)


class _Unroll:
    """Builds the dataflow anew: wide streams, tiled tasks, width converters where neighbours differ."""

    def __init__(self, module: ir.Operation) -> None:
        self.module = module
        self.old = the_dataflow(module)
        self.constants = Constants(module)
        self.tilings = {task.op: Tiling(task) for task in tasks(self.old)}
        # Lanes of a stream as its writer and its reader want them; a port takes what the other side has.
        self.written_lanes = {s: t.stream_lanes(s) for t in self.tilings.values() for s in t.task.outputs}
        self.read_lanes = {s: t.stream_lanes(s) for t in self.tilings.values() for s in t.task.inputs}

    def run(self) -> None:
        with ir.InsertionPoint(self.old), self.old.location:
            new = hls.DataflowOp()
        body = new.regions[0].blocks.append()
        written: dict[ir.Value, ir.Value] = {}
        read: dict[ir.Value, ir.Value] = {}
        converters: dict[ir.Value, ir.Value] = {}
        for fifo in fifos(self.old):
            stream = fifo.results[0]
            elements = ir.IntegerAttr(fifo.attributes["depth"]).value
            reader = self.read_lanes.get(stream) or self.written_lanes[stream]
            writer = self.written_lanes.get(stream) or reader
            with ir.InsertionPoint(body), fifo.location:
                if writer == reader:
                    written[stream] = read[stream] = self.fifo(stream, writer, elements // writer, stream_name(stream))
                    continue
                written[stream] = self.fifo(stream, writer, elements // writer, f"{stream_name(stream)}_x{writer}")
                read[stream] = self.fifo(stream, reader, elements // reader, f"{stream_name(stream)}_x{reader}")
                converters[stream] = read[stream]
        for op in [o.operation for o in iu.body(self.old).operations]:
            with ir.InsertionPoint(body), op.location:
                if op.name == "hls.source":
                    hls.SourceOp(op.operands[0], written[op.operands[1]])
                elif op.name == "hls.sink":
                    hls.SinkOp(read[op.operands[0]], op.operands[1])
                elif op.name == "hls.task":
                    task = self.tilings[op].task
                    streams = {s: read[s] for s in task.inputs} | {s: written[s] for s in task.outputs}
                    TaskBuilder(self.tilings[op], self.constants, streams).build(body)
                    for stream in task.outputs:
                        if stream in converters:
                            convert_width(body, written[stream], converters[stream])
        iu.erase_tree(self.old)
        used = {ir.FlatSymbolRefAttr(op.attributes["name"]).value for op in iu.walk(self.module, "memref.get_global")}
        for op in iu.walk(self.module, "memref.global"):
            if ir.StringAttr(op.attributes["sym_name"]).value not in used:
                op.erase()

    def fifo(self, stream: ir.Value, lanes: int, depth: int, name: str) -> ir.Value:
        kind = hls.stream_type(hls.element_of(stream.type).element_type, [lanes])
        return hls.FifoOp(i64(depth), ir.StringAttr.get(name), kind).operation.results[0]


@register_pass
@dataclass(frozen=True)
class UnrollLoops(Pass):
    """Turn unroll factors into lanes: tiled loops, wide stream words, reshaped memories.

    Before: tasks whose loops carry `hls.unroll = factor` (a divisor of the trip count) or `hls.tap` (unrolled whole).
    After: one pipelined loop per task over groups of lanes (`hls.pipeline`); what a step does for its lanes stands in
    loops marked `hls.unroll`; every stream carries one word per step; memories are indexed `[address …][lane …]`,
    constants are laid out that way at compile time. A step sums up its products before they meet the accumulator, so
    that one step waits for the last only with one addition. Where the lanes of two neighbours differ, a width
    converter stands between them, a task like any other.
    """

    name: ClassVar[str] = "hls-unroll-loops"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            _Unroll(op).run()
