# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`report.html`: one file without network requests, from what a project's folder holds.

Names of layers and of models are other people's text: everything goes through jinja2's escaping, and a content security
policy forbids the page to load anything, and to run any script but its own. The same project gives the same page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from resnet_hls import pipelines
from resnet_hls.errors import UserError
from resnet_hls.report import advice, excerpts, graph, roofline, verified
from resnet_hls.report.advice import LABELS, Report
from resnet_hls.report.excerpts import Excerpt

#: The files of a project that the page shows lines of.
SOURCES = ("src/tasks.cpp", f"ir/{pipelines.SCHEDULE.file}", f"ir/{pipelines.INTEGER.file}")
#: What the figures are, in words; docs/report.md says the same.
_HOW = {
    "counted": "read off the scheduled module: a fact about the design",
    "simulated": "cycles, by simulating the schedule with FIFOs of their depths; the depths of pipelines are modelled",
    "modelled": "computed from a model of the hardware; only the vendor's tools can confirm it",
    "measured": "on a board",
}
_KINDS = {"computes": "computes", "window": "window task", "width": "width converter"}
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Material:
    """What a page is made from.

    Args:
        report: the content of report.json.
        manifest: the content of manifest.json.
        texts: those of `SOURCES` that there are, by name.
        runs: what `verify` has found, as `resnet_hls.report.verified` has it.
        comparison: with what a vendor's tool says, as `resnet_hls.report.comparison` gives it.
    """

    report: Report
    manifest: Mapping[str, Any]
    texts: Mapping[str, str]
    runs: Sequence[Mapping[str, Any]] = ()
    comparison: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class TaskView:
    """A task as the page shows it.

    Args:
        row: of the report.
        kind: in words.
        busy, empty, full: shares of the interval, 0 to 1.
        blocker: whom it waits for.
        taken, given: rows of its streams.
        cpp, mlir: its lines.
        layers: that operations of it come from.
    """

    row: Mapping[str, Any]
    kind: str
    busy: float
    empty: float
    full: float
    blocker: advice.Blocker | None
    taken: Sequence[Mapping[str, Any]]
    given: Sequence[Mapping[str, Any]]
    cpp: Excerpt | None
    mlir: Excerpt | None
    layers: Sequence[str]


@dataclass
class LayerView:
    """A layer of the network, the tasks that it is in, and what the passes say about it."""

    name: str
    tasks: list[str] = field(default_factory=list)
    operations: list[Excerpt] = field(default_factory=list)
    remarks: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def kinds(self) -> str:
        """Its operations by name."""
        return ", ".join(dict.fromkeys(filter(None, map(excerpts.operation_name, self.operations))))


