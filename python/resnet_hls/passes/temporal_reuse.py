# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-temporal-reuse: line buffers instead of whole feature maps.

Changes when an element is read, never what is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir
from torch_mlir.dialects import affine, memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest, is_constant, nests
from resnet_hls.analysis.windows import (
    WindowedDimension,
    check_order,
    covers,
    enclosing_guards,
    is_walk,
    padding_value,
    single_dim,
    windowed,
)  # fmt: skip
from resnet_hls.analysis.windows import is_private as is_private
from resnet_hls.analysis.windows import name_of as name_of
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import Pass, PassFailure, register_pass
from resnet_hls.passes.fuse_loops import edge_guard


class _Reuse:
    def __init__(self, function: ir.Operation) -> None:
        self.function = function
        self.entry = iu.body(function).operations[0].operation

    def allocate(self, shape: list[int], element: ir.Type, location: ir.Location, name: str) -> ir.Value:
        with ir.InsertionPoint(self.entry), location:
            buffer = memref.AllocOp(ir.MemRefType.get(shape, element), [], []).result
        buffer.owner.operation.attributes["hls.name"] = ir.StringAttr.get(name)
        return buffer

    def run(self) -> None:
        for root in [nest.root for nest in nests(self.function)]:
            done: set[ir.Operation] = set()
            while (load := self.next_load(nest := Nest.at(root), done)) is not None:
                done.add(self.stream_in(nest, load))
            nest = Nest.at(root)
            for store in nest.stores:
                if not is_private(store.buffer, nest) and is_walk(store):
                    check_order(nest, store)

    def next_load(self, nest: Nest, done: set[ir.Operation]) -> Access | None:
        return next(
            (
                a
                for a in nest.loads
                if a.op not in done and not is_constant(a.buffer) and not is_private(a.buffer, nest)
            ),
            None,
        )

    def stream_in(self, nest: Nest, load: Access) -> ir.Operation:
        """Makes `load` take each element of its buffer once, in the order in which it was stored.

        Returns the load that does.
        """
        padding = padding_value(load)
        if padding is not None or not is_walk(load) or (not covers(nest, load) and len(load.exprs) > 2):
            load = self.insert_window(nest, load, padding)
        else:
            check_order(nest, load)
        return self.hold(nest, load)

    def register_name(self, load: Access) -> str:
        """`window_word` for a register that holds a window, `input_word` for any other."""
        owner = iu.defining_op(load.buffer)
        windows = owner is not None and "hls.name" in owner.attributes
        return "window_word" if windows else "input_word"

    def hold(self, nest: Nest, load: Access) -> ir.Operation:
        """Keeps an element in a register while loops that do not index it run."""
        indexed = {d for e in load.exprs for d in dims_of(e)}
        missing = [d for d in range(len(nest.loops)) if d not in indexed and d not in enclosing_guards(load.op, nest)]
        if not missing:
            return load.op
        if load.op.parent.operation != nest.loops[-1]:
            raise PassFailure(load.op, "a guarded access that is repeated", help="run hls-fuse-loops first")
        kept = [d for d in sorted(indexed) if d > missing[0]]
        kind = ir.MemRefType(load.buffer.type)
        register = self.allocate(
            [nest.extents[d] for d in kept] or [1], kind.element_type, load.op.location, self.register_name(load)
        )
        exprs = [ir.AffineExpr.get_dim(d) for d in kept] or [ir.AffineExpr.get_constant(0)]
        register_map = ir.AffineMap.get(len(nest.loops), 0, exprs)
        full_map = ir.AffineMap.get(len(nest.loops), 0, list(load.exprs))
        guard = edge_guard(missing, nest.extents, last=False)
        first = ir.InsertionPoint.at_block_begin(nest.block)
        with first, load.op.location, iu.affine_guard(guard, nest.induction):
            value = iu.affine_load(load.buffer, full_map, nest.induction)
            iu.affine_store(value, register, register_map, nest.induction)
        with ir.InsertionPoint(load.op), load.op.location:
            held = iu.affine_load(register, register_map, nest.induction)
        load.op.results[0].replace_all_uses_with(held)
        load.op.erase()
        streamed = iu.defining_op(value)
        assert streamed is not None
        return streamed

    def insert_window(self, nest: Nest, load: Access, padding: tuple[ir.Operation, int] | None) -> Access:
        """Puts a nest before `nest` that walks the buffer once and hands out its windows; `load` then reads those."""
        kind = ir.MemRefType(load.buffer.type)
        rank = len(kind.shape)
        channel = single_dim(load.exprs[-1]) if isinstance(load.exprs[-1], ir.AffineDimExpr) else None
        single = all(extent == 1 for extent in kind.shape[:-3]) and rank > 2
        dims = [windowed(load, nest, axis) for axis in (rank - 3, rank - 2)] if single else [None]
        if None in dims or (channel is None and kind.shape[-1] != 1):
            raise PassFailure(
                load.op, "an access that is no sliding window over rows and columns", help="see docs/passes.md"
            )
        rows, columns = (d for d in dims if d is not None)
        window_exprs = [rows.output, columns.output, channel, rows.tap, columns.tap]
        loops = [d for d in window_exprs if d is not None]
        windows = self.allocate([nest.extents[d] for d in loops] or [1], kind.element_type, load.op.location, "windows")
        filling = padding[1] if padding is not None else 0
        with ir.InsertionPoint(nest.root), load.op.location:
            self.window_nest(load, windows, rows, columns, filling, padding is not None, name_of(nest) + "_window")
        for tap in (rows.tap, columns.tap):
            if tap is not None:
                nest.loops[tap].attributes["hls.tap"] = ir.UnitAttr.get()
        replaced = padding[0] if padding is not None else load.op
        with ir.InsertionPoint(replaced), load.op.location:
            indices = [ir.AffineExpr.get_dim(d) for d in loops] or [ir.AffineExpr.get_constant(0)]
            window_map = ir.AffineMap.get(len(nest.loops), 0, indices)
            value = iu.affine_load(windows, window_map, nest.induction)
        replaced.results[0].replace_all_uses_with(value)
        iu.erase_tree(replaced)
        owner = iu.defining_op(value)
        assert owner is not None
        return nest.access(owner)

    def window_nest(
        self,
        load: Access,
        windows: ir.Value,
        rows: WindowedDimension,
        columns: WindowedDimension,
        filling: int,
        padded: bool,
        name: str,
    ) -> None:
        kind = ir.MemRefType(load.buffer.type)
        element, channels = kind.element_type, kind.shape[-1]
        location = load.op.location
        window = self.allocate([rows.span, columns.span, channels], element, location, "window")
        line = (
            self.allocate([rows.span - 1, columns.extent, channels], element, location, "line_buffer")
            if rows.span > 1
            else None
        )
        extents = [rows.steps, columns.steps, channels]
        dim, constant = ir.AffineExpr.get_dim, ir.AffineExpr.get_constant
        y, x, c = dim(0), dim(1), dim(2)
        taps: list[ir.AffineExpr] = []
        for axis in (rows, columns):
            if axis.tap is not None:
                taps.append(dim(len(extents)))
                extents.append(axis.taps)
            else:
                taps.append(constant(0))
        depth = len(extents)
        tap_loop: dict[str, ir.Attribute] = {"hls.tap": ir.UnitAttr.get()}
        pipeline = [tap_loop if d >= 3 else {} for d in range(depth)]
        pipeline[-1] = {**pipeline[-1], "hls.pipeline": ir.UnitAttr.get()}
        with iu.affine_loops(extents, pipeline) as induction:
            first = edge_guard(list(range(3, depth)), extents, last=False)
            in_columns = [(columns.extent - 1 - x, False)] if columns.steps > columns.extent else []
            in_rows = [(rows.extent - 1 - y, False)] if rows.steps > rows.extent else []

            def move(
                counts: list[int],
                source: ir.Value,
                read: list[ir.AffineExpr],
                target: ir.Value,
                write: list[ir.AffineExpr],
            ) -> None:
                """target[write] = source[read] for all values of the extra dims `depth`, `depth + 1`, ….

                Registers, all at once.
                """
                i64 = ir.IntegerType.get_signless(64)
                unroll: list[dict[str, ir.Attribute]] = [
                    {"hls.unroll": ir.IntegerAttr.get(i64, n), "hls.label": ir.StringAttr.get(label)}
                    for n, label in zip(counts, ("window_rows", "window_columns"), strict=False)
                ]
                with iu.affine_loops(counts, unroll) as inner:
                    operands = [*induction, *inner]
                    value = iu.affine_load(source, ir.AffineMap.get(len(operands), 0, read), operands)
                    iu.affine_store(value, target, ir.AffineMap.get(len(operands), 0, write), operands)

            r, s = dim(depth), dim(depth + 1)
            last_row, last_column = constant(rows.span - 1), constant(columns.span - 1)
            if columns.span > 1:
                with iu.affine_guard(first, induction):
                    move([rows.span, columns.span - 1], window, [r, s + 1, c], window, [r, s, c])
            with iu.affine_guard([*first, *in_rows, *in_columns], induction):
                leading = [constant(0)] * (len(kind.shape) - 3)
                full = ir.AffineMap.get(depth, 0, [*leading, y, x, c])
                value = iu.affine_load(load.buffer, full, induction)
                iu.affine_store(value, window, ir.AffineMap.get(depth, 0, [last_row, last_column, c]), induction)
            if line is not None:
                with iu.affine_guard([*first, *in_columns], induction):
                    move([rows.span - 1], line, [r, x, c], window, [r, last_column, c])
                with iu.affine_guard([*first, *in_columns], induction):
                    move([rows.span - 1], window, [r + 1, last_column, c], line, [r, x, c])
            self.hand_out(induction, window, windows, (rows, columns), taps, filling, padded)
        root = induction[0].owner.owner.operation
        root.attributes["hls.name"] = ir.StringAttr.get(name)

    def hand_out(
        self, induction: list[ir.Value], window: ir.Value, windows: ir.Value,
        axes: tuple[WindowedDimension, WindowedDimension], taps: list[ir.AffineExpr], filling: int, padded: bool,
    ) -> None:  # fmt: skip
        """Stores the window that ends at the current position, where one does.

        Taps outside the feature map are `filling`.
        """
        depth = len(induction)
        dim = ir.AffineExpr.get_dim
        complete: list[tuple[ir.AffineExpr, bool]] = []
        inside: list[tuple[ir.AffineExpr, bool]] = []
        outputs: list[ir.AffineExpr] = []
        for position, (axis, tap) in enumerate(zip(axes, taps, strict=True)):
            offset = axis.span - 1 - axis.padding
            ahead = dim(position) - offset  # stride * output
            if offset > 0:
                complete.append((ahead, False))
            if axis.stride > 1:
                complete.append((ir.AffineExpr.get_mod(ahead, axis.stride), True))
            if (axis.outputs - 1) * axis.stride + offset < axis.steps - 1:
                complete.append(((axis.outputs - 1) * axis.stride - ahead, False))
            if axis.output is not None:
                outputs.append(ir.AffineExpr.get_floor_div(ahead, axis.stride) if axis.stride > 1 else ahead)
            if padded and axis.taps > 1:
                index = dim(position) + tap * axis.dilation - (axis.span - 1)
                if axis.padding > 0:
                    inside.append((index, False))
                if axis.steps > axis.extent:
                    inside.append((axis.extent - 1 - index, False))
        tapped = [tap for tap, axis in zip(taps, axes, strict=True) if axis.tap is not None]
        # The dimension of a single channel is left out.
        with_channel = len(ir.MemRefType(windows.type).shape) > len(outputs) + len(tapped)
        exprs = [*outputs, *([dim(2)] if with_channel else []), *tapped] or [ir.AffineExpr.get_constant(0)]
        read = [taps[0] * axes[0].dilation, taps[1] * axes[1].dilation, dim(2)]
        read_map = ir.AffineMap.get(depth, 0, read)
        with iu.affine_guard(complete, induction):
            if inside:
                element = ir.MemRefType(window.type).element_type
                condition = ir.IntegerSet.get(depth, 0, [e for e, _ in inside], [eq for _, eq in inside])
                op = affine.AffineIfOp(condition, [element], cond_operands=induction, has_else=True)
                with ir.InsertionPoint(op.then_block):
                    affine.AffineYieldOp([iu.affine_load(window, read_map, induction)])
                with ir.InsertionPoint(op.else_block):
                    affine.AffineYieldOp([iu.int_constant(filling, ir.IntegerType(element).width)])
                value = op.results[0]
            else:
                value = iu.affine_load(window, read_map, induction)
            iu.affine_store(value, windows, ir.AffineMap.get(depth, 0, exprs), induction)


@register_pass
@dataclass(frozen=True)
class TemporalReuse(Pass):
    """Replace whole feature maps by line buffers: every element is read once, in the order in which it was stored.

    Before: fused affine nests. After: where a nest reads a sliding window (`stride * y + dilation * ky - padding`,
    guarded for padding), a window nest stands before it. It walks the feature map once, keeps `(k - 1) * dilation`
    rows in a line buffer and the window in registers that shift, and hands out each complete window, zeros outside
    the map included. An element that a loop does not index (output channels) is held in a register while that loop
    runs. Loops over the taps of a window are marked `hls.tap`: their elements arrive together, so `hls-unroll-loops`
    unrolls them whole.

    The line buffer is the reuse distance of the access: between the first and the last use of an element lie
    `(k - 1) * dilation` rows and as many pixels.
    """

    name: ClassVar[str] = "hls-temporal-reuse"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            _Reuse(iu.public_function(op)).run()
