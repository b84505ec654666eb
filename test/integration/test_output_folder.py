# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A process that is killed while it writes a project leaves the old one, the new one, or none, and the next one tidies.

SIGKILL before each single file operation in turn: Python's audit events say which one is next.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from resnet_hls.errors import UserError
from resnet_hls.project import folder as output_folder

_OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "os.listdir", "shutil.rmtree",
               "fcntl.flock"}  # fmt: skip
FILES = {
    "manifest.json": '{"name": "a", "source_kind": "torch", "version": "VERSION"}',
    "src/a.cpp": "int aVERSION;",
    "src/deep/b.h": "int bVERSION;",
}


def write(target: Path, version: str) -> None:
    with output_folder.appearing(target, force=True) as folder:
        for name, text in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text.replace("VERSION", version))


def content(folder: Path) -> dict[str, str] | None:
    """The files of a folder; None where there is none."""
    if not folder.exists():
        return None
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def project(version: str) -> dict[str, str]:
    return {name: text.replace("VERSION", version) for name, text in FILES.items()}


def killed_at(number: int, target: Path, version: str) -> bool:
    """Write in a process of its own, which is killed before its operation `number`; whether it came that far."""
    child = os.fork()
    if not child:
        left = number

        def watch(event: str, arguments: object) -> None:
            nonlocal left
            if event in _OPERATIONS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        try:
            write(target, version)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    return os.waitstatus_to_exitcode(status) != 0


@pytest.mark.parametrize("replaces", [False, True])
def test_killed_at_any_operation(tmp_path: Path, replaces: bool) -> None:
    seen = set()
    for number in range(1, 500):
        target = tmp_path / str(number) / "deep" / "out"
        if replaces:
            write(target, "old")
        killed = killed_at(number, target, "new")
        left = content(target)
        assert left in (project("old") if replaces else None, project("new"), None), f"half a project at {number}"
        beside = sorted(path.name for path in target.parent.iterdir()) if target.parent.exists() else []
        assert all(name == "out" or name.startswith(".out.") for name in beside)
        output_folder.clean(target)
        tidied = content(target)
        assert tidied in (project("old") if replaces else None, project("new")), f"nothing came back at {number}"
        seen.add((left == project("new"), left is None))
        write(target, "next")
        assert content(target) == project("next")
        assert os.listdir(target.parent) == ["out"]
        if not killed:
            break
    assert number > 10
    assert seen == ({(False, False), (False, True), (True, False)} if replaces else {(False, True), (True, False)})


@pytest.mark.parametrize("number", [1, 2, 3])
def test_interrupted_after_a_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Ctrl-C comes right after one of the renames that put the new project in the place of the old one."""
    target, done = tmp_path / "out", 0
    write(target, "old")
    rename = os.rename

    def interrupted(*arguments: Any) -> None:
        nonlocal done
        rename(*arguments)
        done += 1
        if done == number:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(target, "new")
    output_folder.clean(target)
    assert content(target) == project("old" if number == 1 else "new")
    assert os.listdir(tmp_path) == ["out"]


def test_a_folder_that_has_come_meanwhile_stays(tmp_path: Path) -> None:
    target = tmp_path / "out"

    def write_while_somebody_else_does() -> None:
        with output_folder.appearing(target, force=False):
            target.mkdir()
            (target / "mine").touch()

    with pytest.raises(UserError, match="cannot be written"):
        write_while_somebody_else_does()
    assert os.listdir(target) == ["mine"]
    assert os.listdir(tmp_path) == ["out"]


def test_what_somebody_works_on_stays(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with output_folder.appearing(target, force=False) as folder:
        output_folder.clean(target)
        assert folder.exists()
    assert os.listdir(tmp_path) == ["out"]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    names = {".out.txt", ".out.0123456789abcdef.tmp.d", ".out.mine.tmp", ".outer.0123456789abcdef.tmp"}
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".out.0123456789abcdef.tmp").symlink_to(tmp_path / "elsewhere")
    output_folder.clean(tmp_path / "out")
    assert set(os.listdir(tmp_path)) == {*names, "elsewhere", ".out.0123456789abcdef.tmp"}


def test_half_removed_does_not_come_back(tmp_path: Path) -> None:
    """The user removes the project; what was left of the one before it is no project."""
    (tmp_path / ".out.0123456789abcdef.old" / "gone").mkdir(parents=True)
    output_folder.clean(tmp_path / "out")
    assert os.listdir(tmp_path) == []


def test_paths_that_cannot_be(tmp_path: Path) -> None:
    for name in ("x" * 300, "x" * 5000):
        with pytest.raises((UserError, OSError)), output_folder.appearing(tmp_path / name, force=False):
            pass
    assert os.listdir(tmp_path) == []
