# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-narrow-integers: every integer of a task as narrow as the values that it can have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import arith

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.accumulation import addition_in_place
from resnet_hls.analysis.intervals import Interval, bits_of
from resnet_hls.analysis.ranges import Ranges, element_width, ranges_of, width_of
from resnet_hls.passes._registry import Pass, register_pass

#: The low bits of these results follow from the low bits of the operands.
_MODULAR = {"arith.addi", "arith.subi", "arith.muli", "arith.andi", "arith.ori", "arith.xori", "arith.shli"}
#: These ask for all of their operands, and are the same in every type that has room for them.
_WHOLE = {"arith.maxsi", "arith.minsi", "arith.shrsi"}
_EXTREMES = {"arith.maxsi", "arith.minsi"}
#: And these where no operand is negative.
_UNSIGNED = {"arith.maxui", "arith.minui", "arith.shrui"}
_CASTS = {"arith.extsi", "arith.extui", "arith.trunci"}
#: The first predicate of arith.cmpi that reads its operands as unsigned.
_ULT = 6
#: hls-place-memories tells accumulators from feature maps by elements of more than eight bits.
_LEAST_ACCUMULATOR = 9


class _Task:
    """Narrows one task in place.

    `now` tells what has taken a value's place: the same number, read as signed, in a type that has room for it.
    """

    def __init__(self, ranges: Ranges, constants: dict[str, ir.Operation]) -> None:
        self.task, self.ranges, self.constants = ranges.task.op, ranges, constants
        self.now: dict[ir.Value, ir.Value] = {}
        self.casts: dict[tuple[ir.Value, int], ir.Value] = {}
        # Types change on the way; these are the ones before, and what they hold.
        results = [result for op in iu.walk(self.task) for result in op.results]
        values = [result for result in results if isinstance(result.type, ir.IntegerType)]
        self.width = {value: width_of(value.type) for value in values}
        self.range = {value: ranges.value(value) for value in values}
        self.wide = {op.results[0]: self.array_bits(op) for op in iu.walk(self.task, "memref.alloc")}

    def array_bits(self, op: ir.Operation) -> int:
        """Of an element, as it shall be."""
        before = element_width(op.results[0])
        if any(user.name in {"hls.read", "hls.write"} for user in iu.users(op.results[0])):
            return before  # the words of its stream are so wide
        return max(self.ranges.array(op.results[0]).bits, _LEAST_ACCUMULATOR if before >= _LEAST_ACCUMULATOR else 1)

    def run(self) -> None:
        operations = iu.walk(self.task)
        for op in operations:
            with op.location:
                self.narrow(op)
        for op in reversed(operations):
            if op.name.startswith("arith."):
                iu.erase_if_unused(op)

    def narrow(self, op: ir.Operation) -> None:
        if op.name == "memref.alloc":
            kind = ir.MemRefType(op.results[0].type)
            op.results[0].set_type(ir.MemRefType.get(kind.shape, iu.integer_type(self.wide[op.results[0]])))
        elif op.name == "memref.get_global":
            constant = self.constants[ir.FlatSymbolRefAttr(op.attributes["name"]).value]
            op.results[0].set_type(ir.TypeAttr(constant.attributes["type"]).value)
        elif op.name == "affine.load":
            op.results[0].set_type(ir.MemRefType(op.operands[0].type).element_type)
        elif op.name == "affine.store":
            op.operands[0] = self.cast(op.operands[0], element_width(op.operands[1]))
        elif op.name == "affine.if":
            for result in op.results:
                result.set_type(iu.integer_type(self.range[result].bits))
        elif op.name == "affine.yield":
            self.rewrite(op, [width_of(result.type) for result in op.parent.operation.results])
        elif op.name in _CASTS:
            self.narrow_cast(op)
        elif op.name.startswith("arith.") and op.name != "arith.constant":
            self.narrow_arithmetic(op)

    def narrow_cast(self, op: ir.Operation) -> None:
        source, result = op.operands[0], op.results[0]
        before = self.range[source]
        if op.name == "arith.extui" and before.least < 0:
            op.operands[0] = self.cast(source, self.width[source])
            result.set_type(iu.integer_type(self.range[result].bits))
        elif op.name == "arith.trunci" and before.bits > self.width[result]:
            op.operands[0] = self.now.get(source, source)
        else:  # the number stays as it is
            self.now[result] = self.now.get(source, source)

    def narrow_arithmetic(self, op: ir.Operation) -> None:
        ranges = [self.range[operand] for operand in op.operands if operand in self.range]
        kept = self.one_of_two(op)
        if kept is not None:
            self.now[op.results[0]] = self.now.get(kept, kept)
        elif len(ranges) < len(op.operands):
            self.rewrite(op, [self.width.get(operand, 0) for operand in op.operands])
        elif op.name in _MODULAR:
            self.retype(op, self.modular_bits(op))
        elif op.name == "arith.select":
            bits = self.range[op.results[0]].bits
            self.rewrite(op, [1, bits, bits])
            op.results[0].set_type(iu.integer_type(bits))
        elif op.name == "arith.cmpi" and (ir.IntegerAttr(op.attributes["predicate"]).value < _ULT or _natural(ranges)):
            self.rewrite(op, [max(range.bits for range in ranges)] * 2)
        elif op.name in _WHOLE or (op.name in _UNSIGNED and _natural(ranges)):
            bits = max(range.bits for range in [*ranges, self.range[op.results[0]]])
            self.retype(op, self.with_count(op, max(bits, self.clamped_bits(op))))
        else:
            self.rewrite(op, [self.width[operand] for operand in op.operands])

    def modular_bits(self, op: ir.Operation) -> int:
        """Of an operation whose low bits do not depend on others."""
        users = iu.users(op.results[0])
        if len(users) == 1 and users[0].name == "affine.store" and addition_in_place(users[0]) is not None:
            return element_width(users[0].operands[1])
        bits = self.range[op.results[0]].bits
        if op.name == "arith.muli":  # a product of bytes stays one: its operands are extended, never cut
            bits = max(bits, *(width_of(self.now.get(operand, operand).type) + 1 for operand in op.operands))
        return self.with_count(op, bits)

    def with_count(self, op: ir.Operation, bits: int) -> int:
        """`bits`, or more where a shift by more could not be told."""
        return max(bits, self.range[op.operands[1]].most + 1) if op.name.startswith("arith.sh") else bits

    def clamped_bits(self, op: ir.Operation) -> int:
        """Of a maximum in a minimum, or the other way round: in one type they are a clamp."""
        inner = [iu.defining_op(self.now.get(operand, operand)) for operand in op.operands]
        extremes = [o for o in inner if o is not None and o.name in {"arith.maxsi", "arith.minsi"}]
        return max(
            (width_of(o.results[0].type) for o in extremes if op.name in {"arith.maxsi", "arith.minsi"}), default=1
        )

    def one_of_two(self, op: ir.Operation) -> ir.Value | None:
        """The operand that a maximum or minimum always is."""
        if op.name not in _EXTREMES:
            return None
        for value, other in (list(op.operands), list(op.operands)[::-1]):
            a, b = self.range[value], self.range[other]
            if a.least >= b.most if op.name == "arith.maxsi" else a.most <= b.least:
                return value
        return None

    def retype(self, op: ir.Operation, bits: int) -> None:
        bits = min(bits, self.width[op.results[0]])
        self.rewrite(op, [bits] * len(op.operands))
        op.results[0].set_type(iu.integer_type(bits))

    def rewrite(self, op: ir.Operation, widths: list[int]) -> None:
        for number, bits in enumerate(widths):
            if op.operands[number] in self.width:
                op.operands[number] = self.cast(op.operands[number], bits)

    def cast(self, value: ir.Value, bits: int) -> ir.Value:
        """A value in so many bits: the number where there is room for it, its low bits where there is not."""
        value = self.now.get(value, value)
        if width_of(value.type) == bits:
            return value
        if (value, bits) not in self.casts:
            op = iu.defining_op(value)
            assert op is not None, "tasks have no integers but results"
            with ir.InsertionPoint.after(op), op.location:
                self.casts[value, bits] = _cast(op, value, bits)
        return self.casts[value, bits]


