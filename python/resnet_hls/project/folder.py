# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Output folders that appear whole or not at all: everything is written beside the target and renamed into place.

A process that is killed leaves what it was writing as `.NAME.….tmp`, and a folder that it was about to replace as
`.NAME.….old/replaced`. Whoever writes to the target next puts the latter back, if there is nothing else, and removes
the rest. A lock on each of these folders, which ends with its process, says whether somebody still works on it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from resnet_hls.errors import UserError, raise_seen
from resnet_hls.locks import Lock, locked

_CHOOSE = "choose another folder with -o"
_REPLACED = "replaced"
#: What the names of folders that are left end in.
_LEFT = re.compile(r"[0-9a-f]{16}\.(?:tmp|old)")


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
    clean(target)
    if target.exists() and not target.is_dir():
        raise UserError("is a file, not a folder", where=where, help=_CHOOSE)
    if target == Path.cwd():
        raise UserError("is the folder you are in, which cannot be replaced", where=where, help=_CHOOSE)
    if target.is_dir() and any(target.iterdir()):
        if not force:
            raise UserError("the folder is not empty", where=where, help=f"{_CHOOSE}, or replace it with --force")
        if not _holds_project(target):
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


def _holds_project(folder: Path) -> bool:
    """Whether there is a manifest of ours, of whatever version: many tools write a file of that name."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and {"name", "source_kind"} <= manifest.keys()


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
    with contextlib.ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            stack.callback(_remove_empty, made)
            temporary = stack.enter_context(_beside(target, "tmp"))
            yield temporary
            raise_seen()
            _swap(temporary, target, force)
            made.clear()
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"cannot be written: {reason}", where=where, help=_CHOOSE) from error


def clean(target: Path) -> None:
    """Clear away what processes that were killed have left beside `target`; put back what one of them was replacing.

    Args:
        target: absolute; a folder that somebody may be writing to at the same time.
    """
    prefix = f".{target.name}."
    try:
        found = sorted(path for path in target.parent.iterdir() if path.name.startswith(prefix))
    except OSError:  # there is no such folder yet, or it may not be listed
        return
    for folder in found:
        if not _LEFT.fullmatch(folder.name[len(prefix) :]) or folder.is_symlink() or not folder.is_dir():
            continue
        with contextlib.suppress(OSError), locked(folder) as lock:
            if lock is not Lock.OURS:
                continue
            replaced = folder / _REPLACED
            if replaced.is_dir() and not target.exists():
                replaced.rename(target)
            shutil.rmtree(folder, ignore_errors=True)


def _swap(new: Path, target: Path, force: bool) -> None:
    """Rename `new` to `target`; what is there goes only when its successor is in place.

    Raises:
        OSError: somebody else has put something there meanwhile, and `force` is not given.
    """
    if not force or not target.exists() or not any(target.iterdir()):
        new.rename(target)
        return
    with _beside(target, "old") as old:
        try:  # a signal may come right after either of the two
            target.rename(old / _REPLACED)
            new.rename(target)
        except BaseException:
            if (old / _REPLACED).exists() and not target.exists():
                (old / _REPLACED).rename(target)
            raise
        (old / _REPLACED).rename(old / "gone")  # what is half removed must not come back


@contextlib.contextmanager
def _beside(target: Path, kind: str) -> Iterator[Path]:
    """A new folder beside `target`, on the same file system, with the permissions that the user's umask gives.

    It is removed in the end, where it is still there; but not with a project in it that has no successor, which `clean`
    puts back.
    """
    folder = target.with_name(f".{target.name}.{secrets.token_hex(8)}.{kind}")
    folder.mkdir()
    try:
        with locked(folder):
            if not folder.exists():  # `clean` of another process was faster than our lock
                folder.mkdir()
            yield folder
    finally:
        if target.exists() or not (folder / _REPLACED).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):  # someone else uses it by now
            folder.rmdir()


def _nearest(folder: Path) -> Path:
    """The nearest folder at or above `folder` that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _missing(folder: Path) -> list[Path]:
    """Folders to be made for `folder` to exist, the deepest first."""
    return [path for path in (folder, *folder.parents) if not path.exists()]
