# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How many bits of the values of a task are hardware, and which lanes share a value. Reads the IR only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, prod

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import evaluate
from resnet_hls.analysis.latency import accumulation
from resnet_hls.analysis.nests import trip_count
from resnet_hls.ir_utils import dims_of

#: Least and greatest number of a value.
Range = tuple[int, int]


def signed_range(bits: int) -> Range:
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def range_of_type(value: ir.Value) -> Range:
    return signed_range(ir.IntegerType(value.type).width)


def bits_of_range(found: Range) -> int:
    """Bits of the signed numbers of a range; of those that are never negative, without a sign; at least one."""
    low, high = found
    return max((~low).bit_length() + 1, high.bit_length() + 1) if low < 0 else max(1, high.bit_length())


@dataclass
class Lanes:
    """The unrolled loops around an operation, from the outermost, and for each value those on which it depends.

    A value that does not depend on a loop is the same in all its lanes: one piece of hardware.
    """

    loops: list[ir.Operation] = field(default_factory=list)
    trips: dict[ir.Value, int] = field(default_factory=dict)
    of_value: dict[ir.Value, frozenset[ir.Value]] = field(default_factory=dict)
    #: Conditions on lanes alone: the loops that they name, and the share of their lanes for which they hold.
    masks: list[tuple[frozenset[ir.Value], Fraction]] = field(default_factory=list)
    #: Loops within which an array is stored to, for loads of the same lane.
    of_array: dict[ir.Value, frozenset[ir.Value]] = field(default_factory=dict)

    def enter(self, loop: ir.Operation) -> None:
        self.loops.append(loop)
        self.trips[iu.body(loop).arguments[0]] = trip_count(loop)

    def leave(self) -> None:
        left = iu.body(self.loops.pop()).arguments[0]
        self.of_array = {array: found - {left} for array, found in self.of_array.items()}

    @property
    def variables(self) -> frozenset[ir.Value]:
        return frozenset(iu.body(loop).arguments[0] for loop in self.loops)

    def copies(self, found: frozenset[ir.Value]) -> int:
        """Lanes of these loops together, without those that a mask leaves out."""
        share = prod((share for loops, share in self.masks if loops <= found), start=Fraction(1))
        return ceil(share * prod(self.trips[variable] for variable in found))

    def share(self, constraints: Sequence[tuple[ir.AffineExpr, bool]], operands: Sequence[ir.Value]) -> Fraction:
        """For what share of its lanes a condition on nothing but lanes holds."""
        shape = [self.trips.get(value, 1) for value in operands]
        grid = list(np.indices(shape, dtype=np.int64))
        holds = np.ones(shape, dtype=np.bool_)
        for expr, is_equality in constraints:
            value = evaluate(expr, grid)
            holds &= (value == 0) if is_equality else (value >= 0)
        return Fraction(int(holds.sum()), holds.size)

    def result(self, op: ir.Operation) -> frozenset[ir.Value]:
        """The loops on which the result of `op` depends, which are noted for its users."""
        if op.name == "affine.load":
            found = self.addressing(op) | (self.of_array.get(op.operands[0], frozenset()) & self.variables)
        else:
            found = frozenset().union(*(self.of_value.get(value, frozenset()) for value in op.operands))
        self.of_value |= dict.fromkeys(op.results, found)
        return found

    def addressing(self, op: ir.Operation) -> frozenset[ir.Value]:
        """The lanes that name an element each: unrolled loops in the index of an access.

        Not all of its operands are: a map need not use them, and a printed one has lost those.
        """
        operands = iu.index_operands(op)
        used = set().union(*(dims_of(expr) for expr in iu.access_map(op).results))
        return frozenset(operands[d] for d in used) & self.variables

    def store(self, op: ir.Operation) -> None:
        """What a lane stores to an element that all have is its own within that lane, but for sums of lanes."""
        value, array = op.operands[0], op.operands[1]
        own = self.of_value.get(value, frozenset()) - self.addressing(op)
        if accumulation(iu.defining_op(value)) is not None:
            # Copies of a sum: the loops around the store that gave it its start.
            own = self.of_array.get(array, frozenset())
        elif not own:
            own = self.variables - self.addressing(op)
        self.of_array[array] = own


