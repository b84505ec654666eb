# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a path to a ModelProto whose outside is in order: one input, one output, static shape, an opset we know."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import onnx
from onnx import TensorProto, external_data_helper

from resnet_hls.errors import UserError
from resnet_hls.frontend.onnx_graph import Shape

MAX_OPSET = 23
MIN_OPSET = 7
_EXPORT = "export the model again, or download it again"


def read(path: str | os.PathLike[str]) -> onnx.ModelProto:
    """Reads an ONNX file, with its external data.

    Raises:
        UserError: no such file, not an ONNX file, truncated, or external data missing.
    """
    where = str(path)
    try:
        data = Path(path).read_bytes()
    except IsADirectoryError:
        raise UserError("is a folder, not an ONNX file", where=where, help="give the path of a .onnx file") from None
    except FileNotFoundError:
        raise UserError("no such file", where=where, help="check the path") from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=where, help="check the permissions") from None
    if not data:
        raise UserError("is empty", where=where, help=_EXPORT)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception:
        raise UserError("is no ONNX model, or is truncated", where=where, help=_EXPORT) from None
    if not model.HasField("graph") or not (model.graph.node and model.graph.output):
        raise UserError("is no ONNX model, or is truncated: it holds no graph", where=where, help=_EXPORT)
    if not all(isinstance(name, str) for name in _names(model.graph)):
        raise UserError("is damaged: it holds names that are no UTF-8 text", where=where, help=_EXPORT)
    _load_external(model, Path(path))
    return model


def _names(graph: onnx.GraphProto) -> Iterator[object]:
    """Every name in the graph; protobuf gives bytes for what is no UTF-8."""
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
    for values in (graph.initializer, graph.input, graph.output):
        yield from (value.name for value in values)


def _load_external(model: onnx.ModelProto, path: Path) -> None:
    for tensor in model.graph.initializer:
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "?")
        help = f"put {location} beside {path.name}, or save the model as one file (onnx.save without external data)"
        try:
            external_data_helper.load_external_data_for_tensor(tensor, str(path.parent))
        except Exception:
            raise UserError(
                f"initializer {tensor.name} is in {location}, which cannot be read", where=str(path), help=help
            ) from None
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def check_outside(model: onnx.ModelProto, where: str) -> tuple[str, Shape, str]:
    """The model's input name, its shape with batch 1, and its output name.

    Raises:
        UserError: not exactly one input and output, a dynamic shape, element type not float32, unknown opset.
    """
    graph = model.graph
    _check_opset(model, where)
    if graph.sparse_initializer:
        raise UserError("has sparse initializers", where=where, help="save the model with dense initializers")
    known = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in known]
    for kind, values in (("input", inputs), ("output", list(graph.output))):
        if len(values) != 1:
            names = ", ".join(value.name for value in values) or "none"
            raise UserError(
                f"has {len(values)} {kind}s ({names}); an accelerator has one",
                where=where,
                help=f"export the model with one {kind}; other tensors must be constants",
            )
    value = inputs[0]
    tensor = value.type.tensor_type
    if tensor.elem_type != TensorProto.FLOAT:
        kind = TensorProto.DataType.Name(tensor.elem_type) if value.type.HasField("tensor_type") else "no tensor"
        raise UserError(
            f"input {value.name} is {kind}, not FLOAT",
            where=where,
            help="export the model so that it takes float images and quantizes them itself",
        )
    if not tensor.HasField("shape") or len(tensor.shape.dim) < 2:
        raise UserError(
            f"input {value.name} has no shape of two or more dimensions",
            where=where,
            help="export the model with a fixed input shape such as 1x3x32x32",
        )
    return value.name, _static_shape(value, where), graph.output[0].name


def _static_shape(value: onnx.ValueInfoProto, where: str) -> Shape:
    shape = []
    for number, dim in enumerate(value.type.tensor_type.shape.dim):
        size = dim.dim_value if dim.HasField("dim_value") else 0
        if number == 0 and size in (0, 1):
            size = 1  # a symbolic batch: the accelerator takes one image at a time
        elif number == 0:
            raise UserError(
                f"input {value.name} has batch size {size}; the accelerator takes one image at a time",
                where=where,
                help="export the model with batch size 1 or a dynamic batch",
            )
        elif size <= 0 or size > 1 << 16:
            shown = f"dynamic ({dim.dim_param})" if dim.dim_param else ("dynamic" if size <= 0 else str(size))
            raise UserError(
                f"input {value.name}: dimension {number} is {shown}",
                where=where,
                help="export the model with a fixed image size; only the batch may be dynamic",
            )
        shape.append(size)
    return tuple(shape)


def _check_opset(model: onnx.ModelProto, where: str) -> None:
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not versions:
        raise UserError("names no ONNX operator set; it may be truncated", where=where, help=_EXPORT)
    if not MIN_OPSET <= versions[0] <= MAX_OPSET:
        raise UserError(
            f"uses ONNX operator set {versions[0]}; {MIN_OPSET} to {MAX_OPSET} are supported",
            where=where,
            help="export with opset_version=13, or convert with onnx.version_converter",
        )
    domains = {entry.domain for entry in model.opset_import} | {"", "ai.onnx"}
    for node in model.graph.node:
        if node.domain not in domains:
            raise UserError(
                f"names no version of the operator set {node.domain}, which {node.op_type} needs; it may be truncated",
                where=where,
                help=_EXPORT,
            )
