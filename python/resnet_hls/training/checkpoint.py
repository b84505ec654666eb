# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files of a training run: written whole or not at all, and checked when read.

Importing this module imports PyTorch.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from resnet_hls.errors import UserError


def write(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`; whoever is killed here leaves the old file or the new one.

    Raises:
        UserError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"cannot be written: {error.strerror}", where=str(path), help="is the disk full?") from error


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state`, made of tensors, numbers, strings and containers of them.

    Raises:
        UserError: as `write`.
    """
    import io

    buffer = io.BytesIO()
    torch.save(state, buffer)
    write(path, buffer.getvalue())


def load(path: Path) -> dict[str, Any] | None:
    """What `save` wrote, or None where there is no such file; nothing in it is executed.

    Raises:
        UserError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:  # PyTorch does not compare checksums
            if (damaged := archive.testzip()) is not None:
                raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        help = "delete it to train from the beginning, or copy another one there"
        raise UserError(f"the checkpoint is damaged: {reason}", where=str(path), help=help) from error
    return state
