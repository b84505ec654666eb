# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What runs of `verify` leave in a project's folder, also when they end at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from resnet_hls.report import verified


def run_of(project: Path, images: int) -> dict[str, Any]:
    texts = {"images_of": "random", "headers": "fast", "compiler": "g++", "model_by": "PyTorch"}
    return {"sources": verified.sources(project), **texts, "images": images, "exact": images, "top1_percent": None}


def test_runs_that_end_together_are_all_kept(tmp_path: Path) -> None:
    counts = range(1, 41)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda count: verified.record(tmp_path, run_of(tmp_path, count)), counts))
    assert sorted(row["images"] for row in verified.read(tmp_path)) == list(counts)


def test_the_same_run_again_replaces_the_first(tmp_path: Path) -> None:
    for exact in (3, 4):
        verified.record(tmp_path, {**run_of(tmp_path, 4), "exact": exact})
    assert [row["exact"] for row in verified.read(tmp_path)] == [4]


def test_runs_of_other_sources_are_not_told(tmp_path: Path) -> None:
    verified.record(tmp_path, run_of(tmp_path, 4))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "top.cpp").write_text("// another design\n")
    assert list(verified.read(tmp_path)) == []
