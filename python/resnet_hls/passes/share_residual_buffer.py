# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-share-residual-buffer: what waits for a join waits in a line buffer that has it anyway. Changes when, never what.

Decides by the pixels that the data dependences force to wait (`analysis/arrival.py`), in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.arrival import Arrival, over_map
from resnet_hls.analysis.nests import Access, Nest, is_constant, nests
from resnet_hls.analysis.reuse import SKIP_ROWS, Walk, walk_of, walks_over, windowed_readers
from resnet_hls.analysis.windows import is_private, name_of, needs_window
from resnet_hls.passes._fuse_siblings import Part, fuse_siblings
from resnet_hls.passes._hand_outs import HandOut, Shift, could_hand_out, handed_out, pixel_bytes
from resnet_hls.passes._recompute import pointwise_input, readers, recompute_pointwise
from resnet_hls.passes._registry import Pass, option, register_pass, remark
from resnet_hls.passes._split_windows import allocate, split_window


class _Share:
    def __init__(self, function: ir.Operation, more_rows: int) -> None:
        self.function = function
        self.more_rows = more_rows

    def run(self) -> None:
        for buffer in windowed_readers(self.function):
            if self.skips(buffer) and not walks_over(self.function, buffer):
                self.split_furthest(buffer)
        arrival = Arrival(self.function)
        maps = list(windowed_readers(self.function))
        self.explain(arrival, set(maps))
        for buffer in maps:
            walks = walks_over(self.function, buffer)
            if walks:
                self.share(max(walks, key=lambda walk: (walk.rows, walk.columns)), arrival)

    def skips(self, buffer: ir.Value) -> list[tuple[Nest, Access]]:
        """Loads that take the whole map, element by element, beside those that slide a window over it."""
        return [
            (nest, load)
            for nest in nests(self.function, buffer)
            for load in nest.loads
            if load.buffer == buffer and walk_of(nest) is None and not needs_window(nest, load)
        ]

    def split_furthest(self, buffer: ir.Value) -> None:
        """Gives the largest of the windows over `buffer` a nest of its own."""
        windows = [
            (nest, load)
            for nest in nests(self.function, buffer)
            for load in nest.loads
            if load.buffer == buffer and needs_window(nest, load)
        ]
        nest, load = max(windows, key=lambda window: _taps(*window))
        split_window(self.function, nest, load)

    def share(self, walk: Walk, arrival: Arrival) -> None:
        """Chooses when the walk hands out what, and lets it hand out skips as well, where fewer bytes wait then."""
        width = ir.MemRefType(walk.buffer.type).shape[-2]
        times = over_map(walk.buffer, arrival.stored[walk.buffer])
        found = [*handed_out(walk, arrival), *could_hand_out(walk, self.skips(walk.buffer), arrival)]
        direct = [out.waits(times, (0, 0), arrival.pixels) for out in found]

        def chosen(more: int) -> list[tuple[int, Shift]]:
            """Bytes and shift of each hand-out when the line buffer is `more` rows longer."""
            best = [out.best(walk, times, walk.rows + more, arrival.pixels) for out in found]
            return [b if out.part or b[0] < n else (n, (0, 0)) for out, b, n in zip(found, best, direct, strict=True)]

        row = width * pixel_bytes(walk.buffer)
        more = min(range(self.more_rows + 1), key=lambda n: n * row + sum(waits for waits, _ in chosen(n)))
        choices = chosen(more)
        for out, (waits, shift), at_once in zip(found, choices, direct, strict=True):
            self.tell(out, walk, shift, waits, at_once, more)
        parts = [replace(out.part, shift=shift) for out, (_, shift) in zip(found, choices, strict=True) if out.part]
        moved = [
            (out.load[1], shift)
            for out, (waits, shift), at_once in zip(found, choices, direct, strict=True)
            if out.load and waits < at_once
        ]
        if not moved and all(part.shift == (0, 0) for part in parts):
            return
        # The nest must come before everybody who reads what it hands out.
        served = {walk.nest.root, *(out.load[0].root for out in found if out.load)}
        first = next(nest.root for nest in nests(self.function) if nest.root in served)
        parts += [Part(*self.copy(load, walk), shift) for load, shift in moved]
        fused = fuse_siblings(parts, before=first)
        if more:
            fused.root.attributes[SKIP_ROWS] = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), more)

    def tell(self, out: HandOut, walk: Walk, shift: Shift, waits: int, at_once: int, more: int) -> None:
        """Says what was chosen for a value that has to wait, and why."""
        name, back = name_of(walk.nest), out.lag[0][1] + shift[0]
        fewer = f"{waits} bytes wait for the join, not {at_once}"
        if not at_once:
            return
        if out.load is None:
            remark(walk.nest.root, f"a result of '{name}' is handed out with a lag of {back} in rows: {fewer}")
        elif waits < at_once:
            longer = f", longer by {more} in rows," if more else ""
            held = f"the line buffer of '{name}'{longer} hands the skip out with a lag of {back} in rows: {fewer}"
            remark(out.load[1].op, held)
        else:
            remark(out.load[1].op, f"{at_once} bytes wait in a FIFO: the line buffer of '{name}' cannot hold them back")

    def copy(self, load: Access, walk: Walk) -> tuple[Nest, tuple[ir.Operation, ...]]:
        """A nest that copies the map to a buffer which the skip then reads; it is fused into the walk at once."""
        kind = ir.MemRefType(walk.buffer.type)
        *leading, height, width, channels = kind.shape
        skip = allocate(self.function, list(kind.shape), kind.element_type, load.op.location, "skip")
        dim, constant = ir.AffineExpr.get_dim, ir.AffineExpr.get_constant
        index_map = ir.AffineMap.get(3, 0, [*(constant(0) for _ in leading), dim(0), dim(1), dim(2)])
        with (
            ir.InsertionPoint(walk.nest.root),
            load.op.location,
            iu.affine_loops([height, width, channels]) as induction,
        ):
            iu.affine_store(iu.affine_load(walk.buffer, index_map, induction), skip, index_map, induction)
            nest = Nest.at(induction[0].owner.owner.operation)
        load.op.operands[0] = skip
        return nest, tuple(iu.block_operations(nest.block))

    def explain(self, arrival: Arrival, windowed: set[ir.Value]) -> None:
        """Says of what waits although no line buffer has it."""
        handed = {store.buffer for walk in map(walk_of, nests(self.function)) if walk for store in walk.nest.stores}
        for nest in nests(self.function):
            for load in nest.loads:
                own = is_constant(load.buffer) or is_private(load.buffer, nest)
                if own or load.buffer in windowed or load.buffer in handed or self.waits_elsewhere(nest, load):
                    continue
                waits = arrival.waits(nest, load)
                if waits:
                    remark(load.op, f"{waits * pixel_bytes(load.buffer)} bytes wait in a FIFO: no line buffer has them")

    def waits_elsewhere(self, nest: Nest, load: Access) -> bool:
        """True where the nest that stores the map, or the one that reads it, is held back instead.

        It has a side with fewer bytes then, on which nobody else depends.
        """
        writers = (n for n in nests(self.function, load.buffer) if load.buffer in {store.buffer for store in n.stores})
        before = next((pointwise_input(writer) for writer in writers), None)
        size = pixel_bytes(load.buffer)
        if before is not None and readers(self.function, load.buffer) == 1 and pixel_bytes(before) <= size:
            return True
        outside = {store.buffer for store in nest.stores if not is_private(store.buffer, nest)}
        return pointwise_input(nest) is not None and all(pixel_bytes(buffer) < size for buffer in outside)


