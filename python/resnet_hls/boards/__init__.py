# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The boards: a TOML file each, in this folder or anywhere else. Data only; nothing in here depends on the compiler.

A board's file has these keys, all of them required but the table `platform`:

| key | type | |
|---|---|---|
| `title` | text | what people call the board |
| `part` | text | the device, package, speed and temperature grade as Vivado names it |
| `family` | `"ultrascale+"` or `"7series"` | decides the DSP slice: DSP48E2 multiplies 27 x 18 bits, DSP48E1 25 x 18 |
| `clock_mhz` | number above 0 | clock of the accelerator in MHz, unless `--clock` says otherwise |
| `resources.dsp` | integer, 1 or more | DSP slices |
| `resources.lut` | integer, 1 or more | 6-input look-up tables |
| `resources.ff` | integer, 1 or more | flip-flops |
| `resources.bram36` | integer, 0 or more | block RAMs of 36 Kib |
| `resources.uram` | integer, 0 or more | UltraRAMs of 288 Kib |
| `budget.dsp`, and so on | number above 0, at most 1 | share of each of the resources that an accelerator may take |
| `platform.board_part` | text | the board as Vivado names it, without the version of its files: vendor, name, `part0` |
| `platform.processing_system` | `"zynq_ultra_ps_e"` or `"processing_system7"` | the IP of its processors |

Without `platform` a project has no `vivado/`: there is nothing to connect the accelerator to.

What the budget leaves is for the shell around the accelerator (DMA, interconnect, clocks, resets) and for placement and
routing, which fail to meet the clock on a device that is full. `Board.usable` is what a design is made for.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from resnet_hls.errors import UserError

_FOLDER = Path(__file__).parent
#: Of a resource: more than any device has, few enough to be computed with.
_MOST = 1_000_000_000

#: Families of devices: their DSP slices differ.
FAMILIES = ("ultrascale+", "7series")
#: IPs that connect an accelerator to processors and memory, by family.
PROCESSING_SYSTEMS = {"zynq_ultra_ps_e": "ultrascale+", "processing_system7": "7series"}
# Names that stand in Tcl and in configuration files, where other characters have a meaning.
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
_BOARD_PART = re.compile(r"[A-Za-z0-9][\w.-]*:[A-Za-z0-9][\w.-]*:part0", re.ASCII)


@dataclass(frozen=True)
class Resources:
    """What a device has: counts, see the module."""

    dsp: int
    lut: int
    ff: int
    bram36: int
    uram: int


#: The resources by name, in the order in which they are told.
RESOURCES = tuple(field.name for field in fields(Resources))


@dataclass(frozen=True)
class Budget:
    """Shares of a device's resources, above 0 and at most 1, that an accelerator may take."""

    dsp: float
    lut: float
    ff: float
    bram36: float
    uram: float


@dataclass(frozen=True)
class Platform:
    """What is around the programmable logic of a board, see the module."""

    board_part: str
    processing_system: str


@dataclass(frozen=True)
class Board:
    """A board; `name` is that of its file, the other fields are its keys (see the module)."""

    name: str
    title: str
    part: str
    family: str
    clock_mhz: float
    resources: Resources
    budget: Budget
    platform: Platform | None = None

    @property
    def usable(self) -> Resources:
        """What an accelerator may take: the budget's share of each count, rounded down.

        The share is taken as the decimal that the file has: 0.9 of 140 is 126, whatever binary fractions make of it.
        """
        shares = {name: Fraction(repr(getattr(self.budget, name))) for name in RESOURCES}
        return Resources(**{name: int(share * getattr(self.resources, name)) for name, share in shares.items()})


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
    return parse(content, path.stem, where)


def parse(content: Mapping[str, Any], name: str, where: str) -> Board:
    """A board from the keys of its file.

    Args:
        content: see the module.
        name: of the board.
        where: it comes from, for messages.

    Raises:
        UserError: a key that is missing, unknown or of the wrong type.
    """
    _check_keys(content, [field.name for field in fields(Board) if field.name != "name"], "", where, ["platform"])
    for table, known in (("resources", Resources), ("budget", Budget)):
        if not isinstance(content[table], dict):
            raise _wrong(table, content[table], "a table", where)
        _check_keys(content[table], [field.name for field in fields(known)], f"{table}.", where)
    if not isinstance(content["title"], str) or not content["title"].strip():
        raise _wrong("title", content["title"], "a text that is not empty", where)
    if not content["title"].isprintable():
        raise _wrong("title", content["title"], "a text of one line", where)
    if not isinstance(content["part"], str) or not _PART.fullmatch(content["part"]):
        raise _wrong("part", content["part"], "a part as Vivado names it: letters, digits, - and _", where)
    if content["family"] not in FAMILIES:
        raise _wrong("family", content["family"], " or ".join(f"'{family}'" for family in FAMILIES), where)
    clock = content["clock_mhz"]
    if not _is_number(clock) or not 0 < clock < 10_000:
        raise _wrong("clock_mhz", clock, "a number of MHz above 0", where)
    for key, value in content["resources"].items():
        least = 0 if key in ("bram36", "uram") else 1
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
            raise _wrong(f"resources.{key}", value, f"an integer from {least} to {_MOST:,}", where)
    for key, value in content["budget"].items():
        if not _is_number(value) or not 0 < value <= 1:
            raise _wrong(f"budget.{key}", value, "a share above 0, 1 at most", where)
    return Board(
        name,
        content["title"],
        content["part"],
        content["family"],
        float(clock),
        Resources(**content["resources"]),
        Budget(**{key: float(value) for key, value in content["budget"].items()}),
        _platform(content["platform"], content["family"], where) if "platform" in content else None,
    )


def _platform(content: Any, family: str, where: str) -> Platform:
    if not isinstance(content, dict):
        raise _wrong("platform", content, "a table", where)
    _check_keys(content, [field.name for field in fields(Platform)], "platform.", where)
    board_part, system = content["board_part"], content["processing_system"]
    if not isinstance(board_part, str) or not _BOARD_PART.fullmatch(board_part):
        raise _wrong("platform.board_part", board_part, "a text such as 'xilinx.com:zcu104:part0'", where)
    systems = [name for name, of in PROCESSING_SYSTEMS.items() if of == family]
    if system not in systems:
        wanted = " or ".join(f"'{name}'" for name in systems)
        raise _wrong("platform.processing_system", system, f"{wanted}, which {family} devices have", where)
    return Platform(board_part, system)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_keys(
    table: Mapping[str, Any], wanted: list[str], prefix: str, where: str, optional: Sequence[str] = ()
) -> None:
    for key in table:
        if key not in wanted:
            close = difflib.get_close_matches(key, wanted, n=1)
            guess = f"did you mean '{prefix}{close[0]}'? " if close else ""
            keys = ", ".join(prefix + name for name in wanted)
            raise UserError(f"unknown key '{prefix}{key}'", where=where, help=f"{guess}the keys are {keys}")
    for key in wanted:
        if key not in table and key not in optional:
            raise UserError(f"the key '{prefix}{key}' is missing", where=where, help=f"add it; see {_names()}")


def _wrong(key: str, value: Any, wanted: str, where: str) -> UserError:
    return UserError(f"'{key}' is {value!r}, expected {wanted}", where=where, help=f"for examples see {_names()}")


def _names() -> str:
    return f"the boards {', '.join(names())}"
