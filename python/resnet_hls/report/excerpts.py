# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where a task and a layer are in the texts of a project: lines of the C++, of the scheduled IR, of the integer IR.

The texts are those that `resnet_hls.emit` and the driver print, one construct a line, so that they are found by their
lines; a text that someone has edited beyond that gives no excerpt, never a wrong one. Nothing here depends on MLIR.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Longer lines are weights; nobody reads them.
_LONGEST = 400
#: ` loc(#loc12)`, ` loc(unknown)`, and the ` loc("conv1")` of a loop's variable: a layer is named once for an excerpt.
_LOCATION = re.compile(r' loc\((?:#loc\d*|unknown|"(?:[^"\\]|\\.)*"(?::\d+:\d+)?)\)')
_ALIAS = re.compile(r'^(#loc\d*) = loc\("((?:[^"\\]|\\.)*)"[()]')
_AT = re.compile(r"loc\((#loc\d*)\)$")
_FUNCTION = re.compile(r"^(?:static )?void (\w+)\(")
_TASK_NAME = re.compile(r'^\s*\}\) \{.*\bsym_name = "((?:[^"\\]|\\.)*)".*\} : ')


@dataclass(frozen=True)
class Excerpt:
    """Lines of a file.

    Args:
        file: below the project.
        first: number of the first line, from 1.
        lines: the text.
    """

    file: str
    first: int
    lines: tuple[str, ...]

    @property
    def last(self) -> int:
        """Number of the last line."""
        return self.first + len(self.lines) - 1

    @property
    def text(self) -> str:
        """The lines, those of endless length cut."""
        return "\n".join(line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …" for line in self.lines)

    @property
    def numbers(self) -> str:
        """The numbers of the lines."""
        return "\n".join(map(str, range(self.first, self.last + 1)))


def functions(file: str, text: str) -> dict[str, Excerpt]:
    """The functions of a C++ file by name, each with the comments above it."""
    lines = text.splitlines()
    found: dict[str, Excerpt] = {}
    for number, line in enumerate(lines):
        if (match := _FUNCTION.match(line)) is None:
            continue
        end = next((n for n in range(number, len(lines)) if lines[n] == "}"), None)
        if end is None:
            break
        first = number
        while first > 0 and lines[first - 1].startswith("//"):
            first -= 1
        found[match[1]] = Excerpt(file, first + 1, tuple(lines[first : end + 1]))
    return found


def task_operations(file: str, text: str) -> dict[str, tuple[Excerpt, tuple[str, ...]]]:
    """The `hls.task` operations of a module by name, without their locations, and the layers that these name."""
    lines = text.splitlines()
    names = _aliases(lines)
    found: dict[str, tuple[Excerpt, tuple[str, ...]]] = {}
    begin = None
    for number, line in enumerate(lines):
        if line.lstrip().startswith('"hls.task"() ({'):
            begin = number
        elif begin is not None and (match := _TASK_NAME.match(line)) is not None:
            body = tuple(_LOCATION.sub("", one) for one in lines[begin : number + 1])
            places = dict.fromkeys(at[1] for one in lines[begin : number + 1] if (at := _AT.search(one)) is not None)
            layers = tuple(dict.fromkeys(names[place] for place in places if place in names))
            found[_unescaped(match[1])] = Excerpt(file, begin + 1, _dedented(body)), layers
            begin = None
    return found


def layer_operations(file: str, text: str) -> dict[str, list[Excerpt]]:
    """The operations of the function in a module by the layer that they come from, in order, without locations.

    Constants are left out: they are weights.
    """
    lines = text.splitlines()
    names = _aliases(lines)
    found: dict[str, list[Excerpt]] = {}
    inside: dict[str, list[Excerpt]] = {}
    for first, last in _operations(lines):
        body = tuple(_LOCATION.sub("", line) for line in lines[first : last + 1])
        if _is_plumbing(body[0]):
            continue
        excerpt = Excerpt(file, first + 1, _dedented(body))
        places = [at[1] for line in lines[first : last + 1] if (at := _AT.search(line)) is not None]
        named = [names[place] for place in places if place in names]
        if named and places[-1] in names:
            found.setdefault(named[-1], []).append(excerpt)
        for name in dict.fromkeys(named):
            inside.setdefault(name, []).append(excerpt)
    # A layer without an operation of its own is a part of another's.
    return found | {name: some for name, some in inside.items() if name not in found}


def operation_name(excerpt: Excerpt) -> str:
    """What the operation at the head of an excerpt is called, such as `linalg.generic`; "" where it isn't told."""
    match = re.match(r'\s*(?:%[\w:, %]+ = )?"?([\w.]+)"?', excerpt.lines[0])
    return match[1] if match is not None and "." in match[1] else ""


def _aliases(lines: list[str]) -> dict[str, str]:
    """Names of layers by the aliases of their locations."""
    return {match[1]: _unescaped(match[2]) for line in lines if (match := _ALIAS.match(line)) is not None}


def _operations(lines: list[str]) -> Iterator[tuple[int, int]]:
    """First and last line of each operation directly in the function, which is indented by four."""
    begin = None
    for number, line in enumerate(lines):
        if not line.startswith("    ") or line.startswith("     "):
            continue
        if begin is None and not line.startswith(("    }", "    ^")):
            begin = number
        if begin is not None and (_AT.search(line) or line.endswith("loc(unknown)")):
            yield begin, number
            begin = None


def _is_plumbing(line: str) -> bool:
    return " = arith.constant " in line or " = tensor.empty(" in line


def _dedented(lines: tuple[str, ...]) -> tuple[str, ...]:
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return tuple(line[margin:] for line in lines)


def _unescaped(text: str) -> str:
    r"""A string as MLIR prints it: `\22` is a quote, `\\` a backslash; bytes of UTF-8 come as two digits each."""

    def byte(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 16)]) if len(code) == 2 else code

    escaped = re.sub(rb"\\([0-9A-Fa-f]{2}|.)", byte, text.encode())
    return escaped.decode(errors="replace")
