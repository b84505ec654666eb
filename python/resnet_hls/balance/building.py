# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Builds one variant of one task, in a module of its own, by the passes that will build it in the design."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.resources import constants_of
from resnet_hls.analysis.tasks import Task, fifos, tasks, the_dataflow
from resnet_hls.balance.variants import Factors
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import Pass, remark_sink
from resnet_hls.passes._tiling_words import Word
from resnet_hls.passes._width_converter import convert_width

Figures = TypeVar("Figures")


class Order(NamedTuple):
    """A variant: factors by loop, the lanes whose products are in LUTs, products of a DSP slice at most."""

    factors: tuple[tuple[int, int], ...]
    fabric: int = 0
    per_slice: int = 2


@dataclass(frozen=True)
class Builder(Generic[Figures]):
    """What a task goes through. Can be pickled if `figures` can.

    Args:
        unroll: what makes lanes of marks.
        compute: what is run then on a task that computes.
        finish: what is run at last, also on width converters.
        figures: of the one task in a module; what a caller wants to know of it.
    """

    unroll: Pass
    compute: Sequence[Pass]
    finish: Sequence[Pass]
    figures: Callable[[ir.Operation], Figures]

    def task(self, module: ir.Operation, task: Task, order: Order) -> Figures:
        """The figures of a task of an untiled module. Raises PassFailure where it cannot be built so."""
        copy = alone(module, task)
        (own,) = tasks(the_dataflow(copy))
        mark(own, dict(order.factors), order.fabric, order.per_slice)
        return self._built(copy, (self.unroll, *self.compute, *self.finish))

    def converter(self, fifo: ir.Operation, have: Word, want: Word) -> Figures:
        """The figures of the task that makes words of one kind of words of another.

        Args:
            fifo: the hls.fifo that it splits, of single elements.
            have: what its writer makes.
            want: what its reader takes.

        Raises:
            PassFailure: there is none.
        """
        module = ir.Module.create(fifo.location)
        with ir.InsertionPoint(module.body), fifo.location:
            body = hls.DataflowOp().regions[0].blocks.append()
        elements = ir.IntegerAttr(fifo.attributes["depth"]).value
        kind, i64 = hls.element_of(fifo.results[0].type).element_type, ir.IntegerType.get_signless(64)
        with ir.InsertionPoint(body), fifo.location:
            ends = [
                hls.FifoOp(
                    ir.IntegerAttr.get(i64, word.words(elements)),
                    ir.StringAttr.get(f"words_of_{word.width}"),
                    hls.stream_type(kind, [word.width]),
                ).operation.results[0]
                for word in (have, want)
            ]
        convert_width(body, ends[0], ends[1], have, want)
        return self._built(module.operation, self.finish)

    def _built(self, module: ir.Operation, passes: Sequence[Pass]) -> Figures:
        silent = remark_sink.set(None)  # what is only tried is no news
        try:
            for step in passes:
                step.run(module)
            return self.figures(module)
        finally:
            remark_sink.reset(silent)


def mark(task: Task, factors: Factors, fabric: int, per_slice: int) -> None:
    """Marks a task with its factors, with the lanes whose products are in LUTs, and with the products of a slice."""
    i64 = ir.IntegerType.get_signless(64)
    for loop, factor in factors.items():
        task.nest.loops[loop].attributes["hls.unroll"] = ir.IntegerAttr.get(i64, factor)
    if fabric:
        task.op.attributes["hls.fabric"] = ir.IntegerAttr.get(i64, fabric)
    if per_slice > 2:
        task.op.attributes["hls.products_per_slice"] = ir.IntegerAttr.get(i64, per_slice)


def alone(module: ir.Operation, task: Task) -> ir.Operation:
    """A module with one task of `module`, the streams and the constants of that; their other ends hang loose.

    Loose ends are no valid dataflow, so that nothing but passes which look at tasks may be run on it.
    """
    copy = ir.Module.create(module.location)
    streams = {*task.inputs, *task.outputs}
    used = {ir.FlatSymbolRefAttr(op.attributes["name"]).value for op in iu.walk(task.op, "memref.get_global")}
    for name, constant in constants_of(module).items():
        if name in used:
            constant.clone(ir.InsertionPoint(copy.body))
    with ir.InsertionPoint(copy.body), task.op.location:
        body = hls.DataflowOp().regions[0].blocks.append()
    own = {
        fifo.results[0]: fifo.clone(ir.InsertionPoint(body)).operation.results[0]
        for fifo in fifos(the_dataflow(module))
        if fifo.results[0] in streams
    }
    for op in iu.walk(task.op.clone(ir.InsertionPoint(body)).operation):
        for number, operand in enumerate(op.operands):
            if operand in own:
                op.operands[number] = own[operand]
    return copy.operation
