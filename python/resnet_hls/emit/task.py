# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One hls.task as a C++ function."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import trip_count
from resnet_hls.analysis.overlap import overlap_of, rows_of_statement
from resnet_hls.analysis.tasks import Task, stream_name, transfer_of
from resnet_hls.analysis.weights import is_loaded
from resnet_hls.emit import layout
from resnet_hls.emit.affine_text import AffineText, Variable
from resnet_hls.emit.arrays import Array, constant_array, declaration, word_type
from resnet_hls.emit.expressions import LANES, Text, cast, exact, exact_type, expression, type_name, width_of
from resnet_hls.emit.expressions import constant as constant_text
from resnet_hls.emit.loads import LoadStream, fill, memory_array, once
from resnet_hls.passes._registry import PassFailure

#: Loop variables by label; another label gives its singular.
_VARIABLES = {"rows": "y", "columns": "x", "taps": "tap", "words": "i"}
#: What the result of an operation is called where it needs a name.
_NAMES = {"arith.trunci": "quantized", "arith.addi": "sum", "arith.minsi": "clamped"}
#: Extensions are no operation in C++, and products go into a sum.
_WHOLE = {"arith.muli", "arith.extsi", "arith.extui", "hls.low", "hls.high"}
#: Longer expressions get a name, so that a statement can be read.
_LONG = 60
#: Of every task: how many frames a call runs, the loop over them, its variable, and the row that is handed out.
FRAMES, _BATCH, _FRAME, _ROW = "frames", "batch", "frame", "row"
_EFFECTS = {"affine.store", "hls.read", "hls.write", "affine.for"}


@dataclass(frozen=True)
class Constant:
    """A weight array: the memref.global and its C++ name."""

    source: ir.Operation
    name: str


