# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lines of C++ within 120 columns."""

from __future__ import annotations

from collections.abc import Sequence

COLUMNS = 120
#: Where a long statement may be broken, the loosest operator first: behind the text, or before it.
_BREAKS = (
    *((" = ", True), (" += ", True), (" ? ", False), (" : ", False)),
    *((" && ", False), (" + ", False), (" * ", False), (", ", True)),
)


def wrapped(text: str, indent: str) -> list[str]:
    """One statement as lines that begin with `indent`, continued four columns further in."""
    limit = COLUMNS - len(indent)
    if len(text) <= limit:
        return [indent + text]
    found = []
    for order, (separator, behind) in enumerate(_BREAKS):
        depth, places = _outermost(text, separator)
        fitting = [place for place in places if place + len(separator) <= limit]
        if fitting:
            found.append((depth, order, fitting[-1] + (len(separator.rstrip()) if behind else 0)))
    if not found:
        return [indent + text]
    cut = min(found)[2]
    further = indent if text.startswith(("? ", ": ", "&& ", "+ ", "* ")) else indent + "    "
    return [indent + text[:cut].rstrip(), *wrapped(text[cut:].strip(), further)]


def _outermost(text: str, separator: str) -> tuple[int, list[int]]:
    """The least depth of parentheses at which `separator` stands, and where."""
    by_depth: dict[int, list[int]] = {}
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if place and text.startswith(separator, place):
            by_depth.setdefault(depth, []).append(place)
    least = min(by_depth, default=0)
    return least, by_depth.get(least, [])


def signature(name: str, parameters: Sequence[str]) -> str:
    """`void name(parameters)`, a parameter a line where one line is not enough."""
    start = f"void {name}("
    joined = ", ".join(parameters)
    if len(start) + len(joined) < COLUMNS - 3:
        return f"{start}{joined})"
    return start + (",\n" + " " * len(start)).join(parameters) + ")"


def initializer(rows: object, indent: str = "    ") -> str:
    """Nested lists as nested braces, each list of numbers in lines of equally many."""
    assert isinstance(rows, list)
    if rows and isinstance(rows[0], list):
        return "{" + f",\n{indent}".join(initializer(part, indent + " ") for part in rows) + "}"
    numbers = [str(number) for number in rows]
    text = ", ".join(numbers)
    if len(indent) + len(text) < COLUMNS - 4:
        return "{" + text + "}"
    count = max(1, (COLUMNS - 4 - len(indent)) // (max(map(len, numbers)) + 2))
    lines = [", ".join(numbers[i : i + count]) for i in range(0, len(numbers), count)]
    return "{" + f",\n{indent} ".join(lines) + "}"
