# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What follows from the figures of a report: what limits, who waits for whom, what two builds have in common."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
from rich.console import Console

from resnet_hls.report import advice, builds, roofline

INTERVAL = 1000


def task(name: str, cycles: int, waits: dict[str, tuple[str, int]] | None = None, **more: Any) -> dict[str, Any]:
    """A row; `waits` gives for a stream whether it is empty or full, and how long."""
    found = waits or {}
    kinds = {kind: {s: n for s, (k, n) in found.items() if k == kind} for kind in ("empty", "full")}
    longest = max(found, key=lambda stream: found[stream][1], default=None)
    return {
        "name": name,
        "layer": f"layer of {name}",
        "loops": [cycles],
        "unroll": {},
        "pipeline_depth": 2,
        "macs": 0,
        "line_buffer_bytes": 0,
        "cycles": cycles,
        **dict.fromkeys(advice.LABELS, 0),
        "stall_cycles": sum(n for _, n in found.values()),
        "empty_cycles": kinds["empty"],
        "full_cycles": kinds["full"],
        "waits_for": longest and {"stream": longest, "kind": found[longest][0], "cycles": found[longest][1]},
        **more,
    }


def stream(source: str, target: str, bits: int = 8, words: int = 100, depth: int = 2) -> dict[str, Any]:
    size = {"width_bits": bits, "words": words, "depth": depth, "peak": depth, "built_depth": 16}
    rest = {"storage": "srl", "full_cycles": 0, "empty_cycles": 0, "lut": 1, "ff": 1, "bram36": 0.0, "uram": 0}
    return {"name": f"{source}_to_{target}", "from": source, "to": target, **size, **rest}


@pytest.fixture
def report() -> dict[str, Any]:
    """input -> rows (a window task) -> conv -> wider -> pool -> output; conv works all the time."""
    resources = {kind: {"used": 10, "usable": 100, "available": 120, "error_percent": 0} for kind in advice.LABELS}
    return {
        "model": "net", "board": "kv260", "part": "part", "family": "ultrascale+", "clock_mhz": 200.0,
        "initiation_interval_cycles": INTERVAL, "latency_cycles": 1500, "fps": 200e6 / INTERVAL,
        "fps_limited_by": "conv", "macs_per_frame": 40_000, "dsp_roofline_fps": 1.2e6, "resources": resources,
        "limits": [{"task": "conv", "stream": None, "kind": "busy", "cycles": INTERVAL}],
        "fifo_bytes": 100, "fifo_built_bytes": 300, "line_buffer_bytes": 64, "weight_bytes": 500,
        "skip_buffer_bytes": 0, "load_bytes": 0, "remarks": [],
        "provenance": {"fps": "simulated"},
        "per_task": [
            task("rows", 100, {"rows_to_conv": ("full", 900)}, line_buffer_bytes=64),
            task("conv", INTERVAL, macs=40_000, dsp=10),
            task("wider", 100, {"conv_to_wider": ("empty", 800), "wider_to_pool": ("full", 50)}),
            task("pool", 25, {"wider_to_pool": ("empty", 900)}),
        ],
        "streams": [
            stream("input", "rows"), stream("rows", "conv", 72), stream("conv", "wider", 8),
            stream("wider", "pool", 32, 25, 40), stream("pool", "output", words=1),
        ],
    }  # fmt: skip


def test_chains_end_at_the_busy_task(report: dict[str, Any]) -> None:
    found = advice.blockers(report)
    assert set(found) == {"rows", "wider", "pool"}
    assert (found["rows"].other, found["rows"].kind, found["rows"].root) == ("conv", "full", "conv")
    assert (found["pool"].other, found["pool"].kind, found["pool"].root) == ("wider", "empty", "conv")
    assert advice.waits(report["per_task"][2]) == (800, 50)


def test_circles_end(report: dict[str, Any]) -> None:
    """Two tasks that wait for each other."""
    report["per_task"][1] = task("conv", 500, {"rows_to_conv": ("empty", 500)})
    found = advice.blockers(report)
    assert (found["rows"].root, found["conv"].root) == ("conv", "rows")


def test_kinds_need_no_names(report: dict[str, Any]) -> None:
    kinds = {row["name"]: advice.kind_of(report, row["name"]) for row in report["per_task"]}
    assert kinds == {"rows": "window", "conv": "computes", "wider": "width", "pool": "computes"}


