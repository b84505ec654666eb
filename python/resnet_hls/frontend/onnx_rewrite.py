# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From the graph as it was exported to the canonical one: fewer kinds of nodes, one way to write each thing.

After `canonicalize`, and where it found no problem:
* the input is read by one quantizer, and the output comes from one;
* every layer (Conv, Gemm) reads a quantizer's result, and its bias lies on the grid of its accumulator;
* fully connected layers behind a Flatten are convolutions, and no Reshape is left;
* Clip is gone (it is part of the quantizer after it), and so is Relu where nothing is negative.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from resnet_hls.frontend.onnx_flatten import linear_as_convolution
from resnet_hls.frontend.onnx_graph import MAC_LAYERS, Array, Graph, Grid, Node, Parameter

_IMPLIED = {"implied": True}
_INT32 = (-(2**31), 2**31 - 1)
_QUANTIZE_INPUT = "quantize the image first (Brevitas: QuantIdentity; onnxruntime: quantize_static quantizes inputs)"
_QUANTIZE_OUTPUT = "quantize the output of the last layer (Brevitas: output_quant=Int8ActPerTensorFixedPoint)"
_QUANTIZE_BETWEEN = "quantize the activation (Brevitas: QuantIdentity or QuantReLU; onnxruntime: quantize every layer)"


def canonicalize(graph: Graph) -> None:
    """Rewrites `graph` in place; what cannot be brought to the canonical form becomes a problem of it."""
    _drop_dead(graph)
    _fold_clips(graph)
    _merge_quantizers(graph)
    _drop_relus(graph)
    linear_as_convolution(graph)
    _check_reshapes(graph)
    _quantize_input(graph)
    _quantize_output(graph)
    _quantize_layers(graph)
    _align_biases(graph)
    _signed_zero_points(graph)


def _drop_dead(graph: Graph) -> None:
    live = {graph.output}
    for node in reversed(graph.nodes):
        if node.output in live:
            live.update(node.inputs)
    graph.nodes = [node for node in graph.nodes if node.output in live]


def _replace(graph: Graph, old: str, new: str) -> None:
    """Every reader of `old` reads `new`."""
    for node in graph.nodes:
        node.inputs = [new if value == old else value for value in node.inputs]
    if graph.output == old:
        graph.output = new


def _remove(graph: Graph, node: Node) -> None:
    graph.nodes.remove(node)
    _replace(graph, node.output, node.inputs[0])


def _fold_clips(graph: Graph) -> None:
    """Clip, then quantize: quantize to fewer integers, as rounding keeps the order."""
    for node in reversed([node for node in graph.nodes if node.op == "Clip"]):
        readers = graph.users().get(node.output, [])
        low, high = node.attributes["low"], node.attributes["high"]
        if low == -np.inf and high == np.inf:
            _remove(graph, node)
        elif low == 0 and high == np.inf:
            node.op, node.attributes = "Relu", {}
        elif graph.output == node.output or any(reader.op != "Quantize" for reader in readers):
            graph.problem(
                node.name, f"Clip to {low:g}…{high:g} is read by something other than a quantizer", _QUANTIZE_BETWEEN
            )
        else:
            for reader in readers:
                assert reader.grid is not None
                reader.grid = _narrowed(reader.grid, low, high)
            _remove(graph, node)


def _narrowed(grid: Grid, low: float, high: float) -> Grid:
    bounds = np.rint(np.asarray([low, high], np.float32) / grid.scale) + np.float32(grid.zero_point)
    least, most = np.clip(bounds, grid.low, grid.high)
    return replace(grid, low=int(least), high=int(most))


def _merge_quantizers(graph: Graph) -> None:
    """Two quantizers of one scale in a row are one, of the integers that both have."""
    for node in list(graph.nodes):
        source = graph.producers().get(node.inputs[0])
        if node.op != "Quantize" or source is None or source.op != "Quantize":
            continue
        assert node.grid is not None
        assert source.grid is not None
        low, high = max(node.grid.low, source.grid.low), min(node.grid.high, source.grid.high)
        if not node.grid.same_steps(source.grid) or low > high:
            continue
        if (source.grid.low, source.grid.high) != (low, high):
            if len(graph.users()[source.output]) != 1:
                continue
            source.grid = replace(source.grid, low=low, high=high)
        _remove(graph, node)


def _drop_relus(graph: Graph) -> None:
    grids = graph.grids()
    for node in [node for node in graph.nodes if node.op == "Relu"]:
        grid = grids.get(node.inputs[0])
        if grid is not None and grid.low >= grid.zero_point:
            _remove(graph, node)


