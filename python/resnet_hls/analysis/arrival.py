# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""When every pixel is there at the earliest, and when it is needed at the latest: the lags that a skip has to wait out.

Time is counted in pixels of the image that have arrived. Computing takes no time here, so what is left is what the data
dependences force: a window waits for its last element, a sum for its last operand. Exact for whole frames, by
enumeration over those loops that walk pixels; the channels of a pixel come together. Reads the IR only.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import Array, evaluate, guards_of
from resnet_hls.analysis.nests import Access, Nest, is_constant, nests
from resnet_hls.analysis.reuse import walk_of
from resnet_hls.analysis.windows import is_private, needs_window, padding_value
from resnet_hls.ir_utils import dims_of

NEVER = np.iinfo(np.int64).max

Index = tuple[Array, ...]


def at_position(times: Array, rows: Array, columns: Array, pixels: int) -> Array:
    """When a nest that walks a map is at a position, given when the map's pixels are stored (rows, columns).

    Right of the map it waits for the row's last pixel; below it goes on at the map's own pace, a row for as many of the
    image's `pixels` as a row took before. Above and left of it is nothing: time 0.
    """
    height, width = times.shape
    below = np.maximum(rows - (height - 1), 0)
    inside = times[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return np.where((rows < 0) | (columns < 0), 0, inside + below * (pixels // height))


def over_map(buffer: ir.Value, times: Array) -> Array:
    """Times of a feature map's pixels as (rows, columns), also where they do not depend on one of them."""
    height, width = ir.MemRefType(buffer.type).shape[-3:-1]
    return np.broadcast_to(times.reshape(times.shape[-3:-1]), (height, width))


class Arrival:
    """Earliest and latest times of all feature maps of a function of affine nests.

    stored: per buffer, when each of its pixels is stored at the earliest; shaped like the buffer, 1 where time does not
    depend on a dimension. due: when it must be stored so that nothing comes later than at the earliest.
    """

    def __init__(self, function: ir.Operation) -> None:
        image, result = iu.body(function).arguments
        shape = ir.MemRefType(image.type).shape
        self.pixels = int(np.prod(shape[:-1], dtype=np.int64))
        self.stored: dict[ir.Value, Array] = {image: np.arange(self.pixels).reshape(*shape[:-1], 1)}
        self.due: dict[ir.Value, Array] = {}
        self.timelines = [_Timeline(nest, self.stored, self.pixels) for nest in nests(function)]
        self.due = {buffer: np.full(times.shape, NEVER) for buffer, times in self.stored.items()}
        if result in self.stored:
            self.due[result] = self.stored[result]
        for timeline in reversed(self.timelines):
            timeline.need(self.stored, self.due)
        self._by_root = {timeline.nest.root: timeline for timeline in self.timelines}

    def waits(self, nest: Nest, load: Access) -> int:
        """Most pixels that wait for a nest which loads a map as it is stored."""
        pixels, due = self.timeline(nest).order(load, self.stored[load.buffer].shape)
        return waiting(self.stored[load.buffer].reshape(-1)[pixels], due)

    def timeline(self, nest: Nest) -> _Timeline:
        """The timeline of a nest that the function had when this was made."""
        return self._by_root[nest.root]


class _Timeline:
    """One nest: the loops that walk pixels, and the time of each of their iterations."""

    def __init__(self, nest: Nest, stored: dict[ir.Value, Array], pixels: int) -> None:
        self.nest, self.pixels = nest, pixels
        self.loads = [a for a in nest.loads if not is_constant(a.buffer) and not is_private(a.buffer, nest)]
        self.stores = [a for a in nest.stores if not is_private(a.buffer, nest)]
        self.walked = {
            d
            for load in self.loads
            for axis, expr in enumerate(load.exprs)
            if stored[load.buffer].shape[axis] > 1
            for d in dims_of(expr)
        }
        extents = [n if d in self.walked else 1 for d, n in enumerate(nest.extents)]
        self.grid: list[Array] = list(np.meshgrid(*map(np.arange, extents), indexing="ij", sparse=True))
        self.shape = tuple(extents)
        walk = walk_of(nest)
        self.walks = walk is not None
        self.times = (
            self._along(over_map(walk.buffer, stored[walk.buffer])) if walk is not None else self._earliest(stored)
        )
        for store in self.stores:
            index, mask = self.index(store, self._store_shape(store)), self.mask(store.op)
            times = stored.setdefault(store.buffer, np.full(self._store_shape(store), -1))
            np.maximum.at(times, _select(index, mask, self.shape), self.times[mask])

    def _along(self, map_times: Array) -> Array:
        """A walk hands out at its position."""
        times = np.broadcast_to(at_position(map_times, self.grid[0], self.grid[1], self.pixels), self.shape)
        return np.maximum.accumulate(times.reshape(-1)).reshape(self.shape)

    def _earliest(self, stored: dict[ir.Value, Array]) -> Array:
        times = np.full(self.shape, -1)
        for load in self.loads:
            times = np.maximum(times, self._arrived(load, stored[load.buffer]))
        if self.taps:  # a window comes whole
            times = np.broadcast_to(times.max(axis=tuple(sorted(self.taps)), keepdims=True), self.shape)
        return np.maximum.accumulate(times.reshape(-1)).reshape(self.shape)

    def _arrived(self, load: Access, times: Array) -> Array:
        """When what each iteration loads is there; padding below the map comes at the map's pace, as in a walk."""
        if padding_value(load) is not None and prod(times.shape[:-3]) == 1 and times.ndim > 2:
            rows, columns = (evaluate(expr, self.grid) for expr in load.exprs[-3:-1])
            at = at_position(over_map(load.buffer, times), rows, columns, self.pixels)
            return np.broadcast_to(at, self.shape)
        arrived = np.broadcast_to(times[self.index(load, times.shape)], self.shape)
        return np.where(self.mask(load.op), arrived, -1)

    @cached_property
    def kept(self) -> set[int]:
        """Loops with a result of their own in each iteration."""
        return {d for store in self.stores for expr in store.exprs for d in dims_of(expr)}

    @cached_property
    def taps(self) -> set[int]:
        """Walked loops that only choose an element within a window."""
        together = [dims_of(e) & self.walked for load in self.loads for e in load.exprs]
        return {d for dims in together if dims & self.kept for d in dims - self.kept}

    def _store_shape(self, store: Access) -> tuple[int, ...]:
        shape = ir.MemRefType(store.buffer.type).shape
        return tuple(n if dims_of(e) & self.walked else 1 for n, e in zip(shape, store.exprs, strict=True))

    def index(self, access: Access, shape: Sequence[int]) -> Index:
        """The element of times of `shape` at each iteration; clipped where a guard rules the iteration out."""
        found = []
        for expr, n in zip(access.exprs, shape, strict=True):
            place = evaluate(expr, self.grid) if n > 1 else np.array(0)
            found.append(np.clip(place, 0, n - 1))
        return tuple(found)

    def mask(self, op: ir.Operation) -> Any:
        """The iterations that execute `op`; conditions on loops that walk no pixels do not count."""
        mask = np.ones(self.shape, dtype=bool)
        for expr, equal in guards_of(op, self.nest):
            if dims_of(expr) <= self.walked:
                value = evaluate(expr, self.grid)
                mask &= (value == 0) if equal else (value >= 0)
        return mask

    def need(self, stored: dict[ir.Value, Array], due: dict[ir.Value, Array]) -> None:
        """Lowers the due times of what the nest loads, given those of what it stores."""
        latest = np.full(self.shape, NEVER)
        for store in self.stores:
            mask = self.mask(store.op)
            wanted = np.broadcast_to(due[store.buffer][self.index(store, due[store.buffer].shape)], self.shape)
            latest = np.minimum(latest, np.where(mask, wanted, NEVER))
        backwards = np.minimum.accumulate(latest.reshape(-1)[::-1])[::-1].reshape(self.shape)
        # A sum over all pixels is due at the end only, but to let it wait would mean to keep the pixels instead.
        waits = self.walked <= self.kept | self.taps
        self.latest = np.where(backwards == NEVER, self.times, backwards) if waits else self.times
        for load in self.loads:
            if self.walks or needs_window(self.nest, load):
                # Whoever keeps a line buffer takes elements as they come.
                np.minimum(due[load.buffer], stored[load.buffer], out=due[load.buffer])
                continue
            mask = self.mask(load.op)
            index = self.index(load, due[load.buffer].shape)
            np.minimum.at(due[load.buffer], _select(index, mask, self.shape), self.latest[mask])

    def order(self, access: Access, shape: Sequence[int]) -> tuple[Array, Array]:
        """Pixels (row-major number in times of `shape`) in the order in which the nest touches them; by when."""
        mask = self.mask(access.op)
        index = _select(self.index(access, shape), mask, self.shape)
        return np.ravel_multi_index(index, tuple(shape)), self.latest[mask]


def _select(index: Index, mask: Any, shape: tuple[int, ...]) -> Index:
    return tuple(np.broadcast_to(place, shape)[mask] for place in index)


def waiting(given: Array, taken: Array) -> int:
    """Most pixels that wait at once: pixel k is there from `given[k]`, and gone at `taken[k]`. Both must ascend."""
    gone = np.searchsorted(taken, given, side="right")
    return int((np.searchsorted(given, given, side="right") - gone).max(initial=0))
