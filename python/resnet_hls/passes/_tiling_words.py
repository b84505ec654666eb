# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the words of streams hold once loops are tiled. Reads the IR, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import lcm, prod
from typing import TYPE_CHECKING

import numpy as np
from torch_mlir import ir

from resnet_hls.analysis.iterations import evaluate, guards_of
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure

if TYPE_CHECKING:
    from resnet_hls.passes._tiling import Tiling


@dataclass(frozen=True, order=True)
class Word:
    """A word of a stream: for each of `pixels` neighbours in a row of `row` pixels, and for each of `taps` taps,
    `lanes` neighbours of a run of `run` elements.

    Words come row by row, in a row by groups of pixels, and for each of these by groups of lanes. Where the lanes do
    not divide the run, the last word of each run has lanes that mean nothing, and so has that of a row which the pixels
    do not divide. Words of one pixel need not know of rows, nor of a run that their lanes divide: `row` is 1 then, and
    `run` is `lanes`. With more pixels a run is all that belongs to a pixel.
    """

    taps: int
    run: int
    lanes: int
    pixels: int = 1
    row: int = 1

    @property
    def width(self) -> int:
        """Elements of a word."""
        return self.pixels * self.taps * self.lanes

    @property
    def text(self) -> str:
        """The width, for names: with the pixels, where there are several."""
        return f"{self.pixels}x{self.width // self.pixels}" if self.pixels > 1 else str(self.width)

    @property
    def padded(self) -> bool:
        """True for words with lanes that mean nothing at the end of a run."""
        return self.run % self.lanes > 0

    @property
    def groups(self) -> int:
        """Words of a run."""
        return -(-self.run // self.lanes)

    @property
    def in_order(self) -> bool:
        """True for words that hold neighbours in the order of the elements, and nothing else."""
        one_group = self.taps == 1 and self.run == self.lanes and self.row % self.pixels == 0
        return not self.padded and (self.pixels == 1 or one_group)

    def words(self, elements: int) -> int:
        """How many words carry so many elements, which are whole runs, or whole rows of them."""
        return elements // (self.taps * self.run * self.row) * -(-self.row // self.pixels) * self.groups


def word(taps: int, run: int, lanes: int, pixels: int = 1, row: int = 1) -> Word:
    """A word in the one form that words have which are alike."""
    if pixels == 1:
        return Word(taps, run if run % lanes else lanes, lanes)
    return word(1, row, pixels) if run == taps == 1 else Word(taps, run, lanes, pixels, row)


def word_of(tiling: Tiling, stream: ir.Value) -> Word:
    """What a word of `stream` holds on the side of a task. Raises PassFailure where it is not always the same."""
    found = {_word(tiling, t.op): t.op for t in tiling.task.transfers if t.stream == stream}
    if len(found) != 1:
        raise PassFailure(next(iter(found.values()), tiling.task.op), "a stream whose words are not all alike")
    return next(iter(found))


def _word(tiling: Tiling, op: ir.Operation) -> Word:
    free = tiling.free_of[op]
    taps = prod(tiling.nest.extents[d] for d in free & tiling.taps)
    walked = tiling.walked(op)
    if not walked:
        return Word(taps, 1, 1)
    if any(tap < walked[-1] for tap in free & tiling.taps):
        help = "taps are the innermost loops that walk a stream of windows"
        raise PassFailure(op, "a word that would hold taps that do not come together", help=help)
    single = walked[-1] in tiling.pixels  # one element is all that a pixel has in this stream
    columns = set(walked[-1:] if single else walked[-2:-1]) | tiling.split & free
    run, lanes = (1, 1) if single else (_inside(tiling, op, {walked[-1]}), tiling.factors[walked[-1]])
    return word(taps, run, lanes, prod(tiling.factors[d] for d in columns), _inside(tiling, op, columns))


def _inside(tiling: Tiling, op: ir.Operation, loops: set[int]) -> int:
    """Iterations of `loops`, together, in which a transfer may happen."""
    ranges = [np.arange(n if d in loops else 1) for d, n in enumerate(tiling.nest.extents)]
    grid = np.meshgrid(*ranges, indexing="ij", sparse=True)
    inside = np.ones(tuple(map(len, ranges)), dtype=bool)
    for expr, equal in guards_of(op, tiling.nest):
        if dims_of(expr) and dims_of(expr) <= loops:
            value = evaluate(expr, grid)
            inside &= (value == 0) if equal else (value >= 0)
    return int(inside.sum())


@dataclass(frozen=True)
class Conversion:
    """How words of one kind become words of another: `span` pixels and `run` elements of each (for each tap) at a time.

    A word a step is read in the first steps of a run, and one a step is written in its last ones. Where a run is some
    pixels of a row, a row begins with a run, and `row` is its pixels; else it is 0.
    """

    have: Word
    want: Word
    run: int
    span: int
    row: int = 0

    @property
    def read(self) -> int:
        """Words of a run."""
        return self.span // self.have.pixels * self.groups(self.have)

    @property
    def written(self) -> int:
        """Words of a run."""
        return self.span // self.want.pixels * self.groups(self.want)

    def groups(self, word: Word) -> int:
        """Words of a run for a group of pixels."""
        return -(-self.run // word.lanes)

    @cached_property
    def steps(self) -> int:
        """Of a run: as many as it has words on the side that has more, and those that a word waits for its elements."""
        groups = self.groups(self.want)

        def complete(number: int) -> int:
            """The last word that is read for one that is written."""
            pixel = (number // groups + 1) * self.want.pixels - 1
            element = min((number % groups + 1) * self.want.lanes, self.run) - 1
            return pixel // self.have.pixels * self.groups(self.have) + element // self.have.lanes

        return max(self.read, *(complete(number) + self.written - number for number in range(self.written)))


def conversion(have: Word, want: Word) -> Conversion | None:
    """How words of `have` become words of `want`; None where they never begin anew together."""
    if have.taps != want.taps:
        return None
    if have.pixels == want.pixels:
        if have.pixels > 1 and (have.run, have.row) != (want.run, want.row):
            return None
        runs = {w.run for w in (have, want) if w.padded} or {lcm(have.lanes, want.lanes)}
        run = runs.pop()
        if runs or any(run % w.lanes for w in (have, want) if not w.padded):
            return None
        return Conversion(have, want, run, have.pixels)
    rows = {(w.run, w.row) for w in (have, want) if w.pixels > 1}
    run, row = rows.pop()
    single = [w for w in (have, want) if w.pixels == 1]
    if rows or any(w.run != run if w.padded else run % w.lanes for w in single):
        return None
    return Conversion(have, want, run, lcm(have.pixels, want.pixels), row)


def port_word(inner: Word) -> Word | None:
    """The word of a port behind which words are like `inner`; None where there is none.

    A port carries elements in their order, and no lanes that mean nothing.
    """
    if inner.taps > 1 and not (inner.lanes == inner.pixels == 1):
        return None
    if inner.in_order:
        return inner
    lanes = next(n for n in range(inner.lanes, inner.run + 1) if inner.run % n == 0)
    return Word(1, lanes, lanes)
