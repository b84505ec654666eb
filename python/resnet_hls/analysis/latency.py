# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How many stages an iteration of a task takes, and how soon the next one may follow: a model. Reads the IR only.

An iteration is a graph of operations, each of which begins as soon as what it needs is there. Operations follow each
other within a stage while their delays fit into `USABLE` of the clock period; one that does not fit begins the next.
The figures are of the order of UltraScale+ logic: a lookup table with the wire to it takes 0.4 ns, a carry chain 0.7 ns
and 10 ps a bit. None is measured, and the tool that compiles the emitted C++ makes its own schedule; what they are for
is that a long chain of operations counts as long.

Streams are read in stage 0, into registers. Conditions and addresses come from loop counters and are known then, too.
Lanes work side by side, and those that add to one element are a tree, since Vitis HLS balances sums of integers. In a
loop marked `hls.cascade` they are a cascade of DSP slices instead, each of which adds a cycle after the last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, log2, prod
from typing import NamedTuple

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import evaluate
from resnet_hls.analysis.nests import Nest, linear, trip_count
from resnet_hls.analysis.tasks import Task
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure

#: Part of the clock period for operations; 27 % is the margin that Vitis HLS leaves by default.
USABLE = 0.73
#: Cycles until what is read is there, by where it lies; UltraRAMs stand in one column, and take one more to get there.
READ_CYCLES = {"register": 0, "lutram": 1, "rom_lutram": 1, "bram": 2, "rom_bram": 2, "uram": 3}
#: Picoseconds of a lookup table with the wire to it: a choice of two values, or of four.
CHOICE = 400
#: Picoseconds of an operation, and of each bit of its operands. Shifts are by constants.
DELAYS = {
    **dict.fromkeys(("arith.extsi", "arith.extui", "arith.trunci"), (0, 0)),
    **dict.fromkeys(("arith.shli", "arith.shrsi", "arith.shrui"), (0, 0)),
    **dict.fromkeys(("arith.andi", "arith.ori", "arith.xori", "arith.select"), (CHOICE, 0)),
    **dict.fromkeys(("arith.addi", "arith.subi", "arith.cmpi"), (700, 10)),
    **dict.fromkeys(("hls.low", "hls.high"), (0, 0)),  # of an inverter, which goes into the adder behind it
    **dict.fromkeys(("arith.maxsi", "arith.minsi", "arith.maxui", "arith.minui"), (700 + CHOICE, 10)),
}
#: Registers of a DSP slice (operands, product, result), the one behind its pre-adder, and the widths of its multiplier.
DSP_CYCLES, PACK_CYCLES, DSP_WIDTHS = 3, 1, (27, 18)

#: A stage, and the picoseconds of it that are over.
Time = tuple[int, int]


class Node(NamedTuple):
    """An operation after those whose results it needs: picoseconds, or else whole cycles, which end in a register."""

    after: tuple[int, ...]
    delay: int = 0
    cycles: int = 0


def delay_of(op: ir.Operation) -> int:
    """Picoseconds of an operation on numbers. Raises PassFailure for one that the model does not know."""
    amount = iu.defining_op(op.operands[1]) if op.name.startswith("arith.sh") else None
    if op.name not in DELAYS or (op.name.startswith("arith.sh") and (not amount or amount.name != "arith.constant")):
        raise PassFailure(op, f"how long this '{op.name}' takes is not known", help="add it to analysis/latency.py")
    fixed, a_bit = DELAYS[op.name]
    return fixed + a_bit * int(ir.IntegerType(op.operands[-1].type).width)


def product_cycles(op: ir.Operation) -> int:
    """Cycles of an `arith.muli`: those of a DSP slice, and one to add each further partial product."""
    left, right = map(significant_bits, op.operands)
    wide, narrow = DSP_WIDTHS
    return DSP_CYCLES - 1 + min(ceil(a / wide) * ceil(b / narrow) for a, b in ((left, right), (right, left)))


def fabric_delays(op: ir.Operation) -> list[int]:
    """Picoseconds of each row of adders for an `arith.muli` in LUTs, which forms partial products as it adds them."""
    bits = list(map(significant_bits, op.operands))
    fixed, a_bit = DELAYS["arith.addi"]
    return [fixed + a_bit * sum(bits)] * max(1, ceil(log2(max(2, min(bits)))))


