# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-to-dataflow: nests become tasks, buffers between them become streams. Moves operations, computes nothing new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import is_row_major_once
from resnet_hls.analysis.nests import Access, Nest, is_constant, nests
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import Pass, PassFailure, register_pass
from resnet_hls.passes.temporal_reuse import is_private, name_of


@dataclass(frozen=True)
class Edge:
    """A stream to be: the buffer it replaces, who stores it (None: the input port) and the load that takes it (None: the output)."""

    buffer: ir.Value
    writer: int | None
    reader: int | None
    load: Access | None


class _ToDataflow:
    def __init__(self, function: ir.Operation) -> None:
        self.function = function
        self.nests = nests(function)
        self.names: list[str] = []
        for nest in self.nests:
            name, number = name_of(nest), 1
            while name in self.names:
                name, number = f"{name_of(nest)}_{number}", number + 1
            self.names.append(name)

    def edges(self) -> list[Edge]:
        source, sink = iu.body(self.function).arguments
        found: list[Edge] = []
        for index, nest in enumerate(self.nests):
            for load in nest.loads:
                if is_constant(load.buffer) or is_private(load.buffer, nest):
                    continue
                writers = [i for i, n in enumerate(self.nests) if any(s.buffer == load.buffer for s in n.stores)]
                if load.buffer != source and (len(writers) != 1 or writers[0] >= index):
                    raise PassFailure(load.op, "a buffer that is not stored by exactly one earlier nest")
                found.append(Edge(load.buffer, None if load.buffer == source else writers[0], index, load))
                self.check_order(load, nest)
        for index, nest in enumerate(self.nests):
            for store in nest.stores:
                if store.buffer == sink:
                    found.append(Edge(store.buffer, index, None, None))
                if not is_private(store.buffer, nest):
                    self.check_order(store, nest)
        return found

    def check_order(self, access: Access, nest: Nest) -> None:
        if not is_row_major_once(access.op, nest):
            verb = "stored" if access.is_store else "loaded"
            raise PassFailure(
                access.op,
                f"the buffer is not {verb} element by element, once and in order",
                help="run hls-temporal-reuse first",
            )

    def run(self) -> None:
        block = iu.body(self.function)
        edges = self.edges()
        terminator = [o.operation for o in block.operations][-1]
        with ir.InsertionPoint(terminator), self.function.location:
            dataflow = hls.DataflowOp()
        body = dataflow.regions[0].blocks.append()
        streams: dict[Edge, ir.Value] = {}
        for edge in edges:
            kind = ir.MemRefType(edge.buffer.type)
            word = hls.stream_type(kind.element_type, [1])
            writer = "input" if edge.writer is None else self.names[edge.writer]
            reader = "output" if edge.reader is None else self.names[edge.reader]
            i64 = ir.IntegerType.get_signless(64)
            # Room for a whole frame: no schedule can deadlock. hls-size-fifos finds the least depth.
            depth = ir.IntegerAttr.get(i64, int(np.prod(kind.shape)))
            with ir.InsertionPoint(body), edge.load.op.location if edge.load else self.function.location:
                name = ir.StringAttr.get(self.unique_stream(f"{writer}_to_{reader}", streams))
                fifo = hls.FifoOp(depth, name, word)
            streams[edge] = fifo.operation.results[0]
        inputs = [edge for edge in edges if edge.writer is None]
        if len(inputs) > 1:
            raise PassFailure(
                self.function, "the input image has several readers", help="start the network with one layer"
            )
        with ir.InsertionPoint(body), self.function.location:
            for edge in inputs:
                hls.SourceOp(edge.buffer, streams[edge])
        for index, nest in enumerate(self.nests):
            reading = [edge for edge in edges if edge.reader == index]
            writing = [edge for edge in edges if edge.writer == index]
            self.task(body, nest, self.names[index], reading, writing, streams)
        with ir.InsertionPoint(body), self.function.location:
            for edge in edges:
                if edge.reader is None:
                    hls.SinkOp(streams[edge], edge.buffer)
        for nest in self.nests:
            iu.erase_tree(nest.root)
        for op in reversed([o.operation for o in block.operations]):
            if op.name in {"memref.alloc", "memref.get_global", "arith.constant"}:
                iu.erase_if_unused(op)

    def unique_stream(self, wanted: str, streams: dict[Edge, ir.Value]) -> str:
        taken = {ir.StringAttr(s.owner.operation.attributes["sym_name"]).value for s in streams.values()}
        name, number = wanted, 1
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        return name

    def task(
        self,
        body: ir.Block,
        nest: Nest,
        name: str,
        reading: list[Edge],
        writing: list[Edge],
        streams: dict[Edge, ir.Value],
    ) -> None:
        with ir.InsertionPoint(body), nest.root.location:
            task = hls.TaskOp(ir.StringAttr.get(name))
            block = task.regions[0].blocks.append()
        mapping: dict[ir.Value, ir.Value] = {}
        with ir.InsertionPoint(block):
            iu.clone_into(self.outside(nest, {e.buffer for e in [*reading, *writing]}), mapping)
            clone = iu.clone_into([nest.root], mapping)[0]
        copies = dict(zip(iu.walk(nest.root), iu.walk(clone), strict=True))
        first = [o.operation for o in block.operations][0]
        for edge in reading:
            assert edge.load is not None
            self.replace_load(copies[edge.load.op], streams[edge], first)
        for store in nest.stores:
            targets = [streams[edge] for edge in writing if edge.buffer == store.buffer]
            if targets:
                self.replace_store(copies[store.op], targets, first)

    def outside(self, nest: Nest, streamed: set[ir.Value]) -> list[ir.Operation]:
        """What the nest uses from around it: constants, weights and its own buffers, in program order."""
        used: set[ir.Operation] = set()
        inside = set(iu.walk(nest.root))
        for op in inside:
            for operand in op.operands:
                owner = iu.defining_op(operand)
                if owner is not None and owner not in inside and operand not in streamed:
                    used.add(owner)
        return [o.operation for o in iu.body(self.function).operations if o.operation in used]

    def replace_load(self, load: ir.Operation, stream: ir.Value, first: ir.Operation) -> None:
        word = self.word(stream, first, load.location, "input_word")
        with ir.InsertionPoint(load), load.location:
            hls.ReadOp(stream, word)
            value = iu.affine_load(word, ir.AffineMap.get(0, 0, [ir.AffineExpr.get_constant(0)]), [])
        load.results[0].replace_all_uses_with(value)
        load.erase()

    def replace_store(self, store: ir.Operation, streams: list[ir.Value], first: ir.Operation) -> None:
        word = self.word(streams[0], first, store.location, "output_word")
        with ir.InsertionPoint(store), store.location:
            iu.affine_store(store.operands[0], word, ir.AffineMap.get(0, 0, [ir.AffineExpr.get_constant(0)]), [])
            for stream in streams:
                hls.WriteOp(word, stream)
        store.erase()

    def word(self, stream: ir.Value, first: ir.Operation, location: ir.Location, name: str) -> ir.Value:
        kind = hls.element_of(stream.type)
        with ir.InsertionPoint(first), location:
            buffer = memref.AllocOp(ir.MemRefType.get(kind.shape, kind.element_type), [], []).result
        buffer.owner.operation.attributes["hls.name"] = ir.StringAttr.get(name)
        return buffer


@register_pass
@dataclass(frozen=True)
class ToDataflow(Pass):
    """Turn nests into tasks and the buffers between them into streams.

    Before: affine nests after `hls-temporal-reuse`: every buffer between nests is stored and loaded element by element, once and in
    row-major order (checked here by enumeration). After: one `hls.dataflow` with an `hls.task` per nest and an `hls.fifo` per
    reader of a buffer; a buffer with several readers is written to each of their streams. The function's arguments become
    `hls.source` and `hls.sink`. Every stream has room for a frame, so that nothing can deadlock before depths are chosen.
    """

    name: ClassVar[str] = "hls-to-dataflow"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            _ToDataflow(iu.public_function(op)).run()
