# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""arith operations as C++ expressions on ap_int.

ap_int grows: `a + b` is one bit wider than its operands, a product as wide as both together. MLIR wraps. So an expression
carries its C++ width, and is cut back to the MLIR width where that could show (shifts right, comparisons, minima).
Multiplications see their narrow operands, never widened ones: that is what makes an 8 x 8 multiplier.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.passes._registry import PassFailure

_ATOM, _MULTIPLY, _ADD, _SHIFT, _AND, _COMPARE = 9, 6, 5, 4, 3, 2


@dataclass(frozen=True)
class Text:
    """A C++ expression: its text, how tightly it binds, and whether its value may exceed `width` bits (it still equals the MLIR value
    modulo 2^width)."""

    text: str
    width: int
    signed: bool = True
    binding: int = _ATOM
    grown: bool = False
    #: the operand and the bound, for a maximum with a literal: a minimum around it makes a clamp
    at_least: tuple[Text, str] | None = None

    def in_parentheses(self, binding: int) -> str:
        return self.text if self.binding >= binding else f"({self.text})"


def type_name(width: int, signed: bool = True) -> str:
    return f"ap_int<{width}>" if signed else f"ap_uint<{width}>"


def width_of(value: ir.Value) -> int:
    return ir.IntegerType(value.type).width if isinstance(value.type, ir.IntegerType) else 64


def exact(x: Text) -> Text:
    """`x` with the growth of ap_int cut off."""
    return Text(f"{type_name(x.width, x.signed)}({x.text})", x.width, x.signed) if x.grown else x


def cast(x: Text, width: int, signed: bool = True) -> Text:
    """`x` as an ap_int of exactly this width and sign."""
    if x.width == width and x.signed == signed and not x.grown and not is_literal(x):
        return x
    return Text(f"{type_name(width, signed)}({x.text})", width, signed)


def is_literal(x: Text) -> bool:
    return x.text.lstrip("-").isdigit()


def constant(op: ir.Operation) -> Text:
    attribute = op.attributes["value"]
    if not isinstance(attribute, ir.IntegerAttr):
        raise PassFailure(op, "a constant that is no integer cannot be emitted")
    number = attribute.value
    return Text(str(number), width_of(op.results[0]), binding=_ATOM if number >= 0 else _ADD)


_INFIX = {"arith.addi": ("+", _ADD), "arith.subi": ("-", _ADD), "arith.muli": ("*", _MULTIPLY)}
_PREDICATES = ["==", "!=", "<", "<=", ">", ">="]


def expression(op: ir.Operation, operands: list[Text]) -> Text:
    """The C++ expression of one arith operation. Raises PassFailure for an operation that has none."""
    name = op.name
    width = width_of(op.results[0])
    if name in _INFIX:
        symbol, binding = _INFIX[name]
        left, right = operands
        if name == "arith.muli" and is_literal(left) and is_literal(right):
            left = cast(left, width)
        text = f"{left.in_parentheses(binding)} {symbol} {right.in_parentheses(binding + 1)}"
        return Text(text, width, binding=binding, grown=True)
    if name in {"arith.extsi", "arith.extui"}:
        source = exact(operands[0])
        if name == "arith.extui":
            source = cast(source, source.width, signed=False)
        return source  # the value is the same; whoever needs the width casts
    if name == "arith.trunci":
        return cast(operands[0], width)
    if name == "arith.shli":
        return Text(f"{cast(operands[0], width).in_parentheses(_SHIFT)} << {operands[1].text}", width, binding=_SHIFT)
    if name == "arith.shrsi":
        x = exact(operands[0])
        return Text(f"{x.in_parentheses(_SHIFT)} >> {operands[1].text}", width, x.signed, _SHIFT)
    if name == "arith.andi":
        left, right = exact(operands[0]), exact(operands[1])
        return Text(f"{left.in_parentheses(_ATOM)} & {right.in_parentheses(_ATOM)}", width, binding=_AND)
    if name in {"arith.maxsi", "arith.minsi", "arith.maxui", "arith.minui"}:
        signed = name.endswith("si")
        function = "max" if "max" in name else "min"
        literal = operands[1].text if is_literal(operands[1]) else None
        lower = operands[0].at_least
        if name == "arith.minsi" and literal is not None and lower is not None:
            return Text(f"resnet_hls::clamp({lower[0].text}, {lower[1]}, {literal})", width)
        sides = [cast(exact(x), width, signed) for x in operands]
        at_least = (sides[0], literal) if name == "arith.maxsi" and literal is not None else None
        result = Text(f"resnet_hls::{function}({sides[0].text}, {sides[1].text})", width, signed, at_least=at_least)
        return result if signed else cast(result, width)
    if name == "arith.cmpi":
        predicate = ir.IntegerAttr(op.attributes["predicate"]).value
        signed = predicate < 6
        operands_width = width_of(op.operands[0])
        sides = [exact(x) if signed else cast(exact(x), operands_width, signed=False) for x in operands]
        symbol = _PREDICATES[predicate if signed else predicate - 4]
        return Text(
            f"{sides[0].in_parentheses(_COMPARE + 1)} {symbol} {sides[1].in_parentheses(_COMPARE + 1)}",
            1,
            False,
            _COMPARE,
        )
    if name == "arith.select":
        chosen, other = cast(exact(operands[1]), width), cast(exact(operands[2]), width)
        return Text(f"{operands[0].in_parentheses(_COMPARE)} ? {chosen.text} : {other.text}", width, binding=1)
    raise PassFailure(op, f"'{name}' cannot be emitted as C++", help=f"source: {iu.source_name(op) or 'unknown'}")
