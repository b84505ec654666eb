# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-translate -o FOLDER` makes a folder or none."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from resnet_hls.errors import UserError
from resnet_hls.tool import write_folder

FILES = {"top.cpp": "int x;\n", "inner/deep/a.h": "// ä\n"}


def contents(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_of_files(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "a").mkdir()
    write_folder(str(tmp_path / "a"), FILES)
    assert contents(tmp_path) == {f"a/{name}": text for name, text in FILES.items()}


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        write_folder(str(tmp_path), FILES)
    assert contents(tmp_path) == {"mine": "mine"}


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of the second file."""

    def write(path: Path, text: str, encoding: str) -> None:
        with path.open("w", encoding=encoding) as file:
            file.write(text[:3])
        if path.suffix == ".h":
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", write)
    with pytest.raises(UserError, match="No space left"):
        write_folder(str(tmp_path / "a" / "b"), FILES)
    assert list(tmp_path.iterdir()) == []
