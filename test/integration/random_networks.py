# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random networks out of the blocks that residual networks are made of, and the `Net` of each.

Kernels, strides, paddings, dilations, groups, pools; skips of any length and scale, nested ones; splits, concatenation.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import onnx
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "frontend"))
from onnx_builders import Net

from resnet_hls.pipelines import optional_passes


@dataclass(frozen=True)
class Layer:
    """A layer or a block of layers; what a kind has no use for is ignored.

    Args:
        kind: the method of `Builder` that makes it.
        channels: of its result.
        kernel: rows and columns of its windows; where rows and columns must stay, the next odd number.
        stride, dilation: of its windows.
        pads: top, left, bottom, right.
        signed: whether its result may be negative; else a ReLU comes before the quantizer.
        parts: how many convolutions a branch has, layers a dense block, times a bottleneck is wider inside.
        exponents: the scale of the result, of a branch and of a skip are two to these powers.
        quantized: a quantizer stands between the last convolution of a branch and the addition.
        rescaled: a quantizer of its own stands on a skip.
    """

    kind: str
    channels: int = 4
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    signed: bool = False
    parts: int = 2
    exponents: tuple[int, int, int] = (-2, -2, -2)
    quantized: bool = True
    rescaled: bool = False


@dataclass(frozen=True)
class Network:
    """A random network.

    Args:
        shape: channels, rows, columns of the image.
        signed: int8 images rather than uint8.
        layers: in order; one that does not fit its input is left out.
        pooled: whether it ends in a global pool and a matrix product.
        dsp: multipliers that hls-balance may use.
        without: optimizations that are left out.
    """

    shape: tuple[int, int, int]
    signed: bool
    layers: tuple[Layer, ...]
    pooled: bool
    dsp: int
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Conv:
    """A convolution of a branch, with padding that keeps rows and columns; depthwise where it has no channels."""

    channels: int | None
    kernel: int
    stride: int = 1