def significant_bits(value: ir.Value) -> int:
    """The width of a value before it was extended; of a constant, what it takes."""
    op = iu.defining_op(value)
    if op is not None and op.name == "arith.constant":
        return int(ir.IntegerAttr(op.attributes["value"]).value).bit_length() + 1
    extended = op is not None and op.name in {"arith.extsi", "arith.extui"}
    return int(ir.IntegerType((op.operands[0] if extended else value).type).width)  # type: ignore[union-attr]


def same_element(a: ir.Operation, b: ir.Operation) -> bool:
    """True when two accesses have the same map and indices."""
    same_array = iu.accessed_memref(a) == iu.accessed_memref(b)
    return same_array and iu.access_map(a) == iu.access_map(b) and iu.index_operands(a) == iu.index_operands(b)


def accumulation(op: ir.Operation | None) -> tuple[ir.Operation, ir.Value] | None:
    """Where an `arith.addi` adds to an element of an array: the load of that element, and what it adds."""
    users = iu.users(op.results[0]) if op is not None and op.name == "arith.addi" else []
    if op is not None and len(users) == 1 and users[0].name == "affine.store":
        for position in (0, 1):
            load = iu.defining_op(op.operands[position])
            if load is not None and load.name == "affine.load" and same_element(load, users[0]):
                return load, op.operands[1 - position]
    return None


def may_meet(a: ir.Operation, b: ir.Operation, nest: Nest) -> bool:
    """False for two accesses of an array of which no lanes have an element in common."""
    for left, right in zip(nest.access(a).exprs, nest.access(b).exprs, strict=True):
        places = [lane_places(expr, op, nest) for expr, op in ((left, a), (right, b))]
        if None not in places and not set(places[0]) & set(places[1]):  # type: ignore[arg-type]
            return False
    return True


def lane_places(expr: ir.AffineExpr, op: ir.Operation, nest: Nest) -> list[int] | None:
    """The values of an index in all lanes; None where loops of the nest are part of it."""
    depth = len(nest.loops)
    if any(d < depth for d in dims_of(expr)):
        return None
    inner = [v for v in dict.fromkeys(iu.index_operands(op)) if v not in nest.induction]
    extents = [trip_count(value.owner.owner.operation) for value in inner]
    grid = np.meshgrid(*[np.zeros(1, dtype=np.int64)] * depth, *map(np.arange, extents), indexing="ij", sparse=True)
    return [int(value) for value in np.ravel(evaluate(expr, grid))]


def always_in(op: ir.Operation, loop: ir.Operation) -> bool:
    """True for what every iteration of a loop executes: inside it, perhaps in further loops, under no condition."""
    around = op.parent.operation
    while around != loop and around.name == "affine.for":
        around = around.parent.operation
    return bool(around == loop)


