# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def replace_file(path: Path, content: str) -> None:
    """Write a file beside `path`, and rename it when all of it is there; whatever stops that leaves nothing behind.

    Args:
        path: of the file, in a folder that is there.
        content: text, written in UTF-8; what is no text (a lone surrogate) is written as an escape.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"  # with_name refuses "."
    try:
        temporary.write_text(content, encoding="utf-8", errors="backslashreplace")
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
