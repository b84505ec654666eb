# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Skip bytes, counted in dataflows of every shape that the passes give a residual block; figures by hand."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console
from torch_mlir import ir

from resnet_hls.analysis.residuals import ResidualBlock
from resnet_hls.context import make_context
from resnet_hls.report.skips import skip_report
from resnet_hls.report.text import skip_table

#: A stream: writer, reader, depth in words, elements of 8 bits in a word.
Stream = tuple[str, str, int, int]
BLOCK = ResidualBlock("join", "stem", "conv", "stem", 2000, 1000)


def dataflow(streams: list[Stream]) -> ir.Module:
    """A task per writer, in order of appearance, that reads and writes a word each; `in` and `out` are the ports."""
    names = list(dict.fromkeys([s[0] for s in streams] + [s[1] for s in streams]))
    lines = []
    for number, (_, _, depth, lanes) in enumerate(streams):
        kind = f"!hls.stream<vector<{lanes}xi8>>"
        lines.append(f'%s{number} = "hls.fifo"() {{depth = {depth} : i64, sym_name = "s{number}"}} : () -> {kind}')
    for name in names:
        body = []
        for number, (writer, reader, _, lanes) in enumerate(streams):
            word, stream, buffer = f"%w{number}", f"!hls.stream<vector<{lanes}xi8>>", f"memref<{lanes}xi8>"
            if name == "in" == writer:
                lines.append(f'"hls.source"(%image, %s{number}) : (memref<64xi8>, {stream}) -> ()')
            elif name == "out" == reader:
                lines.append(f'"hls.sink"(%s{number}, %result) : ({stream}, memref<64xi8>) -> ()')
            elif name == reader:
                body.append(
                    f'{word} = memref.alloc() : {buffer}\n"hls.read"(%s{number}, {word}) : ({stream}, {buffer}) -> ()'
                )
            elif name == writer:
                body.append(
                    f'{word} = memref.alloc() : {buffer}\n"hls.write"({word}, %s{number}) : ({buffer}, {stream}) -> ()'
                )
        if name not in ("in", "out"):
            loop = "affine.for %i = 0 to 64 {\n" + "\n".join(body) + "\n}"
            lines.append(f'"hls.task"() ({{\n{loop}\n}}) {{sym_name = "{name}"}} : () -> ()')
    text = "\n".join(lines)
    ports = "%image: memref<64xi8>, %result: memref<64xi8>"
    function = f'func.func @f({ports}) {{\n"hls.dataflow"() ({{\n{text}\n}}) : () -> ()\nreturn\n}}'
    return ir.Module.parse(function, make_context())


def report(
    streams: list[Stream], *blocks: ResidualBlock, skip_rows: dict[str, int] | None = None, **line_buffers: int
) -> dict[str, Any]:
    tasks = dict.fromkeys([name for stream in streams for name in stream[:2]], 0)
    return skip_report(dataflow(streams).operation, blocks, {**tasks, **line_buffers}, skip_rows or {})


HEAD: list[Stream] = [("in", "stem", 2, 1)]
MAIN: list[Stream] = [("conv_window", "conv", 2, 9), ("conv", "join_window", 2, 1), ("join_window", "join", 2, 9)]
TAIL: list[Stream] = [("join", "out", 2, 1)]


def test_split_by_the_producer() -> None:
    """The skip has a FIFO of its own, here behind a width converter."""
    split: list[Stream] = [("stem", "conv_window", 2, 2), ("stem", "convert", 70, 2), ("convert", "join", 5, 4)]
    found = report([*HEAD, *split, *MAIN, *TAIL], BLOCK, conv_window=500)
    assert found["residual_blocks"] == [
        {
            "name": "join",
            "fork": "stem",
            "join": "join",
            "skip_buffer_bytes": 70 * 2 + 5 * 4,
            "skip_buffer_bytes_naive": 2000,
            "skip_buffer_bytes_published": 1000,
        }
    ]
    assert found["skip_buffer_bytes"] == 160


def test_handed_on_by_the_window_task() -> None:
    """The line buffer of the first convolution holds the skip: what it keeps there is the convolution's."""
    shared: list[Stream] = [("stem", "conv_window", 2, 1), ("conv_window", "join", 6, 1)]
    assert report([*HEAD, *shared, *MAIN, *TAIL], BLOCK, conv_window=500)["skip_buffer_bytes"] == 6


def test_longer_line_buffer() -> None:
    """Rows that the line buffer has for the skip alone are the skip's."""
    shared: list[Stream] = [("stem", "conv_window", 2, 1), ("conv_window", "join", 6, 1)]
    found = report([*HEAD, *shared, *MAIN, *TAIL], BLOCK, conv_window=500, skip_rows={"conv_window": 48})
    assert found["skip_buffer_bytes"] == 6 + 48


