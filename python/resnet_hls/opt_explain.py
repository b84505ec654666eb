# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Why a pass stopped with an exception: it relies on the contract of the stage before it, and someone's IR breaks that.

Contracts are not checked before every pass, because `build` checks them where stages end. Here they are asked when it
is too late: what the passes before made of the input is made again, and the contract is checked on that.
"""

from __future__ import annotations

from collections.abc import Callable

from torch_mlir import ir

from resnet_hls import pipelines
from resnet_hls.passes import PassFailure, PassManager
from resnet_hls.passes._manager import PassDefect
from resnet_hls.passes._registry import is_contract

#: What the passes of a stage may count on, all but those that make it.
_BEFORE = {
    pipelines.INTEGER: "verify-integer-linalg",
    pipelines.AFFINE: "verify-affine",
    pipelines.REUSE: "verify-affine",
    pipelines.DATAFLOW: "verify-affine",
    pipelines.SCHEDULE: "verify-dataflow",
}
_MAKERS = {"hls-integerize": "", "hls-bufferize": "verify-integer-linalg"}


def contract_before(name: str) -> str:
    """The contract that a pass relies on; "" where there is none."""
    if name in _MAKERS or is_contract(name):
        return _MAKERS.get(name, "")
    found = (contract for stage, contract in _BEFORE.items() if name in {step.name for step in stage.passes})
    return next(found, "")


def explain(defect: PassDefect, pipeline: PassManager, parse: Callable[[], ir.Module]) -> PassFailure | None:
    """What is wrong with the IR that a pass could not work on; None where it fulfils the contract, or there is none.

    Args:
        defect: how the pass stopped.
        pipeline: that it is from.
        parse: gives the input again, in a context that keeps its diagnostics to itself.
    """
    contract = contract_before(defect.pass_name)
    if not contract:
        return None
    for index, step in enumerate(pipeline.steps):
        if step.name != defect.pass_name:
            continue
        try:
            module = parse()
            PassManager(pipeline.steps[:index]).run(module)
        except (PassDefect, ir.MLIRError):  # an earlier one of that name was it
            return None
        try:
            PassManager.parse(f"builtin.module({contract})").run(module)
        except PassFailure as failure:
            failure.pass_name = f"{defect.pass_name} relies on {contract}"
            return failure
        except PassDefect:
            return None
    return None
