# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Images for checks that need no data set: they depend on a seed alone, and reach every value of the input's range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_hls.project.manifest import Port

_CELLS = 4


def sample_images(count: int, shape: Sequence[int], limits: tuple[int, int], seed: int = 0) -> NDArray[np.int64]:
    """Quantized images (count, *shape), by turns of noise and of smooth patches.

    Args:
        count: how many.
        shape: of one image, channels last: (height, width, channels).
        limits: least and greatest integer, both included.
        seed: the same seed gives the same images, and the first ones of a longer sequence.
    """
    height, width, channels = shape
    least, greatest = limits
    images = np.empty((count, height, width, channels), np.int64)
    for number in range(count):
        generator = np.random.default_rng((seed, number))
        if number % 2 == 0:
            images[number] = generator.integers(least, greatest + 1, (height, width, channels))
            continue
        cells = generator.integers(least, greatest + 1, (_CELLS, _CELLS, channels))
        rows, columns = (np.arange(size) * _CELLS // size for size in (height, width))
        texture = generator.integers(-2, 3, (height, width, channels))
        images[number] = np.clip(cells[rows][:, columns] + texture, least, greatest)
    return images


def real_images(integers: NDArray[Any], port: Port) -> NDArray[np.float32]:
    """Images as a model takes them, float32, from quantized ones.

    Args:
        integers: (N, height, width, channels).
        port: of the input.

    Returns:
        (N, channels, height, width).
    """
    return np.ascontiguousarray(port.to_real(integers).transpose(0, 3, 1, 2))
