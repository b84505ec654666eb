# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-integerize: from linalg with float quantize/dequantize arithmetic to integer linalg.

Nothing here may round on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import tensor

from resnet_hls import ir_utils as iu
from resnet_hls.analysis import fixed_point as fp
from resnet_hls.analysis.fixed_point import Fixed
from resnet_hls.passes._boundary import Grid, strip_input
from resnet_hls.passes._contraction import Reduction, integer_contraction, integer_reduction, reduction_of
from resnet_hls.passes._expressions import HELP, Expressions
from resnet_hls.passes._grouped import fold_constant_layouts, ungroup_convolutions
from resnet_hls.passes._quantities import BoundsTable, Quantity, element_type, is_elementwise, is_float, type_range
from resnet_hls.passes._registry import Pass, PassFailure, register_pass
from resnet_hls.passes._staircase import Staircases, has_other_scales
from resnet_hls.passes._zero_points import (
    base_of_pad,
    low_high,
    pad,
    padding_constant,
    reshape,
    start_without_zero_point,
    with_zero_point,
    without_offset,
)  # fmt: skip


@dataclass
class _Integerizer:
    module: ir.Operation
    constants: iu.ConstantReader = field(init=False)
    bounds: BoundsTable = field(init=False)
    expressions: Expressions = field(init=False)
    staircases: Staircases = field(init=False)
    quantities: dict[ir.Value, Quantity] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.constants = iu.ConstantReader(self.module)
        self.bounds = BoundsTable(self.constants)
        self.expressions = Expressions(self.bounds, self.materialize)
        self.staircases = Staircases(self.constants, self.bounds, self.materialize)

    def run(self) -> None:
        function = iu.public_function(self.module)
        grid = strip_input(function)
        self.bounds.note(iu.body(function).arguments[0], (grid.lo, grid.hi))
        for op in [o.operation for o in iu.body(function).operations]:
            if op.name != "linalg.generic" or is_float(op.results[0]):
                continue
            reduction = reduction_of(op)
            if reduction is not None and reduction.kind == "contraction":
                self.quantized_contraction(op)
            elif is_elementwise(op):
                inside = [result for o in iu.body(op).operations for result in o.operation.results]
                if any(is_float(value) for value in [*op.operands, *inside]):
                    self.quantize(op)
                else:
                    self.bounds.note_elementwise(op)
        self.strip_output(function)

    # --- float tensors ------------------------------------------------------------------------------------------------

    def materialize(self, value: ir.Value) -> Quantity:
        """The integer tensor and scale of a float tensor.

        Raises PassFailure at the operation where it has none.
        """
        if value not in self.quantities:
            self.quantities[value] = self.quantity(value)
        return self.quantities[value]

    def quantity(self, value: ir.Value) -> Quantity:
        op = iu.defining_op(value)
        assert op is not None, "strip_input left no float argument"
        if op.name == "linalg.generic":
            reduction = reduction_of(op)
            return self.reduce(op, reduction) if reduction is not None else self.computed(op)
        if op.name == "arith.constant":
            return self.constant(op)
        if op.name in {"tensor.pad", "tensor.collapse_shape", "tensor.expand_shape"}:
            return self.reshaped(op)
        if op.name == "tensor.concat":
            return self.concat(op)
        raise PassFailure(op, f"'{op.name}' on real numbers has no integer form here", help=HELP)

    def computed(self, op: ir.Operation) -> Quantity:
        """A float tensor computed elementwise.

        Its dequantized source where it is no more than that, else i32 integers.
        """
        found: list[Fixed] = []

        def finish(x: Fixed) -> ir.Value:
            found.append(x if x.value is not None else fp.to_scale(x, Fraction(1)))
            result = found[0].value
            assert result is not None
            return result

        result = self.expressions.rebuild(op.results[0], finish, iu.integer_type(32), op)
        x, generic = found[0], iu.defining_op(result)
        assert generic is not None
        body = [o.operation.name for o in iu.body(generic).operations][:-1]
        maps = iu.affine_maps(generic)
        if len(maps) == 2 and maps[0] == maps[1] and body in ([], ["arith.extsi"], ["arith.extui"]):
            source = generic.operands[0]
            iu.erase_tree(generic)
            return Quantity(source, x.scale, body != ["arith.extui"], x.lo, x.hi)
        self.bounds.note(result, (x.lo, x.hi))
        return Quantity(result, x.scale, True, x.lo, x.hi)

    def constant(self, op: ir.Operation) -> Quantity:
        array = self.constants.array(op.attributes["value"]).astype(np.float64)
        for bits in range(48):
            scaled = array * 2.0**bits
            if np.array_equal(scaled, np.round(scaled)) and np.abs(scaled).max(initial=0) < 2**31:
                integers = scaled.astype(np.int32)
                with ir.InsertionPoint(op), op.location:
                    value = iu.tensor_constant(integers)
                lo, hi = int(integers.min(initial=0)), int(integers.max(initial=0))
                return Quantity(value, Fraction(1, 2**bits), True, lo, hi)
        raise PassFailure(
            op,
            "float constants that are no multiples of a power of two (unquantized weights, or scales per channel)",
            help=HELP,
        )

    def reshaped(self, op: ir.Operation) -> Quantity:
        """`op` (pad, collapse or expand) on the integers of its operand."""
        source = self.materialize(op.operands[0])
        with ir.InsertionPoint(op), op.location:
            if op.name != "tensor.pad":
                integers = reshape(op, source.integers)
                return Quantity(integers, source.scale, source.signed, source.lo, source.hi)
            number = padding_constant(op)
            if number == float("-inf"):
                filling = type_range(source.width, source.signed)[0]
            elif number is not None and (steps := Fraction(number) / source.scale).denominator == 1:
                filling = int(steps)
            else:
                raise PassFailure(op, "padding with a value that is no multiple of the scale", help="pad with zero")
            result = pad(source.integers, low_high(op), filling)
        return Quantity(result, source.scale, source.signed, min(source.lo, filling), max(source.hi, filling))

    def concat(self, op: ir.Operation) -> Quantity:
        """A concatenation: of the integers as they are where all parts agree in type and scale.

        Else of i32 at the finest scale.
        """
        parts = [self.materialize(operand) for operand in op.operands]
        scale = min(part.scale for part in parts)
        integers, signed = [part.integers for part in parts], parts[0].signed
        if len({(part.scale, part.signed, part.width) for part in parts}) != 1:
            integers, signed = [self.aligned(operand, scale, op) for operand in op.operands], True
        factors = [int(part.scale / scale) for part in parts]
        lo = min(part.lo * factor for part, factor in zip(parts, factors, strict=True))
        hi = max(part.hi * factor for part, factor in zip(parts, factors, strict=True))
        kind = ir.RankedTensorType.get(iu.shape_of(op.results[0]), element_type(integers[0]))
        with ir.InsertionPoint(op), op.location:
            result = ir.Operation.create("tensor.concat", [kind], integers, {"dim": op.attributes["dim"]}).results[0]
        self.bounds.note(result, (lo, hi))
        return Quantity(result, scale, signed, lo, hi)

    def aligned(self, value: ir.Value, scale: Fraction, at: ir.Operation) -> ir.Value:
        """The real tensor `value` as i32 integers at `scale`."""
        limits: list[tuple[int, int]] = []

        def finish(x: Fixed) -> ir.Value:
            x = fp.to_scale(x, scale)
            assert x.value is not None
            limits.append((x.lo, x.hi))
            return x.value

        result = self.expressions.rebuild(value, finish, iu.integer_type(32), at)
        self.bounds.note(result, limits[0])
        return result

    def reduce(self, op: ir.Operation, reduction: Reduction) -> Quantity:
        """A convolution, matrix product or pooling on real numbers."""
        source = self.materialize(op.operands[0])
        if reduction.kind != "contraction":
            with ir.InsertionPoint(op), op.location:
                limits = (source.lo, source.hi)
                result, bounds = integer_reduction(op, reduction, source.integers, source.signed, limits)
            self.bounds.note(result, bounds)
            return Quantity(result, source.scale, source.signed or reduction.kind == "sum", *bounds)
        weights = self.materialize(op.operands[1])
        scale = source.scale * weights.scale
        for quantity, what in ((source, "input"), (weights, "weights")):
            if quantity.width > 8:
                raise PassFailure(op, f"the {what} of this operation have no 8-bit quantizer", help=HELP)
        init = self.aligned(op.operands[2], scale, op)
        with ir.InsertionPoint(op), op.location:
            result, bounds = integer_contraction(
                op, (source.integers, source.signed), (weights.integers, weights.signed), init, self.constants,
                (source.lo, source.hi), self.bounds.of(init, True),
            )  # fmt: skip
        self.bounds.note(result, bounds)
        return Quantity(result, scale, True, *bounds)

    # --- operations whose result is of integers -----------------------------------------------------------------------

    def quantize(self, op: ir.Operation) -> None:
        """A generic from real numbers to integers: rebuilt on the integers below it."""
        if has_other_scales(op, self.constants):
            result, bounds = self.staircases.rebuild(op)
            self.bounds.note(result, bounds)
            op.results[0].replace_all_uses_with(result)
            iu.erase_tree(op)
            return
        signed = not any(o.operation.name == "arith.fptoui" for o in iu.body(op).operations)
        element = element_type(op.results[0])
        limits: list[tuple[int, int]] = []

        def finish(x: Fixed) -> ir.Value:
            limits.append((x.lo, x.hi) if x.value is not None else (int(x.constant), int(x.constant)))
            return fp.narrow(x, element, signed)

        result = self.expressions.rebuild(op.results[0], finish, element, op)
        self.bounds.note(result, limits[0])
        op.results[0].replace_all_uses_with(result)
        iu.erase_tree(op)

    def quantized_contraction(self, op: ir.Operation) -> None:
        """A convolution or product on integer tensors with zero points (`…_q`).

        Explicit extensions, zero points removed.
        """
        zero_points = [iu.scalar_constant(value) for value in list(op.operands)[2:-1]]
        if len(zero_points) == 2 and zero_points[1] != 0:
            raise PassFailure(op, "weights with a zero point", help="quantize the weights symmetrically")
        offset = int(zero_points[0] or 0) if zero_points else 0
        with ir.InsertionPoint(op), op.location:
            if zero_points and zero_points[0] is None:
                raise PassFailure(op, "an input whose zero point is no constant")
            source, signed, left = without_offset(op.operands[0], offset)
            init = op.operands[len(op.operands) - 1]
            limits = self.bounds.of(base_of_pad(source), signed)
            if left != 0:
                init = start_without_zero_point(op, init, left, self.constants)
                self.bounds.note_elementwise(init.owner.operation)
            result, bounds = integer_contraction(
                op, (source, signed), (op.operands[1], True), init, self.constants,
                (min(limits[0], left), max(limits[1], left)), self.bounds.of(init, True),
            )  # fmt: skip
        self.bounds.note(result, bounds)
        op.results[0].replace_all_uses_with(result)
        iu.erase_tree(op)

    def strip_output(self, function: ir.Operation) -> None:
        """Removes the dequantizer at the output: the function returns its integers, and `hls.output` says which."""
        terminator = [o.operation for o in iu.body(function).operations][-1]
        if len(terminator.operands) != 1:
            raise PassFailure(function, "expected one result")
        if not is_float(terminator.operands[0]):
            help = "end the model with a dequantized tensor"
            raise PassFailure(function, "the result is not dequantized", help=help)
        quantity, zero_point = with_zero_point(self.materialize(terminator.operands[0]))
        terminator.operands[0] = quantity.integers
        kind = ir.FunctionType.get([iu.body(function).arguments[0].type], [quantity.integers.type])
        function.attributes["function_type"] = ir.TypeAttr.get(kind)
        grid = Grid(quantity.scale, quantity.signed, quantity.lo, quantity.hi, zero_point)
        function.attributes["hls.output"] = grid.attribute()


