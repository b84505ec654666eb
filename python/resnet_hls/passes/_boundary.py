# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The quantizer at a network's input, the dequantizer at its output, and the attributes that remember them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.passes._expressions import GREATER, LESS
from resnet_hls.passes._quantities import element_type, is_elementwise, is_float, type_range, width_of
from resnet_hls.passes._registry import PassFailure

_HELP = "the model's first operation must be a quantizer (QuantizeLinear/DequantizeLinear or Quant)"


@dataclass(frozen=True)
class Grid:
    """A real number x stands for the integer `clamp(round_half_even(x / scale) + zero_point, lo, hi)`."""

    scale: Fraction
    signed: bool
    lo: int
    hi: int
    zero_point: int = 0

    def attribute(self) -> ir.DictAttr:
        """What the host needs to quantize the input or to read the output."""
        i64 = iu.integer_type(64)
        offset = {"zero_point": ir.IntegerAttr.get(i64, self.zero_point)} if self.zero_point else {}
        return ir.DictAttr.get(
            offset
            | {
                "scale": ir.FloatAttr.get(ir.F64Type.get(), float(self.scale)),
                "signed": ir.BoolAttr.get(self.signed),
                "min": ir.IntegerAttr.get(i64, self.lo),
                "max": ir.IntegerAttr.get(i64, self.hi),
            }
        )


@dataclass(frozen=True)
class _State:
    """What a chain has made of the image so far: `image / scale + zero_point`, clamped to [lo, hi] where those are
    given.
    """

    scale: Fraction = Fraction(1)
    lo: Fraction | None = None
    hi: Fraction | None = None
    rounded: bool = False
    zero_point: int = 0

    def scaled(self, factor: Fraction) -> _State:
        """The state after a division by `factor`."""
        lo, hi = (None if n is None else n / factor for n in (self.lo, self.hi))
        return _State(self.scale * factor, lo, hi, self.rounded)

    def at_least(self, limit: Fraction) -> _State:
        return replace(self, lo=limit if self.lo is None else max(self.lo, limit))

    def at_most(self, limit: Fraction) -> _State:
        return replace(self, hi=limit if self.hi is None else min(self.hi, limit))

    def round(self) -> _State:
        lo, hi = (None if n is None else Fraction(round(n)) for n in (self.lo, self.hi))
        return _State(self.scale, lo, hi, rounded=True)


def input_quantizers(argument: ir.Value) -> dict[ir.Operation, Grid]:
    """The generics that turn the float image into integers, after other elementwise ones, and what they quantize to.

    Raises:
        PassFailure: at the operation that the image reaches without being quantized.
    """
    found: dict[ir.Operation, Grid] = {}
    _follow(argument, _State(), found)
    return found


def uniform_constant(value: ir.Value) -> int | float | None:
    """The number that a scalar constant, or every element of a constant tensor, is; else None."""
    op = iu.defining_op(value)
    if op is not None and op.name == "arith.constant" and isinstance(op.attributes["value"], ir.DenseElementsAttr):
        attribute = ir.DenseElementsAttr(op.attributes["value"])
        number: int | float | None = attribute.get_splat_value().value if attribute.is_splat else None
        return number
    return iu.scalar_constant(value)


def _follow(value: ir.Value, state: _State, found: dict[ir.Operation, Grid]) -> None:
    for op in reversed(dict.fromkeys(iu.users(value))):  # uses are listed last first
        inputs = [v for v in list(op.operands)[:-1] if uniform_constant(v) is None]
        maps = iu.affine_maps(op) if op.name == "linalg.generic" else []
        if not is_elementwise(op) or inputs != [value] or maps[list(op.operands).index(value)] != maps[-1]:
            raise PassFailure(op, "the input image reaches this operation without being quantized", help=_HELP)
        after = _through(op, list(op.operands).index(value), state)
        result = op.results[0]
        if is_float(result):
            _follow(result, after, found)
            continue
        if not after.rounded:
            raise PassFailure(op, "the input image is converted to integers without rounding", help=_HELP)
        signed = not any(o.operation.name == "arith.fptoui" for o in iu.body(op).operations)
        least, most = type_range(width_of(result), signed)
        lo, hi = (default if n is None else int(n) for n, default in ((after.lo, least), (after.hi, most)))
        found[op] = Grid(after.scale, signed, max(lo, least), min(hi, most), after.zero_point)