def _taps(nest: Nest, load: Access) -> int:
    """Elements that a load touches for each result of its nest."""
    results = [store for store in nest.stores if not is_private(store.buffer, nest)]
    kept = {d for store in results for expr in store.exprs for d in iu.dims_of(expr)}
    return prod(nest.extents[d] for d in {d for expr in load.exprs for d in iu.dims_of(expr)} - kept)


@register_pass
@dataclass(frozen=True)
class ShareResidualBuffer(Pass):
    """Take what waits for a residual addition from the line buffer that has it anyway, at its last use there.

    Before: fused nests over whole feature maps; a skip reads the map that a window slides over as well. After: the nest
    that walks the map hands out the skip, too, as many rows behind its newest pixel as its line buffer reaches. For a
    block of two 3 x 3 convolutions these are two rows, and that is just when the join wants the pixel: instead of two
    rows, a few pixels wait in a FIFO. What a walk hands out already (the input of a downsample, the smaller window of
    a split) is shifted in the same way, as late as its join allows.

    What waits, and until when, is counted pixel by pixel from the dependences of the whole network, so that skips may
    be nested, of any length, and end in additions or concatenations. No hand-out is later than its join needs it: then
    the line buffer itself would have to wait, and the other way with it. The choice with the fewest bytes is taken:

    - a line buffer as it is, with what remains in a FIFO;
    - a line buffer with up to `more-rows` more rows, which several skips of one map may share;
    - computing the map a second time from a narrower one that waits instead (a 1 x 1 convolution), at most
      `macs-per-byte` multiply-accumulates a frame for each byte saved;
    - a FIFO alone, where no line buffer has the data.

    A remark says for each skip what was chosen, and how many bytes wait.
    """

    name: ClassVar[str] = "hls-share-residual-buffer"

    more_rows: int = option(8, "rows by which a line buffer may grow for skips")
    # A KV260 has a DSP slice for each 530 bytes of block RAM. A slice that works all the time computes 16,384 products
    # in a frame of as many cycles: 31 products cost as much of the device as a byte.
    macs_per_byte: int = option(31, "multiply-accumulates a frame that a byte is worth")

    def run(self, op: ir.Operation) -> None:
        with op.context:
            function = iu.public_function(op)
            iu.hoist_constants(function)
            recompute_pointwise(function, self.macs_per_byte)
            _Share(function, self.more_rows).run()
