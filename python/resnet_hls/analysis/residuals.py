# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Residual blocks of a function of nests over whole feature maps: where ways part, where they meet, how far each looks.

Asks the accesses only, so that whatever joins is a block: additions, products, concatenations, nested or not. Changes
no IR.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest, is_constant, linear, nests
from resnet_hls.analysis.windows import name_of
from resnet_hls.cpp_names import Names

#: What stands for the nest that stores the function's input.
INPUT = "input"

Node = TypeVar("Node", bound=Hashable)


def reachable(start: Node, following: Callable[[Node], Iterable[Node]]) -> set[Node]:
    """All nodes of a graph that can be reached from `start`, itself included."""
    found: set[Node] = set()
    pending = [start]
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending += following(one)
    return found


@dataclass(frozen=True)
class ResidualBlock:
    """A way that reaches little of a feature map, and meets one that reaches more: its words wait for the other's.

    Attributes:
        join: name of the nest that takes both.
        fork: name of the nest behind which the two part; "input" for the function's input.
        main, skip: name of the nest whose result arrives at the join on the long way, and on the short one.
        naive_bytes: [iw (rh - 1) + rw] ich elements of the fork's map, rh x rw the long way's receptive field there:
            what the long way has to see before its first result.
        published_bytes: [iw (fh - 1) + fw - 1] ich elements of the last map that the long way looks at through a
            window, fh x fw that window; 0 without one. Both formulas are those of the published accelerators that
            split the skip value off at the fork, and that take it from the first convolution's line buffer.
    """

    join: str
    fork: str
    main: str
    skip: str
    naive_bytes: int
    published_bytes: int

    @property
    def name(self) -> str:
        """How reports call the block: like its join."""
        return self.join


@dataclass
class _Map:
    """A feature map: the buffers that one nest stores as functions of the same elements, and what they are made of."""

    name: str
    buffers: list[ir.Value]
    store: Access | None = None
    nest: Nest | None = None
    sources: list[Access] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(ir.MemRefType(self.buffers[0].type).shape)

    @property
    def element_bytes(self) -> int:
        width: int = ir.IntegerType(ir.MemRefType(self.buffers[0].type).element_type).width
        return math.ceil(width / 8)


@dataclass(frozen=True)
class _Way:
    """One of the accesses with which a join takes a map."""

    access: Access
    source: int


class _Maps:
    """All feature maps of a function in program order, the input first."""

    def __init__(self, function: ir.Operation) -> None:
        block = iu.body(function)
        module = function.parent.operation
        symbols = [op.operation.attributes for op in iu.body(module).operations]
        # As hls-to-dataflow does it, so that the names are those of the tasks.
        names = Names(ir.StringAttr(s["sym_name"]).value for s in symbols if "sym_name" in s)
        self.maps = [_Map(INPUT, [block.arguments[0]])]
        for nest in nests(function):
            self.maps += results_of(nest, names.unique(name_of(nest)))
        self.number = {buffer: i for i, m in enumerate(self.maps) for buffer in m.buffers}

    def ways(self, number: int) -> list[_Way]:
        """What a map is made of: an entry for each map and index expression."""
        distinct = {(a.buffer, a.exprs): a for a in self.maps[number].sources if a.buffer in self.number}
        return [_Way(access, self.number[access.buffer]) for access in distinct.values()]

    def ancestors(self, number: int) -> set[int]:
        """Numbers of all maps that a map is made of, itself included."""
        return reachable(number, lambda one: [way.source for way in self.ways(one)])

    def reach(self, join: int, way: _Way, fork: int) -> tuple[int, ...]:
        """Elements of map `fork`, along each of its dimensions, that an element of map `join` needs by this way."""
        needed = {way.source: self.window(join, way, None)}
        for number in range(way.source, fork, -1):
            if number in needed:
                for further in self.ways(number):
                    box = self.window(number, further, needed[number])
                    before = needed.get(further.source, box)
                    needed[further.source] = tuple(map(max, box, before))
        return needed[fork]

    def window(self, number: int, way: _Way, box: Sequence[int] | None) -> tuple[int, ...]:
        """Elements of a source that a box of a map's elements needs; a single element where none is given."""
        result = self.maps[number]
        assert result.nest is not None
        assert result.store is not None
        walked = list(result.nest.extents)
        for axis, expr in enumerate(result.store.exprs):
            form = linear(expr)
            for d in iu.dims_of(expr) if form is not None else ():
                walked[d] = min(walked[d], 1 if box is None else box[axis])
        spans = []
        for expr, extent in zip(way.access.exprs, self.maps[way.source].shape, strict=True):
            form = linear(expr)
            span = extent if form is None else 1 + sum(abs(c) * (walked[d] - 1) for d, c in form[0].items())
            spans.append(min(span, extent))
        return tuple(spans)

    def last_window(self, join: int, way: _Way, fork: int) -> int:
        """Bytes of a line buffer for the last window on a way that spans more than a pixel; 0 without one."""
        while True:
            source = self.maps[way.source]
            rows, columns, width, channels = pixels(self.window(join, way, None), source.shape)
            if rows > 1 or columns > 1:
                return (width * (rows - 1) + columns - 1) * channels * source.element_bytes
            if way.source == fork:
                return 0
            join = way.source
            onward = [w for w in self.ways(join) if fork in self.ancestors(w.source)]
            way = max(onward, key=lambda w: self.length(join, w, fork))

    def length(self, join: int, way: _Way, fork: int) -> tuple[int, int]:
        """To compare ways: pixels of the fork's map that one has to see, and which begins later."""
        rows, columns, width, _ = pixels(self.reach(join, way, fork), self.maps[fork].shape)
        return width * (rows - 1) + columns, way.source

    def blocks(self, join: int) -> Iterator[ResidualBlock]:
        """A block for every way but the longest that meets in a map."""
        ways = self.ways(join)
        if len(ways) < 2:
            return
        above = {way.source: self.ancestors(way.source) for way in ways}
        root = max(set.intersection(*above.values()))
        longest = max(ways, key=lambda way: self.length(join, way, root))
        for way in ways:
            if way is not longest:
                # The latest map that both are made of; there they part.
                fork = self.maps[number := max(above[way.source] & above[longest.source])]
                rows, columns, width, channels = pixels(self.reach(join, longest, number), fork.shape)
                yield ResidualBlock(
                    self.maps[join].name,
                    fork.name,
                    self.maps[longest.source].name,
                    self.maps[way.source].name,
                    (width * (rows - 1) + columns) * channels * fork.element_bytes,
                    self.last_window(join, longest, number),
                )


