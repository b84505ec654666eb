# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""onnxruntime in a process of its own, so that it computes while the compiler does.

Importing this module imports neither onnx nor onnxruntime.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resnet_hls import processes
from resnet_hls.errors import UserError

_TIMEOUT_SECONDS = 600


class OracleProcess:
    """The outputs of an ONNX model for some images, under way. `result` waits for them; `cancel` stops it.

    Args:
        path: of the model.
        images: (N, channels, height, width), float32.
    """

    def __init__(self, path: Path, images: NDArray[np.float32]) -> None:
        self._path = path
        with tempfile.TemporaryFile() as file:  # not a pipe: writing to it would wait for the process to read
            np.save(file, images, allow_pickle=False)
            file.seek(0)
            self._process = processes.start(
                "resnet_hls.simulate._oracle_worker",
                str(path),
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def result(self) -> NDArray[np.float32]:
        """(N, …), float32: the model's real outputs.

        Raises:
            UserError: onnxruntime failed on the model.
        """
        try:
            output, errors = self._process.communicate(timeout=_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.cancel()
            raise UserError(
                f"onnxruntime did not end within {_TIMEOUT_SECONDS} s",
                where=str(self._path),
                help="use a smaller model",
            ) from None
        if self._process.returncode != 0:
            lines = errors.decode(errors="replace").strip().splitlines() or ["no message"]
            raise UserError(
                f"onnxruntime could not run it: {lines[-1][:200]}",
                where=str(self._path),
                help="`resnet-hls doctor` shows the model's layers; please report the model",
            )
        outputs: NDArray[np.float32] = np.load(io.BytesIO(output), allow_pickle=False)
        return outputs

    def cancel(self) -> None:
        """Stops the process if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
