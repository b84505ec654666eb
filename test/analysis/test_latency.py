# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Depths and intervals of pipelines, against what one finds by hand.

At 250 MHz a stage has 2920 ps for operations, at 100 MHz 7300 ps. An addition of 32 bits takes 1020 ps, a choice 400.
"""

from __future__ import annotations

import pytest
from torch_mlir import ir

from resnet_hls.analysis.latency import USABLE, Iteration, usable_time
from resnet_hls.analysis.tasks import Task
from resnet_hls.context import make_context
from resnet_hls.ir_utils import walk

#: Less than two additions of 32 bits fit into a stage.
ONE_ADDITION = 1e6 * USABLE / 1100


def pipeline(arrays: str, body: str, clock_mhz: float, extents: tuple[int, int] = (4, 4)) -> tuple[int, int]:
    """Depth and interval of a task that does `body` in a loop over %y and %x.

    Each of `arrays` is NAME: TYPE STORAGE, one a line; TYPE is that of a memref's element with its shape.
    """
    lines, storage = [], []
    for array in filter(None, map(str.strip, arrays.splitlines())):
        name, kind, place = array.replace(":", " ").split()
        lines.append(f"%{name} = memref.alloc() : memref<{kind}>")
        storage.append(place)
    text = f"""
      func.func @f() {{
        %in = "hls.fifo"() {{depth = 2 : i64, sym_name = "in"}} : () -> !hls.stream<vector<9xi8>>
        %out = "hls.fifo"() {{depth = 2 : i64, sym_name = "out"}} : () -> !hls.stream<vector<1xi8>>
        "hls.task"() ({{
          {" ".join(f"{line}{chr(10)}" for line in lines)}
          %none = arith.constant 0 : i32
          %none8 = arith.constant 0 : i8
          %five = arith.constant 5 : i32
          affine.for %y = 0 to {extents[0]} {{
            affine.for %x = 0 to {extents[1]} {{
              "hls.read"(%in, %word) : (!hls.stream<vector<9xi8>>, memref<9xi8>) -> ()
              {body}
              "hls.write"(%result, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }} {{hls.pipeline}}
          }}
        }}) {{sym_name = "task"}} : () -> ()
        return
      }}"""
    context = make_context()
    context.allow_unregistered_dialects = True
    with context:
        module = ir.Module.parse(text)
        (task,) = walk(module.operation, "hls.task")
        found = [op.results[0] for op in walk(task, "memref.alloc")]
        iteration = Iteration(Task(task), dict(zip(found, storage, strict=True)))
        return iteration.depth(usable_time(clock_mhz)), iteration.interval(usable_time(clock_mhz))


WORDS = """
  word: 9xi8 register
  result: 1xi8 register
"""


def test_what_passes_words_on_has_two_stages() -> None:
    """One that reads and one that writes, at any clock at which a choice fits into one."""
    body = """
      %0 = affine.load %word[4] : memref<9xi8>
      affine.store %0, %result[0] : memref<1xi8>"""
    assert pipeline(WORDS, body, 100) == (2, 1)
    assert pipeline(WORDS, body, 700) == (2, 1)


@pytest.mark.parametrize(("storage", "depth"), [("register", 2), ("lutram", 2), ("bram", 3)])
def test_window_task(storage: str, depth: int) -> None:
    """A row of a line buffer, which is there after one cycle or two; padding is a choice after that.

    What registers hold is there at once, and chosen from eight of them in two lookup tables; the word that is read is
    not there before stage 1.
    """
    body = """
      %0 = affine.load %line[%x] : memref<8xi8>
      affine.store %0, %column[0] : memref<2xi8>
      %1 = affine.load %word[0] : memref<9xi8>
      affine.store %1, %column[1] : memref<2xi8>
      affine.store %1, %line[%x] : memref<8xi8>
      %2 = affine.if affine_set<(d) : (d - 1 >= 0)>(%y) -> i8 {
        %3 = affine.load %column[0] : memref<2xi8>
        affine.yield %3 : i8
      } else {
        affine.yield %none8 : i8
      }
      affine.store %2, %result[0] : memref<1xi8>"""
    arrays = f"{WORDS}\n line: 8xi8 {storage}\n column: 2xi8 register"
    assert pipeline(arrays, body, 250, (4, 8)) == (depth, 1)


MULTIPLY = """
  affine.if affine_set<(d) : (d == 0)>(%y) {{
    affine.store %five, %sum[%x] : memref<{n}xi32>
  }}
  affine.store %none, %step[] : memref<i32>
  affine.for %k = 0 to 9 {{
    %0 = affine.load %word[%k] : memref<9xi8>
    %1 = affine.load %weight[%x, %k] : memref<{n}x9xi8>
    %2 = arith.extsi %0 : i8 to i32
    %3 = arith.extsi %1 : i8 to i32
    %4 = arith.muli %2, %3 : i32
    %5 = affine.load %step[] : memref<i32>
    %6 = arith.addi %5, %4 : i32
    affine.store %6, %step[] : memref<i32>
  }} {{hls.unroll = 9 : i64}}
  %7 = affine.load %sum[%x] : memref<{n}xi32>
  %8 = affine.load %step[] : memref<i32>
  %9 = arith.addi %7, %8 : i32
  affine.store %9, %sum[%x] : memref<{n}xi32>
  affine.if affine_set<(d) : (d - 3 == 0)>(%y) {{
    %10 = affine.load %sum[%x] : memref<{n}xi32>
    %11 = arith.shrsi %10, %five : i32
    %12 = arith.trunci %11 : i32 to i8
    affine.store %12, %result[0] : memref<1xi8>
  }}"""


@pytest.mark.parametrize(
    ("clock_mhz", "weights", "depth"),
    [
        # Words are there in stage 1, as are weights from LUTs, and products in stage 4. Four levels of a tree: two in
        # each of stages 4 and 5. The sum of the steps and the choice of a result take 1420 ps in stage 6.
        (250, "rom_lutram", 7),
        # Weights come a stage later, or two, and so does the rest.
        (250, "rom_bram", 8),
        (250, "uram", 9),
        # Five additions and the choice, 5500 ps, fit into stage 4.
        (100, "rom_lutram", 5),
    ],
)
@pytest.mark.parametrize("results", [1, 4])
def test_multiply_accumulate(clock_mhz: float, weights: str, depth: int, results: int) -> None:
    """Nine taps; four sums in turn, of which one is chosen, or one sum that every step adds to: the interval is 1."""
    arrays = f"{WORDS}\n sum: {results}xi32 register\n step: i32 register\n weight: {results}x9xi8 {weights}"
    assert pipeline(arrays, MULTIPLY.format(n=results), clock_mhz, (4, results)) == (depth, 1)


@pytest.mark.parametrize(("lanes", "additions"), [(1, 0), (2, 1), (3, 2), (4, 2), (8, 3), (9, 4)])
@pytest.mark.parametrize("zero", [True, False])
def test_lanes_that_add_are_a_tree(lanes: int, additions: int, zero: bool) -> None:
    """One addition a stage, from stage 1 on; a start that is not zero is one more."""
    body = f"""
      affine.store {"%none" if zero else "%five"}, %step[] : memref<i32>
      affine.for %k = 0 to {lanes} {{
        %0 = affine.load %word[%k] : memref<9xi8>
        %1 = arith.extsi %0 : i8 to i32
        %2 = affine.load %step[] : memref<i32>
        %3 = arith.addi %1, %2 : i32
        affine.store %3, %step[] : memref<i32>
      }} {{hls.unroll = {lanes} : i64}}
      %4 = affine.load %step[] : memref<i32>
      %5 = arith.trunci %4 : i32 to i8
      affine.store %5, %result[0] : memref<1xi8>"""
    depth = max(2, 1 + additions + (not zero))
    assert pipeline(f"{WORDS}\n step: i32 register", body, ONE_ADDITION) == (depth, 1)


def test_lanes_that_need_each_other_are_a_chain() -> None:
    """The largest of nine bytes: 1180 ps for each, two of them in a stage at 250 MHz."""
    body = """
      affine.store %none8, %result[0] : memref<1xi8>
      affine.for %k = 0 to 9 {
        %0 = affine.load %word[%k] : memref<9xi8>
        %1 = affine.load %result[0] : memref<1xi8>
        %2 = arith.maxsi %0, %1 : i8
        affine.store %2, %result[0] : memref<1xi8>
      } {hls.unroll = 9 : i64}"""
    assert pipeline(WORDS, body, 250) == (1 + 5, 1)


def test_lanes_with_elements_of_their_own_are_one() -> None:
    """Nine additions side by side; each begins with a zero that is only there for it."""
    body = """
      affine.for %k = 0 to 9 {
        affine.store %none8, %own[] : memref<i8>
        %0 = affine.load %word[%k] : memref<9xi8>
        %1 = affine.load %own[] : memref<i8>
        %2 = arith.maxsi %0, %1 : i8
        affine.store %2, %own[] : memref<i8>
        %3 = affine.load %own[] : memref<i8>
        affine.store %3, %word[%k] : memref<9xi8>
      } {hls.unroll = 9 : i64}
      %4 = affine.load %word[8] : memref<9xi8>
      affine.store %4, %result[0] : memref<1xi8>"""
    assert pipeline(f"{WORDS}\n own: i8 register", body, 250) == (2, 1)


@pytest.mark.parametrize(
    ("first", "second", "third", "additions"), [("2 * %p", "2 * %p + 1", "4", 1), ("4", "%p", "4", 2)]
)
def test_additions_to_other_elements(first: str, second: str, third: str, additions: int) -> None:
    """An addition waits for another in the iteration before only where both have an element in common."""
    body = "\n".join(
        f"""
        %a{n} = affine.load %sum[{place}] : memref<5xi32>
        %b{n} = arith.addi %a{n}, %five : i32
        affine.store %b{n}, %sum[{place}] : memref<5xi32>"""
        for n, place in enumerate((first, second))
    )
    body = f"""
      affine.for %p = 0 to 2 {{{body}
      }} {{hls.unroll = 2 : i64}}
      %c = affine.load %sum[{third}] : memref<5xi32>
      %d = arith.addi %c, %five : i32
      affine.store %d, %sum[{third}] : memref<5xi32>"""
    assert pipeline(f"{WORDS}\n sum: 5xi32 register", body, ONE_ADDITION)[1] == additions


@pytest.mark.parametrize(("powers", "interval"), [(1, 3), (2, 2), (3, 1), (4, 1)])
def test_interval(powers: int, interval: int) -> None:
    """A product of three cycles is needed so many iterations later as there are elements that take turns."""
    body = f"""
      %0 = affine.load %word[0] : memref<9xi8>
      %1 = affine.load %power[%x] : memref<{powers}xi8>
      %2 = arith.muli %0, %1 : i8
      affine.store %2, %power[%x] : memref<{powers}xi8>
      affine.store %2, %result[0] : memref<1xi8>"""
    assert pipeline(f"{WORDS}\n power: {powers}xi8 register", body, 100, (4, powers)) == (5, interval)


@pytest.mark.parametrize(("left", "right", "cycles"), [("i8", "i8", 3), ("i16", "i16", 3), ("i32", "i32", 6)])
def test_wide_products(left: str, right: str, cycles: int) -> None:
    """Widths are those before an extension; each further partial product of 27 x 18 bits is a cycle."""
    body = f"""
      %0 = affine.load %a[0] : memref<1x{left}>
      %1 = affine.load %b[0] : memref<1x{right}>
      %2 = arith.extsi %0 : {left} to i64
      %3 = arith.extsi %1 : {right} to i64
      %4 = arith.muli %2, %3 : i64
      %5 = arith.trunci %4 : i64 to i8
      affine.store %5, %result[0] : memref<1xi8>"""
    arrays = f"{WORDS}\n a: 1x{left} register\n b: 1x{right} register"
    assert pipeline(arrays, body, 250) == (cycles + 1, 1)


def chain(pack: bool, chains: int, links: int, fabric: bool = False) -> str:
    """Products of two words' bytes in chains, and what the chains give added up; sums of one lane, or of two."""
    mark = ' {hls.multiplier = "fabric"}' if fabric else ""
    operand = '"hls.pack"(%1, %0) {shift = 18 : i64} : (i8, i8) -> i27' if pack else "arith.addi %half, %half : i27"
    factor = "%2 = arith.extsi %packed : i27 to i48" if pack else "%2 = arith.extsi %1 : i8 to i48"
    return f"""
      %half = arith.constant 1 : i27
      %start = arith.constant 131072 : i48
      affine.store %none, %step[] : memref<i32>
      affine.for %c = 0 to {chains} {{
        affine.store %start, %product[] : memref<i48>
        affine.for %k = 0 to {links} {{
          %0 = affine.load %word[%k] : memref<9xi8>
          %1 = affine.load %word[%k] : memref<9xi8>
          %packed = {operand}
          {factor}
          %3 = arith.extsi %0 : i8 to i48
          %4 = arith.muli %2, %3{mark} : i48
          %5 = affine.load %product[] : memref<i48>
          %6 = arith.addi %5, %4 : i48
          affine.store %6, %product[] : memref<i48>
        }} {{hls.cascade, hls.unroll = {links} : i64}}
        %7 = affine.load %product[] : memref<i48>
        %8 = "hls.low"(%7) {{shift = 18 : i64}} : (i48) -> i18
        %9 = arith.extsi %8 : i18 to i32
        %10 = affine.load %step[] : memref<i32>
        %11 = arith.addi %10, %9 : i32
        affine.store %11, %step[] : memref<i32>
      }} {{hls.unroll = {chains} : i64}}
      %12 = affine.load %step[] : memref<i32>
      %13 = arith.trunci %12 : i32 to i8
      affine.store %13, %result[0] : memref<1xi8>"""


@pytest.mark.parametrize("links", [1, 2, 3, 7])
@pytest.mark.parametrize(("chains", "additions"), [(1, 0), (2, 1), (3, 2), (8, 3)])
@pytest.mark.parametrize("pack", [False, True])
def test_cascade(links: int, chains: int, additions: int, pack: bool) -> None:
    """A product takes three cycles, one more behind the pre-adder, each further link one; taking lanes out takes none.

    Words are there in stage 1. Chains run side by side; what they give is a tree, an addition a stage.
    """
    arrays = f"{WORDS}\n step: i32 register\n product: i48 register"
    depth = 1 + 1 + 3 + pack + (links - 1) + max(0, additions - 1)
    assert pipeline(arrays, chain(pack, chains, links), ONE_ADDITION) == (depth, 1)


def test_products_in_fabric() -> None:
    """Three rows of adders of 16 bits, 860 ps each, of which three fit a stage at 250 MHz."""
    arrays = f"{WORDS}\n step: i32 register\n product: i48 register"
    assert pipeline(arrays, chain(False, 1, 1, fabric=True), 250) == (2, 1)
    assert pipeline(arrays, chain(False, 1, 1, fabric=True), 400) == (3, 1)


def test_lanes_that_begin_with_a_store_add_up_alone() -> None:
    """Two sums of four in lanes of a loop around: two levels of additions, not three."""
    body = """
      affine.for %o = 0 to 2 {
        affine.store %none, %step[] : memref<i32>
        affine.for %k = 0 to 4 {
          %0 = affine.load %word[%k] : memref<9xi8>
          %1 = arith.extsi %0 : i8 to i32
          %2 = affine.load %step[] : memref<i32>
          %3 = arith.addi %1, %2 : i32
          affine.store %3, %step[] : memref<i32>
        } {hls.unroll = 4 : i64}
        %4 = affine.load %step[] : memref<i32>
        affine.store %4, %sums[%o] : memref<2xi32>
      } {hls.unroll = 2 : i64}
      %5 = affine.load %sums[1] : memref<2xi32>
      %6 = arith.trunci %5 : i32 to i8
      affine.store %6, %result[0] : memref<1xi8>"""
    assert pipeline(f"{WORDS}\n step: i32 register\n sums: 2xi32 register", body, ONE_ADDITION) == (1 + 2, 1)
