# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls report`: the figures of a project, beside others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from resnet_hls.cli._common import Project, console, short
from resnet_hls.errors import UserError


def report(
    project: Project,
    json: Annotated[bool, typer.Option("--json", help="print report.json, or the comparison")] = False,
    imported: Annotated[
        Path | None,
        typer.Option(
            "--import", metavar="FILE", help="compare with csynth.xml of Vitis HLS, or a utilization report of Vivado"
        ),
    ] = None,
    refit: Annotated[
        Path | None, typer.Option(metavar="TOML", help="add what --import says to a file for build --resource-factors")
    ] = None,
) -> int:
    """Print the figures of a project: rate, tasks, streams, memories; or compare them with real ones."""
    from resnet_hls.report import text

    content = text.read(project)
    if imported is not None:
        return _compare(content, imported, refit, json)
    if refit is not None:
        raise UserError("--refit without --import", help="name the report of a tool with --import", status=2)
    if json:
        sys.stdout.write((project / "report.json").read_text(encoding="utf-8"))
        return 0
    text.render(content, console())
    return 0


def _compare(content: dict[str, Any], imported: Path, refit: Path | None, json: bool) -> int:
    """Print a project's figures beside those that a tool gives, and learn from them where that is asked for."""
    from resnet_hls.project.writer import as_json
    from resnet_hls.report import comparison

    found = comparison.read(imported, content)
    factors = None if refit is None else comparison.add(refit, content, found)
    if json:
        print(as_json(found), end="")
        return 0
    comparison.render(found, console())
    for family, scale in (factors or {}).items():
        print(f"{family}: real = " + ", ".join(f"{factor:g} x {kind}" for kind, factor in scale.items()))
    if refit is not None:
        print(f"report: wrote {short(refit)}; build --resource-factors takes it")
    return 0
