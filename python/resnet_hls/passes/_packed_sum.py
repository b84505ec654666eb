# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Builds a sum of products over lanes anew: packed products in chains, products in LUTs. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import prod

from torch_mlir import ir
from torch_mlir.dialects import arith, memref

from resnet_hls import ir_utils as iu
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._lane_sums import LaneSum, Operand, depends, variable
from resnet_hls.passes._packing import SUM_BITS, Chains, Packing, Slice
from resnet_hls.passes._tiled_scope import Marks, marks_of, substitute

_NAMES = {2: ["low_sum", "high_sum"], 3: ["low_sum", "middle_sum", "high_sum"]}


class SumBuilder:
    """Replaces one sum; `slice` is the device's, `fabric` so many of the last products of each sum are in LUTs."""

    def __init__(self, found: LaneSum, packing: Packing, slice: Slice, fabric: int) -> None:
        self.found, self.packing, self.slice, self.fabric = found, packing, slice, fabric
        self.kind = ir.MemRefType(found.total.type).element_type
        self.variables: list[ir.Value] = []
        self.scalars: dict[tuple[str, ir.Type], ir.Value] = {}
        #: Induction variables of the old loops, over `variables`.
        self.places: dict[ir.Value, ir.AffineExpr] = {}
        self.extents = found.extents
        self.root = next(o.operation for o in _task_block(found.total).operations if o.operation.name == "affine.for")
        self.kept = prod(self.extents) - fabric

    def build(self) -> None:
        found, position = self.found, self.packing.loop
        if position is None:  # in its place
            with ir.InsertionPoint(found.start), found.product.location:
                self.sums(self.packing.chains[0], [])
            iu.erase_tree(found.start)
            iu.erase_tree(found.inner[0])
            return
        others = [loop for n, loop in enumerate(found.own) if n != position]
        with ir.InsertionPoint(found.own[0]), found.product.location:
            for chains in self.packing.chains:
                with self.own_loops(others), self.groups(found.own[position], chains) as lanes:
                    self.sums(chains, lanes)
                    for lane, total in zip(lanes, self.totals(chains), strict=True):
                        self.at(lane)
                        mapping: dict[ir.Value, ir.Value] = {}
                        for op in found.rest:
                            self.copy(op, mapping, total)
        iu.erase_tree(found.own[0])
        total = iu.defining_op(found.total)
        if total is not None:
            iu.erase_if_unused(total)

    # --- loops
    # ---------------------------------------------------------------------------------------------------------------

    def add(self, value: ir.Value) -> ir.AffineExpr:
        """A dimension for an induction variable."""
        if value not in self.variables:
            self.variables.append(value)
        return ir.AffineExpr.get_dim(self.variables.index(value))

    @contextmanager
    def loops(self, extents: Sequence[int], marks: Sequence[Marks]) -> Iterator[list[ir.AffineExpr]]:
        """Unrolled loops, inside each other, and their variables; a constant in place of a loop of one iteration."""
        kept = [n for n, extent in enumerate(extents) if extent > 1]
        known = len(self.variables)
        with iu.affine_loops([extents[n] for n in kept], [marks[n] for n in kept]) as induction:
            dims = iter([self.add(value) for value in induction])
            yield [next(dims) if extent > 1 else ir.AffineExpr.get_constant(0) for extent in extents]
        del self.variables[known:]

    @contextmanager
    def own_loops(self, loops: Sequence[ir.Operation]) -> Iterator[None]:
        extents = [ir.IntegerAttr(loop.attributes["hls.unroll"]).value for loop in loops]
        with self.loops(extents, [marks_of(loop) for loop in loops]) as exprs:
            self.places |= dict(zip(map(variable, loops), exprs, strict=True))
            yield

    @contextmanager
    def groups(self, loop: ir.Operation, chains: Chains) -> Iterator[list[ir.AffineExpr]]:
        """The loop over groups of lanes that share slices, and the lanes of a group."""
        label = ir.StringAttr(loop.attributes["hls.label"]).value if "hls.label" in loop.attributes else "lanes"
        if chains.lanes > 1:
            label = f"{label.removesuffix('_lanes')}_{'pairs' if chains.lanes == 2 else 'groups'}"
        with self.loops([chains.groups], [unrolled(chains.groups, label)]) as (group,):
            yield [group * chains.lanes + (chains.first + lane) for lane in range(chains.lanes)]

    # --- sums
    # ---------------------------------------------------------------------------------------------------------------

    def sums(self, chains: Chains, lanes: Sequence[ir.AffineExpr]) -> None:
        """The sums of the lanes of a group. No lanes: those of the loops around."""
        totals = self.totals(chains)
        count = -(-self.kept // chains.length)
        if count > 1:
            for total in totals:
                self.store(iu.int_constant(0, self.width), total)
        self.chains(chains, lanes, totals, count)
        if self.fabric:
            self.in_fabric(lanes, totals)

    def totals(self, chains: Chains) -> list[ir.Value]:
        """The scalars that the sums of a group's lanes are in."""
        if chains.lanes == 1:
            return [self.found.total]
        names = _NAMES.get(chains.lanes) or [f"sum_{n}" for n in range(chains.lanes)]
        return [self.scalar(name, self.kind) for name in names]

    @property
    def width(self) -> int:
        width: int = ir.IntegerType(self.kind).width
        return width

    def at(self, lane: ir.AffineExpr | None) -> None:
        """From here on, copies are of this lane of the packed loop."""
        if lane is not None and self.packing.loop is not None:
            self.places[variable(self.found.own[self.packing.loop])] = lane

    def chains(self, chains: Chains, lanes: Sequence[ir.AffineExpr], totals: list[ir.Value], count: int) -> None:
        length = chains.length
        packed = chains.lanes > 1
        kind = iu.integer_type(SUM_BITS) if packed else self.kind
        alone = not packed and count == 1
        product = totals[0] if alone else self.scalar("product", kind)
        half = sum(1 << (n * chains.shift + chains.shift - 1) for n in range(chains.lanes - 1))
        with self.loops([count], [unrolled(count, "chains")]) as (chain,):
            self.store(iu.int_constant(half, ir.IntegerType(kind).width), product)
            marks = unrolled(length, "links") | {"hls.cascade": ir.UnitAttr.get()}
            with self.loops([length], [marks]) as (link,):
                exists = [] if self.kept % length == 0 else [(self.kept - 1 - (chain * length + link), False)]
                with self.guarded(exists):
                    self.place_inner(chain, link, length)
                    term = self.packed_product(chains, lanes) if packed else self.product(lanes, {})
                    self.store(arith.addi(self.load(product), term), product)
            if not alone:
                self.take_out(chains, product, totals, count > 1)

    def take_out(self, chains: Chains, product: ir.Value, totals: list[ir.Value], add: bool) -> None:
        """The lanes of a chain's sum, into the sums of their own."""
        rest = self.load(product)
        for number, total in enumerate(totals):
            value = rest
            if chains.lanes > 1:
                shift = ir.IntegerAttr.get(iu.integer_type(64), chains.shift)
                last = number == chains.lanes - 1
                if not last:
                    value = hls.LowOp(rest, shift, iu.integer_type(chains.shift)).result
                    above = SUM_BITS - (number + 1) * chains.shift
                    bits = chains.high_bits if number == chains.lanes - 2 else above
                    rest = hls.HighOp(rest, shift, iu.integer_type(bits)).result
            value = resized(value, self.kind)
            self.store(arith.addi(self.load(total), value) if add else value, total)

    def in_fabric(self, lanes: Sequence[ir.AffineExpr], totals: list[ir.Value]) -> None:
        """The last products of each sum, one by one."""
        fabric = self.fabric
        with self.loops([fabric], [unrolled(fabric, "fabric_lanes")]) as (number,):
            self.place_inner(ir.AffineExpr.get_constant(0), number + self.kept, self.kept + fabric)
            shared: dict[ir.Value, ir.Value] = {}
            if lanes:
                self.shared(shared)
            for lane, total in zip(lanes or [None], totals, strict=True):
                self.at(lane)
                term = self.product([], dict(shared), fabric=True)
                self.store(arith.addi(self.load(total), term), total)

    def place_inner(self, chain: ir.AffineExpr, link: ir.AffineExpr, length: int) -> None:
        """The loops over products, from the number of the product: `chain * length + link`."""
        stride = prod(self.extents)
        for number, (loop, extent) in enumerate(zip(self.found.inner, self.extents, strict=True)):
            stride //= extent
            self.places[variable(loop)] = digit(chain, link, length, stride, extent, number == 0)

    # --- products
    # -----------------------------------------------------------------------------------------------------------

    def shared(self, mapping: dict[ir.Value, ir.Value]) -> None:
        """Copies what does not differ between the lanes of a slice."""
        lane = variable(self.found.own[self.packing.loop]) if self.packing.loop is not None else None
        for op in self.found.body:
            if lane is None or not any(depends(result, lane) for result in op.results):
                self.copy(op, mapping)

    def copy_body(self, mapping: dict[ir.Value, ir.Value]) -> None:
        for op in self.found.body:
            if not all(result in mapping for result in op.results):
                self.copy(op, mapping)

    def packed_product(self, chains: Chains, lanes: Sequence[ir.AffineExpr]) -> ir.Value:
        """The product of the shared operand and of all lanes of the other in one number."""
        mine, other = self.found.operands[self.packing.packed], self.found.operands[1 - self.packing.packed]
        mapping: dict[ir.Value, ir.Value] = {}
        self.shared(mapping)
        values = []
        for lane in lanes:
            self.at(lane)
            of_lane = dict(mapping)
            self.copy_body(of_lane)
            values.append(signed(mine, of_lane.get(mine.value, mine.value)))
        shift = ir.IntegerAttr.get(iu.integer_type(64), chains.shift)
        packed = values.pop()
        while values:
            packed = hls.PackOp(packed, values.pop(), shift, iu.integer_type(self.slice.wide)).result
        kind = iu.integer_type(SUM_BITS)
        factor = extended(other, mapping.get(other.value, other.value), kind)
        sides = [arith.extsi(kind, packed), factor]
        return arith.muli(*(sides if self.packing.packed == 0 else sides[::-1]))

    def product(
        self, lanes: Sequence[ir.AffineExpr], mapping: dict[ir.Value, ir.Value], fabric: bool = False
    ) -> ir.Value:
        """One product, as wide as the total."""
        if lanes:
            self.at(lanes[0])
        self.copy_body(mapping)
        kind = self.found.product.results[0].type
        sides = [
            value if operand.value.type == kind else extended(operand, value, kind)
            for operand in self.found.operands
            for value in [mapping.get(operand.value, operand.value)]
        ]
        result = arith.muli(*sides)
        if fabric:
            result.owner.operation.attributes["hls.multiplier"] = ir.StringAttr.get("fabric")
        return resized(result, self.kind)

    # --- operations
    # ---------------------------------------------------------------------------------------------------------

    def scalar(self, name: str, kind: ir.Type) -> ir.Value:
        """A scalar of the task, one for each name and type."""
        if (name, kind) in self.scalars:
            return self.scalars[name, kind]
        with ir.InsertionPoint(self.root):
            result = memref.AllocOp(ir.MemRefType.get([], kind), [], []).result
        result.owner.operation.attributes["hls.name"] = ir.StringAttr.get(name)
        self.scalars[name, kind] = result
        return result

    def load(self, scalar: ir.Value) -> ir.Value:
        return iu.affine_load(scalar, ir.AffineMap.get(0, 0, []), [])

    def store(self, value: ir.Value, scalar: ir.Value) -> None:
        iu.affine_store(value, scalar, ir.AffineMap.get(0, 0, []), [])

    @contextmanager
    def guarded(self, constraints: list[tuple[ir.AffineExpr, bool]]) -> Iterator[None]:
        count = len(self.variables)
        with iu.affine_guard([(simplified(e, count), eq) for e, eq in constraints], self.variables):
            yield

    def rewrite(self, exprs: Sequence[ir.AffineExpr], operands: Sequence[ir.Value]) -> list[ir.AffineExpr]:
        """Expressions over old operands, over `variables`."""
        used = set().union(*map(iu.dims_of, exprs))
        places = [
            self.places.get(v) or self.add(v) if n in used else ir.AffineExpr.get_constant(0)
            for n, v in enumerate(operands)
        ]
        return [substitute(e, places, len(self.variables)) for e in exprs]

    def copy(self, op: ir.Operation, mapping: dict[ir.Value, ir.Value], total: ir.Value | None = None) -> None:
        """An operation of the old sum, in the place of the lane and the product that loops give."""
        with op.location:
            if op.name in {"affine.load", "affine.store"}:
                array = iu.accessed_memref(op)
                exprs = self.rewrite(list(iu.access_map(op).results), iu.index_operands(op))
                index = ir.AffineMap.get(len(self.variables), 0, exprs)
                if array == self.found.total and total is not None:
                    mapping[op.results[0]] = self.load(total)
                elif op.name == "affine.load":
                    mapping[op.results[0]] = iu.affine_load(array, index, self.variables)
                else:
                    iu.affine_store(mapping.get(op.operands[0], op.operands[0]), array, index, self.variables)
            elif op.name == "affine.if":
                constraints = iu.set_constraints(op.attributes["condition"])
                exprs = self.rewrite([e for e, _ in constraints], iu.index_operands(op))
                moved = list(zip(exprs, (equal for _, equal in constraints), strict=True))
                iu.copy_if(op, moved, self.variables, partial(self.copy, mapping=mapping), mapping)
            elif op.name != "arith.constant" or iu.users(op.results[0]) != [self.found.start]:
                iu.clone_into([op], mapping)


def digit(
    chain: ir.AffineExpr, link: ir.AffineExpr, length: int, stride: int, extent: int, first: bool
) -> ir.AffineExpr:
    """`(chain * length + link) floordiv stride mod extent`, without what chains and links divide evenly.

    The outermost digit needs no `mod`.
    """

    def divided(expr: ir.AffineExpr, by: int, modulo: int, bounded: bool) -> ir.AffineExpr:
        expr = expr if by == 1 else ir.AffineExpr.get_floor_div(expr, by)
        return expr if bounded else ir.AffineExpr.get_mod(expr, modulo)

    if length % (stride * extent) == 0:
        return divided(link, stride, extent, length == stride * extent)
    if stride % length == 0:
        return divided(chain, stride // length, extent, first)
    if length % stride == 0 and (stride * extent) % length == 0:
        part = length // stride
        return divided(chain, 1, extent // part, first) * part + divided(link, stride, extent, True)
    return divided(chain * length + link, stride, extent, first)


def unrolled(extent: int, label: str) -> Marks:
    return {
        "hls.label": ir.StringAttr.get(label),
        "hls.unroll": ir.IntegerAttr.get(iu.integer_type(64), extent),
    }


def resized(value: ir.Value, kind: ir.Type) -> ir.Value:
    """A signed number in another type."""
    wider = ir.IntegerType(kind).width - ir.IntegerType(value.type).width
    return arith.extsi(kind, value) if wider > 0 else arith.trunci(kind, value) if wider < 0 else value


def extended(operand: Operand, value: ir.Value, kind: ir.Type) -> ir.Value:
    return arith.extsi(kind, value) if operand.signed else arith.extui(kind, value)


def signed(operand: Operand, value: ir.Value) -> ir.Value:
    """A number as a signed one: with a bit more where it has no sign."""
    return value if operand.signed else arith.extui(iu.integer_type(operand.width + 1), value)


def simplified(expr: ir.AffineExpr, count: int) -> ir.AffineExpr:
    """An expression over `count` variables, simplified."""
    return ir.AffineMap.get(count, 0, [ir.AffineExpr.simplify_affine_expr(expr, count, 0)]).results[0]


def _task_block(total: ir.Value) -> ir.Block:
    owner = iu.defining_op(total)
    assert owner is not None  # a sum that was found adds to a memref.alloc
    return owner.block
