# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Padding of integer tensors, and the zero points that torch-mlir's `…_q` operations subtract."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import linalg, tensor

from resnet_hls import ir_utils as iu
from resnet_hls.passes._quantities import Quantity, element_type, is_elementwise, width_of
from resnet_hls.passes._registry import PassFailure


def low_high(op: ir.Operation) -> tuple[list[int], list[int]]:
    """Elements that a `tensor.pad` adds before and after each dimension."""
    low, high = (list(ir.DenseI64ArrayAttr(op.attributes[name])) for name in ("static_low", "static_high"))
    return low, high


def padding_constant(op: ir.Operation) -> int | float | None:
    """The number a `tensor.pad` pads with; None when it is computed."""
    return iu.scalar_constant([o.operation for o in iu.body(op).operations][-1].operands[0])


def pad(source: ir.Value, amounts: tuple[list[int], list[int]], filling: int) -> ir.Value:
    """`tensor.pad` of an integer tensor with a constant."""
    low, high = amounts
    shape = [n + a + b for n, a, b in zip(iu.shape_of(source), low, high, strict=True)]
    width = width_of(source)
    constant = iu.int_constant(filling if filling < 2 ** (width - 1) else filling - 2**width, width)
    op = tensor.PadOp(ir.RankedTensorType.get(shape, element_type(source)), source, [], [], low, high)
    block = op.regions[0].blocks.append(*[ir.IndexType.get()] * len(shape))
    with ir.InsertionPoint(block):
        tensor.YieldOp(constant)
    return op.result


def reshape(op: ir.Operation, source: ir.Value) -> ir.Value:
    """The `tensor.collapse_shape` or `tensor.expand_shape` `op` on another tensor.

    Of the same shape as its own operand.
    """
    kind = ir.RankedTensorType.get(iu.shape_of(op.results[0]), element_type(source))
    attributes = {name: op.attributes[name] for name in op.attributes}
    return ir.Operation.create(op.name, [kind], [source], attributes).results[0]


def base_of_pad(value: ir.Value) -> ir.Value:
    """The tensor below padding and reshapes, whose elements `value` has besides the padding."""
    op = iu.defining_op(value)
    through = {"tensor.pad", "tensor.collapse_shape", "tensor.expand_shape"}
    return base_of_pad(op.operands[0]) if op is not None and op.name in through else value


def without_offset(value: ir.Value, zero_point: int) -> tuple[ir.Value, bool, int]:
    """(tensor, signed, zero point left) such that `value - zero_point` equals the tensor minus what is left.

    torch-mlir hands unsigned activations over as `x - 128` with zero point -128; both vanish here.
    """
    op = iu.defining_op(value)
    if op is None or zero_point == 0:
        return value, True, zero_point
    if op.name == "tensor.pad":
        source, signed, left = without_offset(op.operands[0], zero_point)
        if padding_constant(op) == zero_point and left == 0:
            return pad(source, low_high(op), 0), signed, 0
    elif op.name in {"tensor.collapse_shape", "tensor.expand_shape"}:
        source, signed, left = without_offset(op.operands[0], zero_point)
        if left == 0:
            return reshape(op, source), signed, 0
    elif op.name == "linalg.generic":
        body = [o.operation for o in iu.body(op).operations]
        if len(body) == 1:  # a transposition or a copy
            source, signed, left = without_offset(op.operands[0], zero_point)
            if left == 0:
                init = iu.empty_tensor(iu.shape_of(value), element_type(value))
                with iu.generic([source], init, iu.affine_maps(op), iu.iterator_types(op)) as (copy, arguments):
                    linalg.YieldOp([arguments[0]])
                return copy.results[0], signed, 0
        if len(body) == 2 and body[0].name == "arith.addi":
            offset = next((n for v in body[0].operands if (n := iu.scalar_constant(v)) is not None), None)
            if offset == zero_point == -(2 ** (width_of(value) - 1)):
                return op.operands[0], False, 0
    return value, True, zero_point