@dataclass
class Iteration:
    """The graph of one iteration.

    Args:
        task: of which the arrays are placed.
        storage: `hls.storage` of every array and constant that the task names.
    """

    task: Task
    storage: Mapping[ir.Value, str]
    nodes: list[Node] = field(default_factory=list)
    #: The node of a value, and of what an array holds; None where that is zero, which costs no addition.
    values: dict[ir.Value, int | None] = field(default_factory=dict)
    contents: dict[ir.Value, int | None] = field(default_factory=dict)
    before: dict[ir.Value, int] = field(default_factory=dict)
    #: The last store to an array: what it stores needs not be loaded, nor chosen among elements.
    latest: dict[ir.Value, ir.Operation] = field(default_factory=dict)
    #: The unrolled loops around the last store that was no addition.
    begun: dict[ir.Value, tuple[ir.Operation, ...]] = field(default_factory=dict)
    #: Stores since an array was last written as a whole, what it held then, and what it holds with them.
    parts: dict[ir.Value, tuple[list[tuple[ir.Operation, int | None]], int | None, int | None]] = field(
        default_factory=dict
    )
    writes: list[int] = field(default_factory=list)
    unrolled: list[ir.Operation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before |= {array: self.node([]) for array in self.storage}
        self.contents |= self.before
        self.statements([o.operation for o in iu.body(self.task.op).operations if o.operation.name != "affine.for"])
        self.statements(iu.block_operations(self.task.nest.block))

    def node(self, after: list[int | None], delay: int = 0, cycles: int = 0) -> int:
        self.nodes.append(Node(tuple(n for n in after if n is not None), delay, cycles))
        return len(self.nodes) - 1

    def statements(self, ops: list[ir.Operation]) -> None:
        for op in ops:
            if op.name == "affine.for":
                self.loop(op)
            elif op.name == "affine.if":
                self.choice(op)
            elif op.name == "affine.store":
                self.store(op)
            elif op.name == "hls.read":
                self.contents[op.operands[1]] = self.node([], cycles=1)
                self.latest.pop(op.operands[1], None)
            elif op.name == "hls.write":
                self.writes.append(self.node([self.contents[op.operands[0]]]))
            elif op.name not in {"memref.alloc", "memref.get_global"}:
                self.values[op.results[0]] = self.result(op)

    def result(self, op: ir.Operation) -> int | None:
        if op.name == "arith.constant":
            return self.node([]) if ir.IntegerAttr(op.attributes["value"]).value else None
        if op.name == "affine.load":
            return self.load(op)
        if (found := accumulation(op)) is not None:
            return self.sum(op, *found)
        operands = [self.values[operand] for operand in op.operands]
        if op.name == "arith.muli" and "hls.multiplier" in op.attributes:
            for delay in fabric_delays(op):
                operands = [self.node(operands, delay)]
            return operands[0]
        if op.name == "arith.muli":
            return self.node(operands, cycles=product_cycles(op))
        if op.name == "hls.pack":
            return self.node(operands, cycles=PACK_CYCLES)
        return self.node(operands, delay_of(op))

    def sum(self, op: ir.Operation, load: ir.Operation, addend: ir.Value) -> int:
        """What all lanes add to an element: a tree, and one more addition to what the element holds.

        Lanes that begin with a store to the element do not add to one. A cascade begins with what it finds.
        """
        index, begun = iu.index_operands(load), self.begun.get(load.operands[0], ())
        adding = [loop for loop in self.unrolled if iu.body(loop).arguments[0] not in index and loop not in begun]
        number = self.node([self.values[addend]])
        if any("hls.cascade" in loop.attributes for loop in adding):
            return self.node([number, self.values[load.results[0]]], cycles=prod(map(trip_count, adding)) - 1)
        lanes = prod(map(trip_count, adding))
        for _ in range(ceil(log2(lanes))):
            number = self.node([number], delay_of(op))
        old = self.values[load.results[0]]
        return number if old is None else self.node([number, old], delay_of(op))

    def load(self, op: ir.Operation) -> int | None:
        array, depth = op.operands[0], len(self.task.nest.loops)
        if array in self.latest and same_element(op, self.latest[array]):
            return self.values[self.latest[array].operands[0]]
        held = self.held(op)
        if held is None:
            return None
        if cycles := READ_CYCLES[self.storage[array]]:
            return self.node([held], cycles=cycles)
        # Loops that address registers choose one of them.
        exprs, shape = self.task.nest.access(op).exprs, ir.MemRefType(array.type).shape
        ways = prod(n for n, e in zip(shape, exprs, strict=True) if any(d < depth for d in dims_of(e)))
        return self.node([held], CHOICE * ceil(log2(ways) / 2))

    def held(self, load: ir.Operation) -> int | None:
        """What an array holds for a load: without what was stored to elements that no lane of it has."""
        array = load.operands[0]
        stores, before, after = self.parts.get(array, ([], None, None))
        if not stores or after != self.contents[array]:
            return self.contents[array]
        met = [value for store, value in stores if may_meet(store, load, self.task.nest)]
        if len(met) == len(stores):
            return after
        return self.node([before, *met]) if met else before

    def store(self, op: ir.Operation) -> None:
        array, value = op.operands[1], self.values[op.operands[0]]
        self.latest[array] = op
        if accumulation(iu.defining_op(op.operands[0])) is None:
            self.begun[array] = tuple(self.unrolled)
        if READ_CYCLES[self.storage[array]]:
            value = self.node([value], cycles=1)
        if self.fills(op):
            self.contents[array] = value
            return
        stores, before, after = self.parts.get(array, ([], None, None))
        if not stores or after != self.contents[array]:
            stores, before = [], self.contents[array]
        self.contents[array] = self.node([value, self.contents[array]])
        self.parts[array] = [*stores, (op, value)], before, self.contents[array]

    def fills(self, store: ir.Operation) -> bool:
        """True when all lanes together store every element of the array."""
        loops = {iu.body(loop).arguments[0]: trip_count(loop) for loop in self.unrolled}
        extents = []
        for expr in iu.access_map(store).results:
            is_loop = isinstance(expr, ir.AffineDimExpr)
            extents.append(loops.pop(iu.index_operands(store)[expr.position], 1) if is_loop else 1)
        return extents == list(ir.MemRefType(store.operands[1].type).shape)

    def loop(self, loop: ir.Operation) -> None:
        """Lanes that work side by side take as long as one; else each follows the last."""
        self.unrolled.append(loop)
        for _ in range(1 if self.is_parallel(loop) else trip_count(loop)):
            self.statements(iu.block_operations(iu.body(loop)))
        self.unrolled.pop()

    def is_parallel(self, loop: ir.Operation) -> bool:
        """True when no lane loads what another has stored, but to add to it."""
        arrays: dict[ir.Value, list[ir.Operation]] = {}
        for op in iu.walk(loop, "affine.load", "affine.store"):
            arrays.setdefault(iu.accessed_memref(op), []).append(op)
        for first, *others in arrays.values():
            stores = [op for op in (first, *others) if op.name == "affine.store"]
            if len(stores) in (0, len(others) + 1) or all(accumulation(iu.defining_op(s.operands[0])) for s in stores):
                continue
            # Each lane has an element of its own, or begins with a store to the one that all have.
            own = iu.body(loop).arguments[0] in iu.index_operands(first)
            begun = first.name == "affine.store" and always_in(first, loop)
            if not (own or begun) or not all(same_element(op, first) for op in others):
                return False
        return True

    def choice(self, op: ir.Operation) -> None:
        """An affine.if: all sides are computed, one is taken."""
        start, latest, sides, yielded = self.contents, self.latest, [], []
        for region in op.regions:
            self.contents, self.latest = dict(start), dict(latest)
            for block in region.blocks:
                self.statements(iu.block_operations(block))
                yielded.append([self.values[value] for value in list(block.operations)[-1].operands])
            sides.append(self.contents)
        self.contents, self.latest = dict(start), dict(latest)
        for array, old in start.items():
            ends = {side[array] for side in sides} | ({old} if len(yielded) == 1 else set())
            if ends != {old}:  # a memory is written to or not; a register takes one of the values
                self.latest.pop(array, None)
                delay = 0 if READ_CYCLES[self.storage[array]] else CHOICE
                self.contents[array] = self.node(list(ends), delay) if len(ends) > 1 else ends.pop()
        self.values |= {
            op.results[n]: self.node(list(ends), CHOICE) for n, ends in enumerate(zip(*yielded, strict=True))
        }

    def times(self, usable: int, origin: int | None = None) -> list[Time | None]:
        """When each node has its result, with so many picoseconds in a stage.

        With an origin, counted from that node alone: None for a node that does not need it.
        """
        found: list[Time | None] = []
        for number, (after, delay, cycles) in enumerate(self.nodes):
            known = [time for n in after if (time := found[n]) is not None]
            if not known and (after if origin is None else number != origin):
                found.append(None)
                continue
            stage, over = max(known, default=(0, 0))
            if cycles:
                found.append((stage + cycles, 0))
            elif over + delay <= usable:
                found.append((stage, over + delay))
            elif delay <= usable:
                found.append((stage + 1, delay))
            else:  # in stages of its own
                found.append((stage + (over > 0) + ceil(delay / usable), 0))
        return found

    def depth(self, usable: int) -> int:
        """Stages from the reads to the writes, both included."""
        times = self.times(usable)
        return max([2, *(time[0] + 1 for n in self.writes if (time := times[n]) is not None)])

    def interval(self, usable: int) -> int:
        """Cycles between two iterations, so that each finds in every array what those before have stored."""
        cycles = [1]
        for array, origin in self.before.items():
            end = self.contents[array]
            if end not in (None, origin) and (time := self.times(usable, origin)[end]) is not None:
                stage, over = time
                cycles.append(ceil((stage + (over > 0)) / self.distance(array)))
        return max(cycles)

    def distance(self, array: ir.Value) -> int:
        """Iterations until an element is accessed again, at least: as many as the innermost loops that address it have.

        One where the accesses of the array do not all address it alike.
        """
        nest, depth = self.task.nest, len(self.task.nest.loops)
        indices = {
            tuple(e for e in access.exprs if any(d < depth for d in dims_of(e)))
            for access in nest.accesses
            if access.buffer == array
        }
        forms = [form[0] for e in indices.pop() if (form := linear(e)) is not None] if len(indices) == 1 else []
        addressing = {dim for form in forms if len(form) == 1 for dim in form}
        distance = 1
        for loop in reversed(range(depth)):
            if nest.extents[loop] > 1 and loop not in addressing:
                break
            distance *= nest.extents[loop]
        return distance


def usable_time(clock_mhz: float) -> int:
    """Picoseconds of a clock period, of a clock above 0, that the delays of a stage may take together."""
    return int(1e6 / clock_mhz * USABLE)
