# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fuses sibling nests, each shifted by some positions: loop fusion with alignment, for nests over rows, columns and
channels.

The nests must be independent of each other (they only read the same map), and each step of one must not depend on
another step of it: then steps may run at any time, and all that changes is when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import executed
from resnet_hls.analysis.nests import Constraint, Nest, linear
from resnet_hls.analysis.reuse import POSITION


@dataclass(frozen=True)
class Part:
    """Operations of a nest that belong together, and by how many rows and columns later they run once fused."""

    nest: Nest
    ops: tuple[ir.Operation, ...]
    shift: tuple[int, int] = (0, 0)

    def contains(self, op: ir.Operation) -> bool:
        """True for an operation of the part, nested ones included."""
        return any(op in iu.walk(outer) for outer in self.ops)

    def last(self, axis: int) -> int:
        """The last row (0) or column (1) at which the part stores anything, before it is shifted."""
        stores = [store for op in self.ops for store in iu.walk(op, "affine.store")]
        return max(int(executed(store, self.nest)[axis].max()) for store in stores)

    def stored(self) -> list[ir.Value]:
        """The buffers that the part stores."""
        return [iu.accessed_memref(store) for op in self.ops for store in iu.walk(op, "affine.store")]


def parts_of(nest: Nest) -> list[Part]:
    """The parts of a nest: operations connected by values, in program order."""
    groups: list[list[ir.Operation]] = []
    for op in iu.block_operations(nest.block):
        used = {iu.defining_op(operand) for inner in iu.walk(op) for operand in inner.operands}
        joined = [group for group in groups if used & set(group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(member for group in joined for member in group), op])
    return [Part(nest, tuple(group)) for group in groups]


def fuse_siblings(parts: Sequence[Part], before: ir.Operation) -> Nest:
    """One nest that runs all parts, put before the operation `before`; the nests of the parts are erased.

    Every nest has loops over rows, columns and channels (as many for all), then loops over taps; loops over equally
    many taps are shared. Its name is that of the first part's nest.
    """
    first = parts[0].nest
    reach = [_reach(parts, axis) for axis in (0, 1)]
    taps: list[int] = []
    places: dict[ir.Operation, list[int]] = {}
    for nest in dict.fromkeys(part.nest for part in parts):
        found: list[int] = []
        for extent in nest.extents[POSITION:]:
            # In the order of the nest's own taps, or its windows would be stored in another.
            later = range(found[-1] + 1 if found else 0, len(taps))
            match = next((i for i in later if taps[i] == extent), len(taps))
            if match == len(taps):
                taps.append(extent)
            found.append(match)
        places[nest.root] = found
    extents = [*reach, first.extents[2], *taps]
    tap: dict[str, ir.Attribute] = {"hls.tap": ir.UnitAttr.get()}
    with (
        ir.InsertionPoint(before),
        first.root.location,
        iu.affine_loops(extents, [tap if d >= POSITION else {} for d in range(len(extents))]) as induction,
    ):
        for part in parts:
            _copy_part(part, extents, places[part.nest.root], induction)
        root = induction[0].owner.owner.operation
    if "hls.name" in first.root.attributes:
        root.attributes["hls.name"] = first.root.attributes["hls.name"]
    for nest in dict.fromkeys(part.nest.root for part in parts):
        iu.erase_tree(nest)
    return Nest.at(root)


def _reach(parts: Sequence[Part], axis: int) -> int:
    """Positions along rows (0) or columns (1): all of the map, and as many as the last part that runs needs.

    A nest may go on behind its last result, to the end of its map; shifted, there is no need for that.
    """
    extents = {loaded_extent(part, axis) for part in parts}
    return max([*extents, *(part.last(axis) + part.shift[axis] + 1 for part in parts)])


def loaded_extent(part: Part, axis: int) -> int:
    """Rows (0) or columns (1) of the map that a part reads."""
    load = next(op for outer in part.ops for op in iu.walk(outer, "affine.load"))
    return int(ir.MemRefType(iu.accessed_memref(load).type).shape[axis - POSITION])


