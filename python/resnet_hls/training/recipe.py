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
        epochs: of float training. More of them can be had later: the learning rate falls at the end alone.
        quantized_epochs: of training in the compiler's arithmetic, which begins with the average of the float weights.
        batch_size: images a step.
        learning_rate: of float training, after `warm_up` epochs in which it rises and before the last ones.
        quantized_learning_rate: the first of quantized training, where it falls all the time. Without batch norms a
            high one undoes everything: 0.002 does with a teacher, whose part of the loss has twice the gradient.
        warm_up: epochs of float training in which the learning rate rises.
        decay: share of the float epochs, the last ones, in which the learning rate falls to 0.
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
    quantized_learning_rate: float = 0.0003
    warm_up: int = 2
    decay: float = 0.3
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
    "resnet8": Recipe("resnet8", epochs=200, quantized_epochs=5, weight_decay=2e-4),
    "resnet20": Recipe("resnet20", epochs=120, quantized_epochs=5, cutout=8),
}
"""The recipes of the bundled networks."""


@dataclass(frozen=True)
class Schedule:
    """The learning rate, step by step: a line up, a level, and a root down to 0, which is all that knows of the end.

    (1 - square root) is what A. Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed Training
    Durations", 2024, found best; what it gives is near a cosine's.

    Attributes:
        highest: rate.
        warm_up: steps up.
        level: the first step that is lower again.
        steps: of all.
    """

    highest: float
    warm_up: int
    level: int
    steps: int

    def rate(self, step: int) -> float:
        """The rate of `step`, 0 … steps - 1."""
        if step < min(self.warm_up, self.level):
            return self.highest * (step + 1) / self.warm_up
        if step < self.level:
            return self.highest
        return self.highest * (1 - math.sqrt((step - self.level) / (self.steps - self.level)))


@dataclass(frozen=True)
class Phase:
    """One stretch of training.

    Attributes:
        name: of the phase; its files are called after it.
        epochs: how many.
        learning_rate: the highest.
        warm_up: epochs in which it rises.
        decay: share of the epochs, the last ones, in which it falls.
        cutout: see the recipe.
        mixed: compute in bfloat16 where that is safe.
    """

    name: str
    epochs: int
    learning_rate: float
    warm_up: int = 0
    decay: float = 1.0
    cutout: int = 0
    mixed: bool = False

    def schedule(self, per_epoch: int) -> Schedule:
        """The learning rate, for epochs of `per_epoch` steps."""
        level = self.epochs - max(1, round(self.epochs * self.decay))
        return Schedule(self.learning_rate, self.warm_up * per_epoch, level * per_epoch, self.epochs * per_epoch)


def float_phase(recipe: Recipe, mixed: bool = False) -> Phase:
    """Training from random weights, or from trained ones."""
    return Phase("float", recipe.epochs, recipe.learning_rate, recipe.warm_up, recipe.decay, recipe.cutout, mixed)


def quantized_phase(recipe: Recipe) -> Phase:
    """Training in the compiler's arithmetic: images are shifted and flipped, and that is all."""
    return Phase("quantized", recipe.quantized_epochs, recipe.quantized_learning_rate)
