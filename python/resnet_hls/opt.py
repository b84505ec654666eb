# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-opt`: reads MLIR, runs a pipeline of our passes and MLIR's own, and prints MLIR.

Must start quickly, so it imports neither PyTorch nor ONNX, and each pass only when the pipeline names it.
"""

import importlib.util
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from torch_mlir import ir

from resnet_hls.context import make_context
from resnet_hls.diagnostics import Collector, compare, expectations
from resnet_hls.errors import UserError
from resnet_hls.opt_explain import explain
from resnet_hls.opt_hooks import PrintAfterEach, Stopwatch, ValidateEach
from resnet_hls.passes import Hook, PassFailure, PassManager
from resnet_hls.passes._manager import PassDefect, Remarks, ReportedFailure
from resnet_hls.passes._registry import all_passes
from resnet_hls.tool import SPLIT_MARKER, ArgumentParser, read_input, reading, run_tool, tell_crashes, write_output

TOOL = "resnet-opt"
_BYTECODE = b"ML\xefR"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit status: 0, 1 for bad input, 2 for bad usage."""
    return run_tool(TOOL, lambda: _run(_parser().parse_args(arguments), own_process=arguments is None))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=TOOL, description="Run passes on MLIR.", allow_abbrev=False)
    add = parser.add_argument
    add(
        "input", nargs="?", default="-", metavar="IN.mlir", help="text or bytecode; '-', the default, is standard input"
    )
    add("-o", dest="output", default="-", metavar="OUT", help="where to write the result; '-', the default, is stdout")
    add("--pass-pipeline", metavar="TEXT", help="'builtin.module(pass,func.func(pass),pass{option=value})'")
    add("--load-pass", action="append", default=[], metavar="FILE.py", help="a file with passes of your own")
    add("--split-input-file", action="store_true", help=f"the input is several modules, '{SPLIT_MARKER}' between them")
    add(
        "--verify-diagnostics",
        action="store_true",
        help="compare errors, and remarks with --remarks, with the 'expected-error' comments in the input",
    )
    add(
        "--validate-each", action="store_true", help="run the module before and after each pass and compare the results"
    )
    add("--validate-images", type=int, default=2, metavar="N", help="random images for --validate-each (default: 2)")
    add("--validate-seed", type=int, default=0, metavar="N", help="seed of those images (default: 0)")
    add("--remarks", action="store_true", help="print to stderr why passes did, or did not do, what they are for")
    add("--print-ir-after-all", action="store_true", help="print the module to stderr after each pass")
    add("--timing", action="store_true", help="print to stderr how long each pass took")
    add("--mlir-print-debuginfo", action="store_true", help="print locations")
    elide = "print constants of more than N elements as a placeholder, which cannot be read back"
    add("--elide-large", "--mlir-elide-elementsattrs-if-larger", type=int, metavar="N", help=elide)
    add("--allow-unregistered-dialect", action="store_true", help="take operations of dialects that nobody knows")
    add("--help-passes", action="store_true", help="document the passes and leave")
    return parser


def _run(options: Namespace, own_process: bool = False) -> int:
    if own_process:
        tell_crashes(TOOL, options.input)
    for path in options.load_pass:
        load_passes(path)
    if options.help_passes:
        from resnet_hls.docs import passes_text

        sys.stdout.write(passes_text())
        return 0
    pipeline = PassManager.parse(options.pass_pipeline) if options.pass_pipeline is not None else None
    content = read_input(options.input)
    chunks = _split(content, options)
    stopwatch = Stopwatch()
    hooks: list[Hook] = []
    if options.validate_each:
        hooks.append(ValidateEach(options.validate_seed, options.validate_images))
    if options.print_ir_after_all:
        hooks.append(PrintAfterEach(options.elide_large, options.mlir_print_debuginfo))
    if options.timing:
        hooks.append(stopwatch)
    results, problems = [], []
    for chunk in chunks:
        result, wrong = _process(chunk, pipeline, hooks, options)
        results.append(result)
        problems += wrong
    if options.timing:
        sys.stderr.write(stopwatch.report())
    for problem in problems:
        print(problem.render(TOOL), file=sys.stderr)
    if problems:
        return 1
    printed = [result for result in results if result is not None]
    write_output(options.output, f"{SPLIT_MARKER}\n".join(printed))
    return 0


