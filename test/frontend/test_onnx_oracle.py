# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The oracle gives the published logits of the real models, on the whole test set, and says what images it wants."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_builders import classifier, residual, save

from resnet_hls.errors import UserError
from resnet_hls.simulate.oracle import OnnxOracle

ACCURACY = {("resnet8", 255): 89.06, ("resnet8", 256): 89.20, ("resnet20", 255): 91.77}


@pytest.fixture(scope="session")
def test_batch(cifar10_dir: Path) -> tuple[Any, Any]:
    """Pixels (10000, 3, 32, 32) and labels."""
    batch = pickle.loads((cifar10_dir / "test_batch").read_bytes(), encoding="bytes")
    return np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32), np.asarray(batch[b"labels"])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "scale"), list(ACCURACY))
def test_all_logits_of_the_real_models(shared: Path, test_batch: tuple[Any, Any], name: str, scale: int) -> None:
    """All of them at one scale of pixels, every fifth at the other."""
    pixels, labels = test_batch
    chosen = slice(None, None, 1 if scale == 255 else 5)
    oracle = OnnxOracle(shared / "models" / f"{name}_a8w8b16.qonnx.onnx")
    logits = oracle.run((pixels[chosen] / np.float32(scale)).astype(np.float32)).reshape(-1, 10)
    expected = np.load(shared / "models" / f"{name}_a8w8b16.expected_logits.npz")[f"x_div_{scale}"]
    np.testing.assert_array_equal(logits, expected[chosen])
    assert round(100 * (expected.argmax(1) == labels).mean(), 2) == ACCURACY[name, scale]


def test_shapes_follow_the_model(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((5, 3, 16, 16), np.float32)
    oracle = OnnxOracle(save(classifier(), tmp_path / "m.onnx"), batch=2)
    result = oracle.run(images)
    assert result.shape == (5, 10)
    np.testing.assert_array_equal(result[3:4], oracle.run(images[3:4]))
    assert oracle.run(images[:0]).shape == (0, 10)


@pytest.mark.parametrize(
    ("images", "what"),
    [
        (np.zeros((2, 16, 16, 3), np.float32), "images are float32 of shape 2x16x16x3, not float32 of shape Nx3x16x16"),
        (np.zeros((2, 3, 16, 16), np.uint8), "images are uint8 of shape 2x3x16x16, not float32 of shape Nx3x16x16"),
    ],
)
def test_wrong_images(tmp_path: Path, images: Any, what: str) -> None:
    with pytest.raises(UserError) as caught:
        OnnxOracle(save(residual(), tmp_path / "m.onnx")).run(images)
    assert str(caught.value) == what
