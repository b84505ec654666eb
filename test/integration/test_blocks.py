# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each kind of block that residual networks are made of, through every pass to C++ on bounded streams."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from random_networks import Builder, Layer, Network
from small_networks import compile_network, write_project

from resnet_hls.simulate import csim

BLOCKS = {
    "identity": Layer("skip", 4),
    "identity-unquantized-branch": Layer("skip", 4, quantized=False),
    "unequal-scales": Layer("skip", 4, exponents=(-1, -3, -1), rescaled=True, signed=True),
    "projection": Layer("downsample", 7, stride=2, parts=1),
    "unequal-lengths": Layer("two_sides", 4, parts=3, quantized=False),
    "bottleneck": Layer("bottleneck", exponents=(-2, -3, -2)),
    "inverted-residual": Layer("inverted", parts=3, signed=True),
    "pre-activation": Layer("preactivation", 5, quantized=False, signed=True, exponents=(-2, -2, -3)),
    "nested": Layer("nested", 4, quantized=False),
    "dense": Layer("dense", 3, parts=2),
    "split-added": Layer("split", 5, stride=2, quantized=False),
    "split-concatenated": Layer("split", 3, rescaled=True),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_block(name: str, tmp_path: Path) -> None:
    """The C++ gives the integers of the model, frame after frame, with streams of the depths that were chosen."""
    network = Network((3, 7, 6), True, (Layer("conv", 6, pads=(1, 1, 1, 1), signed=True), BLOCKS[name]), False, 600)
    compiled = compile_network(Builder(network).model(), tmp_path, network.dsp, count=5)
    assert len(np.unique(compiled.expected)) > 8, "the network says nothing"
    project = write_project(compiled, tmp_path / "project")
    executable = csim.compile_testbench(project, headers="bounded", optimize=False)
    np.testing.assert_array_equal(csim.run(executable, compiled.images, at_once=1), compiled.expected)
