# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ResNet8 with optimizations left out: the C++ still gives PyTorch's integers. `benchmarks/ablation.py` leaves out each
one in turn, and so do random networks in every run of the tests.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from integration_tool import Tool

pytest.importorskip("torch", reason="the bundled ResNet8")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import ablation

from resnet_hls import pipelines

VARIANTS = {label.strip("`"): without for label, without in ablation.variants().items() if without}


@pytest.fixture(scope="module")
def resnet8() -> Any:
    """The bundled network, quantized once."""
    return ablation.load("resnet8")


@pytest.mark.slow
@pytest.mark.parametrize("left_out", ["all of these"])
def test_resnet8_without(resnet8: Any, left_out: str) -> None:
    report, exact = ablation.build(resnet8, VARIANTS[left_out], 20, max_dsp=100)
    assert exact == 20
    line = ablation.row(left_out, report, exact, 20)
    assert line.count("|") == len(ablation.COLUMNS) + 1
    assert line.endswith("| 20/20 |")


def test_command_line(tool: Tool, small_onnx: Path, tmp_path: Path) -> None:
    """`--without` may be repeated; the manifest has the passes that ran, and the command that does it again."""
    names = pipelines.optional_passes()
    words = [word for name in reversed(names) for word in ("--without", name)]
    done = tool("build", small_onnx, "-o", tmp_path / "out", *words, *words[:2])
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["options"]["without"] == list(names)
    assert f" --without {names[0]}" in manifest["command"]
    texts = " ".join(manifest["pipelines"].values())
    assert "hls-temporal-reuse" in texts
    assert not any(name in texts for name in names)
