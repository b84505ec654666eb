# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-place-memories: where every array lives. Marks arrays, rewrites nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.costs import Resources, memory, rom
from resnet_hls.analysis.tasks import Task, lanes_attribute, tasks, the_dataflow
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import Pass, option, register_pass

_RAMS, _ROMS = ("lutram", "bram"), ("rom_lutram", "rom_bram")


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
    for accumulators, words of streams and up to `register-depth` addresses; beyond, `lutram` or `bram`, whichever costs
    less (`analysis/costs.py`), a block RAM being worth `luts-of-bram` LUTs. For constants the same, of `rom_lutram`
    and `rom_bram`; one that has its `hls.storage` keeps it.
    """

    name: ClassVar[str] = "hls-place-memories"

    family: Literal["ultrascale+", "7series"] = option("ultrascale+", "family of the device")
    register_depth: int = option(4, "most addresses of a bank in registers")
    luts_of_bram: int = option(384, "LUTs that are worth a block RAM of 36 Kib")

    def run(self, op: ir.Operation) -> None:
        i64 = ir.IntegerType.get_signless(64)
        for task in tasks(the_dataflow(op)):
            for alloc in iu.walk(task.op, "memref.alloc"):
                banked = banked_dims(task, alloc)
                alloc.attributes["hls.partition"] = ir.ArrayAttr.get([ir.IntegerAttr.get(i64, axis) for axis in banked])
                alloc.attributes["hls.storage"] = ir.StringAttr.get(self.storage(alloc, banked))
        for constant in iu.walk(op, "memref.global"):
            if "hls.storage" not in constant.attributes:
                kind = ir.MemRefType(ir.TypeAttr(constant.attributes["type"]).value)
                depth, bits = words(kind, lanes_attribute(constant))
                least = self.cheapest({storage: rom(depth, bits, storage, self.family) for storage in _ROMS})
                constant.attributes["hls.storage"] = ir.StringAttr.get(least)

    def storage(self, alloc: ir.Operation, banked: list[int]) -> str:
        kind = ir.MemRefType(alloc.results[0].type)
        if ir.IntegerType(kind.element_type).width > 8 or "hls.lanes" not in alloc.attributes:
            return "register"  # an accumulator, or a stream's word
        depth, bits = words(kind, lanes_attribute(alloc), banked)
        if depth <= self.register_depth:
            return "register"
        return self.cheapest({storage: memory(depth, bits, storage, self.family) for storage in _RAMS})

    def cheapest(self, choices: Mapping[str, Resources]) -> str:
        """The first of those that cost the fewest LUTs."""
        return min(choices, key=lambda storage: choices[storage].lut + self.luts_of_bram * choices[storage].bram36)


def words(kind: ir.MemRefType, lanes: int, banked: Sequence[int] = ()) -> tuple[int, int]:
    """Words of a bank, and bits of each: its last `lanes` dimensions are accessed together, `banked` ones are banks."""
    address = len(kind.shape) - lanes
    depth = prod(n for axis, n in enumerate(kind.shape[:address]) if axis not in banked)
    return depth, prod(kind.shape[address:]) * ir.IntegerType(kind.element_type).width