def _check_reshapes(graph: Graph) -> None:
    readers = graph.users()
    for node in graph.nodes:
        if node.op == "Reshape" and any(reader.op != "Gemm" for reader in readers.get(node.output, [])):
            before, after = graph.shapes[node.inputs[0]], graph.shapes[node.output]
            graph.problem(
                node.name,
                f"reshapes {before} to {after}",
                "only a Flatten before the fully connected layers is supported",
            )


def _quantize_input(graph: Graph) -> None:
    readers = graph.users().get(graph.input, [])
    first = next((reader for reader in readers if reader.op == "Quantize"), None)
    for reader in readers:
        if reader.op != "Quantize":
            graph.problem(
                reader.name, f"{reader.op} reads the input {graph.input}, which is not quantized", _QUANTIZE_INPUT
            )
        elif first is not None and reader is not first:
            assert reader.grid is not None
            assert first.grid is not None
            if reader.grid.same(first.grid):
                graph.nodes.remove(reader)
                _replace(graph, reader.output, first.output)
            else:
                graph.problem(
                    reader.name,
                    f"quantizes the input {graph.input} differently from {first.name}",
                    "quantize the input once, and let both layers read the result",
                )


def _quantize_output(graph: Graph) -> None:
    source = graph.producers().get(graph.output)
    if source is None or source.op == "Quantize":
        return
    grid = graph.grids().get(graph.output)
    if grid is None:
        graph.problem(source.name, f"the output {graph.output} of the model is not quantized", _QUANTIZE_OUTPUT)
        return
    name = graph.fresh(f"{graph.output}_quantized")
    graph.shapes[name] = graph.shapes[graph.output]
    graph.nodes.append(Node("Quantize", source.name, [graph.output], name, _IMPLIED, grid))
    graph.output = name


def _quantize_layers(graph: Graph) -> None:
    """The importer finds integer convolutions only right behind a quantizer; one of the same grid changes nothing."""
    grids = graph.grids()
    producers = graph.producers()
    for node in [node for node in graph.nodes if node.op in MAC_LAYERS]:
        value = node.inputs[0]
        grid = grids.get(value)
        if grid is None:
            if value != graph.input:
                graph.problem(node.name, f"{node.op} reads an activation that is not quantized", _QUANTIZE_BETWEEN)
            continue
        source = producers[value]
        while source.op == "Reshape":
            source = producers[source.inputs[0]]
        if source.op == "Quantize":
            continue
        name = graph.fresh(f"{value}_quantized")
        graph.shapes[name] = graph.shapes[value]
        graph.nodes.insert(graph.nodes.index(node), Node("Quantize", source.name, [value], name, _IMPLIED, grid))
        node.inputs = [name]


def _align_biases(graph: Graph) -> None:
    """Biases as integers on the accumulator's grid, input scale times weight scale."""
    grids = graph.grids()
    for node in [node for node in graph.nodes if node.op in MAC_LAYERS and node.inputs[0] in grids]:
        assert node.weight is not None
        if node.bias is None and node.float_bias is None:
            continue
        steps = grids[node.inputs[0]].scale.astype(np.float64) * node.weight.grid.scale.astype(np.float64)
        real, name = _real_bias(node)
        exact = real / steps
        integers = np.rint(exact)
        change = float(np.abs(exact - integers).max(initial=0.0))
        if np.abs(integers).max(initial=0.0) >= 2**31:
            graph.problem(name, "the bias does not fit 32 bits at input scale x weight scale", "check the scales")
            continue
        if change > 1e-4 * max(1.0, float(np.abs(integers).max(initial=0.0)) * 1e-3):
            kind = "is no quantized tensor" if node.bias is None else "has a scale of its own"
            graph.notes.append(
                f"{name}: bias {kind}: rounded to int32 at input scale x weight scale, by at most {change:.2g} steps"
            )
        low, high = _INT32 if node.bias is None or change else (node.bias.grid.low, node.bias.grid.high)
        grid = Grid(np.asarray(steps, np.float32), 0, low, high, True)
        node.bias, node.float_bias = Parameter(name, integers.astype(np.int64), grid), None


def _real_bias(node: Node) -> tuple[Array, str]:
    if node.bias is None:
        assert node.float_bias is not None
        return node.float_bias.astype(np.float64), node.name
    grid = node.bias.grid
    return (node.bias.values - grid.zero_point) * grid.scale.astype(np.float64), node.bias.name


def _signed_zero_points(graph: Graph) -> None:
    """uint8 with a zero point is int8 with that zero point less 128: the same real numbers."""
    for node in graph.nodes:
        grid = node.grid
        if grid is not None and not grid.signed and grid.zero_point:
            node.grid = Grid(grid.scale, grid.zero_point - 128, grid.low - 128, grid.high - 128, True)