class Builder:
    """Adds layers to a `Net` and keeps the shape of the feature map in mind."""

    def __init__(self, network: Network) -> None:
        self.net = Net(shape=(1, *network.shape))
        self.rows, self.columns = network.shape[1:]
        self.value = self.net.quant("input", self.net.input, 2.0**-3, signed=network.signed)
        for number, layer in enumerate(network.layers):
            getattr(self, layer.kind)(f"layer{number}", layer)
        if network.pooled:
            self.value = self.quant("pool", self.net.node("GlobalMaxPool", "pool", [self.value]), True)
            self.value = self.net.linear("fc", self.net.node("Flatten", "flatten", [self.value]), 5)
        else:
            self.value = self.net.conv("last", self.value, 3, 1)

    def model(self) -> onnx.ModelProto:
        return self.net.model(self.net.quant("output", self.value, 2.0**-1))

    @property
    def channels(self) -> int:
        return self.net.channels[self.value]

    def quant(self, name: str, x: str, signed: bool, exponent: int = -2) -> str:
        if not signed:
            x = self.net.node("Relu", f"{name}/relu", [x])
        return self.net.quant(f"{name}/quant", x, 2.0**exponent, signed=signed)

    def finish(self, name: str, x: str, layer: Layer) -> None:
        """The end of a block: ReLU or none, the quantizer."""
        self.value = self.quant(name, x, layer.signed, layer.exponents[0])

    def shrink(self, stride: int) -> None:
        """Rows and columns behind a window that keeps them but for its stride."""
        self.rows, self.columns = -(-self.rows // stride), -(-self.columns // stride)

    # Layers.

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
            channels = self.channels if group > 1 else layer.channels
            y = self.net.conv(
                name, self.value, channels, layer.kernel, stride=layer.stride, dilation=layer.dilation,
                pads=list(layer.pads), group=group,
            )  # fmt: skip
            self.rows, self.columns = rows, columns
            self.finish(name, y, layer)

    def depthwise(self, name: str, layer: Layer) -> None:
        self.conv(name, layer, self.channels)

    def max(self, name: str, layer: Layer) -> None:
        if layer.kernel <= min(self.rows, self.columns):
            attributes = {"kernel_shape": [layer.kernel] * 2, "strides": [layer.stride] * 2}
            self.rows = (self.rows - layer.kernel) // layer.stride + 1
            self.columns = (self.columns - layer.kernel) // layer.stride + 1
            self.value = self.quant(name, self.net.node("MaxPool", name, [self.value], **attributes), True)

    # Blocks.

    def branch(self, name: str, x: str, convs: list[Conv]) -> str:
        """Convolutions one behind the other, ReLU and quantizer between them; the sums of the last one."""
        for number, conv in enumerate(convs):
            if number:
                x = self.quant(f"{name}/{number - 1}", x, False)
            channels = conv.channels or self.net.channels[x]
            group = channels if conv.channels is None else 1
            x = self.net.conv(f"{name}/{number}", x, channels, conv.kernel, stride=conv.stride, group=group)
        return x

    def residual(self, name: str, x: str, convs: list[Conv], layer: Layer, side: list[Conv] | None = None) -> None:
        """Adds a branch that starts at `x` to the feature map, or to a branch of its own that starts there."""
        y, skip = self.branch(f"{name}/branch", x, convs), self.value
        if layer.quantized:
            y = self.quant(f"{name}/branch", y, True, layer.exponents[1])
        if side:
            skip = self.branch(f"{name}/side", skip, side)
        if layer.rescaled:
            skip = self.quant(f"{name}/skip", skip, True, layer.exponents[2])
        for conv in convs:
            self.shrink(conv.stride)
        self.finish(name, self.net.node("Add", name, [y, skip]), layer)

    def join(self, name: str, values: list[str]) -> str:
        joined = self.net.node("Concat", name, values, axis=1)
        self.net.channels[joined] = sum(self.net.channels[value] for value in values)
        return joined

    def skip(self, name: str, layer: Layer) -> None:
        """An identity block of one to three convolutions."""
        convs = [Conv(layer.channels, layer.kernel | 1) for _ in range(layer.parts - 1)]
        self.residual(name, self.value, [*convs, Conv(self.channels, layer.kernel | 1)], layer)

    def downsample(self, name: str, layer: Layer) -> None:
        """A block with a 1x1 convolution on its skip, of the same stride."""
        first, *others = [Conv(layer.channels, layer.kernel | 1) for _ in range(layer.parts)]
        convs = [Conv(first.channels, first.kernel, layer.stride), *others]
        self.residual(name, self.value, convs, layer, [Conv(layer.channels, 1, layer.stride)])

    def two_sides(self, name: str, layer: Layer) -> None:
        """Branches of different lengths on both sides of the addition."""
        convs = [Conv(layer.channels, layer.kernel | 1) for _ in range(layer.parts)]
        self.residual(name, self.value, convs, layer, [Conv(layer.channels, 3), Conv(layer.channels, 3)])

    def bottleneck(self, name: str, layer: Layer) -> None:
        """ResNet-50's block: 1x1 to fewer channels, a window, 1x1 back; projected where the shape changes."""
        outer = layer.channels if layer.stride > 1 else self.channels
        convs = [Conv(max(1, outer // 2), 1), Conv(max(1, outer // 2), layer.kernel | 1, layer.stride), Conv(outer, 1)]
        self.residual(name, self.value, convs, layer, [Conv(outer, 1, layer.stride)] if layer.stride > 1 else None)

    def inverted(self, name: str, layer: Layer) -> None:
        """MobileNetV2's block: 1x1 to more channels, a depthwise window, 1x1 back, nothing behind the addition."""
        inner = layer.parts * self.channels
        self.residual(name, self.value, [Conv(inner, 1), Conv(None, layer.kernel | 1), Conv(self.channels, 1)], layer)

    def preactivation(self, name: str, layer: Layer) -> None:
        """ResNet v2's block: ReLU and quantizer come before the convolutions, the skip takes what is before them."""
        x = self.quant(f"{name}/before", self.value, False, layer.exponents[2])
        convs = [Conv(layer.channels, layer.kernel | 1) for _ in range(layer.parts - 1)]
        self.residual(name, x, [*convs, Conv(self.channels, layer.kernel | 1)], layer)

    def nested(self, name: str, layer: Layer) -> None:
        """A skip around a skip."""
        outer = self.value
        self.skip(f"{name}/inner", layer)
        y = self.branch(f"{name}/branch", self.value, [Conv(self.net.channels[outer], layer.kernel | 1)])
        if layer.quantized:
            y = self.quant(f"{name}/branch", y, True, layer.exponents[1])
        self.finish(name, self.net.node("Add", name, [y, outer]), layer)

    def dense(self, name: str, layer: Layer) -> None:
        """DenseNet's block: what a layer gives is appended to what it takes."""
        for number in range(layer.parts):
            part = f"{name}/{number}"
            y = self.net.conv(part, self.value, layer.channels, layer.kernel | 1)
            y = self.net.quant(f"{part}/quant", y, self.net.scales[self.value])
            self.finish(f"{part}/joined", self.join(f"{part}/join", [self.value, y]), layer)

    def split(self, name: str, layer: Layer) -> None:
        """Convolutions of three sizes over one feature map, added or concatenated."""
        x = self.value
        added = not layer.rescaled
        sums = []
        for kernel in (1, 3, 5):
            part = f"{name}/{kernel}"
            y = self.branch(part, x, [Conv(layer.channels, kernel, layer.stride)])
            sums.append(self.quant(part, y, True, layer.exponents[1]) if layer.quantized or not added else y)
        self.shrink(layer.stride)
        if added:
            y = self.net.node("Add", f"{name}/first", sums[:2])
            self.finish(name, self.net.node("Add", name, [y, sums[2]]), layer)
        else:
            self.finish(name, self.join(name, sums), layer)

    def concat(self, name: str, layer: Layer) -> None:
        x = self.value
        y = self.net.quant(f"{name}/a/quant", self.net.conv(f"{name}/a", x, layer.channels), self.net.scales[x])
        self.finish(name, self.join(name, [x, y]), layer)

    def twice(self, name: str, layer: Layer) -> None:
        """Both operands of a sum are the same feature map."""
        self.finish(name, self.net.node("Add", name, [self.value, self.value]), layer)


LAYERS = ("conv", "depthwise", "max", "concat", "twice")
BLOCKS = (
    "skip", "downsample", "two_sides", "bottleneck", "inverted", "preactivation", "nested", "dense", "split",
)  # fmt: skip
EXPONENTS = st.integers(-4, -1)
NETWORKS = st.builds(
    Network,
    shape=st.tuples(st.sampled_from([1, 2, 3, 4, 5]), st.integers(4, 9), st.integers(4, 9)),
    signed=st.booleans(),
    layers=st.lists(
        st.builds(
            Layer,
            kind=st.sampled_from(["conv", *LAYERS, *BLOCKS]),
            channels=st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 10, 12]),
            kernel=st.sampled_from([1, 2, 3, 3, 3, 5]),
            stride=st.sampled_from([1, 1, 2, 3]),
            dilation=st.sampled_from([1, 1, 2]),
            pads=st.tuples(*[st.integers(0, 2)] * 4),
            signed=st.booleans(),
            parts=st.integers(1, 3),
            exponents=st.tuples(EXPONENTS, EXPONENTS, EXPONENTS),
            quantized=st.booleans(),
            rescaled=st.booleans(),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    pooled=st.booleans(),
    dsp=st.sampled_from([600, 1200, 2400]),
    without=st.just(frozenset()) | st.frozensets(st.sampled_from(optional_passes())),
)
