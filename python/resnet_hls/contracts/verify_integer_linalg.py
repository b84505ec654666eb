# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""verify-integer-linalg: what hls-integerize promises and the passes behind it assume. Changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.definitions import check_arithmetic
from resnet_hls.passes._contraction import reduction_of
from resnet_hls.passes._registry import Pass, PassFailure, register_pass

_WIDTHS = {1, 8, 16, 32}
_TENSOR_OPS = {
    "arith.constant", "linalg.generic", "tensor.empty", "tensor.pad", "tensor.collapse_shape", "tensor.expand_shape",
    "tensor.concat",
}  # fmt: skip
_BODY_OPS = {
    "arith.addi", "arith.andi", "arith.cmpi", "arith.constant", "arith.extsi", "arith.extui", "arith.maxsi",
    "arith.maxui", "arith.minsi", "arith.minui", "arith.muli", "arith.ori", "arith.select", "arith.shli",
    "arith.shrsi", "arith.shrui", "arith.subi", "arith.trunci", "arith.xori", "linalg.yield",
}  # fmt: skip
_HELP = "hls-integerize makes this form from linalg with float quantizers"


@register_pass
@dataclass(frozen=True)
class VerifyIntegerLinalg(Pass):
    """Check that the module is integer linalg.

    The contract: one public `func.func` of one tensor, one result; static shapes; `tensor` operations, `linalg.generic`
    and scalar constants; no float type anywhere; elements of 8, 16 or 32 bits, 64 only for scalars inside a body and
    for constants (a multiplier that is no shift needs them); a reduction is a sum of products, a sum or a maximum; no
    constant shifts by more bits than there are; a product has operands that are extended explicitly to 32 bits, and its
    weights are an i8 constant.
    """

    name: ClassVar[str] = "verify-integer-linalg"

    def run(self, op: ir.Operation) -> None:
        function = iu.public_function(op)
        _check_signature(function)
        check_arithmetic(function)
        for inner in (o.operation for o in iu.body(function).operations):
            if inner.name == "func.return":
                continue
            if inner.name not in _TENSOR_OPS:
                raise PassFailure(inner, f"'{inner.name}' is no operation of integer linalg", help=_HELP)
            if inner.name == "tensor.pad":
                _check_pad(inner)
            for nested in iu.walk(inner):
                for value in [*nested.operands, *nested.results]:
                    _check_type(nested, value.type, wide=_may_be_wide(value))
            if inner.name == "linalg.generic":
                _check_generic(inner)


def _check_signature(function: ir.Operation) -> None:
    kind = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
    if len(kind.inputs) != 1 or len(kind.results) != 1:
        counts = f"{len(kind.inputs)} inputs and {len(kind.results)} results"
        raise PassFailure(function, f"expected one input and one result, found {counts}")
    if not function.regions[0].blocks or len(list(function.regions[0].blocks)) != 1:
        raise PassFailure(function, "expected a function with one block")
    for value_type in (*kind.inputs, *kind.results):
        if not isinstance(value_type, ir.RankedTensorType):
            raise PassFailure(function, f"expected tensors, found {value_type}")
        _check_type(function, value_type)


def _may_be_wide(value: ir.Value) -> bool:
    """Multiplication by a scale that is no power of two needs 64 bits inside a body, and constants for it."""
    owner = iu.defining_op(value)
    return not isinstance(value.type, ir.ShapedType) or (owner is not None and owner.name == "arith.constant")


def _check_type(op: ir.Operation, kind: ir.Type, wide: bool = False) -> None:
    """Raises PassFailure for a dynamic shape, a float, or a width that the contract does not have."""
    element = kind
    if isinstance(kind, ir.ShapedType):
        if not kind.has_rank or not kind.has_static_shape:
            raise PassFailure(op, f"{kind} has a dynamic shape", help="export the model with a fixed input size")
        element = kind.element_type
        if isinstance(element, ir.IntegerType) and element.width == 1:
            raise PassFailure(op, f"{kind} is no tensor of 8, 16 or 32 bits")
    elif isinstance(kind, ir.IndexType) and op.name == "tensor.pad":
        return
    if isinstance(element, ir.FloatType):
        raise PassFailure(op, f"a float type, {kind}", help=_HELP)
    if not isinstance(element, ir.IntegerType) or element.width not in (_WIDTHS | {64} if wide else _WIDTHS):
        raise PassFailure(op, f"{kind} is not of 1, 8, 16 or 32 bits", help="keep wider numbers inside a body")


def _check_pad(op: ir.Operation) -> None:
    yielded = [o.operation for o in iu.body(op).operations][-1].operands[0]
    if iu.scalar_constant(yielded) is None:
        raise PassFailure(op, "padding with a value that is no constant")


def _check_generic(op: ir.Operation) -> None:
    if len(op.results) != 1:
        raise PassFailure(op, f"a generic with {len(op.results)} results, expected one")
    for nested in (o.operation for o in iu.body(op).operations):
        if nested.name not in _BODY_OPS:
            raise PassFailure(nested, f"'{nested.name}' is no integer operation of a body", help=_HELP)
    maps = iu.affine_maps(op)
    written = maps[-1]
    if not all(re.fullmatch(r"d\d+", str(expr)) or str(expr) == "0" for expr in written.results):
        raise PassFailure(op, f"a result written through {written}, expected plain loops")
    reduction = reduction_of(op)
    if reduction is not None and reduction.kind == "contraction":
        _check_product(op)


def _check_product(op: ir.Operation) -> None:
    product = next(o.operation for o in iu.body(op).operations if o.operation.name == "arith.muli")
    if str(product.results[0].type) != "i32":
        raise PassFailure(product, f"a product of {product.results[0].type}, expected i32")
    for operand in product.operands:
        widened = iu.defining_op(operand)
        if widened is None or widened.name not in {"arith.extsi", "arith.extui"}:
            help = "extend both operands with arith.extsi or arith.extui"
            raise PassFailure(product, "a product whose operands are not extended explicitly", help=help)
        if str(widened.operands[0].type) != "i8":
            raise PassFailure(
                product, f"a factor of {widened.operands[0].type}, expected i8", help="quantize to 8 bits"
            )
    weights = op.operands[1]
    source = iu.defining_op(weights)
    while source is not None and source.name == "linalg.generic" and len(source.operands) == 2:
        source = iu.defining_op(source.operands[0])  # a transposed or broadcast constant
    if source is None or source.name != "arith.constant":
        raise PassFailure(op, "weights that are no constant", help="products of two activations are not supported")
