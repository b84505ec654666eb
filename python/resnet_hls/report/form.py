# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The form of `report.json`, so that a damaged file, or one of another version, is an error and not a wrong page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from resnet_hls.report.advice import LABELS, Report

#: Beyond these nothing is a count of anything.
_LEAST, _MOST = 1e-9, 2.0**53


class Malformed(ValueError):
    """What is wrong, with the place in the report."""


@dataclass(frozen=True)
class _Null:
    """Null, or that."""

    form: Any


@dataclass(frozen=True)
class _Map:
    """An object of any keys."""

    form: Any


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return _is_number(value) and (value == 0 or _LEAST <= value < _MOST)  # nor NaN


def _is_positive(value: Any) -> bool:
    return _is_count(value) and value > 0


_TESTS: dict[Callable[[Any], bool], str] = {
    _is_text: "a text",
    _is_count: "a number of 0 or more",
    _is_positive: "a number above 0",
}
_TEXT, _COUNT, _POSITIVE = _TESTS
_MEMORIES = dict.fromkeys([kind for kind in LABELS if kind != "dsp"], _COUNT)
_SKIPS = {
    "skip_buffer_bytes": _Null(_COUNT),
    "skip_buffer_bytes_naive": _COUNT,
    "skip_buffer_bytes_published": _COUNT,
}
#: The figures of which the tables say how they were obtained.
_HOW = (
    *("fps", "fps_limited_by", "latency_cycles", "fifo_bytes", "load_bytes", "load_cycles", "skip_buffer_bytes"),
    *("dsp_roofline_fps", "resources.lut", "resources_by_structure", "per_task.cycles", "per_task.stall_cycles"),
    *("per_task.lut", "per_task.line_buffer_bytes", "streams.depth", "streams.peak", "streams.built_depth"),
)
_FORM = {
    **dict.fromkeys(("model", "board", "part", "family", "fps_limited_by"), _TEXT),
    **dict.fromkeys(("clock_mhz", "initiation_interval_cycles", "fps"), _POSITIVE),
    **dict.fromkeys(("latency_cycles", "macs_per_frame", "fifo_bytes", "fifo_built_bytes"), _COUNT),
    **dict.fromkeys(("line_buffer_bytes", "weight_bytes", "load_bytes", "load_cycles"), _COUNT),
    "limits": [{"task": _TEXT, "stream": _Null(_TEXT), "kind": _TEXT, "cycles": _COUNT}],
    "dsp_roofline_fps": _Null(_COUNT),
    "resources": {
        kind: {"used": _COUNT, "error_percent": _COUNT, "usable": _COUNT, "available": _COUNT} for kind in LABELS
    },
    "resources_by_structure": [{"name": _TEXT, "dsp": _COUNT, **_MEMORIES}],
    **{key: _Null(_COUNT) for key in _SKIPS},
    "residual_blocks": [{"name": _TEXT, "fork": _TEXT, "join": _TEXT, **_SKIPS}],
    "per_task": [
        {
            **dict.fromkeys(("name", "layer"), _TEXT),
            "loops": [_COUNT],
            "unroll": _Map(_COUNT),
            **dict.fromkeys(("pipeline_depth", "macs", "line_buffer_bytes", "cycles", "stall_cycles", "dsp"), _COUNT),
            **_MEMORIES,
            "empty_cycles": _Map(_COUNT),
            "full_cycles": _Map(_COUNT),
            "waits_for": _Null({"stream": _TEXT, "kind": _TEXT, "cycles": _COUNT}),
        }
    ],
    "streams": [
        {
            **dict.fromkeys(("name", "from", "to", "storage"), _TEXT),
            **dict.fromkeys(("width_bits", "depth", "built_depth"), _POSITIVE),
            **dict.fromkeys(("words", "peak", "full_cycles", "empty_cycles"), _COUNT),
            **_MEMORIES,
        }
    ],
    "remarks": [{"pass": _TEXT, "where": _TEXT, "message": _TEXT}],
    "provenance": dict.fromkeys(_HOW, _Null(_TEXT)),
}


def check(report: Any) -> Report:
    """A report, once it is known to be one.

    Raises:
        Malformed: something is missing or of another form, or streams join what there is not.
    """
    _check(report, _FORM, "")
    found: Report = report
    for rows in ("per_task", "streams"):
        names = [row["name"] for row in found[rows]]
        if len(set(names)) != len(names):
            raise Malformed(f"{rows}: two of the same name")
    tasks = {row["name"] for row in found["per_task"]}
    for number, row in enumerate(found["streams"]):
        for key, port in (("from", "input"), ("to", "output")):
            if row[key] not in tasks and row[key] != port:
                raise Malformed(f"streams[{number}].{key}: there is no task '{row[key]}'")
    if any("calibrated" in entry for entry in found["resources"].values()):
        _check(
            {k: e["calibrated"] for k, e in found["resources"].items() if "calibrated" in e}, _Map(_COUNT), "resources"
        )
    return found


def _check(value: Any, form: Any, where: str) -> None:
    if isinstance(form, _Null):
        if value is not None:
            _check(value, form.form, where)
    elif isinstance(form, _Map | dict):
        if not isinstance(value, dict):
            raise Malformed(f"{where or 'all of it'}: expected an object")
        for key in value if isinstance(form, _Map) else form:
            if key not in value:
                raise Malformed(f"{where}{'.' if where else ''}{key} is missing")
            _check(
                value[key], form.form if isinstance(form, _Map) else form[key], f"{where}{'.' if where else ''}{key}"
            )
    elif isinstance(form, list):
        if not isinstance(value, list):
            raise Malformed(f"{where}: expected a list")
        for number, one in enumerate(value):
            _check(one, form[0], f"{where}[{number}]")
    elif not form(value):
        raise Malformed(f"{where}: expected {_TESTS[form]}")
