# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random networks with random unroll factors: lanes beyond the last iteration, taps in turn, words that do not fit.

After each pass MLIR's own execution gives the integers it gave before (`compile_network`); for some networks the C++
on bounded streams gives them, too. `--hypothesis-profile=campaign` tries hundreds.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from random_factors import choose
from random_networks import Builder, Layer, Network
from small_networks import Compiled, compile_network, write_project

from resnet_hls.analysis.tasks import tasks, the_dataflow
from resnet_hls.simulate import csim

#: Kinds of layers whose tasks take any factors. A concatenation asks for factors that divide both of its parts.
KINDS = ("conv", "conv", "depthwise", "max", "twice", "skip", "downsample", "two_sides", "bottleneck", "inverted")
LAYERS = st.builds(
    Layer,
    kind=st.sampled_from(KINDS),
    channels=st.integers(1, 9),
    kernel=st.sampled_from([1, 2, 3, 3]),
    stride=st.sampled_from([1, 1, 2]),
    pads=st.sampled_from([(0, 0, 0, 0), (1, 1, 1, 1)]),
    parts=st.integers(1, 2),
)
NETWORKS = st.builds(
    Network,
    shape=st.tuples(st.integers(1, 5), st.integers(4, 7), st.integers(4, 7)),
    signed=st.booleans(),
    layers=st.lists(LAYERS, min_size=1, max_size=2).map(tuple),
    pooled=st.booleans(),
    dsp=st.just(0),
)


def compiled(network: Network, seed: int, folder: Path, count: int = 2) -> Compiled:
    """The network with factors that `seed` says. A step of each of its tasks starts every cycle."""
    found = compile_network(Builder(network).model(), folder, count=count, mark=partial(choose, seed=seed))
    with found.module.context:
        for task in tasks(the_dataflow(found.module.operation)):
            assert task.interval == 1, task.name
    return found


@settings(max_examples=max(1, settings().max_examples // 2))
@given(NETWORKS, st.integers(0, 2**32))
def test_random_factors(network: Network, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        compiled(network, seed, Path(folder))


#: A residual block on images of five channels, a pool over windows, and three channels at the end.
EXAMPLE = Network((5, 6, 7), True, (Layer("downsample", 7, stride=2), Layer("max", kernel=2)), False, 0)


@pytest.mark.parametrize("seed", range(2))
def test_random_factors_in_cpp(seed: int, tmp_path: Path) -> None:
    """Several frames in one call, on bounded streams."""
    found = compiled(EXAMPLE, seed, tmp_path, count=3)
    executable = csim.compile_testbench(write_project(found, tmp_path / "project"), headers="bounded", optimize=False)
    np.testing.assert_array_equal(csim.run(executable, found.images, at_once=1), found.expected)