@register_pass
@dataclass(frozen=True)
class Integerize(Pass):
    """Replace quantize/dequantize arithmetic by exact integer arithmetic.

    Before: `linalg` on tensors with float quantizers, as torch-mlir imports a QDQ model or a PT2E graph: dequantize,
    compute, quantize. After: the integer-linalg contract (`verify-integer-linalg`): every scale has become a shift
    that rounds half to even, every tensor is i8, i16 or i32. The quantizer at the input and the dequantizer at the
    output move into the attributes `hls.input` and `hls.output` of the function.

    Every float operation is replayed on pairs of an integer and a rational scale, with bounds for the integer. What
    has no exact integer form is an error at its location: a scale ratio that is no power of two, a value that may
    need more than 32 bits, a layer without quantizers. A grouped convolution becomes an ordinary one with zero
    weights between its groups.
    """

    name: ClassVar[str] = "hls-integerize"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            fold_constant_layouts(op)
            ungroup_convolutions(op)
            iu.run_upstream(op, "builtin.module(func.func(linalg-generalize-named-ops),canonicalize,cse)")
            if inline_scalars(op):
                iu.run_upstream(op, "builtin.module(canonicalize)")
            _Integerizer(op).run()
        iu.run_upstream(op, "builtin.module(canonicalize,cse)")
        remove_dead_tensors(op)


