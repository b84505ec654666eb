# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MLIR's diagnostics: caught, reported as lines, and compared with `expected-error` annotations as mlir-opt does it."""

import re
from dataclasses import dataclass
from typing import Any

from torch_mlir import ir

from resnet_hls.locations import describe, position
from resnet_hls.passes import PassFailure, Remark


@dataclass(frozen=True)
class Diagnostic:
    """An error (or `severity` warning, remark, note) with its place as people read it.

    `line` is the 1-based line in the input, None where the location does not lie in it.
    """

    severity: str
    where: str
    line: int | None
    message: str
    help: str = ""


class Collector:
    """Catches every diagnostic of a context from `attach` on; `source` is the name of the input file."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []

    def attach(self, context: ir.Context) -> None:
        """Route the diagnostics of `context` here instead of to stderr and into exceptions."""
        context.emit_error_diagnostics = True
        context.attach_diagnostic_handler(self._handle)

    def add_failure(self, failure: PassFailure) -> None:
        """Take up the failure of a pass as an error at its location."""
        self._add("error", failure.location, failure.message, failure.help)

    def add_remark(self, remark: Remark) -> None:
        """Take up what a pass remarks, with the name of the pass before it."""
        self._add("remark", remark.location, f"[{remark.pass_name}] {remark.message}")

    @property
    def remarks(self) -> list[Diagnostic]:
        """The remarks among the diagnostics, in the order in which they came."""
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "remark"]

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors among the diagnostics, in the order in which they came."""
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error"]

    def _handle(self, diagnostic: Any) -> bool:
        self._add(diagnostic.severity.name.lower(), diagnostic.location, _message(diagnostic))
        for note in diagnostic.notes:
            self._add("note", note.location, _message(note))
        return True

    def _add(self, severity: str, location: ir.Location, message: str, help: str = "") -> None:
        try:
            found, where = position(location), describe(location)
        except _NO_TEXT:
            found, where = None, ""
        line = found[1] if found is not None and found[0] in ("-", self.source) else None
        if line is not None:
            where = where.replace("-:", f"{self.source}:", 1)
        self.diagnostics.append(Diagnostic(severity, where or self.source, line, message.partition("\n")[0], help))


#: What the bindings raise for bytes that are no UTF-8, such as names in damaged bytecode.
_NO_TEXT = (RuntimeError, UnicodeDecodeError)


def _message(diagnostic: Any) -> str:
    try:
        return str(diagnostic.message)
    except _NO_TEXT:
        return "is damaged: it holds names that are no UTF-8 text"


@dataclass
class Expectation:
    """An annotation `// expected-error @+1 {{text}}` on line `written`, about `line` (None: `@unknown`)."""

    severity: str
    line: int | None
    written: int
    pattern: re.Pattern[str]
    text: str
    seen: bool = False


_ANNOTATION = re.compile(
    r"expected-(?P<severity>error|warning|remark|note)(?P<regex>-re)?\s*"
    r"(?:@(?P<place>[+-]\d+|above|below|unknown))?\s*\{\{(?P<text>.*?)\}\}(?!\})(?=\s*(?:$|//|expected-))"
)


def expectations(text: str) -> list[Expectation]:
    """The annotations in `text`, in order.

    `@+N` and `@-N` count from the annotation's own line; `@below` and `@above` are the next line after, and the last
    line before, that holds no annotation; without a place it is the annotation's own line. In `expected-error-re` a
    part in inner braces is a regular expression: `{{has {{[0-9]+}} results}}`.
    """
    lines = text.split("\n")
    annotated = [_ANNOTATION.search(line) is not None for line in lines]
    found = []
    for index, line in enumerate(lines):
        for match in _ANNOTATION.finditer(line):
            place = match["place"] or "+0"
            if place == "unknown":
                target = None
            elif place in ("above", "below"):
                step = 1 if place == "below" else -1
                at = index + step
                while 0 <= at < len(lines) and annotated[at]:
                    at += step
                target = at + 1
            else:
                target = index + 1 + int(place)
            pattern = _pattern(match["text"], bool(match["regex"]))
            found.append(Expectation(match["severity"], target, index + 1, pattern, match["text"]))
    return found


def compare(source: str, expected: list[Expectation], diagnostics: list[Diagnostic]) -> list[str]:
    """What is wrong, a line each: diagnostics nobody expects, expectations nothing fulfils. Other notes are ignored."""
    problems = []
    for diagnostic in diagnostics:
        for expectation in expected:
            same_place = (expectation.severity, expectation.line) == (diagnostic.severity, diagnostic.line)
            if same_place and not expectation.seen and expectation.pattern.search(diagnostic.message):
                expectation.seen = True
                break
        else:
            if diagnostic.severity != "note":
                problems.append(f"{diagnostic.where}: unexpected {diagnostic.severity}: {diagnostic.message}")
    problems += [
        f'{source}:{expectation.written}: expected {expectation.severity} "{expectation.text}" was not produced'
        for expectation in expected
        if not expectation.seen
    ]
    return problems


def _pattern(text: str, is_regex: bool) -> re.Pattern[str]:
    if not is_regex:
        return re.compile(re.escape(text))
    parts = re.split(r"\{\{(.*?)\}\}", text)
    return re.compile("".join(part if index % 2 else re.escape(part) for index, part in enumerate(parts)))
