# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One hls.task as a C++ function."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import trip_count
from resnet_hls.analysis.tasks import Task, lanes_of, stream_name, transfer_of
from resnet_hls.dialects.hls import hls
from resnet_hls.emit.affine_text import AffineText, Variable
from resnet_hls.emit.expressions import Text, cast, constant, exact, expression, type_name, width_of
from resnet_hls.passes._registry import PassFailure

#: Loop variables by label; another label gives its singular.
_VARIABLES = {"rows": "y", "columns": "x", "taps": "tap"}
_STORAGE = {
    "lutram": "type=ram_s2p impl=lutram",
    "bram": "type=ram_s2p impl=bram",
    "rom_lutram": "type=rom_1p impl=lutram",
    "rom_bram": "type=rom_1p impl=bram",
}


def word_type(stream: ir.Value) -> str:
    element = ir.IntegerType(hls.element_of(stream.type).element_type)
    return f"word<{type_name(element.width)}, {lanes_of(stream)}>"


@dataclass
class Array:
    """An array of the task: its C++ name, how many address dimensions it has, and the extents of its lanes (None: no words)."""

    name: str
    address: int
    lanes: list[int] | None
    constant: bool = False


@dataclass
class TaskWriter:
    """Writes one function. `arrays_of_constants` tells the C++ name of a weight array by its symbol."""

    task: Task
    constants: dict[str, str]
    lines: list[str] = field(default_factory=list)
    indent: int = 1
    arrays: dict[ir.Value, Array] = field(default_factory=dict)
    values: dict[ir.Value, Text] = field(default_factory=dict)
    variables: list[tuple[ir.Value, Variable]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def line(self, text: str) -> None:
        self.lines.append(("  " * self.indent if text and not text.startswith("#") else "") + text)

    def unique(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self.names:
            number += 1
            name = f"{wanted}_{number}"
        self.names.add(name)
        return name

    def parameters(self) -> list[str]:
        return [f"hls::stream<{word_type(s)}>& {stream_name(s)}" for s in [*self.task.inputs, *self.task.outputs]]

    def function(self) -> str:
        self.names |= {stream_name(s) for s in [*self.task.inputs, *self.task.outputs]}
        for op in (o.operation for o in iu.body(self.task.op).operations):
            self.statement(op)
        return f"{self.signature()} {{\n" + "\n".join(self.lines) + "\n}\n"

    def signature(self) -> str:
        """`void name(parameters)`, a parameter a line where one line is not enough."""
        parameters = self.parameters()
        start = f"void {self.task.name}("
        joined = ", ".join(parameters)
        if len(start) + len(joined) < 117:
            return f"{start}{joined})"
        return start + (",\n" + " " * len(start)).join(parameters) + ")"

    # --- declarations ----------------------------------------------------------------------------------------------------

    def declare(self, op: ir.Operation) -> None:
        buffer = op.results[0]
        kind = ir.MemRefType(buffer.type)
        element = type_name(ir.IntegerType(kind.element_type).width)
        is_word = any(use.owner.operation.name in {"hls.read", "hls.write"} for use in buffer.uses)
        lanes = (
            len(kind.shape)
            if is_word
            else ir.IntegerAttr(op.attributes["hls.lanes"]).value
            if "hls.lanes" in op.attributes
            else 0
        )
        wanted = ir.StringAttr(op.attributes["hls.name"]).value if "hls.name" in op.attributes else "word_buffer"
        name = self.unique(wanted)
        address = list(kind.shape)[: len(kind.shape) - lanes]
        array = Array(name, len(address), list(kind.shape)[len(address) :] if lanes or is_word else None)
        self.arrays[buffer] = array
        if array.lanes is not None:
            element = f"word<{element}, {int(np.prod(array.lanes, dtype=np.int64))}>"
        self.line(f"{element} {name}{''.join(f'[{n}]' for n in address)};")
        if address:
            self.directives(op, array)

    def directives(self, op: ir.Operation, array: Array) -> None:
        if array.lanes is not None:
            self.line(f"#pragma HLS AGGREGATE variable={array.name} compact=bit")
        storage = ir.StringAttr(op.attributes["hls.storage"]).value if "hls.storage" in op.attributes else "register"
        if storage == "register":
            self.line(f"#pragma HLS ARRAY_PARTITION variable={array.name} type=complete dim=0")
            return
        for axis in ir.ArrayAttr(op.attributes["hls.partition"]) if "hls.partition" in op.attributes else []:
            self.line(
                f"#pragma HLS ARRAY_PARTITION variable={array.name} type=complete dim={ir.IntegerAttr(axis).value + 1}"
            )
        self.line(f"#pragma HLS BIND_STORAGE variable={array.name} {_STORAGE[storage]}")

    def use_constant(self, op: ir.Operation) -> None:
        symbol = ir.FlatSymbolRefAttr(op.attributes["name"]).value
        module = op
        while module.parent is not None:
            module = module.parent.operation
        source = next(
            g for g in iu.walk(module, "memref.global") if ir.StringAttr(g.attributes["sym_name"]).value == symbol
        )
        kind = ir.MemRefType(op.results[0].type)
        lanes = ir.IntegerAttr(source.attributes["hls.lanes"]).value if "hls.lanes" in source.attributes else 0
        self.arrays[op.results[0]] = array = Array(self.constants[symbol], len(kind.shape), None, constant=True)
        for axis in range(len(kind.shape) - lanes, len(kind.shape)):
            # One wide word a step: the lanes of an address lie side by side.
            self.line(f"#pragma HLS ARRAY_RESHAPE variable={array.name} type=complete dim={axis + 1}")
        if "hls.storage" in source.attributes:
            storage = ir.StringAttr(source.attributes["hls.storage"]).value
            self.line(f"#pragma HLS BIND_STORAGE variable={array.name} {_STORAGE[storage]}")

    # --- statements ------------------------------------------------------------------------------------------------------

    def affine(self) -> AffineText:
        return AffineText([variable for _, variable in self.variables])

    def exprs(self, found: list[ir.AffineExpr], operands: list[ir.Value]) -> list[ir.AffineExpr]:
        order = [value for value, _ in self.variables]
        places = ir.AffineMap.get(len(order), 0, [ir.AffineExpr.get_dim(order.index(v)) for v in operands])
        composed = [ir.AffineExpr.simplify_affine_expr(e.compose(places), len(order), 0) for e in found]
        return list(ir.AffineMap.get(len(order), 0, composed).results)

    def element(self, op: ir.Operation) -> str:
        """The array element that an affine.load or affine.store names."""
        array = self.arrays[iu.accessed_memref(op)]
        exprs = self.exprs(list(iu.access_map(op).results), iu.index_operands(op))
        printer = self.affine()
        text = array.name + "".join(f"[{printer.text(e)}]" for e in exprs[: array.address])
        if array.lanes is None:
            return text
        lane = ir.AffineExpr.get_constant(0)
        for expr, extent in zip(exprs[array.address :], array.lanes, strict=True):
            lane = lane * extent + expr
        count = len(self.variables)
        flat = ir.AffineMap.get(count, 0, [ir.AffineExpr.simplify_affine_expr(lane, count, 0)]).results[0]
        return f"{text}.lane[{printer.text(flat)}]"

    def block(self, block: ir.Block) -> None:
        for op in iu.block_operations(block):
            self.statement(op)

    def statement(self, op: ir.Operation) -> None:
        if op.name == "memref.alloc":
            self.declare(op)
        elif op.name == "memref.get_global":
            self.use_constant(op)
        elif op.name == "arith.constant":
            self.values[op.results[0]] = constant(op)
        elif op.name == "affine.for":
            self.loop(op)
        elif op.name == "affine.if":
            self.condition(op)
        elif op.name == "affine.load":
            self.load(op)
        elif op.name == "affine.store":
            self.store(op)
        elif op.name == "hls.read":
            self.line(f"{self.arrays[op.operands[1]].name} = {stream_name(transfer_of(op).stream)}.read();")
        elif op.name == "hls.write":
            self.line(f"{stream_name(transfer_of(op).stream)}.write({self.arrays[op.operands[0]].name});")
        elif op.name.startswith("arith."):
            self.define(op.results[0], expression(op, [self.values[v] for v in op.operands]))
        else:
            raise PassFailure(op, f"'{op.name}' cannot be emitted as C++")

    def define(self, value: ir.Value, text: Text) -> None:
        """Keeps an expression for its one user, or names it where it has several."""
        if len(list(value.uses)) <= 1 or text.text.isidentifier():
            self.values[value] = text
            return
        exact_text = exact(text)
        name = self.unique("value")
        self.line(f"const {type_name(exact_text.width, exact_text.signed)} {name} = {text.text};")
        self.values[value] = Text(name, exact_text.width, exact_text.signed)

    def load(self, op: ir.Operation) -> None:
        element = self.element(op)
        value = op.results[0]
        users = iu.users(value)
        text = Text(element, width_of(value))
        array = self.arrays[op.operands[0]]
        if array.constant or (len(users) == 1 and self.unchanged(op, users[0])):
            self.values[value] = text
            return
        if not users:
            return
        name = self.unique("value")
        self.line(f"const {type_name(text.width)} {name} = {element};")
        self.values[value] = Text(name, text.width)

    def unchanged(self, load: ir.Operation, user: ir.Operation) -> bool:
        """True when nothing can be stored into the loaded array before the expression that uses it is printed."""
        root = user
        while (
            root.name.startswith("arith.")
            and len(uses := iu.users(root.results[0])) == 1
            and uses[0].block == load.block
        ):
            root = uses[0]
        if root.block != load.block:
            return False
        between = False
        for op in (o.operation for o in load.block.operations):
            if op == load:
                between = True
            elif op == root:
                return True
            elif between and (op.regions and len(op.regions[0].blocks) or op.name == "hls.read"):
                return False
            elif between and op.name == "affine.store" and op.operands[1] == load.operands[0]:
                return False
        return False

    def store(self, op: ir.Operation) -> None:
        element = self.element(op)
        value = op.operands[0]
        width = width_of(value)
        producer = iu.defining_op(value)
        text = self.values[value]
        if producer is not None and producer.name == "arith.addi" and text.text.startswith(f"{element} + "):
            self.line(f"{element} += {text.text.removeprefix(f'{element} + ')};")
            return
        if text.width != width or not text.signed:
            text = cast(text, width) if text.grown else text
        self.line(f"{element} = {text.text};")

    def loop(self, op: ir.Operation) -> None:
        extent = trip_count(op)
        label = ir.StringAttr(op.attributes["hls.label"]).value if "hls.label" in op.attributes else ""
        taken = {variable.name for _, variable in self.variables}
        wanted = _VARIABLES.get(label, label.removesuffix("s")) or "ijklmn"[len(self.variables) % 6]
        name, number = wanted, 2
        while name in taken or name in self.names:
            name, number = f"{wanted}_{number}", number + 1
        prefix = f"{self.unique(label)}: " if label else ""
        self.line(f"{prefix}for (int {name} = 0; {name} < {extent}; ++{name}) {{")
        if "hls.pipeline" in op.attributes:
            self.line("#pragma HLS PIPELINE II=1")
        if "hls.unroll" in op.attributes:
            self.line("#pragma HLS UNROLL")
        self.variables.append((iu.body(op).arguments[0], Variable(name, extent)))
        self.indent += 1
        self.block(iu.body(op))
        self.indent -= 1
        self.variables.pop()
        self.line("}")

    def condition(self, op: ir.Operation) -> None:
        constraints = iu.set_constraints(op.attributes["condition"])
        exprs = self.exprs([e for e, _ in constraints], iu.index_operands(op))
        text = self.affine().condition(list(zip(exprs, (equal for _, equal in constraints), strict=True)))
        if op.results:
            self.conditional_value(op, text)
            return
        if not text:
            self.block(op.regions[0].blocks[0])
            return
        self.line(f"if ({text}) {{")
        self.indent += 1
        self.block(op.regions[0].blocks[0])
        self.indent -= 1
        self.line("}")

    def conditional_value(self, op: ir.Operation, text: str) -> None:
        """An affine.if that yields one value of simple operations: a conditional expression."""
        if len(op.results) != 1:
            raise PassFailure(op, "a condition that yields several values cannot be emitted")
        sides: list[Text] = []
        for region in op.regions:
            block = region.blocks[0]
            if any(
                o.name in {"affine.store", "hls.read", "hls.write", "affine.for"} for o in iu.block_operations(block)
            ):
                raise PassFailure(op, "a condition that yields a value and has effects cannot be emitted")
            self.block(block)
            yielded = [o.operation for o in block.operations][-1].operands[0]
            sides.append(cast(exact(self.values[yielded]), width_of(op.results[0])))
        width = width_of(op.results[0])
        self.values[op.results[0]] = (
            Text(f"{text} ? {sides[0].text} : {sides[1].text}", width, binding=1) if text else sides[0]
        )
