# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reading quantized ONNX models: QONNX, QDQ (onnxruntime) and QCDQ (Brevitas) come out in one canonical QDQ form.

`load` is all the compiler needs; `inspect` gives a model's problems without raising, for `resnet-hls doctor`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from resnet_hls.errors import UserError
from resnet_hls.frontend import onnx_layers, onnx_pools, onnx_quant
from resnet_hls.frontend.onnx_emit import emit
from resnet_hls.frontend.onnx_file import check_outside, read
from resnet_hls.frontend.onnx_graph import Graph, Problem, Shape
from resnet_hls.frontend.onnx_parse import Parser, display_name
from resnet_hls.frontend.onnx_rewrite import canonicalize

_HANDLERS: dict[str, Callable[..., Any]] = {
    "Quant": onnx_quant.quant,
    "QuantizeLinear": onnx_quant.quantize_linear,
    "DequantizeLinear": onnx_quant.dequantize_linear,
    "Clip": onnx_quant.clip,
    "Conv": onnx_layers.conv,
    "Gemm": onnx_layers.gemm,
    "MatMul": onnx_layers.gemm,
    "Add": onnx_layers.add,
    "Relu": onnx_layers.relu,
    "Concat": onnx_layers.concat,
    "BatchNormalization": onnx_layers.batch_normalization,
    "MaxPool": onnx_pools.max_pool,
    "AveragePool": onnx_pools.average_pool,
    "GlobalMaxPool": onnx_pools.global_max_pool,
    "GlobalAveragePool": onnx_pools.global_average_pool,
    "ReduceMean": onnx_pools.reduce_mean,
    "Flatten": onnx_pools.flatten,
    "Reshape": onnx_pools.reshape,
    "Squeeze": onnx_pools.squeeze,
    "Unsqueeze": onnx_pools.unsqueeze,
    "Transpose": onnx_pools.transpose,
    "Identity": onnx_pools.identity,
    "Dropout": onnx_pools.identity,
    "Cast": onnx_pools.cast,
    "Shape": onnx_pools.shape_of,
    "Pad": onnx_pools.pad,
}

# Operations that quantize in some way: a model with none of them is a float model.
_QUANTIZERS = re.compile(r"Quant|Trunc|QLinear|QGemm|Integer$|MultiThreshold")


@dataclass(frozen=True)
class OnnxModel:
    """A model that can be imported.

    Attributes:
        path: the file it came from.
        proto: the canonical QDQ model, batch 1, shapes inferred.
        graph: the same as a `Graph`: layers, quantizers, skips.
        input_shape: of the model's input, (1, channels, height, width).
        output_shape: of the source's output; `proto` may have two more dimensions of size 1 behind it.
        dialect: "QONNX", "QDQ" or "QCDQ".
        notes: what was changed that a user should know.
        source_nodes: names of the source's nodes, in order.
    """

    path: Path
    proto: onnx.ModelProto
    graph: Graph
    input_shape: Shape
    output_shape: Shape
    dialect: str
    notes: tuple[str, ...]
    source_nodes: tuple[str, ...]

    @property
    def input(self) -> str:
        return self.graph.input

    @property
    def output(self) -> str:
        return self.graph.output


@dataclass(frozen=True)
class Inspection:
    """A model looked at: `graph.problems` says what is wrong with it."""

    path: Path
    graph: Graph
    source_nodes: tuple[str, ...]
    output_shape: Shape


def inspect(path: str | os.PathLike[str]) -> Inspection:
    """Reads and canonicalizes a model; problems of single nodes are left in the graph.

    Raises:
        UserError: the file as a whole cannot be read (missing, truncated, dynamic shape, several inputs, …).
    """
    model = read(path)
    where = str(path)
    try:
        input, shape, output = check_outside(model, where)
        names = tuple(display_name(node) for node in model.graph.node)
        if not any(_QUANTIZERS.search(node.op_type) for node in model.graph.node):
            raise UserError(
                "has no quantizers: it is a float model",
                where=where,
                help="quantize it (onnxruntime.quantization.quantize_static with QuantFormat.QDQ, or Brevitas), or "
                "build it from PyTorch as module.py:factory",
            )
        graph = Parser(model, input, shape).parse(output, _HANDLERS)
        output_shape = graph.shapes.get(graph.output, ())
        if graph.output:
            canonicalize(graph)
        if graph.output and not graph.problems and graph.output not in graph.producers():
            graph.problem(
                graph.output, "the output is the input: there is nothing to compute", "export the model again"
            )
    except UserError:
        raise
    except Exception as error:  # whatever a damaged file can cause; the reader has validated nothing but the framing
        raise _malformed(where, error) from error
    return Inspection(Path(path), graph, names, output_shape)


def load(path: str | os.PathLike[str], name: str = "network") -> OnnxModel:
    """Reads an ONNX file and brings it to the canonical QDQ form.

    Args:
        path: the file.
        name: what the graph, and the function imported from it, is called.

    Raises:
        UserError: the file cannot be read, or the first thing in it that cannot be built.
    """
    inspection = inspect(path)
    graph = inspection.graph
    if graph.problems:
        raise as_error(graph.problems, str(path))
    try:
        proto = emit(graph, name)
    except Exception as error:
        raise _malformed(str(path), error) from error
    return OnnxModel(
        path=Path(path),
        proto=proto,
        graph=graph,
        input_shape=graph.shapes[graph.input],
        output_shape=inspection.output_shape,
        dialect=dialect(graph),
        notes=tuple(graph.notes),
        source_nodes=inspection.source_nodes,
    )


def as_error(problems: list[Problem], path: str) -> UserError:
    """The first problem as an error; how many more there are is said in its help."""
    first, more = problems[0], len(problems) - 1
    help = f"{first.help}; `resnet-hls doctor {path}` lists {more} more" if more else first.help
    return UserError(first.what, where=f"{path}: {first.where}", help=help)


def dialect(graph: Graph) -> str:
    return next((name for name in ("QONNX", "QCDQ", "QDQ") if name in graph.dialects), "float")


def _malformed(where: str, error: Exception) -> UserError:
    detail = (str(error).strip().splitlines() or [""])[0][:160]
    return UserError(
        f"is malformed ({type(error).__name__}: {detail})",
        where=where,
        help="check it with onnx.checker.check_model, and export it again",
    )
