# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantizers with scales that are no powers of two, or one per channel: rebuilt as multiplier, offset and shift.

The float expression is run in float32, as the model runs it, on every accumulator that matters;
`analysis/requantization.py`
then finds integers that reproduce it for all of them, or there are none and the layer is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.fixed_point import power_of_two
from resnet_hls.analysis.requantization import Integers, fit, fit_half_even, fit_pair, fit_shift
from resnet_hls.passes._contraction import reduction_of
from resnet_hls.passes._expressions import HELP, _expandable, _operand_access
from resnet_hls.passes._quantities import BoundsTable, Quantity, is_float
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes._requantize import requantize, requantize_sum

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Linear:
    """A linear form of the variables in real arithmetic, per channel: what a quantizer is without its rounding and
    limits.
    """

    coefficients: dict[ir.Value, Array]
    constant: Array

    @property
    def is_constant(self) -> bool:
        return not self.coefficients

    def scaled(self, factor: Array) -> Linear:
        return Linear({v: c * factor for v, c in self.coefficients.items()}, self.constant * factor)

    def plus(self, other: Linear, sign: int = 1) -> Linear:
        zero = np.zeros(1)
        variables = {**self.coefficients, **other.coefficients}
        added = {v: self.coefficients.get(v, zero) + sign * other.coefficients.get(v, zero) for v in variables}
        return Linear(added, self.constant + sign * other.constant)


def _product(a: Linear, b: Linear) -> Linear:
    return b.scaled(a.constant) if a.is_constant else a.scaled(b.constant)


#: Each table gives the operations of one algebra by name: float32 as the model computes it, and linear forms.
_FLOAT: dict[str, Callable[..., Any]] = {
    "arith.addf": np.add, "arith.subf": np.subtract, "arith.mulf": np.multiply, "arith.divf": np.divide,
    "arith.addi": np.add, "arith.subi": np.subtract,
    "arith.maximumf": np.maximum, "arith.minimumf": np.minimum, "arith.maxnumf": np.maximum,
    "arith.minnumf": np.minimum,
    "arith.maxsi": np.maximum, "arith.minsi": np.minimum,
    "math.roundeven": np.rint,
    "convert to float": lambda x: x.astype(np.float32),
    "convert to integer": lambda x: x.astype(np.int64),
    "select": np.where,
}  # fmt: skip


def _limited(a: Linear, b: Linear) -> Linear:
    return b if a.is_constant else a


_LINEAR: dict[str, Callable[..., Any]] = {
    "arith.addf": Linear.plus, "arith.addi": Linear.plus,
    "arith.subf": lambda a, b: a.plus(b, -1), "arith.subi": lambda a, b: a.plus(b, -1),
    "arith.mulf": _product, "arith.divf": lambda a, b: a.scaled(1 / b.constant),
    "arith.maximumf": _limited, "arith.minimumf": _limited, "arith.maxnumf": _limited, "arith.minnumf": _limited,
    "arith.maxsi": _limited, "arith.minsi": _limited,
    "math.roundeven": lambda x: x, "convert to float": lambda x: x, "convert to integer": lambda x: x,
    "select": lambda _, a, b: _limited(a, b),
}  # fmt: skip
#: arith.cmpf predicates, ordered and unordered alike: no NaN exists here.
_COMPARE: dict[int, Callable[[Array, Array], Array]] = {
    2: np.greater, 9: np.greater, 3: np.greater_equal, 10: np.greater_equal,
    4: np.less, 11: np.less, 5: np.less_equal, 12: np.less_equal,
}  # fmt: skip


def has_other_scales(op: ir.Operation, constants: iu.ConstantReader) -> bool:
    """True when the expression that ends in `op` multiplies or divides by something that is no single power of two."""
    for body_op in (o.operation for o in iu.body(op).operations):
        if body_op.name in {"arith.mulf", "arith.divf"}:
            numbers = [n for v in body_op.operands if (n := iu.scalar_constant(v)) is not None]
            if any(n <= 0 or power_of_two(Fraction(n)) is None for n in numbers):
                return True
    for number, argument in enumerate(list(iu.body(op).arguments)[:-1]):
        operand = op.operands[number]
        if not iu.has_uses(argument) or not isinstance(operand.type, ir.ShapedType):
            continue
        factors = [u for u in iu.users(argument) if u.name in {"arith.mulf", "arith.divf"}]
        if factors and constants.value(operand) is not None:
            return True
        inner = _expandable(operand, is_root=False)
        if inner is not None and has_other_scales(inner, constants):
            return True
    return False


@dataclass
class Variable:
    """An integer tensor that a quantizer reads."""

    tensor: ir.Value
    signed: bool
    scale: float
    lo: int
    hi: int


