# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How the buffers of a tiled task are indexed: by address, then by lane. Reads the IR, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch_mlir import ir

from resnet_hls.analysis.iterations import fixed_loops, guards_of
from resnet_hls.analysis.nests import is_constant
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure

if TYPE_CHECKING:
    from resnet_hls.passes._tiling import Tiling


@dataclass
class Layout:
    """How a buffer is indexed after tiling: dimensions split into address and lane, and lanes added to it."""

    shape: list[int]
    split: dict[int, int]  # dimension -> loop whose tile splits it
    loops: dict[int, int]  # dimension -> the one loop that indexes it, where there is one
    lanes: list[int]  # loops of the lane dimensions, in order
    address: list[int]  # dimensions that are addresses, in order: those of more than one address


def extent_of(axis: int, layout: Layout, tiling: Tiling) -> int:
    """Addresses of a dimension."""
    return tiling.groups[layout.split[axis]] if axis in layout.split else layout.shape[axis]


def find_layouts(tiling: Tiling) -> dict[ir.Value, Layout]:
    """The layout of every buffer that is no word of a stream; hands lanes of buffers on to the clusters that use them.

    A buffer whose elements live no longer than a step has lanes only: every step begins it anew.

    Raises:
        PassFailure: an unrolled loop indexes a buffer twice.
    """
    expanded = _expanded(tiling)
    layouts: dict[ir.Value, Layout] = {}
    for buffer, uses in tiling.uses.items():
        shape = list(ir.MemRefType(buffer.type).shape)
        split: dict[int, int] = {}
        loops: dict[int, int] = {}
        for axis in range(len(shape)):
            exprs = {e.position if isinstance(e := tiling.exprs_of(u.op)[axis], ir.AffineDimExpr) else -1 for u in uses}
            if len(exprs) == 1 and 0 <= (loop := exprs.pop()) < len(tiling.factors):
                loops[axis] = loop
                if tiling.factors[loop] > 1:
                    if loop in split.values():  # a diagonal
                        message = "an unrolled loop that indexes two dimensions of an array"
                        raise PassFailure(uses[0].op, message, help="use a loop for each, or do not unroll it")
                    split[axis] = loop
        lanes = [d for d in tiling.lane_order if d in expanded[buffer] or d in split.values()]
        layout = layouts[buffer] = Layout(shape, split, loops, lanes, [])
        if not _lives_one_step(tiling, buffer):
            layout.address = [axis for axis in range(len(shape)) if extent_of(axis, layout, tiling) > 1]
            if is_constant(buffer) and all(axis in loops for axis in layout.address):
                layout.address.sort(key=loops.__getitem__)  # in the order of the steps: an address is a counter
    return layouts


def _expanded(tiling: Tiling) -> dict[ir.Value, set[int]]:
    """Lanes to add to each buffer: of the loops that do not index it but give it a new value in every iteration."""
    expanded: dict[ir.Value, set[int]] = {buffer: set() for buffer in tiling.uses}
    changed = True
    while changed:  # a buffer that gets lanes hands them to the clusters that use it
        changed = False
        for buffer, uses in tiling.uses.items():
            for use in uses:
                reduces = any(u.cluster is use.cluster and not u.is_store for u in uses)
                if use.is_store and not reduces:
                    indexed = {d for e in tiling.exprs_of(use.op) for d in dims_of(e)}
                    missing = {d for d in tiling.lane_order if d not in use.fixed and d not in indexed}
                    changed |= not missing <= expanded[buffer]
                    expanded[buffer] |= missing
            for use in uses:
                changed |= not expanded[buffer] <= use.cluster.loops
                use.cluster.loops |= expanded[buffer]
    return expanded


def _lives_one_step(tiling: Tiling, buffer: ir.Value) -> bool:
    """True when every step stores each element that it accesses before anything else.

    All accesses of a step must have one address, a store of all lanes must come first, and it must be there in every
    step: its guards may only hold loops whose iterations are all in one step.
    """
    first, *others = tiling.uses[buffer]
    exprs = tiling.exprs_of(first.op)
    if not first.is_store or any(tiling.exprs_of(use.op) != exprs for use in others):
        return False
    for e in exprs:
        if any(d >= len(tiling.factors) for d in dims_of(e)):
            return False
        if not isinstance(e, ir.AffineDimExpr) and any(tiling.factors[d] > 1 for d in dims_of(e)):
            return False
    guards = guards_of(first.op, tiling.nest)
    held = fixed_loops(guards)
    lanes = tiling.cluster_lanes(first.cluster)
    always = len(held) == len(guards) and all(tiling.groups[d] == 1 and d not in lanes for d in held)
    return always and not first.cluster.whole
