# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-integerize: from linalg with float quantize/dequantize arithmetic to integer linalg. Nothing here may round on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import arith, linalg, tensor

from resnet_hls import ir_utils as iu
from resnet_hls.analysis import fixed_point as fp
from resnet_hls.analysis.fixed_point import Fixed, Inexact
from resnet_hls.passes._contraction import Reduction, integer_contraction, integer_reduction, reduction_of
from resnet_hls.passes._registry import Pass, PassFailure, register_pass


@dataclass(frozen=True)
class Quantity:
    """An integer tensor that stands for the real tensor `integers * scale`; elements within [lo, hi]."""

    integers: ir.Value
    scale: Fraction
    signed: bool
    lo: int
    hi: int


def is_float(kind: ir.Type) -> bool:
    element = ir.ShapedType(kind).element_type if isinstance(kind, ir.ShapedType) else kind
    return isinstance(element, ir.FloatType)


def is_elementwise(op: ir.Operation) -> bool:
    return op.name == "linalg.generic" and set(iu.iterator_types(op)) <= {"parallel"} and len(op.results) == 1


def type_range(kind: ir.Type, signed: bool) -> tuple[int, int]:
    width = ir.IntegerType(kind).width
    return (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if signed else (0, 2**width - 1)


_BINARY: dict[str, Callable[[Fixed, Fixed], Fixed]] = {
    "arith.addf": fp.add,
    "arith.subf": lambda a, b: fp.add(a, b, sign=-1),
    "arith.mulf": fp.multiply,
    "arith.divf": fp.divide,
    "arith.maximumf": fp.maximum,
    "arith.minimumf": fp.minimum,
    "arith.maxnumf": fp.maximum,
    "arith.minnumf": fp.minimum,
}
#: cmpf predicates: ogt, oge, olt, ole and their unordered twins (no NaN exists among integers).
_GREATER, _LESS = {2, 3, 9, 10}, {4, 5, 11, 12}


@dataclass
class _Integerizer:
    module: ir.Operation
    constants: iu.ConstantReader = field(init=False)
    quantities: dict[ir.Value, Quantity] = field(default_factory=dict)
    bounds: dict[ir.Value, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.constants = iu.ConstantReader(self.module)

    # --- elementwise expressions -----------------------------------------------------------------------------------------

    def integer_bounds(self, value: ir.Value, signed: bool) -> tuple[int, int]:
        if value in self.bounds:
            return self.bounds[value]
        array = self.constants.value(value)
        if array is not None:
            unsigned = array if signed else array.view(f"u{array.dtype.itemsize}")
            return int(unsigned.min()), int(unsigned.max())
        return type_range(ir.ShapedType(value.type).element_type, signed)

    def build(self, root: ir.Value, finish: Callable[[Fixed], ir.Value], element: ir.Type) -> ir.Value:
        """A new elementwise generic that computes the real tensor `root` exactly from integer tensors.

        `finish` turns the result into a value of type `element` inside the body.
        """
        shape = iu.shape_of(root)
        leaves: list[tuple[ir.Value, ir.AffineMap]] = []
        identity = ir.AffineMap.get_identity(len(shape))
        self.collect(root, identity, leaves)
        init = iu.empty_tensor(shape, element)
        inputs = [value for value, _ in leaves]
        with iu.generic(inputs, init, [*(m for _, m in leaves), identity], ["parallel"] * len(shape)) as (op, arguments):
            named = dict(zip(((v, str(m)) for v, m in leaves), arguments, strict=False))
            result = finish(self.replay(root, identity, named))
            linalg.YieldOp([result])
        return op.results[0]

    def is_leaf(self, value: ir.Value) -> bool:
        if not is_float(value.type):
            return True
        op = iu.defining_op(value)
        return op is None or not is_elementwise(op)

    def leaf(self, value: ir.Value) -> ir.Value:
        """The integer tensor that carries a leaf of an expression."""
        return self.materialize(value).integers if is_float(value.type) else value

    def operand_map(self, op: ir.Operation, index: int, outer: ir.AffineMap) -> ir.AffineMap:
        """How operand `index` of an elementwise generic is accessed when its result is accessed with `outer`."""
        maps = iu.affine_maps(op)
        result_map = maps[len(op.operands) - 1]
        if not result_map.is_permutation:
            raise PassFailure(op, "elementwise operation whose result map is no permutation")
        position = [0] * result_map.n_dims
        for place, expr in enumerate(result_map.results):
            position[ir.AffineDimExpr(expr).position] = place
        inverse = ir.AffineMap.get_permutation(position)
        loops = [outer.results[ir.AffineDimExpr(e).position] for e in inverse.results]
        replaced = [e.compose(ir.AffineMap.get(outer.n_dims, 0, loops)) for e in maps[index].results]
        # A dimension of extent one that is broadcast shows as index 0.
        return ir.AffineMap.get(outer.n_dims, 0, replaced)

    def collect(self, value: ir.Value, access: ir.AffineMap, leaves: list[tuple[ir.Value, ir.AffineMap]]) -> None:
        if self.is_leaf(value):
            if not any(v == value and m == access for v, m in leaves):
                leaves.append((value, access))
            index = next(i for i, (v, m) in enumerate(leaves) if v == value and m == access)
            leaves[index] = (value, access)
            return
        op = iu.defining_op(value)
        assert op is not None
        block = iu.body(op)
        for index in range(len(op.operands) - 1):
            if iu.has_uses(block.arguments[index]):
                self.collect(op.operands[index], self.operand_map(op, index, access), leaves)

    def replay(self, value: ir.Value, access: ir.AffineMap, leaves: dict[tuple[ir.Value, str], ir.Value]) -> Fixed:
        if self.is_leaf(value):
            argument = leaves[(value, str(access))]
            quantity = self.quantities[value]
            widened = fp.widen(argument, quantity.signed, (quantity.lo, quantity.hi))
            return Fixed(widened.value, quantity.scale, widened.lo, widened.hi)
        op = iu.defining_op(value)
        assert op is not None
        environment: dict[ir.Value, Fixed] = {}
        raw: dict[ir.Value, tuple[ir.Value, ir.Value]] = {}
        for index, argument in enumerate(list(iu.body(op).arguments)[:-1]):
            if not iu.has_uses(argument):
                continue
            operand, inner = op.operands[index], self.operand_map(op, index, access)
            if is_float(operand.type):
                environment[argument] = self.replay(operand, inner, leaves)
            else:
                raw[argument] = (leaves[(operand, str(inner))], operand)
        with op.location:
            return self.replay_body(op, environment, raw)

    def replay_body(
        self, op: ir.Operation, environment: dict[ir.Value, Fixed], raw: dict[ir.Value, tuple[ir.Value, ir.Value]]
    ) -> Fixed:
        """Replays the body of one generic; `raw` maps integer block arguments to (new value, tensor they come from)."""
        conditions: dict[ir.Value, tuple[bool, Fixed, Fixed]] = {}

        def get(value: ir.Value) -> Fixed:
            if value not in environment:
                constant = fp.constant_of(value)
                if constant is None:
                    raise Inexact("a value that is neither quantized nor constant")
                environment[value] = constant
            return environment[value]

        for body_op in (o.operation for o in iu.body(op).operations):
            name, operands = body_op.name, list(body_op.operands)
            if name == "linalg.yield":
                return get(operands[0])
            result = body_op.results[0]
            if name in {"arith.sitofp", "arith.uitofp"}:
                signed = name == "arith.sitofp"
                if operands[0] not in raw:
                    if operands[0] not in environment:
                        raise Inexact(f"a conversion of computed integers ({name})")
                    environment[result] = environment[operands[0]]
                    continue
                value, source = raw[operands[0]]
                environment[result] = fp.widen(value, signed, self.integer_bounds(source, signed))
            elif name in {"arith.extsi", "arith.extui"} and operands[0] in raw:
                value, source = raw[operands[0]]
                environment[result] = fp.widen(value, name == "arith.extsi", self.integer_bounds(source, name == "arith.extsi"))
            elif name in {"arith.addi", "arith.subi"}:
                environment[result] = fp.add(get(operands[0]), get(operands[1]), sign=1 if name == "arith.addi" else -1)
            elif name in _BINARY:
                environment[result] = _BINARY[name](get(operands[0]), get(operands[1]))
            elif name == "math.roundeven":
                environment[result] = fp.round_half_even(get(operands[0]))
            elif name in {"arith.extf", "arith.truncf"}:
                environment[result] = get(operands[0])
            elif name == "arith.cmpf":
                predicate = ir.IntegerAttr(body_op.attributes["predicate"]).value
                if predicate not in _GREATER | _LESS:
                    raise Inexact("a comparison other than greater or less")
                conditions[result] = (predicate in _GREATER, get(operands[0]), get(operands[1]))
            elif name == "arith.select" and operands[0] in conditions:
                greater, left, right = conditions[operands[0]]
                chosen = get(operands[1]), get(operands[2])
                if chosen not in ((left, right), (right, left)):
                    raise Inexact("a selection other than a maximum or minimum")
                is_max = greater == (chosen == (left, right))
                environment[result] = (fp.maximum if is_max else fp.minimum)(left, right)
            elif name in {"arith.fptosi", "arith.fptoui"}:
                environment[result] = get(operands[0])
            elif name == "arith.constant":
                get(result)
            else:
                raise Inexact(f"the operation {name}")
        raise Inexact("a body without a result")

    def prepare(self, value: ir.Value) -> None:
        """Materializes every float leaf below `value`, so that `build` finds integers."""
        if not is_float(value.type):
            return
        op = iu.defining_op(value)
        if op is not None and is_elementwise(op):
            for index in range(len(op.operands) - 1):
                if iu.has_uses(iu.body(op).arguments[index]):
                    self.prepare(op.operands[index])
        else:
            self.materialize(value)

    def elementwise(self, root: ir.Value, finish: Callable[[Fixed], ir.Value], element: ir.Type, at: ir.Operation) -> ir.Value:
        self.prepare(root)
        try:
            with ir.InsertionPoint(at), at.location:
                leaves: list[tuple[ir.Value, ir.AffineMap]] = []
                shape = iu.shape_of(root)
                identity = ir.AffineMap.get_identity(len(shape))
                self.collect(root, identity, leaves)
                inputs = [self.leaf(value) for value, _ in leaves]
                init = iu.empty_tensor(shape, element)
                maps = [*(m for _, m in leaves), identity]
                with iu.generic(inputs, init, maps, ["parallel"] * len(shape)) as (op, arguments):
                    named = {(v, str(m)): a for (v, m), a in zip(leaves, arguments, strict=False)}
                    linalg.YieldOp([finish(self.replay(root, identity, named))])
        except Inexact as problem:
            raise PassFailure(at, f"no exact integer form: {problem}", help=problem.help or _HELP) from None
        return op.results[0]

    # --- tensors ---------------------------------------------------------------------------------------------------------

    def materialize(self, value: ir.Value) -> Quantity:
        """The integer tensor and scale of a float tensor.

        Raises PassFailure at the operation where it has none.
        """
        if value not in self.quantities:
            self.quantities[value] = self.quantity(value)
        return self.quantities[value]

    def quantity(self, value: ir.Value) -> Quantity:
        op = iu.defining_op(value)
        if op is None:
            raise PassFailure(
                self.module,
                "the input image reaches an operation without being quantized",
                help="the model's first operation must be a quantizer (QuantizeLinear/DequantizeLinear or Quant)",
            )
        if op.name == "linalg.generic":
            reduction = reduction_of(op)
            if reduction is not None:
                return self.reduce(op, reduction)
            if is_elementwise(op):
                return self.computed(op)
        if op.name == "arith.constant":
            return self.constant(op)
        if op.name in {"tensor.pad", "tensor.collapse_shape", "tensor.expand_shape"}:
            source = self.materialize(op.operands[0])
            return Quantity(self.reshaped(op, source), source.scale, source.signed, min(source.lo, 0), max(source.hi, 0))
        if op.name == "tensor.concat":
            return self.concat(op)
        raise PassFailure(op, f"'{op.name}' on real numbers has no integer form here", help=_HELP)

    def computed(self, op: ir.Operation) -> Quantity:
        """A float tensor computed elementwise: its dequantized source where it is no more than that, else i32 integers."""
        found: list[Fixed] = []

        def finish(x: Fixed) -> ir.Value:
            found.append(x)
            if x.value is None:
                found[-1] = x = fp.to_scale(x, Fraction(1))
            assert x.value is not None
            return x.value

        result = self.elementwise(op.results[0], finish, iu.integer_type(32), op)
        x, generic = found[0], iu.defining_op(result)
        assert generic is not None
        body = [o.operation for o in iu.body(generic).operations]
        plain = len(body) == 2 and body[0].name in {"arith.extsi", "arith.extui"} and len(generic.operands) == 2
        if (plain or len(body) == 1) and iu.affine_maps(generic)[0] == iu.affine_maps(generic)[1]:
            source = generic.operands[0]
            generic.erase()
            return Quantity(source, x.scale, len(body) == 1 or body[0].name == "arith.extsi", x.lo, x.hi)
        self.bounds[result] = (x.lo, x.hi)
        return Quantity(result, x.scale, True, x.lo, x.hi)

    def constant(self, op: ir.Operation) -> Quantity:
        array = self.constants.array(op.attributes["value"]).astype(np.float64)
        for bits in range(48):
            scaled = array * 2.0**bits
            if np.array_equal(scaled, np.round(scaled)) and np.abs(scaled).max(initial=0) < 2**31:
                with ir.InsertionPoint(op), op.location:
                    integers = scaled.astype(np.int32)
                    lo, hi = int(integers.min(initial=0)), int(integers.max(initial=0))
                    return Quantity(iu.tensor_constant(integers), Fraction(1, 2**bits), True, lo, hi)
        raise PassFailure(op, "a float constant that is no multiple of a power of two", help="quantize it, as weights and biases are")

    def reshaped(self, op: ir.Operation, source: Quantity) -> ir.Value:
        """`op` (pad, collapse or expand) on the integers of its operand."""
        element = ir.ShapedType(source.integers.type).element_type
        kind = ir.RankedTensorType.get(iu.shape_of(op.results[0]), element)
        with ir.InsertionPoint(op), op.location:
            if op.name != "tensor.pad":
                attributes = {item.name: item.attr for item in op.attributes}
                return ir.Operation.create(op.name, [kind], [source.integers], attributes).results[0]
            filling = iu.scalar_constant(iu.body(op).operations[0].operation.operands[0])
            if filling is None or filling == float("-inf"):
                lowest, _ = type_range(element, source.signed)
                filling = lowest * float(source.scale) if filling is not None else None
            padding = None if filling is None else Fraction(filling) / source.scale
            if padding is None or padding.denominator != 1:
                raise PassFailure(op, "padding with a value that is no multiple of the scale", help="pad with zero")
            return pad(source.integers, low_high(op), int(padding))

    def concat(self, op: ir.Operation) -> Quantity:
        parts = [self.materialize(operand) for operand in op.operands]
        scale = min(part.scale for part in parts)
        lo, hi = min(p.lo for p in parts), max(p.hi for p in parts)
        if any(p.scale != scale or p.integers.type != parts[0].integers.type and False for p in parts):
            aligned = []
            for part, operand in zip(parts, op.operands, strict=True):
                aligned.append(self.aligned(operand, scale, op))
                factor = int(part.scale / scale)
                lo, hi = min(lo, part.lo * factor), max(hi, part.hi * factor)
            integers = aligned
        else:
            integers = [part.integers for part in parts]
        if len({str(ir.ShapedType(v.type).element_type) for v in integers}) != 1 or len({p.signed for p in parts}) != 1:
            integers = [self.aligned(operand, scale, op) for operand in op.operands]
        shape, element = iu.shape_of(op.results[0]), ir.ShapedType(integers[0].type).element_type
        with ir.InsertionPoint(op), op.location:
            attributes = {"dim": op.attributes["dim"]}
            result = ir.Operation.create("tensor.concat", [ir.RankedTensorType.get(shape, element)], integers, attributes).results[0]
        signed = parts[0].signed or ir.IntegerType(element).width == 32
        return Quantity(result, scale, signed, lo, hi)

    def aligned(self, value: ir.Value, scale: Fraction, at: ir.Operation) -> ir.Value:
        """The real tensor `value` as i32 integers at `scale`."""

        def finish(x: Fixed) -> ir.Value:
            result = fp.to_scale(x, scale).value
            assert result is not None
            return result

        return self.elementwise(value, finish, iu.integer_type(32), at)

    def reduce(self, op: ir.Operation, reduction: Reduction) -> Quantity:
        """A convolution, matrix product or pooling on real numbers."""
        source = self.materialize(op.operands[0])
        if reduction.kind == "contraction":
            weights = self.materialize(op.operands[1])
            scale = source.scale * weights.scale
            for quantity, what in ((source, "input"), (weights, "weights")):
                if ir.IntegerType(ir.ShapedType(quantity.integers.type).element_type).width > 8:
                    raise PassFailure(op, f"the {what} of this operation have no 8-bit quantizer", help=_HELP)
            init = self.aligned(op.operands[2], scale, op)
            with ir.InsertionPoint(op), op.location:
                result, bounds = integer_contraction(
                    op, source.integers, weights.integers, init, source.signed, weights.signed, (source.lo, source.hi), self.constants,
                    self.integer_bounds(init, True),
                )
            self.bounds[result] = bounds
            return Quantity(result, scale, True, *bounds)
        with ir.InsertionPoint(op), op.location:
            result, bounds = integer_reduction(op, reduction, source.integers, source.signed, (source.lo, source.hi))
        self.bounds[result] = bounds
        signed = source.signed or reduction.kind == "sum"
        return Quantity(result, source.scale, signed, *bounds)

    # --- the walk --------------------------------------------------------------------------------------------------------

    def quantize(self, op: ir.Operation) -> None:
        """A generic from real numbers to integers: rebuilt on the integers below it."""
        narrowing = [o.operation for o in iu.body(op).operations if o.operation.name in {"arith.fptosi", "arith.fptoui"}]
        signed = all(o.name == "arith.fptosi" for o in narrowing)
        element = ir.ShapedType(op.results[0].type).element_type
        limits: list[tuple[int, int]] = []

        def finish(x: Fixed) -> ir.Value:
            limits.append((x.lo, x.hi))
            return fp.narrow(x, element, signed)

        result = self.elementwise_of(op, finish, element)
        self.bounds[result] = limits[0]
        op.results[0].replace_all_uses_with(result)
        op.erase()

    def elementwise_of(self, op: ir.Operation, finish: Callable[[Fixed], ir.Value], element: ir.Type) -> ir.Value:
        for index in range(len(op.operands) - 1):
            if iu.has_uses(iu.body(op).arguments[index]):
                self.prepare(op.operands[index])
        try:
            with ir.InsertionPoint(op), op.location:
                shape = iu.shape_of(op.results[0])
                identity = ir.AffineMap.get_identity(len(shape))
                leaves: list[tuple[ir.Value, ir.AffineMap]] = []
                for index in range(len(op.operands) - 1):
                    if iu.has_uses(iu.body(op).arguments[index]):
                        self.collect(op.operands[index], self.operand_map(op, index, identity), leaves)
                inputs = [self.leaf(value) for value, _ in leaves]
                maps = [*(m for _, m in leaves), identity]
                with iu.generic(inputs, iu.empty_tensor(shape, element), maps, ["parallel"] * len(shape)) as (new, arguments):
                    named = {(v, str(m)): a for (v, m), a in zip(leaves, arguments, strict=False)}
                    environment: dict[ir.Value, Fixed] = {}
                    raw: dict[ir.Value, tuple[ir.Value, ir.Value]] = {}
                    for index, argument in enumerate(list(iu.body(op).arguments)[:-1]):
                        if not iu.has_uses(argument):
                            continue
                        operand, access = op.operands[index], self.operand_map(op, index, identity)
                        if is_float(operand.type):
                            environment[argument] = self.replay(operand, access, named)
                        else:
                            raw[argument] = (named[(operand, str(access))], operand)
                    linalg.YieldOp([finish(self.replay_body(op, environment, raw))])
        except Inexact as problem:
            raise PassFailure(op, f"no exact integer form: {problem}", help=problem.help or _HELP) from None
        return new.results[0]

    def quantized_contraction(self, op: ir.Operation) -> None:
        """A convolution or product on integer tensors with zero points (`…_q`): explicit extensions, zero points removed."""
        zero_points = [iu.scalar_constant(value) for value in list(op.operands)[2:-1]]
        if len(zero_points) == 2 and (None in zero_points or zero_points[1] != 0):
            raise PassFailure(op, "weights with a zero point", help="quantize the weights symmetrically")
        offset = int(zero_points[0] or 0) if zero_points else 0
        with ir.InsertionPoint(op), op.location:
            source, signed, left = without_offset(op.operands[0], offset)
            if left != 0:
                raise PassFailure(op, f"an input with zero point {left}", help="quantize activations symmetrically (zero point 0)")
            init = op.operands[len(op.operands) - 1]
            result, bounds = integer_contraction(
                op, source, op.operands[1], init, signed, True,
                self.integer_bounds(base_of_pad(source), signed), self.constants, self.integer_bounds(init, True),
            )
        self.bounds[result] = bounds
        op.results[0].replace_all_uses_with(result)
        op.erase()

    def run(self) -> None:
        function = iu.public_function(self.module)
        block = iu.body(function)
        self.strip_input(function)
        for op in [o.operation for o in block.operations]:
            if op.name == "linalg.generic":
                reduction = reduction_of(op)
                integer_result = not is_float(op.results[0].type)
                if reduction is not None and reduction.kind == "contraction" and integer_result:
                    self.quantized_contraction(op)
                elif is_elementwise(op) and integer_result:
                    if any(is_float(value.type) for value in op.operands) or self.has_float_body(op):
                        self.quantize(op)
                    else:
                        self.note_integer_bounds(op)
        self.strip_output(function)

    def has_float_body(self, op: ir.Operation) -> bool:
        return any(is_float(r.type) for o in iu.body(op).operations for r in o.operation.results)

    def note_integer_bounds(self, op: ir.Operation) -> None:
        """Bounds of an integer broadcast: those of its operand (a bias spread over the feature map)."""
        body = [o.operation for o in iu.body(op).operations]
        if len(body) == 1 and body[0].operands[0] in list(iu.body(op).arguments):
            source = op.operands[list(iu.body(op).arguments).index(body[0].operands[0])]
            if isinstance(source.type, ir.RankedTensorType):
                self.bounds[op.results[0]] = self.integer_bounds(source, True)
            elif (number := iu.scalar_constant(source)) is not None:
                self.bounds[op.results[0]] = (int(number), int(number))
        elif len(body) == 1 and (number := iu.scalar_constant(body[0].operands[0])) is not None:
            self.bounds[op.results[0]] = (int(number), int(number))

    def strip_input(self, function: ir.Operation) -> None:
        """Removes the quantizer at the input; the function takes the integers from now on."""
        block = iu.body(function)
        if len(block.arguments) != 1 or not is_float(block.arguments[0].type):
            raise PassFailure(function, "expected one float input", help="integer modules need no hls-integerize")
        argument = block.arguments[0]
        quantizers = list(dict.fromkeys(iu.users(argument)))
        scales = {self.input_scale(op) for op in quantizers}
        if len(scales) != 1:
            what = "is not quantized first" if not scales else "is quantized in several ways"
            raise PassFailure(function, f"the input image {what}", help="put one quantizer at the input of the model")
        scale, signed, lo, hi = scales.pop()
        element = ir.ShapedType(quantizers[0].results[0].type).element_type
        kind = ir.RankedTensorType.get(iu.shape_of(argument), element)
        argument.set_type(kind)
        for op in quantizers:
            op.results[0].replace_all_uses_with(argument)
            op.erase()
        self.bounds[argument] = (lo, hi)
        function.attributes["hls.input"] = io_attribute(scale, signed, lo, hi)

    def input_scale(self, op: ir.Operation) -> tuple[Fraction, bool, int, int]:
        """(scale, signed, lowest, highest integer) of the quantizer `op`. Raises PassFailure if it is none."""
        problem = PassFailure(
            op, "the input image reaches this operation without being quantized", help="put a quantizer at the input of the model"
        )
        if not is_elementwise(op) or is_float(op.results[0].type) or len(op.operands) != 2:
            raise problem
        scale, signed = Fraction(1), True
        kind = ir.ShapedType(op.results[0].type).element_type
        lo, hi = -(2**31), 2**31
        rounded = False
        for body_op in (o.operation for o in iu.body(op).operations):
            number = next((n for v in body_op.operands if (n := iu.scalar_constant(v)) is not None), None)
            if body_op.name == "arith.divf" and number:
                scale *= Fraction(number)
            elif body_op.name == "arith.mulf" and number:
                scale /= Fraction(number)
            elif body_op.name == "math.roundeven":
                rounded = True
            elif body_op.name in {"arith.maximumf", "arith.maxnumf"} and number is not None:
                lo = max(lo, int(number if rounded else Fraction(number) / scale))
            elif body_op.name in {"arith.minimumf", "arith.minnumf"} and number is not None:
                hi = min(hi, int(number if rounded else Fraction(number) / scale))
            elif body_op.name in {"arith.fptosi", "arith.fptoui"}:
                signed = body_op.name == "arith.fptosi"
            elif body_op.name == "arith.addf" and number == 0 or body_op.name in {"linalg.yield", "arith.cmpf", "arith.select"}:
                continue
            else:
                raise problem
        if not rounded:
            raise problem
        least, most = type_range(kind, signed)
        return scale, signed, max(lo, least), min(hi, most)

    def strip_output(self, function: ir.Operation) -> None:
        terminator = [o.operation for o in iu.body(function).operations][-1]
        if len(terminator.operands) != 1:
            raise PassFailure(function, "expected one result")
        value = terminator.operands[0]
        if not is_float(value.type):
            raise PassFailure(function, "the result is not dequantized", help="end the model with a dequantized tensor")
        quantity = self.materialize(value)
        terminator.operands[0] = quantity.integers
        argument = iu.body(function).arguments[0]
        kind = ir.FunctionType.get([argument.type], [quantity.integers.type])
        function.attributes["function_type"] = ir.TypeAttr.get(kind)
        function.attributes["hls.output"] = io_attribute(quantity.scale, quantity.signed, quantity.lo, quantity.hi)


def io_attribute(scale: Fraction, signed: bool, lo: int, hi: int) -> ir.DictAttr:
    """What the host needs to quantize the input or to read the output."""
    i64 = ir.IntegerType.get_signless(64)
    return ir.DictAttr.get(
        {
            "scale": ir.FloatAttr.get(ir.F64Type.get(), float(scale)),
            "signed": ir.BoolAttr.get(signed),
            "min": ir.IntegerAttr.get(i64, lo),
            "max": ir.IntegerAttr.get(i64, hi),
        }
    )


def low_high(op: ir.Operation) -> tuple[list[int], list[int]]:
    return list(ir.DenseI64ArrayAttr(op.attributes["static_low"])), list(ir.DenseI64ArrayAttr(op.attributes["static_high"]))


def pad(source: ir.Value, amounts: tuple[list[int], list[int]], filling: int) -> ir.Value:
    """`tensor.pad` of an integer tensor with a constant."""
    low, high = amounts
    shape = [n + a + b for n, a, b in zip(iu.shape_of(source), low, high, strict=True)]
    element = ir.ShapedType(source.type).element_type
    width = ir.IntegerType(element).width
    constant = iu.int_constant(filling if filling < 2 ** (width - 1) else filling - 2**width, width)
    op = tensor.PadOp(ir.RankedTensorType.get(shape, element), source, [], [], low, high)
    block = op.regions[0].blocks.append(*[ir.IndexType.get()] * len(shape))
    with ir.InsertionPoint(block):
        tensor.YieldOp(constant)
    return op.result


def base_of_pad(value: ir.Value) -> ir.Value:
    op = iu.defining_op(value)
    return op.operands[0] if op is not None and op.name == "tensor.pad" else value


def without_offset(value: ir.Value, zero_point: int) -> tuple[ir.Value, bool, int]:
    """(tensor, signed, zero point left) such that `value - zero_point` equals the tensor minus what is left.

    torch-mlir hands unsigned activations over as `x - 128` with zero point -128; both vanish here.
    """
    op = iu.defining_op(value)
    if op is None or zero_point == 0:
        return value, True, zero_point
    if op.name == "tensor.pad":
        filling = iu.scalar_constant(iu.body(op).operations[0].operation.operands[0])
        source, signed, left = without_offset(op.operands[0], zero_point)
        if filling == zero_point and left == 0:
            return pad(source, low_high(op), 0), signed, 0
    elif op.name in {"tensor.collapse_shape", "tensor.expand_shape"}:
        source, signed, left = without_offset(op.operands[0], zero_point)
        if left == 0:
            attributes: dict[str, Any] = {item.name: item.attr for item in op.attributes}
            return ir.Operation.create(op.name, [value.type], [source], attributes).results[0], signed, 0
    elif op.name == "linalg.generic":
        body = [o.operation for o in iu.body(op).operations]
        if len(body) == 1:  # a transposition or a copy
            source, signed, left = without_offset(op.operands[0], zero_point)
            if left == 0:
                maps = iu.affine_maps(op)
                init = iu.empty_tensor(iu.shape_of(value), ir.ShapedType(value.type).element_type)
                with iu.generic([source], init, maps, iu.iterator_types(op)) as (copy, arguments):
                    linalg.YieldOp([arguments[0]])
                return copy.results[0], signed, 0
        if len(body) == 2 and body[0].name == "arith.addi":
            offset = next((n for v in body[0].operands if (n := iu.scalar_constant(v)) is not None), None)
            width = ir.IntegerType(ir.ShapedType(value.type).element_type).width
            if offset == zero_point == -(2 ** (width - 1)):
                return op.operands[0], False, 0
    return value, True, zero_point


_HELP = "quantize this operation's inputs and weights with power-of-two scales; `resnet-hls doctor` lists what was found"


@register_pass
@dataclass(frozen=True)
class Integerize(Pass):
    """Replace quantize/dequantize arithmetic by exact integer arithmetic.

    Before: `linalg` on tensors with float quantizers, as torch-mlir imports a QDQ model or a PT2E graph: dequantize, compute,
    quantize. After: the integer-linalg contract (`verify-integer-linalg`): every scale has become a shift that rounds half to even,
    every tensor is i8, i16 or i32. The quantizer at the input and the dequantizer at the output move into the attributes
    `hls.input` and `hls.output` of the function.

    Every float operation is replayed on pairs of an integer and a rational scale, with bounds for the integer. What has no exact
    integer form is an error at its location: a scale ratio that is no power of two, a value that may need more than 32 bits, a layer
    without quantizers.
    """

    name: ClassVar[str] = "hls-integerize"

    def run(self, op: ir.Operation) -> None:
        iu.run_upstream(op, "builtin.module(func.func(linalg-generalize-named-ops),canonicalize,cse)")
        with op.context:
            _Integerizer(op).run()
        iu.run_upstream(op, "builtin.module(canonicalize,cse)")
        remove_dead_tensors(op)


def remove_dead_tensors(module: ir.Operation) -> None:
    """Erases unused tensor operations that upstream canonicalization leaves behind."""
    for op in reversed(iu.walk(module)):
        if op.results and op.name.startswith(("tensor.", "linalg.", "arith.")) and op.parent.name == "func.func":
            iu.erase_if_unused(op)
