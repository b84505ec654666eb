# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Code blocks of the documentation, and what running one means."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

#: A comment before a block: why it isn't run.
_NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
_NAMED = re.compile(r"# (\w+\.py)$")
ELISION = "[…]"
#: What stands in the documentation, and what is run instead, because it would take minutes, or needs a file.
SMALLER = {
    "--images 10000": "--images 20",
    "--images 200": "--images 20",
}


@dataclass(frozen=True)
class Block:
    """A fenced block: `page` and `line` where it begins, its language and text, and why it isn't run, if so."""

    page: str
    line: int
    language: str
    text: str
    not_run: str | None

    @property
    def file(self) -> str | None:
        """The file that it is the content of: a Python block whose first line is a comment with a file name."""
        named = _NAMED.match(self.text.splitlines()[0]) if self.language == "python" and self.text else None
        return named[1] if named else None


def blocks(page: Path, root: Path) -> list[Block]:
    """The blocks of a page, in order."""
    found: list[Block] = []
    start, language, text, reason = 0, "", [], None
    inside = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```") and not inside:
            inside, start, language, text = True, number, line[3:].strip(), []
        elif line.startswith("```"):
            inside = False
            found.append(Block(page.relative_to(root).as_posix(), start, language, "\n".join(text), reason))
            reason = None
        elif inside:
            text.append(line)
        elif line.strip():
            comment = _NOT_RUN.fullmatch(line.strip())
            reason = comment[1] if comment else None
    return found


@dataclass(frozen=True)
class Command:
    """A line of a shell, and what is said to come of it; None where nothing is said."""

    text: str
    output: list[str] | None


def commands(block: Block) -> list[Command]:
    """What a block of a shell runs: each line, or in a `console` those behind a `$`, with the output that follows."""
    lines = re.sub(r"\\\n\s*", "", block.text).splitlines()
    if block.language == "sh":
        return [Command(line, None) for line in lines if line.strip()]
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return [Command(text, output) for text, output in found]


def run(command: str, folder: Path) -> tuple[int, str]:
    """Exit status and all output of a command, with the tools of this environment; smaller where that is needed."""
    for large, small in SMALLER.items():
        command = command.replace(large, small)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": path, "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stdout


def matches(expected: list[str], output: str) -> bool:
    """True where an output is what is said to come; `[…]` stands for any lines, or for the rest of one."""
    pattern = ""
    for line in [line.rstrip() for line in expected if line.strip()]:
        if line == ELISION:
            pattern += r"(?:.*\n)*?"
        elif line.endswith(ELISION):
            pattern += re.escape(line.removesuffix(ELISION)) + r".*\n"
        else:
            pattern += re.escape(line) + r"[ ]*\n"
    text = "".join(f"{line}\n" for line in output.splitlines() if line.strip())
    whole = pattern if expected and expected[-1] == ELISION else pattern + r"(?:.*\n)*"
    return re.fullmatch(whole, text) is not None
