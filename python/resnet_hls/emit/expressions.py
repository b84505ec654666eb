# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""arith operations as C++ expressions on ap_int.

ap_int grows: `a + b` is one bit wider than its operands, a product as wide as both together. MLIR wraps. So an
expression carries its C++ type, and is cut back to the MLIR width where growth could show (shifts right, comparisons,
minima). Extensions are free: the narrow operand has the same value, and a multiplication that sees its narrow operands,
never widened ones, is an 8 x 8 multiplier.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.passes._registry import PassFailure

_ATOM, _MULTIPLY, _ADD, _SHIFT, _COMPARE, _AND, _CHOICE = 9, 6, 5, 4, 3, 2, 1
#: Wider sums and products are cut back to their MLIR width: the fast headers compute on 128 bits at most.
_MOST_BITS = 96


@dataclass(frozen=True)
class Text:
    """A C++ expression.

    Without `grown` its C++ type is the ap_int (ap_uint where not `signed`) of `width` bits, and its value that of the
    MLIR value; `loose` says that its type is another one with these values, `built_in` that it is one of C++'s own.
    With `grown` its type is another one, no wider than `bits`, and it equals the MLIR value modulo 2^width.
    """

    text: str
    width: int
    signed: bool = True
    binding: int = _ATOM
    grown: bool = False
    loose: bool = False
    built_in: bool = False
    bits: int = 0
    #: the operand and the bound, for a maximum with a literal: a minimum around it makes a clamp
    at_least: tuple[Text, int] | None = None

    def in_parentheses(self, binding: int) -> str:
        return self.text if self.binding >= binding else f"({self.text})"

    @property
    def literal(self) -> int | None:
        """The number, for an expression that is no more than one."""
        return int(self.text) if self.text.lstrip("-").isdigit() else None

    @property
    def most_bits(self) -> int:
        """Bits of the C++ type, at most."""
        return max(self.bits, self.width)


def type_name(width: int, signed: bool = True) -> str:
    return f"ap_int<{width}>" if signed else f"ap_uint<{width}>"


def exact_type(width: int) -> str:
    """The type of a number that is known to fit: fast headers do not cut it to bits that no built-in type has."""
    return type_name(width) if width in (8, 16, 32, 64) else f"resnet_hls::exact<{width}>"


def width_of(value: ir.Value) -> int:
    return ir.IntegerType(value.type).width if isinstance(value.type, ir.IntegerType) else 64


def exact(x: Text) -> Text:
    """`x` with the growth of ap_int cut off."""
    return Text(f"{type_name(x.width, x.signed)}({x.text})", x.width, x.signed) if x.grown else x


def cast(x: Text, width: int, signed: bool = True) -> Text:
    """`x` as an ap_int of exactly this width and sign."""
    if x.width == width and x.signed == signed and not (x.grown or x.loose or x.built_in):
        return x
    return Text(f"{type_name(width, signed)}({x.text})", width, signed)


def constant(op: ir.Operation) -> Text:
    attribute = op.attributes["value"]
    if not isinstance(attribute, (ir.IntegerAttr, ir.BoolAttr)):
        raise PassFailure(op, "a constant that is no integer cannot be emitted")
    number = int(attribute.value)
    if number == -(2**63):
        raise PassFailure(op, "the least number of 64 bits cannot be written in C++")
    width = width_of(op.results[0])
    bits = 32 if -(2**31) < number < 2**31 else 64
    binding = _ATOM if number >= 0 else _MULTIPLY
    return Text(str(number), width, width > 1, binding, built_in=True, bits=bits)


def unsigned(x: Text, width: int) -> Text:
    """`x`, an MLIR value of `width` bits, as the unsigned number that its bits stand for."""
    return x if not x.signed and not x.grown else cast(x, width, signed=False)


def signed(x: Text, width: int) -> Text:
    """`x`, an MLIR value of `width` bits, as the signed number that its bits stand for."""
    if x.grown or x.signed or x.width < width:  # a narrower unsigned number is not negative
        return exact(x)
    return cast(x, width)


_INFIX = {"arith.addi": ("+", _ADD), "arith.subi": ("-", _ADD), "arith.muli": ("*", _MULTIPLY)}
_BITWISE = {"arith.andi": "&", "arith.ori": "|", "arith.xori": "^"}
_PREDICATES = ["==", "!=", "<", "<=", ">", ">="]
_EXTREMES = {
    "arith.maxsi": ("max", True),
    "arith.minsi": ("min", True),
    "arith.maxui": ("max", False),
    "arith.minui": ("min", False),
}


