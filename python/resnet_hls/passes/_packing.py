# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How products share a multiplier of a DSP slice: which lanes, how far apart, how many in a chain. Only decides.

Everything follows from bounds: those of an operand's type, and for a constant its elements, at every address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis import costs
from resnet_hls.analysis.intervals import bits_of
from resnet_hls.analysis.iterations import evaluate
from resnet_hls.analysis.nests import trip_count
from resnet_hls.passes._lane_sums import LaneSum, Operand, depends, used_operands, variable
from resnet_hls.passes._quantities import type_range

Numbers = NDArray[np.int64]
#: Bits of what a slice adds up.
SUM_BITS = 48
#: Bits of an operand, as far as the length of chains goes.
BYTE = 8


@dataclass(frozen=True)
class Slice:
    """A DSP slice: bits of the two operands of its multiplier, both signed. The wide one has a pre-adder."""

    wide: int
    narrow: int


#: DSP48E2 and DSP48E1 (UG579, UG479).
SLICES = {"ultrascale+": Slice(27, 18), "7series": Slice(25, 18)}


@dataclass(frozen=True)
class Chains:
    """Lanes of a loop that share slices, from `first` on.

    Attributes:
        first: of them, and `groups`: so many times `lanes` lanes one after the other.
        lanes: products in a slice.
        shift: bits from one lane to the next; 0 for one lane.
        length: products in a chain, before its lanes are taken out.
        high_bits: of the uppermost lane's sum over a chain.
    """

    first: int
    groups: int
    lanes: int
    shift: int
    length: int
    high_bits: int


@dataclass(frozen=True)
class Packing:
    """What becomes of a sum: the loop whose lanes are packed (position in `own`, None: none), its operand that they
    differ in (position in `operands`), and the lanes.
    """

    loop: int | None
    packed: int
    chains: tuple[Chains, ...]


class Bounds:
    """Least and greatest numbers of the operands of a sum, for every address, lane of its own, and product.

    Arrays have the axes (addresses, own loops …, products), some of length one.

    Args:
        found: the sum.
        extents: trip count by induction variable, of the nest's loops around it.
        constants: elements by the array that holds them.
    """

    def __init__(
        self, found: LaneSum, extents: Mapping[ir.Value, int], constants: Mapping[ir.Value, NDArray[Any]]
    ) -> None:
        self.found, self.constants = found, constants
        self.lanes = {variable(loop): trip_count(loop) for loop in (*found.own, *found.inner)}
        self.extents = {**extents, **self.lanes}

    @cached_property
    def operands(self) -> tuple[tuple[Numbers, Numbers], ...]:
        return tuple(self._of(operand) for operand in self.found.operands)

    @cached_property
    def products(self) -> tuple[Numbers, Numbers]:
        (a, b), (c, d) = self.operands
        corners = [a * c, a * d, b * c, b * d]
        return np.minimum.reduce(corners), np.maximum.reduce(corners)

    def _of(self, operand: Operand) -> tuple[Numbers, Numbers]:
        load = iu.defining_op(operand.value)
        if load is not None and load.name == "affine.load" and load.operands[0] in self.constants:
            numbers = self._elements(load)
            if not operand.signed:
                numbers = numbers & ((1 << operand.width) - 1)
            return numbers, numbers
        low, high = type_range(operand.width, operand.signed)
        shape = (1, *[1 for _ in self.found.own], prod(self.found.extents))
        return np.full(shape, low, np.int64), np.full(shape, high, np.int64)

    def _elements(self, load: ir.Operation) -> Numbers:
        """What a load of a constant gives; 0 where it would be outside, where nothing is loaded."""
        array, operands = self.constants[load.operands[0]], iu.index_operands(load)
        used = [v for v in dict.fromkeys(used_operands(load)[1:]) if v not in self.lanes]
        axes = [*used, *self.lanes]
        shape = [self.extents[v] for v in axes]
        grids = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij", sparse=True) if axes else []
        places = [grids[axes.index(v)] if v in axes else np.zeros(1, np.int64) for v in operands]
        indices = [evaluate(e, places) for e in iu.access_map(load).results]
        inside = [(i >= 0) & (i < n) for i, n in zip(indices, array.shape, strict=True)]
        clipped = tuple(np.clip(i, 0, n - 1) for i, n in zip(indices, array.shape, strict=True))
        numbers = array[clipped].astype(np.int64)
        for condition in inside:
            numbers = np.where(condition, numbers, 0)
        count = prod(shape[: len(used)])
        own = shape[len(used) : len(used) + len(self.found.own)]
        return np.broadcast_to(numbers, shape).reshape(count, *own, -1)


