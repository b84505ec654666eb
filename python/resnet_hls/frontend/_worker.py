# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The importing process: `python -m resnet_hls.frontend._worker MODEL NAME`, started by `onnx_import`.

Writes one line of JSON to standard output and, where that says all is well, MLIR bytecode behind it. It is a process
of its own because torch-mlir can crash on a bad model.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

PIPELINES = (
    "builtin.module(torch-onnx-to-torch-backend-pipeline)",
    "builtin.module(torch-backend-to-linalg-on-tensors-backend-pipeline)",
)


def lower(proto: Any) -> bytes:
    """MLIR bytecode of the linalg module that torch-mlir makes of a ModelProto, with locations.

    Raises:
        torch_mlir.ir.MLIRError: a pass failed.
    """
    from torch_mlir import ir, passmanager
    from torch_mlir.dialects import torch as torch_dialect
    from torch_mlir.extras import onnx_importer

    from resnet_hls.frontend.onnx_emit import source_name

    for node in proto.graph.node:
        node.name = source_name(node.name)  # which becomes the location
    with ir.Context() as context:
        torch_dialect.register_dialect(context)
        info = onnx_importer.ModelInfo(proto)
        module = info.create_module(context=context)
        onnx_importer.NodeImporter.define_function(info.main_graph, module.operation).import_all()
        for pipeline in PIPELINES:
            passmanager.PassManager.parse(pipeline).run(module.operation)
        return _bytecode(module)


def _bytecode(module: Any) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    module.operation.write_bytecode(buffer)
    return buffer.getvalue()


def run(path: str, name: str) -> tuple[dict[str, Any], bytes]:
    """The header and the bytecode for one model; an error is a header with `error`."""
    from resnet_hls.errors import UserError
    from resnet_hls.frontend import onnx_model

    try:
        model = onnx_model.load(path, name)
    except UserError as error:
        return {"error": error.message, "where": error.where, "help": error.help}, b""
    header = {
        "input": model.input,
        "output": model.output,
        "input_shape": model.input_shape,
        "output_shape": model.output_shape,
        "dialect": model.dialect,
        "notes": model.notes,
        "source_nodes": model.source_nodes,
    }
    try:
        return header, lower(model.proto)
    except Exception as error:  # MLIRError, and what the importer raises for operations it does not know
        return {"error": _reason(error), "where": path, "help": "run `resnet-hls doctor` on the model"}, b""


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    found = next((line for line in lines if "error:" in line), lines[0])
    return "torch-mlir could not import it: " + re.sub(r"\s+", " ", found.split("error:", 1)[-1]).strip()[:300]


def main() -> None:
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not print into the result
    header, bytecode = run(sys.argv[1], sys.argv[2])
    channel.write(json.dumps(header).encode() + b"\n" + bytecode)
    channel.close()
    os._exit(0)  # tearing down MLIR and numpy costs a tenth of a second


if __name__ == "__main__":
    main()
