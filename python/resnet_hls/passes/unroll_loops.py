# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-unroll-loops: unroll factors become lanes. Loops are tiled, streams and memories become as wide as that needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import fifos, stream_name, tasks, the_dataflow
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._pixel_walk import widen
from resnet_hls.passes._registry import Pass, PassFailure, option, register_pass
from resnet_hls.passes._tiled_constants import Constants
from resnet_hls.passes._tiled_task import TaskBuilder
from resnet_hls.passes._tiling import Tiling
from resnet_hls.passes._tiling_order import check_order
from resnet_hls.passes._tiling_words import Word, port_word
from resnet_hls.passes._width_converter import convert_width


def i64(number: int) -> ir.IntegerAttr:
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), number)


class _Unroll:
    """Builds the dataflow anew: wide streams, tiled tasks, width converters where neighbours differ."""

    def __init__(self, module: ir.Operation) -> None:
        self.module = module
        self.old = the_dataflow(module)
        self.constants = Constants(module)
        widened = [widen(task) for task in tasks(self.old)]
        self.tilings = {task.op: Tiling(task, split) for task, split in widened}
        # Words of a stream as its writer and its reader want them; a port takes what the other side has.
        self.written = {s: t.word_of(s) for t in self.tilings.values() for s in t.task.outputs}
        self.read = {s: t.word_of(s) for t in self.tilings.values() for s in t.task.inputs}

    def ends(self, fifo: ir.Operation) -> tuple[Word, Word]:
        """What a stream's writer and its reader make of its words."""
        stream = fifo.results[0]
        writer, reader = self.written.get(stream), self.read.get(stream)
        inner = writer or reader
        if inner is None:
            raise PassFailure(fifo, f"stream '{stream_name(stream)}' is used by no task")
        at_port = any(user.name in {"hls.source", "hls.sink"} for user in iu.users(stream))
        other = port_word(inner) if at_port else inner
        if other is None:
            message = "words of several lanes for each tap of a window cannot pass a port"
            raise PassFailure(fifo, message, help="unroll no other loop that walks the port")
        return writer or other, reader or other

    def run(self) -> None:
        with ir.InsertionPoint(self.old), self.old.location:
            new = hls.DataflowOp()
        body = new.regions[0].blocks.append()
        written: dict[ir.Value, ir.Value] = {}
        read: dict[ir.Value, ir.Value] = {}
        differ: dict[ir.Value, tuple[Word, Word]] = {}
        for fifo in fifos(self.old):
            stream, name = fifo.results[0], stream_name(fifo.results[0])
            elements = ir.IntegerAttr(fifo.attributes["depth"]).value
            writer, reader = self.ends(fifo)
            with ir.InsertionPoint(body), fifo.location:
                if writer == reader:
                    written[stream] = read[stream] = self.fifo(stream, writer, elements, name)
                    continue
                written[stream] = self.fifo(stream, writer, elements, f"{name}_x{writer.text}")
                read[stream] = self.fifo(stream, reader, elements, f"{name}_x{reader.text}")
            differ[stream] = writer, reader
        for op in [o.operation for o in iu.body(self.old).operations]:
            outputs: list[ir.Value] = []
            with ir.InsertionPoint(body), op.location:
                if op.name == "hls.source":
                    hls.SourceOp(op.operands[0], written[op.operands[1]])
                    outputs = [op.operands[1]]
                elif op.name == "hls.sink":
                    hls.SinkOp(read[op.operands[0]], op.operands[1])
                elif op.name == "hls.task":
                    task = self.tilings[op].task
                    streams = {s: read[s] for s in task.inputs} | {s: written[s] for s in task.outputs}
                    TaskBuilder(self.tilings[op], self.constants, streams).build(body)
                    outputs = task.outputs
            for stream in outputs:
                if stream in differ:
                    convert_width(body, written[stream], read[stream], *differ[stream])
        iu.erase_tree(self.old)
        used = {ir.FlatSymbolRefAttr(op.attributes["name"]).value for op in iu.walk(self.module, "memref.get_global")}
        for op in iu.walk(self.module, "memref.global"):
            if ir.StringAttr(op.attributes["sym_name"]).value not in used:
                op.erase()

    def fifo(self, stream: ir.Value, word: Word, elements: int, name: str) -> ir.Value:
        kind = hls.stream_type(hls.element_of(stream.type).element_type, [word.width])
        return hls.FifoOp(i64(word.words(elements)), ir.StringAttr.get(name), kind).operation.results[0]


@register_pass
@dataclass(frozen=True)
class UnrollLoops(Pass):
    """Turn unroll factors into lanes: tiled loops, wide stream words, reshaped memories.

    Before: tasks whose loops carry `hls.unroll = factor`, or `hls.tap`, which without a factor means all of them.
    After: one pipelined loop per task over groups of lanes (`hls.pipeline`); what a step does for its lanes stands in
    loops marked `hls.unroll`; every stream carries one word per step; memories are indexed `[address …][lane …]`,
    constants are laid out that way at compile time. An array whose elements begin and end within a step has no address.
    A step sums up its products before they meet the accumulator, so that one step waits for the last only with one
    addition. Where the words of two neighbours differ, a width converter stands between them, a task like any other.

    Words hold neighbours: of the innermost loop that walks the stream (channels), and pixels of a row, of the loop
    around it (columns). Words come row by row, in a row by groups of pixels, for each of these by groups of channels;
    within a word pixels come first, then taps, then channels. A task that walks a feature map and takes several pixels
    a step has a group of them at each address of its line buffer, and hands out the windows of a group as soon as the
    last of them is complete; with a stride it takes so many times as many pixels as it hands out windows.

    A word of windows holds all taps. A task that takes some of them a step (`hls.unroll` on a loop that is marked
    `hls.tap`) keeps the word in a register.

    A factor need not divide the trip count: the last group has lanes beyond the last iteration. Constants are zero
    there, so that sums of products stay as they are; what else must not be done there stands under a condition. Words
    then have lanes that mean nothing, at the end of each pixel and of each row; those of the ports have none.
    """

    name: ClassVar[str] = "hls-unroll-loops"

    check: bool = option(True, "go through the accesses of each task in both orders")

    def run(self, op: ir.Operation) -> None:
        with op.context:
            unroll = _Unroll(op)
            for tiling in unroll.tilings.values() if self.check else ():
                check_order(tiling)
            unroll.run()
