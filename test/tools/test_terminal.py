# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a person at a terminal gets beside what is printed: progress, completion, no colours where nobody sees them."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import types
from pathlib import Path

import pytest

import resnet_hls
from resnet_hls.tool import run_tool, tell_crashes

TOOL = Path(sys.executable).with_name("resnet-hls")
WORK = """
import sys
from resnet_hls.progress import shown
with shown("--quiet" in sys.argv) as told:
    told("some work", 3, 7)
    print("a line")
"""


def at_terminal(*arguments: str) -> tuple[str, str]:
    """Standard output, which is a pipe, and standard error, which is a terminal, of the work above."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", WORK, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True, text=True, timeout=60)
    os.close(theirs)
    seen = b""
    try:
        while block := os.read(ours, 4096):
            seen += block
    except OSError:  # Linux says so that nobody writes any more
        pass
    os.close(ours)
    return done.stdout, seen.decode()


def test_progress_is_on_the_terminal_and_not_in_the_output() -> None:
    output, seen = at_terminal()
    assert output == "a line\n"
    assert "some work" in seen
    assert "3/7" in seen


def test_quiet() -> None:
    assert at_terminal("--quiet") == ("a line\n", "")


def test_no_progress_without_a_terminal() -> None:
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("a line\n", "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ver", ["verify"]),
        ("build resn", ["resnet8", "resnet20"]),
        ("build resnet8 --board k", ["kv260"]),
        ("build resnet8 --without hls-fu", ["hls-fuse-loops"]),
        ("build resnet8 --quie", ["--quiet"]),
    ],
)
def test_completion(words: str, expected: list[str]) -> None:
    typed = f"resnet-hls {words}"
    environment = os.environ | {
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
        "_RESNET_HLS_COMPLETE": "complete_bash",
    }
    done = subprocess.run([TOOL], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.split() == expected, done.stderr


def test_no_colours_without_a_terminal() -> None:
    done = subprocess.run([TOOL, "boards"], capture_output=True, text=True, check=True, timeout=60)
    assert "\x1b" not in done.stdout


def test_memory_that_is_spent_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    def spend() -> int:
        raise MemoryError

    assert run_tool("resnet-opt", spend) == 1
    said = "resnet-opt: error: needs more memory than there is\nhelp: is the input damaged?\n"
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("tool", ["resnet-hls", "resnet-opt", "resnet-translate"])
def test_version(tool: str) -> None:
    command = [Path(sys.executable).with_name(tool), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{tool} {resnet_hls.__version__}\n"


@pytest.mark.parametrize("extension", [None, types.ModuleType("resnet_hls.simulate._cycles")])  # none, an old one
def test_an_extension_that_is_not_what_the_sources_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], extension: types.ModuleType | None
) -> None:
    monkeypatch.setitem(sys.modules, "resnet_hls.simulate._cycles", extension)
    monkeypatch.delenv("RESNET_HLS_TRACEBACK", raising=False)
    assert run_tool("resnet-hls", lambda: tell_crashes("resnet-hls", "build") or 0) == 1
    error, help = capsys.readouterr().err.splitlines()
    assert error.startswith("resnet-hls: error: the extension of C++: is not what the sources need: ")
    assert help.startswith("help: build it: ")
