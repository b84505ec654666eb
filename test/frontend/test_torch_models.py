# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The bundled networks and their synthetic images."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torchao", reason="quantization needs torchao")

import torch
from torch_networks import synthetic_images, untrained

from resnet_hls.models import BUNDLED
from resnet_hls.models.weights import read


def test_listing_imports_neither_torch_nor_numpy() -> None:
    code = "import sys; from resnet_hls.models import BUNDLED; print(*BUNDLED, *({'torch', 'numpy'} & {*sys.modules}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["resnet8", "resnet20"]


@pytest.mark.parametrize("name", ["resnet8", "resnet20"])
def test_what_is_said_of_the_weights_is_true(name: str) -> None:
    network = BUNDLED[name]
    _, note = network.quantized()
    assert note.startswith(f"{network.title}: trained weights, ")
    top1 = read(network.weights).training["test_top1_percent"]["integer"]
    assert f"{top1:.2f} % top-1" in note


def test_synthetic_images_are_pixels_and_depend_on_the_seed_alone() -> None:
    images = synthetic_images(5, seed=3)
    assert images.shape == (5, 3, 32, 32)
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert np.array_equal(images, (np.round(images.astype(np.float64) * 255) / 255).astype(np.float32))
    assert np.array_equal(images, synthetic_images(5, seed=3))
    assert not np.array_equal(images, synthetic_images(5, seed=4))
    steps = np.abs(np.diff(images, axis=3))
    assert steps.mean() < 0.05  # smooth
    assert images.std() > 0.1  # and yet not grey


@pytest.mark.parametrize(("name", "convolutions", "parameters"), [("resnet8", 9, 78_042), ("resnet20", 21, 272_474)])
def test_networks_are_seeded_and_tell_images_apart(name: str, convolutions: int, parameters: int) -> None:
    state = torch.get_rng_state()
    network, images = untrained(name, seed=2)
    assert torch.equal(state, torch.get_rng_state())
    assert not network.training
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in network.modules()) == convolutions
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    with torch.no_grad():
        logits = network(images)
    assert logits.shape == (64, 10)
    assert logits.std(0).min() > 0.05  # every logit depends on the image
    assert logits.argmax(1).unique().numel() > 1
    again, _ = untrained(name, seed=2)
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    )
    other, _ = untrained(name, seed=3)
    assert not torch.equal(network.conv1.weight, other.conv1.weight)


def test_no_operation_stands_between_the_second_convolution_and_the_add() -> None:
    network, images = untrained("resnet8")
    graph = torch.export.export(network, (images[:1],)).graph
    adds = [node for node in graph.nodes if node.target == torch.ops.aten.add.Tensor]
    assert len(adds) == 3
    assert all(add.args[0].target == torch.ops.aten.batch_norm.default for add in adds)
