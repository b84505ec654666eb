# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random networks through every pass: kernels, strides, paddings, dilations, groups, pools, skips and concatenations.

After each pass MLIR's own execution gives the integers it gave before; that is checked in `compile_network`.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "frontend"))
from onnx_builders import Net
from small_networks import compile_network, write_project

from resnet_hls.simulate import csim


@dataclass(frozen=True)
class Layer:
    """A layer; what a kind has no use for is ignored."""

    kind: str
    channels: int
    kernel: int
    stride: int
    dilation: int
    pads: tuple[int, int, int, int]
    signed: bool


@dataclass(frozen=True)
class Network:
    """A random network.

    Args:
        shape: channels, rows, columns of the image.
        layers: in order; one that does not fit its input is left out.
        pooled: whether it ends in a global pool and a matrix product.
        dsp: multipliers that hls-balance may use.
    """

    shape: tuple[int, int, int]
    signed: bool
    layers: tuple[Layer, ...]
    pooled: bool
    dsp: int


LAYERS = st.builds(
    Layer,
    kind=st.sampled_from(["conv", "conv", "depthwise", "max", "skip", "downsample", "concat", "twice"]),
    channels=st.sampled_from([1, 2, 3, 4, 5, 6, 8, 10, 12]),
    kernel=st.sampled_from([1, 2, 3, 3, 5]),
    stride=st.sampled_from([1, 1, 2, 3]),
    dilation=st.sampled_from([1, 1, 2]),
    pads=st.tuples(*[st.integers(0, 2)] * 4),
    signed=st.booleans(),
)
NETWORKS = st.builds(
    Network,
    shape=st.tuples(st.sampled_from([1, 2, 3, 4, 5]), st.integers(4, 9), st.integers(4, 9)),
    signed=st.booleans(),
    layers=st.lists(LAYERS, min_size=1, max_size=4).map(tuple),
    pooled=st.booleans(),
    dsp=st.sampled_from([200, 400, 1200]),
)


class Builder:
    """Adds layers to a `Net` and keeps the shape of the feature map in mind."""

    def __init__(self, network: Network) -> None:
        self.net = Net(shape=(1, *network.shape))
        self.rows, self.columns = network.shape[1:]
        self.value = self.net.quant("input", self.net.input, 2.0**-3, signed=network.signed)
        for number, layer in enumerate(network.layers):
            getattr(self, layer.kind)(f"layer{number}", layer)
        if network.pooled:
            self.quant("pool", self.net.node("GlobalMaxPool", "pool", [self.value]), True)
            self.value = self.net.linear("fc", self.net.node("Flatten", "flatten", [self.value]), 5)
        else:
            self.value = self.net.conv("last", self.value, 3, 1)

    def model(self) -> onnx.ModelProto:
        return self.net.model(self.net.quant("output", self.value, 2.0**-1))

    def quant(self, name: str, x: str, signed: bool) -> None:
        if not signed:
            x = self.net.node("Relu", f"{name}/relu", [x])
        self.value = self.net.quant(f"{name}/quant", x, 2.0**-2, signed=signed)

    def extents(self, layer: Layer) -> tuple[int, int]:
        """Rows and columns after a window; 0 where it does not fit."""
        top, left, bottom, right = layer.pads
        span = (layer.kernel - 1) * layer.dilation + 1
        rows, columns = self.rows + top + bottom - span, self.columns + left + right - span
        if min(rows, columns) < 0 or max(layer.pads) >= span:
            return 0, 0
        return rows // layer.stride + 1, columns // layer.stride + 1

    def conv(self, name: str, layer: Layer, group: int = 1) -> None:
        rows, columns = self.extents(layer)
        if rows:
            channels = self.net.channels[self.value] if group > 1 else layer.channels
            y = self.net.conv(
                name, self.value, channels, layer.kernel, stride=layer.stride, dilation=layer.dilation,
                pads=list(layer.pads), group=group,
            )  # fmt: skip
            self.rows, self.columns = rows, columns
            self.quant(name, y, layer.signed)

    def depthwise(self, name: str, layer: Layer) -> None:
        self.conv(name, layer, self.net.channels[self.value])

    def max(self, name: str, layer: Layer) -> None:
        if layer.kernel <= min(self.rows, self.columns):
            attributes = {"kernel_shape": [layer.kernel] * 2, "strides": [layer.stride] * 2}
            self.rows = (self.rows - layer.kernel) // layer.stride + 1
            self.columns = (self.columns - layer.kernel) // layer.stride + 1
            self.quant(name, self.net.node("MaxPool", name, [self.value], **attributes), True)

    def skip(self, name: str, layer: Layer) -> None:
        """An identity block of one convolution or two."""
        x, channels = self.value, self.net.channels[self.value]
        for part in range(1 + layer.dilation):
            self.quant(f"{name}/{part}", self.net.conv(f"{name}/{part}", self.value, channels), part < layer.dilation)
        self.quant(name, self.net.node("Add", name, [self.value, x]), layer.signed)

    def downsample(self, name: str, layer: Layer) -> None:
        """A block with a convolution on its skip."""
        x = self.value
        y = self.net.quant(f"{name}/b", self.net.conv(f"{name}/a", x, layer.channels, stride=layer.stride), 2.0**-2)
        z = self.net.conv(f"{name}/c", x, layer.channels, 1, stride=layer.stride)
        self.rows, self.columns = -(-self.rows // layer.stride), -(-self.columns // layer.stride)
        self.quant(name, self.net.node("Add", name, [y, self.net.quant(f"{name}/d", z, 2.0**-2)]), layer.signed)

    def concat(self, name: str, layer: Layer) -> None:
        x = self.value
        y = self.net.quant(f"{name}/a/quant", self.net.conv(f"{name}/a", x, layer.channels), self.net.scales[x])
        joined = self.net.node("Concat", name, [x, y], axis=1)
        self.net.channels[joined] = layer.channels + self.net.channels[x]
        self.quant(name, joined, layer.signed)

    def twice(self, name: str, layer: Layer) -> None:
        """Both operands of a sum are the same feature map."""
        self.quant(name, self.net.node("Add", name, [self.value, self.value]), layer.signed)


@given(NETWORKS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_random_network(network: Network) -> None:
    """Every pass leaves the integers as they are, and every contract holds."""
    with tempfile.TemporaryDirectory() as folder:
        compile_network(Builder(network).model(), Path(folder), network.dsp)


EXAMPLES = {
    "one-pixel": Network((4, 5, 5), True, (Layer("conv", 6, 5, 1, 1, (0, 0, 0, 0), False),), False, 200),
    "skips": Network(
        (3, 6, 5), False, tuple(Layer("skip", 1, 1, 1, d, (0, 0, 0, 0), d == 1) for d in (1, 2, 1)), True, 400
    ),
    "odd": Network(
        (5, 9, 7), True,
        (
            Layer("conv", 12, 5, 3, 1, (2, 1, 0, 2), False), Layer("concat", 10, 1, 1, 1, (0, 0, 0, 0), True),
            Layer("depthwise", 1, 3, 1, 2, (2, 2, 2, 2), True), Layer("twice", 1, 1, 1, 1, (0, 0, 0, 0), True),
        ),
        False, 1200,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_in_cpp(name: str, tmp_path: Path) -> None:
    """The C++ on bounded streams ends, with the same integers."""
    network = EXAMPLES[name]
    compiled = compile_network(Builder(network).model(), tmp_path, network.dsp)
    executable = csim.compile_testbench(write_project(compiled, tmp_path / "project"), headers="bounded")
    np.testing.assert_array_equal(csim.run(executable, compiled.images), compiled.expected)
