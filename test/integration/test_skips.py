# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What skips cost in real networks, beside the best published form: counted in the scheduled design, on two boards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from integration_tool import RealDesign

#: Networks and boards; a build takes long enough to leave the fourth out.
DESIGNS = (("resnet8", "kv260"), ("resnet20", "kv260"), ("resnet8", "ultra96v2"))
BUNDLED = DESIGNS[:1]


def report_of(project: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((project / "report.json").read_text())
    return report


def identity_blocks(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Blocks without a stride: their receptive field is about twice that of the last window, not three times."""
    blocks = report["residual_blocks"]
    return [b for b in blocks if b["skip_buffer_bytes_naive"] < 2.5 * b["skip_buffer_bytes_published"]]


@pytest.mark.parametrize(("network", "board"), BUNDLED)
def test_additions_that_fold(real_design: RealDesign, network: str, board: str) -> None:
    """Bundled networks: nothing is rounded before an addition. The faster a design, the wider the words that wait."""
    report = report_of(real_design(network, board))
    assert report["skip_buffer_bytes"] <= 0.22 * report["skip_buffer_bytes_published"]
    assert len(identity_blocks(report)) == {"resnet8": 1, "resnet20": 7}[network]
    for block in identity_blocks(report):
        assert block["skip_buffer_bytes"] <= 0.12 * block["skip_buffer_bytes_published"], block


@pytest.mark.parametrize(("network", "board"), DESIGNS)
def test_additions_that_do_not_fold(real_design: RealDesign, shared: Path, network: str, board: str) -> None:
    """Sums are rounded first, so the skip waits for the last product, and for the pipelines that it comes through: of a
    map 8 pixels wide that is up to 4.5 pixels of 18.
    """
    report = report_of(real_design(shared / "models" / f"{network}_a8w8b16.qonnx.onnx", board))
    assert report["skip_buffer_bytes"] <= 0.25 * report["skip_buffer_bytes_published"]
    assert len(identity_blocks(report)) == {"resnet8": 1, "resnet20": 7}[network]
    for block in identity_blocks(report):
        published = block["skip_buffer_bytes_published"]
        small = published == (2 * 8 + 2) * 64
        assert block["skip_buffer_bytes"] <= (4.5 * 64 if small else 0.125 * published), block
