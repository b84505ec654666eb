# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A task between two streams of different words: the same elements in the same order, in other words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch_mlir import ir
from torch_mlir.dialects import affine, memref

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import lanes_of, stream_name
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes._tiling_words import Conversion, Word, conversion


def convert_width(
    body: ir.Block, source: ir.Value, target: ir.Value, have: Word | None = None, want: Word | None = None
) -> None:
    """Appends a task that regroups the words of `source`, a frame of which fills it, into those of `target`.

    Args:
        have, want: what a word of each stream holds; neighbours only, where nothing is said.

    Raises:
        PassFailure: lanes that mean nothing are at other places in the two.
    """
    words = [given or Word(1, lanes_of(s), lanes_of(s)) for given, s in ((have, source), (want, target))]
    how = conversion(*words)
    if how is None:
        message = f"words of {describe(words[0])} cannot become words of {describe(words[1])}"
        help = "choose factors that divide the trip counts, or the same factor"
        raise PassFailure(source.owner.operation, message, help=help)
    _WidthConverter(source, target, words[0], words[1], how).build(body)


@dataclass(frozen=True)
class _WidthConverter:
    """Regroups the words of `source`, of which each is a `have`, into words of `target`, of which each is a `want`.

    Registers hold a run, in the words that are written.
    """

    source: ir.Value
    target: ir.Value
    have: Word
    want: Word
    how: Conversion

    def build(self, body: ir.Block) -> None:
        """Appends the task."""
        runs = ir.IntegerAttr(self.source.owner.operation.attributes["depth"]).value // self.how.read
        first = self.how.steps - self.how.written
        with ir.InsertionPoint(body), self.source.owner.operation.location:
            name = stream_name(self.source).removesuffix(f"_x{self.have.width}")
            name = f"{name}_width_{self.have.width}_to_{self.want.width}"
            block = hls.TaskOp(ir.StringAttr.get(name)).regions[0].blocks.append()
        with ir.InsertionPoint(block), self.source.owner.operation.location:
            held = self.allocate("held", [self.how.written, *self.taps, self.want.lanes])
            taken = self.allocate("input_word", [*self.taps, self.have.lanes])
            given = self.allocate("output_word", [*self.taps, self.want.lanes])
            step = ir.AffineExpr.get_dim(1)
            reads = [(self.how.read - 1 - step, False)] if self.how.read < self.how.steps else []
            writes = [(step - first, False)] if first else []
            marks: list[dict[str, ir.Attribute]] = [label("runs"), label("steps") | {"hls.pipeline": ir.UnitAttr.get()}]
            with iu.affine_loops([runs, self.how.steps], marks) as induction:
                with iu.affine_guard(reads, induction):
                    hls.ReadOp(self.source, taken)
                    self.keep(taken, held, induction)
                with iu.affine_guard(writes, induction):
                    self.give(held, given, induction, first)
                    hls.WriteOp(given, self.target)

    @property
    def taps(self) -> list[int]:
        return [self.have.taps] if self.have.taps > 1 else []

    def allocate(self, name: str, shape: list[int]) -> ir.Value:
        kind = ir.MemRefType.get(shape, hls.element_of(self.source.type).element_type)
        buffer = memref.AllocOp(kind, [], []).result
        buffer.owner.operation.attributes["hls.name"] = ir.StringAttr.get(name)
        return buffer

    def keep(self, taken: ir.Value, held: ir.Value, induction: list[ir.Value]) -> None:
        """Puts the elements of a word where the words that are written have them: each has few places."""
        have, want = self.have.lanes, self.want.lanes
        with unrolled(induction, [("words", self.how.read)]) as (outer, (word,)):
            chosen = [(ir.AffineExpr.get_dim(1) - word, True)] if self.how.read > 1 else []
            loops = [*(("taps", n) for n in self.taps), ("lanes", have)]
            with iu.affine_guard(chosen, outer), unrolled(outer, loops) as (inner, (*taps, lane)):
                element = word * have + lane
                with iu.affine_guard([(self.how.run - 1 - element, False)] if self.how.run % have else [], inner):
                    value = iu.affine_load(taken, ir.AffineMap.get(len(inner), 0, [*taps, lane]), inner)
                    quotient, rest = ir.AffineExpr.get_floor_div(element, want), ir.AffineExpr.get_mod(element, want)
                    iu.affine_store(value, held, ir.AffineMap.get(len(inner), 0, [quotient, *taps, rest]), inner)

    def give(self, held: ir.Value, given: ir.Value, induction: list[ir.Value], first: int) -> None:
        """Fills a word that is written; zeros beyond the end of the run."""
        kind, lanes = hls.element_of(self.source.type).element_type, self.want.lanes
        word = ir.AffineExpr.get_dim(1) - first
        loops = [*(("taps", n) for n in self.taps), ("lanes", lanes)]
        with unrolled(induction, loops) as (inner, (*taps, lane)):
            source = ir.AffineMap.get(len(inner), 0, [word, *taps, lane])
            if self.how.run % lanes:
                inside = ir.IntegerSet.get(len(inner), 0, [self.how.run - 1 - word * lanes - lane], [False])
                choice = affine.AffineIfOp(inside, [kind], cond_operands=inner, has_else=True)
                with ir.InsertionPoint(choice.then_block):
                    affine.AffineYieldOp([iu.affine_load(held, source, inner)])
                with ir.InsertionPoint(choice.else_block):
                    affine.AffineYieldOp([iu.int_constant(0, ir.IntegerType(kind).width)])
                value = choice.results[0]
            else:
                value = iu.affine_load(held, source, inner)
            iu.affine_store(value, given, ir.AffineMap.get(len(inner), 0, [*taps, lane]), inner)


def label(text: str) -> dict[str, ir.Attribute]:
    return {"hls.label": ir.StringAttr.get(text)}


def describe(word: Word) -> str:
    """A word in an error's words."""
    padded = f" of each {word.run} neighbours" if word.padded else ""
    return f"{word.width} lanes{padded}"


@contextmanager
def unrolled(
    around: Sequence[ir.Value], loops: Sequence[tuple[str, int]]
) -> Iterator[tuple[list[ir.Value], list[ir.AffineExpr]]]:
    """Loops that are unrolled whole, by label and trip count, inside others.

    Gives all variables, and for each of the loops its variable as a dimension of these; 0 for a loop of one iteration.
    """
    i64 = ir.IntegerType.get_signless(64)
    kept = [(text, n) for text, n in loops if n > 1]
    marks = [label(text) | {"hls.unroll": ir.IntegerAttr.get(i64, n)} for text, n in kept]
    with iu.affine_loops([n for _, n in kept], marks) as variables:
        dims = iter(range(len(around), len(around) + len(kept)))
        exprs = [ir.AffineExpr.get_dim(next(dims)) if n > 1 else ir.AffineExpr.get_constant(0) for _, n in loops]
        yield [*around, *variables], exprs