def _split(content: bytes, options: Namespace) -> list[str | bytes]:
    """The modules in the input, each with empty lines before it so that its line numbers are those of the file."""
    if content.startswith(_BYTECODE):
        return [content]
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise UserError(
            "is neither MLIR text nor MLIR bytecode", where=options.input, help="give a .mlir file"
        ) from None
    if not options.split_input_file:
        return [text]
    chunks: list[list[str]] = [[]]
    for number, line in enumerate(text.split("\n")):
        if line.startswith(SPLIT_MARKER):
            chunks.append([""] * (number + 1))
        else:
            chunks[-1].append(line)
    return ["\n".join(chunk) for chunk in chunks]


def _process(
    chunk: str | bytes, pipeline: PassManager | None, hooks: list[Hook], options: Namespace
) -> tuple[str | None, list[UserError]]:
    """One module through the pipeline: its text, None if a pass failed as was expected, and what is wrong."""
    collector = Collector(options.input)
    context = _context(options)
    collector.attach(context)
    remarks = Remarks()
    failed, failed_pass = False, ""
    result = None
    try:
        module = _parse(chunk, context, options)
        if pipeline is not None:
            pipeline.run(module, [*hooks, remarks])
        result = _print(module.operation, options)
    except ir.MLIRError:
        failed = True
    except PassFailure as failure:
        failed, failed_pass = True, failure.pass_name
        if not isinstance(failure, ReportedFailure) or not collector.errors:
            collector.add_failure(failure)
    except PassDefect as defect:
        assert pipeline is not None
        why = explain(defect, pipeline, lambda: _parse(chunk, _context(options), options))
        if why is None:
            raise
        failed, failed_pass = True, why.pass_name
        collector.add_failure(why)
    for remark in remarks.found if options.remarks else ():
        collector.add_remark(remark)
    if options.verify_diagnostics:
        expected = expectations(chunk) if isinstance(chunk, str) else []
        problems = compare(options.input, expected, collector.diagnostics)
        wrong = [UserError(problem) for problem in problems]
        if wrong:
            wrong[-1].help = "the comments '// expected-error @below {{text}}' must name every error, and no other"
        return result, wrong
    if options.remarks:
        for found in collector.remarks:
            print(f"{found.where}: remark: {found.message}", file=sys.stderr)
    errors = collector.errors if failed else []
    prefix = f"{failed_pass}: " if failed_pass else ""
    wrong = [UserError(prefix + error.message, where=error.where, help=error.help) for error in errors]
    if wrong and not any(error.help for error in wrong):
        wrong[-1].help = _help(chunk, errors[-1].line, failed_pass)
    return result, wrong


def _context(options: Namespace) -> ir.Context:
    context = make_context()
    context.allow_unregistered_dialects = options.allow_unregistered_dialect
    return context


def _parse(chunk: str | bytes, context: ir.Context, options: Namespace) -> ir.Module:
    with reading(len(chunk)):
        if options.input != "-" and not options.split_input_file:
            return ir.Module.parseFile(options.input, context)  # so that locations carry the name of the file
        return ir.Module.parse(chunk, context)


def _print(operation: ir.Operation, options: Namespace) -> str:
    text = operation.get_asm(enable_debug_info=options.mlir_print_debuginfo, large_elements_limit=options.elide_large)
    return str(text).rstrip("\n") + "\n"


def _help(chunk: str | bytes, line: int | None, failed_pass: str) -> str:
    """A way out where the message itself has none: the line in question, and how to see more."""
    shown = ""
    if isinstance(chunk, str) and line is not None and 0 < line <= chunk.count("\n") + 1:
        text = chunk.split("\n")[line - 1].strip()
        shown = f"line {line} reads '{text if len(text) <= 80 else f'{text[:77]}...'}'; "
    if failed_pass:
        return f"{shown}--print-ir-after-all shows the module that {failed_pass} got"
    return f"{shown}https://mlir.llvm.org/docs describes the operations and their syntax"


def load_passes(path: str) -> None:
    """Import the file at `path`, which registers passes with `@register_pass`.

    Raises:
        UserError: there is no such file, it cannot be imported, or it registers no pass.
    """
    if not Path(path).is_file():
        raise UserError("there is no such file", where=path, help="--load-pass takes the path of a Python file")
    before = {cls.name for cls in all_passes()}
    name = f"resnet_hls_user_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError("is no Python file", where=path, help="--load-pass takes a file whose name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except Exception as error:
        message = f"cannot be imported: {type(error).__name__}: {error}".partition("\n")[0]
        raise UserError(message, where=path, help=f"'python {path}' shows the whole traceback") from error
    if before == {cls.name for cls in all_passes()}:
        raise UserError("registers no pass", where=path, help="put @register_pass above the class of the pass")


if __name__ == "__main__":
    sys.exit(main())
