# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs torch-mlir's pipelines on an imported module in a process of its own.

They end the whole process on some input (an int8 ``aten.convolution`` is one), so the caller starts this file as
``python -m resnet_hls.frontend.torch_lowering``: module bytecode on standard input, lowered bytecode on standard
output, exit status 1 and one line on standard error for what the pipelines reject.

Importing this module imports neither PyTorch nor MLIR.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys

from resnet_hls import processes
from resnet_hls.errors import UserError

PIPELINE = (
    # torch.operator "…quantize_per_tensor" to torch's quantized types, then decompose and infer types
    "builtin.module(func.func(torch-match-quantized-custom-ops),torchdynamo-export-to-torch-backend-pipeline)",
    # integer convolutions, everything else linalg on float tensors
    "builtin.module(torch-backend-to-linalg-on-tensors-backend-pipeline)",
    "builtin.module(canonicalize,cse)",
)
"""What is run on the imported module, in this order."""

_HELP = "use Conv2d, BatchNorm2d, ReLU, ReLU6, add, cat, pooling, flatten and Linear; 'torch.export' shows what is left"


def lower(bytecode: bytes, name: str) -> bytes:
    """The torch dialect module ``bytecode`` as linalg on tensors, in bytecode; messages call it ``name``.

    Raises:
        UserError: torch-mlir rejects the module, or dies of it.
    """
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with processes.start(__name__, **pipes) as process:
        output, errors = process.communicate(bytecode)
    if process.returncode == 0:
        return output
    if process.returncode < 0:
        cause = f"torch-mlir crashed on it ({signal.Signals(-process.returncode).name})"
    else:
        lines = errors.decode(errors="replace").strip().splitlines() or ["torch-mlir rejects it"]
        cause = next((line for line in lines if "error:" in line), lines[-1]).partition("error: ")[2] or lines[-1]
    raise UserError(f"cannot be imported: {cause}", where=name, help=_HELP)


def main() -> int:
    """Lower standard input to standard output; see the module documentation."""
    from torch_mlir import ir, passmanager
    from torch_mlir.dialects import torch as torch_dialect

    context = ir.Context()
    context.enable_multithreading(False)
    torch_dialect.register_dialect(context)
    module = ir.Module.parse(sys.stdin.buffer.read(), context)
    with context:
        for step in PIPELINE:
            try:
                passmanager.PassManager.parse(step).run(module.operation)
            except ir.MLIRError as problem:
                diagnostic = problem.error_diagnostics[0]
                layer = str(diagnostic.location).removeprefix("loc(").removesuffix(")").strip('"')
                print(f"error: {layer}: {diagnostic.message.splitlines()[0]}", file=sys.stderr)
                return 1
    output = io.BytesIO()
    module.operation.write_bytecode(output)
    sys.stdout.buffer.write(output.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