def _through(op: ir.Operation, image: int, state: _State) -> _State:
    """The state after the body of one elementwise generic, whose operand number `image` is the image."""
    arguments = list(iu.body(op).arguments)
    states = {arguments[image]: state}
    numbers = {a: uniform_constant(v) for a, v in zip(arguments[:-1], op.operands, strict=False) if a not in states}

    def number_of(value: ir.Value) -> int | float | None:
        return numbers[value] if value in numbers else iu.scalar_constant(value)

    conditions: dict[ir.Value, tuple[bool, ir.Value, ir.Value]] = {}

    def limited(result: ir.Value, lower: bool, operands: list[ir.Value]) -> None:
        limit = next(n for v in operands if (n := number_of(v)) is not None)
        before = next(states[v] for v in operands if v in states)
        states[result] = before.at_least(Fraction(limit)) if lower else before.at_most(Fraction(limit))

    try:
        for body_op in (o.operation for o in iu.body(op).operations):
            name, operands = body_op.name, list(body_op.operands)
            if name == "linalg.yield":
                return states[operands[0]]
            result = body_op.results[0]
            number = next((n for v in operands if (n := number_of(v)) is not None), None)
            if name in {"arith.divf", "arith.mulf"} and number is not None and number > 0:
                factor = Fraction(number) if name == "arith.divf" else 1 / Fraction(number)
                states[result] = states[operands[0]].scaled(factor)
            elif name == "math.roundeven":
                states[result] = states[operands[0]].round()
            elif name in {"arith.maximumf", "arith.maxnumf", "arith.minimumf", "arith.minnumf"}:
                limited(result, "max" in name, operands)
            elif name == "arith.cmpf" and ir.IntegerAttr(body_op.attributes["predicate"]).value in GREATER | LESS:
                greater = ir.IntegerAttr(body_op.attributes["predicate"]).value in GREATER
                conditions[result] = (greater, operands[0], operands[1])
            elif name == "arith.select" and set(operands[1:]) == set(conditions[operands[0]][1:]):
                greater, left, right = conditions[operands[0]]
                limited(result, greater == (operands[1] == left), [left, right])
            elif name == "arith.addf" and number is not None:
                before = states[operands[0]]
                if number != 0 and (not before.rounded or number != int(number)):
                    raise PassFailure(op, f"{number:g} is added to the input image before it is rounded", help=_HELP)
                shifted = (None if n is None else n + Fraction(number) for n in (before.lo, before.hi))
                lo, hi = shifted  # limits so far move with the numbers
                states[result] = replace(before, lo=lo, hi=hi, zero_point=before.zero_point + int(number))
            elif name in {"arith.fptosi", "arith.fptoui", "arith.extf", "arith.truncf"}:
                states[result] = states[operands[0]]
            elif name != "arith.constant":
                break
    except (KeyError, StopIteration):  # an operand that is neither the image nor a constant
        pass
    raise PassFailure(op, "the input image reaches this operation without being quantized", help=_HELP)


def strip_input(function: ir.Operation) -> Grid:
    """Removes the quantizer at the input: the function takes its integers, and `hls.input` says which.

    Raises:
        PassFailure: the function does not take one float tensor, or does not quantize it first, in one way.
    """
    block = iu.body(function)
    if len(block.arguments) != 1 or not is_float(block.arguments[0]):
        raise PassFailure(function, "expected one float input", help="integer modules need no hls-integerize")
    argument = block.arguments[0]
    quantizers = input_quantizers(argument)
    grids = set(quantizers.values())
    if len(grids) != 1:
        what = "is not quantized first" if not grids else "is quantized in several ways"
        raise PassFailure(function, f"the input image {what}", help="put one quantizer at the input of the model")
    grid = grids.pop()
    kind = ir.RankedTensorType.get(iu.shape_of(argument), element_type(next(iter(quantizers)).results[0]))
    chains = [op for op in reversed([o.operation for o in block.operations]) if op in _upstream(quantizers, argument)]
    for op in quantizers:
        op.results[0].replace_all_uses_with(argument)
    for op in chains:
        iu.erase_tree(op)
    argument.set_type(kind)
    function.attributes["hls.input"] = grid.attribute()
    return grid


def _upstream(quantizers: dict[ir.Operation, Grid], argument: ir.Value) -> set[ir.Operation]:
    """The quantizers and the elementwise operations between them and the image."""
    found: set[ir.Operation] = set()
    for op in quantizers:
        while op not in found:
            found.add(op)
            if op.operands[0] == argument:
                break
            before = iu.defining_op(op.operands[0])
            assert before is not None
            op = before
    return found
