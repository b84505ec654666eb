# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How a network is trained: numbers only. Importing this module is cheap."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """All that decides what training gives, besides the data.

    Attributes:
        network: a bundled name.
        epochs: of float training.
        quantized_epochs: of training in the compiler's arithmetic, which begins with the average of the float weights.
        batch_size: images a step.
        learning_rate: the highest of float training, after `warm_up`; it falls to 0 along a cosine.
        quantized_learning_rate: the first of quantized training; it falls likewise.
        warm_up: share of the float steps in which the learning rate rises.
        momentum: of Nesterov's method.
        weight_decay: of weights, not of biases and batch norms.
        label_smoothing: share of the target that goes to all classes evenly.
        cutout: side of the square that is greyed in every image, 0 for none.
        average: decay a step of the moving average of weights, which is what is evaluated and kept.
        distillation: share of the loss that compares with the teacher, where there is one.
        temperature: of that comparison.
        calibration_images: that choose the scales.
        held_out: images at the end of the training set that are for validation.
        seed: of the initial weights, the order of images and their augmentation.
    """

    network: str
    epochs: int
    quantized_epochs: int
    batch_size: int = 128
    learning_rate: float = 0.1
    quantized_learning_rate: float = 0.002
    warm_up: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.0
    cutout: int = 0
    average: float = 0.999
    distillation: float = 0.7
    temperature: float = 4.0
    calibration_images: int = 1024
    held_out: int = 5000
    seed: int = 0

    def as_json(self) -> dict[str, Any]:
        """The recipe by field names."""
        return dataclasses.asdict(self)


# ResNet8 has too few weights to learn the training set by heart, so nothing that hampers it earns its place.
RECIPES = {
    "resnet8": Recipe("resnet8", epochs=200, quantized_epochs=10, learning_rate=0.2, weight_decay=2e-4),
    "resnet20": Recipe("resnet20", epochs=80, quantized_epochs=8, cutout=8),
}
"""The recipes of the bundled networks."""


def learning_rate(step: int, steps: int, highest: float, warm_up: float) -> float:
    """The rate of `step` of `steps`: a line up to `highest` in a share `warm_up` of them, then a cosine to 0."""
    rising = round(steps * warm_up)
    if step < rising:
        return highest * (step + 1) / rising
    return highest * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))