def test_convolution_on_the_skip() -> None:
    """A task of its own on the skip, with a line buffer that nothing else needs."""
    own: list[Stream] = [
        ("stem", "conv_window", 2, 1),
        ("stem", "down_window", 40, 1),
        ("down_window", "down", 3, 9),
        ("down", "join", 8, 1),
    ]
    block = ResidualBlock("join", "stem", "conv", "down", 2000, 1000)
    assert report([*HEAD, *own, *MAIN, *TAIL], block, down_window=100)["skip_buffer_bytes"] == 40 + 27 + 8 + 100


def test_the_convolution_on_the_skip_is_the_join() -> None:
    """The 1x1 takes the long way's result in its epilogue: what waits is its input."""
    streams: list[Stream] = [
        ("stem", "conv_window", 2, 1),
        ("conv_window", "conv", 2, 9),
        ("conv_window", "join", 30, 1),
        ("conv", "join", 2, 1),
    ]
    assert report([*HEAD, *streams, *TAIL], BLOCK)["skip_buffer_bytes"] == 30


@pytest.mark.parametrize("skip_first", [False, True])
def test_one_map_in_two_ways(skip_first: bool) -> None:
    """A single convolution with a skip around it: both come from one window task, the windows are the long way."""
    ways: list[Stream] = [("join_window", "join", 2, 9), ("join_window", "join", 4, 1)]
    streams: list[Stream] = [("stem", "join_window", 2, 1), *(reversed(ways) if skip_first else ways)]
    block = ResidualBlock("join", "stem", "stem", "stem", 2000, 1000)
    assert report([*HEAD, *streams, *TAIL], block)["skip_buffer_bytes"] == 4


def test_two_skips() -> None:
    """Two skips from one place into one join, and a third from elsewhere: each FIFO counts once."""
    streams: list[Stream] = [
        ("stem", "conv", 2, 1),
        ("conv", "last", 2, 1),
        ("conv", "join", 7, 1),
        ("last", "join", 2, 1),
        ("stem", "join", 11, 1),
        ("stem", "join", 13, 1),
    ]
    blocks = [
        ResidualBlock("join", "stem", "last", "stem", 30, 20),
        ResidualBlock("join", "stem", "last", "stem", 30, 20),
        ResidualBlock("join", "conv", "last", "conv", 10, 5),
    ]
    found = report([*HEAD, *streams, *TAIL], *blocks)
    assert [row["skip_buffer_bytes"] for row in found["residual_blocks"]] == [11, 13, 7]
    assert [found[f"skip_buffer_bytes{kind}"] for kind in ("", "_naive", "_published")] == [31, 70, 45]


def test_nested() -> None:
    """The skip of the outer block passes the inner one, whose FIFO is not counted again."""
    streams: list[Stream] = [
        ("stem", "a", 2, 1),
        ("stem", "x", 20, 1),
        ("x", "b", 2, 1),
        ("x", "c", 9, 1),
        ("b", "c", 2, 1),
        ("c", "join", 3, 1),
        ("a", "join", 2, 1),
    ]
    blocks = [ResidualBlock("c", "x", "b", "x", 10, 5), ResidualBlock("join", "stem", "a", "c", 30, 20)]
    found = report([*HEAD, *streams, *TAIL], *blocks)
    assert [row["skip_buffer_bytes"] for row in found["residual_blocks"]] == [9, 20 + 2 + 2 + 3]


def test_not_there() -> None:
    """A dataflow that doesn't show the block: nothing is said, and nothing in total."""
    streams: list[Stream] = [*HEAD, ("stem", "join", 2, 1), *TAIL]
    found = report(streams, BLOCK, ResidualBlock("elsewhere", "stem", "conv", "stem", 5, 5))
    assert [row["skip_buffer_bytes"] for row in found["residual_blocks"]] == [None, None]
    assert found["skip_buffer_bytes"] is None
    assert found["skip_buffer_bytes_published"] == 1005


def test_no_blocks() -> None:
    found = report([*HEAD, ("stem", "out", 2, 1)])
    assert found == {
        "skip_buffer_bytes": 0,
        "skip_buffer_bytes_naive": 0,
        "skip_buffer_bytes_published": 0,
        "residual_blocks": [],
    }


def test_table() -> None:
    split: list[Stream] = [("stem", "conv_window", 2, 1), ("stem", "join", 1070, 1)]
    found = report([*HEAD, *split, *MAIN, *TAIL], BLOCK)
    console = Console(file=io.StringIO(), width=100)
    console.print(skip_table({**found, "provenance": {"skip_buffer_bytes": "counted"}}))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    rows = [line.replace("│", " ").split() for line in text.splitlines()]
    assert ["join", "stem", "2,000", "1,000", "1,070", "107.0", "%"] in rows
    assert ["total", "2,000", "1,000", "1,070", "107.0", "%"] in rows
