# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What hls-integerize knows about tensors: their integers, scales and bounds. Creates no operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from torch_mlir import ir

from resnet_hls import ir_utils as iu

Bounds = tuple[int, int]


@dataclass(frozen=True)
class Quantity:
    """An integer tensor that stands for the real tensor `integers * scale`; elements within [lo, hi]."""

    integers: ir.Value
    scale: Fraction
    signed: bool
    lo: int
    hi: int

    @property
    def width(self) -> int:
        """Bits of an element."""
        return width_of(self.integers)


def element_type(value: ir.Value) -> ir.Type:
    """The type itself of a scalar, the type of an element of a tensor."""
    kind = value.type
    return ir.ShapedType(kind).element_type if isinstance(kind, ir.ShapedType) else kind


def width_of(value: ir.Value) -> int:
    """Bits of an integer, or of an element of an integer tensor."""
    width: int = ir.IntegerType(element_type(value)).width
    return width


def is_float(value: ir.Value) -> bool:
    return isinstance(element_type(value), ir.FloatType)


def is_elementwise(op: ir.Operation) -> bool:
    """A one-result generic without reductions."""
    return op.name == "linalg.generic" and set(iu.iterator_types(op)) <= {"parallel"} and len(op.results) == 1


def type_range(width: int, signed: bool) -> Bounds:
    return (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if signed else (0, 2**width - 1)


@dataclass
class BoundsTable:
    """Bounds of the elements of integer tensors; of those nobody noted, the range of their type."""

    constants: iu.ConstantReader
    noted: dict[ir.Value, Bounds] = field(default_factory=dict)

    def note(self, value: ir.Value, bounds: Bounds) -> None:
        self.noted[value] = bounds

    def of(self, value: ir.Value, signed: bool) -> Bounds:
        """Bounds of the elements of `value`, read as signed or unsigned numbers."""
        whole = type_range(width_of(value), signed)
        array = self.constants.value(value)
        if array is not None:
            numbers = array if signed else array.view(f"u{array.dtype.itemsize}")
            return int(numbers.min()), int(numbers.max())
        lo, hi = self.noted.get(value, whole)
        # Bounds noted for the other reading say nothing where the two readings differ.
        return (lo, hi) if whole[0] <= lo and hi <= whole[1] else whole

    def note_elementwise(self, op: ir.Operation) -> None:
        """Notes the bounds of an elementwise generic on integers (a broadcast bias.

        A maximum with zero) where they follow.
        """
        known: dict[ir.Value, Bounds] = {}

        def get(value: ir.Value) -> Bounds:
            number = iu.scalar_constant(value)
            if number is not None:
                return int(number), int(number)
            if value in known:
                return known[value]
            return type_range(width_of(value), signed=True)

        block = iu.body(op)
        for argument, operand in zip(list(block.arguments)[:-1], op.operands, strict=False):
            if isinstance(operand.type, ir.ShapedType):
                known[argument] = self.of(operand, signed=True)
            else:
                known[argument] = get(operand)
        for body_op in (o.operation for o in block.operations):
            if body_op.name == "linalg.yield":
                self.noted[op.results[0]] = get(body_op.operands[0])
                return
            if not body_op.results:  # an assertion, of an index
                continue
            bounds = _interval(body_op.name, [get(v) for v in body_op.operands if isinstance(v.type, ir.IntegerType)])
            whole = type_range(width_of(body_op.results[0]), signed=True)
            fits = bounds is not None and whole[0] <= bounds[0] and bounds[1] <= whole[1]
            known[body_op.results[0]] = bounds if bounds is not None and fits else whole


def _interval(name: str, operands: list[Bounds]) -> Bounds | None:
    """Bounds of an integer operation before wrapping; None for operations that are not followed."""
    if name in {"arith.extsi", "arith.trunci"}:
        return operands[0]
    if len(operands) != 2:
        return None
    (a, b), (c, d) = operands
    corners = (a * c, a * d, b * c, b * d)
    return {
        "arith.maxsi": (max(a, c), max(b, d)),
        "arith.minsi": (min(a, c), min(b, d)),
        "arith.addi": (a + c, b + d),
        "arith.subi": (a - d, b - c),
        "arith.muli": (min(corners), max(corners)),
    }.get(name)
