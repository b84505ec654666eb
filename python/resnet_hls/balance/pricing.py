# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a variant of a task costs: it is built by the passes that will build it, and its resources are counted.

So there is one model of resources. Tasks that look alike, whatever their constants, are built once: numbers and weights
make a difference of some LUTs. What is chosen is built again with its own, so that what fits here fits in the report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import Task, fifos, tasks, the_dataflow
from resnet_hls.balance.variants import Factors
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import Pass, PassFailure, remark_sink
from resnet_hls.passes._tiling_words import Word
from resnet_hls.passes._width_converter import convert_width

Figures = TypeVar("Figures")
_CONSTANT = re.compile(r"^ *%\S+ = arith\.constant .*\n", re.MULTILINE)
_NUMBER = re.compile(r"%c-?\d[\w-]*")
_NAME = re.compile(r"[@%][\w$.#-]+|(?<== )\"[^\"]*\"")


@dataclass
class Trials(Generic[Figures]):
    """Builds tasks of `module`, one at a time and each in a module of its own.

    Args:
        module: untiled.
        unroll: what makes lanes of marks.
        compute: what is run then on a task that computes.
        finish: what is run at last, also on width converters.
        figures: of the one task in a module; what a caller wants to know of it.

    Attributes:
        failure: why the last one could not be built.
    """

    module: ir.Operation
    unroll: Pass
    compute: Sequence[Pass]
    finish: Sequence[Pass]
    figures: Callable[[ir.Operation], Figures]
    failure: PassFailure | None = None
    built: int = 0
    _alone: dict[tuple[str, int], ir.Operation] = field(default_factory=dict)
    _keys: dict[ir.Operation, str] = field(default_factory=dict)
    _found: dict[tuple[str, tuple[tuple[int, int], ...], int, int], Figures | None] = field(default_factory=dict)

    def of(
        self, task: Task, factors: Factors, fabric: int = 0, per_slice: int = 2, alike: bool = True
    ) -> Figures | None:
        """The figures of a task with these factors, so many lanes in LUTs and products in a slice; None where it cannot
        be built so.

        With `alike` they may be those of another task that differs in its constants only.
        """
        key = self.like(task) if alike else f"@{task.name}"
        trial = key, tuple(sorted(factors.items())), fabric, per_slice
        if trial not in self._found:
            if (key, per_slice) not in self._alone:  # by `per_slice`: more than two only where constants are small
                self._alone[key, per_slice] = alone(self.module, task)
            self._found[trial] = self._build(self._alone[key, per_slice].clone(), factors, fabric, per_slice)
        return self._found[trial]

    def converter(self, fifo: ir.Operation, have: Word, want: Word) -> Figures | None:
        """The figures of the task that makes words of one kind of words of another; None where there is none.

        Args:
            fifo: the hls.fifo that it splits, of single elements.
            have: what its writer makes.
            want: what its reader takes.
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
        try:
            convert_width(body, ends[0], ends[1], have, want)
        except PassFailure:
            return None
        return self._figures(module.operation, self.finish)

    def _build(self, module: ir.Operation, factors: Factors, fabric: int, per_slice: int) -> Figures | None:
        self.built += 1
        (task,) = tasks(the_dataflow(module))
        mark(task, factors, fabric, per_slice)
        return self._figures(module, (self.unroll, *self.compute, *self.finish))

    def _figures(self, module: ir.Operation, passes: Sequence[Pass]) -> Figures | None:
        silent = remark_sink.set(None)  # what is only tried is no news
        try:
            for step in passes:
                step.run(module)
            return self.figures(module)
        except PassFailure as failure:
            self.failure = failure
            return None
        finally:
            remark_sink.reset(silent)

    def like(self, task: Task) -> str:
        """The text of a task without names, numbers and elements of constants."""
        if task.op not in self._keys:
            names: dict[str, str] = {}
            # Without its scope and unverified: else all of the module is numbered and verified for each task.
            text = task.op.get_asm(
                enable_debug_info=False, large_elements_limit=1, use_local_scope=True, assume_verified=True
            )
            text = _NUMBER.sub("number", _CONSTANT.sub("", text))
            self._keys[task.op] = _NAME.sub(lambda m: names.setdefault(m.group(), f"@{len(names)}"), text)
        return self._keys[task.op]


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
    """A copy of `module` with one of its tasks, the streams and the constants of that; their other ends hang loose.

    Loose ends are no valid dataflow, so that nothing but passes which look at tasks may be run on it.
    """
    copy: ir.Operation = module.clone()
    dataflow = the_dataflow(copy)
    for op in [o.operation for o in iu.body(dataflow).operations]:
        other = op.name == "hls.task" and ir.StringAttr(op.attributes["sym_name"]).value != task.name
        if other or op.name in {"hls.source", "hls.sink"}:
            op.erase()
    for fifo in fifos(dataflow):
        if not iu.has_uses(fifo.results[0]):
            fifo.erase()
    used = {ir.FlatSymbolRefAttr(op.attributes["name"]).value for op in iu.walk(copy, "memref.get_global")}
    for constant in iu.walk(copy, "memref.global"):
        if ir.StringAttr(constant.attributes["sym_name"]).value not in used:
            constant.erase()
    return copy
