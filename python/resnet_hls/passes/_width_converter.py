# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A task between two streams of different word width: the same elements in the same order, in other words."""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import lanes_of, stream_name
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import PassFailure


def convert_width(body: ir.Block, source: ir.Value, target: ir.Value) -> None:
    """Appends a task that regroups the words of `source` into words of `target`, one narrow word a step.

    Raises PassFailure when neither width is a multiple of the other.
    """
    have, want = lanes_of(source), lanes_of(target)
    wide, narrow = max(have, want), min(have, want)
    fifo = source.owner.operation
    if wide % narrow:
        raise PassFailure(
            fifo, f"words of {have} and {want} lanes cannot be converted", help="choose factors that divide each other"
        )
    words = ir.IntegerAttr(fifo.attributes["depth"]).value * have // wide
    element = hls.element_of(source.type).element_type
    parts = wide // narrow
    i64 = ir.IntegerType.get_signless(64)
    name = stream_name(source).removesuffix(f"_x{have}")
    with ir.InsertionPoint(body), fifo.location:
        task = hls.TaskOp(ir.StringAttr.get(f"{name}_width_{have}_to_{want}"))
        block = task.regions[0].blocks.append()
    with ir.InsertionPoint(block), fifo.location:
        big = memref.AllocOp(ir.MemRefType.get([parts, narrow], element), [], []).result
        small = memref.AllocOp(ir.MemRefType.get([narrow], element), [], []).result
        for buffer, hint in ((big, "wide_word"), (small, "narrow_word")):
            buffer.owner.operation.attributes["hls.name"] = ir.StringAttr.get(hint)
        labels = [{"hls.label": ir.StringAttr.get(label)} for label in ("words", "parts")]
        marks: list[dict[str, ir.Attribute]] = [labels[0], {**labels[1], "hls.pipeline": ir.UnitAttr.get()}]
        with iu.affine_loops([words, parts], marks) as induction:
            part, lane = ir.AffineExpr.get_dim(1), ir.AffineExpr.get_dim(2)
            narrowing = have == wide
            if narrowing:
                with iu.affine_guard([(part, True)], induction):
                    hls.ReadOp(source, big)
            else:
                hls.ReadOp(source, small)
            unroll = {"hls.unroll": ir.IntegerAttr.get(i64, narrow), "hls.label": ir.StringAttr.get("lanes")}
            with iu.affine_loops([narrow] if narrow > 1 else [], [unroll]) as lanes:
                operands = [*induction, *lanes]
                place = lane if lanes else ir.AffineExpr.get_constant(0)
                in_big = ir.AffineMap.get(len(operands), 0, [part, place])
                in_small = ir.AffineMap.get(len(operands), 0, [place])
                if narrowing:
                    iu.affine_store(iu.affine_load(big, in_big, operands), small, in_small, operands)
                else:
                    iu.affine_store(iu.affine_load(small, in_small, operands), big, in_big, operands)
            if narrowing:
                hls.WriteOp(small, target)
            else:
                with iu.affine_guard([(part - (parts - 1), True)], induction):
                    hls.WriteOp(big, target)
