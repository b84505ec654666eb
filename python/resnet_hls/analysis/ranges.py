# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which values a task's integers can have: intervals, from constants, types and what streams carry. Reads the IR only.

A value is an interval for every iteration of the loops around it in which it may differ (`intervals.py`): products with
constant weights are known lane by lane and step by step. Arrays are of two kinds:

* One that is added to in place is followed element by element through every store (`accumulation.py`), so that its
  range is that of all sums that stand in it at any time, and no larger.
* Any other is one interval for all that is ever stored in it. Where arrays are copied to each other in a circle (line
  buffers, windows), the task is evaluated again until nothing changes.

What is read before anything is stored counts as nothing, since no result may depend on it. What cannot be told is the
range of the type. Tasks are taken in the order in which data flows, so that a task knows what its streams carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.accumulation import (
    Accumulation,
    Clock,
    addition_in_place,
    grids_of,
    index_of,
    is_added_to,
    loops_around,
)
from resnet_hls.analysis.intervals import Array, Interval, result_of
from resnet_hls.analysis.overlap import OVERLAP
from resnet_hls.analysis.tasks import Task, tasks, the_dataflow
from resnet_hls.dialects.hls import hls

#: How often a task is evaluated before what still changes counts as any value of its type.
_ROUNDS = 6


def ranges_of(module: ir.Operation) -> dict[ir.Operation, Ranges]:
    """The ranges of every task of a module, by its operation."""
    reader = iu.ConstantReader(module)
    constants = {
        ir.StringAttr(op.attributes["sym_name"]).value: reader.array(op.attributes["initial_value"]).astype(np.int64)
        for op in iu.walk(module, "memref.global")
    }
    found: dict[ir.Operation, Ranges] = {}
    streams: dict[ir.Value, Interval] = {}
    for task in tasks(the_dataflow(module)):
        ranges = Ranges(task, constants, {s: streams.get(s, _of_stream(s)) for s in task.inputs})
        streams |= {stream: ranges.outputs.get(stream) or _of_stream(stream) for stream in task.outputs}
        found[task.op] = ranges
    return found


def _of_stream(stream: ir.Value) -> Interval:
    return Interval.of_type(width_of(hls.element_of(stream.type).element_type))


def width_of(kind: ir.Type) -> int:
    """Bits of an integer type."""
    width: int = ir.IntegerType(kind).width
    return width


def element_width(array: ir.Value) -> int:
    """Bits of an element of an array of integers."""
    return width_of(ir.MemRefType(array.type).element_type)


