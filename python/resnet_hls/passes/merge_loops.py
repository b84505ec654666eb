# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-merge-loops: sibling nests that slide windows over one map become one nest. Changes when, never what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import executed
from resnet_hls.analysis.nests import Nest, nests
from resnet_hls.analysis.reuse import Walk, walk_of, walks_over, windowed_readers
from resnet_hls.analysis.windows import name_of, needs_window
from resnet_hls.passes._fuse_siblings import fuse_siblings, parts_of
from resnet_hls.passes._registry import Pass, register_pass, remark
from resnet_hls.passes._split_windows import split_window


def split_windows(function: ir.Operation, buffer: ir.Value) -> None:
    """Gives every window over `buffer` a nest of its own."""
    for root in [nest.root for nest in nests(function)]:
        while True:
            nest = Nest.at(root)
            if walk_of(nest) is not None:
                break
            load = next((a for a in nest.loads if a.buffer == buffer and needs_window(nest, a)), None)
            if load is None:
                break
            split_window(function, nest, load)


class _Merge:
    def __init__(self, function: ir.Operation) -> None:
        self.function = function

    def run(self) -> None:
        for buffer, count in windowed_readers(self.function).items():
            if count > 1:
                split_windows(self.function, buffer)
                self.merge(walks_over(self.function, buffer))

    def merge(self, walks: list[Walk]) -> None:
        """One nest for all walks over one map.

        Every walk is shifted so that its windows are handed out together with those of the one that reaches furthest:
        the tap of a 1 x 1 becomes the centre tap of a 3 x 3. Windows that step by other strides cannot be aligned, and
        keep their time.
        """
        if len(walks) < 2:
            return
        furthest = max(walks, key=lambda walk: (walk.rows, walk.columns))
        parts = parts_of(furthest.nest)
        for walk in walks:
            if walk is not furthest:
                rows, columns = shift = alignment(walk, furthest)
                parts += [replace(part, shift=shift) for part in parts_of(walk.nest)]
                when = f"later, by {rows} in rows and {columns} in columns" if any(shift) else "at its own time"
                message = f"merged into '{name_of(furthest.nest)}', which reads the map once; handed out {when}"
                remark(walk.nest.root, message)
        fuse_siblings(parts, before=walks[0].nest.root)


def alignment(walk: Walk, furthest: Walk) -> tuple[int, int]:
    """By how many rows and columns `walk` must be late to hand out together with `furthest`; 0 where it cannot.

    It cannot where the two advance by different strides, or where the line buffer would have to reach further.
    """
    ours, theirs = ([_positions(w.nest, axis) for axis in (0, 1)] for w in (walk, furthest))
    shift = tuple(late[0] - early[0] for early, late in zip(ours, theirs, strict=True))
    room = furthest.rows - walk.rows, furthest.columns - walk.columns
    moved = [[p + s for p in at] for at, s in zip(ours, shift, strict=True)]
    if moved != theirs or any(not 0 <= s <= r for s, r in zip(shift, room, strict=True)):
        return 0, 0
    return shift[0], shift[1]


def _positions(nest: Nest, axis: int) -> list[int]:
    """Rows (or columns) at which a walk stores anything, ascending."""
    return sorted({int(place) for store in nest.stores for place in np.unique(executed(store.op, nest)[axis])})


@register_pass
@dataclass(frozen=True)
class MergeLoops(Pass):
    """Merge sibling nests over one feature map: it is read once, by one nest with a result for each of them.

    Before: fused nests over whole feature maps, in which several windows slide over one map: a 3 x 3 convolution with
    stride 2 beside a 1 x 1 with stride 2 (the downsample of a residual block), or the branches of a split. After:
    every window over such a map has left its nest, and one nest walks the map and hands out all of them. Where the
    access functions agree up to an offset (equal strides), a window is shifted until it lies inside the largest one
    and is handed out with it: the 1 x 1's tap is the centre tap of the 3 x 3. One line buffer of the largest reach
    serves all.

    A shift changes when a window is handed out, never what is in it. `hls-share-residual-buffer` may shift it further.
    """

    name: ClassVar[str] = "hls-merge-loops"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            function = iu.public_function(op)
            iu.hoist_constants(function)
            _Merge(function).run()
