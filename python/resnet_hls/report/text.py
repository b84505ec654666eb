# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A report for people: a few lines, or tables with rich. Says of every figure how it was obtained."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_hls.errors import UserError
from resnet_hls.report import advice, form, verified
from resnet_hls.report.advice import LABELS, Report, percent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def read(project: Path) -> Report:
    """The report of a project.

    Raises:
        UserError: the folder holds no report, or a damaged one.
    """
    path = project / "report.json"
    help = "name a folder that `resnet-hls build … -o DIR` wrote"
    try:
        return form.check(json.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise UserError("no project: it has no report.json", where=str(project), help=help) from None
    except (ValueError, RecursionError) as error:
        told = f"damaged, or of another version: {error}"
        raise UserError(told, where=str(path), help="build the project again") from None


def lines(report: Report) -> list[str]:
    """The headline: rate, latency, resources, memory; one figure or family a line."""
    clock, interval, latency = report["clock_mhz"], report["initiation_interval_cycles"], report["latency_cycles"]
    how = report["provenance"]
    return [
        f"{report['model']} for {report['board']} ({report['part']}), {clock:g} MHz",
        f"  {report['fps']:,.0f} frames/s ({how['fps']}): a frame every {interval:,} cycles, limited by "
        f"{report['fps_limited_by']}",
        f"  latency of the first frame {latency:,} cycles, {latency / clock / 1000:.3f} ms ({how['latency_cycles']})",
        f"  {report['macs_per_frame'] / 1e6:.2f} M multiply-accumulates a frame",
        resource_line(report),
        *over_budget_lines(report),
        f"  FIFOs {report['fifo_bytes']:,} bytes, line buffers {report['line_buffer_bytes']:,}, weights "
        f"{report['weight_bytes']:,} ({how['fifo_bytes']})",
        *load_line(report),
        *skip_line(report),
    ]


def resource_line(report: Report) -> str:
    """What the design takes of each kind that the device has, and how far off that may be."""
    told = []
    for name, entry in report["resources"].items():
        if entry["used"] or entry["available"]:
            error = f" ± {entry['error_percent']} %" if entry["error_percent"] and entry["used"] else ""
            real = f" ({entry['calibrated']:,.0f} calibrated)" if "calibrated" in entry else ""
            told.append(f"{entry['used']:,}{error}{real} of {entry['available']:,} {LABELS[name]}")
    return f"  {', '.join(told)} ({report['provenance']['resources.lut']})"


def over_budget_lines(report: Report) -> list[str]:
    """What the design takes more of than it may."""
    return [f"  {line}" for line in advice.over_budget(report)]


def load_line(report: Report) -> list[str]:
    """What is loaded before the first frame; nothing for a design without weights in UltraRAM."""
    if not report.get("load_bytes"):  # reports of older versions have none
        return []
    how = report["provenance"]
    cycles = f"{report['load_cycles']:,} cycles ({how['load_cycles']})"
    return [f"  weights in UltraRAM {report['load_bytes']:,} bytes ({how['load_bytes']}), loaded at start in {cycles}"]


def skip_line(report: Report) -> list[str]:
    """What waits on the skips, beside the best published form; nothing for a network without skips."""
    ours, published = report["skip_buffer_bytes"], report["skip_buffer_bytes_published"]
    if not ours or not published:
        return []
    share = f"{100 * ours / published:.0f} % of the {published:,} of the published form"
    return [f"  skips {ours:,} bytes of these ({report['provenance']['skip_buffer_bytes']}), {share}"]


def advice_lines(report: Report) -> list[str]:
    """What limits the rate, and what to change."""
    changes = [line for line in advice.changes(report) if not line.startswith("over budget")]  # told above
    return [
        "What limits it",
        *(f"  {line}" for line in advice.limits(report)),
        "What to change",
        *(f"  {line}" for line in changes),
    ]


def verified_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What `verify` has found, a run a line."""
    if not runs:
        return ["  not verified yet: `resnet-hls verify DIR` compares the C++ with the model, integer by integer"]
    return [f"  verified: {verified.line(run)}" for run in runs]


def render(report: Report, console: Console, runs: Sequence[Mapping[str, Any]] = ()) -> None:
    """Print the headline, what limits the rate, the tasks, the skips, the streams, and what the passes remark."""
    for line in [*lines(report), *verified_lines(runs), *advice_lines(report)]:
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    console.print(wait_table(report))
    console.print(task_table(report))
    if report["residual_blocks"]:
        console.print(skip_table(report))
    console.print(stream_table(report))
    if report["remarks"]:
        console.print("Remarks", highlight=False)
    for line in remark_lines(report):
        console.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)


def wait_table(report: Report) -> Table:
    """How much of an interval each task works and waits, and for whom."""
    from rich.table import Table

    how, interval = report["provenance"], report["initiation_interval_cycles"]
    table = Table(title=f"Who waits for whom: cycles of a frame ({how['per_task.cycles']})")
    table.add_column("task", overflow="fold")
    for heading in ("cycles", "busy", "for input", "for output"):
        table.add_column(heading, justify="right")
    table.add_column("waits most for", overflow="fold")
    blockers = advice.blockers(report)
    for row in report["per_task"]:
        empty, full = (percent(cycles, interval) if cycles else "" for cycles in advice.waits(row))
        blocker = blockers.get(row["name"])
        told = ""
        if blocker is not None:
            told = f"{blocker.other} to read" if blocker.kind == "full" else f"words from {blocker.other}"
            told += f", in the end for {blocker.root}" if blocker.root != blocker.other else ""
        figures = (f"{row['cycles']:,}", percent(row["cycles"], interval), empty, full)
        table.add_row(row["name"], *figures, told)
    return table


def task_table(report: Report) -> Table:
    """What each task takes, and the lanes that it has."""
    from rich.table import Table

    how = report["provenance"]
    table = Table(title=f"Tasks: what they take ({how['resources.lut']})")
    table.add_column("task", overflow="fold")
    table.add_column("steps")
    kinds = [name for name, entry in report["resources"].items() if entry["used"]]
    for heading in (*(LABELS[name] for name in kinds), "MACs a cycle"):
        table.add_column(heading, justify="right")
    table.add_column("lanes")
    for row in report["per_task"]:
        lanes = ", ".join(f"{name} {count}" for name, count in row["unroll"].items())
        steps = " x ".join(map(str, row["loops"]))
        takes = (f"{row[name]:,}" if row[name] else "" for name in kinds)
        macs = f"{row['macs'] / row['cycles']:,.1f}".removesuffix(".0") if row["macs"] and row["cycles"] else ""
        table.add_row(row["name"], steps, *takes, macs, lanes)
    return table


def stream_table(report: Report) -> Table:
    """How deep and how full each stream is, and what it is built of."""
    from rich.table import Table

    how = report["provenance"]
    table = Table(title="Streams")
    for heading in ("from", "to"):
        table.add_column(heading, overflow="fold")
    for heading in ("bits", "depth", f"most words\n({how['streams.peak']})", "bytes", "built of"):
        table.add_column(heading, justify="right")
    for row in report["streams"]:
        size = -(-row["width_bits"] * row["depth"] // 8)
        figures = (row["width_bits"], row["depth"], row["peak"], size)
        table.add_row(row["from"], row["to"], *(f"{figure:,}" for figure in figures), row["storage"])
    return table


def skip_table(report: Report) -> Table:
    """What waits on the skip of each residual block, beside the published formulas."""
    from rich.table import Table

    table = Table("block", "from", title=f"Skips, bytes ({report['provenance']['skip_buffer_bytes']})")
    for heading in ("naive", "published", "here", "of published"):
        table.add_column(heading, justify="right")
    blocks, total = report["residual_blocks"], {"name": "total", "fork": "", **report}
    for row in [*blocks, total]:
        naive, published, ours = (row[f"skip_buffer_bytes{suffix}"] for suffix in ("_naive", "_published", ""))
        shown, share = (
            ("?", "") if ours is None else (f"{ours:,}", f"{100 * ours / published:.1f} %" if published else "")
        )
        table.add_row(
            row["name"], row["fork"], f"{naive:,}", f"{published:,}", shown, share, end_section=row is blocks[-1]
        )
    return table


def remark_lines(report: Report) -> list[str]:
    """What the passes say about their work, a line each: `LAYER: remark: [PASS] MESSAGE`."""
    return [
        f"{f'{where}: ' if (where := row['where']) else ''}remark: [{row['pass']}] {row['message']}"
        for row in report["remarks"]
    ]
