# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the words of streams hold once loops are tiled. Reads the IR, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm, prod
from typing import TYPE_CHECKING

import numpy as np
from torch_mlir import ir

from resnet_hls.analysis.iterations import evaluate, guards_of
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import PassFailure

if TYPE_CHECKING:
    from resnet_hls.passes._tiling import Tiling


@dataclass(frozen=True)
class Word:
    """A word of a stream: for each of `taps` taps `lanes` neighbours of a run of `run` elements.

    Where the lanes do not divide the run, the last word of each run has lanes that mean nothing. Where they do, runs
    are of no interest: `run` is `lanes` then.
    """

    taps: int
    run: int
    lanes: int

    @property
    def width(self) -> int:
        """Elements of a word."""
        return self.taps * self.lanes

    @property
    def padded(self) -> bool:
        return self.run % self.lanes > 0

    def words(self, elements: int) -> int:
        """How many words carry so many elements, which are whole runs."""
        return elements // (self.taps * self.run) * -(-self.run // self.lanes)


def word(taps: int, run: int, lanes: int) -> Word:
    return Word(taps, run if run % lanes else lanes, lanes)


def word_of(tiling: Tiling, stream: ir.Value) -> Word:
    """What a word of `stream` holds on the side of a task. Raises PassFailure where it is not always the same."""
    found = {_word(tiling, t.op): t.op for t in tiling.task.transfers if t.stream == stream}
    if len(found) != 1:
        raise PassFailure(next(iter(found.values()), tiling.task.op), "a stream whose words are not all alike")
    return next(iter(found))


def _word(tiling: Tiling, op: ir.Operation) -> Word:
    free = tiling.free_of[op]
    taps = prod(tiling.nest.extents[d] for d in free & tiling.taps)
    walked = max(free - tiling.taps, default=-1)
    if walked < 0:
        return Word(taps, 1, 1)
    if any(tap < walked for tap in free & tiling.taps):
        help = "taps are the innermost loops that walk a stream of windows"
        raise PassFailure(op, "a word that would hold taps that do not come together", help=help)
    inside = np.ones(tiling.nest.extents[walked], dtype=bool)
    iterations = [np.arange(len(inside))] * (walked + 1)
    for expr, equal in guards_of(op, tiling.nest):
        if dims_of(expr) == {walked}:
            value = evaluate(expr, iterations)
            inside &= (value == 0) if equal else (value >= 0)
    return word(taps, int(inside.sum()), tiling.factors[walked])


@dataclass(frozen=True)
class Conversion:
    """How words of one kind become words of another: `run` elements (for each tap) at a time.

    A word a step is read in the first steps of a run, and one a step is written in its last ones.
    """

    run: int
    read: int  # words of a run
    written: int
    steps: int  # of a run


def conversion(have: Word, want: Word) -> Conversion | None:
    """How words of `have` become words of `want`; None where they never begin anew together.

    A run takes as many steps as it has words on the side that has more; one more where the last word that is read
    completes two that are written.
    """
    runs = {w.run for w in (have, want) if w.padded} or {lcm(have.lanes, want.lanes)}
    run = runs.pop()
    if have.taps != want.taps or runs or any(run % w.lanes for w in (have, want) if not w.padded):
        return None
    read, written = -(-run // have.lanes), -(-run // want.lanes)
    late = read >= written > 1 and (written - 1) * want.lanes > (read - 1) * have.lanes
    return Conversion(run, read, written, max(read + late, written))


def port_word(inner: Word) -> Word | None:
    """The word of a port behind which words are like `inner`; None where there is none.

    A port carries elements in their order, and no lanes that mean nothing.
    """
    if inner.taps > 1 and (inner.lanes > 1 or inner.padded):
        return None
    if not inner.padded:
        return inner
    lanes = next(n for n in range(inner.lanes, inner.run + 1) if inner.run % n == 0)
    return Word(1, lanes, lanes)
