# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights in the form of an ordinary convolution: reshapes computed, groups as zeros between them.

Exact; grouped convolutions at the price of the products with those zeros.
"""

from __future__ import annotations

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import linalg, tensor

from resnet_hls import ir_utils as iu
from resnet_hls.passes._quantities import element_type
from resnet_hls.passes._registry import PassFailure

#: Grouped operations, their ordinary counterparts, and the order of group and filter in their weights.
_ORDINARY = {
    "linalg.conv_2d_ngchw_gfchw": (linalg.conv_2d_nchw_fchw, "gf"),
    "linalg.conv_2d_ngchw_gfchw_q": (linalg.conv_2d_nchw_fchw_q, "gf"),
    "linalg.conv_2d_ngchw_fgchw": (linalg.conv_2d_nchw_fchw, "fg"),
}
_MERGE = [[0], [1, 2], [3], [4]]


def ungroup_convolutions(module: ir.Operation) -> None:
    """Rewrites each grouped convolution (1 x G x C x H x W) as an ordinary one (1 x GC x H x W).

    Raises:
        PassFailure: the weights are no constant.
    """
    constants = iu.ConstantReader(module)
    for op in iu.walk(module, *_ORDINARY):
        ordinary, order = _ORDINARY[op.name]
        array = constants.value(op.operands[1])
        if array is None or array.dtype != np.int8:
            raise PassFailure(
                op, "a grouped convolution whose weights are no int8 constant", help="quantize its weights"
            )
        weights = array if order == "gf" else array.swapaxes(0, 1)
        groups, filters, channels, rows, columns = weights.shape
        dense = np.zeros((groups, filters, groups, channels, rows, columns), array.dtype)
        for group in range(groups):
            dense[group, :, group] = weights[group]
        with ir.InsertionPoint(op), op.location:
            merged = iu.tensor_constant(dense.reshape(groups * filters, groups * channels, rows, columns))
            inputs = [_merge(op.operands[0]), merged, *list(op.operands)[2:-1]]
            init = _merge(op.operands[len(op.operands) - 1])
            window = {key: op.attributes[key] for key in ("strides", "dilations")}
            result = ordinary(*inputs, outs=[init], **window)
            expanded = tensor.expand_shape(op.results[0].type, result, _MERGE, [], iu.shape_of(op.results[0]))
        op.results[0].replace_all_uses_with(expanded)
        iu.erase_tree(op)


def _merge(value: ir.Value) -> ir.Value:
    """1 x G x C x H x W as 1 x GC x H x W."""
    one, groups, channels, rows, columns = iu.shape_of(value)
    kind = ir.RankedTensorType.get([one, groups * channels, rows, columns], element_type(value))
    return tensor.CollapseShapeOp(kind, value, _MERGE).result


def fold_constant_layouts(module: ir.Operation) -> None:
    """Computes reshapes and transpositions of constants, such as those around depthwise weights."""
    constants = iu.ConstantReader(module)
    for op in iu.walk(module, "tensor.collapse_shape", "tensor.expand_shape", "linalg.transpose"):
        array = constants.value(op.operands[0])
        if array is None or array.dtype.kind != "i":
            continue
        if op.name == "linalg.transpose":
            array = array.transpose(list(ir.DenseI64ArrayAttr(op.attributes["permutation"])))
        with ir.InsertionPoint(op), op.location:
            folded = iu.tensor_constant(np.ascontiguousarray(array).reshape(iu.shape_of(op.results[0])))
        op.results[0].replace_all_uses_with(folded)
        iu.erase_tree(op)
