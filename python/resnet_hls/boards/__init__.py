# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The boards: a TOML file each, in this folder or anywhere else. Data only; nothing in here depends on the compiler.

A board's file has these keys, all of them required:

| key | type | |
|---|---|---|
| `title` | text | what people call the board |
| `part` | text | the device, package, speed and temperature grade as Vivado names it |
| `clock_mhz` | number above 0 | clock of the accelerator in MHz, unless `--clock` says otherwise |
| `resources.dsp` | integer, 1 or more | DSP slices |
| `resources.lut` | integer, 1 or more | 6-input look-up tables |
| `resources.ff` | integer, 1 or more | flip-flops |
| `resources.bram36` | integer, 0 or more | block RAMs of 36 Kib |
| `resources.uram` | integer, 0 or more | UltraRAMs of 288 Kib |
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from resnet_hls.errors import UserError

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Resources:
    """What a device has: counts, see the module."""

    dsp: int
    lut: int
    ff: int
    bram36: int
    uram: int


@dataclass(frozen=True)
class Board:
    """A board; `name` is that of its file, the other fields are its keys (see the module)."""

    name: str
    title: str
    part: str
    clock_mhz: float
    resources: Resources


def names() -> list[str]:
    """The boards that come with the project, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name_or_path: str) -> Board:
    """A board by its name, or by the path of a `.toml` file.

    Raises:
        UserError: no such board or file, malformed TOML, or a key that is missing, unknown or of the wrong type.
    """
    if name_or_path in names():
        return _read(_FOLDER / f"{name_or_path}.toml", f"{name_or_path}.toml")
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        return _read(Path(name_or_path), name_or_path)
    close = difflib.get_close_matches(name_or_path.lower(), names(), n=1, cutoff=0.5)
    guess = f"did you mean '{close[0]}'? " if close else ""
    known = ", ".join(names())
    raise UserError(
        f"there is no board named '{name_or_path}'",
        help=f"{guess}the boards are {known}; a path of a .toml file of your own will do too",
        status=2,
    )


def _read(path: Path, where: str) -> Board:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError("there is no such file", where=where, help=f"check the path, or take {_names()}") from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=where, help="check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"is no TOML: {error}", where=where, help=f"kv260.toml in {_FOLDER} is an example") from None
    _check_keys(content, [field.name for field in fields(Board) if field.name != "name"], "", where)
    resources = content["resources"]
    if not isinstance(resources, dict):
        raise _wrong("resources", resources, "a table", where)
    _check_keys(resources, [field.name for field in fields(Resources)], "resources.", where)
    for key in ("title", "part"):
        if not isinstance(content[key], str) or not content[key].strip():
            raise _wrong(key, content[key], "a text that is not empty", where)
    clock = content["clock_mhz"]
    if isinstance(clock, bool) or not isinstance(clock, int | float) or not 0 < clock < 10_000:
        raise _wrong("clock_mhz", clock, "a number of MHz above 0", where)
    for key, value in resources.items():
        least = 0 if key in ("bram36", "uram") else 1
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise _wrong(f"resources.{key}", value, f"an integer of {least} or more", where)
    return Board(path.stem, content["title"], content["part"], float(clock), Resources(**resources))


def _check_keys(table: Mapping[str, Any], wanted: list[str], prefix: str, where: str) -> None:
    for key in table:
        if key not in wanted:
            close = difflib.get_close_matches(key, wanted, n=1)
            guess = f"did you mean '{prefix}{close[0]}'? " if close else ""
            keys = ", ".join(prefix + name for name in wanted)
            raise UserError(f"unknown key '{prefix}{key}'", where=where, help=f"{guess}the keys are {keys}")
    for key in wanted:
        if key not in table:
            raise UserError(f"the key '{prefix}{key}' is missing", where=where, help=f"add it; see {_names()}")


def _wrong(key: str, value: Any, wanted: str, where: str) -> UserError:
    return UserError(f"'{key}' is {value!r}, expected {wanted}", where=where, help=f"for examples see {_names()}")


def _names() -> str:
    return f"the boards {', '.join(names())}"
