# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A network of `../shared/models` through every pass, executed before and after each of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from integration_tool import RealDesign

from resnet_hls.driver import make_options
from resnet_hls.pipelines import INTEGER, STAGES

PARAMETERS = make_options("kv260", target_fps=15_000).parameters()  # to find the fastest takes longer


def test_every_pass_keeps_the_integers(resnet8_onnx: Path, real_design: RealDesign, tmp_path: Path) -> None:
    """`--validate-each` from integer linalg to scheduled hardware."""
    project = real_design(resnet8_onnx, "kv260")
    texts = [stage.text(PARAMETERS).removeprefix("builtin.module(").removesuffix(")") for stage in STAGES[1:]]
    command = [Path(sys.executable).with_name("resnet-opt"), project / "ir" / INTEGER.file, "-o", tmp_path / "out.mlir"]
    pipeline = f"--pass-pipeline=builtin.module({','.join(texts)})"
    done = subprocess.run(
        [*command, pipeline, "--validate-each", "--validate-images=1"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