@dataclass
class Ranges:
    """The range of every value that an iteration has computed so far."""

    of_value: dict[ir.Value, Range] = field(default_factory=dict)
    of_array: dict[ir.Value, Range] = field(default_factory=dict)

    def bits(self, value: ir.Value) -> int:
        return bits_of_range(self.of_value.get(value) or range_of_type(value))

    def result(self, op: ir.Operation) -> None:
        """Notes the range of the one result of `op`; that of its type where the operation says no more."""
        value = op.results[0]
        of_type = range_of_type(value)
        found = self._range(op)
        fits = found is not None and of_type[0] <= found[0] and found[1] <= of_type[1]
        self.of_value[value] = found if fits and found is not None else of_type

    def _range(self, op: ir.Operation) -> Range | None:
        name = op.name
        if name == "arith.constant":
            number = ir.IntegerAttr(op.attributes["value"]).value
            return number, number
        if name == "affine.load":
            return self.of_array.get(op.operands[0])
        if not name.startswith("arith."):
            return None
        ranges = [self.of_value.get(v) or range_of_type(v) for v in op.operands]
        (a, b), (c, d) = ranges[0], ranges[-1]
        if name == "arith.extui":
            return (a, b) if a >= 0 else (0, (1 << ir.IntegerType(op.operands[0].type).width) - 1)
        if name in {"arith.extsi", "arith.trunci"}:
            return a, b
        if name == "arith.addi":
            return a + c, b + d
        if name == "arith.subi":
            return a - d, b - c
        if name == "arith.muli":
            corners = [x * y for x in (a, b) for y in (c, d)]
            return min(corners), max(corners)
        if name == "arith.maxsi":
            return max(a, c), max(b, d)
        if name == "arith.minsi":
            return min(a, c), min(b, d)
        if name == "arith.andi" and (c >= 0 or a >= 0):
            return 0, min(x for low, x in ((a, b), (c, d)) if low >= 0)
        if name in {"arith.shrsi", "arith.shrui"} and c == d and (name == "arith.shrsi" or a >= 0):
            return a >> c, b >> c
        if name == "arith.shli" and c == d:
            return a << c, b << c
        if name == "arith.select":
            return min(ranges[-2][0], c), max(ranges[-2][1], d)
        return None

    def store(self, op: ir.Operation, lanes: int) -> None:
        """A store of one value, or of the sum of `lanes`, to an array: what its elements hold from now on."""
        value, array = op.operands[0], op.operands[1]
        added = accumulation(iu.defining_op(value))
        found = self.of_value.get(value) or range_of_type(value)
        if added is not None:
            low, high = self.of_value.get(added[1]) or range_of_type(added[1])
            start = self.of_value.get(added[0].results[0]) or range_of_type(added[0].results[0])
            of_type = range_of_type(value)
            found = max(of_type[0], start[0] + lanes * low), min(of_type[1], start[1] + lanes * high)
        self.of_array[array] = found


def bits_of_array(array: ir.Value) -> int:
    """Of all elements of an array together."""
    kind = ir.MemRefType(array.type)
    bits: int = ir.IntegerType(kind.element_type).width * prod(kind.shape)
    return bits


def is_packed(value: ir.Value) -> bool:
    """True for two numbers in one, widened or not."""
    op = iu.defining_op(value)
    while op is not None and op.name in {"arith.extsi", "arith.extui"}:
        op = iu.defining_op(op.operands[0])
    return op is not None and op.name == "hls.pack"


def unpacked(value: ir.Value) -> list[ir.Value]:
    """The numbers that are packed in a value; else itself, before it was widened."""
    op = iu.defining_op(value)
    while op is not None and op.name in {"arith.extsi", "arith.extui"}:
        value = op.operands[0]
        op = iu.defining_op(value)
    return [n for o in op.operands for n in unpacked(o)] if op is not None and op.name == "hls.pack" else [value]


def is_fabric(op: ir.Operation) -> bool:
    mark = "hls.multiplier"
    return mark in op.attributes and ir.StringAttr(op.attributes[mark]).value == "fabric"
