# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-lower-dataflow: the dataflow as sequential code, a Kahn network run task by task. For execution only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import affine, arith, memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import transfer_of, words_written
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import Pass, register_pass


class _Lowering:
    """Each stream becomes an array of all words of a frame and two counters: words written, words read."""

    def __init__(self, function: ir.Operation) -> None:
        self.function = function
        self.storage: dict[ir.Value, tuple[ir.Value, ir.Value]] = {}

    def transfer(self, buffer: ir.Value, stream: tuple[ir.Value, ir.Value], counter: int, write: bool) -> None:
        """Copies one word between `buffer` and the stream's array at the place the counter tells, and counts."""
        words, counters = stream
        at = arith.constant(ir.IndexType.get(), counter)
        place = memref.load(counters, [at])
        shape = ir.MemRefType(buffer.type).shape
        with iu.affine_loops(shape) as lanes:
            linear = ir.AffineExpr.get_constant(0)
            for d, extent in enumerate(shape):
                linear = linear * extent + ir.AffineExpr.get_dim(d)
            lane = affine.AffineApplyOp(ir.AffineMap.get(len(shape), 0, [linear]), lanes).result
            if write:
                memref.store(memref.load(buffer, lanes), words, [place, lane])
            else:
                memref.store(memref.load(words, [place, lane]), buffer, lanes)
        memref.store(arith.addi(place, arith.constant(ir.IndexType.get(), 1)), counters, [at])

    def port(self, op: ir.Operation, write: bool) -> None:
        """hls.source or hls.sink: all words of a memref, whose elements they are in row-major order."""
        buffer, stream = (op.operands[0], op.operands[1]) if write else (op.operands[1], op.operands[0])
        words, _ = self.storage[stream]
        kind, word = ir.MemRefType(buffer.type), hls.element_of(stream.type)
        lanes = word.shape[0]
        with iu.affine_loops(kind.shape) as indices:
            linear = ir.AffineExpr.get_constant(0)
            for d, extent in enumerate(kind.shape):
                linear = linear * extent + ir.AffineExpr.get_dim(d)
            split = [ir.AffineExpr.get_floor_div(linear, lanes), ir.AffineExpr.get_mod(linear, lanes)]
            index_map = ir.AffineMap.get(len(kind.shape), 0, split)
            if write:
                value = iu.affine_load(buffer, ir.AffineMap.get_identity(len(kind.shape)), indices)
                iu.affine_store(value, words, index_map, indices)
            else:
                value = iu.affine_load(words, index_map, indices)
                iu.affine_store(value, buffer, ir.AffineMap.get_identity(len(kind.shape)), indices)

    def run(self) -> None:
        dataflow = iu.walk(self.function, "hls.dataflow")[0]
        counts = words_written(dataflow)
        with ir.InsertionPoint(dataflow), dataflow.location:
            zero = arith.constant(ir.IndexType.get(), 0)
            for op in [o.operation for o in iu.body(dataflow).operations]:
                with ir.InsertionPoint(dataflow), op.location:
                    if op.name == "hls.fifo":
                        stream = op.results[0]
                        word = hls.element_of(stream.type)
                        lanes = int(np.prod(word.shape))
                        words = memref.AllocOp(
                            ir.MemRefType.get([counts[stream], lanes], word.element_type), [], []
                        ).result
                        counters = memref.AllocOp(ir.MemRefType.get([2], ir.IndexType.get()), [], []).result
                        for side in range(2):
                            memref.store(zero, counters, [arith.constant(ir.IndexType.get(), side)])
                        self.storage[stream] = (words, counters)
                    elif op.name in {"hls.source", "hls.sink"}:
                        self.port(op, write=op.name == "hls.source")
                    else:
                        self.task(op)
        iu.erase_tree(dataflow)

    def task(self, task: ir.Operation) -> None:
        """The task's body in place, its reads and writes as transfers."""
        copies = iu.clone_into([o.operation for o in iu.body(task).operations], {})
        for transfer in [transfer_of(op) for copy in copies for op in iu.walk(copy, "hls.read", "hls.write")]:
            with ir.InsertionPoint(transfer.op), transfer.op.location:
                self.transfer(
                    transfer.buffer, self.storage[transfer.stream], int(not transfer.is_write), transfer.is_write
                )
            transfer.op.erase()


def _resized(value: ir.Value, kind: ir.Type) -> ir.Value:
    """A signed number in another width, modulo 2 to that."""
    wider = ir.IntegerType(kind).width - ir.IntegerType(value.type).width
    return arith.extsi(kind, value) if wider > 0 else arith.trunci(kind, value) if wider < 0 else value


def _pack(op: ir.Operation) -> ir.Value:
    kind = op.results[0].type
    shift = iu.int_constant(ir.IntegerAttr(op.attributes["shift"]).value, ir.IntegerType(kind).width)
    high, low = (_resized(operand, kind) for operand in op.operands)
    return arith.addi(arith.shli(high, shift), low)


def _low(op: ir.Operation) -> ir.Value:
    """The lowest bits less half of what they span: their uppermost bit inverted."""
    kind = op.results[0].type
    width = ir.IntegerType(kind).width
    return arith.xori(_resized(op.operands[0], kind), iu.int_constant(-(1 << (width - 1)), width))


def _high(op: ir.Operation) -> ir.Value:
    shift = ir.IntegerAttr(op.attributes["shift"]).value
    width = ir.IntegerType(op.operands[0].type).width
    return _resized(arith.shrsi(op.operands[0], iu.int_constant(shift, width)), op.results[0].type)


#: Arithmetic for each operation on packed numbers.
_LANES = {"hls.pack": _pack, "hls.low": _low, "hls.high": _high}


@register_pass
@dataclass(frozen=True)
class LowerDataflow(Pass):
    """Lower the dataflow to sequential affine code that can be executed.

    A Kahn network gives the same streams in whatever order its tasks run, so they run one after the other, each for a
    whole frame, with streams as arrays; packed numbers are shifts and additions. This is the meaning of the `hls`
    operations; `--validate-each` runs it. Nothing is emitted from the result.
    """

    name: ClassVar[str] = "hls-lower-dataflow"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            for lanes in iu.walk(op, *_LANES):
                with ir.InsertionPoint(lanes), lanes.location:
                    lanes.results[0].replace_all_uses_with(_LANES[lanes.name](lanes))
                lanes.erase()
            for dataflow in iu.walk(op, "hls.dataflow"):
                function = dataflow.parent.operation
                _Lowering(function).run()
