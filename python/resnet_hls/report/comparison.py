# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Modelled beside real: a project's report and what the vendor's tools say of the same design."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_hls.boards import RESOURCES
from resnet_hls.errors import UserError
from resnet_hls.report import calibration, imported
from resnet_hls.report.advice import LABELS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from resnet_hls.report.advice import Report
    from resnet_hls.report.imported import Imported


def compare(report: Report, found: Imported) -> dict[str, Any]:
    """What the model says and what a tool does, in all and of each task that the tool knows; `json` can write it."""
    totals = {kind: float(report["resources"][kind]["used"]) for kind in RESOURCES}
    tasks = [
        {"name": row["name"], **_pairs({kind: float(row[kind]) for kind in RESOURCES}, found.modules[row["name"]])}
        for row in report["per_task"]
        if row["name"] in found.modules
    ]
    return {
        "model": report["model"],
        "board": report["board"],
        "source": found.source,
        "part": found.part,
        "whole_design": found.whole_design and found.top != report["model"],
        "resources": _pairs(totals, found.total),
        "per_task": tasks,
    }


def _pairs(modelled: dict[str, float], real: dict[str, float]) -> dict[str, Any]:
    return {
        kind: {
            "modelled": amount,
            "real": real[kind],
            "real_by_modelled": round(real[kind] / amount, 4) if amount else None,
        }
        for kind, amount in modelled.items()
        if kind in real
    }


def check(report: Report, found: Imported, where: Path) -> None:
    """That a report is of this design and device.

    Raises:
        UserError: it names another top function or another device.
    """
    if found.top and not found.whole_design and found.top != report["model"]:
        message = f"a report of '{found.top}'; the project is '{report['model']}'"
        raise UserError(message, where=str(where), help="name the report of this project")
    if found.part and _device(found.part) not in _device(report["part"]):
        message = f"a report for {found.part}; the project is for {report['part']}"
        raise UserError(message, where=str(where), help="build the project for the board that was synthesized for")


def _device(part: str) -> str:
    """A part as tools write it in different ways: `xck26-sfvc784-2LV-c`, `xck26sfvc784-2LV-c`, without the grade."""
    return part.lower().replace("-", "").replace("_", "")


def add(path: Path, report: Report, comparison: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Add the design to a calibration file; the factors of each family.

    Raises:
        UserError: figures of a whole design, which are not the accelerator's; or the file is wrong.
    """
    if comparison["whole_design"]:
        help = "synthesize the accelerator alone, or give the text of report_utilization -hierarchical"
        raise UserError("figures of a whole design, the shell included", where=comparison["source"], help=help)
    amounts = {
        side: {kind: pair[side] for kind, pair in comparison["resources"].items()} for side in ("modelled", "real")
    }
    texts = {key: report[key] for key in ("model", "board", "family")}
    return calibration.refit(path, {**texts, "source": comparison["source"], **amounts})


def render(comparison: dict[str, Any], console: Console) -> None:
    """Print the totals, and the tasks where the report tells them."""
    said = f", {comparison['part']}" if comparison["part"] else ""
    console.print(f"{comparison['model']}: real is of {comparison['source']}{said}", highlight=False, soft_wrap=True)
    console.print(_total_table(comparison))
    if comparison["whole_design"]:
        console.print(
            "note: real is of a whole design, the shell around the accelerator included; "
            "report_utilization -hierarchical tells the accelerator's own",
            soft_wrap=True,
            highlight=False,
        )
    if comparison["per_task"]:
        console.print(_task_table(comparison))


def _total_table(comparison: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("resource")
    for heading in ("modelled", "real", "real / modelled"):
        table.add_column(heading, justify="right")
    for kind, pair in comparison["resources"].items():
        table.add_row(LABELS[kind], _amount(pair["modelled"]), _amount(pair["real"]), _ratio(pair))
    return table


def _task_table(comparison: dict[str, Any]) -> Table:
    from rich.table import Table

    rows = comparison["per_task"]
    kinds = [k for k in RESOURCES if any(row.get(k) and (row[k]["real"] or row[k]["modelled"]) for row in rows)]
    table = Table("task", title="Tasks: modelled, real, real / modelled")
    for kind in kinds:
        for heading in (LABELS[kind], "real", ""):
            table.add_column(heading, justify="right")
    for row in rows:
        cells = []
        for kind in kinds:
            pair = row.get(kind)
            cells += [_amount(pair["modelled"]), _amount(pair["real"]), _ratio(pair)] if pair else ["", "", ""]
        table.add_row(row["name"], *cells)
    return table


def _amount(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def _ratio(pair: dict[str, Any]) -> str:
    ratio = pair["real_by_modelled"]
    return f"{ratio:.2f}" if ratio is not None else ""


def read(path: Path, report: Report) -> dict[str, Any]:
    """The comparison of a project's report with a file.

    Raises:
        UserError: the file is no report, or one of another design or device.
    """
    found = imported.read(path, report["model"])
    check(report, found, path)
    return compare(report, found)
