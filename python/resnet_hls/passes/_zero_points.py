# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Padding of integer tensors, and the zero points that torch-mlir's `…_q` operations subtract."""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import linalg, tensor

from resnet_hls import ir_utils as iu
from resnet_hls.passes._quantities import element_type, width_of


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
