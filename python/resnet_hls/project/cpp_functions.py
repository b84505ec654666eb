# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""C++ as `dataflow_rules` reads it: functions with their parameters and pragmas, by tree-sitter's grammar."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: What definitions may stand in.
_AROUND = {
    *("namespace_definition", "declaration_list", "template_declaration", "linkage_specification"),
    *("preproc_if", "preproc_ifdef", "preproc_else"),
}


@dataclass(frozen=True)
class Problem:
    """A rule that is broken: where, what, and what would do."""

    file: str
    line: int
    message: str
    help: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}: error: {self.message}"
        return f"{text}\nhelp: {self.help}" if self.help else text


class Source:
    """A parsed file. `problems` are where it is not C++ as the grammar knows it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.root = _parser().parse(text.encode()).root_node
        self.problems = []
        if self.root.has_error:
            self.problems.append(problem(self, _first_error(self.root), "cannot be read as C++"))

    def walk(self, node: Any) -> Iterator[Any]:
        """All named nodes below one, parents first."""
        pending = node.named_children[::-1]
        while pending:  # and not by recursion: a chain of additions is as deep as it is long
            child = pending.pop()
            yield child
            pending += child.named_children[::-1]

    def outermost(self, node: Any) -> Iterator[Any]:
        """What stands outside of functions: definitions and declarations, those in namespaces, too."""
        for child in node.named_children:
            yield child
            if child.type in _AROUND:
                yield from self.outermost(child)

    def above(self, node: Any, end: Any) -> Iterator[Any]:
        """The nodes around one, up to `end`."""
        while (node := node.parent) is not None and node != end:
            yield node


@dataclass(frozen=True)
class Parameter:
    """Of a function: `type` is without the reference of a stream, which `is_stream` tells."""

    name: str
    type: str
    is_stream: bool
    node: Any


@dataclass(frozen=True)
class Function:
    """A definition."""

    source: Source
    node: Any
    name: str
    returns: str
    parameters: tuple[Parameter, ...]

    @property
    def body(self) -> Any:
        return self.node.child_by_field_name("body")

    @functools.cached_property
    def pragmas(self) -> list[list[str]]:
        """The words behind each `#pragma HLS` in it."""
        found = []
        for node in self.source.walk(self.body):
            if node.type == "preproc_call":
                words = re.sub(r"\s*=\s*", "=", text_of(node)).split()
                if words[:2] == ["#pragma", "HLS"] and len(words) > 2:
                    found.append(words[2:])
        return found

    @functools.cached_property
    def calls(self) -> list[Any]:
        """The calls in it."""
        return [node for node in self.source.walk(self.body) if node.type == "call_expression"]

    def uses(
        self, stream: str, by_name: Mapping[str, Function], seen: frozenset[tuple[str, str]] = frozenset()
    ) -> set[str]:
        """What is done with one of its streams: `read`, `write`, by itself or by functions that it passes it to.

        `seen` are the functions and streams that have been asked on the way, which a recursion comes back to.
        """
        if (self.name, stream) in seen:
            return set()
        seen |= {(self.name, stream)}
        found = set()
        for node in self.calls:
            called = node.child_by_field_name("function")
            if called.type == "field_expression":
                if text_of(called.child_by_field_name("argument")) == stream:
                    method = text_of(called.child_by_field_name("field"))
                    found.add({"read": "read", "write": "write"}.get(method, "ask"))
                continue
            arguments = [text_of(a) for a in node.child_by_field_name("arguments").named_children]
            other = by_name.get(text_of(called).split("<")[0].split("::")[-1])
            if stream in arguments and other is not None and len(other.parameters) == len(arguments):
                found |= other.uses(other.parameters[arguments.index(stream)].name, by_name, seen)
        return found - {"ask"}


def functions(source: Source) -> Iterator[Function]:
    """The definitions of a file."""
    for node in source.outermost(source.root):
        if node.type != "function_definition" or node.child_by_field_name("body") is None:
            continue
        declarator = node.child_by_field_name("declarator")
        if declarator is None or declarator.type != "function_declarator":
            continue
        kind = node.child_by_field_name("type")
        name = text_of(declarator.child_by_field_name("declarator"))
        parameters = declarator.child_by_field_name("parameters").named_children
        found = tuple(_parameter(p) for p in parameters if p.type == "parameter_declaration")
        yield Function(source, node, name, text_of(kind) if kind is not None else "", found)


def _parameter(node: Any) -> Parameter:
    kind = " ".join(text_of(c) for c in node.named_children[:-1])
    declarator = node.child_by_field_name("declarator")
    if declarator is None:
        return Parameter("", text_of(node), False, node)
    name = text_of(declarator).lstrip("&* ").split("[")[0]
    stream = kind.startswith("hls::stream<") and declarator.type == "reference_declarator"
    shared = declarator.type != "identifier" and not stream
    return Parameter(name, text_of(node) if shared else kind, stream, node)


def text_of(node: Any) -> str:
    """The text of a node, white space as single spaces."""
    return " ".join(node.text.decode().split())


def problem(source: Source, node: Any, message: str, help: str = "") -> Problem:
    """A problem at a node."""
    return Problem(source.name, node.start_point[0] + 1, message, help)


def _first_error(node: Any) -> Any:
    """The innermost node around what the grammar doesn't know."""
    inner = next((child for child in node.children if child.has_error or child.is_missing), None)
    return node if inner is None or node.type == "ERROR" else _first_error(inner)


@functools.cache
def _parser() -> Any:
    import tree_sitter_cpp  # only where C++ is emitted
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_cpp.language()))
