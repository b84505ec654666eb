# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The generated files are what the sources say."""

from pathlib import Path

import pytest

from resnet_hls.docs import generated_files


@pytest.mark.parametrize("name", ["docs/passes.md", "dialects/hls/hls.irdl.mlir"])
def test_a_generated_file_is_current(name: str, repository: Path) -> None:
    current = (repository / name).read_text(encoding="utf-8")
    assert current == generated_files()[name], "run: .venv/bin/python -m resnet_hls.docs"
