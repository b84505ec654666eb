# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""When a nest that walks a feature map may hand out what, and how many bytes then wait. Reads the IR only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from torch_mlir import ir

from resnet_hls.analysis.arrival import Arrival, at_position, waiting
from resnet_hls.analysis.iterations import Array
from resnet_hls.analysis.nests import Access, Nest
from resnet_hls.analysis.reuse import Walk
from resnet_hls.passes._fuse_siblings import Part, parts_of

Shift = tuple[int, int]


@dataclass(frozen=True)
class HandOut:
    """Elements of a walk's map that the walk hands out, or could, in order.

    Args:
        rows, columns: position at which each could be handed out at the earliest.
        due: when each is needed.
        lag: rows and columns by which the elements lie behind that position, (least, most) of each.
        bytes: of an element with all channels.
        columns_kept: whether the walk keeps columns of this very function of the map.
        part: operations of the walk that hand it out today; None for a skip that is not taken from it yet.
        load: for a skip, the load of the map that would be replaced, and its nest.
    """

    rows: Array
    columns: Array
    due: Array
    lag: tuple[tuple[int, int], tuple[int, int]]
    bytes: int
    columns_kept: bool
    part: Part | None = None
    load: tuple[Nest, Access] | None = None

    def given(self, times: Array, shift: Shift, pixels: int) -> Array:
        """When each element is handed out with this shift; `times` and `pixels` are those of `at_position`."""
        rows, columns = self.rows + shift[0], self.columns + shift[1]
        return np.maximum.accumulate(at_position(times, rows, columns, pixels))

    def waits(self, times: Array, shift: Shift, pixels: int) -> int:
        """Bytes that wait after they were handed out with this shift."""
        return waiting(self.given(times, shift, pixels), self.due) * self.bytes

    def shifts(self, walk: Walk, rows: int) -> Iterator[Shift]:
        """Shifts for which the walk keeps enough: `rows` rows, and no more columns and steps of a row than today."""
        (least_rows, most_rows), (least_columns, most_columns) = self.lag
        steps = walk.nest.extents[1] - 1 - int(self.columns.max())
        columns = min(walk.columns - most_columns, steps) if self.columns_kept else 0
        earliest = (-least_rows, -least_columns) if self.part is not None else (0, 0)
        yield from product(range(earliest[0], rows - most_rows + 1), range(earliest[1], columns + 1))

    def best(self, walk: Walk, times: Array, rows: int, pixels: int) -> tuple[int, Shift]:
        """The least bytes that wait when the walk keeps `rows` rows, and the latest shift with which no more do.

        Never later than due: whoever waits for it would hold back the line buffer itself, and with it the other way.
        """
        found: list[tuple[int, Shift]] = []
        for shift in self.shifts(walk, rows):
            if (self.given(times, shift, pixels) <= self.due).all():
                found.append((self.waits(times, shift, pixels), shift))
        if not found:
            return self.waits(times, (0, 0), pixels), (0, 0)
        return min(found, key=lambda choice: (choice[0], -choice[1][0], -choice[1][1]))


def pixel_bytes(buffer: ir.Value) -> int:
    """Bytes of a pixel of a feature map, all channels."""
    kind = ir.MemRefType(buffer.type)
    return int(kind.shape[-1] * ir.IntegerType(kind.element_type).width // 8)


def handed_out(walk: Walk, arrival: Arrival) -> list[HandOut]:
    """What the walk hands out already."""
    found = []
    for part in parts_of(walk.nest):
        (store,) = (a for a in walk.nest.stores if a.buffer in part.stored())
        (load,) = (lagged for lagged in walk.loads if part.contains(lagged.access.op))
        timeline = arrival.timeline(walk.nest)
        mask = timeline.mask(store.op)
        due = arrival.due[store.buffer]
        rows, columns, wanted = (
            np.broadcast_to(values, timeline.shape)[mask]
            for values in (timeline.grid[0], timeline.grid[1], due[timeline.index(store, due.shape)])
        )
        lag = load.rows, load.columns
        kept = load.columns[1] > 0
        found.append(HandOut(rows, columns, wanted, lag, pixel_bytes(walk.buffer), kept, part=part))
    return found


def could_hand_out(walk: Walk, skips: list[tuple[Nest, Access]], arrival: Arrival) -> list[HandOut]:
    """Skips that read all of the walk's map, pixel by pixel."""
    shape = ir.MemRefType(walk.buffer.type).shape
    height, width = shape[-3:-1]
    plain = any(load.columns[1] and not load.chain for load in walk.loads)
    found = []
    for nest, load in skips:
        pixels, due = arrival.timeline(nest).order(load, (*shape[:-1], 1))
        order, first = np.unique(pixels, return_index=True)
        if np.array_equal(order, np.arange(height * width)):
            rows, columns = np.divmod(order, width)
            lag = (0, 0), (0, 0)
            out = HandOut(rows, columns, due[first], lag, pixel_bytes(walk.buffer), plain, load=(nest, load))
            found.append(out)
    return found
