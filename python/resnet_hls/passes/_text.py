# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pipeline text: `builtin.module(func.func(canonicalize,cse),hls-fuse-loops{max-depth=4})`. Text only, no IR.

element  := name [ "{" options "}" ] [ "(" [ element { "," element } ] ")" ]
options  := option { space option }        option := key [ "=" value ]
value    := characters without space or brace, "quoted", or { nested braces }
"""

import re
import types
import typing
from dataclasses import dataclass
from typing import Any, NoReturn

from resnet_hls.errors import UserError
from resnet_hls.passes._registry import Option

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_KEY = re.compile(r"[A-Za-z0-9_-]+")
_DEEPEST = 100


@dataclass(frozen=True)
class OptionText:
    """`key=value` at `column` (1-based) of the pipeline text; `value` is None for a bare key."""

    key: str
    value: str | None
    column: int


@dataclass(frozen=True)
class Element:
    """A pass, or, with `children`, an operation that the passes inside are run on; `column` is 1-based."""

    name: str
    column: int
    option_text: str = ""
    options: tuple[OptionText, ...] = ()
    children: "tuple[Element, ...] | None" = None


def fail(column: int, message: str, help: str = "") -> NoReturn:
    """Raise the UserError for what is wrong at `column` (1-based) of the pipeline text."""
    raise UserError(f"column {column}: {message}", where="pass pipeline", help=help)


def parse_pipeline(text: str) -> Element:
    """The element that `text` is; nothing may follow it.

    Raises:
        UserError: the text is malformed; the message says at which column.
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def whole(self) -> Element:
        element = self.element()
        self.skip_space()
        if self.at < len(self.text):
            extra = self.text[self.at]
            help = "there is a ')' too many" if extra == ")" else "a pipeline is one builtin.module(…)"
            fail(self.at + 1, f"unexpected '{extra}' after the end of the pipeline", help)
        return element

    def element(self) -> Element:
        self.skip_space()
        start = self.at
        match = _NAME.match(self.text, self.at)
        if match is None:
            found = f"'{self.text[self.at]}'" if self.at < len(self.text) else "the end of the text"
            fail(
                start + 1,
                f"expected the name of a pass or operation, found {found}",
                "write builtin.module(pass,pass,…)",
            )
        self.at = match.end()
        option_text, options = self.options()
        return Element(match.group(), start + 1, option_text, options, self.children())

    def children(self) -> tuple[Element, ...] | None:
        self.skip_space()
        if not self.text.startswith("(", self.at):
            return None
        opened = self.at
        self.at += 1
        self.skip_space()
        if self.text.startswith(")", self.at):
            self.at += 1
            return ()
        if self.depth == _DEEPEST:
            fail(opened + 1, f"more than {_DEEPEST} operations inside each other", "write builtin.module(pass,pass,…)")
        self.depth += 1
        children = [self.element()]
        while True:
            self.skip_space()
            if self.at >= len(self.text):
                fail(opened + 1, "'(' is never closed", "add the missing ')'")
            separator = self.text[self.at]
            if separator not in ",)":
                fail(self.at + 1, f"expected ',' or ')', found '{separator}'")
            self.at += 1
            if separator == ")":
                self.depth -= 1
                return tuple(children)
            children.append(self.element())

    def options(self) -> tuple[str, tuple[OptionText, ...]]:
        self.skip_space()
        if not self.text.startswith("{", self.at):
            return "", ()
        opened = self.at
        end = self.closing_brace()
        self.at += 1
        found: list[OptionText] = []
        while True:
            self.skip_space()
            if self.at >= end:
                break
            found.append(self.option(end))
        self.at = end + 1
        return self.text[opened : end + 1], tuple(found)

    def option(self, end: int) -> OptionText:
        match = _KEY.match(self.text, self.at)
        if match is None:
            fail(
                self.at + 1,
                f"expected the name of an option, found '{self.text[self.at]}'",
                "write {name=value name=value}",
            )
        column = self.at + 1
        self.at = match.end()
        if not self.text.startswith("=", self.at):
            return OptionText(match.group(), None, column)
        self.at += 1
        return OptionText(match.group(), self.value(end), column)

    def value(self, end: int) -> str:
        start = self.at
        quote = self.text[start]
        if quote in "\"'":
            close = self.text.find(quote, start + 1, end)
            self.at = close + 1
            return self.text[start + 1 : close]
        depth = 0
        while self.at < end and (depth or not self.text[self.at].isspace()):
            depth += {"{": 1, "}": -1}.get(self.text[self.at], 0)
            self.at += 1
        return self.text[start : self.at]

    def closing_brace(self) -> int:
        """The index of the brace that closes the one at `self.at`, quoted text skipped."""
        depth, index = 0, self.at
        while index < len(self.text):
            character = self.text[index]
            if character in "\"'":
                close = self.text.find(character, index + 1)
                if close < 0:
                    fail(index + 1, f"the quote {character} is never closed")
                index = close
            depth += {"{": 1, "}": -1}.get(character, 0)
            if depth == 0:
                return index
            index += 1
        fail(self.at + 1, "'{' is never closed", "add the missing '}'")

    def skip_space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1


def convert(text: OptionText, option: Option) -> Any:
    """The value of an option of one of our passes as its type asks.

    Raises:
        UserError: the text is no such value.
    """
    try:
        return _convert(text.value, option.type)
    except ValueError:
        given = "nothing" if text.value is None else f"'{text.value}'"
        fail(text.column, f"option '{option.name}' takes {option.type_text}, not {given}")


def _convert(text: str | None, kind: Any) -> Any:
    arguments = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if kind is bool:
        if text not in (None, "true", "false", "1", "0"):
            raise ValueError(text)
        return text in (None, "true", "1")
    if text is None:
        raise ValueError(text)
    if origin is tuple:
        inside = text[1:-1] if text.startswith("{") else text
        return tuple(_convert(part.strip(), arguments[0]) for part in inside.split(",")) if inside else ()
    if origin is typing.Literal:
        if text not in arguments:
            raise ValueError(text)
        return text
    if origin in (typing.Union, types.UnionType):
        return _convert(text, next(argument for argument in arguments if argument is not type(None)))
    return kind(text)