def inline_scalars(module: ir.Operation) -> bool:
    """Takes generics on tensors of rank 0 apart (the importer computes padding values so).

    Says whether there were any.
    """
    scalars = [op for op in iu.walk(module, "linalg.generic") if is_elementwise(op) and not iu.iterator_types(op)]
    for op in scalars:
        with ir.InsertionPoint(op), op.location:
            mapping: dict[ir.Value, ir.Value] = {}
            for argument, operand in zip(iu.body(op).arguments, op.operands, strict=True):
                if isinstance(operand.type, ir.ShapedType):
                    mapping[argument] = tensor.ExtractOp(operand, []).result if iu.has_uses(argument) else operand
                else:
                    mapping[argument] = operand
            iu.clone_into(iu.block_operations(iu.body(op)), mapping)
            value = [o.operation for o in iu.body(op).operations][-1].operands[0]
            kind = op.results[0].type
            result = tensor.FromElementsOp(kind, [mapping.get(value, value)]).result
        op.results[0].replace_all_uses_with(result)
        iu.erase_tree(op)
    return bool(scalars)


def remove_dead_tensors(module: ir.Operation) -> None:
    """Erases unused tensor operations that upstream canonicalization leaves behind."""
    for op in reversed(iu.walk(module)):
        if op.results and op.name.startswith(("tensor.", "linalg.", "arith.")) and op.parent.name == "func.func":
            iu.erase_if_unused(op)