@dataclass(frozen=True)
class Packer:
    """Decides for one sum.

    Args:
        found: the sum.
        bounds: of its operands.
        slice: of the device.
        fabric: so many of the last products of each sum, less than all, are computed in LUTs.
        most_lanes: products in a slice, at most.
        longest: products in a chain, at most.
    """

    found: LaneSum
    bounds: Bounds
    slice: Slice
    fabric: int
    most_lanes: int
    longest: int

    def decide(self) -> Packing | None:
        """The packing with the fewest slices; None where nothing can be gained."""
        if not self.is_product_of_a_slice():
            return None
        kept = prod(self.found.extents) - self.fabric
        choices = [*self.pairings(kept)]
        if choices:
            return min(choices, key=lambda choice: choice[1])[0]
        groups = prod(trip_count(loop) for loop in self.found.own)
        length = lengths(kept, self.longest, 1, groups)[0]
        return Packing(None, 0, (Chains(0, 1, 1, 0, length, 0),)) if length > 1 or self.fabric else None

    def is_product_of_a_slice(self) -> bool:
        """True for a product that is exact in its type, of operands that fit a slice."""
        width = ir.IntegerType(self.found.product.results[0].type).width
        low, high = self.bounds.products
        least, most = type_range(width, signed=True)
        if low.min() < least or high.max() > most:
            return False
        sides = [least_width(*operand) for operand in self.bounds.operands]
        return min(sides) <= self.slice.narrow and max(sides) <= self.slice.wide

    def pairings(self, kept: int) -> Iterator[tuple[Packing, tuple[int, ...]]]:
        """Every loop whose lanes share an operand, with what it costs: slices, then chains."""
        for position, loop in enumerate(self.found.own if self.found.separate else ()):
            for packed in (0, 1):
                mine, shared = self.found.operands[packed], self.found.operands[1 - packed]
                if depends(shared.value, variable(loop)) or not depends(mine.value, variable(loop)):
                    continue
                if least_width(*self.bounds.operands[1 - packed]) > self.slice.narrow:
                    continue
                chains = self.lanes_of(position, packed, kept, trip_count(loop))
                slices = sum(c.groups for c in chains) * kept
                if any(c.lanes > 1 for c in chains):
                    tails = sum(c.groups * c.lanes * -(-kept // c.length) for c in chains)
                    scale = prod(trip_count(other) for other in self.found.own if other != loop)
                    yield Packing(position, packed, chains), (slices * scale, tails * scale, -position)

    def lanes_of(self, loop: int, packed: int, kept: int, extent: int) -> tuple[Chains, ...]:
        """All lanes of a loop in as few slices as they fit into."""
        found: list[Chains] = []
        first = 0
        for lanes in range(min(self.most_lanes, extent), 1, -1):
            groups = (extent - first) // lanes
            chains = self.chains(loop, packed, kept, first, groups, lanes) if groups else None
            if chains is not None:
                found.append(chains)
                first += groups * lanes
        if first < extent:
            groups = extent - first
            found.append(Chains(first, groups, 1, 0, lengths(kept, self.longest, 1, groups)[0], 0))
        return tuple(found)

    def chains(self, loop: int, packed: int, kept: int, first: int, groups: int, lanes: int) -> Chains | None:
        """The widest spacing of lanes, and with it the longest chains; None where not even one product is exact."""

        def lane(numbers: Numbers, which: int, most: int) -> Numbers:
            axis = numbers.shape[loop + 1]
            places = np.arange(first + which, first + groups * lanes, lanes) if axis > 1 else np.zeros(1, np.int64)
            return np.take(numbers, places, axis=loop + 1)[..., :most]

        low, high = ([lane(side, n, kept) for n in range(lanes)] for side in self.bounds.operands[packed])
        least, most = ([lane(side, n, kept) for n in range(lanes)] for side in self.bounds.products)
        port = type_range(self.slice.wide, signed=True)
        width = max(least_width(a, b) for a, b in zip(low, high, strict=True))
        for shift in range(self.slice.wide - 1, width - 1, -1):
            bottom = int(np.min(sum(a << (n * shift) for n, a in enumerate(low))))
            top = int(np.max(sum(a << (n * shift) for n, a in enumerate(high))))
            if bottom < port[0] or top > port[1]:
                continue
            room = type_range(shift, signed=True)
            for length in lengths(kept, self.longest, lanes, groups):
                sums = [
                    (int(chain_sums(a, length).min()), int(chain_sums(b, length).max()))
                    for a, b in zip(least, most, strict=True)
                ]
                bits = bits_of(*sums[-1])
                if all(room[0] <= a and b <= room[1] for a, b in sums[:-1]) and bits <= SUM_BITS - (lanes - 1) * shift:
                    return Chains(first, groups, lanes, shift, length, bits)
        return None


def least_width(low: Numbers, high: Numbers) -> int:
    """Bits of a signed number that can be anything from `low` to `high`."""
    return bits_of(int(low.min()), int(high.max()))


def lengths(count: int, most: int, lanes: int, groups: int) -> list[int]:
    """Lengths of chains over `count` products of bytes, the one that takes the fewest LUTs first.

    Each chain gives the trees of the step a number for each lane; each link waits a cycle longer for its operands, of
    which all groups share one. See docs/resources.md. Among equals all chains are of one length, and short.
    """

    def luts(length: int) -> float:
        chains = -(-count // length)
        trees = groups * lanes * costs.adder_tree(chains, 2 * BYTE).lut
        delays = sum(costs.delay(cycles, BYTE).lut * (groups * lanes + 1) for cycles in range(1, length))
        return trees + chains * delays

    return sorted(range(1, min(count, most) + 1), key=lambda length: (luts(length), count % length != 0, length))


def chain_sums(numbers: Numbers, length: int) -> Numbers:
    """Sums over chains of `length` of the last axis; the last chain may be shorter."""
    return np.add.reduceat(numbers, range(0, numbers.shape[-1], length), axis=-1)
