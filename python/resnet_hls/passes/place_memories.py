# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-place-memories: where every array lives. Marks arrays, rewrites nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch_mlir import ir

from resnet_hls import boards
from resnet_hls import ir_utils as iu
from resnet_hls.analysis.costs import Resources, memory, rom
from resnet_hls.analysis.tasks import Task, lanes_attribute, tasks, the_dataflow
from resnet_hls.analysis.weights import is_loaded, is_weights, kind_of, loads_of, words
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import Pass, PassFailure, option, register_pass

_RAMS, _ROMS = ("lutram", "bram"), ("rom_lutram", "rom_bram")
#: What constants lie in, by what a user calls it.
WEIGHTS = {"lut": "rom_lutram", "bram": "rom_bram", "uram": "uram"}


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
    """Place every array of a task: registers, LUT memory, block RAM or UltraRAM.

    Before: tiled tasks. After: `hls.partition` on every `memref.alloc`, the dimensions of which one step touches
    several places (rows of a line buffer, a whole window): a bank each. `hls.storage` tells what a bank is: `register`
    for accumulators, words of streams and up to `register-depth` addresses; beyond, `lutram` or `bram`, whichever costs
    less (`analysis/costs.py`), a block RAM being worth `luts-of-bram` LUTs. For constants the same, of `rom_lutram`
    and `rom_bram`; one that has its `hls.storage` keeps it.

    UltraRAM (`uram`) has no contents when it starts, so that weights in it need a port and a load before the first
    frame (`analysis/weights.py`). They get there only where `hls-balance` finds no other place, or where `weights` says
    so; constants below 4,096 bits, and those of a single word, never do.
    """

    name: ClassVar[str] = "hls-place-memories"

    family: Literal["ultrascale+", "7series"] = option("ultrascale+", "family of the device")
    register_depth: int = option(4, "most addresses of a bank in registers")
    luts_of_bram: int = option(384, "LUTs that are worth a block RAM of 36 Kib")
    weights: Literal["auto", "lut", "bram", "uram"] = option("auto", "what weights lie in that have no place yet")
    uram: int = option(64, "UltraRAMs that may be used")

    def run(self, op: ir.Operation) -> None:
        i64 = ir.IntegerType.get_signless(64)
        for task in tasks(the_dataflow(op)):
            for alloc in iu.walk(task.op, "memref.alloc"):
                banked = banked_dims(task, alloc)
                alloc.attributes["hls.partition"] = ir.ArrayAttr.get([ir.IntegerAttr.get(i64, axis) for axis in banked])
                alloc.attributes["hls.storage"] = ir.StringAttr.get(self.storage(alloc, banked))
        for constant in iu.walk(op, "memref.global"):
            if "hls.storage" not in constant.attributes:
                constant.attributes["hls.storage"] = ir.StringAttr.get(self.storage_of_constant(constant))
        self.check_loads(op)

    def storage_of_constant(self, constant: ir.Operation) -> str:
        depth, bits = words(kind_of(constant), lanes_attribute(constant))
        if self.weights != "auto" and depth > 1 and is_weights(constant):
            return WEIGHTS[self.weights]
        return self.cheapest({storage: rom(depth, bits, storage, self.family) for storage in _ROMS})

    def check_loads(self, op: ir.Operation) -> None:
        """That there is the UltraRAM for what lies in it. Raises PassFailure at the first constant that has none."""
        for constant in filter(is_loaded, iu.walk(op, "memref.global")):
            depth, _ = words(kind_of(constant), lanes_attribute(constant))
            if depth == 1:
                raise PassFailure(constant, "a single word in UltraRAM", help="place it in rom_lutram")
            if self.family != "ultrascale+":
                raise no_uram(constant, f"devices of the family {self.family} have none")
        used = 0.0
        for load in loads_of(op):
            used += rom(*words(kind_of(load.constant), lanes_attribute(load.constant)), "uram", self.family).uram
            if used > self.uram:
                raise no_uram(load.constant, f"{used:,.0f} are needed up to here, {self.uram:,} may be used")

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


def no_uram(op: ir.Operation, reason: str) -> PassFailure:
    """That weights cannot lie in UltraRAM."""
    having = [name for name in boards.names() if boards.load(name).usable.uram]
    help = f"let weights lie elsewhere (weights=auto), or choose a board with UltraRAM: {', '.join(having)}"
    return PassFailure(op, f"no UltraRAM for weights: {reason}", help=help)
