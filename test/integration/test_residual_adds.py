# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ResNet8 and ResNet20 as affine nests: no elementwise nest is left, every residual addition is folded or says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.nests import nests
from resnet_hls.context import make_context
from resnet_hls.frontend import sources
from resnet_hls.passes import PassManager, Remark
from resnet_hls.passes._manager import Remarks
from resnet_hls.pipelines import AFFINE, INTEGER

BLOCKS = {"resnet8": 3, "resnet20": 9}
_REDUCTIONS = {"resnet8": 11, "resnet20": 23}  # convolutions, the 1x1 ones of skips, pooling, classifier
_FOLDED = "the addition is a part of what the accumulator starts with"
_ROUNDED = "the addition stays behind the reduction: the sum is rounded to 8 bits before the addition"


def affine(model: str | Path) -> tuple[ir.Module, list[Remark]]:
    """The module after the affine stage, and what its passes remark."""
    remarks = Remarks()
    with sources.find(model) as source:
        source.start()
        module = ir.Module.parse(source.imported().bytecode, make_context())
    for stage in (INTEGER, AFFINE):
        PassManager.parse(stage.text({})).run(module, [remarks])
    return module, remarks.found


def check(module: ir.Module, name: str) -> None:
    """Every nest is a reduction, and what nests hand on has 8 bits."""
    function = iu.public_function(module.operation)
    with module.context:
        found = nests(function)
        assert len(found) == _REDUCTIONS[name]
        for nest in found:
            assert nest.accumulator is not None
            loaded = {load.buffer for load in nest.loads}
            handed_on = [store.buffer for store in nest.stores if store.buffer not in loaded]
            assert handed_on
            assert {str(ir.MemRefType(buffer.type).element_type) for buffer in handed_on} == {"i8"}


@pytest.mark.parametrize("name", BLOCKS)
def test_bundled(name: str) -> None:
    pytest.importorskip("torchao", reason="the PyTorch way")
    module, remarks = affine(name)
    check(module, name)
    assert [(remark.pass_name, remark.message) for remark in remarks] == [("hls-fold-residual-add", _FOLDED)] * BLOCKS[
        name
    ]


@pytest.mark.parametrize("name", BLOCKS)
def test_shared(shared: Path, name: str) -> None:
    """These were trained with a quantizer between convolution and addition."""
    module, remarks = affine(shared / "models" / f"{name}_a8w8b16.qonnx.onnx")
    check(module, name)
    assert len(remarks) == BLOCKS[name]
    assert all(remark.message.startswith(_ROUNDED) for remark in remarks)
