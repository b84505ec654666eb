# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a canonical `Graph` to the canonical QDQ model: what onnxruntime runs as the reference and torch-mlir imports.

Every reader of a quantizer has a DequantizeLinear of its own. Nodes keep the names of the source's nodes; where one
became several, the others are called `name#1`, `name#2`, … (`source_name` takes that off again). Ranges
smaller than the integer type are a Clip before QuantizeLinear, its bounds on the grid.

Where a layer's scales are powers of two and one per tensor, all float arithmetic is exact. Otherwise the layer works
on integers (scales of 1) and a Mul by `input scale x weight scale` follows, so that the accumulator is exact here too
and the importer finds an integer convolution.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from resnet_hls.frontend.onnx_graph import Array, Graph, Grid, Node, Parameter, Shape

OPSET = 19
IR_VERSION = 9
_ONE = np.asarray(1.0, np.float32)


@dataclass
class _Emitter:
    graph: Graph
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    node_names: dict[str, int] = field(default_factory=dict)
    quantized: dict[str, tuple[str, Grid]] = field(default_factory=dict)
    dequantized: dict[tuple[int, bool], str] = field(default_factory=dict)

    def fresh(self, name: str) -> str:
        number = self.names.get(name, -1) + 1
        self.names[name] = number
        return self.fresh(f"{name}.{number}") if number else name

    def constant(self, name: str, value: Any, dtype: Any) -> str:
        name = self.fresh(name)
        self.constants[name] = np.asarray(value, dtype)
        return name

    def node(self, op: str, name: str, inputs: list[str], output: str, **attributes: Any) -> str:
        number = self.node_names.get(name, 0)
        self.node_names[name] = number + 1
        unique = f"{name}#{number}" if number else name  # onnxruntime wants unique names
        self.nodes.append(helper.make_node(op, inputs, [output], name=unique, **attributes))
        return output

    def read(self, value: str, name: str, *, integers: bool = False, output: str = "") -> str:
        """`value` in real numbers, or as integers in float format; a DequantizeLinear where it is quantized."""
        if value not in self.quantized:
            return value
        source, grid = self.quantized[value]
        inputs = [
            source,
            self.constant(f"{value}_scale", _ONE if integers else grid.scale, np.float32),
            self.constant(f"{value}_zero_point", grid.zero_point, _dtype(grid)),
        ]
        return self.node("DequantizeLinear", name, inputs, output or self.fresh(f"{value}_dequantized"))

    def parameter(self, parameter: Parameter, dtype: Any, *, integers: bool) -> str:
        key = (id(parameter), integers)
        if key not in self.dequantized:
            base, grid = parameter.name, parameter.grid
            inputs = [
                self.constant(f"{base}_integers", parameter.values, dtype),
                self.constant(f"{base}_scale", _ONE if integers else grid.scale, np.float32),
                self.constant(f"{base}_zero_point", grid.zero_point, dtype),
            ]
            self.dequantized[key] = self.node("DequantizeLinear", base, inputs, self.fresh(f"{base}_dequantized"))
        return self.dequantized[key]

    def quantize(self, node: Node) -> None:
        grid = node.grid
        assert grid is not None
        value = self.read(node.inputs[0], node.name)
        if (grid.low, grid.high) != ((-128, 127) if grid.signed else (0, 255)):
            bounds = [(bound - grid.zero_point) * grid.scale for bound in (grid.low, grid.high)]
            limits = [self.constant(f"{node.output}_{key}", b, np.float32) for key, b in zip("lh", bounds, strict=True)]
            value = self.node("Clip", node.name, [value, *limits], self.fresh(f"{node.output}_clipped"))
        inputs = [
            value,
            self.constant(f"{node.output}_scale", grid.scale, np.float32),
            self.constant(f"{node.output}_zero_point", grid.zero_point, _dtype(grid)),
        ]
        quantized = self.node("QuantizeLinear", node.name, inputs, self.fresh(f"{node.output}_integers"))
        self.quantized[node.output] = (quantized, grid)

    def layer(self, node: Node) -> None:
        weight, grid = node.weight, self.quantized[_source(self.graph, node.inputs[0])][1]
        assert weight is not None
        integers = not (grid.power_of_two and weight.grid.power_of_two and not weight.grid.per_channel)
        inputs = [self.read(node.inputs[0], node.name, integers=integers)]
        if node.inputs[0] not in self.quantized:
            inputs = [self.flattened(node, integers)]
        inputs.append(self.parameter(weight, np.int8, integers=integers))
        if node.bias is not None:
            inputs.append(self.parameter(node.bias, np.int32, integers=integers))
        attributes = dict(node.attributes)
        if node.op == "Conv":
            attributes["kernel_shape"] = weight.values.shape[2:]
        else:
            attributes["transB"] = 1
        output = self.fresh(f"{node.output}_sums") if integers else node.output
        self.node(node.op, node.name, inputs, output, **attributes)
        if integers:
            factor = grid.scale.astype(np.float64) * weight.grid.scale.astype(np.float64)
            shape = (1, -1, 1, 1) if node.op == "Conv" else (1, -1)
            scale = self.constant(f"{node.output}_scale", np.reshape(factor, shape), np.float32)
            self.node("Mul", node.name, [output, scale], node.output)

    def flattened(self, node: Node, integers: bool) -> str:
        """The operand of a Gemm that could not become a convolution, through its Flatten."""
        source = _source(self.graph, node.inputs[0])
        value = self.read(source, node.name, integers=integers)
        return self.node("Flatten", node.name, [value], self.fresh(f"{node.inputs[0]}_flat"), axis=1)

    def pool(self, node: Node) -> None:
        grid = self.graph.grids().get(node.inputs[0]) if node.op == "AveragePool" else None
        integers = grid is not None and not grid.power_of_two and node.inputs[0] in self.quantized
        attributes = dict(node.attributes)
        if node.op == "AveragePool" and any(attributes["pads"]):
            attributes["count_include_pad"] = 1
        output = self.fresh(f"{node.output}_means") if integers else node.output
        self.node(node.op, node.name, [self.read(node.inputs[0], node.name, integers=integers)], output, **attributes)
        if integers:
            assert grid is not None
            scale = self.constant(f"{node.output}_scale", grid.scale, np.float32)
            self.node("Mul", node.name, [output, scale], node.output)


