# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads what the vendor's tools say that a design takes: `csynth.xml` of Vitis HLS, utilization reports of Vivado.

Three forms, told apart by their content:

* `csynth.xml`: the estimate of Vitis HLS for the top function and for each function below it.
* `report_utilization`: counts of a whole Vivado design, which is the accelerator only if it was synthesized alone.
* `report_utilization -hierarchical`: counts of every instance; the accelerator's row, and those of its tasks.

Versions differ in what rows and columns are called, so each figure has a set of names. Nothing here depends on MLIR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from resnet_hls.boards import RESOURCES
from resnet_hls.errors import UserError
from resnet_hls.project.tools import cell_module

Amounts = dict[str, float]

_HELP = (
    "give the csynth.xml of Vitis HLS (solution/syn/report), or a text file of Vivado's report_utilization, best with "
    "-hierarchical"
)
#: Elements of csynth.xml, and how many of a resource one of them is.
_XML = {
    "BRAM_18K": ("bram36", 0.5),
    "DSP": ("dsp", 1.0),
    "DSP48E": ("dsp", 1.0),
    "FF": ("ff", 1.0),
    "LUT": ("lut", 1.0),
    "URAM": ("uram", 1.0),
}
#: Rows of Vivado's tables of sites.
_SITES = {
    "CLB LUTs": "lut",
    "Slice LUTs": "lut",
    "CLB Registers": "ff",
    "Slice Registers": "ff",
    "Block RAM Tile": "bram36",
    "URAM": "uram",
    "DSPs": "dsp",
    "DSP Slices": "dsp",
}
#: Columns of Vivado's hierarchical table.
_COLUMNS = {
    "Total LUTs": ("lut", 1.0),
    "FFs": ("ff", 1.0),
    "RAMB36": ("bram36", 1.0),
    "RAMB18": ("bram36", 0.5),
    "URAM": ("uram", 1.0),
    "DSP Blocks": ("dsp", 1.0),
    "DSP48 Blocks": ("dsp", 1.0),
    "DSPs": ("dsp", 1.0),
}


@dataclass(frozen=True)
class Imported:
    """What a tool says.

    Args:
        source: the tool and the kind of its report.
        part: the device as the tool names it; "" where it doesn't.
        top: the function or design that the total is of.
        total: of each resource; block RAMs of 36 Kib.
        modules: the same of parts of it, by the name that the emitted C++ gives them.
        whole_design: whether the total may be of more than the accelerator.
    """

    source: str
    part: str
    top: str
    total: Amounts
    modules: Mapping[str, Amounts] = field(default_factory=dict)
    whole_design: bool = False


def read(path: Path, top: str) -> Imported:
    """The report in a file.

    Args:
        path: of the file.
        top: the accelerator's top function, which a hierarchical report has among others.

    Raises:
        UserError: no such file, another kind of file, or a report without figures.
    """
    where = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=where, help=_HELP) from None
    except UnicodeDecodeError:
        raise UserError("is no text", where=where, help=_HELP) from None
    if text.lstrip().startswith("<"):
        return _csynth(text, where)
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if "|" in line]
    if any({"Instance", "Module"} <= set(row) for row in rows):
        return _hierarchical(text, rows, top, where)
    if any(row[0] == "Site Type" for row in rows):
        return _flat(text, rows, where)
    raise UserError("is no report of Vitis HLS or of Vivado's utilization", where=where, help=_HELP)


def _csynth(text: str, where: str) -> Imported:
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise UserError(f"is damaged: {error}", where=where, help=_HELP) from None
    if root.find("AreaEstimates/Resources") is None:
        raise UserError("has no AreaEstimates/Resources, as csynth.xml has", where=where, help=_HELP)
    modules = {}
    for module in root.findall("ModuleInformation/Module"):
        found = module.find("AreaEstimates/Resources")
        if found is not None:
            modules[module.findtext("Name", "")] = _amounts(found, where)
    version = root.findtext("ReportVersion/Version", "").strip()
    return Imported(
        f"Vitis HLS {version} estimate".replace("  ", " "),
        root.findtext("UserAssignments/Part", "").strip(),
        root.findtext("UserAssignments/TopModelName", "").strip(),
        _complete(_amounts(root.findall("AreaEstimates/Resources")[0], where), where),
        modules,
    )


