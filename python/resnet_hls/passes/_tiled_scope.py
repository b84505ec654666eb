# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Copies statements into a tiled task: what they access, in terms of groups and lanes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from torch_mlir import ir
from torch_mlir.dialects import affine

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import trip_count
from resnet_hls.passes._tiling import Tiling
from resnet_hls.passes._tiling_masks import inside

Unit = tuple[int, ...]
Marks = dict[str, ir.Attribute]


def marks_of(op: ir.Operation) -> Marks:
    """The `hls.*` attributes of an operation."""
    return {name: op.attributes[name] for name in op.attributes if name.startswith("hls.")}


def substitute(expr: ir.AffineExpr, places: list[ir.AffineExpr], count: int) -> ir.AffineExpr:
    """`expr` with dimension d replaced by `places[d]`, an expression over `count` variables."""
    composed = expr.compose(ir.AffineMap.get(count, 0, places))
    return ir.AffineMap.get(count, 0, [ir.AffineExpr.simplify_affine_expr(composed, count, 0)]).results[0]


@dataclass(frozen=True)
class WordBuffer:
    """A buffer of a word: an address for each group of some loops, then a dimension for each unit of lanes.

    Of the loops in `whole` the dimension holds all iterations.
    """

    value: ir.Value
    groups: list[int]
    units: list[Unit]
    whole: set[int]


@dataclass
class Tiled:
    """A task that is being tiled: new values for old ones, new buffers for old ones, and its loops over groups."""

    tiling: Tiling
    mapping: dict[ir.Value, ir.Value]
    buffers: dict[ir.Value, ir.Value] = field(default_factory=dict)
    group_of: dict[int, ir.Value] = field(default_factory=dict)

    def place(self, d: int, variables: list[ir.Value], lanes: dict[Unit, ir.Value]) -> ir.AffineExpr:
        """Loop `d` of the old nest as an expression over `variables`."""
        total = ir.AffineExpr.get_constant(0)
        if d in self.group_of:
            total = total + ir.AffineExpr.get_dim(variables.index(self.group_of[d])) * self.tiling.factors[d]
        if (d,) in lanes:
            total = total + ir.AffineExpr.get_dim(variables.index(lanes[(d,)]))
        return total


class Scope:
    """Copies operations of a cluster with their accesses rewritten for the tiled loops."""

    def __init__(
        self,
        tiled: Tiled,
        variables: list[ir.Value],
        lanes: dict[Unit, ir.Value],
        words: dict[ir.Value, WordBuffer],
    ) -> None:
        self.tiled, self.tiling = tiled, tiled.tiling
        self.variables, self.lanes, self.words = variables, lanes, words
        self.mapping = tiled.mapping

    def dim(self, variable: ir.Value) -> ir.AffineExpr:
        return ir.AffineExpr.get_dim(self.variables.index(variable))

    def place(self, d: int) -> ir.AffineExpr:
        """Loop `d` of the old nest."""
        return self.tiled.place(d, self.variables, self.lanes)

    def rewrite(self, exprs: list[ir.AffineExpr], operands: list[ir.Value]) -> list[ir.AffineExpr]:
        """Expressions over old operands as expressions over the new variables."""
        places: list[ir.AffineExpr] = []
        induction = self.tiling.nest.induction
        for operand in operands:
            if operand in induction:
                places.append(self.place(induction.index(operand)))
            else:
                places.append(self.dim(self.mapping[operand]))
        return [substitute(e, places, len(self.variables)) for e in exprs]

    def index(self, op: ir.Operation) -> tuple[ir.Value, ir.AffineMap]:
        buffer, operands = iu.accessed_memref(op), iu.index_operands(op)
        count = len(self.variables)
        if buffer in self.words:
            word = self.words[buffer]
            places = [self.dim(self.tiled.group_of[d]) for d in word.groups]
            places += [self.place(u[0]) if u[0] in word.whole else self.dim(self.lanes[u]) for u in word.units]
            return word.value, ir.AffineMap.get(count, 0, places or [ir.AffineExpr.get_constant(0)])
        layout = self.tiling.layouts[buffer]
        in_loops = self.tiling.exprs_of(op)
        original = list(iu.access_map(op).results)
        exprs: list[ir.AffineExpr] = []
        for axis in layout.address:
            if axis in layout.split:
                exprs.append(self.dim(self.tiled.group_of[in_loops[axis].position]))
            else:
                exprs += self.rewrite([original[axis]], operands)
        exprs += [self.dim(self.lanes[u]) for u in self.tiling.units_in(layout.lanes)]
        index_map = ir.AffineMap.get(count, 0, exprs or [ir.AffineExpr.get_constant(0)])
        return self.tiled.buffers[buffer], index_map

    def copy(self, op: ir.Operation) -> None:
        with op.location:
            if op.name == "affine.load":
                self.mapping[op.results[0]] = self.load(op)
            elif op.name == "affine.store":
                buffer, index_map = self.index(op)
                iu.affine_store(self.mapping.get(op.operands[0], op.operands[0]), buffer, index_map, self.variables)
            elif op.name == "affine.if":
                self.copy_if(op)
            elif op.name == "affine.for":
                self.copy_for(op)
            else:
                iu.clone_into([op], self.mapping)

    def load(self, op: ir.Operation) -> ir.Value:
        """The element that a load names; zero for a tap beyond the last one of a word."""
        buffer, index_map = self.index(op)
        word = self.words.get(iu.accessed_memref(op))
        ragged = sorted(self.tiling.ragged & word.whole) if word is not None else []
        if not ragged:
            return iu.affine_load(buffer, index_map, self.variables)
        constraints = [inside(self.tiling, d, self.place(d)) for d in ragged]
        count, kind = len(self.variables), op.results[0].type
        condition = ir.IntegerSet.get(count, 0, [e for e, _ in constraints], [equal for _, equal in constraints])
        choice = affine.AffineIfOp(condition, [kind], cond_operands=self.variables, has_else=True)
        with ir.InsertionPoint(choice.then_block):
            affine.AffineYieldOp([iu.affine_load(buffer, index_map, self.variables)])
        with ir.InsertionPoint(choice.else_block):
            affine.AffineYieldOp([iu.int_constant(0, ir.IntegerType(kind).width)])
        return choice.results[0]

    def guarded(self, masks: set[int]) -> AbstractContextManager[None]:
        """An `affine.if` that keeps out lanes of these loops beyond the last iteration."""
        return iu.affine_guard([inside(self.tiling, d, self.place(d)) for d in sorted(masks)], self.variables)

    def copy_for(self, op: ir.Operation) -> None:
        """A loop over registers: copied with its marks."""
        with iu.affine_loops([trip_count(op)], [marks_of(op)]) as induction:
            self.variables.append(induction[0])
            self.mapping[iu.body(op).arguments[0]] = induction[0]
            for inner in iu.block_operations(iu.body(op)):
                self.copy(inner)
            self.variables.pop()

    def copy_if(self, op: ir.Operation) -> None:
        constraints = iu.set_constraints(op.attributes["condition"])
        exprs = self.rewrite([e for e, _ in constraints], iu.index_operands(op))
        moved = list(zip(exprs, (equal for _, equal in constraints), strict=True))
        iu.copy_if(op, moved, self.variables, self.copy, self.mapping)