def test_what_limits(report: dict[str, Any]) -> None:
    assert advice.limits(report) == [
        "conv works in every one of the 1,000 cycles between two frames: no FIFO makes the design faster, "
        "only more lanes do."
    ]
    assert "No resource is used up" in advice.changes(report)[0]
    report["resources"]["dsp"]["used"] = 100
    proven = {"pass": "hls-balance", "where": "", "message": "…, proven to be the least interval of these factors"}
    told = advice.limits({**report, "remarks": [proven]})
    assert told[1:] == [
        "100 of 100 usable DSP are taken; the budget keeps 20 of the device for the shell and routing.",
        "hls-balance has proven that no unroll factors give a shorter interval in this budget.",
    ]
    above = "…, at most 3.0% above the least interval of these factors"
    assert "--effort" in advice.limits({**report, "remarks": [{**proven, "message": above}]})[-1]
    asked = "…, the cheapest design for 100 cycles"  # nobody wants to know of a shorter one
    assert advice.limits({**report, "remarks": [{**proven, "message": asked}]}) == told[:-1]
    assert "a larger board" in advice.changes(report)[0]
    first = {"task": "input", "stream": None, "kind": "busy", "cycles": INTERVAL}
    assert "one word a cycle" in advice.limits({**report, "limits": [first]})[0]
    circle = [{"task": "rows", "stream": "rows_to_conv", "kind": "full", "cycles": 600}, {**first, "cycles": 400}]
    told = advice.limits({**report, "limits": circle, "fps_limited_by": "rows_to_conv"})
    assert told[0].startswith("A circle of waits sets the rate, rows_to_conv in it")
    assert "60 % of the interval rows waits, as rows_to_conv is full." in told
    assert "a deeper stream" in advice.changes({**report, "limits": circle})[0]


def test_idle_slices(report: dict[str, Any]) -> None:
    assert advice.idle_dsp(report) == 0
    report["per_task"][3]["dsp"] = 4
    assert advice.idle_dsp(report) == pytest.approx(4 * 0.975)
    assert any("4 of 10 DSP slices stand idle on the average, most of all in pool" in s for s in advice.changes(report))


def test_bounds(report: dict[str, Any]) -> None:
    found = {bound.name: bound.fps for bound in roofline.bounds(report)}
    assert found["this design"] == found["the slowest task alone"] == 200_000
    assert found["all DSP slices of the board"] == 2 * 120 * 200e6 / 40_000
    assert found["the DSP slices it takes"] == 2 * 10 * 200e6 / 40_000
    assert found["the port input"] == 2e6
    assert list(found.values()) == sorted(found.values())
    assert roofline.macs_a_cycle(report) == 40
    assert "<circle" in roofline.svg(report)
    assert roofline.svg({**report, "macs_per_frame": 0}) == ""
    assert "the DSP slices it takes" not in {b.name for b in roofline.bounds({**report, "macs_per_frame": 0})}


def test_two_builds(report: dict[str, Any]) -> None:
    after = copy.deepcopy(report)
    after |= {"initiation_interval_cycles": 500, "fps": 400_000.0, "fps_limited_by": "rows"}
    after["resources"]["dsp"]["used"] = 20
    after["per_task"][1] |= {"cycles": 500, "dsp": 20, "unroll": {"output_lanes": 2}}
    after["per_task"][3] = task("maximum", 30)
    after["streams"][3]["depth"] = 12
    found = builds.compare(report, after)
    figures = {row["key"]: (row["from"], row["to"], row["change_percent"]) for row in found["figures"]}
    assert figures["fps"] == (200_000, 400_000, 100)
    assert figures["resources.dsp"] == (10, 20, 100)
    assert figures["latency_cycles"] == (1500, 1500, 0)
    assert [(row["name"], row["only_in"]) for row in found["tasks"]] == [
        ("conv", None), ("maximum", "to"), ("pool", "from"),
    ]  # fmt: skip
    assert found["tasks"][0]["changed"] == {
        "cycles": [1000, 500], "dsp": [10, 20], "unroll": [{}, {"output_lanes": 2}],
    }  # fmt: skip
    assert [(row["name"], row["changed"]) for row in found["streams"]] == [("wider_to_pool", {"depth": [40, 12]})]
    assert (found["same_tasks"], found["same_streams"]) == (2, 4)
    shown = io.StringIO()
    builds.render(found, Console(file=shown, width=160))
    for text in ("+100.0 %", "10 → 20", "output_lanes 1 → 2", "only in B", "only in A", "40 → 12", "limited by rows"):
        assert text in shown.getvalue()
    same = builds.compare(report, report)
    assert same["tasks"] == same["streams"] == []
    assert {row["change_percent"] for row in same["figures"]} <= {0, None}