@dataclass
class _Expression:
    """A float expression and the integer tensors that it reads."""

    constants: iu.ConstantReader
    shape: list[int]
    variables: dict[ir.Value, bool] = field(default_factory=dict)  # tensor as the expression names it -> signed
    channel: int | None = None  # the loop along which constants differ
    accesses: set[str] = field(default_factory=set)

    def explore(self, op: ir.Operation, access: ir.AffineMap) -> None:
        """Finds the variables and the channel. Raises PassFailure when constants differ along two dimensions."""
        for number, argument in enumerate(list(iu.body(op).arguments)[:-1]):
            operand = op.operands[number]
            if not iu.has_uses(argument) or not isinstance(operand.type, ir.ShapedType):
                continue
            inner = _operand_access(op, number, access)
            deeper = _expandable(operand, is_root=False)
            if deeper is not None:
                self.explore(deeper, inner)
                continue
            array = self.constants.value(operand)
            if array is not None:
                results = ir.AffineMap.get(inner.n_dims, 0, list(inner.results)).results
                loops = {
                    e.position
                    for e, n in zip(results, array.shape, strict=True)
                    if isinstance(e, ir.AffineDimExpr) and n > 1
                }
                if len(loops | ({self.channel} - {None})) > 1:
                    raise PassFailure(op, "scales that differ along more than one dimension", help=HELP)
                self.channel = loops.pop() if loops else self.channel
                continue
            self.accesses.add(str(inner))
            self.variables[operand] = not any(u.name in {"arith.uitofp", "arith.extui"} for u in iu.users(argument))

    @property
    def channels(self) -> int:
        return 1 if self.channel is None else self.shape[self.channel]

    def run(
        self,
        op: ir.Operation,
        table: dict[str, Callable[..., Any]],
        leaf: Callable[[ir.Value], Any],
        number: Callable[..., Any],
    ) -> Any:
        """The generic's result in the algebra of `table`; `leaf` gives a variable, `number` a constant of (channels,
        1) or a scalar.

        Raises PassFailure for an operation that is not followed or not monotone.
        """
        known: dict[ir.Value, Any] = {}

        def get(value: ir.Value) -> Any:
            if value not in known:
                constant = iu.scalar_constant(value)
                if constant is None:
                    raise PassFailure(op, "a value that is neither quantized nor constant", help=HELP)
                known[value] = number(np.float32(constant) if is_float(value) else np.int64(constant))
            return known[value]

        for index, argument in enumerate(list(iu.body(op).arguments)[:-1]):
            operand = op.operands[index]
            if not iu.has_uses(argument):
                continue
            deeper = _expandable(operand, is_root=False)
            if not isinstance(operand.type, ir.ShapedType):
                known[argument] = get(operand)
            elif deeper is not None:
                known[argument] = self.run(deeper, table, leaf, number)
            elif (array := self.constants.value(operand)) is not None:
                known[argument] = number(array.reshape(-1, 1))
            else:
                known[argument] = leaf(operand)
        for body_op in (o.operation for o in iu.body(op).operations):
            name, operands = body_op.name, list(body_op.operands)
            if name == "linalg.yield":
                return get(operands[0])
            if name == "arith.constant":
                continue
            result = body_op.results[0]
            if name in {"arith.sitofp", "arith.uitofp"}:
                known[result] = table["convert to float"](get(operands[0]))
            elif name in {"arith.fptosi", "arith.fptoui"}:
                known[result] = table["convert to integer"](get(operands[0]))
            elif name in {"arith.extsi", "arith.extui"}:
                known[result] = get(operands[0])
            elif name == "arith.cmpf":
                predicate = ir.IntegerAttr(body_op.attributes["predicate"]).value
                if predicate not in _COMPARE:
                    raise PassFailure(op, "a comparison other than greater or less", help=HELP)
                known[result] = None if table is _LINEAR else _COMPARE[predicate](get(operands[0]), get(operands[1]))
            elif name == "arith.select":
                known[result] = table["select"](*(known.get(operands[0]), get(operands[1]), get(operands[2])))
            elif name in table:
                known[result] = table[name](*map(get, operands))
            else:
                raise PassFailure(op, f"the operation {name} in a quantizer with such scales", help=HELP)
        raise PassFailure(op, "a body without a result")

    def linear(self, op: ir.Operation, scales: dict[ir.Value, float]) -> Linear:
        """The expression without rounding and limits, in real arithmetic (float64)."""
        one = np.ones((1, 1))
        form: Linear = self.run(
            op,
            _LINEAR,
            lambda v: Linear({v: one * scales[v]}, np.zeros((1, 1))),
            lambda n: Linear({}, np.asarray(n, np.float64)),
        )
        return form


