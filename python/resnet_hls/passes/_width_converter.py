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
    _WidthConverter(source, target, how).build(body)


@dataclass(frozen=True)
class _WidthConverter:
    """Regroups the words of `source` into words of `target`. Registers hold a run, in the words that are written."""

    source: ir.Value
    target: ir.Value
    how: Conversion

    def build(self, body: ir.Block) -> None:
        """Appends the task."""
        have, want, how = self.how.have, self.how.want, self.how
        words = ir.IntegerAttr(self.source.owner.operation.attributes["depth"]).value
        loops = [("runs", words // how.read)]
        if how.row:
            in_row = -(-how.row // have.pixels) * how.groups(have)
            loops = [("rows", words // in_row), ("runs", -(-how.row // how.span))]
        marks: list[dict[str, ir.Attribute]] = [label(text) for text in (*(text for text, _ in loops), "steps")]
        marks[-1]["hls.pipeline"] = ir.UnitAttr.get()
        with ir.InsertionPoint(body), self.source.owner.operation.location:
            name = stream_name(self.source).removesuffix(f"_x{have.text}")
            name = f"{name}_width_{have.text}_to_{want.text}"
            block = hls.TaskOp(ir.StringAttr.get(name)).regions[0].blocks.append()
        with ir.InsertionPoint(block), self.source.owner.operation.location:
            held = self.allocate("held", [how.written, *dimensions(want)])
            taken = self.allocate("input_word", dimensions(have))
            given = self.allocate("output_word", dimensions(want))
            step, first = ir.AffineExpr.get_dim(len(loops)), how.steps - how.written
            reads = [(how.read - 1 - step, False)] if how.read < how.steps else []
            writes = [(step - first, False)] if first else []
            with iu.affine_loops([*(n for _, n in loops), how.steps], marks) as induction:
                with iu.affine_guard([*reads, *self.in_row(have, step)], induction):
                    hls.ReadOp(self.source, taken)
                    self.keep(taken, held, induction)
                with iu.affine_guard([*writes, *self.in_row(want, step - first)], induction):
                    self.give(held, given, induction, step - first)
                    hls.WriteOp(given, self.target)

    def allocate(self, name: str, shape: list[int]) -> ir.Value:
        kind = ir.MemRefType.get(shape, hls.element_of(self.source.type).element_type)
        buffer = memref.AllocOp(kind, [], []).result
        buffer.owner.operation.attributes["hls.name"] = ir.StringAttr.get(name)
        return buffer

    def place(self, word: Word, number: ir.AffineExpr) -> tuple[ir.AffineExpr, ir.AffineExpr]:
        """The first pixel of a run and the group of lanes that its word of this number has."""
        if word.pixels == self.how.span:
            return ir.AffineExpr.get_constant(0), number
        groups = self.how.groups(word)
        return ir.AffineExpr.get_floor_div(number, groups) * word.pixels, ir.AffineExpr.get_mod(number, groups)

    def in_row(self, word: Word, number: ir.AffineExpr) -> list[tuple[ir.AffineExpr, bool]]:
        """The condition for a word of a run to have a pixel of the row, where the last run of a row has fewer."""
        if not self.how.row % self.how.span:
            return []
        pixel = ir.AffineExpr.get_dim(1) * self.how.span + self.place(word, number)[0]
        return [(pixel * -1 + (self.how.row - 1), False)]

    def keep(self, taken: ir.Value, held: ir.Value, induction: list[ir.Value]) -> None:
        """Puts the elements of a word where the words that are written have them: each has few places."""
        have, want, how = self.how.have, self.how.want, self.how
        divide, rest = ir.AffineExpr.get_floor_div, ir.AffineExpr.get_mod
        step = ir.AffineExpr.get_dim(len(induction) - 1)
        with unrolled(induction, [("words", how.read)]) as (outer, (word,)):
            chosen = [(step - word, True)] if how.read > 1 else []
            first, group = self.place(have, word)
            with iu.affine_guard(chosen, outer), unrolled(outer, places(have)) as (inner, (pixel, tap, lane)):
                element = group * have.lanes + lane
                with iu.affine_guard([(how.run - 1 - element, False)] if how.run % have.lanes else [], inner):
                    source = of(have, pixel, tap, lane)
                    value = iu.affine_load(taken, ir.AffineMap.get(len(inner), 0, source), inner)
                    number, pixel = divide(element, want.lanes), first + pixel
                    if want.pixels < how.span:
                        number = divide(pixel, want.pixels) * how.groups(want) + number
                        pixel = rest(pixel, want.pixels)
                    target = [number, *of(want, pixel, tap, rest(element, want.lanes))]
                    iu.affine_store(value, held, ir.AffineMap.get(len(inner), 0, target), inner)

    def give(self, held: ir.Value, given: ir.Value, induction: list[ir.Value], number: ir.AffineExpr) -> None:
        """Fills a word that is written, of this number in the run; zeros beyond the end of the run."""
        kind, want, run = hls.element_of(self.source.type).element_type, self.how.want, self.how.run
        with unrolled(induction, places(want)) as (inner, (pixel, tap, lane)):
            target = of(want, pixel, tap, lane)
            source = ir.AffineMap.get(len(inner), 0, [number, *target])
            if run % want.lanes:
                element = self.place(want, number)[1] * want.lanes + lane
                inside = ir.IntegerSet.get(len(inner), 0, [run - 1 - element], [False])
                choice = affine.AffineIfOp(inside, [kind], cond_operands=inner, has_else=True)
                with ir.InsertionPoint(choice.then_block):
                    affine.AffineYieldOp([iu.affine_load(held, source, inner)])
                with ir.InsertionPoint(choice.else_block):
                    affine.AffineYieldOp([iu.int_constant(0, ir.IntegerType(kind).width)])
                value = choice.results[0]
            else:
                value = iu.affine_load(held, source, inner)
            iu.affine_store(value, given, ir.AffineMap.get(len(inner), 0, target), inner)


def places(word: Word) -> list[tuple[str, int]]:
    """The loops over the elements of a word, by label and trip count."""
    return [("pixels", word.pixels), ("taps", word.taps), ("lanes", word.lanes)]


def of(word: Word, *place: ir.AffineExpr) -> list[ir.AffineExpr]:
    """The index of an element in a buffer for a word: of pixels and taps only where there are several."""
    extents = (word.pixels, word.taps)
    return [*(expr for expr, n in zip(place, extents, strict=False) if n > 1), place[-1]]


def dimensions(word: Word) -> list[int]:
    """The shape of a buffer for a word."""
    return [*(n for n in (word.pixels, word.taps) if n > 1), word.lanes]


def label(text: str) -> dict[str, ir.Attribute]:
    return {"hls.label": ir.StringAttr.get(text)}


def describe(word: Word) -> str:
    """A word in an error's words."""
    padded = f" of each {word.run} neighbours" if word.padded else ""
    pixels = f" of {word.pixels} pixels" if word.pixels > 1 else ""
    return f"{word.width} lanes{pixels}{padded}"


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
