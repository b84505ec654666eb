# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files of a run: whole or not at all, and damage is found."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from resnet_hls.errors import UserError
from resnet_hls.training import checkpoint

STATE = {"weights": {"a": torch.arange(1000.0)}, "step": 7, "log": [{"loss": 0.5}]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "float.checkpoint"
    checkpoint.save(file, STATE)
    return file


def test_what_is_written_is_read(path: Path) -> None:
    state = checkpoint.load(path)
    assert state is not None
    assert torch.equal(state["weights"]["a"], torch.arange(1000.0))
    assert (state["step"], state["log"]) == (7, [{"loss": 0.5}])
    assert os.listdir(path.parent) == [path.name]
    assert checkpoint.load(path.with_name("none")) is None


def _replaced(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"no checkpoint\n",
        lambda content: _replaced(content, content.index(torch.arange(1000.0).numpy().tobytes()) + 100),
    ],
)
def test_damage_is_found(path: Path, damage: Callable[[bytes], bytes]) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"float.checkpoint: the checkpoint is damaged: ") as caught:
        checkpoint.load(path)
    assert "delete it" in caught.value.help


def test_nothing_in_a_checkpoint_is_executed(path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (print, ("executed",))

    torch.save({"step": Evil()}, path, pickle_module=pickle)
    with pytest.raises(UserError, match="the checkpoint is damaged"):
        checkpoint.load(path)


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_whoever_is_killed_while_writing_loses_nothing(path: Path, at: str) -> None:
    child = os.fork()
    if child == 0:  # writes half of a file, or all of it, and dies before it has its name
        module = os if at == "fsync" else Path
        setattr(module, at, lambda *arguments: os.kill(os.getpid(), signal.SIGKILL))
        checkpoint.write(path, b"half of a checkpoint")
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert len(os.listdir(path.parent)) == 2  # what was being written is still there
    state = checkpoint.load(path)
    assert state is not None
    assert state["step"] == 7
    checkpoint.save(path, {"step": 8})
    assert checkpoint.load(path) == {"step": 8}
    assert os.listdir(path.parent) == [path.name]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written: No such file or directory"):
        checkpoint.save(tmp_path / "none" / "float.checkpoint", STATE)
