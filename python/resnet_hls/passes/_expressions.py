# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Elementwise float expressions of linalg, rebuilt as one generic on integer tensors.

Rounds only where the floats do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from torch_mlir import ir
from torch_mlir.dialects import linalg

from resnet_hls import ir_utils as iu
from resnet_hls.analysis import fixed_point as fp
from resnet_hls.analysis.fixed_point import Fixed, Inexact
from resnet_hls.passes._quantities import BoundsTable, Quantity, is_elementwise, is_float
from resnet_hls.passes._registry import PassFailure

HELP = "quantize this operation's inputs and weights with power-of-two scales; `resnet-hls doctor` lists what was found"

#: A tensor and how it is accessed: the same tensor read in two ways is two operands.
_Leaf: TypeAlias = tuple[ir.Value, str]

_BINARY: dict[str, Callable[[Fixed, Fixed], Fixed]] = {
    "arith.addf": fp.add,
    "arith.addi": fp.add,
    "arith.subf": lambda a, b: fp.add(a, b, sign=-1),
    "arith.subi": lambda a, b: fp.add(a, b, sign=-1),
    "arith.mulf": fp.multiply,
    "arith.divf": fp.divide,
    "arith.maximumf": fp.maximum,
    "arith.minimumf": fp.minimum,
    "arith.maxnumf": fp.maximum,
    "arith.minnumf": fp.minimum,
    "arith.maxsi": fp.maximum,
    "arith.minsi": fp.minimum,
}
#: cmpf predicates: ogt, oge, olt, ole and their unordered twins (no NaN exists among integers).
GREATER, LESS = frozenset({2, 3, 9, 10}), frozenset({4, 5, 11, 12})


