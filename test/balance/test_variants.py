# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What hls-balance expects of factors is what hls-unroll-loops makes of them: the words of streams, and the cycles."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))
from random_networks import Builder, Layer, Network
from small_networks import compile_network

from resnet_hls.analysis.tasks import stream_name, tasks, the_dataflow
from resnet_hls.balance.building import alone, mark
from resnet_hls.balance.variants import Factors, Shape
from resnet_hls.passes._pixel_walk import widen
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes._tiling import Tiling
from resnet_hls.passes.unroll_loops import UnrollLoops

NETWORK = Network((3, 6, 7), True, (Layer("downsample", 5, stride=2), Layer("max", kernel=2)), True, 0)
SAMPLES = 6  # of each task


class _Stopped(Exception):
    """The dataflow has been looked at."""


def compare(module: ir.Operation, shape: Shape, factors: Factors) -> bool:
    """Words and cycles of a task as they were expected; False where it cannot be built so."""
    copy = alone(module, shape.task)
    (task,) = tasks(the_dataflow(copy))
    mark(task, factors, 0, 2)
    tiled = copy.clone()
    try:
        tiling = Tiling(*widen(task))
        UnrollLoops().run(tiled)
    except PassFailure:
        return False
    for stream in [*tiling.task.inputs, *tiling.task.outputs]:
        assert tiling.word_of(stream) == shape.word(stream_name(stream), factors), (shape.task.name, factors)
    (built,) = tasks(the_dataflow(tiled))
    assert built.trip_count == shape.cycles(factors), (shape.task.name, factors)
    return True


def test_variants(tmp_path: Path) -> None:
    built: dict[bool, int] = {False: 0, True: 0}

    def look(module: ir.Operation) -> None:
        random = Random(0)
        for task in tasks(the_dataflow(module)):
            shape = Shape(task)
            for several in (False, True):
                of_kind = [factors for factors in shape.all_factors if (shape.pixels(factors) > 1) == several]
                for factors in random.sample(of_kind, min(SAMPLES, len(of_kind))):
                    built[several] += compare(module, shape, factors)
        raise _Stopped

    with pytest.raises(_Stopped):
        compile_network(Builder(NETWORK).model(), tmp_path, mark=look)
    assert all(count > SAMPLES for count in built.values()), built
