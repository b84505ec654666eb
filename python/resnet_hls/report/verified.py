# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `verify` has found of a project, kept in its folder: `verified.json`, a row for each set of images and headers.

`build` writes no such file: it says what was run afterwards, on someone's images.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from resnet_hls.files import replace_file
from resnet_hls.locks import locked

FILE = "verified.json"
_TEXTS, _COUNTS = ("sources", "images_of", "headers", "compiler", "model_by"), ("images", "exact")


def record(project: Path, run: Mapping[str, Any]) -> None:
    """Add a run; one of the same images with the same headers is replaced. A folder that is read-only stays as it is.

    Args:
        project: folder that was verified.
        run: `sources` (as of `sources`, before the run), `images_of`, `headers`, `compiler`, `model_by` (texts),
            `images`, `exact` (counts), `top1_percent` (None without labels).
    """
    same = ("images_of", "images", "headers", "compiler")
    with contextlib.suppress(OSError), locked(project, wait=True):  # another run may come to its end, too
        rows = [row for row in read(project) if any(row[key] != run[key] for key in same)]
        replace_file(project / FILE, json.dumps([*rows, dict(run)], indent=2, ensure_ascii=False) + "\n")


def read(project: Path) -> Sequence[Mapping[str, Any]]:
    """The runs of what the folder holds now, the latest last; none where the file is missing or not of this form."""
    try:
        rows = json.loads((project / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ()
    if not isinstance(rows, list):
        return ()
    now = sources(project)
    return [row for row in rows if _is_run(row) and row["sources"] == now]


def sources(project: Path) -> str:
    """A SHA-256 sum of what is verified: the C++ and the model, by path. Of what cannot be read, by path alone."""
    total = hashlib.sha256()
    for path in sorted(path for part in ("src", "reference") for path in (project / part).rglob("*") if path.is_file()):
        total.update(path.relative_to(project).as_posix().encode(errors="surrogateescape") + b"\0")
        with contextlib.suppress(OSError):
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _is_run(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and all(isinstance(row.get(key), str) for key in _TEXTS)
        and all(type(row.get(key)) is int and 0 <= row[key] < 2**53 for key in _COUNTS)
        and isinstance(row.get("top1_percent"), int | float | None)
    )


def line(run: Mapping[str, Any]) -> str:
    """One line, as `verify` prints it, and what was run."""
    top1 = "" if run["top1_percent"] is None else f", top-1 {run['top1_percent']:.2f} %"
    exact = f"{run['exact']:,}/{run['images']:,} images bit-exact{top1}"
    how = f"C++ by {run['compiler']} with {run['headers']} headers, model by {run['model_by']}"
    return f"{exact} ({run['images_of']}; {how})"
