# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the commands share: arguments, and how things are printed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

TOOL = "resnet-hls"

Model = Annotated[str, typer.Argument(help="a bundled network, a .onnx file, what train wrote, or module.py:factory")]
Project = Annotated[Path, typer.Argument(metavar="DIR", help="a folder that build wrote")]


def short(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)


def console() -> Any:
    """Standard output for tables, wide enough for them where it is no terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=160)
