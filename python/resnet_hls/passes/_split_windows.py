# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes a sliding window out of the nest that reads it: a window nest of its own, one step an element of the map.

Afterwards the map is read by the window nest alone; the consumer reads whole windows, in the order in which it wants
them.
"""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import affine, memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest
from resnet_hls.analysis.windows import WindowedDimension, is_padding, name_of, padding_value, single_dim, windowed
from resnet_hls.passes._registry import PassFailure


def allocate(function: ir.Operation, shape: list[int], element: ir.Type, location: ir.Location, name: str) -> ir.Value:
    """A buffer at the start of the function; `name` is what the emitted code calls it."""
    with ir.InsertionPoint(iu.body(function).operations[0]), location:
        buffer = memref.AllocOp(ir.MemRefType.get(shape, element), [], []).result
    buffer.owner.operation.attributes["hls.name"] = ir.StringAttr.get(name)
    return buffer


def split_window(function: ir.Operation, nest: Nest, load: Access) -> tuple[Nest, Access]:
    """Puts a nest before `nest` that hands out the windows of `load`, which `nest` reads instead.

    The window nest visits positions of the map row by row (and as many beyond its edge as the last window needs). A
    window is handed out at the position of its last element: padding that lies behind it costs steps, not reads.

    Returns the window nest, and the load of windows in `nest`.

    Raises:
        PassFailure: the access is no sliding window over rows and columns.
    """
    padding = padding_value(load)
    kind = ir.MemRefType(load.buffer.type)
    rank = len(kind.shape)
    channel = single_dim(load.exprs[-1]) if isinstance(load.exprs[-1], ir.AffineDimExpr) else None
    single = all(extent == 1 for extent in kind.shape[:-3]) and rank > 2
    rows, columns = (windowed(load, nest, axis) for axis in (rank - 3, rank - 2)) if single else (None, None)
    whole = kind.shape[-1] == (1 if channel is None else nest.extents[channel])
    if rows is None or columns is None or not whole:
        raise PassFailure(
            load.op, "an access that is no sliding window over rows and columns", help="see docs/passes.md"
        )
    outermost = load.op if padding is None else padding[0]
    if outermost.parent.operation != nest.loops[-1] or (padding and not is_padding(nest, load, padding[0])):
        help = "a condition around a window may only put a constant in the place of elements outside the map"
        raise PassFailure(load.op, "a window under a condition that is no padding", help=help)
    loops = [d for d in (rows.output, columns.output, channel, rows.tap, columns.tap) if d is not None]
    shape = [nest.extents[d] for d in loops] or [1]
    windows = allocate(function, shape, kind.element_type, load.op.location, "windows")
    with ir.InsertionPoint(nest.root), load.op.location:
        root = _window_nest(load, windows, rows, columns, None if padding is None else padding[1], channel is not None)
    root.attributes["hls.name"] = ir.StringAttr.get(name_of(nest) + "_window")
    for tap in (rows.tap, columns.tap):
        if tap is not None:
            nest.loops[tap].attributes["hls.tap"] = ir.UnitAttr.get()
    replaced = padding[0] if padding is not None else load.op
    with ir.InsertionPoint(replaced), load.op.location:
        indices = [ir.AffineExpr.get_dim(d) for d in loops] or [ir.AffineExpr.get_constant(0)]
        value = iu.affine_load(windows, ir.AffineMap.get(len(nest.loops), 0, indices), nest.induction)
    replaced.results[0].replace_all_uses_with(value)
    iu.erase_tree(replaced)
    owner = iu.defining_op(value)
    assert owner is not None
    return Nest.at(root), nest.access(owner)


def _window_nest(
    load: Access, windows: ir.Value, rows: WindowedDimension, columns: WindowedDimension,
    filling: int | None, channels: bool,
) -> ir.Operation:  # fmt: skip
    """The nest over positions, channels and taps that stores `windows`; gives its root."""
    kind = ir.MemRefType(load.buffer.type)
    axes = (rows, columns)
    extents = [rows.steps, columns.steps, kind.shape[-1]]
    dim, constant = ir.AffineExpr.get_dim, ir.AffineExpr.get_constant
    taps: list[ir.AffineExpr] = []
    for axis in axes:
        taps.append(constant(0) if axis.tap is None else dim(len(extents)))
        extents += [] if axis.tap is None else [axis.taps]
    depth = len(extents)
    tap: dict[str, ir.Attribute] = {"hls.tap": ir.UnitAttr.get()}
    complete: list[tuple[ir.AffineExpr, bool]] = []
    inside: list[tuple[ir.AffineExpr, bool]] = []
    outputs: list[ir.AffineExpr] = []
    element: list[ir.AffineExpr] = [constant(0)] * (len(kind.shape) - 3)
    for position, (axis, place) in enumerate(zip(axes, taps, strict=True)):
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
        index = dim(position) + place * axis.dilation - (axis.span - 1)
        element.append(index)
        if filling is not None and axis.padding > 0:
            inside.append((index, False))
        if filling is not None and axis.steps > axis.extent:
            inside.append((axis.extent - 1 - index, False))
    tapped = [place for place, axis in zip(taps, axes, strict=True) if axis.tap is not None]
    target = [*outputs, *([dim(2)] if channels else []), *tapped] or [constant(0)]
    read_map = ir.AffineMap.get(depth, 0, [*element, dim(2)])
    with iu.affine_loops(extents, [tap if d >= 3 else {} for d in range(depth)]) as induction:
        with iu.affine_guard(complete, induction):
            if inside:
                condition = ir.IntegerSet.get(depth, 0, [e for e, _ in inside], [False] * len(inside))
                op = affine.AffineIfOp(condition, [kind.element_type], cond_operands=induction, has_else=True)
                with ir.InsertionPoint(op.then_block):
                    affine.AffineYieldOp([iu.affine_load(load.buffer, read_map, induction)])
                with ir.InsertionPoint(op.else_block):
                    affine.AffineYieldOp([iu.int_constant(filling or 0, ir.IntegerType(kind.element_type).width)])
                value = op.results[0]
            else:
                value = iu.affine_load(load.buffer, read_map, induction)
            iu.affine_store(value, windows, ir.AffineMap.get(depth, 0, target), induction)
        return induction[0].owner.owner.operation
