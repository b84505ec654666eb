# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Damages real files: bytes, the words of texts, the values of JSON, the parts of ONNX models."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Sequence
from typing import Any

#: Numbers at which code breaks.
EDGES = (0, 1, -1, 2, 3, 7, 8, 16, 31, 32, 63, 64, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, -(2**31), 2**31, 2**32,
         2**63 - 1, -(2**63), 2**63, 2**64, 10**30)  # fmt: skip
FLOATS = ("0.0", "-0.0", "1.0", "-1.0", "1.0e-45", "1e38", "1e400", "nan", "inf", "-inf", "0.1", "3.0")
#: Texts that have another meaning somewhere on their way.
HOSTILE = (
    "", " ", "..", "../../x", "/etc/passwd", "a\nb", "a\r\nb", "a\0b", "*/ int evil; /*", "// \\", "a\\", "??/",
    "\u202ecipher", "'; $(touch x)", "[exec touch x]", "<script>alert(1)</script>", "${HOME}", "{{7*7}}", "%s%n",
    "\U0001f600", "x" * 5000, "main", "int", "std", "__init__", "tasks", "CON", "-rf", "#include \"x\"", "\ud7ff",
    "e\u0301", "0day", "\x1b[2Jgone", "a\u2028b",
)  # fmt: skip
_WORDS = (
    *FLOATS, *"(){}<>[],=?-", '"', "\0", "\xff", "i0", "i1", "i16777216", "f32", "index", "memref<*xf32>", "dense<",
    "loc(unknown)",
)  # fmt: skip
_TOKEN = re.compile(
    r"\s+|[%@#!^]?[A-Za-z_$][\w$.]*|-?\d+\.\d+(?:[eE][+-]?\d+)?|-?\d+|\"(?:[^\"\\\n]|\\.)*\"|->|::|==|."
)


def damaged_bytes(numbers: random.Random, data: bytes, most: int = 6) -> bytes:
    """Some bytes other, away, twice, or the end cut off."""
    result = bytearray(data)
    for _ in range(numbers.randint(1, most)):
        if not result:
            break
        at = numbers.randrange(len(result))
        kind = numbers.randrange(8)
        if kind < 3:
            result[at] = numbers.randrange(256)
        elif kind == 3:
            result[at] ^= 1 << numbers.randrange(8)
        elif kind == 4:
            del result[at : at + numbers.randint(1, 16)]
        elif kind == 5:
            result[at:at] = result[at : at + numbers.randint(1, 64)]
        elif kind == 6:
            result[at : at + 4] = numbers.choice((0, 1, 2**31 - 1, 2**32 - 1)).to_bytes(4, "little")
        else:
            del result[at:]
    return bytes(result)


def damaged_text(numbers: random.Random, text: str, others: Sequence[str] = (), most: int = 4) -> str:
    """Some words of a text other, away, twice, in another order, or from one of `others`."""
    tokens = _TOKEN.findall(text)
    for _ in range(1 if numbers.random() < 0.6 else numbers.randint(2, most)):
        places = [index for index, token in enumerate(tokens) if not token.isspace()]
        if not places:
            break
        at = numbers.choice(places)
        kind = numbers.choice((0, 1, 2, 3, 3, 3, 4, 4, 5, 5, 5, 5, 6, 6, 7, 8, 9))
        if kind == 0:
            del tokens[at]
        elif kind == 1:
            tokens.insert(at, tokens[at])
        elif kind == 2:
            other = numbers.choice(places)
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif kind in (3, 4):
            alike = [i for i in places if _kind(tokens[i]) == _kind(tokens[at])]
            tokens[at] = tokens[numbers.choice(alike)]
        elif kind in (5, 6):
            digits = [i for i in places if re.fullmatch(r"-?\d+", tokens[i])]
            if digits:
                tokens[numbers.choice(digits)] = str(numbers.choice(EDGES))
        elif kind == 7:
            start, length = at, numbers.randint(1, 40)
            piece = tokens[start : start + length]
            if numbers.random() < 0.5:
                del tokens[start : start + length]
            else:
                where = numbers.choice(places)
                tokens[where:where] = piece
        elif kind == 8 and others:
            other_lines = numbers.choice(others).split("\n")
            start = numbers.randrange(len(other_lines))
            tokens[at:at] = ["\n", *other_lines[start : start + numbers.randint(1, 3)], "\n"]
        else:
            tokens[at] = numbers.choice(_WORDS)
    return "".join(tokens)


def _kind(token: str) -> str:
    return re.sub(r"\w+", "w", token) if not re.fullmatch(r"-?\d+", token) else "number"


def damaged_json(numbers: random.Random, content: Any, most: int = 3) -> Any:
    """Some values other, away or elsewhere; the top stays what it is."""
    content = copy.deepcopy(content)
    for _ in range(numbers.randint(1, most)):
        places = list(_places(content))
        if not places:
            break
        owner, key = numbers.choice(places)
        kind = numbers.randrange(7)
        if kind == 0:
            del owner[key]
        elif kind == 1:
            other, name = numbers.choice(places)
            owner[key] = copy.deepcopy(other[name])
        elif kind == 2:
            odd = (1.5, 10**30, 10**400, float("nan"), float("inf"), "[/x]", "\ud800", [[]], {"a": 1})
            owner[key] = numbers.choice((None, True, [], {}, "", 0, -1, *odd))
        elif kind == 3:
            owner[key] = numbers.choice(HOSTILE)
        elif kind == 4 and isinstance(owner, dict):
            owner[numbers.choice(HOSTILE)] = owner.pop(key)
        elif isinstance(owner[key], (int, float)):
            owner[key] = numbers.choice(EDGES)
        else:
            owner[key] = [owner[key]]
    return content


def _places(content: Any) -> Any:
    if isinstance(content, dict | list):
        for key, value in list(content.items() if isinstance(content, dict) else enumerate(content)):
            yield content, key
            yield from _places(value)
