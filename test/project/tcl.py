# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the Tcl of a project in a real Tcl interpreter, the vendor's commands replaced by ones that record their use.

A command that is not replaced and is not Tcl's own is an error, as it would be in the vendor's tools.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_PRELUDE = """
set recorded {}
proc record {name arguments} { lappend ::recorded [concat [list $name] $arguments] }
catch { rename exit leave } ;# Python has none
proc exit {args} { error "the script ends" }
"""
_EPILOGUE = """
set status [catch {source $script} message]
set file [open $target w]
fconfigure $file -encoding utf-8
puts -nonewline $file "$status\\x1d$message"
foreach command $recorded {
  puts -nonewline $file "\\x1e[join $command \\x1f]"
}
close $file
"""


@dataclass(frozen=True)
class Run:
    """What a script did.

    Attributes:
        error: its message; nothing where it ran to its end, which `exit` is, too.
        commands: the recorded ones, each its name and arguments, in order.
    """

    error: str
    commands: tuple[tuple[str, ...], ...]

    def of(self, *names: str) -> list[tuple[str, ...]]:
        """The arguments of some commands, in order."""
        return [command[1:] for command in self.commands if command[0] in names]


def run(
    script: Path, stubs: Mapping[str, str], *, cwd: Path, setup: str = "", environment: Mapping[str, str] | None = None
) -> Run:
    """Sources a script.

    Args:
        script: its path; `info script` tells it.
        stubs: the bodies of the vendor's commands, which see their arguments in `args`, by name.
        cwd: the folder to be in.
        setup: Tcl that runs before, such as variables of the bodies.
        environment: variables in addition to those that are there.
    """
    procs = [f"proc {name} {{args}} {{\n  record {name} $args\n{body}\n}}\n" for name, body in stubs.items()]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "recorded")
        text = _PRELUDE + setup + "".join(procs) + f"set script {{{script}}}\nset target {{{target}}}\n" + _EPILOGUE
        _interpret(text, cwd, dict(environment or {}))
        status, *commands = target.read_text(encoding="utf-8").split("\x1e")
    failed, message = status.split("\x1d")
    ended = failed == "0" or message == "the script ends"
    return Run("" if ended else message, tuple(tuple(command.split("\x1f")) for command in commands))


def _interpret(text: str, cwd: Path, environment: dict[str, str]) -> None:
    """In tclsh, or in the interpreter that comes with Python, in a process of its own."""
    program = shutil.which("tclsh")
    if program is None:
        pytest.importorskip("_tkinter", reason="needs tclsh, or Python with tkinter")
        import sys

        program = sys.executable
    with tempfile.NamedTemporaryFile("w", suffix=".tcl", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        python = f"import tkinter; tkinter.Tcl().eval('source {{{file.name}}}')"
        command: Sequence[str] = [program, file.name] if program.endswith("tclsh") else [program, "-c", python]
        done = subprocess.run(
            command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr


def check_options(commands: Iterable[Sequence[str]], documented: Mapping[str, Sequence[str]]) -> None:
    """That every command is one of those in the vendor's documentation, with options that it has there."""
    for name, *arguments in commands:
        assert name in documented, f"{name} is not in the documentation"
        for argument in arguments:
            if argument.startswith("-") and not argument[1:2].isdigit():
                assert argument in documented[name], f"{name} has no option {argument}"
