# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a report tells in lines."""

from resnet_hls.report import text


def test_over_budget() -> None:
    """What FIFOs take more than hls-balance counted on is told, with the option that leaves room for it."""
    rows = {"lut": {"used": 1100, "usable": 1000}, "ff": {"used": 90, "calibrated": 130.0, "usable": 100}}
    fits = {"dsp": {"used": 100, "usable": 100}}
    assert text.over_budget_lines({"resources": fits}) == []
    lut, ff = text.over_budget_lines({"resources": {**fits, **rows}})
    assert "over budget: 1,100 LUT of 1,000" in lut
    assert "--max-lut 900 " in lut
    assert "--max-ff 70 " in ff
