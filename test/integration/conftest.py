# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tests of this folder run `resnet-hls` as a user does, on small networks that are built once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from filelock import FileLock

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "frontend"))

from integration_tool import RealDesign, Tool, resnet_hls


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Executables of the tests stay out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_HLS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Runs `resnet-hls`."""
    return resnet_hls


@pytest.fixture(scope="session")
def small_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A residual network with random weights: four blocks' worth of layers on 16x16 images."""
    from onnx_builders import residual, save

    return Path(save(residual("qonnx"), tmp_path_factory.mktemp("model") / "compact.qonnx.onnx"))


@pytest.fixture(scope="session")
def tiny_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with a convolution, a pooling and a linear layer: what can be built fastest."""
    from onnx_builders import classifier, save

    return Path(save(classifier("qonnx"), tmp_path_factory.mktemp("model") / "tiny.qonnx.onnx"))


@pytest.fixture(scope="session")
def project(tool: Tool, small_onnx: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of `small_onnx`; do not change it."""
    folder = tmp_path_factory.mktemp("project") / "compact"
    done = tool("build", small_onnx, "-o", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def real_design(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> RealDesign:
    """The project of a real network for a board, built once for the tests of all processes; do not change it."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def design(model: str | Path, board: str) -> Path:
        folder = root / f"{Path(model).stem}-{board}"
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                done = tool("build", model, "--board", board, "-o", folder)
                assert (done.returncode, done.stderr) == (0, "")  # no library's warnings, either
        return folder

    return design
