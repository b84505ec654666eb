# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What MLIR's own pass manager knows: whether it takes a pipeline, and the names of its passes.

Importing `torch_mlir.dialects.torch` is what makes the passes of torch-mlir known to it; PyTorch is not involved.
"""

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path

from torch_mlir import _mlir_libs, ir, passmanager
from torch_mlir.dialects import torch as torch_dialect


def explain(text: str) -> str | None:
    """None where MLIR's pass manager accepts the pipeline `text`; otherwise its reason, one line."""
    with tempfile.TemporaryFile() as captured:
        saved = os.dup(2)
        try:
            os.dup2(captured.fileno(), 2)  # MLIR prints why an option is wrong instead of raising it
            passmanager.PassManager.parse(text, _context())
        except ValueError as error:
            captured.seek(0)
            return _one_line(captured.read().decode(errors="replace"), str(error))
        finally:
            os.dup2(saved, 2)
            os.close(saved)
    return None


@functools.cache
def upstream_pass_names() -> tuple[str, ...]:
    """The names of MLIR's own passes, as its command line tool lists them; none if that cannot be run."""
    tool = Path(_mlir_libs.__file__).parent / "torch-mlir-opt"
    try:
        text = subprocess.run([tool, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    passes = text.partition("Compiler passes to run")[2]
    return tuple(re.findall(r"^ {6}--([a-z0-9-]+)", passes, re.MULTILINE))


@functools.cache
def _context() -> ir.Context:
    context = ir.Context()
    torch_dialect.register_dialect(context)
    return context


def _one_line(printed: str, raised: str) -> str:
    if invalid := re.search(r"for the --(\S+) option: '(.*?)' value invalid", printed):
        return f"option '{invalid[1]}' does not take '{invalid[2]}'"
    if unknown := re.search(r"no such option (\S+)", raised + printed):
        return f"it has no option '{unknown[1]}'"
    lines = [line.strip() for line in (raised + "\n" + printed).splitlines() if line.strip()]
    return lines[0].partition("error: ")[2] or lines[0] if lines else "rejected"