@dataclass
class TaskWriter:
    """Writes one function. `constants` are the weight arrays by symbol; `load_stream` brings those in UltraRAM."""

    task: Task
    constants: Mapping[str, Constant]
    load_stream: LoadStream | None = None
    lines: list[str] = field(default_factory=list)
    indent: int = 1
    arrays: dict[ir.Value, Array] = field(default_factory=dict)
    values: dict[ir.Value, Text] = field(default_factory=dict)
    variables: list[tuple[ir.Value, Variable]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def line(self, text: str) -> None:
        self.lines += [text] if text.startswith("#") else layout.wrapped(text, "  " * self.indent)

    def unique(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self.names:
            number += 1
            name = f"{wanted}_{number}"
        self.names.add(name)
        return name

    def function(self) -> str:
        self.names |= {stream_name(s) for s in [*self.task.inputs, *self.task.outputs]}
        self.names |= {constant.name for constant in self.constants.values()}
        self.names |= {FRAMES, _BATCH, _FRAME}
        if self.load_stream is not None:
            self.names.add(self.load_stream.name)
        for op in (o.operation for o in iu.body(self.task.op).operations):
            if op == self.task.nest.root:
                self.fill_memories()
                self.batch(op)
            else:
                self.statement(op)
        return f"{self.signature()} {{\n" + "\n".join(self.lines) + "\n}\n"

    def signature(self) -> str:
        streams = [*self.task.inputs, *self.task.outputs]
        parameters = [f"hls::stream<{word_type(stream)}>& {stream_name(stream)}" for stream in streams]
        load = [self.load_stream.parameter] if self.load_stream is not None else []
        return layout.signature(self.task.name, [f"int {FRAMES}", *load, *parameters])

    def fill_memories(self) -> None:
        """What lies in UltraRAM comes before the first frame."""
        if self.load_stream is None:
            return
        body: list[str] = []
        for load in self.load_stream.loads:
            labels = [self.unique("load") for _ in load.shape]
            body += fill(load, self.constants[load.symbol].name, self.load_stream.name, labels)
        for line in once(body, self.unique("loaded")):
            self.lines.append(line if line.startswith("#") else "  " * self.indent + line)

    # --- affine
    # ----------------------------------------------------------------------------------------------------------

    def affine(self) -> AffineText:
        return AffineText([variable for _, variable in self.variables])

    def exprs(self, found: Sequence[ir.AffineExpr], operands: Sequence[ir.Value]) -> list[ir.AffineExpr]:
        """Expressions over `operands` as expressions over all loop variables around."""
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

    def condition(self, op: ir.Operation) -> str:
        """The condition of an affine.if; "" where it always holds."""
        constraints = iu.set_constraints(op.attributes["condition"])
        exprs = self.exprs([e for e, _ in constraints], iu.index_operands(op))
        return self.affine().condition(list(zip(exprs, (equal for _, equal in constraints), strict=True)))

    # --- statements
    # ------------------------------------------------------------------------------------------------------

    def operations(self, ops: Sequence[ir.Operation]) -> None:
        """Statements in order; neighbours under one condition share their `if`."""
        done = 0
        while done < len(ops):
            op, group = ops[done], [ops[done]]
            if op.name == "affine.if" and not len(op.results) and not _has_else(op):
                text = self.condition(op)
                for other in ops[done + 1 :]:
                    plain = other.name == "affine.if" and not len(other.results) and not _has_else(other)
                    if not plain or self.condition(other) != text:
                        break
                    group.append(other)
                self.guarded(text, group)
            else:
                self.statement(op)
            done += len(group)

    def batch(self, root: ir.Operation) -> None:
        """The nest, for one frame after the other; one round more where a frame ends in that of the next."""
        comparison = "<=" if overlap_of(self.task.nest) else "<"
        self.line(f"{_BATCH}: for (int {_FRAME} = 0; {_FRAME} {comparison} {FRAMES}; ++{_FRAME}) {{")
        self.indent += 1
        self.loop(root)
        self.indent -= 1
        self.line("}")

    def overlapping(self, ops: Sequence[ir.Operation]) -> None:
        """The body of a nest whose last rows run together with the next frame's first."""
        others: list[ir.Operation] = []
        for op in ops:
            if iu.walk(op, "hls.read", "hls.write"):
                self.operations(others)
                self.of_a_frame(op)
                others = []
            else:
                others.append(op)
        self.operations(others)

    def of_a_frame(self, op: ir.Operation) -> None:
        """A statement under a condition that reads or writes: in the rows and for the frames that it is there for."""
        nest = self.task.nest
        height = self.task.extents[0]
        _, last = rows_of_statement(op, nest)
        # The rows below the map for which there is something to do: no more of the frame before, even where the
        # statement begins later in its own.
        rows = last - height + 1
        place = next(n for n, (value, _) in enumerate(self.variables) if value == nest.induction[0])
        value, step = self.variables[place]
        here, frame, row = len(self.lines), f"{_FRAME} < {FRAMES}", step
        late = f"{step.name} < {rows}"
        if last >= height:  # below the map: what is left of the frame before
            row = Variable(self.unique(_ROW), height, rows)
            frame = f"{late} ? {_FRAME} > 0 : {frame}"
        self.variables[place] = value, row
        condition = self.condition(op)
        if condition:
            frame = f"{f'({frame})' if last >= height else frame} && {condition}"
        self.guarded(frame, [op])
        self.variables[place] = value, step
        if row is not step and any(re.search(rf"\b{row.name}\b", text) for text in self.lines[here:]):
            text = f"const int {row.name} = {late} ? {step.name} + {height} : {step.name};"
            self.lines[here:here] = layout.wrapped(text, "  " * self.indent)

    def block(self, block: ir.Block) -> None:
        self.operations(iu.block_operations(block))

    def statement(self, op: ir.Operation) -> None:
        if op.name == "memref.alloc":
            hint = ir.StringAttr(op.attributes["hls.name"]).value if "hls.name" in op.attributes else "word_buffer"
            self.arrays[op.results[0]], lines = declaration(op, self.unique(hint))
            for text in lines:
                self.line(text)
        elif op.name == "memref.get_global":
            constant = self.constants[ir.FlatSymbolRefAttr(op.attributes["name"]).value]
            array = memory_array if is_loaded(constant.source) else constant_array
            self.arrays[op.results[0]], lines = array(op, constant.source, constant.name)
            for text in lines:
                self.line(text)
        elif op.name == "arith.constant":
            self.values[op.results[0]] = constant_text(op)
        elif op.name == "affine.for":
            self.loop(op)
        elif op.name == "affine.if":
            self.choice(op)
        elif op.name == "affine.load":
            self.load(op)
        elif op.name == "affine.store":
            self.store(op)
        elif op.name == "hls.read":
            self.line(f"{self.arrays[op.operands[1]].name} = {stream_name(transfer_of(op).stream)}.read();")
        elif op.name == "hls.write":
            self.line(f"{stream_name(transfer_of(op).stream)}.write({self.arrays[op.operands[0]].name});")
        elif op.name in LANES or (op.name.startswith("arith.") and len(op.results) == 1):
            self.define(op, expression(op, [self.values[v] for v in op.operands]))
        else:
            raise PassFailure(op, f"'{op.name}' cannot be emitted as C++")

    def define(self, op: ir.Operation, text: Text) -> None:
        """Keeps a short expression for its one user in the same block, and names any other."""
        value = op.results[0]
        if "hls.multiplier" in op.attributes:
            self.in_fabric(op, text)
            return
        if op.name == "hls.pack":  # its type cuts it to the width of a multiplier
            self.name_value(value, text, "packed", exact_type(text.width))
            return
        users = iu.users(value)
        alone = len(users) == 1 and users[0].block == op.block
        # A clamp, a sum of products and an assignment read best as one.
        whole = text.at_least is not None or op.name in _WHOLE or (alone and users[0].name == "affine.store")
        short = whole or len(text.text) <= _LONG
        if not users or text.text.isidentifier() or (alone and short):
            self.values[value] = text
        else:
            self.name_value(value, text, _NAMES.get(op.name, "value"))

    def in_fabric(self, op: ir.Operation, text: Text) -> None:
        """A product in LUTs: a variable of its own, to which the directive is bound, as wide as its operands together.

        No directive tells that a product is in a DSP slice: it would keep additions out of the slice (UG1399).
        """
        unsigned = all((source := iu.defining_op(v)) and source.name == "arith.extui" for v in op.operands)
        width = min(text.bits + unsigned, text.width)
        name = self.unique("product")
        self.line(f"const {type_name(width)} {name} = {text.text};")
        self.line(f"#pragma HLS BIND_OP variable={name} op=mul impl={_multiplier(op)}")
        self.values[op.results[0]] = Text(name, width)

    def name_value(self, value: ir.Value, text: Text, hint: str = "value", kind: str | None = None) -> None:
        """Gives an expression a name; `kind` is its type where that is not the ap_int of its width."""
        named = exact(text)
        name = self.unique(hint)
        self.line(f"const {kind or type_name(named.width, named.signed)} {name} = {text.text};")
        self.values[value] = Text(name, named.width, named.signed)

    def load(self, op: ir.Operation) -> None:
        value = op.results[0]
        array = self.arrays[op.operands[0]]
        text = Text(self.element(op), width_of(value), built_in=array.constant and array.lanes is None)
        if array.constant or not iu.has_uses(value) or self.unchanged(op):
            self.values[value] = text
        else:
            scalar = not ir.MemRefType(op.operands[0].type).shape
            self.name_value(value, text, kind=exact_type(text.width) if scalar else None)

    def unchanged(self, op: ir.Operation) -> bool:
        """True when what `op` loads is still there where the expression that uses its one result is printed."""
        users = iu.users(op.results[0])
        if len(users) != 1:
            return False
        root = users[0]
        while root.name.startswith("arith.") and root.block == op.block:
            uses = iu.users(root.results[0])
            if len(uses) != 1 or uses[0].block != op.block:
                break  # it gets a name where it stands
            root = uses[0]
        if root.block != op.block:
            return False
        loaded = {iu.accessed_memref(load) for load in iu.walk(op, "affine.load")}
        ops = [o.operation for o in op.block.operations]
        for between in ops[ops.index(op) + 1 : ops.index(root)]:
            if any(inner.operands[1] in loaded for inner in iu.walk(between, "affine.store", "hls.read")):
                return False
        return True

    def store(self, op: ir.Operation) -> None:
        element = self.element(op)
        value = op.operands[0]
        width = width_of(value)
        producer = iu.defining_op(value)
        text = self.values[value]
        if producer is not None and producer.name == "arith.addi" and text.text.startswith(f"{element} + "):
            self.line(f"{element} += {text.text.removeprefix(f'{element} + ')};")
            return
        self.line(f"{element} = {(cast(text, width) if text.grown else text).text};")

    def loop(self, op: ir.Operation) -> None:
        nest = self.task.nest
        extent = self.task.extents[0] if op == nest.root else trip_count(op)
        label = ir.StringAttr(op.attributes["hls.label"]).value if "hls.label" in op.attributes else ""
        taken = {variable.name for _, variable in self.variables}
        wanted = _VARIABLES.get(label, label.removesuffix("s")) or "ijklmn"[len(self.variables) % 6]
        name, number = wanted, 2
        while name in taken or name in self.names:
            name, number = f"{wanted}_{number}", number + 1
        prefix = f"{self.unique(label)}: " if label else ""
        self.line(f"{prefix}for (int {name} = 0; {name} < {extent}; ++{name}) {{")
        if "hls.pipeline" in op.attributes:
            self.line(f"#pragma HLS PIPELINE II={self.task.interval} style=flp")
        if "hls.unroll" in op.attributes:
            self.line("#pragma HLS UNROLL")
        if "hls.cascade" in op.attributes:
            self.line("#pragma HLS EXPRESSION_BALANCE off")
        self.variables.append((iu.body(op).arguments[0], Variable(name, extent)))
        self.indent += 1
        if op == nest.loops[-1] and overlap_of(nest):
            self.overlapping(iu.block_operations(iu.body(op)))
        else:
            self.block(iu.body(op))
        self.indent -= 1
        self.variables.pop()
        self.line("}")

    def guarded(self, text: str, ops: Sequence[ir.Operation]) -> None:
        """The bodies of several `affine.if`s under their one condition."""
        if text:
            self.line(f"if ({text}) {{")
            self.indent += 1
        for op in ops:
            self.block(op.regions[0].blocks[0])
        if text:
            self.indent -= 1
            self.line("}")

    def choice(self, op: ir.Operation) -> None:
        """An affine.if with an else: a conditional expression where it has no effects, else statements."""
        text = self.condition(op)
        if len(op.results) == 1 and not iu.walk(op, *_EFFECTS) and self.conditional_value(op, text):
            return
        names = [self.unique("value") for _ in op.results]
        for name, result in zip(names, op.results, strict=True):
            self.line(f"{type_name(width_of(result))} {name};")
        self.line(f"if ({text or 'true'}) {{")
        for number, region in enumerate(op.regions):
            if number:
                self.line("} else {")
            self.indent += 1
            block = region.blocks[0]
            self.block(block)
            for name, yielded in zip(names, [o.operation for o in block.operations][-1].operands, strict=True):
                self.line(f"{name} = {self.values[yielded].text};")
            self.indent -= 1
        self.line("}")
        for name, result in zip(names, op.results, strict=True):
            self.values[result] = Text(name, width_of(result))

    def conditional_value(self, op: ir.Operation, text: str) -> bool:
        """`condition ? a : b`; False, and nothing printed, where a side is no plain expression."""
        before = list(self.lines), set(self.names)
        width = width_of(op.results[0])
        sides: list[Text] = []
        for region in op.regions:
            block = region.blocks[0]
            self.block(block)
            sides.append(cast(self.values[[o.operation for o in block.operations][-1].operands[0]], width))
        if len(self.lines) != len(before[0]):  # what a side computes must stay under its condition
            self.lines, self.names = before
            return False
        chosen = Text(f"{text} ? {sides[0].text} : {sides[1].text}", width, binding=1) if text else sides[0]
        if self.unchanged(op):
            self.values[op.results[0]] = chosen
        else:
            self.name_value(op.results[0], chosen)
        return True


def _multiplier(op: ir.Operation) -> str:
    kind: str = ir.StringAttr(op.attributes["hls.multiplier"]).value
    if kind != "fabric":
        raise PassFailure(op, f"a product in '{kind}' cannot be emitted", help="hls.multiplier is fabric, or not there")
    return kind


def _has_else(op: ir.Operation) -> bool:
    return len(op.regions) > 1 and len(op.regions[1].blocks) > 0
