# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lanes beyond the last iteration of a loop whose factor does not divide its trip count. Reads the IR, changes nothing.

Most lanes may compute whatever they like there: what they store has a place of its own, which nobody reads but lanes
like them, and constants are padded with zeros, so that a sum of products does not change. Where neither helps, as with
a maximum over taps, a condition keeps such lanes from storing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import is_constant
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure

if TYPE_CHECKING:
    from resnet_hls.passes._tiling import Cluster, Tiling, Use


def find_masks(tiling: Tiling) -> dict[int, set[int]]:
    """By position of a cluster the loops whose lanes beyond the last iteration must not run.

    Raises PassFailure for such lanes of a word that is written: it has them all.
    """
    found: dict[int, set[int]] = {}
    for cluster in tiling.clusters:
        uses = [use for each in tiling.uses.values() for use in each if use.cluster is cluster]
        ragged = tiling.ragged & set(tiling.cluster_lanes(cluster))
        if copies_taps(tiling, cluster):
            ragged -= set(cluster.whole)  # there, each tap has its place in a word
        needed = {d: use for d in ragged for use in uses if _matters(tiling, use, d)}
        writes = [op for outer in cluster.ops for op in iu.walk(outer, "hls.write")]
        if needed and writes:
            help = "choose a factor that divides the trip count"
            raise PassFailure(next(iter(needed.values())).op, "an access by lanes beyond the last iteration", help=help)
        found[cluster.position] = set(needed)
    return found


def _matters(tiling: Tiling, use: Use, loop: int) -> bool:
    """True when a lane of `loop` beyond its last iteration would access what is not there, or change what is."""
    buffer = iu.accessed_memref(use.op)
    layout = tiling.layouts[buffer]
    exprs = tiling.exprs_of(use.op)
    if any(loop in dims_of(e) for axis, e in enumerate(exprs) if axis not in layout.split):
        return True
    return use.is_store and loop not in layout.lanes and not _adds_zero(tiling, use.op, loop)


def _adds_zero(tiling: Tiling, store: ir.Operation, loop: int) -> bool:
    """True when all that a store does is to add what is zero in lanes of `loop` beyond its last iteration."""
    total = iu.defining_op(store.operands[0])
    if total is None or total.name != "arith.addi":
        return False
    for number, operand in enumerate(total.operands):
        load = iu.defining_op(operand)
        if load is not None and load.name == "affine.load" and load.operands[0] == store.operands[1]:
            same = tiling.exprs_of(load) == tiling.exprs_of(store)
            return same and _is_zero(tiling, total.operands[1 - number], loop)
    return False


def _is_zero(tiling: Tiling, value: ir.Value, loop: int) -> bool:
    """True for a value that is zero where constants are padded along `loop`."""
    op = iu.defining_op(value)
    if op is None:
        return False
    if op.name == "affine.load":
        return is_constant(op.operands[0]) and loop in tiling.layouts[op.operands[0]].split.values()
    if op.name == "arith.muli":
        return any(_is_zero(tiling, operand, loop) for operand in op.operands)
    if op.name in {"arith.addi", "arith.subi"}:
        return all(_is_zero(tiling, operand, loop) for operand in op.operands)
    extends = op.name in {"arith.extsi", "arith.extui", "arith.trunci", "arith.shli"}
    return extends and _is_zero(tiling, op.operands[0], loop)


def inside(tiling: Tiling, loop: int, place: ir.AffineExpr) -> tuple[ir.AffineExpr, bool]:
    """The condition that a lane of `loop`, at the iteration `place`, is not beyond the last one."""
    return tiling.nest.extents[loop] - 1 - place, False


def copies_taps(tiling: Tiling, cluster: Cluster) -> bool:
    """True when a cluster only puts what it reads into registers with a place for each tap."""
    ops = [op for outer in cluster.ops for op in iu.walk(outer, "hls.write", "affine.for", "affine.load")]
    uses = [use for each in tiling.uses.values() for use in each if use.cluster is cluster]
    own = [set(tiling.layouts[iu.accessed_memref(use.op)].loops.values()) for use in uses if use.is_store]
    only = all(op.name == "affine.load" and op.operands[0] in tiling.words for op in ops)
    return only and all(set(cluster.whole) <= loops for loops in own)