def _copy_part(part: Part, extents: list[int], taps: list[int], induction: list[ir.Value]) -> None:
    dim, constant = ir.AffineExpr.get_dim, ir.AffineExpr.get_constant
    place = [dim(0) - part.shift[0], dim(1) - part.shift[1], dim(2), *(dim(POSITION + tap) for tap in taps)]
    place = [ir.AffineExpr.simplify_affine_expr(expr, len(extents), 0) for expr in place]
    copier = _Copier(part.nest, ir.AffineMap.get(len(extents), 0, place), induction)
    guards: list[Constraint] = []
    for axis in (0, 1):
        guards.append((dim(axis) - part.shift[axis], False))
        guards.append((constant(part.last(axis) + part.shift[axis]) - dim(axis), False))
    guards += [(dim(d), True) for d in range(POSITION, len(extents)) if d - POSITION not in taps]
    ops = list(part.ops)
    while len(ops) == 1 and ops[0].name == "affine.if" and not ops[0].results and len(ops[0].regions[1].blocks) == 0:
        guards += copier.constraints(ops[0])
        ops = iu.block_operations(ops[0].regions[0].blocks[0])
    with iu.affine_guard(needed(guards, extents), induction):
        for op in ops:
            copier.copy(op)


class _Copier:
    """Copies operations of a nest, its loops replaced by expressions over the loops of another."""

    def __init__(self, nest: Nest, place: ir.AffineMap, induction: list[ir.Value]) -> None:
        self.nest, self.place, self.induction = nest, place, induction
        self.mapping: dict[ir.Value, ir.Value] = {}

    def moved(self, exprs: Sequence[ir.AffineExpr], operands: Sequence[ir.Value]) -> list[ir.AffineExpr]:
        count = len(self.induction)
        found = [
            ir.AffineExpr.simplify_affine_expr(expr.compose(self.place), count, 0)
            for expr in self.nest.in_terms_of_loops(exprs, operands)
        ]
        return list(ir.AffineMap.get(count, 0, found).results)

    def constraints(self, guard: ir.Operation) -> list[Constraint]:
        found = iu.set_constraints(guard.attributes["condition"])
        exprs = self.moved([expr for expr, _ in found], iu.index_operands(guard))
        return list(zip(exprs, (equal for _, equal in found), strict=True))

    def copy(self, op: ir.Operation) -> None:
        with op.location:
            if op.name in {"affine.load", "affine.store"}:
                buffer = iu.accessed_memref(op)
                exprs = self.moved(list(iu.access_map(op).results), iu.index_operands(op))
                index_map = ir.AffineMap.get(len(self.induction), 0, exprs)
                if op.name == "affine.load":
                    self.mapping[op.results[0]] = iu.affine_load(buffer, index_map, self.induction)
                else:
                    value = self.mapping.get(op.operands[0], op.operands[0])
                    iu.affine_store(value, buffer, index_map, self.induction)
            elif op.name == "affine.if":
                iu.copy_if(op, self.constraints(op), self.induction, self.copy, self.mapping)
            else:
                iu.clone_into([op], self.mapping)


def needed(guards: Sequence[Constraint], extents: Sequence[int]) -> list[Constraint]:
    """Constraints without those that always hold in a box of `extents`, or that another one implies."""
    kept: list[tuple[ir.AffineExpr, bool, dict[int, int], int]] = []
    for expr, equal in ((ir.AffineMap.get(len(extents), 0, [e]).results[0], equal) for e, equal in guards):
        form = linear(expr)
        if form is None or equal:
            if not any(str(expr) == str(other) and equal == same for other, same, _, _ in kept):
                kept.append((expr, equal, {}, 0))
            continue
        coefficients, constant = form
        if constant + sum(min(0, c * (extents[d] - 1)) for d, c in coefficients.items()) >= 0:
            continue
        rivals = [k for k in kept if not k[1] and k[2] == coefficients and coefficients]
        if any(rival[3] <= constant for rival in rivals):
            continue
        kept = [k for k in kept if k not in rivals]
        kept.append((expr, equal, coefficients, constant))
    return [(expr, equal) for expr, equal, _, _ in kept]
