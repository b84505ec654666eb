# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Two builds beside each other: what is faster, what takes more, which tasks and streams have changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from resnet_hls.report.advice import LABELS, Report

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Figures of a report by key: what they are called, and whether more (1) or less (-1) is better.
_FIGURES = {
    "clock_mhz": ("clock, MHz", 0),
    "fps": ("frames/s", 1),
    "initiation_interval_cycles": ("interval, cycles", -1),
    "latency_cycles": ("latency, cycles", -1),
    "latency_ms": ("latency, ms", -1),
    "macs_per_frame": ("multiply-accumulates a frame", 0),
    **{f"resources.{kind}": (label, -1) for kind, label in LABELS.items()},
    "skip_buffer_bytes": ("skips, bytes", -1),
    "line_buffer_bytes": ("line buffers, bytes", -1),
    "fifo_bytes": ("FIFOs, bytes", -1),
    "fifo_built_bytes": ("FIFOs as built, bytes", -1),
    "weight_bytes": ("weights, bytes", -1),
    "load_bytes": ("weights loaded at start, bytes", -1),
}
#: What is compared of a task and of a stream.
_OF_TASK = ("cycles", "stall_cycles", *LABELS, "unroll", "pipeline_depth", "line_buffer_bytes")
_OF_STREAM = ("width_bits", "depth", "peak", "storage")


def compare(before: Report, after: Report) -> dict[str, Any]:
    """What differs between two reports; `json` can write it.

    Returns:
        `from` and `to`: model, board, what limits the rate. `figures`: key, name, values, change in percent (null where
        there is none). `tasks` and `streams`: those that differ, with what differs, or the side that alone has them;
        `same_tasks` and `same_streams` count the others.
    """
    rows = []
    for key, (name, _) in _FIGURES.items():
        old, new = _figure(before, key), _figure(after, key)
        if old is not None or new is not None:
            rows.append({"key": key, "name": name, "from": old, "to": new, "change_percent": _change(old, new)})
    tasks, same_tasks = _differences(before["per_task"], after["per_task"], _OF_TASK)
    streams, same_streams = _differences(before["streams"], after["streams"], _OF_STREAM)
    return {
        "from": _told(before),
        "to": _told(after),
        "figures": rows,
        "tasks": tasks,
        "same_tasks": same_tasks,
        "streams": streams,
        "same_streams": same_streams,
    }


def _told(report: Report) -> dict[str, Any]:
    return {key: report[key] for key in ("model", "board", "part", "clock_mhz", "fps_limited_by", "limits")}


def _figure(report: Report, key: str) -> float | None:
    if key == "latency_ms":
        return round(float(report["latency_cycles"] / report["clock_mhz"] / 1000), 6)
    if key.startswith("resources."):
        used = report["resources"][key.partition(".")[2]]["used"]
        return None if used is None else float(used)
    value = report.get(key)
    return None if value is None else float(value)


def _change(old: float | None, new: float | None) -> float | None:
    return None if old is None or new is None or old == 0 else round(100 * (new - old) / old, 2)


def _differences(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], keys: Sequence[str]
) -> tuple[list[dict[str, Any]], int]:
    """Rows of both by name, in the order of the second, those that are gone behind; and how many are the same."""
    old, new = ({row["name"]: row for row in rows} for rows in (before, after))
    found = []
    for name, row in new.items():
        if name not in old:
            found.append({"name": name, "only_in": "to", "changed": {}})
            continue
        changed = {key: [old[name].get(key), row.get(key)] for key in keys if old[name].get(key) != row.get(key)}
        if changed:
            found.append({"name": name, "only_in": None, "changed": changed})
    same = len(new) - len(found)
    return [*found, *({"name": name, "only_in": "from", "changed": {}} for name in old if name not in new)], same


def render(comparison: Mapping[str, Any], console: Console) -> None:
    """Print what differs."""
    for side, mark in (("from", "A"), ("to", "B")):
        one = comparison[side]
        line = (
            f"{mark}: {one['model']} for {one['board']}, {one['clock_mhz']:g} MHz, limited by {one['fps_limited_by']}"
        )
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    if comparison["from"]["model"] != comparison["to"]["model"]:
        console.print("note: these are two networks", highlight=False)
    console.print(_figure_table(comparison))
    for what in ("tasks", "streams"):
        rows, same = comparison[what], comparison[f"same_{what}"]
        if rows:
            console.print(_difference_table(rows, what, same))
        else:
            console.print(f"{what.capitalize()}: all {same} are the same", highlight=False)


def _figure_table(comparison: Mapping[str, Any]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("", title="Figures")
    for heading in ("A", "B", "change"):
        table.add_column(heading, justify="right")
    for row in comparison["figures"]:
        old, new, change = row["from"], row["to"], row["change_percent"]
        better = _FIGURES[row["key"]][1]
        if not old and not new:
            continue
        style = "" if not change or not better else "green" if change * better > 0 else "red"
        told = "" if old == new else "new" if change is None else f"{change:+.1f} %"
        table.add_row(row["name"], _number(old), _number(new), Text(told, style))
    return table


def _difference_table(rows: Sequence[Mapping[str, Any]], what: str, same: int) -> Table:
    from rich.table import Table

    keys = _OF_TASK if what == "tasks" else _OF_STREAM
    shown = [key for key in keys if any(key in row["changed"] for row in rows)]
    names = {**LABELS, "stall_cycles": "waits", "pipeline_depth": "stages", "line_buffer_bytes": "line buffer"}
    names |= {"width_bits": "bits", "unroll": "lanes", "storage": "built of"}
    table = Table(title=f"{what.capitalize()} that differ, A → B ({same} are the same)")
    table.add_column(what[:-1], overflow="fold", min_width=28)
    for key in shown:
        table.add_column(names.get(key, key), justify="left" if key in ("unroll", "storage") else "right")
    for row in rows:
        if row["only_in"]:
            told = f"only in {'B' if row['only_in'] == 'to' else 'A'}"
            table.add_row(row["name"], *([told] + [""] * (len(shown) - 1) if shown else []))
        else:
            table.add_row(row["name"], *(_pair(key, row["changed"].get(key)) for key in shown))
    return table


def _pair(key: str, values: Sequence[Any] | None) -> str:
    if values is None:
        return ""
    if key == "unroll":
        old, new = (value or {} for value in values)
        changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return ", ".join(f"{name} {old.get(name, 1)} → {new.get(name, 1)}" for name in changed)
    return " → ".join(_number(value) for value in values)


def _number(value: Any) -> str:
    if value is None:
        return "?"
    if isinstance(value, int | float):
        return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1 else f"{value:,.1f}".removesuffix(".0")
    return str(value)
