# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The network as the ONNX frontend sees it: layers and quantizers, whatever ONNX dialect they came from.

A quantizer is one node ("Quantize") that rounds real numbers to a `Grid`; weights and biases are integers already.
Nothing here needs onnx.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Array = NDArray[Any]

# Operations that give back some of their operand's values, unchanged: they keep its grid.
SELECTING = frozenset({"Relu", "MaxPool", "Reshape"})
MAC_LAYERS = frozenset({"Conv", "Gemm"})


@dataclass(frozen=True)
class Problem:
    """A reason why a model cannot be built: `where` (file or node), `what` is wrong, `help`: what to do about it."""

    where: str
    what: str
    help: str


@dataclass(frozen=True, eq=False)
class Grid:
    """The real numbers `(q - zero_point) * scale` for integers `low <= q <= high`.

    `scale` is float32, of shape () or (channels,); `signed` tells the memory format of q.
    """

    scale: Array
    zero_point: int
    low: int
    high: int
    signed: bool

    @property
    def per_channel(self) -> bool:
        return self.scale.ndim > 0

    @property
    def bits(self) -> int:
        """The least width that holds low to high."""
        if self.signed:
            return max((-self.low - 1).bit_length() if self.low < 0 else 0, max(self.high, 0).bit_length()) + 1
        return max(self.high.bit_length(), 1)

    @property
    def power_of_two(self) -> bool:
        return all(math.frexp(value)[0] == 0.5 for value in np.atleast_1d(self.scale).tolist())

    @property
    def plain(self) -> bool:
        """One power-of-two scale, zero point 0."""
        return not self.per_channel and self.zero_point == 0 and self.power_of_two

    @property
    def fraction_bits(self) -> int | None:
        """k of the scale 2^-k; None where the scale is no single power of two."""
        if self.per_channel or not self.power_of_two:
            return None
        return 1 - math.frexp(float(self.scale))[1]

    def same_steps(self, other: Grid) -> bool:
        """Whether both grids have one scale and zero point, and that the same."""
        return (
            not self.per_channel
            and not other.per_channel
            and float(self.scale) == float(other.scale)
            and self.zero_point == other.zero_point
            and self.signed == other.signed
        )

    def same(self, other: Grid) -> bool:
        return self.same_steps(other) and (self.low, self.high) == (other.low, other.high)

    def describe(self) -> str:
        """For messages and tables: `2^-4`, `0.0123`, `0.01…0.06 per channel`."""
        if self.per_channel:
            return f"{self.scale.min():.4g}…{self.scale.max():.4g} per channel"
        bits = self.fraction_bits
        return f"{float(self.scale):.6g}" if bits is None else f"2^{-bits}"


@dataclass(frozen=True, eq=False)
class Parameter:
    """A quantized constant: integers and their grid. Per-channel scales belong to axis 0.

    `name` is the source's name for it, `axis` the axis of per-channel scales.
    """

    name: str
    values: Array
    grid: Grid
    axis: int = 0


@dataclass(eq=False)
class Node:
    """One operation on activations. `name` is the source node's; `inputs` and `output` name values of the graph.

    Attributes by op: Conv: strides, pads, dilations, group; MaxPool, AveragePool: kernel_shape, strides, pads;
    Concat: axis; Clip: low, high; Quantize: implied (true where the source has none and its input lies on the grid).
    """

    op: Literal["Quantize", "Conv", "Gemm", "Relu", "Clip", "Add", "Concat", "MaxPool", "AveragePool", "Reshape"]
    name: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any] = field(default_factory=dict)
    grid: Grid | None = None
    weight: Parameter | None = None
    bias: Parameter | None = None
    float_bias: Array | None = None


@dataclass(eq=False)
class Graph:
    """Nodes in topological order; one input, one output."""

    input: str = ""
    output: str = ""
    nodes: list[Node] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dialects: set[str] = field(default_factory=set)
    quantizers: int = 0

    def producers(self) -> dict[str, Node]:
        return {node.output: node for node in self.nodes}

    def users(self) -> dict[str, list[Node]]:
        """The nodes that read each value, once per operand."""
        result: dict[str, list[Node]] = {}
        for node in self.nodes:
            for value in node.inputs:
                result.setdefault(value, []).append(node)
        return result

    def grids(self) -> dict[str, Grid]:
        """The grid of every value that lies on one: results of quantizers and what only selects from them."""
        result: dict[str, Grid] = {}
        for node in self.nodes:
            if node.op == "Quantize":
                assert node.grid is not None
                result[node.output] = node.grid
            elif node.op in SELECTING and node.inputs[0] in result:
                result[node.output] = result[node.inputs[0]]
        return result

    def macs(self, node: Node) -> int:
        """Multiply-accumulates of a convolution or Gemm; 0 for other nodes."""
        if node.weight is None:
            return 0
        per_output = math.prod(node.weight.values.shape[1:])
        return math.prod(self.shapes[node.output]) * per_output

    def problem(self, where: str, what: str, help: str) -> None:
        self.problems.append(Problem(where, what, help))

    def fresh(self, name: str) -> str:
        """A value name that is not taken yet, made from `name`."""
        taken = {self.input, *(node.output for node in self.nodes)}
        return next(candidate for candidate in _candidates(name) if candidate not in taken)


def _candidates(name: str) -> Iterator[str]:
    yield name
    for number in range(1, 1 << 30):
        yield f"{name}_{number}"
