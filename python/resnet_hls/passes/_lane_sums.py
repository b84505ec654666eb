# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds sums of products over lanes in a tiled task, as hls-unroll-loops leaves them. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import trip_count
from resnet_hls.analysis.tasks import Task

_EXTENSIONS = {"arith.extsi", "arith.extui"}
_RESIZES = {*_EXTENSIONS, "arith.trunci"}


@dataclass(frozen=True)
class Operand:
    """An operand of a product before it was extended, and whether it is a signed number."""

    value: ir.Value
    signed: bool

    @staticmethod
    def of(value: ir.Value) -> Operand:
        op = iu.defining_op(value)
        if op is not None and op.name in _EXTENSIONS:
            return Operand(op.operands[0], op.name == "arith.extsi")
        return Operand(value, True)

    @property
    def width(self) -> int:
        width: int = ir.IntegerType(self.value.type).width
        return width


@dataclass(frozen=True)
class LaneSum:
    """What a step adds up: `total = 0; for inner: total += left * right; …total…`, for every lane of its own loops.

    Attributes:
        own: loops around the sum, outermost first, a perfect nest: each lane has a sum of its own.
        inner: loops over the products of a sum, outermost first, a perfect nest.
        operands: of a product, before they were extended.
        body: what computes them, in program order; without side effects.
        product: the arith.muli.
        total: the scalar that the products add to.
        start: the store of zero to it.
        rest: what stands in the innermost of the own loops besides.
        separate: lanes of the own loops may be computed in any order, and several at a time.
    """

    own: tuple[ir.Operation, ...]
    inner: tuple[ir.Operation, ...]
    operands: tuple[Operand, Operand]
    body: tuple[ir.Operation, ...]
    product: ir.Operation
    total: ir.Value
    start: ir.Operation
    rest: tuple[ir.Operation, ...]
    separate: bool

    @property
    def extents(self) -> list[int]:
        """Trip counts of the inner loops."""
        return [trip_count(loop) for loop in self.inner]


def variable(loop: ir.Operation) -> ir.Value:
    return iu.body(loop).arguments[0]


def depends(value: ir.Value, on: ir.Value) -> bool:
    """True when a value of a lane is computed from an induction variable."""
    op = iu.defining_op(value)
    if op is None or op.name in {"memref.alloc", "memref.get_global"}:
        return bool(value == on)
    return any(depends(operand, on) for inner in iu.walk(op) for operand in used_operands(inner))


def used_operands(op: ir.Operation) -> list[ir.Value]:
    """Operands without those that the map of an access or the set of a condition has no use for."""
    if op.name not in {"affine.load", "affine.store", "affine.if"}:
        return list(op.operands)
    indices = iu.index_operands(op)
    is_if = op.name == "affine.if"
    exprs = [e for e, _ in iu.set_constraints(op.attributes["condition"])] if is_if else iu.access_map(op).results
    used = set().union(*map(iu.dims_of, exprs))
    return [*list(op.operands)[: len(op.operands) - len(indices)], *(v for n, v in enumerate(indices) if n in used)]


def lane_sums(task: Task) -> list[LaneSum]:
    """The sums of a task in program order. What looks different is not one of them."""
    pipelined = task.nest.loops[-1]
    found = (_sum_of(product, pipelined) for product in iu.walk(pipelined, "arith.muli"))
    return [one for one in found if one is not None]


def _sum_of(product: ir.Operation, pipelined: ir.Operation) -> LaneSum | None:
    added = product
    while len(users := iu.users(added.results[0])) == 1 and users[0].name in _RESIZES:
        added = users[0]
    if len(users) != 1 or users[0].name != "arith.addi" or users[0].block != product.block:
        return None
    addition = users[0]
    other = addition.operands[1 if addition.operands[0] == added.results[0] else 0]
    load, stores = iu.defining_op(other), iu.users(addition.results[0])
    if load is None or load.name != "affine.load" or [op.name for op in stores] != ["affine.store"]:
        return None
    total, store = load.operands[0], stores[0]
    if iu.accessed_memref(store) != total or ir.MemRefType(total.type).shape or len(iu.users(other)) != 1:
        return None

    # Up to the block in which the sum begins.
    inner: list[ir.Operation] = []
    block = product.block
    while (start := _zero_store(block, total)) is None:
        loop = _lanes_around(block, pipelined)
        if loop is None or (inner and iu.block_operations(block) != [inner[0]]):
            return None
        inner.insert(0, loop)
        block = loop.block
    own: list[ir.Operation] = []
    around = block
    while (loop := _lanes_around(around, pipelined)) is not None:
        own.insert(0, loop)
        around = loop.block
        if iu.block_operations(around) != [loop]:
            break

    ops = iu.block_operations(block)
    if inner:
        body, before, after = iu.block_operations(product.block), *_around(ops, inner[0])
    else:
        before, after = _around(ops, store)
        body = before[before.index(start) + 1 :]
        before = before[: before.index(start)]
    body = [op for op in body if op not in (load, addition, store, product) and not _resizes(op, product)]
    before = [op for op in before if op != start]
    rest = before + after
    left, right = (Operand.of(value) for value in product.operands)
    if any(not _is_pure(op) for op in body):
        return None
    uses = [op for op in iu.users(total) if op not in (load, store, start)]
    separate = bool(own) and all(op in rest for op in uses) and _is_separate(own, body, rest, before)
    operands, loops = (left, right), (tuple(own), tuple(inner))
    return LaneSum(*loops, operands, tuple(body), product, total, start, tuple(rest), separate)


