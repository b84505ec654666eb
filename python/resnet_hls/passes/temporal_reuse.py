# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-temporal-reuse: line buffers instead of whole feature maps.

Changes when an element is read, never what is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import Access, Nest, is_constant, nests
from resnet_hls.analysis.reuse import walk_of
from resnet_hls.analysis.windows import check_order, enclosing_guards, is_private, is_walk, needs_window
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._line_buffer import LineBuffer
from resnet_hls.passes._registry import Pass, PassFailure, register_pass
from resnet_hls.passes._split_windows import allocate, split_window


class _Reuse:
    def __init__(self, function: ir.Operation) -> None:
        self.function = function

    def run(self) -> None:
        for root in [nest.root for nest in nests(self.function)]:
            while (load := self.windowed_load(nest := Nest.at(root))) is not None:
                split_window(self.function, nest, load)
        for nest in nests(self.function):
            if (walk := walk_of(nest)) is not None:
                LineBuffer(self.function, walk).run()
                continue
            for load in self.streamed(nest):
                check_order(nest, load)
                self.hold(nest, load)
            nest = Nest.at(nest.root)  # `hold` has erased what the old one knows
            for store in nest.stores:
                if not is_private(store.buffer, nest) and is_walk(store):
                    check_order(nest, store)

    def streamed(self, nest: Nest) -> list[Access]:
        """Loads of what other nests store."""
        return [a for a in nest.loads if not is_constant(a.buffer) and not is_private(a.buffer, nest)]

    def windowed_load(self, nest: Nest) -> Access | None:
        """A load that needs elements more than once, or leaves some out; None when there is no such load (left)."""
        if walk_of(nest) is not None:
            return None
        return next((load for load in self.streamed(nest) if needs_window(nest, load)), None)

    def register_name(self, load: Access) -> str:
        """`window_word` for a register that holds a window, `input_word` for any other."""
        owner = iu.defining_op(load.buffer)
        windows = owner is not None and "hls.name" in owner.attributes
        return "window_word" if windows else "input_word"

    def hold(self, nest: Nest, load: Access) -> None:
        """Keeps an element in a register while loops that do not index it run."""
        indexed = {d for e in load.exprs for d in dims_of(e)}
        missing = [d for d in range(len(nest.loops)) if d not in indexed and d not in enclosing_guards(load.op, nest)]
        if not missing:
            return
        if load.op.parent.operation != nest.loops[-1]:
            raise PassFailure(load.op, "a guarded access that is repeated", help="run hls-fuse-loops first")
        kept = [d for d in sorted(indexed) if d > missing[0]]
        kind = ir.MemRefType(load.buffer.type)
        register = allocate(
            self.function, [nest.extents[d] for d in kept] or [1], kind.element_type, load.op.location,
            self.register_name(load),
        )  # fmt: skip
        exprs = [ir.AffineExpr.get_dim(d) for d in kept] or [ir.AffineExpr.get_constant(0)]
        register_map = ir.AffineMap.get(len(nest.loops), 0, exprs)
        full_map = ir.AffineMap.get(len(nest.loops), 0, list(load.exprs))
        guard = iu.edge_guard(missing, nest.extents, last=False)
        first = ir.InsertionPoint.at_block_begin(nest.block)
        with first, load.op.location, iu.affine_guard(guard, nest.induction):
            value = iu.affine_load(load.buffer, full_map, nest.induction)
            iu.affine_store(value, register, register_map, nest.induction)
        with ir.InsertionPoint(load.op), load.op.location:
            held = iu.affine_load(register, register_map, nest.induction)
        load.op.results[0].replace_all_uses_with(held)
        load.op.erase()


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

    A walk has more rows of steps than its map has: windows hang over the bottom, a skip is handed out some rows late.
    The outermost loop is marked `hls.overlap = k` where these last k rows may run together with the first k rows of the
    next frame. The mark changes nothing of what a frame computes; hardware does not stop between frames with it.

    Where `hls-merge-loops` or `hls-share-residual-buffer` have made such a nest already, it gets what its accesses ask
    for. The line buffer is the reuse distance: how many rows and pixels the oldest element that a step may need lies
    behind the newest one, over all windows and skips that the nest hands out. For one window these are
    `(k - 1) * dilation` rows and as many pixels.
    """

    name: ClassVar[str] = "hls-temporal-reuse"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            function = iu.public_function(op)
            iu.hoist_constants(function)
            _Reuse(function).run()
