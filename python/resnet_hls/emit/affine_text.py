# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Affine expressions and conditions as C++."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch_mlir import ir

from resnet_hls.analysis.nests import linear


@dataclass(frozen=True)
class Variable:
    """A loop variable: its C++ name, how many values it takes, and the first of them."""

    name: str
    extent: int
    first: int = 0


_ADD, _MULTIPLY, _ATOM = 1, 2, 3


def bounds(expr: ir.AffineExpr, variables: Sequence[Variable]) -> tuple[int, int]:
    """Least and greatest value of an expression over the loops' iterations."""
    if isinstance(expr, ir.AffineConstantExpr):
        return expr.value, expr.value
    if isinstance(expr, ir.AffineDimExpr):
        variable = variables[expr.position]
        return variable.first, variable.first + variable.extent - 1
    assert isinstance(expr, ir.AffineBinaryExpr)
    (a, b), (c, d) = bounds(expr.lhs, variables), bounds(expr.rhs, variables)
    if isinstance(expr, ir.AffineAddExpr):
        return a + c, b + d
    if isinstance(expr, ir.AffineMulExpr):
        ends = [a * c, a * d, b * c, b * d]
        return min(ends), max(ends)
    if isinstance(expr, ir.AffineModExpr):
        return (a, b) if a >= 0 and b < c else (0, d - 1)
    if isinstance(expr, ir.AffineFloorDivExpr):
        return a // c, b // c
    return -(-a // c), -(-b // c)


class AffineText:
    """Prints affine expressions over a list of variables (dimension d is variable d)."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = variables

    def text(self, expr: ir.AffineExpr) -> str:
        return self._print(expr)[0]

    def _print(self, expr: ir.AffineExpr) -> tuple[str, int]:
        """Text and how tightly its outermost operator binds."""
        low, high = bounds(expr, self.variables)
        if low == high:
            return str(low), _ATOM if low >= 0 else _ADD
        if isinstance(expr, ir.AffineDimExpr):
            return self.variables[expr.position].name, _ATOM
        assert isinstance(expr, ir.AffineBinaryExpr)
        if isinstance(expr, ir.AffineAddExpr):
            return self._sum(expr), _ADD
        if isinstance(expr, ir.AffineMulExpr):
            return self._product(expr), _MULTIPLY
        return self._division(expr), _MULTIPLY

    def _sum(self, expr: ir.AffineAddExpr) -> str:
        left, (right, binding) = self._print(expr.lhs)[0], self._print(expr.rhs)
        if isinstance(expr.rhs, ir.AffineConstantExpr):
            return left if expr.rhs.value == 0 else f"{left} {'-' if expr.rhs.value < 0 else '+'} {abs(expr.rhs.value)}"
        factor = expr.rhs.rhs if isinstance(expr.rhs, ir.AffineMulExpr) else None
        if isinstance(factor, ir.AffineConstantExpr) and factor.value < 0:
            negated, binding = self._print(expr.rhs.lhs)
            magnitude = "" if factor.value == -1 else f" * {-factor.value}"
            return f"{left} - {negated if binding > _ADD else f'({negated})'}{magnitude}"
        return f"{left} + {right}"

    def _product(self, expr: ir.AffineMulExpr) -> str:
        factors = [self._print(side) for side in (expr.lhs, expr.rhs)]
        return " * ".join(
            text if binding >= _MULTIPLY and not text.startswith("-") else f"({text})" for text, binding in factors
        )

    def _division(self, expr: ir.AffineBinaryExpr) -> str:
        """`mod`, `floordiv`, `ceildiv`: C++ truncates, so resnet_hls/arithmetic.h helps with negative operands."""
        divisor = bounds(expr.rhs, self.variables)[0]
        text, binding = self._print(expr.lhs)
        if bounds(expr.lhs, self.variables)[0] >= 0 and not isinstance(expr, ir.AffineCeilDivExpr):
            operator = "%" if isinstance(expr, ir.AffineModExpr) else "/"
            return f"{text if binding == _ATOM else f'({text})'} {operator} {divisor}"
        name = {ir.AffineModExpr: "floor_mod", ir.AffineFloorDivExpr: "floor_div", ir.AffineCeilDivExpr: "ceil_div"}[
            type(expr)
        ]
        return f"resnet_hls::{name}({text}, {divisor})"

    def condition(self, constraints: Sequence[tuple[ir.AffineExpr, bool]]) -> str:
        """The conjunction of constraints, `expr == 0` or `expr >= 0`; without those that always hold, "" if all do."""
        parts: list[str] = []
        for expr, equal in constraints:
            low, high = bounds(expr, self.variables)
            if (equal and low == high == 0) or (not equal and low >= 0):
                continue
            parts.append(self._comparison(expr, equal))
        return " && ".join(dict.fromkeys(parts))

    def _comparison(self, expr: ir.AffineExpr, equal: bool) -> str:
        """`x - 3 == 0` reads as `x == 3`, `-x - y + 31 >= 0` as `x + y <= 31`."""
        form = linear(expr)
        if form is None:
            remainder = _remainder(expr) if equal else None
            if remainder is not None:  # whether it is 0 does not depend on how negative numbers are rounded
                text, binding = self._print(remainder[0])
                return f"{text if binding == _ATOM else f'({text})'} % {remainder[1]} == 0"
            return f"{self.text(expr)} {'==' if equal else '>='} 0"
        coefficients, constant = form
        positive = {d: c for d, c in coefficients.items() if c > 0}
        negative = {d: -c for d, c in coefficients.items() if c < 0}
        if not positive:
            return f"{self._terms(negative)} {'==' if equal else '<='} {constant}"
        right = self._terms(negative)
        if right and constant:
            right += f" {'-' if constant > 0 else '+'} {abs(constant)}"
        return f"{self._terms(positive)} {'==' if equal else '>='} {right or -constant}"

    def _terms(self, coefficients: dict[int, int]) -> str:
        names = [(self.variables[d].name, c) for d, c in sorted(coefficients.items())]
        return " + ".join(name if c == 1 else f"{c} * {name}" for name, c in names)


def _remainder(expr: ir.AffineExpr) -> tuple[ir.AffineExpr, int] | None:
    """`e` and `m` for `e mod m`, also in the form `e - (e floordiv m) * m` that MLIR's simplification gives it."""
    if isinstance(expr, ir.AffineModExpr) and isinstance(expr.rhs, ir.AffineConstantExpr):
        return expr.lhs, expr.rhs.value
    terms, divisions = _summands(expr), []
    for term in terms:
        factor = term.rhs if isinstance(term, ir.AffineMulExpr) else None
        if isinstance(factor, ir.AffineConstantExpr) and isinstance(term.lhs, ir.AffineFloorDivExpr):
            divisions.append((term, term.lhs, factor.value))
    if len(divisions) != 1:
        return None
    term, division, factor = divisions[0]
    forms = [linear(other) for other in terms if other != term]
    whole = linear(division.lhs)
    if whole is None or None in forms or not isinstance(division.rhs, ir.AffineConstantExpr):
        return None
    coefficients: dict[int, int] = {}
    constant = 0
    for form in forms:
        assert form is not None
        constant += form[1]
        for d, c in form[0].items():
            coefficients[d] = coefficients.get(d, 0) + c
    rest = {d: c for d, c in coefficients.items() if c}, constant
    modulus: int = division.rhs.value
    return (division.lhs, modulus) if rest == whole and factor == -modulus else None


def _summands(expr: ir.AffineExpr) -> list[ir.AffineExpr]:
    if isinstance(expr, ir.AffineAddExpr):
        return [*_summands(expr.lhs), *_summands(expr.rhs)]
    return [expr]
