# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The model behind a project, from its folder `reference/`: what `verify` compares with."""

from __future__ import annotations

from pathlib import Path

from resnet_hls.errors import UserError
from resnet_hls.project import manifest
from resnet_hls.simulate.verify import Reference


def load_reference(project: Path) -> Reference:
    """The model that a project was built from, as a function of real images (N, channels, height, width).

    ONNX models are run by onnxruntime, PyTorch's by PyTorch: neither knows of the compiler.

    Raises:
        UserError: no project, its reference is missing or damaged, or what runs it is not installed.
    """
    content = manifest.read(project)
    folder = Path(project) / "reference"
    if content.source_kind == "torch":
        from resnet_hls.frontend.torch_program import load

        height, width, channels = content.input.shape
        return load(folder / "program.pt2", (channels, height, width)).run
    if content.source_kind == "onnx":
        from resnet_hls.simulate.oracle import OnnxOracle

        return OnnxOracle(folder / "model.onnx").run
    raise UserError(
        f"a model of kind '{content.source_kind}'", where=str(project), help="build the project again with this version"
    )


def describe(project: Path) -> str:
    """What runs the reference, for people."""
    return "PyTorch" if manifest.read(project).source_kind == "torch" else "onnxruntime"
