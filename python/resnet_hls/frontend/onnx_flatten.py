# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fully connected layers behind a Flatten as convolutions whose window is the whole image; no Reshape is left."""

from __future__ import annotations

import math

from resnet_hls.frontend.onnx_graph import Graph, Node, Parameter, Shape

_ELEMENTWISE = frozenset({"Quantize", "Relu", "Clip", "Add"})


def linear_as_convolution(graph: Graph) -> None:
    """Rewrites `graph`, unless some reshaped value is used in a way that needs the reshape: then nothing is changed.

    The result of the network keeps its numbers and their order, but may gain two dimensions of size 1.
    """
    shapes = _image_shapes(graph)
    if shapes is None:
        return
    renamed: dict[str, str] = {}
    nodes = []
    for node in graph.nodes:
        node.inputs = [renamed.get(value, value) for value in node.inputs]
        if node.op == "Reshape":
            renamed[node.output] = node.inputs[0]
            continue
        if node.op == "Gemm" and node.inputs[0] in shapes:
            _to_convolution(node, shapes[node.inputs[0]])
        nodes.append(node)
    graph.nodes = nodes
    graph.shapes.update(shapes)
    graph.output = renamed.get(graph.output, graph.output)


def _image_shapes(graph: Graph) -> dict[str, Shape] | None:
    """A shape of four dimensions for every value that is or was one; None where that is not possible."""
    shapes = {graph.input: graph.shapes[graph.input]} if len(graph.shapes[graph.input]) == 4 else {}
    for node in graph.nodes:
        operands = [shapes.get(value) for value in node.inputs]
        before, after = operands[0], graph.shapes[node.output]
        if before is None or any(operand is None for operand in operands):
            if any(operands) or node.op == "Reshape":
                return None
            continue
        if node.op == "Reshape":
            if len(after) == 4 and after != before:
                return None
            shapes[node.output] = before
        elif node.op == "Gemm":
            shapes[node.output] = (*after, 1, 1)
        elif len(after) == 4:
            shapes[node.output] = after
        elif node.op in _ELEMENTWISE and len(set(operands)) == 1:
            shapes[node.output] = before
        elif node.op == "Concat" and all(operand is not None and math.prod(operand[2:]) == 1 for operand in operands):
            shapes[node.output] = (*after, 1, 1)
        else:
            return None
    return shapes


def _to_convolution(node: Node, shape: Shape) -> None:
    weight = node.weight
    assert weight is not None
    node.op = "Conv"
    node.weight = Parameter(weight.name, weight.values.reshape(weight.values.shape[0], *shape[1:]), weight.grid)
    node.attributes = {"strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "group": 1}
