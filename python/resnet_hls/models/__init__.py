# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The networks that come with the project, by name.

Listing them (``BUNDLED``) imports neither PyTorch nor numpy; ``BUNDLED[name].create()`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from resnet_hls.frontend.torch_module import QuantizedModule

IMAGE_SHAPE = (3, 32, 32)
"""What the networks take: (channels, rows, columns), pixels in 0..1."""
CALIBRATION_IMAGES = 64
"""How many synthetic images settle the batch norms and calibrate the quantizers of a bundled network."""


@dataclass(frozen=True)
class BundledModel:
    """A network of the project: its name, what it is, and its blocks per stage."""

    name: str
    title: str
    blocks: int

    @property
    def weights(self) -> Path:
        """Where its trained weights are."""
        return Path(__file__).with_name(f"{self.name}.safetensors")

    def quantized(self) -> tuple[QuantizedModule, str]:
        """The trained network as the compiler takes it, and one line that says what its weights are.

        Raises:
            UserError: PyTorch is not installed, or the file of weights is damaged.
        """
        from resnet_hls.models.weights import read

        trained = read(self.weights)
        return trained.quantized(), f"{self.title}: {trained.summary}"

    def create(self, seed: int = 0) -> tuple[nn.Module, Tensor]:
        """The float network with random weights, in eval mode, and calibration images (64, 3, 32, 32), float32 in 0..1.

        Both depend on ``seed`` alone.

        Raises:
            UserError: PyTorch is not installed.
        """
        from resnet_hls.frontend.torch_factory import require

        require("torch")
        import torch

        from resnet_hls.models import resnet

        images = torch.from_numpy(synthetic_images(CALIBRATION_IMAGES, seed))
        network = resnet.seeded(self.blocks, seed)
        resnet.settle_batch_norm(network, images)
        return network, images


def synthetic_images(count: int, seed: int = 0, size: int = 32) -> NDArray[np.float32]:
    """Smooth random colour images (count, 3, size, size): float32 pixels k/255 in 0..1, the same for the same ``seed``.

    Each is the sum of three bilinearly enlarged noise fields (2, 4 and 8 cells wide), with an own contrast.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    image = np.zeros((count, 3, size, size))
    for cells, weight in ((2, 1.0), (4, 0.6), (8, 0.4)):
        noise = generator.standard_normal((count, 3, cells + 1, cells + 1))
        position = np.arange(size) * (cells / size)
        low = position.astype(np.int64)
        part = position - low
        rows = noise[:, :, low] * (1 - part)[:, None] + noise[:, :, low + 1] * part[:, None]
        image += weight * (rows[..., low] * (1 - part) + rows[..., low + 1] * part)
    contrast = generator.uniform(0.1, 0.35, (count, 1, 1, 1))
    brightness = generator.uniform(0.3, 0.7, (count, 1, 1, 1))
    pixels = np.round(np.clip(brightness + contrast * image, 0.0, 1.0) * 255)
    return (pixels / 255).astype(np.float32)


BUNDLED: dict[str, BundledModel] = {
    model.name: model
    for model in (
        BundledModel("resnet8", "ResNet8 for CIFAR-10", blocks=1),
        BundledModel("resnet20", "ResNet20 for CIFAR-10", blocks=3),
    )
}
"""The bundled networks by name."""
