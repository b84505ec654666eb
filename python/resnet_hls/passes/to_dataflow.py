# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-to-dataflow: nests become tasks, buffers between them become streams. Moves operations, computes nothing new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import guards_of, is_row_major_once
from resnet_hls.analysis.nests import Access, Nest, is_constant, nests
from resnet_hls.analysis.windows import is_private, name_of
from resnet_hls.cpp_names import Names
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import Pass, PassFailure, register_pass


@dataclass(frozen=True)
class Edge:
    """A stream to be: the buffer it replaces, which nest stores it and which takes it, by which load.

    Without a writer it starts at the input port, without a reader it ends at the output port.
    """

    buffer: ir.Value
    writer: int | None
    reader: int | None
    load: Access | None


class _ToDataflow:
    def __init__(self, function: ir.Operation) -> None:
        self.function = function
        self.nests = nests(function)
        module = function.parent.operation
        symbols = [op.operation.attributes for op in iu.body(module).operations]
        taken = [ir.StringAttr(s["sym_name"]).value for s in symbols if "sym_name" in s]
        self.unique_name = Names([*taken, *(f"{name}_io" for name in taken)]).unique
        self.names = [self.unique_name(name_of(nest)) for nest in self.nests]
        self.order = {o.operation: i for i, o in enumerate(iu.body(function).operations)}

    def edges(self) -> list[Edge]:
        source, sink = iu.body(self.function).arguments
        writers: dict[ir.Value, list[int]] = {}
        for index, nest in enumerate(self.nests):
            for buffer in {store.buffer for store in nest.stores}:
                writers.setdefault(buffer, []).append(index)
        found: list[Edge] = []
        for index, nest in enumerate(self.nests):
            for load in nest.loads:
                if is_constant(load.buffer) or is_private(load.buffer, nest):
                    continue
                before = writers.get(load.buffer, [])
                if load.buffer != source and (len(before) != 1 or before[0] >= index):
                    raise PassFailure(load.op, "a buffer that is not stored by exactly one earlier nest")
                found.append(Edge(load.buffer, None if load.buffer == source else before[0], index, load))
                self.check_order(load, nest)
        for index, nest in enumerate(self.nests):
            for store in nest.stores:
                if store.buffer == sink:
                    found.append(Edge(store.buffer, index, None, None))
                if not is_private(store.buffer, nest):
                    self.check_order(store, nest)
        if not any(edge.writer is None for edge in found) or not any(edge.reader is None for edge in found):
            raise PassFailure(self.function, "no nest reads the image, or none stores the result")
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
        inputs = [edge for edge in edges if edge.writer is None]
        image, fork = inputs[0].buffer, len(inputs) > 1
        first_reader = self.unique_name("fork_input") if fork else self.names[inputs[0].reader or 0]
        image_stream = self.fifo(body, image, "input", first_reader, self.function.location)
        streams: dict[Edge, ir.Value] = {} if fork else {inputs[0]: image_stream}
        for edge in edges:
            if edge not in streams:
                writer = first_reader if edge.writer is None else self.names[edge.writer]
                reader = "output" if edge.reader is None else self.names[edge.reader]
                location = edge.load.op.location if edge.load else self.function.location
                streams[edge] = self.fifo(body, edge.buffer, writer, reader, location)
        with ir.InsertionPoint(body), self.function.location:
            hls.SourceOp(image, image_stream)
        if fork:
            self.fork(body, first_reader, image, image_stream, [streams[edge] for edge in inputs])
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

    def fifo(self, body: ir.Block, buffer: ir.Value, writer: str, reader: str, location: ir.Location) -> ir.Value:
        """A stream for the elements of `buffer`."""
        kind = ir.MemRefType(buffer.type)
        # Room for a whole frame: no schedule can deadlock. hls-size-fifos finds the least depth.
        depth = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), int(np.prod(kind.shape)))
        name = ir.StringAttr.get(self.unique_name(f"{writer}_to_{reader}"))
        with ir.InsertionPoint(body), location:
            return hls.FifoOp(depth, name, hls.stream_type(kind.element_type, [1])).operation.results[0]

    def fork(self, body: ir.Block, name: str, image: ir.Value, source: ir.Value, targets: Sequence[ir.Value]) -> None:
        """A task that hands every element of the image to all its readers."""
        with ir.InsertionPoint(body), self.function.location:
            block = hls.TaskOp(ir.StringAttr.get(name)).regions[0].blocks.append()
            with ir.InsertionPoint(block):
                word = self.word(source, "input_word")
                with iu.affine_loops(ir.MemRefType(image.type).shape):
                    hls.ReadOp(source, word)
                    for target in targets:
                        hls.WriteOp(word, target)

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
        copied_nest = Nest.at(clone)
        first = next(o.operation for o in block.operations)
        for edge in reading:
            assert edge.load is not None
            self.replace_load(copies[edge.load.op], streams[edge], first, copied_nest)
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
        return sorted(used, key=self.order.__getitem__)

    def replace_load(self, load: ir.Operation, stream: ir.Value, first: ir.Operation, nest: Nest) -> None:
        """The load becomes a read; under the same condition, but before the `affine.if` that only chooses a value."""
        with ir.InsertionPoint(first), load.location:
            word = self.word(stream, "input_word")
        outer = load
        while (parent := outer.parent.operation).name == "affine.if" and len(parent.results):
            outer = parent
        guards = guards_of(load, nest, outer.parent.operation)
        with ir.InsertionPoint(outer), load.location, iu.affine_guard(guards, nest.induction):
            hls.ReadOp(stream, word)
        with ir.InsertionPoint(load), load.location:
            value = iu.affine_load(word, ir.AffineMap.get(0, 0, [ir.AffineExpr.get_constant(0)]), [])
        load.results[0].replace_all_uses_with(value)
        load.erase()

    def replace_store(self, store: ir.Operation, streams: list[ir.Value], first: ir.Operation) -> None:
        with ir.InsertionPoint(first), store.location:
            word = self.word(streams[0], "output_word")
        with ir.InsertionPoint(store), store.location:
            iu.affine_store(store.operands[0], word, ir.AffineMap.get(0, 0, [ir.AffineExpr.get_constant(0)]), [])
            for stream in streams:
                hls.WriteOp(word, stream)
        store.erase()

    def word(self, stream: ir.Value, name: str) -> ir.Value:
        """A buffer for one word of the stream."""
        kind = hls.element_of(stream.type)
        buffer = memref.AllocOp(ir.MemRefType.get(kind.shape, kind.element_type), [], []).result
        buffer.owner.operation.attributes["hls.name"] = ir.StringAttr.get(name)
        return buffer


@register_pass
@dataclass(frozen=True)
class ToDataflow(Pass):
    """Turn nests into tasks and the buffers between them into streams.

    Before: affine nests after `hls-temporal-reuse`: every buffer between nests is stored and loaded element by element,
    once and in row-major order (checked here by enumeration). After: one `hls.dataflow` with an `hls.task` per nest and
    an `hls.fifo` per reader of a buffer; a buffer with several readers is written to each of their streams. The
    function's arguments become `hls.source` and `hls.sink`; an image with several readers gets a task `fork_input`.
    Every stream has room for a frame, so that nothing can deadlock before depths are chosen.
    """

    name: ClassVar[str] = "hls-to-dataflow"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            _ToDataflow(iu.public_function(op)).run()
