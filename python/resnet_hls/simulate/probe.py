# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The values inside a network, layer by layer: a copy of the module that also hands out its quantized feature maps."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_mlir import ir
from torch_mlir.dialects import func
from torch_mlir.runtime import get_ranked_memref_descriptor

from resnet_hls import ir_utils as iu
from resnet_hls.locations import describe
from resnet_hls.simulate.jit import Jit

_NARROWING = {"arith.trunci", "arith.fptosi", "arith.fptoui"}


@dataclass(frozen=True)
class FeatureMap:
    """What a layer hands on for one image.

    Attributes:
        layer: as messages name it, `layer 'conv1'` or a position in the file.
        values: int8, shape as in the module.
    """

    layer: str
    values: NDArray[np.int8]


def feature_maps(text: str, image: NDArray[Any], context: ir.Context) -> list[FeatureMap]:
    """The int8 feature maps that quantizers in the module `text` produce, in program order.

    Of several under one name, the last. Streams of a dataflow are not observed: there the list is empty.

    Args:
        text: the module, with locations.
        image: of the function's own shape and type.
    """
    module = ir.Module.parse(text, context)
    with context, ir.Location.unknown():
        function = iu.public_function(module.operation)
        tensors = bool(ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value).results)
        layers = _return_quantized(function) if tensors else _expose_buffers(function)
        return _run(_ProbeJit(module.operation), image, layers) if layers else []


def result_layer(module: ir.Operation) -> str:
    """The layer that computes the function's result, as messages name it; "" where that cannot be told."""
    block = iu.body(iu.public_function(module))
    returned = list([o.operation for o in block.operations][-1].operands)
    if returned:
        op = iu.defining_op(returned[0])
        return describe(op.location) if op is not None else ""
    writers = [op for op in iu.users(list(block.arguments)[-1]) if op.name in {"affine.store", "hls.sink"}]
    return describe(writers[0].location) if writers else ""


class _ProbeJit(Jit):
    """A compiled module with more results than one."""

    def __init__(self, module: ir.Operation) -> None:
        super().__init__(module, optimize=0)
        function = iu.public_function(module)
        kind = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
        self.result_types = list(kind.results) or list(kind.inputs)[1:]

    def run_one(self, image: NDArray[Any]) -> list[NDArray[Any]]:
        """All results for one image."""
        numpy_types = {"i8": np.int8, "i16": np.int16, "i32": np.int32, "f32": np.float32}
        shaped = [ir.ShapedType(kind) for kind in self.result_types]
        results = [np.zeros(kind.shape, numpy_types[str(kind.element_type)]) for kind in shaped]
        given = np.ascontiguousarray(image.reshape(self.input_shape).astype(self.input_type, copy=False))
        pointers = [ctypes.pointer(ctypes.pointer(get_ranked_memref_descriptor(a))) for a in (given, *results)]
        self.engine.invoke(self.name, *pointers)
        return results


def _run(jit: _ProbeJit, image: NDArray[Any], layers: list[str]) -> list[FeatureMap]:
    found: dict[str, FeatureMap] = {}
    for layer, values in zip(layers, jit.run_one(image)[1:], strict=True):
        found.pop(layer, None)
        found[layer] = FeatureMap(layer, values)
    return list(found.values())


def _return_quantized(function: ir.Operation) -> list[str]:
    """Makes a function on tensors return what its quantizers produce, too; names their layers."""
    block = iu.body(function)
    terminator = [o.operation for o in block.operations][-1]
    found = [
        op
        for op in (o.operation for o in block.operations)
        if op.name == "linalg.generic"
        and str(ir.ShapedType(op.results[0].type).element_type) == "i8"
        and any(o.operation.name in _NARROWING for o in iu.body(op).operations)
        and op.results[0] != terminator.operands[0]
    ]
    values = [*terminator.operands, *(op.results[0] for op in found)]
    with ir.InsertionPoint(terminator):
        func.ReturnOp(values)
    terminator.erase()
    kind = ir.FunctionType.get([a.type for a in block.arguments], [value.type for value in values])
    function.attributes["function_type"] = ir.TypeAttr.get(kind)
    return [describe(op.location) for op in found]


def _expose_buffers(function: ir.Operation) -> list[str]:
    """Makes the buffers into which quantizers store arguments of the function; names their layers."""
    block = iu.body(function)
    layers = []
    for op in [o.operation for o in block.operations if o.operation.name == "memref.alloc"]:
        stored = [user.operands[0] for user in iu.users(op.results[0]) if user.name == "affine.store"]
        sources = [iu.defining_op(value) for value in stored]
        if any(source is not None and source.name in _NARROWING for source in sources):
            layers.append(describe(op.location))
            op.results[0].replace_all_uses_with(block.add_argument(op.results[0].type, op.location))
            op.erase()
    kind = ir.FunctionType.get([a.type for a in block.arguments], [])
    function.attributes["function_type"] = ir.TypeAttr.get(kind)
    return layers