class _Page:
    """The figures of a page, in the order in which they are needed."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.report = material.report
        self.interval = material.report["initiation_interval_cycles"]
        self.anchors: dict[tuple[str, str], str] = {}

    def anchor(self, kind: str, name: str) -> str:
        """The name of a place in the page, unique and without letters that would need quoting."""
        key = (kind, name)
        if key not in self.anchors:
            wanted = f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)[:80]}"
            taken = {"cycles-h", *self.anchors.values()}
            found, number = wanted, 1
            while found in taken:
                number += 1
                found = f"{wanted}-{number}"
            self.anchors[key] = found
        return self.anchors[key]

    @cached_property
    def tasks(self) -> list[TaskView]:
        cpp_file, scheduled, _ = SOURCES
        texts = self.material.texts
        cpp = excerpts.functions(cpp_file, texts.get(cpp_file, ""))
        mlir = excerpts.task_operations(scheduled, texts.get(scheduled, ""))
        blockers = advice.blockers(self.report)
        found = []
        for row in self.report["per_task"]:
            name = row["name"]
            operation, layers = mlir.get(name, (None, ()))
            own = [row["layer"]] if row["layer"] else []
            empty, full = advice.waits(row)
            found.append(
                TaskView(
                    row,
                    _KINDS[advice.kind_of(self.report, name)],
                    row["cycles"] / self.interval,
                    empty / self.interval,
                    full / self.interval,
                    blockers.get(name),
                    [stream for stream in self.report["streams"] if stream["to"] == name],
                    [stream for stream in self.report["streams"] if stream["from"] == name],
                    cpp.get(name),
                    operation,
                    list(dict.fromkeys([*own, *layers])),
                )
            )
        return found

    @cached_property
    def layers(self) -> list[LayerView]:
        """In the order of the network."""
        file = SOURCES[2]
        operations = excerpts.layer_operations(file, self.material.texts.get(file, ""))
        found = {name: LayerView(name, operations=some) for name, some in operations.items()}
        for task in self.tasks:
            for name in task.layers:
                found.setdefault(name, LayerView(name)).tasks.append(task.row["name"])
        for remark in self.report["remarks"]:
            if (match := re.fullmatch(r"(?:.*: )?layer '(.*)'", remark["where"], re.DOTALL)) is not None:
                found.setdefault(match[1], LayerView(match[1])).remarks.append(remark)
        return list(found.values())

    @cached_property
    def remarks(self) -> list[Mapping[str, Any]]:
        """Those about no layer."""
        return [row for row in self.report["remarks"] if not re.search(r"layer '.*'$", row["where"], re.DOTALL)]

    def linked(self, text: str) -> Markup:
        """A sentence in which tasks are links, and what is in backticks is code."""
        parts = []
        for number, piece in enumerate(text.split("`")):
            if number % 2:
                parts.append(Markup("<code>{}</code>").format(piece))
                continue
            for word in re.split(r"([A-Za-z_]\w*)", piece):
                kind = "task" if word in self.names else "stream" if word in self.streams else ""
                link = Markup('<a href="#{}">{}</a>')
                parts.append(link.format(self.anchor(kind, word), word) if kind else Markup.escape(word))
        return Markup("").join(parts)

    @cached_property
    def names(self) -> set[str]:
        return {row["name"] for row in self.report["per_task"]}

    @cached_property
    def streams(self) -> set[str]:
        return {row["name"] for row in self.report["streams"]}

    @cached_property
    def maps(self) -> list[dict[str, Any]]:
        """Of each task that keeps rows: the bytes of its map, and of what it keeps."""
        return [
            {
                "name": task.row["name"],
                "whole": sum(s["words"] * s["width_bits"] for s in task.taken) // 8,
                "here": task.row["line_buffer_bytes"],
            }
            for task in self.tasks
            if task.row["line_buffer_bytes"]
        ]


def read(project: Path, report: Report, comparison: Mapping[str, Any] | None = None) -> Material:
    """What a project's folder holds for a page.

    Raises:
        UserError: the manifest is missing or damaged, or a file cannot be read.
    """

    def text(name: str) -> str:
        try:
            return (project / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            help = "name a folder that `resnet-hls build … -o DIR` wrote"
            raise UserError(f"cannot be read: {error}", where=str(project / name), help=help) from None

    try:
        manifest = dict(json.loads(text("manifest.json")))
        for key, kind in (("command", str), ("notes", list), ("versions", dict)):
            if not isinstance(manifest.get(key, kind()), kind):
                raise TypeError(f"'{key}' is of another kind")
    except (TypeError, ValueError, RecursionError) as error:
        where = str(project / "manifest.json")
        raise UserError(f"is damaged: {error}", where=where, help="build the project again") from None
    texts = {name: text(name) for name in SOURCES if (project / name).is_file()}
    return Material(report, manifest, texts, verified.read(project), comparison)


def render(material: Material) -> str:
    """The page."""
    import jinja2  # costs a tenth of a second that no other command should pay

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = _Page(material)
    style, script = (_TEMPLATES.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.filters |= {"percent": _percent, "linked": page.linked, "amount": _amount, "broken": _broken}
    return environment.get_template("page.html.j2").render(
        page=page,
        report=page.report,
        manifest=material.manifest,
        how=page.report["provenance"],
        how_words=_HOW,
        labels=LABELS,
        kinds=[kind for kind, entry in page.report["resources"].items() if entry["used"]],
        limits=advice.limits(page.report),
        changes=advice.changes(page.report),
        scarce=advice.scarce(page.report),
        busiest=advice.busiest(page.report),
        bounds=roofline.bounds(page.report),
        macs_a_cycle=roofline.macs_a_cycle(page.report),
        graph=graph.svg(page.report, page.anchor),
        roofline=roofline.svg(page.report),
        stream_bytes=advice.stream_bytes,
        runs=material.runs,
        comparison=material.comparison,
        style=Markup(style),
        script=Markup(script),
        script_digest=digest,
    )


def _amount(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def _broken(name: str) -> Markup:
    """A name that may be broken behind its underscores and slashes."""
    return Markup("<wbr>").join(re.findall(r"[^_/]*[_/]+|[^_/]+$", name))


def _percent(share: float) -> str:
    return advice.percent(share, 1)