@dataclass
class Ranges:
    """The ranges of one task.

    Args:
        task: the task.
        constants: elements of the module's constants, by symbol.
        inputs: of the elements of the streams that it reads.

    Attributes:
        outputs: of the elements of the streams that it writes, as far as it writes anything.
    """

    task: Task
    constants: Mapping[str, Array]
    inputs: Mapping[ir.Value, Interval]
    outputs: dict[ir.Value, Interval] = field(default_factory=dict)
    #: What stands in each array, and what each value is; None where nothing has been stored yet.
    _arrays: dict[ir.Value, Interval | None] = field(default_factory=dict)
    _values: dict[ir.Value, Interval | None] = field(default_factory=dict)
    _followed: dict[ir.Value, Accumulation] = field(default_factory=dict)
    _globals: dict[ir.Value, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        allocs = [op.results[0] for op in iu.walk(self.task.op, "memref.alloc")]
        self._arrays |= dict.fromkeys(allocs)
        for op in iu.walk(self.task.op, "memref.get_global"):
            self._globals[op.results[0]] = self.constants[ir.FlatSymbolRefAttr(op.attributes["name"]).value]
        clock = Clock(self.task.op)
        follow = [] if OVERLAP in self.task.nest.root.attributes else [a for a in allocs if is_added_to(a)]
        self._evaluate(clock, follow)

    def value(self, value: ir.Value) -> Interval:
        """All values that an integer of the task can have."""
        found = self._values.get(value)
        return Interval.of_type(width_of(value.type)) if found is None else found.whole

    def array(self, array: ir.Value) -> Interval:
        """All values that stand in an array, a memref.alloc's or memref.get_global's result, at any time."""
        if array in self._globals:
            constant = self._globals[array]
            return Interval.of(int(constant.min()), int(constant.max()))
        return self._arrays[array] or Interval.of_type(element_width(array))

    def _evaluate(self, clock: Clock, follow: list[ir.Value]) -> None:
        number = 0
        while True:
            number += 1
            self._values, self.outputs = {}, {}
            self._followed = {array: Accumulation(array, clock) for array in follow}
            before = dict(self._arrays)
            try:
                self._block(iu.body(self.task.op), 0)
                for array in follow:
                    self._solve(array)
            except _NotFollowed as failure:  # any other array from now on
                follow = [array for array in follow if array != failure.array]
                continue
            changed = [array for array, range in self._arrays.items() if not _same(range, before[array])]
            loaded = [a for a in changed if a not in follow and any(_is_read(use) for use in a.uses)]
            if not loaded:
                return
            if number >= _ROUNDS:
                self._arrays |= {array: Interval.of_type(element_width(array)) for array in loaded}

    def _block(self, block: ir.Block, rank: int) -> None:
        for op in (o.operation for o in block.operations):
            if op.name == "affine.for":
                self._block(iu.body(op), rank + 1)
            elif op.name == "affine.if":
                self._choice(op, rank)
            elif op.name == "affine.store":
                self._store(op)
            elif op.name == "affine.load":
                self._values[op.results[0]] = self._load(op)
            elif op.name == "hls.read":
                self._join(op.operands[1], self.inputs[op.operands[0]])
            elif op.name == "hls.write":
                stored, stream = self._arrays[op.operands[0]], op.operands[1]
                if stored is not None:
                    self.outputs[stream] = self.outputs.get(stream, stored).join(stored)
            elif len(op.results) == 1 and isinstance(op.results[0].type, ir.IntegerType):
                self._values[op.results[0]] = self._result(op, rank)

    def _choice(self, op: ir.Operation, rank: int) -> None:
        sides = []
        for region in op.regions:
            for block in region.blocks:
                self._block(block, rank)
                yielded = list(block.operations)[-1].operands
                sides.append([self._operand(value, rank) for value in yielded])
        for result, values in zip(op.results, zip(*sides, strict=True), strict=True):
            known = [value for value in values if value is not None]
            self._values[result] = None if not known else known[0] if len(known) == 1 else known[0].join(known[1])

    def _operand(self, value: ir.Value, rank: int) -> Interval | None:
        if not isinstance(value.type, ir.IntegerType):
            return None
        if value not in self._values:
            return Interval.of_type(width_of(value.type))
        found = self._values[value]
        return None if found is None else found.lifted(rank)

    def _result(self, op: ir.Operation, rank: int) -> Interval | None:
        width = width_of(op.results[0].type)
        if op.name == "arith.constant":
            number = int(ir.IntegerAttr(op.attributes["value"]).value) & (2**width - 1)
            return Interval.of(number - 2**width if number >> (width - 1) else number)
        if not op.name.startswith("arith.") or not len(op.operands):
            return Interval.of_type(width)
        operands = [self._operand(value, rank) for value in op.operands]
        known = [operand for operand in operands if operand is not None]
        if len(known) < len(operands):
            return None
        last = op.operands[len(op.operands) - 1].type
        return result_of(op.name, width, known, width_of(last) if isinstance(last, ir.IntegerType) else 64)

    def _load(self, op: ir.Operation) -> Interval | None:
        array = op.operands[0]
        if array in self._globals:
            constant, index = self._globals[array], index_of(op, grids_of(loops_around(op)))
            # An index beyond the end is one of an iteration in which a condition keeps the load from happening.
            elements = constant[tuple(np.clip(i, 0, n - 1) for i, n in zip(index, constant.shape, strict=True))]
            return Interval(elements, elements)
        if array not in self._followed:
            return self._arrays[array]
        if any(addition_in_place(user) for user in _stores_of_sum(op)):
            return self._arrays[array]  # the addition's own: `_solve` tells what is in it
        self._solve(array)
        return self._followed[array].loaded(op) if self._arrays[array] is not None else None

    def _store(self, op: ir.Operation) -> None:
        value, array = op.operands[0], op.operands[1]
        if array not in self._followed:
            found = self._operand(value, len(loops_around(op)))
            if found is not None:
                self._join(array, found)
            return
        addition = addition_in_place(op)
        stored = self._operand(value if addition is None else addition[1], len(loops_around(op)))
        if stored is not None:
            self._followed[array].stored[op] = stored

    def _solve(self, array: ir.Value) -> None:
        """What stands in a followed array; all stores to it must have been seen."""
        followed = self._followed[array]
        stores = [op for op in iu.users(array) if op.name == "affine.store"]
        if any(store not in followed.stored for store in stores):
            raise _NotFollowed(array)
        range = followed.solve() if not followed.solved else self._arrays[array]
        if range is None or range.bits > element_width(array):
            raise _NotFollowed(array)
        self._arrays[array] = range
        for store in stores:
            if (addition := addition_in_place(store)) is not None:
                self._values[addition[0].results[0]] = self._values[store.operands[0]] = range

    def _join(self, array: ir.Value, range: Interval) -> None:
        before = self._arrays[array]
        self._arrays[array] = range.whole if before is None else before.join(range.whole)


class _NotFollowed(Exception):
    """An array that cannot be followed element by element."""

    def __init__(self, array: ir.Value) -> None:
        super().__init__()
        self.array = array


def _same(a: Interval | None, b: Interval | None) -> bool:
    return (a is b) if a is None or b is None else (a.least, a.most) == (b.least, b.most)


def _is_read(use: ir.OpOperand) -> bool:
    return use.owner.operation.name in {"affine.load", "hls.write"}


def _stores_of_sum(load: ir.Operation) -> list[ir.Operation]:
    """The stores of the sums that a loaded value is part of."""
    sums = [user for user in iu.users(load.results[0]) if user.name == "arith.addi"]
    stores = [store for addition in sums for store in iu.users(addition.results[0]) if store.name == "affine.store"]
    return [store for store in stores if iu.accessed_memref(store) == iu.accessed_memref(load)]
