# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""verify-affine: what hls-flatten-reductions promises and the dataflow passes assume. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.definitions import check_arithmetic, check_stored
from resnet_hls.analysis.iterations import check_bounds
from resnet_hls.analysis.nests import Nest, trip_count
from resnet_hls.passes._registry import Pass, PassFailure, register_pass

_TOP = {"affine.for", "arith.constant", "memref.alloc", "memref.get_global", "func.return"}
_AFFINE = {"affine.for", "affine.if", "affine.load", "affine.store", "affine.yield"}
_ALIASES = {
    "memref.subview", "memref.cast", "memref.reinterpret_cast", "memref.view", "memref.collapse_shape",
    "memref.expand_shape", "memref.transpose",
}  # fmt: skip
_COPIES = {"memref.copy", "linalg.copy", "bufferization.to_buffer", "bufferization.to_tensor", "bufferization.clone"}


@register_pass
@dataclass(frozen=True)
class VerifyAffine(Pass):
    """Check that the module is perfect nests of affine loops over private buffers.

    The contract: one public `func.func` of two memrefs, the image and the result; buffers are `memref.alloc`, the two
    arguments and constant `memref.global`s, of static shape and integer elements; nothing makes an alias or a copy.
    Every nest is perfect (a loop with `hls.pipeline` ends it: loops inside are registers that shift) and its loops
    run from 0 to a constant in steps of 1. All accesses are `affine.load` and `affine.store`, guarded by `affine.if`
    alone, and stay inside their buffers; every buffer is stored by one nest only, before any other nest loads it.
    Every element that is loaded was stored before, and every element of the result is stored. No constant shifts by
    more bits than there are, or divides by zero.
    """

    name: ClassVar[str] = "verify-affine"

    def run(self, op: ir.Operation) -> None:
        function = iu.public_function(op)
        _check_signature(function)
        stored: dict[ir.Value, ir.Operation] = {}
        elements = _unstored(function)
        definitions = {ir.StringAttr(g.attributes["sym_name"]).value: g for g in iu.walk(op, "memref.global")}
        for inner in (o.operation for o in iu.body(function).operations):
            _check_top(inner, definitions)
            if inner.name == "affine.for":
                _check_nest(inner)
                _check_buffers(function, inner, stored)
                check_stored(Nest.at(inner), elements)
        result = iu.body(function).arguments[1]
        if not elements[result].all():
            missing = np.flatnonzero(~elements[result])
            message = f"{len(missing)} elements of the result, of {elements[result].size}, that no nest stores"
            raise PassFailure(function, message, help="store all of it")


def _unstored(function: ir.Operation) -> dict[ir.Value, NDArray[np.bool_]]:
    """That no element is stored yet, of the buffers that nests may store."""
    allocated = [alloc.results[0] for alloc in iu.walk(function, "memref.alloc")]
    buffers = [*allocated, iu.body(function).arguments[1]]
    return {buffer: np.zeros(prod(ir.MemRefType(buffer.type).shape), bool) for buffer in buffers}


def _check_signature(function: ir.Operation) -> None:
    kind = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
    if len(kind.inputs) != 2 or len(kind.results):
        counts = f"{len(kind.inputs)} arguments and {len(kind.results)} results"
        raise PassFailure(function, f"expected the image and the result as two arguments, found {counts}")
    for argument in iu.body(function).arguments:
        _check_memref(function, argument.type)


def _check_memref(op: ir.Operation, kind: ir.Type) -> None:
    if not isinstance(kind, ir.MemRefType):
        raise PassFailure(op, f"expected a memref, found {kind}")
    if not kind.has_static_shape:
        raise PassFailure(op, f"{kind} has a dynamic shape")
    if not isinstance(kind.element_type, ir.IntegerType):
        raise PassFailure(op, f"{kind} does not hold integers")
    if not kind.layout == ir.AffineMapAttr.get(ir.AffineMap.get_identity(len(kind.shape))):
        raise PassFailure(op, f"{kind} has a layout of its own")


def _check_top(op: ir.Operation, definitions: dict[str, ir.Operation]) -> None:
    if op.name in _ALIASES:
        raise PassFailure(op, f"'{op.name}' makes an alias of a buffer", help="index the buffer itself instead")
    if op.name in _COPIES:
        raise PassFailure(op, f"'{op.name}' copies a buffer", help="write a nest that copies, or none")
    if op.name not in _TOP:
        raise PassFailure(op, f"'{op.name}' is outside the affine contract", help="hls-bufferize makes this form")
    if op.name == "memref.alloc":
        _check_memref(op, op.results[0].type)
    if op.name == "memref.get_global":
        definition = definitions.get(ir.FlatSymbolRefAttr(op.attributes["name"]).value)
        if definition is not None and "constant" not in definition.attributes:
            name = ir.StringAttr(definition.attributes["sym_name"]).value
            raise PassFailure(definition, f"the global @{name} is no constant", help="mark it constant")


def _check_nest(root: ir.Operation) -> None:
    nest = Nest.at(root)  # raises PassFailure where it is not perfect
    for op in iu.walk(root):
        if op.name == "affine.for":
            trip_count(op)  # raises PassFailure where it is not normalized
            if len(op.results):
                raise PassFailure(op, "a loop that carries values", help="keep them in a buffer")
        elif op.name in _ALIASES:
            raise PassFailure(op, f"'{op.name}' makes an alias of a buffer", help="index the buffer itself instead")
        elif op.name == "memref.alloc":
            raise PassFailure(op, "a buffer allocated inside a nest", help="allocate it at the start of the function")
        elif op.name in {"memref.load", "memref.store"}:
            raise PassFailure(op, f"'{op.name}' is no affine access", help="use affine.load and affine.store")
        elif op.name not in _AFFINE and not op.name.startswith("arith."):
            raise PassFailure(op, f"'{op.name}' is outside the affine contract", help="hls-bufferize makes this form")
        for result in op.results:
            if isinstance(result.type, ir.FloatType):
                raise PassFailure(op, f"a float type, {result.type}", help="run hls-integerize first")
    check_arithmetic(root)
    check_bounds(nest)
    if "hls.pipeline" not in nest.loops[-1].attributes:
        for loop in iu.walk(nest.loops[-1], "affine.for")[1:]:
            raise PassFailure(loop, "a loop under a guard", help="only loops of one perfect nest may stand in it")


def _check_buffers(function: ir.Operation, root: ir.Operation, stored: dict[ir.Value, ir.Operation]) -> None:
    image = iu.body(function).arguments[0]
    for op in iu.walk(root, "affine.store"):
        buffer = iu.accessed_memref(op)
        if buffer == image:
            raise PassFailure(op, "a store into the image")
        if buffer in stored and stored[buffer] != root:
            raise PassFailure(op, "a buffer that two nests store", help="give each nest a buffer of its own")
        stored[buffer] = root
    for op in iu.walk(root, "affine.load"):
        buffer = iu.accessed_memref(op)
        source = iu.defining_op(buffer)
        constant = source is not None and source.name == "memref.get_global"
        if buffer != image and not constant and buffer not in stored:
            raise PassFailure(op, "a load from a buffer that no nest before has stored")
    for op in iu.walk(root, "affine.store"):
        source = iu.defining_op(iu.accessed_memref(op))
        if source is not None and source.name == "memref.get_global":
            raise PassFailure(op, "a store into a constant")
