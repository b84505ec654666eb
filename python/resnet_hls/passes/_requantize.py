# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Generics that requantize with the constants of `analysis/requantization.py`."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import arith, linalg

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.requantization import HalfEvenLine, HalfEvenShift, Integers, PairRequantization, Requantization
from resnet_hls.passes._quantities import element_type


class Operand(Protocol):
    """An integer tensor and how its elements are read."""

    tensor: ir.Value
    signed: bool


class Shape(Protocol):
    """The loops of the generic to be, and the one along which constants differ."""

    shape: list[int]
    channel: int | None


class _Constants:
    """Constants of a generic: scalars in its body where they are the same for all channels, else operands, one per
    channel.
    """

    def __init__(self, shape: Shape) -> None:
        self.rank = len(shape.shape)
        self.channel = shape.channel
        self.inputs: list[ir.Value] = []
        self.places: list[int | tuple[int, int]] = []  # a scalar and its width, or an operand number

    def add(self, numbers: Integers, width: int) -> int:
        """Notes a constant of shape (channels,); returns its handle."""
        if self.channel is None or len(set(numbers.tolist())) == 1:
            self.places.append((int(numbers[0]), width))
        else:
            self.places.append(len(self.inputs))
            self.inputs.append(iu.tensor_constant(numbers.astype(f"int{width}")))
        return len(self.places) - 1

    def maps(self) -> list[ir.AffineMap]:
        along = ir.AffineExpr.get_dim(self.channel or 0)
        return [ir.AffineMap.get(self.rank, 0, [along]) for _ in self.inputs]

    def value(self, handle: int, arguments: list[ir.Value], width: int) -> ir.Value:
        """The constant inside the body, `arguments` being the block arguments of the operands added here."""
        place = self.places[handle]
        if isinstance(place, tuple):
            return iu.int_constant(place[0], width)
        return extend(arguments[place], width, signed=True)


def extend(value: ir.Value, width: int, signed: bool) -> ir.Value:
    if ir.IntegerType(value.type).width == width:
        return value
    return (arith.extsi if signed else arith.extui)(iu.integer_type(width), value)


def clamp(value: ir.Value, lowest: int, highest: int, element: ir.Type) -> ir.Value:
    width = ir.IntegerType(value.type).width
    limited = arith.minsi(arith.maxsi(value, iu.int_constant(lowest, width)), iu.int_constant(highest, width))
    return arith.trunci(element, limited)


def requantize(
    op: ir.Operation, source: Operand, shape: Shape, found: Requantization | HalfEvenShift | HalfEvenLine
) -> ir.Value:
    """A generic with the result type of `op` that requantizes `source`, at the insertion point."""
    constants = _Constants(shape)
    if isinstance(found, HalfEvenShift):
        rounds = (found.shift > 0).astype(np.int64)  # nothing is rounded where nothing is shifted out
        half = ((1 << np.maximum(found.shift - 1, 0)) - 1) * rounds
        handles = [constants.add(numbers, 32) for numbers in (found.shift, half, rounds)]
    elif isinstance(found, HalfEvenLine):
        handles = [constants.add(found.multiplier, 32)]
        handles += [constants.add(numbers, 64) for numbers in (found.offset_down, found.offset_up)]
    else:
        handles = [constants.add(found.multiplier, 32), constants.add(found.offset, 64)]
        for at, amount in zip(found.corrected.T, found.correction.T, strict=True):
            handles += [constants.add(at, 64), constants.add(amount, 32)]
    identity = ir.AffineMap.get_identity(constants.rank)
    element = element_type(op.results[0])
    init = iu.empty_tensor(shape.shape, element)
    inputs = [source.tensor, *constants.inputs]
    with iu.generic(inputs, init, [identity, *constants.maps(), identity], ["parallel"] * constants.rank) as (
        new,
        arguments,
    ):
        own = arguments[1:-1]
        if isinstance(found, HalfEvenShift):
            number = extend(arguments[0], 32, source.signed)
            shift, below_half, one = (constants.value(h, own, 32) for h in handles)
            odd = arith.andi(arith.shrsi(number, shift), one)
            level = arith.shrsi(arith.addi(arith.addi(number, below_half), odd), shift)
        elif isinstance(found, HalfEvenLine):
            multiplier, below, above = (constants.value(h, own, 64) for h in handles)
            scaled = arith.muli(extend(arguments[0], 64, source.signed), multiplier)
            by = iu.int_constant(found.shift, 64)
            down, up = (arith.shrsi(arith.addi(scaled, offset), by) for offset in (below, above))
            odd = arith.andi(down, iu.int_constant(1, 64))
            level = arith.addi(down, arith.andi(arith.subi(up, down), odd))
        else:
            number = extend(arguments[0], 64, source.signed)
            multiplier, offset = (constants.value(h, own, 64) for h in handles[:2])
            level = arith.shrsi(arith.addi(arith.muli(number, multiplier), offset), iu.int_constant(found.shift, 64))
            for at, amount in zip(handles[2::2], handles[3::2], strict=True):
                level = corrected(level, number, constants.value(at, own, 64), constants.value(amount, own, 64))
        linalg.YieldOp([clamp(level, found.lowest, found.highest, element)])
    return new.results[0]


def corrected(level: ir.Value, number: ir.Value, at: ir.Value, amount: ir.Value) -> ir.Value:
    """`level + amount` where `number` equals `at`."""
    here = arith.cmpi(arith.CmpIPredicate.eq, number, at)
    return arith.addi(level, arith.select(here, amount, iu.int_constant(0, 64)))


def requantize_sum(op: ir.Operation, a: Operand, b: Operand, shape: Shape, found: PairRequantization) -> ir.Value:
    """A generic with the result type of `op` that requantizes the sum of two tensors, at the insertion point."""
    rank = len(shape.shape)
    identity = ir.AffineMap.get_identity(rank)
    element = element_type(op.results[0])
    init = iu.empty_tensor(shape.shape, element)
    with iu.generic([a.tensor, b.tensor], init, [identity] * 3, ["parallel"] * rank) as (new, arguments):
        left, right = extend(arguments[0], 64, a.signed), extend(arguments[1], 64, b.signed)
        products = [
            arith.muli(x, iu.int_constant(m, 64)) for x, m in zip((left, right), found.multipliers, strict=True)
        ]
        total = arith.addi(arith.addi(*products), iu.int_constant(found.offset, 64))
        level = arith.shrsi(total, iu.int_constant(found.shift, 64))
        for x, y, amount in found.corrections:
            same = arith.andi(
                arith.cmpi(arith.CmpIPredicate.eq, left, iu.int_constant(x, 64)),
                arith.cmpi(arith.CmpIPredicate.eq, right, iu.int_constant(y, 64)),
            )
            level = arith.addi(level, arith.select(same, iu.int_constant(amount, 64), iu.int_constant(0, 64)))
        linalg.YieldOp([clamp(level, found.lowest, found.highest, element)])
    return new.results[0]
