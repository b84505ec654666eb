# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-unroll-loops: unroll factors become lanes. Loops are tiled, streams and memories become as wide as the lanes need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import Task, fifos, stream_name, tasks, the_dataflow
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import Pass, register_pass
from resnet_hls.passes._tiling import TiledTask
from resnet_hls.passes._width_converter import convert_width


def i64(number: int) -> ir.IntegerAttr:
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), number)


class _Unroll:
    """Builds the dataflow anew: wide streams, tiled tasks, width converters where neighbours differ."""

    def __init__(self, module: ir.Operation) -> None:
        self.module = module
        self.old = the_dataflow(module)
        self.tiled = {task.name: TiledTask(task, iu.ConstantReader(module)) for task in tasks(self.old)}

    def lanes(self, stream: ir.Value, writing: bool) -> int:
        """Lanes of a stream as its writer (or reader) wants them; 0 where a port takes what the other side has."""
        for tiled in self.tiled.values():
            if stream in (tiled.task.outputs if writing else tiled.task.inputs):
                return tiled.stream_lanes(stream)
        return 0

    def run(self) -> None:
        with ir.InsertionPoint(self.old), self.old.location:
            new = hls.DataflowOp()
        body = new.regions[0].blocks.append()
        written: dict[ir.Value, ir.Value] = {}
        read: dict[ir.Value, ir.Value] = {}
        converters: list[tuple[ir.Value, ir.Value]] = []
        for fifo in fifos(self.old):
            stream = fifo.results[0]
            writer, reader = self.lanes(stream, writing=True), self.lanes(stream, writing=False)
            elements = ir.IntegerAttr(fifo.attributes["depth"]).value
            writer, reader = writer or reader, reader or writer
            with ir.InsertionPoint(body), fifo.location:
                if writer == reader:
                    written[stream] = read[stream] = self.fifo(stream, writer, elements // writer, stream_name(stream))
                    continue
                written[stream] = self.fifo(stream, writer, elements // writer, f"{stream_name(stream)}_x{writer}")
                read[stream] = self.fifo(stream, reader, elements // reader, f"{stream_name(stream)}_x{reader}")
                converters.append((written[stream], read[stream]))
        for op in [o.operation for o in iu.body(self.old).operations]:
            with ir.InsertionPoint(body), op.location:
                if op.name == "hls.source":
                    hls.SourceOp(op.operands[0], written[op.operands[1]])
                elif op.name == "hls.sink":
                    hls.SinkOp(read[op.operands[0]], op.operands[1])
                elif op.name == "hls.task":
                    self.tiled[Task(op).name].build(body, read, written, self.module)
                    for source, target in converters:
                        if source in [written[s] for s in Task(op).outputs]:
                            convert_width(body, source, target)
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

    Before: tasks whose loops carry `hls.unroll = factor` (a divisor of the trip count) or `hls.tap` (unrolled whole). After: one
    pipelined loop per task over groups of lanes (`hls.pipeline`); what a step does for its lanes stands in loops marked
    `hls.unroll`; every stream carries one word per step; memories are indexed `[address …][lane …]`, constants are laid out that way at
    compile time. Where the lanes of two neighbours differ, a width converter stands between them, a task like any other.
    """

    name: ClassVar[str] = "hls-unroll-loops"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            _Unroll(op).run()