def _amounts(resources: ElementTree.Element, where: str) -> Amounts:
    found: Amounts = {}
    for element in resources:
        if element.tag in _XML:
            kind, each = _XML[element.tag]
            found[kind] = found.get(kind, 0.0) + each * _number(element.text or "", element.tag, where)
    return found


def _flat(text: str, rows: list[list[str]], where: str) -> Imported:
    total: Amounts = {}
    used: int | None = None
    for row in rows:
        if row[0] == "Site Type":
            used = row.index("Used") if "Used" in row else None
        name = row[0].rstrip("*")
        # A table may be repeated, as by super logic region; the first is of the whole device.
        if used is not None and name in _SITES and len(row) > used and _SITES[name] not in total:
            total[_SITES[name]] = _number(row[used], name, where)
    return Imported(
        _vivado(text), _header(text, "Device"), _header(text, "Design"), _complete(total, where), whole_design=True
    )


def _hierarchical(text: str, rows: list[list[str]], top: str, where: str) -> Imported:
    start = next(number for number, row in enumerate(rows) if {"Instance", "Module"} <= set(row))
    heading = rows[start]
    modules: dict[str, Amounts] = {}
    total: Amounts | None = None
    for row in rows[start + 1 :]:
        if len(row) != len(heading):
            continue
        cells = dict(zip(heading, row, strict=True))
        if cells["Instance"].startswith("("):  # what an instance has besides those below it
            continue
        found: Amounts = {}
        for column, (kind, each) in _COLUMNS.items():
            if column in cells:
                found[kind] = found.get(kind, 0.0) + each * _number(cells[column], column, where)
        module = cells["Module"].removeprefix(f"{cell_module(top)}_")
        is_top = cells["Instance"] == top or module in {top, f"bd_0_{top}_0", cell_module(top)}
        if total is None and is_top:
            total = found
        for name in (module.removeprefix(f"{top}_"), re.sub(r"_U\d+$", "", cells["Instance"])):
            modules.setdefault(name, found)
    if total is None:
        help = f"name the report of a design that has '{top}' in it, or build the project again under the other name"
        raise UserError(f"has no row of '{top}'", where=where, help=help)
    return Imported(_vivado(text), _header(text, "Device"), top, _complete(total, where), modules)


def _vivado(text: str) -> str:
    version = re.search(r"Vivado v\.?([\w.]+)", text)
    state = _header(text, "Design State")
    return " ".join(["Vivado", *([version[1]] if version else []), "utilization", *([f"({state})"] if state else [])])


def _header(text: str, key: str) -> str:
    """A line `| Key : value` of the head of a report of Vivado; "" where there is none."""
    found = re.search(rf"^\|\s*{key}\s*:\s*(.*?)\s*\|?\s*$", text, re.MULTILINE)
    return found[1] if found else ""


def _number(text: str, what: str, where: str) -> float:
    try:
        return float(text.strip().lstrip("<~").replace(",", ""))
    except ValueError:
        raise UserError(f"'{what}' is '{text.strip()}', expected a number", where=where, help=_HELP) from None


def _complete(total: Amounts, where: str) -> Amounts:
    """All resources; devices and versions without UltraRAM say nothing of it."""
    missing: Iterable[str] = [kind for kind in RESOURCES if kind not in total and kind != "uram"]
    if missing := list(missing):
        raise UserError(f"tells nothing of {', '.join(missing)}", where=where, help=_HELP)
    return {kind: total.get(kind, 0.0) for kind in RESOURCES}
