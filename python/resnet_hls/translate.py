# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-translate`: a scheduled module to HLS C++ or to a graph. Reads IR and never changes it."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from torch_mlir import ir

from resnet_hls.context import make_context
from resnet_hls.diagnostics import Collector
from resnet_hls.errors import UserError
from resnet_hls.resources import library_folder
from resnet_hls.tool import ArgumentParser, read_input, reading, run_tool, tell_crashes, write_folder, write_output

TOOL = "resnet-translate"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit status: 0, 1 for bad input, 2 for bad usage."""
    return run_tool(TOOL, lambda: _run(_parser().parse_args(arguments), own_process=arguments is None))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=TOOL, description="Translate MLIR to something else.", allow_abbrev=False)
    add = parser.add_argument
    add(
        "input", nargs="?", default="-", metavar="IN.mlir", help="text or bytecode; '-', the default, is standard input"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--emit-hls-cpp", action="store_true", help="C++ for Vitis HLS; with -o, a folder of files")
    what.add_argument("--emit-graph", action="store_true", help="tasks and streams as Graphviz dot; with -o, a file")
    add("-o", dest="output", default="-", metavar="OUT", help="where to write; '-', the default, is stdout")
    return parser


def _run(options: Namespace, own_process: bool = False) -> int:
    if own_process:
        tell_crashes(TOOL, options.input)
    from resnet_hls import emit
    from resnet_hls.passes import PassManager

    module = _parse(options)
    if options.emit_graph:
        write_output(options.output, emit.emit_graph(module))
        return 0
    PassManager.parse("builtin.module(verify-scheduled)").run(module)  # what is broken or deadlocks is not emitted
    files = emit.emit_hls_cpp(module)
    if options.output == "-":
        write_output("-", "".join(f"// ===== {name}\n{text}" for name, text in files.items()))
    else:
        headers = sorted(library_folder("include").glob("resnet_hls/*.h"))
        support = {f"resnet_hls/{header.name}": header.read_text(encoding="utf-8") for header in headers}
        write_folder(options.output, files | support)
        if weights := emit.weights_image(module):
            (Path(options.output) / "weights.bin").write_bytes(weights)
    return 0


def _parse(options: Namespace) -> ir.Module:
    content = read_input(options.input)
    collector = Collector(options.input)
    context = make_context()
    collector.attach(context)
    try:
        with reading(len(content)):
            if options.input != "-":
                return ir.Module.parseFile(options.input, context)
            return ir.Module.parse(content, context)
    except ir.MLIRError:
        first = collector.errors[0]
        help = f"'resnet-opt {options.input}' shows all errors"
        raise UserError(first.message, where=first.where, help=help) from None


if __name__ == "__main__":
    sys.exit(main())
