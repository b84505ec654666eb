# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The MLIR context that every tool works in."""

from torch_mlir import ir
from torch_mlir._mlir_libs import _mlir
from torch_mlir.dialects import torch as torch_dialect

from resnet_hls.dialects import hls

# Where the bindings look for the Python side of a dialect. Without it they search torch_mlir.dialects for `hls`, in
# vain, at
# every operation of ours that a pass touches: three quarters of the time of some passes.
_mlir.globals.append_dialect_search_prefix("resnet_hls.dialects")


def make_context() -> ir.Context:
    """A context with MLIR's own dialects, torch-mlir's and `hls`, and one thread.

    One thread, because verifiers and passes written in Python would be called from MLIR's threads while the thread
    that started them holds Python's lock.
    """
    context = ir.Context()
    context.enable_multithreading(False)
    torch_dialect.register_dialect(context)
    hls.load(context)
    return context