def _cast(op: ir.Operation, value: ir.Value, bits: int) -> ir.Value:
    kind = iu.integer_type(bits)
    if op.name == "arith.constant":
        number = int(ir.IntegerAttr(op.attributes["value"]).value) & (2**bits - 1)
        return iu.int_constant(number - 2**bits if number >> (bits - 1) else number, bits)
    if op.name == "arith.extui":
        value = op.operands[0]
        if width_of(value.type) < bits:
            return arith.extui(kind, value)
    if width_of(value.type) == bits:
        return value
    return arith.extsi(kind, value) if width_of(value.type) < bits else arith.trunci(kind, value)


def _natural(ranges: list[Interval]) -> bool:
    return all(range.least >= 0 for range in ranges)


def _narrow_constants(module: ir.Operation) -> dict[str, ir.Operation]:
    """The constants by symbol, those that two bytes, or one, have room for in so many."""
    reader, found = iu.ConstantReader(module), {}
    for op in iu.walk(module, "memref.global"):
        found[ir.StringAttr(op.attributes["sym_name"]).value] = op
        kind = ir.MemRefType(ir.TypeAttr(op.attributes["type"]).value)
        array = reader.array(op.attributes["initial_value"])
        bits = 8 if bits_of(int(array.min()), int(array.max())) <= 8 else 16
        if bits_of(int(array.min()), int(array.max())) <= bits < width_of(kind.element_type):
            op.attributes["type"] = ir.TypeAttr.get(ir.MemRefType.get(kind.shape, iu.integer_type(bits)))
            op.attributes["initial_value"] = iu.dense(np.ascontiguousarray(array.astype(f"i{bits // 8}")))
    return found


@register_pass
@dataclass(frozen=True)
class NarrowIntegers(Pass):
    """Give every integer of a task the fewest bits that hold the values that it can have.

    Before: tiled tasks, on i32 wherever a network sums up or rounds. After: accumulators, sums, products and what is
    done to them have types like i19; extensions and truncations stand between different widths, which cost nothing in
    hardware; a maximum or minimum that always is the same operand is gone. Constants take two bytes or one where they
    have room (biases). Words of streams, and with them the ports, stay as they are.

    What values there are follows from the weights themselves and from what a task's streams carry
    (`analysis/ranges.py`): an accumulator holds every sum of its products, in the order of the steps, for any image.
    Where nothing is known of an operation, its result may be any number of its type, and its operands keep theirs.
    """

    name: ClassVar[str] = "hls-narrow-integers"

    def run(self, op: ir.Operation) -> None:
        found = ranges_of(op)
        constants = _narrow_constants(op)
        for ranges in found.values():
            _Task(ranges, constants).run()
