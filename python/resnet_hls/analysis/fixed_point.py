# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Exact integer meaning of quantize/dequantize arithmetic.

A real number is carried as `integer * scale` with a rational scale and integer bounds; every float operation of a
linalg body is replayed on that representation, emitting `arith` operations on i32. Nothing here rounds unless the float
program does, and nothing overflows: the bounds are checked at every step. Where a float operation has no exact integer
counterpart, `Inexact` is raised and says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, inf

from torch_mlir import ir
from torch_mlir.dialects import arith

from resnet_hls.ir_utils import int_constant, integer_type, scalar_constant

INT32_MAX = 2**31 - 1


class Inexact(Exception):
    """A float operation that integers cannot reproduce exactly; the message names it and the scales involved."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True)
class Fixed:
    """The real number `value * scale`, with `lo <= value <= hi`; a compile-time constant when `value` is None."""

    value: ir.Value | None
    scale: Fraction
    lo: int
    hi: int
    constant: float = 0.0

    @staticmethod
    def of_constant(number: float) -> Fixed:
        return Fixed(None, Fraction(1), 0, 0, number)


def power_of_two(ratio: Fraction) -> int | None:
    """k with ratio == 2**k, or None."""
    if ratio.numerator & (ratio.numerator - 1) or ratio.denominator & (ratio.denominator - 1) or ratio <= 0:
        return None
    return ratio.numerator.bit_length() - ratio.denominator.bit_length()


def describe_scale(scale: Fraction) -> str:
    k = power_of_two(scale)
    return f"2^{k}" if k is not None else f"{float(scale):.9g}"


def _checked(value: ir.Value, scale: Fraction, lo: int, hi: int) -> Fixed:
    if lo < -INT32_MAX - 1 or hi > INT32_MAX:
        raise Inexact(
            f"an intermediate value needs the range [{lo}, {hi}], more than 32 bits hold",
            help="use coarser scales (fewer fraction bits) for this layer's operands",
        )
    return Fixed(value, scale, lo, hi)


def shift_left(x: Fixed, bits: int) -> Fixed:
    """The same real number at scale / 2**bits."""
    if bits == 0:
        return x
    assert x.value is not None
    shifted = arith.shli(x.value, int_constant(bits)) if bits < 32 else x.value
    return _checked(shifted, x.scale / 2**bits, x.lo << bits, x.hi << bits)


def to_scale(x: Fixed, scale: Fraction) -> Fixed:
    """`x` at a finer (or equal) scale. Constants are materialized. Raises Inexact when it isn't representable there."""
    if x.value is None:
        number = Fraction(x.constant) / scale
        if number.denominator != 1:
            raise Inexact(f"the constant {x.constant:.9g} is no multiple of the scale {describe_scale(scale)}")
        n = int(number)
        return _checked(int_constant(n) if abs(n) <= INT32_MAX else int_constant(0), scale, n, n)
    bits = power_of_two(x.scale / scale)
    if bits is None or bits < 0:
        raise Inexact(
            f"scales {describe_scale(x.scale)} and {describe_scale(scale)} differ by no power of two",
            help="quantize both operands with power-of-two scales (in torchao: the Quantizer of resnet_hls; "
            "in Brevitas: the fixed-point quantizers)",
        )
    return shift_left(x, bits)


def align(a: Fixed, b: Fixed) -> tuple[Fixed, Fixed]:
    """Both numbers at the finer of the two scales."""
    if a.value is None:
        return to_scale(a, b.scale), b
    if b.value is None:
        return a, to_scale(b, a.scale)
    finer = min(a.scale, b.scale)
    return to_scale(a, finer), to_scale(b, finer)


def round_half_even(x: Fixed) -> Fixed:
    """The nearest integer (ties to even), at scale 1: `(n + 2^(k-1) - 1 + ((n >> k) & 1)) >> k` for scale 2^-k."""
    if x.value is None:
        return Fixed.of_constant(float(round(x.constant)))
    k = power_of_two(x.scale)
    if k is None:
        raise Inexact(
            f"requantization by {float(x.scale):.9g}, which is no power of two",
            help="requantize the model with power-of-two scales",
        )
    if k >= 0:
        return shift_left(x, k)
    k = -k
    if k > 31 or max(abs(x.lo), abs(x.hi)) < 2 ** (k - 1):  # everything rounds to zero
        return Fixed(int_constant(0), Fraction(1), 0, 0)
    half = 2 ** (k - 1)
    _checked(x.value, x.scale, x.lo, x.hi + half)
    odd = arith.andi(arith.shrsi(x.value, int_constant(k)), int_constant(1))
    biased = arith.addi(arith.addi(x.value, int_constant(half - 1)), odd)
    lo, hi = round(Fraction(x.lo, 2**k)), round(Fraction(x.hi, 2**k))
    return Fixed(arith.shrsi(biased, int_constant(k)), Fraction(1), lo, hi)


