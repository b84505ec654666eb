# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX file to linalg on tensors, in a process of its own: torch-mlir can crash on what it cannot import.

Importing this module imports neither onnx nor MLIR.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from typing import IO, Any

from resnet_hls import processes
from resnet_hls.errors import UserError

TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class ImportedModule:
    """A model as linalg on tensors with float quantizers.

    Attributes:
        text: MLIR bytecode, with debug locations; `ir.Module.parse` takes it.
        name: of its one public function, tensor<1x3x32x32xf32> -> tensor<…xf32>.
        input, output: the names of the model's input and output.
        input_shape: of the function's argument.
        output_shape: of the model's output; the function's result may have two dimensions of size 1 more.
        dialect: "QONNX", "QDQ" or "QCDQ".
        notes: what the frontend changed that a user should know.
        source_nodes: names of the nodes of the file, in order; locations of the module are names of these.
    """

    text: bytes
    name: str
    input: str
    output: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    dialect: str
    notes: tuple[str, ...]
    source_nodes: tuple[str, ...]


class ImportHandle:
    """An import under way. `result` waits for it; `cancel` stops it (also at the end of a `with` block)."""

    def __init__(self, process: subprocess.Popen[bytes], path: str, name: str) -> None:
        self._process = process
        self._path = path
        self._name = name
        self._result: ImportedModule | None = None

    def result(self) -> ImportedModule:
        """The imported module.

        Raises:
            UserError: the model cannot be built, or the importer crashed on it.
        """
        if self._result is None:
            try:
                output, errors = self._process.communicate(timeout=TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self.cancel()
                raise UserError(
                    f"the importer did not end within {TIMEOUT_SECONDS} s", where=self._path, help="use a smaller model"
                ) from None
            self._result = self._decode(output, errors)
        return self._result

    def _decode(self, output: bytes, errors: bytes) -> ImportedModule:
        line, _, bytecode = output.partition(b"\n")
        if self._process.returncode != 0 or not line:
            raise UserError(
                f"the importer (torch-mlir) ended with {_ending(self._process.returncode, errors)}",
                where=self._path,
                help="`resnet-hls doctor` shows the model's layers; please report the model",
            )
        header: dict[str, Any] = json.loads(line)
        if "error" in header:
            raise UserError(header["error"], where=header["where"], help=header["help"])
        return ImportedModule(
            text=bytecode,
            name=self._name,
            input=header["input"],
            output=header["output"],
            input_shape=tuple(header["input_shape"]),
            output_shape=tuple(header["output_shape"]),
            dialect=header["dialect"],
            notes=tuple(header["notes"]),
            source_nodes=tuple(header["source_nodes"]),
        )

    def cancel(self) -> None:
        """Stops the process if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            _close(pipe)

    def __enter__(self) -> ImportHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cancel()


def start_import(path: str | os.PathLike[str], name: str) -> ImportHandle:
    """Starts importing the ONNX file at `path` in another process and returns at once.

    Args:
        path: the file; it need not exist, `result` says so.
        name: a C identifier, the name of the function.

    Raises:
        ValueError: `name` is no C identifier.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"{name!r} is no C identifier")
    process = processes.start(
        "resnet_hls.frontend._worker",
        os.fspath(path),
        name,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    return ImportHandle(process, os.fspath(path), name)


def to_linalg(path: str | os.PathLike[str], name: str) -> ImportedModule:
    """Imports the ONNX file at `path`; its function is called `name`, a C identifier.

    Raises:
        UserError: the file cannot be read, the model cannot be built, or the importer crashed on it.
        ValueError: `name` is no C identifier.
    """
    with start_import(path, name) as handle:
        return handle.result()


def _ending(code: int, errors: bytes) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"status {code}" + (f" ({lines[-1][:200]})" if lines else "")


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()