@dataclass
class Staircases:
    """Rebuilds quantizers whose scales are no powers of two."""

    constants: iu.ConstantReader
    bounds: BoundsTable
    materialize: Callable[[ir.Value], Quantity]

    def rebuild(self, op: ir.Operation) -> tuple[ir.Value, tuple[int, int]]:
        """A new generic before `op` with the same results, and their bounds.

        Raises:
            PassFailure: at `op`, where no multiplier, offset and shift give the model's own results for all
            accumulators.
        """
        shape = iu.shape_of(op.results[0])
        identity = ir.AffineMap.get_identity(len(shape))
        expression = _Expression(self.constants, shape)
        expression.explore(op, identity)
        if expression.accesses != {str(identity)}:
            raise PassFailure(op, "a quantizer whose operands are not accessed element by element", help=HELP)
        variables = {value: self.variable(op, value, signed) for value, signed in expression.variables.items()}
        form = expression.linear(op, {value: v.scale for value, v in variables.items()})
        if any((c <= 0).any() for c in form.coefficients.values()):
            raise PassFailure(op, "a factor that is not positive", help=HELP)
        if len(variables) == 1:
            return self.one(op, expression, *next(iter(variables.items())), form)
        if len(variables) == 2 and expression.channel is None:
            return self.two(op, expression, variables, form)
        raise PassFailure(
            op, f"a quantizer of {len(variables)} activations whose scales are no powers of two", help=HELP
        )

    def variable(self, op: ir.Operation, value: ir.Value, signed: bool) -> Variable:
        if not is_float(value):
            return Variable(value, signed, 1.0, *self.bounds.of(value, signed))
        quantity = self.materialize(value)
        below = iu.defining_op(value)
        reduction = reduction_of(below) if below is not None and below.name == "linalg.generic" else None
        if reduction is not None and reduction.kind == "sum" and power_of_two(quantity.scale) is None:
            message = "an average of numbers whose scale is no power of two: float32 rounds its sums"
            raise PassFailure(op, message, help=HELP)
        return Variable(quantity.integers, quantity.signed, float(quantity.scale), quantity.lo, quantity.hi)

    def one(
        self, op: ir.Operation, expression: _Expression, value: ir.Value, variable: Variable, form: Linear
    ) -> tuple[ir.Value, tuple[int, int]]:
        """A quantizer of one activation: an accumulator, a sum, or an 8-bit tensor."""

        def staircase(numbers: Integers) -> Integers:
            leaf = numbers.astype(np.float32) * np.float32(variable.scale) if is_float(value) else numbers
            levels = expression.run(op, _FLOAT, lambda _: leaf, lambda n: n)
            return np.broadcast_to(levels, numbers.shape).astype(np.int64)

        slopes = np.broadcast_to(form.coefficients[value], (expression.channels, 1))[:, 0].astype(np.float64)
        constants = np.broadcast_to(form.constant, (expression.channels, 1))[:, 0].astype(np.float64)
        lo, hi = variable.lo, variable.hi
        try:
            found = (
                fit_shift(staircase, slopes, lo, hi)
                or fit(staircase, slopes, lo, hi, max_corrections=0)
                or fit_half_even(staircase, slopes, constants, lo, hi)
                or fit(staircase, slopes, lo, hi)
            )
        except ValueError as problem:
            raise PassFailure(op, str(problem), help=HELP) from None
        if found is None:
            message = f"the model's float32 rounding over accumulators in [{lo}, {hi}] is no multiplication and shift"
            raise PassFailure(op, message, help="use power-of-two scales for this layer, or a coarser output scale")
        with ir.InsertionPoint(op), op.location:
            return requantize(op, variable, expression, found), (found.lowest, found.highest)

    def two(
        self, op: ir.Operation, expression: _Expression, variables: dict[ir.Value, Variable], form: Linear
    ) -> tuple[ir.Value, tuple[int, int]]:
        """A residual add of two 8-bit activations: all pairs of values are tried."""
        (left, a), (right, b) = variables.items()
        if a.hi - a.lo > 255 or b.hi - b.lo > 255:
            raise PassFailure(
                op, "an accumulator is added to an activation, with scales that are no powers of two", help=HELP
            )
        grid = np.meshgrid(np.arange(a.lo, a.hi + 1), np.arange(b.lo, b.hi + 1), indexing="ij")
        numbers = {left: grid[0].reshape(1, -1), right: grid[1].reshape(1, -1)}

        def leaf(value: ir.Value) -> Array:
            scale = np.float32(variables[value].scale)
            return numbers[value].astype(np.float32) * scale if is_float(value) else numbers[value]

        wanted = expression.run(op, _FLOAT, leaf, lambda n: n).astype(np.int64)[0]
        slopes = [float(form.coefficients[value].reshape(-1)[0]) for value in (left, right)]
        pair = fit_pair(numbers[left][0], numbers[right][0], wanted, slopes, float(np.reshape(form.constant, -1)[0]))
        if pair is None:
            message = "the model's float32 rounding of this sum is no multiplication and shift"
            raise PassFailure(op, message, help="quantize both operands of the add with power-of-two scales")
        with ir.InsertionPoint(op), op.location:
            return requantize_sum(op, a, b, expression, pair), (pair.lowest, pair.highest)
