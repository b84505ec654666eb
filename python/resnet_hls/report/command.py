# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls report`: from what a user asks to tables, JSON, a page."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_hls.errors import UserError
from resnet_hls.files import replace_file
from resnet_hls.report import builds, comparison, page, text, verified

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Request:
    """What a user asks for: see `resnet-hls report --help`."""

    project: Path
    other: Path | None = None
    json: bool = False
    html: Path | None = None
    imported: Path | None = None
    refit: Path | None = None


def run(request: Request, console: Console) -> int:
    """Read, write, print; the exit status.

    Raises:
        UserError: options that do not go together, no project, a damaged file, or a page that cannot be written.
    """
    if request.refit is not None and request.imported is None:
        raise UserError("--refit without --import", help="name the report of a tool with --import", status=2)
    if request.other is not None and (request.imported or request.html):
        option = "--import" if request.imported else "--html"
        raise UserError(f"{option} with two projects", help=f"give {option} for one of them", status=2)
    if request.html is not None and request.json:
        raise UserError("--html with --json", help="ask for one of them", status=2)
    report = text.read(request.project)
    if request.other is not None:
        found = builds.compare(report, text.read(request.other))
        _print_json(found) if request.json else builds.render(found, console)
        return 0
    compared = None if request.imported is None else comparison.read(request.imported, report)
    factors = None if request.refit is None or compared is None else comparison.add(request.refit, report, compared)
    if request.html is not None:
        _write_page(request, report, compared)
    elif request.json and compared is None:
        sys.stdout.write((request.project / "report.json").read_text(encoding="utf-8"))
    elif compared is None:
        text.render(report, console, verified.read(request.project))
    elif request.json:
        _print_json(compared)
    else:
        comparison.render(compared, console)
    if request.json:
        return 0
    for family, scale in (factors or {}).items():
        print(f"{family}: real = " + ", ".join(f"{factor:g} x {kind}" for kind, factor in scale.items()))
    if request.refit is not None:
        print(f"report: wrote {request.refit}; build --resource-factors takes it")
    return 0


def _print_json(content: Mapping[str, Any]) -> None:
    from resnet_hls.project.writer import as_json

    print(as_json(dict(content)), end="")


def _write_page(request: Request, report: dict[str, Any], compared: Mapping[str, Any] | None) -> None:
    target = request.html
    assert target is not None
    content = page.render(page.read(request.project, report, compared))
    try:
        replace_file(target, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot be written: {reason}", where=str(target), help="choose another path") from None
    print(f"report: wrote {target}")
