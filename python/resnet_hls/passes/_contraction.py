# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reductions of linalg (convolutions, products, poolings): recognized by their bodies, rebuilt on integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import arith, linalg

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.fixed_point import INT32_MAX, widen
from resnet_hls.passes._quantities import Bounds
from resnet_hls.passes._registry import PassFailure


@dataclass(frozen=True)
class Reduction:
    """What a reducing generic computes: `contraction` (sum of products), `sum`, or `max`."""

    kind: str


def _root(value: ir.Value) -> ir.Value:
    """Looks through extensions, conversions and zero-point subtractions inside a body."""
    while (op := iu.defining_op(value)) is not None and op.name in {
        "arith.extsi", "arith.extui", "arith.subi", "arith.sitofp", "arith.extf", "arith.trunci",
    }:  # fmt: skip
        value = op.operands[0]
    return value


def reduction_of(op: ir.Operation) -> Reduction | None:
    """What the generic `op` reduces with; None for an elementwise operation.

    Raises PassFailure for a reduction that is none of the known ones.
    """
    if "reduction" not in iu.iterator_types(op):
        return None
    block = iu.body(op)
    arguments = list(block.arguments)
    yielded = iu.defining_op([o.operation for o in block.operations][-1].operands[0])
    if yielded is not None and len(yielded.operands) == 2:
        left, right = yielded.operands
        if right == arguments[-1]:
            left, right = right, left
        if left == arguments[-1]:
            inner = iu.defining_op(right)
            if yielded.name in {"arith.addi", "arith.addf"}:
                if inner is not None and inner.name in {"arith.muli", "arith.mulf"}:
                    roots = [_root(v) for v in inner.operands]
                    if roots == arguments[:2]:
                        return Reduction("contraction")
                elif _root(right) == arguments[0]:
                    return Reduction("sum")
            if (
                yielded.name in {"arith.maxsi", "arith.maxui", "arith.maximumf", "arith.maxnumf"}
                and _root(right) == arguments[0]
            ):
                return Reduction("max")
    raise PassFailure(op, "a reduction that is neither a sum of products, a sum, nor a maximum")


def _filter_sums(weights: np.ndarray, positions: list[int], bounds: Bounds) -> Bounds:
    """Least and greatest possible sum of products over all outputs.

    For inputs within `bounds` (zero included: padding).
    """
    lo, hi = min(bounds[0], 0), max(bounds[1], 0)
    wide = weights.astype(np.int64)
    axes = tuple(axis for axis in range(wide.ndim) if axis not in positions)
    least = np.minimum(wide * lo, wide * hi).sum(axis=axes)
    most = np.maximum(wide * lo, wide * hi).sum(axis=axes)
    return int(least.min()), int(most.max())


def integer_contraction(
    op: ir.Operation, source: tuple[ir.Value, bool], weights: tuple[ir.Value, bool], init: ir.Value,
    constants: iu.ConstantReader, bounds: Bounds, init_bounds: Bounds,
) -> tuple[ir.Value, Bounds]:  # fmt: skip
    """`init + sum of source * weights` with the maps of `op`, in i32; returns it with its bounds.

    Args:
        source, weights: tensors, and whether each is signed.
        bounds, init_bounds: of the elements of the source (padding included) and of `init`.

    Raises PassFailure when the sum may need more than 32 bits.
    """
    maps = iu.affine_maps(op)
    iterators = iu.iterator_types(op)
    array = constants.value(weights[0])
    filter_map = maps[1]
    if array is not None:
        positions = [
            axis
            for axis, expr in enumerate(filter_map.results)
            if isinstance(expr, ir.AffineDimExpr) and iterators[expr.position] == "parallel"
        ]
        lo, hi = _filter_sums(array, positions, bounds)
    else:
        filter_op = iu.defining_op(weights[0])
        base = (
            constants.value(filter_op.operands[0])
            if filter_op is not None and filter_op.name == "linalg.generic"
            else None
        )
        if base is None:
            raise PassFailure(op, "weights that are no constants", help="products of two activations are not supported")
        terms = int(np.prod(array_extents(op, iterators)))
        most = int(np.abs(base.astype(np.int64)).max()) * max(abs(bounds[0]), abs(bounds[1])) * terms
        lo, hi = -most, most
    lo, hi = lo + min(init_bounds[0], 0), hi + max(init_bounds[1], 0)
    if lo < -INT32_MAX - 1 or hi > INT32_MAX:
        raise PassFailure(op, f"the accumulator may reach [{lo}, {hi}], more than 32 bits hold")
    operands = [source[0], weights[0]]
    with iu.generic(operands, init, [maps[0], maps[1], maps[-1]], iterators) as (new, arguments):
        x, w = widen(arguments[0], source[1]).value, widen(arguments[1], weights[1]).value
        linalg.YieldOp([arith.addi(arguments[2], arith.muli(x, w))])
    return new.results[0], (lo, hi)


def array_extents(op: ir.Operation, iterators: list[str]) -> list[int]:
    """Extents of the reduction loops of a generic, read off the operand whose map shows them as plain dimensions."""
    extents: dict[int, int] = {}
    for index_map, operand in zip(iu.affine_maps(op), op.operands, strict=True):
        if not isinstance(operand.type, ir.ShapedType):
            continue
        for expr, extent in zip(index_map.results, iu.shape_of(operand), strict=True):
            if isinstance(expr, ir.AffineDimExpr):
                extents[expr.position] = extent
    return [extents[d] for d, kind in enumerate(iterators) if kind == "reduction"]


def integer_reduction(
    op: ir.Operation, reduction: Reduction, source: ir.Value, signed: bool, bounds: Bounds
) -> tuple[ir.Value, Bounds]:
    """Sum or maximum of integers with the maps of `op`; a sum is i32, a maximum has the type of its operand."""
    maps, iterators = iu.affine_maps(op), iu.iterator_types(op)
    shape = iu.shape_of(op.results[0])
    element = ir.ShapedType(source.type).element_type
    width = ir.IntegerType(element).width
    window = iu.empty_tensor(iu.shape_of(op.operands[1]), iu.integer_type(8))
    if reduction.kind == "sum":
        terms = int(np.prod(array_extents(op, iterators)))
        start, kind = 0, iu.integer_type(32)
        limits = min(0, bounds[0] * terms), max(0, bounds[1] * terms)
        if limits[0] < -INT32_MAX - 1 or limits[1] > INT32_MAX:
            raise PassFailure(op, f"the sum may reach {limits}, more than 32 bits hold")
    else:
        start, kind, limits = (-(2 ** (width - 1)) if signed else 0), element, bounds
    init = iu.empty_tensor(shape, kind)
    parallel = ["parallel"] * len(shape)
    with iu.generic([], init, [ir.AffineMap.get_identity(len(shape))], parallel) as (fill, _):
        linalg.YieldOp([iu.int_constant(start, ir.IntegerType(kind).width)])
    with iu.generic([source, window], fill.results[0], [maps[0], maps[1], maps[-1]], iterators) as (new, arguments):
        if reduction.kind == "sum":
            linalg.YieldOp([arith.addi(arguments[2], widen(arguments[0], signed).value)])
        else:
            linalg.YieldOp([(arith.maxsi if signed else arith.maxui)(arguments[2], arguments[0])])
    return new.results[0], limits
