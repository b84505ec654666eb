# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the commands share: arguments, and how things are printed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

TOOL = "resnet-hls"


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    """Of names those that begin as what was typed: what a shell completes."""
    return [name for name in names if name.startswith(incomplete)]


def models(incomplete: str) -> Iterable[str]:
    from resnet_hls.models import BUNDLED

    return _begun(BUNDLED, incomplete)


def _boards(incomplete: str) -> Iterable[str]:
    from resnet_hls import boards

    return _begun(boards.names(), incomplete)


def optional_passes(incomplete: str) -> Iterable[str]:
    """What --without can leave out."""
    from resnet_hls import pipelines

    return _begun(pipelines.optional_passes(), incomplete)


MODEL_HELP = "a bundled network, a .onnx file, what train wrote, or module.py:factory"
Model = Annotated[str, typer.Argument(help=MODEL_HELP, autocompletion=models)]
Board = Annotated[
    str, typer.Option(help="a name that `boards` lists, or the path of a .toml file", autocompletion=_boards)
]
Project = Annotated[Path, typer.Argument(metavar="DIR", help="a folder that build wrote")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="print nothing but what is wrong")]


def short(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)


def console() -> Any:
    """Standard output for tables, wide enough for them where it is no terminal. Brackets in names are no markup."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160, markup=False, emoji=False)
