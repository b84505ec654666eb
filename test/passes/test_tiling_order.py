# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`hls-unroll-loops` on nests in which lanes must not run statement by statement, and on some where they may."""

from __future__ import annotations

import pytest
from torch_mlir import ir

from resnet_hls import UserError
from resnet_hls.context import make_context
from resnet_hls.passes import PassManager
from resnet_hls.simulate.validate import Validator

Loops = list[tuple[str, int, str]]
UNROLLED = "hls.unroll = 2 : i64"
READ = '"hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()\n'
WRITE = '"hls.write"(%given, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()\n'


def load(value: str, buffer: str, index: str = "0", size: int = 1) -> str:
    return f"%{value} = affine.load %{buffer}[{index}] : memref<{size}xi8>\n"


def store(value: str, buffer: str, index: str = "0", size: int = 1) -> str:
    return f"affine.store %{value}, %{buffer}[{index}] : memref<{size}xi8>\n"


def when(body: str, **held: int) -> str:
    """`body` in these iterations only."""
    conditions = ", ".join(f"{loop} - {iteration} == 0" for loop, iteration in held.items())
    values = ", ".join(f"%{loop}" for loop in held)
    return f"affine.if affine_set<({', '.join(held)}) : ({conditions})>({values}) {{\n{body}}}\n"


def module(loops: Loops, body: str, words: tuple[int, int]) -> str:
    """A task of a nest; `words` come in and go out."""
    channels = next((n for name, n, _ in loops if name == "c"), 1)
    head = "".join(f"affine.for %{name} = 0 to {n} {{\n" for name, n, _ in loops)
    tail = "".join(f"}} {{{mark}}}\n" if mark else "}\n" for _, _, mark in reversed(loops))
    weights = ", ".join(str([5 * c + k + 1 for k in range(3)]) for c in range(channels))
    buffers = "".join(f"%{name} = memref.alloc() : memref<1xi8>\n" for name in ("word", "given", "sum", "held", "keep"))
    return f"""
memref.global "private" constant @weight : memref<{channels}x3xi8> = dense<[{weights}]>
func.func @f(%image: memref<{words[0]}xi8>, %result: memref<{words[1]}xi8>) {{
  "hls.dataflow"() ({{
    %in = "hls.fifo"() {{depth = {words[0]} : i64, sym_name = "in"}} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {{depth = {words[1]} : i64, sym_name = "out"}} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<{words[0]}xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({{
      %zero = arith.constant 0 : i8
      %w = memref.get_global @weight : memref<{channels}x3xi8>
      {buffers}
      %row = memref.alloc() : memref<3xi8>
      {head}{body}{tail}
    }}) {{sym_name = "task"}} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<{words[1]}xi8>) -> ()
  }}) : () -> ()
  return
}}"""


def product(channels: int = 2) -> str:
    kind = f"memref<{channels}x3xi8>"
    return f"{load('h', 'held')}%q = affine.load %w[%c, %k] : {kind}\n%p = arith.muli %h, %q : i8\n"


def add(value: str) -> str:
    return f"{load('s', 'sum')}%n = arith.addi %s, %{value} : i8\n{store('n', 'sum')}"


def give(buffer: str) -> str:
    return load("g", buffer) + store("g", "given") + WRITE


def pixels(taps: str = "", channels: int = 2, factor: str = UNROLLED) -> Loops:
    return [("x", 6, ""), ("c", channels, factor), ("k", 3, taps)]


