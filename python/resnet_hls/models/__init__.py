# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The networks that come with the project, by name.

Listing them (``BUNDLED``) imports neither PyTorch nor numpy; ``BUNDLED[name].quantized()`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resnet_hls.frontend.torch_module import QuantizedModule

IMAGE_SHAPE = (3, 32, 32)
"""What the networks take: (channels, rows, columns), pixels in 0..1."""


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


BUNDLED: dict[str, BundledModel] = {
    model.name: model
    for model in (
        BundledModel("resnet8", "ResNet8 for CIFAR-10", blocks=1),
        BundledModel("resnet20", "ResNet20 for CIFAR-10", blocks=3),
    )
}
"""The bundled networks by name."""