def emit(graph: Graph, name: str) -> onnx.ModelProto:
    """The canonical QDQ model of `graph`; the function it is imported as will be called `name`."""
    emitter = _Emitter(graph)
    emitter.names = dict.fromkeys((graph.input, *(node.output for node in graph.nodes)), 0)
    for node in graph.nodes:
        if node.op == "Quantize":
            emitter.quantize(node)
        elif node.op in ("Conv", "Gemm"):
            emitter.layer(node)
        elif node.op in ("MaxPool", "AveragePool"):
            emitter.pool(node)
        elif node.op != "Reshape":
            operands = [emitter.read(value, node.name) for value in node.inputs]
            emitter.node(node.op, node.name, operands, node.output, **node.attributes)
    last = graph.producers()[graph.output]
    emitter.read(graph.output, last.name, output=graph.output)
    return _model(emitter, name)


def source_name(name: str) -> str:
    """The name that the source has for what is called `name` in the canonical model."""
    return re.sub(r"#\d+$", "", name)


def _model(emitter: _Emitter, name: str) -> onnx.ModelProto:
    graph = emitter.graph
    result = helper.make_graph(
        emitter.nodes,
        name,
        [_info(graph.input, graph.shapes[graph.input])],
        [_info(graph.output, graph.shapes[graph.output])],
        [numpy_helper.from_array(value, key) for key, value in emitter.constants.items()],
    )
    model = helper.make_model(
        result, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="resnet-hls"
    )
    return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)


def _info(name: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _dtype(grid: Grid) -> Any:
    return np.int8 if grid.signed else np.uint8


def _source(graph: Graph, value: str) -> str:
    """What `value` is a reshape of."""
    producers = graph.producers()
    while value in producers and producers[value].op == "Reshape":
        value = producers[value].inputs[0]
    return value
