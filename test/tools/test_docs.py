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


TEST = """\
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-fuse-loops,verify-affine)' | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(canonicalize)' | filecheck %s --check-prefix=ALL

// Nothing is fused
// where nothing is.
// CHECK: memref.global
// More about the line above.
memref.global "private" constant @table : memref<2x20xi8> = dense<[
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]>
// CHECK-NEXT: {{.*}}
// It says what it says.
func.func @first(%image: memref<4xi8>, %result: memref<4xi8>) { return }
// -----
func.func @second() { return }
"""


def test_example_is_the_first_case(tmp_path: Path) -> None:
    pass_ = find_pass("hls-fuse-loops")
    assert pass_ is not None
    path = tmp_path / "test" / "passes" / "fuse-loops.mlir"
    path.parent.mkdir(parents=True)
    path.write_text(TEST)
    example = first_case(pass_, tmp_path)
    assert example.test == "test/passes/fuse-loops.mlir"
    assert example.pipeline == "builtin.module(hls-fuse-loops)"
    assert example.prose == "Nothing is fused\nwhere nothing is."
    lines = example.before.splitlines()
    assert lines[0].startswith("memref.global")
    assert lines[3] == "// It says what it says."
    assert lines[4].startswith("func.func @first")
    assert "CHECK" not in example.before
    assert "dense_resource<__elided__>" in example.after
    assert "@first" in example.after
    assert "module {" not in example.after


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
