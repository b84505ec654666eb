# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights of four bits share a DSP slice by threes, bit-exact, and take fewer of them for it."""

from __future__ import annotations

import json
from pathlib import Path

from integration_tool import Tool
from onnx_builders import Net, save


def network(bits: int, path: Path) -> str:
    net = Net("qonnx")
    x = net.quant("input/quant", net.input, 2.0**-6)
    x = net.quant("first/quant", net.conv("first", x, 12, stride=2, weight_bits=bits, weight_scale=2.0**-4), 2.0**-3)
    x = net.conv("second", x, 9, 1, weight_bits=bits, weight_scale=2.0**-4)
    return save(net.model(net.quant("second/quant", x, 2.0**-3)), path)


def test_three_products_in_a_slice(tool: Tool, tmp_path: Path) -> None:
    slices = {}
    for bits in (4, 8):
        folder = tmp_path / f"w{bits}"
        # As many frames a second for both: what differs is how many products a slice takes.
        built = tool("build", network(bits, tmp_path / f"w{bits}.qonnx.onnx"), "--target-fps", "900000", "-o", folder)
        assert built.returncode == 0, built.stderr
        slices[bits] = json.loads((folder / "report.json").read_text())["resources"]["dsp"]["used"]
    assert slices[4] < slices[8]
    assert "hls.products_per_slice = 3" in (tmp_path / "w4" / "ir" / "40-scheduled.mlir").read_text()
    done = tool("verify", tmp_path / "w4", "--images", "50")
    assert done.stdout.splitlines()[-1] == "verify: 50/50 images bit-exact", done.stdout + done.stderr
    assert tool("verify", tmp_path / "w4", "--images", "5", "-q").stdout == ""
