# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The generated files are what the sources and the tests say; every pass has its page, and its example."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from resnet_hls.docs import generated_files, outdated_files
from resnet_hls.errors import UserError
from resnet_hls.pass_pages import first_case
from resnet_hls.passes._registry import find_pass
from resnet_hls.pipelines import optional_passes

RUN = "run: .venv/bin/python -m resnet_hls.docs"


def test_generated_files_are_current(repository: Path) -> None:
    generated = generated_files(repository)
    assert "docs/passes/hls-fuse-loops.md" in generated
    assert [name for name, text in generated.items() if (repository / name).read_text("utf-8") != text] == [], RUN
    assert outdated_files(repository, generated) == [], RUN


def test_example_is_the_first_case(repository: Path) -> None:
    pass_ = find_pass("hls-balance")
    assert pass_ is not None
    example = first_case(pass_, repository)
    assert example.test == "test/passes/balance.mlir"
    assert example.pipeline == "builtin.module(hls-balance{dsp=12})"
    assert example.prose.startswith("A matrix product")
    assert "hls.unroll" not in example.before
    assert "CHECK" not in example.before
    assert "hls.unroll = 6" in example.after


def test_ablation_table_has_every_optional_pass(repository: Path) -> None:
    text = (repository / "docs" / "ablation.md").read_text("utf-8")
    missing = [name for name in optional_passes() if f"| `{name}` |" not in text or f"* **`{name}`**" not in text]
    assert missing == [], "run benchmarks/ablation.py, and say in a sentence what its row shows"


def test_pass_needs_a_lit_test(repository: Path, tmp_path: Path) -> None:
    pass_ = find_pass("hls-balance")
    assert pass_ is not None
    with pytest.raises(UserError, match=r"test/passes/balance.mlir: hls-balance has no lit test"):
        first_case(pass_, tmp_path)
    (tmp_path / "test" / "passes").mkdir(parents=True)
    shutil.copy(repository / "test" / "passes" / "bufferize.mlir", tmp_path / "test" / "passes" / "balance.mlir")
    with pytest.raises(UserError, match="first RUN line does not run hls-balance"):
        first_case(pass_, tmp_path)
