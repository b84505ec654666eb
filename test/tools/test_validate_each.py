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


@pytest.mark.parametrize(
    "ports",
    [
        "hls.input = {signed = true}",
        "hls.input = {scale = 0.5 : f64, signed = 1 : i32}",
        "hls.input = {scale = 0.5 : f64, signed = true, min = 7 : i64, max = 3 : i64}",
        "hls.output = {zero_point = 3 : i64}",
        "hls.output = 5 : i64",
    ],
)
def test_ports_that_say_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], ports: str) -> None:
    path = tmp_path / "module.mlir"
    path.write_text(f"""func.func @f(%a: memref<4xi8>, %b: memref<4xi8>) attributes {{{ports}}} {{
      affine.for %i = 0 to 4 {{
        %0 = affine.load %a[%i] : memref<4xi8>
        affine.store %0, %b[%i] : memref<4xi8>
      }}
      return
    }}""")
    assert main([str(path), "--validate-each", "--pass-pipeline=builtin.module(cse)"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert "hls.input or hls.output does not say what integers mean" in first
    assert second.startswith("help: ")


def test_contracts_come_before_execution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a contract refuses is not run: this would not end."""
    path = tmp_path / "module.mlir"
    path.write_text("""func.func @f(%a: memref<4xi8>, %b: memref<4xi8>) {
      affine.for %i = 0 to 4 {
        affine.for %j = 0 to 9223372036854775807 {
          %0 = affine.load %a[%i] : memref<4xi8>
          affine.store %0, %b[%i] : memref<4xi8>
        }
      }
      return
    }""")
    assert main([str(path), "--validate-each", "--pass-pipeline=builtin.module(verify-affine)"]) == 1
    assert "a nest of " in capsys.readouterr().err
