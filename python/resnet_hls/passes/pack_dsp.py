# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-pack-dsp: two products in a multiplier, and sums in cascades of DSP slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import Task, tasks, the_dataflow
from resnet_hls.passes._lane_sums import LaneSum, lane_sums
from resnet_hls.passes._packed_sum import SumBuilder
from resnet_hls.passes._packing import SLICES, Bounds, Packer, Packing
from resnet_hls.passes._registry import Pass, PassFailure, option, register_pass, remark

FABRIC = "hls.fabric"
PER_SLICE = "hls.products_per_slice"


@register_pass
@dataclass(frozen=True)
class PackDsp(Pass):
    """Compute two products of bytes in a DSP slice, and sum up in cascades of slices.

    Before: tiled tasks, in which a step sums up products over lanes. After: two lanes that share an operand (an
    activation that two output lanes multiply) share a multiplier: the other operands are packed, `hls.pack`, into one
    number, whose product with the shared one holds both. Products add up in chains of slices, whose sums of 48 bits
    still hold two: then `hls.low` and `hls.high` take them out for the adders of the step. An odd lane, and lanes that
    share nothing, have slices of their own, in chains as well.

    How far apart the two lanes are and how long a chain may be follows from bounds: those of the types, and the
    elements of constants at every address. The packed number fits the multiplier of the family, and the sum of the
    lower lane over each chain takes no more bits than lie below the upper one. Up to that and to `max-chain`, chains
    are as long as takes the fewest LUTs: a chain saves adders, and its operands wait in registers or LUTs.

    A task with `hls.fabric = n` computes the last n products of every sum in LUTs: `hls.multiplier = "fabric"`.
    One with `hls.products_per_slice = n` may have n lanes in a slice, whatever `lanes` says: three products of bytes
    with weights of four bits fit, each chain of one slice.
    """

    name: ClassVar[str] = "hls-pack-dsp"

    family: Literal["ultrascale+", "7series"] = option("ultrascale+", "whose multiplier: 27 x 18 bits, or 25 x 18")
    max_chain: int = option(7, "products in a chain at most; how many take the fewest LUTs is a matter of the model")
    lanes: int = option(2, "products in a slice at most")

    def run(self, op: ir.Operation) -> None:
        if self.max_chain < 1 or self.lanes < 1:
            raise PassFailure(op, "less than one product in a chain or in a slice", help="set max-chain and lanes to 1")
        reader = iu.ConstantReader(op)
        elements = {
            ir.StringAttr(constant.attributes["sym_name"]).value: constant.attributes["initial_value"]
            for constant in iu.walk(op, "memref.global")
        }
        for task in tasks(the_dataflow(op)):
            symbols = {
                use.results[0]: ir.FlatSymbolRefAttr(use.attributes["name"]).value
                for use in iu.walk(task.op, "memref.get_global")
            }
            found = lane_sums(task)
            constants = {array: reader.array(elements[symbol]) for array, symbol in symbols.items()} if found else {}
            for one in found:
                self.pack(task, one, constants)

    def pack(self, task: Task, found: LaneSum, constants: Mapping[ir.Value, NDArray[Any]]) -> None:
        fabric, lanes = _number(task, FABRIC, 0), _number(task, PER_SLICE, self.lanes)
        if fabric >= prod(found.extents):
            found.product.attributes["hls.multiplier"] = ir.StringAttr.get("fabric")
            return
        extents = dict(zip(task.nest.induction, task.nest.extents, strict=True))
        bounds = Bounds(found, extents, constants)
        packing = Packer(found, bounds, SLICES[self.family], fabric, lanes, self.max_chain).decide()
        if packing is not None:
            remark(found.product, f"'{task.name}': {_described(packing, prod(found.extents) - fabric)}")
            SumBuilder(found, packing, SLICES[self.family], fabric).build()


def _number(task: Task, name: str, default: int) -> int:
    return ir.IntegerAttr(task.op.attributes[name]).value if name in task.op.attributes else default


def _described(packing: Packing, count: int) -> str:
    """What a packing does, in words."""
    parts = []
    for chains in packing.chains:
        shared = (
            f"{chains.lanes} products in a slice, {chains.shift} bits apart"
            if chains.lanes > 1
            else "slices of one product"
        )
        parts.append(f"{shared}, chains of {chains.length} of {count}")
    return "; ".join(parts)
