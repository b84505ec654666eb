# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random networks through every pass: after each of them MLIR's own execution gives the integers it gave before.

That is checked in `compile_network`. `--hypothesis-profile=campaign` tries hundreds of networks.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings

sys.path.insert(0, str(Path(__file__).parent))
from random_networks import NETWORKS, Builder, Layer, Network
from small_networks import compile_network, write_project

from resnet_hls.simulate import csim


@settings(max_examples=max(1, settings().max_examples // 4))
@given(NETWORKS)
# A pool over everything: one loop of one iteration starts the one element of its accumulator.
@example(Network((1, 4, 4), False, (Layer("conv", 1, 1),), True, 600))
def test_random_network(network: Network) -> None:
    """Every pass leaves the integers as they are, and every contract holds, whichever optimizations are left out."""
    with tempfile.TemporaryDirectory() as folder:
        compile_network(Builder(network).model(), Path(folder), network.dsp, without=network.without)


EXAMPLES = {
    "one-pixel": Network((4, 5, 5), True, (Layer("conv", 6, 5),), False, 200),
    "odd": Network(
        (5, 9, 7), True,
        (
            Layer("conv", 12, 5, 3, pads=(2, 1, 0, 2)), Layer("concat", 10, signed=True),
            Layer("depthwise", dilation=2, pads=(2, 2, 2, 2), signed=True), Layer("twice", signed=True),
        ),
        False, 1200,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_in_cpp(name: str, tmp_path: Path) -> None:
    """The C++ on bounded streams ends, with the same integers."""
    run_in_cpp(EXAMPLES[name], tmp_path)


def test_padding_narrower_than_the_window_in_cpp(tmp_path: Path) -> None:
    """One row below the map runs together with the next frame's first, which hands out nothing before its fourth."""
    run_in_cpp(Network((1, 7, 7), True, (Layer("conv", 7, dilation=2, pads=(1, 1, 1, 1)),), False, 600), tmp_path)


def run_in_cpp(network: Network, folder: Path) -> None:
    """Several frames in one call, on bounded streams."""
    compiled = compile_network(Builder(network).model(), folder, network.dsp, count=3)
    executable = csim.compile_testbench(write_project(compiled, folder / "project"), headers="bounded", optimize=False)
    np.testing.assert_array_equal(csim.run(executable, compiled.images, at_once=1), compiled.expected)
