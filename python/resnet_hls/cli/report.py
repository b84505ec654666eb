# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls report`: the figures of a project, beside others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from resnet_hls.cli._common import Project, console


def report(
    project: Project,
    other: Annotated[
        Path | None, typer.Argument(metavar="OTHER", help="a second project: tell what differs from DIR to it")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print report.json, or the comparison")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="write the page again, with what verify and --import have brought"),
    ] = None,
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
    """Print the figures of a project: rate, tasks, streams, memories; or beside those of another one, or real ones."""
    from resnet_hls.report import command

    return command.run(command.Request(project, other, json, html, imported, refit), console())
