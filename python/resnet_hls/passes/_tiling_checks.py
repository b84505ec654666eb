# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a task must be like for its lanes to run statement by statement. Reads the IR, changes nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import fixed_loops, guards_of
from resnet_hls.passes._registry import PassFailure

if TYPE_CHECKING:
    from resnet_hls.passes._tiling import Tiling, Use


def check(tiling: Tiling) -> None:
    """Raises PassFailure for a task that tiling would change, or whose words could not be streamed."""
    _check_turns(tiling)
    _check_order(tiling)
    _check_pixels(tiling)
    _check_words(tiling)
    _check_taps(tiling)


def _check_turns(tiling: Tiling) -> None:
    """Raises PassFailure where a cluster as a whole, at the place of its first statement, overtakes a store."""
    position = {inner: n for n, op in enumerate(iu.block_operations(tiling.nest.block)) for inner in iu.walk(op)}
    for uses in tiling.uses.values():
        if any(use.is_store for use in uses):
            for before, use in pairwise(uses):
                if position[use.op] < position[before.op]:
                    help = "statements that compute a word belong together"
                    raise PassFailure(before.op, "an access that would no longer come in its turn", help=help)


def _check_order(tiling: Tiling) -> None:
    """Raises PassFailure where running lanes cluster by cluster would change what an access sees.

    Harmless are lanes with elements of their own, lanes that only read, and a reduction by one cluster with what
    precedes its first iteration before it and what follows its last one after it.
    """
    for buffer, uses in tiling.uses.items():
        for d in set(tiling.lane_order) - set(tiling.layouts[buffer].lanes):
            every_lane = [use for use in uses if d not in use.fixed]
            clusters = {use.cluster.position for use in every_lane}
            stores = any(use.is_store for use in every_lane)
            if stores and len(clusters) > 1:
                raise PassFailure(every_lane[0].op, f"lanes of '{tiling.label(d, lanes=False)}' that share an element")
            for use in uses:
                if d in use.fixed and (use.is_store or stores):
                    first, last = use.fixed[d] == 0, use.fixed[d] == tiling.nest.extents[d] - 1
                    before = all(use.cluster.position <= other for other in clusters)
                    after = all(use.cluster.position >= other for other in clusters)
                    if not (first and before) and not (last and after):
                        raise PassFailure(use.op, "an access between two lanes of an unrolled loop")


def _check_pixels(tiling: Tiling) -> None:
    """Raises PassFailure where pixels of a row would get buffers of their own, but one leaves the next a value in them.

    Each iteration of a loop over columns must begin with a store of every element that it accesses.
    """
    position = {op: n for n, op in enumerate(iu.walk(tiling.nest.loops[-1]))}
    for buffer, uses in tiling.uses.items():
        own = set(tiling.layouts[buffer].lanes) - set(tiling.layouts[buffer].split.values())
        for d in own & (tiling.pixels - tiling.split):
            first: dict[str, Use] = {}
            for use in sorted((use for use in uses if d not in use.fixed), key=lambda use: position[use.op]):
                first.setdefault(str(tiling.exprs_of(use.op)), use)
            for use in first.values():
                guards = guards_of(use.op, tiling.nest)
                held = fixed_loops(guards)
                begins = len(held) == len(guards) and all(e > d and n == 0 for e, n in held.items())
                if not use.is_store or not begins:
                    raise PassFailure(use.op, "a value that one pixel of a row leaves to the next")


def _check_words(tiling: Tiling) -> None:
    """Raises PassFailure where a word would hold more than pixels of a row, taps, and neighbouring elements."""
    cluster_of = {op: c for c in tiling.clusters for outer in c.ops for op in iu.walk(outer, "hls.read", "hls.write")}
    for op, free in tiling.free_of.items():
        lanes = set(tiling.cluster_lanes(cluster_of[op])) - tiling.taps
        if lanes - set(tiling.walked(op)[-2:]) - (tiling.split & free):
            help = "unroll only the two innermost loops that walk the stream: columns and channels"
            raise PassFailure(op, "a word that would hold elements that are no neighbours", help=help)


def _check_taps(tiling: Tiling) -> None:
    """Raises PassFailure where taps that take turns would be written: a word of windows holds them all."""
    for transfer in tiling.task.transfers:
        if transfer.is_write and tiling.free_of[transfer.op] & tiling.turns:
            help = "unroll only taps that a task reads"
            raise PassFailure(transfer.op, "a window that would be handed out in parts", help=help)