HOLD = READ + load("i", "word") + store("i", "held")
BEGIN = when(HOLD, c=0, k=0) + when(store("zero", "sum"), c=0, k=0)
MINUS = f"{load('s', 'sum')}%n = arith.subi %p, %s : i8\n{store('n', 'sum')}"
KEPT = f"{load('b', 'sum')}%z = arith.addi %b, %p : i8\n{store('z', 'keep')}"
GIVEN = f"%n = arith.addi %s, %h : i8\n{store('n', 'sum')}{store('n', 'given')}{WRITE}"
DIFFERENCE = f"{load('h', 'held')}{load('l', 'sum')}%n = arith.subi %h, %l : i8\n{store('n', 'given')}{WRITE}"
ROW = (
    "%s = affine.load %row[%k] : memref<3xi8>\n%n = arith.addi %p, %s : i8\naffine.store %n, %row[%k] : memref<3xi8>\n"
)
CHANNELS: Loops = [("x", 6, ""), ("c", 2, UNROLLED)]
REFUSED = {
    "handed out before the last tap": module(
        pixels(), BEGIN + product() + add("p") + when(give("sum"), c=1, k=1), (6, 6)
    ),
    "begun again after the first tap": module(
        pixels(), BEGIN + when(store("zero", "sum"), c=0, k=1) + product() + add("p")
        + when(give("sum"), c=1, k=2), (6, 6),
    ),
    "loaded before it is stored": module(
        CHANNELS, when(give("sum"), c=1) + when(READ + load("b", "word") + store("b", "sum"), c=0), (6, 6)
    ),
    "the same for all lanes": module(
        CHANNELS, when(HOLD, c=0) + when(store("zero", "sum"), c=0) + load("h", "held") + add("h")
        + when(give("sum"), c=1), (6, 6),
    ),
    "in another order": module(pixels(), BEGIN + product() + MINUS + when(give("sum"), c=1, k=2), (6, 6)),
    "every sum is handed out": module(
        [("y", 2, ""), ("x", 4, UNROLLED), ("c", 3, "")],
        when(store("zero", "sum"), y=0, x=0, c=0) + READ + load("h", "word") + load("s", "sum") + GIVEN, (24, 24),
    ),
    "from pixel to pixel": module(
        [("y", 2, ""), ("x", 6, UNROLLED)],
        READ + load("a", "word") + store("a", "held") + when(store("zero", "sum"), y=0) + DIFFERENCE
        + load("g", "held") + store("g", "sum"), (12, 12),
    ),
    "kept between": module(
        pixels("hls.tap"), BEGIN + product() + add("p") + when(KEPT, c=1, k=0) + when(give("keep"), c=1, k=2), (6, 6)
    ),
    "handed out between two groups": module(
        pixels(channels=4), BEGIN + when(give("sum"), c=2, k=0) + product(4) + add("p"), (6, 6)
    ),
}  # fmt: skip
SAME = {
    "a sum": module(pixels(), BEGIN + product() + add("p") + when(give("sum"), c=1, k=2), (6, 6)),
    "a sum, some channels a step": module(
        pixels(channels=4), BEGIN + product(4) + add("p") + when(give("sum"), c=3, k=2), (6, 6)
    ),
    "a sum, channels that do not fill the last step": module(
        pixels(channels=3), BEGIN + product(3) + add("p") + when(give("sum"), c=2, k=2), (6, 6)
    ),
    "every sum of a row of lanes": module(
        [("y", 2, ""), ("x", 4, UNROLLED)],
        when(store("zero", "sum"), y=0, x=0) + READ + load("h", "word") + load("s", "sum") + GIVEN, (8, 8),
    ),
    "one tap adds and gives": module(
        pixels(), BEGIN + when(product() + add("p"), k=1) + when(give("sum"), c=1, k=1), (6, 6)
    ),
    "a sum for each tap": module(
        pixels(), when(HOLD, c=0, k=0) + when(store("zero", "row", "%k", 3), c=0) + product() + ROW
        + when(load("g", "row", "%k", 3) + store("g", "given") + WRITE, c=1), (6, 18),
    ),
    "no sum at all": module(pixels(), when(HOLD, c=0, k=0) + product() + store("p", "given") + WRITE, (6, 36)),
}  # fmt: skip


def unroll(text: str) -> None:
    """Whether the pass refuses the module, and if it does not, whether it computes the same."""
    parsed = ir.Module.parse(text, make_context())
    PassManager.parse("builtin.module(verify-dataflow)").run(parsed)
    validator = Validator()
    validator.before(parsed.operation)
    PassManager.parse("builtin.module(hls-unroll-loops)").run(parsed)
    validator.after("hls-unroll-loops", parsed.operation)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(UserError, match="an access between two lanes of an unrolled loop"):
        unroll(REFUSED[name])


@pytest.mark.parametrize("name", SAME)
def test_the_same(name: str) -> None:
    unroll(SAME[name])
