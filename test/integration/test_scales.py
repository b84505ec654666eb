# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What onnxruntime's own quantizer makes (scales of any size, zero points) goes the whole way, bit-exact."""

from __future__ import annotations

from pathlib import Path

import pytest
from integration_tool import Tool
from onnx_builders import quantize_static


@pytest.mark.parametrize("per_channel", [False, True], ids=["per-tensor", "per-channel"])
def test_onnxruntime_quantize_static(tool: Tool, tmp_path: Path, per_channel: bool) -> None:
    pytest.importorskip("ml_dtypes", reason="onnxruntime.quantization needs ml_dtypes")
    model = quantize_static(tmp_path / "model.onnx", per_channel=per_channel, unsigned=not per_channel)
    built = tool("build", model, "-o", tmp_path / "out")
    assert built.returncode == 0, built.stderr
    done = tool("verify", tmp_path / "out", "--images", "60")
    assert done.stdout.splitlines()[-1] == "verify: 60/60 images bit-exact", done.stderr
