# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a module of any stage on images, through MLIR's execution engine. The module given is never changed."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir.execution_engine import ExecutionEngine
from torch_mlir.passmanager import PassManager
from torch_mlir.runtime import get_ranked_memref_descriptor

from resnet_hls import ir_utils as iu
from resnet_hls.errors import UserError
from resnet_hls.simulate import memory

#: Tensors to buffers: results become trailing arguments. Without modify-public-functions the output stays zero.
_BUFFERIZE = (
    "builtin.module(eliminate-empty-tensors,one-shot-bufferize{bufferize-function-boundaries=1 "
    "function-boundary-type-conversion=identity-layout-map},drop-equivalent-buffer-results,"
    "buffer-results-to-out-params{hoist-static-allocs=true modify-public-functions=true},canonicalize,cse)"
)
#: `memrefCopy` is missing in the wheel's runtime; refback-munge-memref-copy turns copies into loops.
_TO_LLVM = (
    "builtin.module(func.func(refback-munge-memref-copy),func.func(llvm-request-c-wrappers),convert-linalg-to-loops,lower-affine,"
    "expand-strided-metadata,lower-affine,convert-scf-to-cf,convert-math-to-llvm,convert-math-to-libm,convert-arith-to-llvm,"
    "convert-index-to-llvm,finalize-memref-to-llvm,convert-func-to-llvm,convert-cf-to-llvm,reconcile-unrealized-casts,canonicalize)"
)
_NUMPY = {"i8": np.int8, "i16": np.int16, "i32": np.int32, "f32": np.float32}


def _numpy_type(kind: ir.Type) -> tuple[list[int], Any]:
    shaped = ir.ShapedType(kind)
    return list(shaped.shape), _NUMPY[str(shaped.element_type)]


def _check_memory(module: ir.Operation, name: str) -> None:
    """MLIR's own lowering takes too little memory for elements of more than 64 bits: stores run over others."""
    for op in iu.walk(module, "memref.alloc"):
        element = ir.MemRefType(op.results[0].type).element_type
        if isinstance(element, ir.IntegerType) and element.width > 64:
            help = "memory of at most 64 bits an element can be run"
            raise UserError(f"cannot execute the module: memory of {element}", where=name, help=help)


class Jit:
    """A compiled module: `run` takes images of the function's own shape and element type.

    Args:
        module: the builtin.module operation, at any stage from linalg to the scheduled dataflow.
        optimize: LLVM optimization level; 0 compiles faster, 2 runs faster.
        fills: whether `run` may say what memory holds before anything is stored.

    Raises:
        UserError: the module cannot be lowered or compiled.
    """

    def __init__(self, module: ir.Operation, optimize: int = 2, *, fills: bool = False) -> None:
        function = iu.public_function(module)
        self.name = ir.StringAttr(function.attributes["sym_name"]).value
        kind = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
        tensors = bool(kind.results)
        self.input_shape, self.input_type = _numpy_type(kind.inputs[0])
        self.output_shape, self.output_type = _numpy_type(kind.results[0] if tensors else kind.inputs[-1])
        with module.context:
            copy = ir.Module.parse(module.get_asm(enable_debug_info=False), context=module.context)
            try:
                if iu.walk(copy.operation, "hls.dataflow"):
                    from resnet_hls.passes.lower_dataflow import LowerDataflow

                    LowerDataflow().run(copy.operation)
                if tensors:
                    PassManager.parse(_BUFFERIZE).run(copy.operation)
                _check_memory(copy.operation, self.name)
                if fills:
                    memory.fill(copy.operation)
                PassManager.parse(_TO_LLVM).run(copy.operation)
                self.engine = ExecutionEngine(copy, opt_level=optimize)
            except ir.MLIRError as problem:
                raise UserError(f"cannot execute the module: {str(problem).splitlines()[0]}", where=self.name) from None

    def run(self, images: np.ndarray[Any, Any], held: int | None = None) -> np.ndarray[Any, Any]:
        """Runs every image, shape (N, *one image*), and returns the results, shape (N, *one result*).

        `held`, a signed 64-bit number, is what memory holds before anything is stored in it (`memory.fill`).
        """
        results = np.zeros((len(images), *self.output_shape), self.output_type)
        if held is not None:
            self.engine.invoke(memory.SET, ctypes.pointer(ctypes.c_int64(held)))
            results[:] = np.array(held).astype(self.output_type)
        for image, result in zip(images, results, strict=True):
            given = np.ascontiguousarray(image.reshape(self.input_shape).astype(self.input_type, copy=False))
            arguments = [
                ctypes.pointer(ctypes.pointer(get_ranked_memref_descriptor(array))) for array in (given, result)
            ]
            self.engine.invoke(self.name, *arguments)
        return results
