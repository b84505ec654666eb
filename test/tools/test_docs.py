# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/passes.md is what the docstrings say."""

from pathlib import Path

from resnet_hls.docs import passes_markdown


def test_the_documentation_of_the_passes_is_current() -> None:
    current = (Path(__file__).parents[2] / "docs" / "passes.md").read_text(encoding="utf-8")
    assert current == passes_markdown(), "run: .venv/bin/python -m resnet_hls.docs"
