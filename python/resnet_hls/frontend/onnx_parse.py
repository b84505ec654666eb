# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a ModelProto in any of the three dialects to a `Graph`: every node goes to its handler.

What a handler cannot take becomes a problem of the graph, by node name, and parsing goes on, so that one look names
all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from resnet_hls.frontend import onnx_constants
from resnet_hls.frontend.onnx_advice import SUPPORTED, advice
from resnet_hls.frontend.onnx_graph import Array, Graph, Grid, Node, Parameter, Shape


class Rejected(Exception):
    """The node at hand cannot be taken: what is wrong, and a way out."""

    def __init__(self, what: str, help: str) -> None:
        super().__init__(what)
        self.what = what
        self.help = help


class Poisoned(Exception):
    """The node reads the result of a node that was rejected; nothing more to say about it."""


@dataclass(frozen=True)
class Value:
    """An activation, in real numbers."""

    name: str


@dataclass(frozen=True)
class Integer:
    """A quantized activation before its DequantizeLinear; `name` is the same activation in real numbers."""

    name: str
    grid: Grid


@dataclass(frozen=True)
class Padded:
    """An activation with zeros around it: (top, left, bottom, right)."""

    inner: Value | Integer
    pads: tuple[int, int, int, int]


Operand = Value | Integer | Padded | Parameter | Array
Handler = Callable[["Parser", onnx.NodeProto, dict[str, Any]], Operand]


def display_name(node: onnx.NodeProto) -> str:
    """The node's own name, or its first output's where it has none."""
    return str(node.name or (node.output[0] if node.output else node.op_type))


class Parser:
    """Walks a model once. `graph` is the result; handlers use the methods below."""

    def __init__(self, model: onnx.ModelProto, input: str, shape: Shape) -> None:
        self.model = model
        self.graph = Graph(input=input, shapes={input: shape})
        self.environment: dict[str, Operand | None] = {input: Value(input)}
        self.uses = Counter(name for node in model.graph.node for name in node.input)
        self.uses.update(value.name for value in model.graph.output)
        self.opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
        self.current = ""
        self.result = ""

    def parse(self, output: str, handlers: dict[str, Handler]) -> Graph:
        """The graph, with `output` (a tensor name) as its output."""
        for tensor in self.model.graph.initializer:
            self.environment[tensor.name] = self._initializer(tensor)
        for node in self.model.graph.node:
            self._visit(node, handlers)
        value = self.environment.get(output)
        if isinstance(value, Value):
            self.graph.output = value.name
        elif not self.graph.problems:
            self.graph.problem(output, "the output is no activation of the network", "export the model again")
        return self.graph

    def _initializer(self, tensor: onnx.TensorProto) -> Array | None:
        try:
            return np.asarray(numpy_helper.to_array(tensor))
        except Exception:  # whatever numpy says to a size that does not fit the data
            if self.uses[tensor.name]:
                self.graph.problem(tensor.name, "this constant is damaged", "export the model again")
            return None

    def _visit(self, node: onnx.NodeProto, handlers: dict[str, Handler]) -> None:
        self.current = display_name(node)
        self.result = node.output[0] if node.output else ""
        try:
            if any(name in self.environment for name in node.output if name):
                raise Rejected(f"produces {self.result}, which exists already", "export the model again")
            self.environment[self.result] = self._apply(node, handlers)
        except Poisoned:
            self.environment[self.result] = None
        except Rejected as error:
            self.graph.problem(self.current, error.what, error.help)
            self.environment[self.result] = None
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, AssertionError) as error:
            detail = str(error).splitlines()[0] if str(error) else type(error).__name__
            what = f"{node.op_type} is malformed ({type(error).__name__}: {detail})"
            self.graph.problem(self.current, what, "check the model with onnx.checker.check_model, export it again")
            self.environment[self.result] = None

    def _apply(self, node: onnx.NodeProto, handlers: dict[str, Handler]) -> Operand:
        attrs = onnx_constants.attributes(node)
        inputs = [self.operand(node, number) for number in range(len(node.input))]
        constant = all(value is None or isinstance(value, np.ndarray) for value in inputs)
        if constant and onnx_constants.foldable(node.op_type) and (inputs or node.op_type == "Constant"):
            if node.op_type == "Clip" and str(getattr(inputs[0], "dtype", "")) in ("int8", "uint8"):
                self.graph.dialects.add("QCDQ")
            return onnx_constants.fold(node.op_type, [v if isinstance(v, np.ndarray) else None for v in inputs], attrs)
        handler = handlers.get(node.op_type)
        if handler is None:
            raise Rejected(f"{node.op_type} is not supported", advice(node.op_type))
        if any(self.uses[name] for name in node.output[1:] if name):
            raise Rejected(
                f"{node.op_type} has {len(node.output)} outputs; only the first is supported", "remove the others"
            )
        return handler(self, node, attrs)

    def operand(self, node: onnx.NodeProto, number: int) -> Operand | None:
        """What input `number` is; None where it is absent."""
        if number >= len(node.input) or not node.input[number]:
            return None
        name = node.input[number]
        if name not in self.environment:
            raise Rejected(f"reads {name}, which no node before it produces", "export the model again")
        value = self.environment[name]
        if value is None:
            raise Poisoned
        return value

    def value(self, node: onnx.NodeProto, number: int = 0) -> Value:
        """Input `number`, which has to be an activation in real numbers."""
        operand = self.operand(node, number)
        if isinstance(operand, Value):
            return operand
        if isinstance(operand, Integer):
            raise Rejected(
                f"{node.op_type} works on integers", "place a DequantizeLinear before it and a QuantizeLinear after it"
            )
        if isinstance(operand, Padded):
            raise Rejected(f"Pad before {node.op_type} is not supported", "use the pads of a convolution or pooling")
        raise Rejected(f"input {number} of {node.op_type} is no activation", f"supported operations: {SUPPORTED}")

    def constant(self, node: onnx.NodeProto, number: int, what: str) -> Array | None:
        """Input `number`, which has to be constant; None where it is absent."""
        operand = self.operand(node, number)
        if operand is None or isinstance(operand, np.ndarray):
            return operand
        if isinstance(operand, Parameter):
            return real(operand)
        raise Rejected(f"{what} is computed, not constant", f"export the model with a constant {what}")

    def shape(self, value: Value) -> Shape:
        return self.graph.shapes[value.name]

    def add(self, node: Node, shape: Shape) -> Value:
        """Appends `node`, whose result has `shape`."""
        if min(shape) < 1:
            raise Rejected(f"the result would have shape {'x'.join(map(str, shape))}", "check kernel, stride and pads")
        self.graph.nodes.append(node)
        self.graph.shapes[node.output] = shape
        return Value(node.output)


def real(parameter: Parameter) -> Array:
    """The real numbers a parameter stands for, float32."""
    grid = parameter.grid
    scale = grid.scale
    if grid.per_channel:
        scale = scale.reshape([-1 if axis == parameter.axis else 1 for axis in range(parameter.values.ndim)])
    return ((parameter.values - grid.zero_point).astype(np.float32) * scale).astype(np.float32)
