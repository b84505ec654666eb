# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Nests that compute from constants alone: an int16 bias widened, a bias of zeros. Computed where the result is used.

Never evaluates anything: a constant keeps its width in memory.
"""

from __future__ import annotations

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Nest, is_constant, is_local, nests

_BODY = ("affine.load", "affine.store", "affine.yield")


def inline_constant_nests(function: ir.Operation) -> None:
    """Replace every load of what an elementwise nest makes of constants by loads of these and the nest's arithmetic."""
    for nest in nests(function):
        if _reads_constants_only(nest):
            _inline(nest)


def _reads_constants_only(nest: Nest) -> bool:
    """An elementwise nest without guards whose loads are all of constants, and whose result nobody else stores."""
    ops = iu.block_operations(nest.block)
    if any(op.name not in _BODY and not op.name.startswith("arith.") for op in ops) or len(nest.stores) != 1:
        return False
    store = nest.stores[0]
    if not all(is_constant(load.buffer) for load in nest.loads) or not is_local(store.buffer):
        return False
    dims = [expr.position for expr in store.exprs if isinstance(expr, ir.AffineDimExpr)]
    if len(dims) != len(store.exprs) or sorted(dims) != list(range(len(nest.loops))):
        return False
    return all(user == store.op or user.name == "affine.load" for user in iu.users(store.buffer))


def _inline(nest: Nest) -> None:
    store = nest.stores[0]
    ops = [op for op in iu.block_operations(nest.block) if op.name not in ("affine.store", "affine.yield")]
    accesses = {load.op: load for load in nest.loads}
    place = {ir.AffineDimExpr(expr).position: index for index, expr in enumerate(store.exprs)}
    for use in [user for user in iu.users(store.buffer) if user.name == "affine.load"]:
        index_map, operands = iu.access_map(use), iu.index_operands(use)
        results = list(index_map.results)
        at = ir.AffineMap.get(
            index_map.n_dims, index_map.n_symbols, [results[place[d]] for d in range(len(nest.loops))]
        )
        mapping: dict[ir.Value, ir.Value] = {}
        with ir.InsertionPoint(use), use.location:
            for op in ops:
                if op in accesses:
                    exprs = [expr.compose(at) for expr in accesses[op].exprs]
                    composed = ir.AffineMap.get(index_map.n_dims, index_map.n_symbols, exprs)
                    mapping[op.results[0]] = iu.affine_load(op.operands[0], composed, operands)
                else:
                    iu.clone_into([op], mapping)
        value = store.op.operands[0]
        use.results[0].replace_all_uses_with(mapping.get(value, value))
        use.erase()
    buffer = iu.defining_op(store.buffer)
    iu.erase_tree(nest.root)
    if buffer is not None:
        iu.erase_if_unused(buffer)
