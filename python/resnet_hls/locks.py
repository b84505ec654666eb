# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Locks on folders, which end with the process that has them."""

from __future__ import annotations

import contextlib
import enum
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class Lock(enum.Enum):
    """Whose the lock of a folder is."""

    OURS = enum.auto()
    ANOTHERS = enum.auto()
    NONE = enum.auto()
    """The file system has no locks."""


@contextlib.contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[Lock]:
    """Lock `folder` while the block runs, if that can be had; `wait` for whoever has it.

    Raises:
        OSError: the folder cannot be opened.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock = Lock.OURS
        except BlockingIOError:
            lock = Lock.ANOTHERS
        except OSError:
            lock = Lock.NONE
        yield lock
    finally:
        os.close(handle)
