# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-opt --validate-each` asks the validator before and after every pass, and stops where it objects."""

import sys
import types
from pathlib import Path

import pytest
from torch_mlir import ir

from resnet_hls import UserError
from resnet_hls.opt import main

CALLS: list[str] = []


class FakeValidator:
    """Objects to the module that `cse` leaves."""

    def __init__(self, seed: int, images: int) -> None:
        CALLS.append(f"seed {seed}, images {images}")

    def before(self, module: ir.Operation) -> None:
        """Note the call."""
        CALLS.append(f"before: {module.name}")

    def after(self, pass_name: str, module: ir.Operation) -> None:
        """Note the call."""
        CALLS.append(f"after {pass_name}: {module.name}")
        if pass_name == "cse":
            raise UserError("element 3 is 5, was 4", where="cse", help="look at layer conv1")


def test_the_validator_stops_the_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    validate = types.ModuleType("resnet_hls.simulate.validate")
    validate.Validator = FakeValidator  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "resnet_hls.simulate.validate", validate)
    module = tmp_path / "module.mlir"
    module.write_text("func.func @f() { return }")
    pipeline = "--pass-pipeline=builtin.module(func.func(canonicalize),cse,canonicalize)"
    status = main([str(module), pipeline, "--validate-each", "--validate-images=7", "--validate-seed=3"])
    assert status == 1
    assert CALLS == [
        "seed 3, images 7",
        "before: builtin.module",
        "after func.func(canonicalize): builtin.module",
        "before: builtin.module",
        "after cse: builtin.module",
    ]
    printed = capsys.readouterr()
    assert printed.err == "resnet-opt: error: cse: element 3 is 5, was 4\nhelp: look at layer conv1\n"
    assert printed.out == ""