def with_zero_point(quantity: Quantity) -> tuple[Quantity, int]:
    """The tensor below the addition of a constant, and what the host has to subtract from it: its zero point."""
    op = iu.defining_op(quantity.integers)
    if op is None or not is_elementwise(op) or len(op.operands) != 2:
        return quantity, 0
    body = [o.operation for o in iu.body(op).operations if o.operation.name != "arith.constant"]
    if len(body) != 3 or body[0].name not in {"arith.extsi", "arith.extui"}:
        return quantity, 0
    if body[1].name not in {"arith.addi", "arith.subi"} or body[1].operands[0] != body[0].results[0]:
        return quantity, 0
    amount = iu.scalar_constant(body[1].operands[1])
    if amount is None:
        return quantity, 0
    zero_point = int(amount) if body[1].name == "arith.subi" else -int(amount)
    limits = (quantity.lo + zero_point, quantity.hi + zero_point)
    return Quantity(op.operands[0], quantity.scale, body[0].name == "arith.extsi", *limits), zero_point


def start_without_zero_point(
    op: ir.Operation, init: ir.Value, zero_point: int, constants: iu.ConstantReader
) -> ir.Value:
    """The accumulator's start such that `sum of (x - zero_point) * w` may be computed as `sum of x * w`.

    The difference, `-zero_point * sum of w`, is one number per output channel, known here; padding is `zero_point`.

    Args:
        op: the contraction, its weights a constant.
        init: its accumulator's start: a constant for each output channel.

    Raises:
        PassFailure: weights or start are no constants.
    """
    weights = constants.value(op.operands[1])
    if weights is None:
        raise PassFailure(op, "weights that are no constants, and an input with a zero point", help=_SYMMETRIC)
    maps, iterators = iu.affine_maps(op), iu.iterator_types(op)
    loops = {
        axis: ir.AffineDimExpr(e).position
        for axis, e in enumerate(maps[1].results)
        if isinstance(e, ir.AffineDimExpr) and iterators[e.position] == "parallel"
    }
    others = tuple(axis for axis in range(weights.ndim) if axis not in loops)
    correction = -zero_point * weights.astype(np.int64).sum(axis=others)
    written = [ir.AffineDimExpr(e).position if isinstance(e, ir.AffineDimExpr) else -1 for e in maps[-1].results]
    rank = len(written)
    access = ir.AffineMap.get(rank, 0, [ir.AffineExpr.get_dim(written.index(loop)) for loop in loops.values()])
    start = _start(init, access, constants)
    if start is None:
        raise PassFailure(
            op, "an accumulator start that is no constant, and an input with a zero point", help=_SYMMETRIC
        )
    total = iu.tensor_constant((correction + start).astype(np.int32))
    empty = iu.empty_tensor(iu.shape_of(init), iu.integer_type(32))
    maps = [access, ir.AffineMap.get_identity(rank)]
    with iu.generic([total], empty, maps, ["parallel"] * rank) as (new, arguments):
        linalg.YieldOp([arguments[0]])
    return new.results[0]


def _start(init: ir.Value, access: ir.AffineMap, constants: iu.ConstantReader) -> np.ndarray[Any, Any] | int | None:
    """The numbers that a broadcast or a fill spreads over an accumulator; None for anything else."""
    op = iu.defining_op(init)
    if op is None or not is_elementwise(op):
        return None
    yielded = [o.operation for o in iu.body(op).operations][-1].operands[0]
    number = iu.scalar_constant(yielded)
    if number is not None:
        return int(number)
    if len(op.operands) != 2 or yielded != iu.body(op).arguments[0] or iu.affine_maps(op)[0] != access:
        return None
    value = op.operands[0]
    while (below := iu.defining_op(value)) is not None and is_elementwise(below) and len(below.operands) == 2:
        if iu.body(below).operations[0].operation.operands[0] != iu.body(below).arguments[0]:
            return None
        value = below.operands[0]  # handed on unchanged
    return constants.value(value)


_SYMMETRIC = "quantize activations symmetrically (zero point 0)"