def residual_blocks(function: ir.Operation) -> list[ResidualBlock]:
    """The residual blocks of a function, in program order of their joins.

    Args:
        function: nests over whole feature maps, channels last: the module after `hls-fuse-loops`.

    Returns:
        For every map that is made of two or more (or of one in two ways), a block for each way but the one that
        reaches furthest. Names are those that `hls-to-dataflow` gives the tasks.

    Raises:
        PassFailure: a nest is not perfect.
    """
    with function.context:
        maps = _Maps(function)
        return [block for number in range(1, len(maps.maps)) for block in maps.blocks(number)]


def pixels(box: Sequence[int], shape: Sequence[int]) -> tuple[int, int, int, int]:
    """Rows and columns of a box in a map, and the map's width and channels; a map without rows has one."""
    rows, columns, _ = [1, 1, *box][-3:]
    _, width, channels = [1, 1, *shape][-3:]
    return rows, columns, width, channels


def results_of(nest: Nest, name: str) -> list[_Map]:
    """The maps that a nest stores.

    Buffers stored at one index, of values computed from the same elements, are one: the value, clamped or not.
    """
    internal = {store.buffer for store in nest.stores} & {load.buffer for load in nest.loads}
    found: dict[tuple[object, ...], _Map] = {}
    for store in nest.stores:
        if store.buffer not in internal:
            read = frozenset((a.buffer, a.exprs) for a in loads_behind(store.op.operands[0], nest, set()))
            result = found.setdefault((store.exprs, read), _Map(name, [], store, nest))
            result.buffers.append(store.buffer)
            result.sources += loads_behind(store.op.operands[0], nest, internal)
    return list(found.values())


def loads_behind(value: ir.Value, nest: Nest, internal: set[ir.Value]) -> list[Access]:
    """The loads of a nest that a value is computed from, constants left out, through the buffers `internal`."""
    accesses = {load.op: load for load in nest.loads}
    pending, seen, found = [value], set[ir.Operation](), list[Access]()
    while pending:
        value = pending.pop()
        op = iu.defining_op(value)
        if op is None:
            continue
        if op.name == "affine.if":
            number = list(op.results).index(value)
            pending += [region.blocks[0].operations[-1].operands[number] for region in op.regions]
        elif op in seen:
            continue
        elif op.name == "affine.load":
            buffer = accesses[op].buffer
            if buffer in internal:
                pending += [store.op.operands[0] for store in nest.stores if store.buffer == buffer]
            elif not is_constant(buffer):
                found.append(accesses[op])
        else:
            pending += op.operands
        seen.add(op)
    return found