def _around(ops: list[ir.Operation], op: ir.Operation) -> tuple[list[ir.Operation], list[ir.Operation]]:
    place = ops.index(op)
    return ops[:place], ops[place + 1 :]


def _resizes(op: ir.Operation, product: ir.Operation) -> bool:
    """True for what only extends an operand of the product, or resizes the product itself."""
    extends = op.name in _EXTENSIONS and iu.users(op.results[0]) == [product]
    return extends or _comes_from(op, product)


def _comes_from(op: ir.Operation, product: ir.Operation) -> bool:
    """True for a product that has been resized."""
    source = iu.defining_op(op.operands[0]) if op.name in _RESIZES else None
    return source is not None and (source == product or _comes_from(source, product))


def _zero_store(block: ir.Block, total: ir.Value) -> ir.Operation | None:
    """The store of zero to `total` that stands directly in a block."""
    for op in iu.block_operations(block):
        if op.name == "affine.store" and op.operands[1] == total:
            return op if iu.scalar_constant(op.operands[0]) == 0 else None
    return None


def _lanes_around(block: ir.Block, pipelined: ir.Operation) -> ir.Operation | None:
    """The unrolled loop whose body a block is, inside the pipelined one."""
    op = block.owner.operation
    return op if op != pipelined and op.name == "affine.for" and "hls.unroll" in op.attributes else None


def _is_separate(
    own: list[ir.Operation], body: list[ir.Operation], rest: list[ir.Operation], before: list[ir.Operation]
) -> bool:
    """True when lanes do not depend on each other: products read nothing that is stored for a lane, and each lane
    loads and stores elements of its own.
    """
    if any(op.name != "arith.constant" for op in before):
        return False
    if any(op.name not in {"affine.load", "affine.store"} and not op.name.startswith("arith.") for op in rest):
        return False
    stores = {iu.accessed_memref(op): op for op in rest if op.name == "affine.store"}
    if any(iu.accessed_memref(load) in stores for op in body for load in iu.walk(op, "affine.load")):
        return False
    accesses = [op for op in rest if op.name in {"affine.load", "affine.store"}]
    if any((first := stores.get(iu.accessed_memref(op))) and not _same_place(op, first) for op in accesses):
        return False
    return all(variable(loop) in _addressing(store) for store in stores.values() for loop in own)


def _same_place(a: ir.Operation, b: ir.Operation) -> bool:
    operands = list(dict.fromkeys([*iu.index_operands(a), *iu.index_operands(b)]))

    def place(op: ir.Operation) -> list[ir.AffineExpr]:
        dims = [ir.AffineExpr.get_dim(operands.index(value)) for value in iu.index_operands(op)]
        return [e.compose(ir.AffineMap.get(len(operands), 0, dims)) for e in iu.access_map(op).results]

    return place(a) == place(b)


def _addressing(access: ir.Operation) -> list[ir.Value]:
    """The variables that are an index of an access on their own."""
    operands = iu.index_operands(access)
    return [operands[e.position] for e in iu.access_map(access).results if isinstance(e, ir.AffineDimExpr)]


def _is_pure(op: ir.Operation) -> bool:
    if op.name == "affine.if":
        return len(op.results) > 0 and all(_is_pure(inner) for inner in iu.walk(op)[1:] if inner.name != "affine.yield")
    return bool(op.name == "affine.load" or op.name.startswith("arith."))
