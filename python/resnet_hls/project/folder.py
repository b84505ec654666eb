# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Output folders that appear whole or not at all: everything is written beside the target and renamed into place."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from resnet_hls.errors import UserError

_CHOOSE = "choose another folder with -o"


def check(target: Path, force: bool) -> None:
    """Whether a folder can be made at `target`, asked before any work is done.

    Args:
        target: where the folder is to be.
        force: whether a project that is there may be replaced.

    Raises:
        UserError: something else is there, or the folder around it cannot be written.
    """
    where = str(target)
    target = target.resolve()
    if target.exists() and not target.is_dir():
        raise UserError("is a file, not a folder", where=where, help=_CHOOSE)
    if target == Path.cwd():
        raise UserError("is the folder you are in, which cannot be replaced", where=where, help=_CHOOSE)
    if target.is_dir() and any(target.iterdir()):
        if not force:
            raise UserError("the folder is not empty", where=where, help=f"{_CHOOSE}, or replace it with --force")
        if not (target / "manifest.json").is_file():
            raise UserError(
                "the folder holds no project, so --force does not replace it",
                where=where,
                help=f"{_CHOOSE}, or empty the folder yourself",
            )
    parent = _nearest(target.parent)
    if not parent.is_dir():
        raise UserError(f"cannot be made: {parent} is a file", where=where, help=_CHOOSE)
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(f"cannot be made: {parent} is not writable", where=where, help=_CHOOSE)


@contextlib.contextmanager
def appearing(target: Path, force: bool) -> Iterator[Path]:
    """A folder to write into, which becomes `target` when the block ends well, and is removed when it does not.

    Raises:
        UserError: as `check`, or the file system refuses.
    """
    where = str(target)
    check(target, force)
    target = target.resolve()
    made = _missing(target.parent)
    temporary: Path | None = None
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = _beside(target, "tmp")
            yield temporary
            _swap(temporary, target)
            made = []
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot be written: {reason}", where=where, help=_CHOOSE) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):  # someone else uses it by now
                folder.rmdir()


def _swap(new: Path, target: Path) -> None:
    """Rename `new` to `target`; what is there goes only when its successor is in place."""
    if not target.exists() or not any(target.iterdir()):
        new.rename(target)
        return
    old = _beside(target, "old")
    target.rename(old / "replaced")
    try:
        new.rename(target)
    except BaseException:
        (old / "replaced").rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _beside(target: Path, kind: str) -> Path:
    """A new folder beside `target`, on the same file system, with the permissions that the user's umask gives."""
    folder = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.{kind}")
    folder.mkdir()
    return folder


def _nearest(folder: Path) -> Path:
    """The nearest folder at or above `folder` that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _missing(folder: Path) -> list[Path]:
    """Folders to be made for `folder` to exist, the deepest first."""
    return [path for path in (folder, *folder.parents) if not path.exists()]
