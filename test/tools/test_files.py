# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from resnet_hls.files import replace_file


def test_replaces(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    replace_file(target, "one")
    replace_file(target, "two \ud800 µ")
    assert target.read_text(encoding="utf-8") == "two \\ud800 µ"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("problem", [KeyboardInterrupt, OSError("disk full")])
def test_what_stops_it_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: type[BaseException] | BaseException
) -> None:
    target = tmp_path / "a.json"
    replace_file(target, "one")

    def stops(*arguments: object) -> None:
        raise problem

    monkeypatch.setattr(Path, "replace", stops)
    with pytest.raises((KeyboardInterrupt, OSError)):
        replace_file(target, "two")
    assert target.read_text() == "one"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_folder_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match=r"busy|directory|not"):
        replace_file(Path("."), "text")
    assert os.listdir(tmp_path) == []
