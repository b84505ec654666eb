# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a task must be like for its lanes to run statement by statement. Reads the IR, changes nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from resnet_hls import ir_utils as iu
from resnet_hls.passes._registry import PassFailure

if TYPE_CHECKING:
    from resnet_hls.passes._tiling import Tiling


def check(tiling: Tiling) -> None:
    """Raises PassFailure for a task that tiling would change, or whose words could not be streamed."""
    _check_turns(tiling)
    _check_order(tiling)
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


def _check_words(tiling: Tiling) -> None:
    """Raises PassFailure where a word would hold more than taps and neighbouring elements."""
    cluster_of = {op: c for c in tiling.clusters for outer in c.ops for op in iu.walk(outer, "hls.read", "hls.write")}
    for op, free in tiling.free_of.items():
        lanes = set(tiling.cluster_lanes(cluster_of[op])) - tiling.taps
        if lanes - {max(free - tiling.taps, default=-1)}:
            help = "unroll only the innermost loop that walks the stream"
            raise PassFailure(op, "a word that would hold elements that are no neighbours", help=help)


def _check_taps(tiling: Tiling) -> None:
    """Raises PassFailure where taps that take turns would be written: a word of windows holds them all."""
    for transfer in tiling.task.transfers:
        if transfer.is_write and tiling.free_of[transfer.op] & tiling.turns:
            help = "unroll only taps that a task reads"
            raise PassFailure(transfer.op, "a window that would be handed out in parts", help=help)