@dataclass
class Expressions:
    """Rebuilds expressions.

    `materialize` gives the integers of a float tensor that no elementwise operation computes.
    """

    bounds: BoundsTable
    materialize: Callable[[ir.Value], Quantity]

    def rebuild(
        self, root: ir.Value, finish: Callable[[Fixed], ir.Value], element: ir.Type, at: ir.Operation
    ) -> ir.Value:
        """A new generic before `at` that computes the real tensor `root` exactly from integer tensors.

        Args:
            root: a float tensor, or the integer result of an elementwise generic that converts from float.
            finish: turns the exact result into a value of type `element`, inside the body.

        Raises:
            PassFailure: at `at`, where integers cannot reproduce a float operation.
        """
        shape = iu.shape_of(root)
        identity = ir.AffineMap.get_identity(len(shape))
        leaves: dict[_Leaf, tuple[ir.Value, ir.AffineMap]] = {}
        self._collect(root, identity, leaves, is_root=True)
        try:
            with ir.InsertionPoint(at), at.location:
                inputs = [self.materialize(v).integers if is_float(v) else v for v, _ in leaves.values()]
                maps = [*(access for _, access in leaves.values()), identity]
                init = iu.empty_tensor(shape, element)
                with iu.generic(inputs, init, maps, ["parallel"] * len(shape)) as (op, arguments):
                    named = dict(zip(leaves, arguments, strict=False))
                    linalg.YieldOp([finish(self._replay(root, identity, named, is_root=True))])
        except Inexact as problem:
            raise PassFailure(at, f"no exact integer form: {problem}", help=problem.help or HELP) from None
        return op.results[0]

    def _collect(
        self,
        value: ir.Value,
        access: ir.AffineMap,
        leaves: dict[_Leaf, tuple[ir.Value, ir.AffineMap]],
        is_root: bool = False,
    ) -> None:
        op = _expandable(value, is_root)
        if op is None:
            if is_float(value):
                self.materialize(value)
            leaves[(value, str(access))] = (value, access)
            return
        for number, argument in enumerate(list(iu.body(op).arguments)[:-1]):
            if iu.has_uses(argument) and isinstance(op.operands[number].type, ir.ShapedType):
                self._collect(op.operands[number], _operand_access(op, number, access), leaves)

    def _replay(
        self, value: ir.Value, access: ir.AffineMap, named: dict[_Leaf, ir.Value], is_root: bool = False
    ) -> Fixed:
        op = _expandable(value, is_root)
        if op is None:
            quantity = self.materialize(value)
            widened = fp.widen(named[(value, str(access))], quantity.signed, (quantity.lo, quantity.hi))
            return Fixed(widened.value, quantity.scale, widened.lo, widened.hi)
        known: dict[ir.Value, Fixed] = {}
        integers: dict[ir.Value, tuple[ir.Value, ir.Value]] = {}
        for number, argument in enumerate(list(iu.body(op).arguments)[:-1]):
            if not iu.has_uses(argument):
                continue
            operand = op.operands[number]
            if not isinstance(operand.type, ir.ShapedType):
                constant = fp.constant_of(operand)
                if constant is None:
                    raise Inexact("a scalar that is no constant")
                known[argument] = constant
                continue
            inner = _operand_access(op, number, access)
            if is_float(operand):
                known[argument] = self._replay(operand, inner, named)
            else:
                integers[argument] = (named[(operand, str(inner))], operand)
        with op.location:
            return self._replay_body(op, known, integers)

    def _replay_body(
        self, op: ir.Operation, known: dict[ir.Value, Fixed], integers: dict[ir.Value, tuple[ir.Value, ir.Value]]
    ) -> Fixed:
        """Replays the body of one generic.

        `integers` maps integer block arguments to (new value, tensor they come from).
        """
        conditions: dict[ir.Value, tuple[bool, Fixed, Fixed]] = {}

        def get(value: ir.Value, signed: bool = True) -> Fixed:
            if value in integers:
                new, source = integers[value]
                return fp.widen(new, signed, self.bounds.of(source, signed))
            if value not in known:
                constant = fp.constant_of(value)
                if constant is None:
                    raise Inexact("a value that is neither quantized nor constant")
                known[value] = constant
            return known[value]

        for body_op in (o.operation for o in iu.body(op).operations):
            name, operands = body_op.name, list(body_op.operands)
            if name == "linalg.yield":
                return get(operands[0])
            result = body_op.results[0]
            if name in {"arith.sitofp", "arith.extsi"}:
                known[result] = get(operands[0])
            elif name in {"arith.uitofp", "arith.extui"}:
                if operands[0] not in integers and get(operands[0]).lo < 0:
                    raise Inexact(f"a conversion of computed integers ({name})")
                known[result] = get(operands[0], signed=False)
            elif name in _BINARY:
                known[result] = _BINARY[name](get(operands[0]), get(operands[1]))
            elif name == "math.roundeven":
                known[result] = fp.round_half_even(get(operands[0]))
            elif name in {"arith.extf", "arith.truncf"}:
                known[result] = get(operands[0])
            elif name == "arith.cmpf":
                predicate = ir.IntegerAttr(body_op.attributes["predicate"]).value
                if predicate not in GREATER | LESS:
                    raise Inexact("a comparison other than greater or less")
                conditions[result] = (predicate in GREATER, get(operands[0]), get(operands[1]))
            elif name == "arith.select" and operands[0] in conditions:
                greater, left, right = conditions[operands[0]]
                chosen = get(operands[1]), get(operands[2])
                if chosen not in ((left, right), (right, left)):
                    raise Inexact("a selection other than a maximum or minimum")
                known[result] = (fp.maximum if greater == (chosen == (left, right)) else fp.minimum)(left, right)
            elif name in {"arith.fptosi", "arith.fptoui"}:
                known[result] = fp.to_integer(get(operands[0]))
            elif name != "arith.constant":
                raise Inexact(f"the operation {name}")
        raise Inexact("a body without a result")


def _expandable(value: ir.Value, is_root: bool) -> ir.Operation | None:
    """The elementwise generic that computes `value` and is replayed with it; None for a leaf of the expression."""
    op = iu.defining_op(value)
    return op if op is not None and is_elementwise(op) and (is_root or is_float(value)) else None


def _operand_access(op: ir.Operation, number: int, outer: ir.AffineMap) -> ir.AffineMap:
    """How operand `number` of an elementwise generic is accessed when its result is accessed with `outer`."""
    maps = iu.affine_maps(op)
    result_map = maps[len(op.operands) - 1]
    if not result_map.is_permutation:
        raise PassFailure(op, "elementwise operation whose result map is no permutation")
    # Loop d of the generic stands at the place of the result where its map shows d.
    place = {ir.AffineDimExpr(expr).position: number for number, expr in enumerate(result_map.results)}
    loops = [outer.results[place[d]] for d in range(result_map.n_dims)]
    to_outer = ir.AffineMap.get(outer.n_dims, 0, loops)
    return ir.AffineMap.get(outer.n_dims, 0, [expr.compose(to_outer) for expr in maps[number].results])
