# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Truncated files and flipped bytes give a UserError or a model, never anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_builders import Style, classifier, residual

from resnet_hls.errors import UserError
from resnet_hls.frontend.doctor import examine
from resnet_hls.frontend.onnx_model import load


def attempt(path: Path, data: bytes) -> bool:
    """Whether `data` loads; an exception other than UserError, or a message of several lines, fails the test."""
    path.write_bytes(data)
    try:
        load(path)
    except UserError as error:
        problem = error
    else:
        return True
    assert problem.help
    assert "\n" not in f"{problem}{problem.help}"
    return False


@pytest.mark.parametrize("style", ["qdq", "qonnx"])
def test_truncated_anywhere(tmp_path: Path, style: Style) -> None:
    data = residual(style, (1,), 2, size=8).SerializeToString()
    offsets = sorted({*range(0, len(data), 61), *range(200), *range(len(data) - 200, len(data))})
    loaded = [offset for offset in offsets if attempt(tmp_path / "m.onnx", data[:offset])]
    assert loaded == []
    assert attempt(tmp_path / "m.onnx", data)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    data = residual(size=8).SerializeToString().replace(b"stem/conv", b"stem\xffconv")
    assert not attempt(tmp_path / "m.onnx", data)
    with pytest.raises(UserError, match="holds names that are no UTF-8 text"):
        load(tmp_path / "m.onnx")


@pytest.mark.parametrize("style", ["qdq", "qcdq", "qonnx"])
def test_flipped_bytes(tmp_path: Path, style: Style) -> None:
    model = classifier(style)
    for tensor in model.graph.initializer:  # hit structure rather than weights
        if len(tensor.raw_data) > 256 and tensor.data_type == onnx.TensorProto.INT8:
            tensor.raw_data = bytes(len(tensor.raw_data))
    data = model.SerializeToString()
    rng = np.random.default_rng(0)
    results = []
    for _ in range(400):
        damaged = bytearray(data)
        for position in rng.integers(0, len(data), rng.integers(1, 6)):
            damaged[position] = rng.integers(0, 256)
        results.append(attempt(tmp_path / "m.onnx", bytes(damaged)))
    assert not all(results)


def test_doctor_never_raises(tmp_path: Path) -> None:
    data = residual(blocks=(1,), size=8).SerializeToString()
    rng = np.random.default_rng(1)
    path = tmp_path / "m.onnx"
    for _ in range(100):
        damaged = bytearray(data)
        damaged[rng.integers(0, len(data))] = rng.integers(0, 256)
        path.write_bytes(bytes(damaged))
        examine(path)
