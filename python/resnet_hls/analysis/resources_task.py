# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Structures of a scheduled task in its IR, each priced with `costs`. Reads the IR only.

What counts is how often an operation is there: once for each lane of the unrolled loops on which its operands depend.
Values that are stored to registers and read in the same iteration are wires; what an iteration finds there from those
before is a register.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, prod

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis import costs
from resnet_hls.analysis.costs import Resources
from resnet_hls.analysis.latency import READ_CYCLES, accumulation, same_element
from resnet_hls.analysis.nests import linear
from resnet_hls.analysis.resources_values import Lanes, Ranges, bits_of_array, is_fabric, is_packed, unpacked
from resnet_hls.analysis.tasks import Task
from resnet_hls.ir_utils import dims_of

#: The parts into which a task is broken down.
STRUCTURES = (
    "products",
    "adder trees",
    "requantization",
    "memories",
    "weights",
    "window",
    "control",
    "pipeline registers",
)
_WIRING = {"arith.constant", "arith.extsi", "arith.extui", "arith.trunci", "memref.get_global", "memref.alloc"}


@dataclass
class Structures:
    """What one walk through the iteration of a task finds.

    Args:
        task: scheduled.
        storage: `hls.storage` of every array and constant that the task names.
        family: of the device.
    """

    task: Task
    storage: Mapping[ir.Value, str]
    family: str
    found: dict[str, Resources] = field(default_factory=lambda: defaultdict(Resources))
    lanes: Lanes = field(default_factory=Lanes)
    ranges: Ranges = field(default_factory=Ranges)
    #: Operations whose sums have so many addends at a time, with the bits of each, and how many such sums there are.
    trees: dict[ir.Operation, tuple[int, int, int]] = field(default_factory=dict)
    #: Values that wait until they are used: a value, its bits, and how many of it there are.
    live: list[tuple[ir.Value, int, int]] = field(default_factory=list)
    #: Arrays that keep something from one iteration to the next.
    state: set[ir.Value] = field(default_factory=set)
    _filled: dict[ir.Value, int] = field(default_factory=dict)
    _latest: dict[ir.Value, ir.Operation] = field(default_factory=dict)
    _chosen: set[ir.Value] = field(default_factory=set)
    _written: set[ir.Value] = field(default_factory=set)
    #: What was filled where each of the conditions around an operation begins.
    _entered: list[dict[ir.Value, int]] = field(default_factory=list)
    _conditions: set[tuple[str, tuple[ir.Value, ...]]] = field(default_factory=set)

    def __post_init__(self) -> None:
        outer = [o.operation for o in iu.body(self.task.op).operations if o.operation.name != "affine.for"]
        self.statements(outer)
        self.statements(iu.block_operations(self.task.nest.block))

    def add(self, structure: str, what: Resources, copies: float = 1) -> None:
        self.found[structure] += what * copies

    def statements(self, ops: list[ir.Operation]) -> None:
        for op in ops:
            if op.name == "affine.for":
                self.lanes.enter(op)
                self.statements(iu.block_operations(iu.body(op)))
                self.lanes.leave()
            elif op.name == "affine.if":
                self.condition(op)
            elif op.name == "affine.store":
                self.store(op)
            elif op.name == "affine.load":
                self.load(op)
            elif op.name == "hls.read":
                self.fill(op.operands[1])
                self.add("pipeline registers", costs.registers(bits_of_array(op.operands[1])))
            elif op.name == "hls.write":
                self.need(op.operands[0])
            else:
                self.compute(op)

    # Values

    def compute(self, op: ir.Operation) -> None:
        shared = self.lanes.result(op)
        copies = self.lanes.copies(shared)
        if not isinstance(op.results[0].type, ir.IntegerType):
            return
        self.ranges.result(op)
        bits = self.ranges.bits(op.results[0])
        if op.name in _WIRING:
            pass
        elif op.name == "arith.muli":
            self.product(op, copies)
        elif op.name in {"arith.addi", "arith.subi"} and (added := accumulation(op)) is not None:
            self.sum(op, *added)
            return
        else:
            self.add("requantization", self.operation(op, bits), copies)
        if op.name != "arith.constant":
            self.live.append((op.results[0], bits, copies))

    def product(self, op: ir.Operation, copies: int) -> None:
        """One DSP slice for each pair of parts of its operands, and for one whose operand holds two; or LUTs."""
        left, right = map(self.ranges.bits, op.operands)
        if any(is_packed(operand) for operand in op.operands):
            self.add("products", Resources(dsp=1), copies)
        elif is_fabric(op):
            self.add("products", costs.fabric_product(left, right) + costs.registers(left + right), copies)
        else:
            self.add("products", Resources(dsp=costs.slices(left, right, self.family)), copies)

    def sum(self, op: ir.Operation, load: ir.Operation, addend: ir.Value) -> None:
        """What all lanes add to an element, and to what it holds unless zero: a tree, or a cascade of slices."""
        variables = self.lanes.variables
        addressing = self.lanes.addressing(load)
        own = self.lanes.of_array.get(load.operands[0], frozenset())
        adding = variables - addressing - own
        lanes, copies = self.lanes.copies(adding), self.lanes.copies(variables - adding)
        bits = self.ranges.bits(addend)
        if any(filled.get(load.operands[0], 0) for filled in self._entered):  # an addend, or zero
            self.add("adder trees", costs.guard(bits), self.lanes.copies(variables))
        if any("hls.cascade" in loop.attributes for loop in self.lanes.loops if iu.body(loop).arguments[0] in adding):
            self.cascade(addend, lanes, adding)
            return
        start = self.ranges.of_value.get(load.results[0])
        count = lanes + (start != (0, 0))
        most = ir.IntegerType(op.results[0].type).width
        self.add("adder trees", costs.adder_tree(count, bits, most), copies)
        if start != (0, 0):  # the element is as wide as its type, whatever is added to it
            self.add("adder trees", costs.adder(max(0, most - costs.tree_bits(count, bits, most))), copies)
        self.trees[op] = (count, bits, copies)
        self.live.append((op.results[0], most, copies))

    def cascade(self, product: ir.Value, links: int, along: frozenset[ir.Value]) -> None:
        """Each slice adds to what the one before it passes on: the operands of a link come a cycle after the last's."""
        op = iu.defining_op(product)
        while op is not None and op.name in {"arith.extsi", "arith.trunci"}:
            op = iu.defining_op(op.operands[0])
        for operand in [] if op is None else op.operands:
            shared = self.lanes.of_value.get(operand, frozenset())
            bits = sum(self.ranges.bits(part) for part in unpacked(operand))
            if shared & along:
                copies = self.lanes.copies(shared - along)
                for cycles in range(1, links):
                    self.add("products", costs.delay(cycles, bits), copies)

    def operation(self, op: ir.Operation, bits: int) -> Resources:
        """One of the operations of `arith` that are no products, and of the lanes of packed sums."""
        constant = any(low == high for low, high in (self.ranges.of_value.get(v, (0, 1)) for v in op.operands))
        widest = max(map(self.ranges.bits, op.operands), default=1)
        if op.name in {"arith.addi", "arith.subi"}:
            return costs.adder(bits)
        if op.name in {"arith.andi", "arith.ori", "arith.xori"}:
            return costs.guard(0 if constant else bits)
        if op.name in {"arith.maxsi", "arith.minsi", "arith.maxui", "arith.minui"}:
            if constant:
                return costs.clamp(widest, bits) if bits < widest else costs.guard(bits)
            return costs.comparison(widest) + costs.choice(2, bits)
        if op.name == "arith.cmpi":
            return costs.comparison(widest)
        if op.name == "arith.select":
            return costs.choice(2, bits)
        if op.name == "hls.pack" and any(is_packed(operand) for operand in op.operands):
            return costs.adder(bits)  # the slice adds two numbers before it multiplies, not three
        return Resources()  # shifts by constants, packing and unpacking are wires

    # Arrays

    def load(self, op: ir.Operation) -> None:
        array = op.operands[0]
        shared = self.lanes.result(op)
        copies, place = self.lanes.copies(shared), self.storage[array]
        latest = self._latest.get(array)
        forwarded = latest is not None and same_element(op, latest)
        if not forwarded and array not in self._filled:
            self.ranges.of_array.pop(array, None)
        self.ranges.result(op)
        if forwarded:
            return
        bits = ir.IntegerType(op.results[0].type).width
        if not READ_CYCLES.get(place, 2):
            self.need(array)
            self.add("window", costs.choice(self.ways(op), bits), copies)
            if array in self._chosen:
                self.add("window", costs.choice(2, bits), copies)
        self.live.append((op.results[0], bits, copies))

    def store(self, op: ir.Operation) -> None:
        array = op.operands[1]
        added = accumulation(iu.defining_op(op.operands[0]))
        adding = 1
        if added is not None:
            own = self.lanes.of_array.get(array, frozenset())
            adding = self.lanes.copies(self.lanes.variables - self.lanes.addressing(op) - own)
        self.lanes.store(op)
        self.ranges.store(op, adding)
        self._latest[array] = op
        self._written.add(array)
        if self.storage[array] == "register":
            copies = self.lanes.copies(self.lanes.addressing(op))
            if (ways := self.ways(op)) > 1:
                self.add("window", costs.scatter(ways))
            else:
                self._filled[array] = self._filled.get(array, 0) + copies

    def fill(self, array: ir.Value) -> None:
        self._filled[array] = prod(ir.MemRefType(array.type).shape)
        self._latest.pop(array, None)
        self._written.add(array)

    def need(self, array: ir.Value) -> None:
        """What is read here and has not been written as a whole in this iteration is from one before."""
        if self._filled.get(array, 0) < prod(ir.MemRefType(array.type).shape):
            self.state.add(array)

    def ways(self, op: ir.Operation) -> int:
        """Among how many elements the loops of the task choose the one of an access, for a lane."""
        depth, extents = len(self.task.nest.loops), self.task.nest.extents
        kind = ir.MemRefType(iu.accessed_memref(op).type)
        ways = 1
        for size, expr in zip(kind.shape, self.task.nest.access(op).exprs, strict=True):
            dims = {d for d in dims_of(expr) if d < depth}
            if dims:
                form = linear(expr)
                ways *= size if form is None else min(size, prod(extents[d] for d in dims))
        return ways

    def condition(self, op: ir.Operation) -> None:
        """A condition, and values that depend on it: one of two, or a value and zero."""
        text, variables = str(op.attributes["condition"]), list(op.operands)
        constraints = iu.set_constraints(op.attributes["condition"])
        used = set().union(*(dims_of(expr) for expr, _ in constraints))
        named = frozenset(variables[d] for d in used)
        operands = named & self.lanes.variables
        if named and named == operands:
            self.mask(op, operands, self.lanes.share(constraints, variables))
            return
        if (text, tuple(variables)) not in self._conditions:
            self._conditions.add((text, tuple(variables)))
            self.add("control", self.tests(len(constraints)), self.lanes.copies(operands))
        before = dict(self._filled), dict(self._latest)
        self._entered.append(before[0])
        outside, self._written = self._written, set()
        yielded: list[list[ir.Value]] = []
        for region in op.regions:
            for block in region.blocks:
                self._filled, self._latest = dict(before[0]), dict(before[1])
                self.statements(iu.block_operations(block))
                yielded.append(list(list(block.operations)[-1].operands) if op.results else [])
        written, self._written = self._written, outside | self._written
        self._filled, self._latest = before
        del self._entered[-1]
        for array in written:
            self._latest.pop(array, None)
            if self._filled.get(array, 0) == 0 and self.storage[array] == "register":
                self._chosen.add(array)
                self.ranges.of_array.pop(array, None)
        for n, result in enumerate(op.results):
            sides = [side[n] for side in yielded]
            shared = operands.union(*(self.lanes.of_value.get(v, frozenset()) for v in sides))
            self.lanes.of_value[result] = shared
            bits = max(map(self.ranges.bits, sides))
            zero = any(self.ranges.of_value.get(v) == (0, 0) for v in sides)
            self.add("window", costs.guard(bits) if zero else costs.choice(2, bits), self.lanes.copies(shared))
            self.live.append((result, bits, self.lanes.copies(shared)))

    def mask(self, op: ir.Operation, operands: frozenset[ir.Value], share: Fraction) -> None:
        """A condition on lanes alone: each lane is one of the sides, and chooses nothing."""
        yielded = []
        for region, part in zip(op.regions, (share, 1 - share), strict=True):
            self.lanes.masks.append((operands, part))
            for block in region.blocks:
                self.statements(iu.block_operations(block))
                yielded.append(list(list(block.operations)[-1].operands) if op.results else [])
            self.lanes.masks.pop()
        for n, result in enumerate(op.results):
            sides = [side[n] for side in yielded]
            self.lanes.of_value[result] = operands.union(*(self.lanes.of_value.get(v, frozenset()) for v in sides))

    def tests(self, constraints: int) -> Resources:
        """Comparisons of counters with constants, of which a LUT takes six bits, and what becomes of all of them."""
        widest = max(costs.bits_of(n) for n in self.task.nest.extents)
        return Resources(lut=constraints * ceil(widest / 6) * 0.5 + 0.5)