def expression(op: ir.Operation, operands: list[Text]) -> Text:
    """The C++ expression of one operation, of arith or on packed numbers. Raises PassFailure for one that has none."""
    name = op.name
    width = width_of(op.results[0])
    if name in _INFIX:
        return _infix(name, width, *operands)
    if name in _BITWISE:
        truth = all(x.width == 1 and not x.signed and not x.grown for x in operands)
        left, right = (x if truth else signed(x, width) for x in operands)
        text = f"{left.in_parentheses(_ATOM)} {_BITWISE[name]} {right.in_parentheses(_ATOM)}"
        return Text(text, width, not truth, _AND, grown=not truth, loose=True, bits=width + 1)
    if name == "arith.extsi":
        return signed(operands[0], width_of(op.operands[0]))
    if name == "arith.extui":
        return unsigned(operands[0], width_of(op.operands[0]))
    if name == "arith.trunci":
        return cast(operands[0], width)
    if name in {"arith.shli", "arith.shrsi", "arith.shrui"}:
        return _shift(name, width, *operands)
    if name in _EXTREMES:
        return _extreme(name, width, *operands)
    if name == "arith.cmpi":
        return _comparison(ir.IntegerAttr(op.attributes["predicate"]).value, width_of(op.operands[0]), *operands)
    if name == "arith.select":
        chosen, other = cast(operands[1], width), cast(operands[2], width)
        condition = exact(operands[0]).in_parentheses(_CHOICE + 1)
        return Text(f"{condition} ? {chosen.text} : {other.text}", width, binding=_CHOICE)
    if name in LANES:
        return _lanes(op, width, operands)
    raise PassFailure(op, f"'{name}' cannot be emitted as C++", help=f"source: {iu.source_name(op) or 'unknown'}")


#: Operations on packed numbers: functions of resnet_hls/packed.h.
LANES = {"hls.pack", "hls.low", "hls.high"}


def _lanes(op: ir.Operation, width: int, operands: list[Text]) -> Text:
    shift = ir.IntegerAttr(op.attributes["shift"]).value
    if op.name == "hls.pack":
        high, low = (signed(x, width_of(value)) for x, value in zip(operands, op.operands, strict=True))
        return Text(f"resnet_hls::pack<{width}, {shift}>({high.text}, {low.text})", width, loose=True)
    lane = Text(f"resnet_hls::{op.name.removeprefix('hls.')}<{shift}>({exact(operands[0]).text})", width, loose=True)
    return lane if op.name == "hls.low" else Text(f"{exact_type(width)}({lane.text})", width)


def _infix(name: str, width: int, left: Text, right: Text) -> Text:
    symbol, binding = _INFIX[name]
    product = name == "arith.muli"
    if left.built_in and right.built_in:
        left = cast(left, left.width)
    bits = left.most_bits + right.most_bits if product else max(left.most_bits, right.most_bits) + 2
    if product or bits > _MOST_BITS:  # a multiplier is no wider than its MLIR operands
        left, right = exact(left), exact(right)
        bits = left.most_bits + right.most_bits if product else max(left.most_bits, right.most_bits) + 2
    text = f"{left.in_parentheses(binding)} {symbol} {right.in_parentheses(binding + 1)}"
    return Text(text, width, binding=binding, grown=True, bits=bits)


def _shift(name: str, width: int, value: Text, count: Text) -> Text:
    """ap_int shifts keep the type of their left operand."""
    by = exact(count).in_parentheses(_SHIFT + 1)
    if name == "arith.shli":
        return Text(f"{cast(value, width).in_parentheses(_SHIFT)} << {by}", width, binding=_SHIFT, loose=True)
    number = signed(value, width) if name == "arith.shrsi" else unsigned(value, width)
    if number.built_in:
        number = cast(number, width, number.signed)
    return Text(f"{number.in_parentheses(_SHIFT)} >> {by}", number.width, number.signed, _SHIFT, loose=True)


def _extreme(name: str, width: int, left: Text, right: Text) -> Text:
    function, is_signed = _EXTREMES[name]
    bound, lower = right.literal, left.at_least
    if (
        name == "arith.minsi"
        and bound is not None
        and lower is not None
        and lower[1] <= bound
        and _fits(bound, lower[0])
    ):
        text = f"resnet_hls::clamp({lower[0].text}, {lower[1]}, {bound})"
        return Text(text, lower[0].width, lower[0].signed, loose=True)
    if is_signed:
        sides = [cast(signed(x, width), width) for x in (left, right)]
    else:
        sides = [cast(unsigned(x, width), width, signed=False) for x in (left, right)]
    clamped = signed(left, width)
    at_least = (clamped, bound) if name == "arith.maxsi" and bound is not None and _fits(bound, clamped) else None
    return Text(f"resnet_hls::{function}({sides[0].text}, {sides[1].text})", width, is_signed, at_least=at_least)


def _fits(bound: int, x: Text) -> bool:
    """True when a literal can be a bound of resnet_hls::clamp: an int, and a number of the type that is clamped."""
    return abs(bound) < 2 ** min(31, x.width - x.signed) and (x.signed or bound >= 0)


def _comparison(predicate: int, width: int, left: Text, right: Text) -> Text:
    """`predicate` as arith.cmpi numbers them: eq, ne, then signed and unsigned slt, sle, sgt, sge."""
    if predicate < 6:
        sides = [signed(x, width) for x in (left, right)]
        if sides[0].signed != sides[1].signed:
            sides = [x if x.signed else cast(x, width) for x in sides]
    else:
        sides = [cast(unsigned(x, width), width, signed=False) for x in (left, right)]
    symbol = _PREDICATES[predicate if predicate < 6 else predicate - 4]
    text = f"{sides[0].in_parentheses(_COMPARE + 1)} {symbol} {sides[1].in_parentheses(_COMPARE + 1)}"
    return Text(text, 1, False, _COMPARE, loose=True)
