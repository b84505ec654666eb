# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""HLS C++ from a scheduled dataflow."""

from torch_mlir import ir

from resnet_hls.analysis.tasks import the_dataflow
from resnet_hls.analysis.weights import load_image
from resnet_hls.emit.module import ModuleWriter, emit_dot
from resnet_hls.passes._registry import PassFailure
from resnet_hls.project import dataflow_rules
from resnet_hls.project.testbench import DataflowGraph
from resnet_hls.project.tools import Words


def _operation(module: ir.Module | ir.Operation) -> ir.Operation:
    return module.operation if isinstance(module, ir.Module) else module


def emit_hls_cpp(module: ir.Module | ir.Operation) -> dict[str, str]:
    """The C++ files of the accelerator, by name: `<name>.h`, `<name>.cpp`, `tasks.h`, `tasks.cpp`, `weights.h`.

    Raises:
        PassFailure: an operation or type cannot be emitted, or the C++ breaks a rule of Vitis HLS for dataflow regions.
    """
    op = _operation(module)
    with op.context, op.location:
        files = ModuleWriter(op).files()
        for problem in dataflow_rules.check(files):
            where = f"{problem.file}, line {problem.line}"
            raise PassFailure(the_dataflow(op), f"{problem.message} (in the C++: {where})", help=problem.help)
        return files


def emit_graph(module: ir.Module | ir.Operation) -> str:
    """The dataflow as a Graphviz graph."""
    op = _operation(module)
    with op.context, op.location:
        return emit_dot(op)


def dataflow_graph(module: ir.Module | ir.Operation) -> DataflowGraph:
    """What the top function connects, as the test bench on bounded streams needs it."""
    op = _operation(module)
    with op.context, op.location:
        return ModuleWriter(op).graph()


def port_words(module: ir.Module | ir.Operation) -> tuple[Words, Words]:
    """How frames pass the ports of the top function: the input, then the output."""
    op = _operation(module)
    with op.context, op.location:
        writer = ModuleWriter(op)
        source, sink = (Words(p.lanes, p.words, p.bits) for p in (writer.source, writer.sink))
        return source, sink


def weights_image(module: ir.Module | ir.Operation) -> bytes:
    """What comes through the port of weights at start, as `analysis/weights.py` says; nothing where there is none."""
    op = _operation(module)
    with op.context, op.location:
        return load_image(op)
