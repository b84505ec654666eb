# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Folded batch norms come back without a change in what the network computes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from resnet_hls.models import BUNDLED, resnet, weights


@pytest.mark.parametrize("name", BUNDLED)
def test_a_folded_network_gets_its_batch_norms_back(name: str) -> None:
    folded = weights.read(BUNDLED[name].weights).floats()
    images, others = torch.rand(2, 32, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    network = resnet.unfolded(folded, images)
    wanted = [layer for layer in resnet.seeded(BUNDLED[name].blocks).modules() if isinstance(layer, nn.Conv2d)]
    found = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    for random, layer in zip(wanted, found, strict=True):
        torch.testing.assert_close(layer.weight.norm(), random.weight.norm(), rtol=1e-5, atol=0)
    with torch.no_grad():
        torch.testing.assert_close(network(others), folded(others), rtol=0, atol=1e-4)
        logits = folded(images)
        # The statistics are those of these images, so that training begins where evaluation is.
        torch.testing.assert_close(network.train()(images), logits, rtol=0, atol=1e-2)
    assert not any(layer._forward_hooks for layer in folded.modules())


def test_a_convolution_of_zeros_alone() -> None:
    folded = weights.read(BUNDLED["resnet8"].weights).floats()
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        folded.get_parameter("layer1.0.conv1.weight").zero_()
        network = resnet.unfolded(folded, images)
        torch.testing.assert_close(network(images), folded(images), rtol=0, atol=1e-4)


def test_a_network_with_batch_norms_is_copied() -> None:
    network = resnet.resnet8(3).eval()
    copied = resnet.unfolded(network, torch.zeros(1, 3, 32, 32))
    assert copied is not network
    for name, value in network.state_dict().items():
        assert torch.equal(copied.state_dict()[name], value)
