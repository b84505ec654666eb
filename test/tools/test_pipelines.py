# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The text of the pipelines, whole and with optimizations left out."""

from __future__ import annotations

import pytest

from resnet_hls import pipelines
from resnet_hls.driver import make_options
from resnet_hls.errors import UserError
from resnet_hls.passes import PassManager
from resnet_hls.pipelines import Stage, Step, check_without, optional_passes

STAGE = Stage(
    "stage", "file.mlir", (Step("first{n=$n}", "why"), Step("second", "why", optional=True), Step("third", ""))
)


def test_text_leaves_passes_out() -> None:
    assert STAGE.text({"n": 3, "other": 4}) == "builtin.module(first{n=3},second,third)"
    assert STAGE.text({"n": 3}, without=("second",)) == "builtin.module(first{n=3},third)"
    assert STAGE.text({}, without=("first", "third")) == "builtin.module(second)"


def test_every_text_can_be_parsed() -> None:
    parameters = make_options("kv260", max_dsp=10).parameters()
    for stage in pipelines.STAGES:
        PassManager.parse(stage.text(parameters))
        PassManager.parse(stage.text(parameters, optional_passes()))


def test_passes_to_leave_out_come_once_and_in_order() -> None:
    known = optional_passes()
    assert "hls-fuse-loops" in known
    assert check_without([*reversed(known), *known]) == known
    assert check_without(()) == ()
    assert check_without("hls-fuse-loops") == ("hls-fuse-loops",)


def test_only_optimizations_can_be_left_out() -> None:
    assert not any(name.startswith("verify-") for name in optional_passes())
    with pytest.raises(UserError, match="no design without hls-temporal-reuse: line buffers and windows"):
        check_without(["hls-temporal-reuse"])
    with pytest.raises(UserError, match="no design without verify-affine: contract") as caught:
        check_without(["hls-fuse-loops", "verify-affine"])
    assert "hls-fuse-loops" in caught.value.help
    with pytest.raises(UserError, match="the pipelines have no pass 'hls-fuse-lops'") as caught:
        check_without(["hls-fuse-lops"])
    assert caught.value.help.startswith("did you mean 'hls-fuse-loops'?")
