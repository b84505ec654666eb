# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-rematerialize: one buffer for values that are functions of each other.

Adds no buffer, only arithmetic at readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest, is_local, nests
from resnet_hls.analysis.reuse import chain_from, walk_of
from resnet_hls.analysis.windows import needs_window
from resnet_hls.passes._registry import Pass, register_pass, remark
from resnet_hls.passes._split_windows import allocate, split_window


@dataclass(frozen=True)
class _Group:
    """Stores of one nest whose values are all functions of `origin`."""

    origin: ir.Value
    stores: list[Access]


class _Rematerialize:
    def __init__(self, function: ir.Operation) -> None:
        self.function = function

    def run(self) -> None:
        for root in [nest.root for nest in nests(self.function)]:
            while (group := self.group(Nest.at(root))) is not None:
                self.unite(group)

    def readers(self, buffer: ir.Value) -> list[tuple[Nest, Access]]:
        return [(nest, load) for nest in nests(self.function, buffer) for load in nest.loads if load.buffer == buffer]

    def group(self, nest: Nest) -> _Group | None:
        """The most stores that one value gives, of several such values the last.

        None where no line buffer would serve them.
        """
        loaded = {load.buffer for load in nest.loads}
        stores = [s for s in nest.stores if is_local(s.buffer) and s.buffer not in loaded and self.readers(s.buffer)]
        stores = [s for s in stores if iu.scalar_constant(s.op.operands[0]) is None]
        best: _Group | None = None
        for store in stores:
            shape = ir.MemRefType(store.buffer.type).shape
            beside = [
                s
                for s in stores
                if s.op.block == store.op.block
                and s.exprs == store.exprs
                and ir.MemRefType(s.buffer.type).shape == shape
            ]
            for origin in (value for o in store.op.block.operations for value in o.operation.results):
                made = [s for s in beside if _is_made_of(s, origin)]
                if len(made) > 1 and (best is None or len(made) >= len(best.stores)) and self.windowed(made):
                    best = _Group(origin, made)
        return best

    def windowed(self, stores: list[Access]) -> bool:
        """True when a window slides over one of the maps."""
        readers = [reader for store in stores for reader in self.readers(store.buffer)]
        return any(walk_of(nest) is not None or needs_window(nest, load) for nest, load in readers)

    def unite(self, group: _Group) -> None:
        """Stores the origin alone; every reader computes from it what it read before."""
        kept = next((s for s in group.stores if s.op.operands[0] == group.origin), None)
        first = group.stores[0]
        if kept is None:
            kind = ir.MemRefType(first.buffer.type)
            buffer = allocate(self.function, list(kind.shape), group.origin.type, first.op.location, "map")
        else:
            buffer = kept.buffer
        nest = Nest.at(_root(first.op))
        for store in [s for s in group.stores if s is not kept]:
            chain = chain_from(group.origin, store.op.operands[0])
            assert chain is not None
            value = store.op.operands[0]
            while found := self.readers(store.buffer):  # one by one: a nest must not be asked what is erased
                reader, load = found[0]
                if walk_of(reader) is None and needs_window(reader, load):
                    walk, _ = split_window(self.function, reader, load)
                    load = next(a for a in walk.loads if a.buffer == store.buffer)
                self.recompute(load, buffer, group.origin, chain, value)
            remark(store.op, "stored once with another result of the same value; its readers compute it anew")
        if kept is None:
            with ir.InsertionPoint(group.stores[-1].op), first.op.location:
                index_map = ir.AffineMap.get(len(nest.loops), 0, list(first.exprs))
                iu.affine_store(group.origin, buffer, index_map, nest.induction)
        for store in [s for s in group.stores if s is not kept]:
            old = iu.defining_op(store.buffer)
            dead = store.op.operands[0]
            store.op.erase()
            _erase_dead(dead)
            if old is not None:
                iu.erase_if_unused(old)

    def recompute(
        self, load: Access, buffer: ir.Value, origin: ir.Value, chain: list[ir.Operation], value: ir.Value
    ) -> None:
        """`load` takes the origin, and its users what the chain makes of it."""
        with ir.InsertionPoint(load.op), load.op.location:
            fresh = iu.affine_load(buffer, iu.access_map(load.op), iu.index_operands(load.op))
            mapping = {origin: fresh}
            iu.clone_into(chain, mapping)
        load.op.results[0].replace_all_uses_with(mapping[value])
        load.op.erase()


def _is_made_of(store: Access, origin: ir.Value) -> bool:
    """True when what is stored is a function of `origin`, which is no wider."""
    value, kind = store.op.operands[0], origin.type
    narrow = isinstance(kind, ir.IntegerType) and kind.width <= ir.IntegerType(value.type).width
    return bool(narrow and chain_from(origin, value) is not None)


def _root(op: ir.Operation) -> ir.Operation:
    """The outermost loop around an operation."""
    while op.parent.operation.name != "func.func":
        op = op.parent.operation
    return op


def _erase_dead(value: ir.Value) -> None:
    """Erases what only `value` was computed for, and so on."""
    op = iu.defining_op(value)
    if op is not None and op.name.startswith(("arith.", "affine.load")) and not op.name.endswith("constant"):
        operands = list(op.operands)
        if iu.erase_if_unused(op):
            for operand in operands:
                _erase_dead(operand)


@register_pass
@dataclass(frozen=True)
class Rematerialize(Pass):
    """Store a value once where several buffers hold functions of it; readers compute the function again.

    Before: fused nests over whole feature maps. A nest that ends in two quantizers stores two maps, say `min(u, 127)`
    for the next convolution and `u` for the skip. Each would need storage of its own for as long as it waits. After:
    the map of `u` alone; whoever read the other one loads `u` and computes the rest. This happens where one of the
    readers slides a window over its map (the line buffer can then serve all readers), `u` is no wider than what it
    replaces, and the functions depend on `u` and constants only. A window is split off on this occasion: the function
    is then computed once for each pixel that enters a window, by `hls-temporal-reuse`.
    """

    name: ClassVar[str] = "hls-rematerialize"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            function = iu.public_function(op)
            iu.hoist_constants(function)
            _Rematerialize(function).run()
