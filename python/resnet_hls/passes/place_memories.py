# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-place-memories: where every array lives. Marks arrays, rewrites nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import Task, lanes_attribute, tasks, the_dataflow
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import Pass, option, register_pass


def banked_dims(task: Task, alloc: ir.Operation) -> list[int]:
    """Address dimensions of which a step touches several places: indexed by a loop over registers, or by constants."""
    buffer = alloc.results[0]
    count = len(ir.MemRefType(buffer.type).shape) - lanes_attribute(alloc)
    depth = len(task.nest.loops)
    found: set[int] = set()
    for op in (use.owner.operation for use in buffer.uses):
        if op.name in {"affine.load", "affine.store"}:
            exprs = task.nest.in_terms_of_loops(list(iu.access_map(op).results), iu.index_operands(op))
            found |= {axis for axis, e in enumerate(exprs[:count]) if not dims_of(e) or max(dims_of(e)) >= depth}
    return sorted(found)


@register_pass
@dataclass(frozen=True)
class PlaceMemories(Pass):
    """Place every array of a task: registers, LUT memory or block RAM.

    Before: tiled tasks. After: `hls.partition` on every `memref.alloc`, the dimensions of which one step touches
    several places (rows of a line buffer, a whole window): a bank each. `hls.storage` tells what a bank is: `register`
    for accumulators, words of streams and up to `register-depth` addresses, `lutram` up to `lutram-depth`, `bram`
    beyond; for constants `rom_lutram` or `rom_bram`.
    """

    name: ClassVar[str] = "hls-place-memories"

    register_depth: int = option(4, "most addresses of a bank in registers")
    lutram_depth: int = option(64, "most words of an array in LUT memory")

    def run(self, op: ir.Operation) -> None:
        i64 = ir.IntegerType.get_signless(64)
        for task in tasks(the_dataflow(op)):
            for alloc in iu.walk(task.op, "memref.alloc"):
                banked = banked_dims(task, alloc)
                alloc.attributes["hls.partition"] = ir.ArrayAttr.get([ir.IntegerAttr.get(i64, axis) for axis in banked])
                alloc.attributes["hls.storage"] = ir.StringAttr.get(self.storage(alloc, banked))
        for constant in iu.walk(op, "memref.global"):
            kind = ir.MemRefType(ir.TypeAttr(constant.attributes["type"]).value)
            depth = int(np.prod(kind.shape[: len(kind.shape) - lanes_attribute(constant)], dtype=np.int64))
            constant.attributes["hls.storage"] = ir.StringAttr.get(
                "rom_lutram" if depth <= self.lutram_depth else "rom_bram"
            )

    def storage(self, alloc: ir.Operation, banked: list[int]) -> str:
        kind = ir.MemRefType(alloc.results[0].type)
        if ir.IntegerType(kind.element_type).width > 8 or "hls.lanes" not in alloc.attributes:
            return "register"  # an accumulator, or a stream's word
        address = [
            n for axis, n in enumerate(kind.shape[: len(kind.shape) - lanes_attribute(alloc)]) if axis not in banked
        ]
        depth = int(np.prod(address, dtype=np.int64))
        return "register" if depth <= self.register_depth else "lutram" if depth <= self.lutram_depth else "bram"