def _clamp_constant(x: Fixed, bound: float, lower: bool) -> Fixed:
    """max(x, bound) when `lower`, else min(x, bound); a bound that the range of x never reaches costs nothing."""
    if bound in (inf, -inf):
        return x
    exact = Fraction(bound) / x.scale
    if (lower and exact <= x.lo) or (not lower and exact >= x.hi):
        return x
    if exact.denominator != 1:
        limit = ceil(exact) if lower else floor(exact)
        raise Inexact(
            f"clamping at {bound:.9g}, between the steps {limit - lower} and {limit + (not lower)} of its operand"
        )
    n = int(exact)
    assert x.value is not None
    if lower:
        return Fixed(arith.maxsi(x.value, int_constant(n)), x.scale, max(x.lo, n), max(x.hi, n))
    return Fixed(arith.minsi(x.value, int_constant(n)), x.scale, min(x.lo, n), min(x.hi, n))


def _extremum(a: Fixed, b: Fixed, greatest: bool) -> Fixed:
    choose, operation = (max, arith.maxsi) if greatest else (min, arith.minsi)
    if a.value is None and b.value is None:
        return Fixed.of_constant(choose(a.constant, b.constant))
    if a.value is None:
        a, b = b, a
    if b.value is None:
        return _clamp_constant(a, b.constant, lower=greatest)
    a, b = align(a, b)
    return Fixed(operation(a.value, b.value), a.scale, choose(a.lo, b.lo), choose(a.hi, b.hi))


def maximum(a: Fixed, b: Fixed) -> Fixed:
    return _extremum(a, b, greatest=True)


def minimum(a: Fixed, b: Fixed) -> Fixed:
    return _extremum(a, b, greatest=False)


def add(a: Fixed, b: Fixed, sign: int = 1) -> Fixed:
    if a.value is None and b.value is None:
        return Fixed.of_constant(a.constant + sign * b.constant)
    if b.value is None and b.constant == 0:
        return a
    if a.value is None and a.constant == 0 and sign == 1:
        return b
    a, b = align(a, b)
    if sign == 1:
        return _checked(arith.addi(a.value, b.value), a.scale, a.lo + b.lo, a.hi + b.hi)
    return _checked(arith.subi(a.value, b.value), a.scale, a.lo - b.hi, a.hi - b.lo)


def multiply(a: Fixed, b: Fixed) -> Fixed:
    """Product with a positive constant: a change of scale only."""
    if a.value is None and b.value is None:
        return Fixed.of_constant(a.constant * b.constant)
    if a.value is None:
        a, b = b, a
    if b.value is not None or b.constant <= 0:
        raise Inexact(
            "a product with something else than one positive constant (scales per channel, or two activations)",
            help="use one power-of-two scale per tensor; `resnet-hls doctor` lists what was found",
        )
    return replace(a, scale=a.scale * Fraction(b.constant))


def divide(a: Fixed, b: Fixed) -> Fixed:
    if a.value is None and b.value is None:
        return Fixed.of_constant(a.constant / b.constant)
    if b.value is not None or b.constant <= 0:
        raise Inexact(
            "a division by something else than one positive constant (scales per channel, or two activations)",
            help="use one power-of-two scale per tensor; `resnet-hls doctor` lists what was found",
        )
    return replace(a, scale=a.scale / Fraction(b.constant))


def narrow(x: Fixed, kind: ir.Type, signed: bool) -> ir.Value:
    """The integer of a number at scale 1 as a value of type `kind`. Raises Inexact when it may not fit."""
    if x.value is None:
        x = to_scale(x, Fraction(1))
    if x.scale != 1:
        raise Inexact(f"a conversion to integers without rounding (scale {describe_scale(x.scale)})")
    width = ir.IntegerType(kind).width
    lo, hi = (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if signed else (0, 2**width - 1)
    if x.lo < lo or x.hi > hi:
        raise Inexact(
            f"values in [{x.lo}, {x.hi}] are converted to {'' if signed else 'unsigned '}{width}-bit integers "
            "without saturation"
        )
    assert x.value is not None
    return x.value if width == 32 else arith.trunci(integer_type(width), x.value)


def widen(value: ir.Value, signed: bool, bounds: tuple[int, int] | None = None) -> Fixed:
    """An integer of any width up to 32 as a Fixed of scale 1, within `bounds` if they are known."""
    width = ir.IntegerType(value.type).width
    lo, hi = (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if signed else (0, 2**width - 1)
    if bounds is not None:
        lo, hi = max(lo, bounds[0]), min(hi, bounds[1])
    if width < 32:
        value = arith.extsi(integer_type(32), value) if signed else arith.extui(integer_type(32), value)
    elif not signed and hi > INT32_MAX:
        raise Inexact("unsigned 32-bit values")
    return Fixed(value, Fraction(1), lo, hi)


def to_integer(x: Fixed) -> Fixed:
    """A float-to-integer conversion; exact only where the number is an integer already. Raises Inexact elsewhere."""
    fraction = Fraction(x.constant) if x.value is None else x.scale
    if fraction.denominator != 1:
        raise Inexact(f"a conversion to integers without rounding (scale {describe_scale(fraction)})")
    return x


def constant_of(value: ir.Value) -> Fixed | None:
    number = scalar_constant(value)
    return None if number is None else Fixed.of_constant(float(number))
