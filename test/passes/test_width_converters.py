# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Width converters between words of all numbers of lanes, for pixels of 1 to 7 elements: every one is exact, none slow.

Tasks that pass a pixel on stand in a row, so that each number of lanes is followed by each other.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from math import lcm
from pathlib import Path

import numpy as np
import pytest
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))
from small_networks import Compiled, write_project

from resnet_hls.analysis.tasks import Task, tasks, the_dataflow
from resnet_hls.context import make_context
from resnet_hls.passes import PassManager
from resnet_hls.simulate import csim
from resnet_hls.simulate.jit import Jit

PIXELS, FRAMES = 3, 2
Kind = tuple[int, int]  # pixels and lanes of a word
TASK = """
    "hls.task"() ({{
      %word = memref.alloc() {{hls.name = "word"}} : memref<1xi8>
      affine.for %x = 0 to {pixels} {{
        affine.for %c = 0 to {run} {{
          "hls.read"(%s{number}, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %s{next}) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }} {{hls.unroll = {lanes} : i64}}
      }} {{hls.unroll = {group} : i64}}
    }}) {{sym_name = "pass_{number}"}} : () -> ()
"""


def walk(kinds: Sequence[Kind]) -> list[Kind]:
    """Kinds of words, the last one first, so that each ordered pair of different ones stands side by side somewhere."""
    pairs = {(a, b) for a in kinds for b in kinds if a != b}
    found = [kinds[-1]]
    while pairs:
        here = [b for a, b in pairs if a == found[-1]]
        found.append(max(here) if here else min(a for a, _ in pairs))
        pairs.discard((found[-2], found[-1]))
    return found


def row(run: int, kinds: list[Kind], pixels: int = PIXELS) -> str:
    """A dataflow of tasks that pass on pixels of `run` elements in such words, so many in a row."""
    kind, image = "!hls.stream<vector<1xi8>>", f"memref<1x{pixels}x{run}xi8>"
    streams = "".join(
        f'    %s{n} = "hls.fifo"() {{depth = {pixels * run} : i64, sym_name = "stream_{n}"}} : () -> {kind}\n'
        for n in range(len(kinds) + 1)
    )
    bodies = "".join(
        TASK.format(number=n, next=n + 1, group=group, lanes=lanes, run=run, pixels=pixels)
        for n, (group, lanes) in enumerate(kinds)
    )
    return (
        f"func.func @row(%image: {image}, %result: {image}) {{\n"
        f'  "hls.dataflow"() ({{\n{streams}'
        f'    "hls.source"(%image, %s0) : ({image}, {kind}) -> (){bodies}'
        f'    "hls.sink"(%s{len(kinds)}, %result) : ({kind}, {image}) -> ()\n'
        "  }) : () -> ()\n  return\n}\n"
    )


def least_steps(run: int, have: int, want: int) -> int:
    """Steps of a pixel, where one reads a word at most and writes one at most, as soon as it has its elements.

    Pixels of the same two divisors need no runs of their own, but begin anew with each common multiple.
    """
    if run % have == 0 and run % want == 0:
        return run // min(have, want)
    step = -1
    for first in range(0, run, want):
        step = max(step + 1, (min(first + want, run) - 1) // have)
    return max(step + 1, -(-run // have))


def converters(module: ir.Module) -> list[Task]:
    return [task for task in tasks(the_dataflow(module.operation)) if "_width_" in task.name]


@pytest.mark.parametrize("run", [2, 3, 4, 5, 6, 7])
def test_converters(run: int, tmp_path: Path) -> None:
    lanes = walk([(1, lanes) for lanes in range(1, run + 1)])
    images = np.random.default_rng(run).integers(-128, 128, (FRAMES, 1, PIXELS, run)).astype(np.int8)
    with make_context(), ir.Location.unknown():
        module = ir.Module.parse(row(run, lanes))
        PassManager.parse("builtin.module(hls-unroll-loops,verify-dataflow)").run(module)
        np.testing.assert_array_equal(Jit(module.operation, optimize=0).run(images), images)
        found = converters(module)
        assert len(found) >= run * (run - 1)
        for task in found:
            have, want = map(int, re.findall(r"\d+", task.name.partition("_width_")[2]))
            assert task.trip_count == PIXELS * least_steps(run, have, want), task.name
        PassManager.parse(
            "builtin.module(hls-place-memories,hls-pipeline-loops{clock-mhz=250},hls-size-fifos,verify-scheduled)"
        ).run(module)
        assert all(task.interval == 1 for task in found)
        if run in (5, 6):
            project = write_project(Compiled(module, images, images.reshape(FRAMES, -1)), tmp_path / "project")
            executable = csim.compile_testbench(project, headers="bounded", optimize=False)
            np.testing.assert_array_equal(csim.run(executable, images, at_once=1), images.reshape(FRAMES, -1))


#: Words of one to four of five pixels, of three elements each: they end within a row, and within a pixel.
KINDS: list[Kind] = [(2, 2), (4, 3), (3, 1), (1, 2), (2, 3)]


def words_of(kind: Kind, pixels: int, run: int) -> list[set[Kind]]:
    """The elements (pixel, number) of each word of a row."""
    group, lanes = kind
    return [
        {(p, c) for p in range(first, min(first + group, pixels)) for c in range(begin, min(begin + lanes, run))}
        for first in range(0, pixels, group)
        for begin in range(0, run, lanes)
    ]


def steps_of_run(have: Kind, want: Kind, run: int) -> int:
    """Steps of as many pixels as both have whole words of, where each is written as soon as it has its elements."""
    span = lcm(have[0], want[0])
    read, written = words_of(have, span, run), words_of(want, span, run)
    step = -1
    for word in written:
        step = max(step + 1, max(n for n, other in enumerate(read) if word & other))
    return max(step + 1, len(read))


def test_pixels(tmp_path: Path) -> None:
    run, pixels, kinds = 3, 5, walk(KINDS)
    images = np.random.default_rng(0).integers(-128, 128, (FRAMES, 1, pixels, run)).astype(np.int8)
    with make_context(), ir.Location.unknown():
        module = ir.Module.parse(row(run, kinds, pixels))
        PassManager.parse("builtin.module(hls-unroll-loops,verify-dataflow)").run(module)
        np.testing.assert_array_equal(Jit(module.operation, optimize=0).run(images), images)
        found = {task.name.partition("_width_")[0].split("_")[1]: task for task in converters(module)}
        for number, (have, want) in enumerate(pairwise(kinds), start=1):
            task = found.pop(str(number))
            if have[0] != want[0]:
                runs = -(-pixels // lcm(have[0], want[0]))
                assert task.trip_count == runs * steps_of_run(have, want, run), task.name
        PassManager.parse(
            "builtin.module(hls-place-memories,hls-pipeline-loops{clock-mhz=250},hls-size-fifos,verify-scheduled)"
        ).run(module)
        assert all(task.interval == 1 for task in tasks(the_dataflow(module.operation)))
        project = write_project(Compiled(module, images, images.reshape(FRAMES, -1)), tmp_path / "project")
        executable = csim.compile_testbench(project, headers="bounded")
        np.testing.assert_array_equal(csim.run(executable, images, at_once=1), images.reshape(FRAMES, -1))
