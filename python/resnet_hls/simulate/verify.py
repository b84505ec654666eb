# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compare the emitted C++ with the model, integer by integer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_hls.errors import UserError
from resnet_hls.progress import Told, silent
from resnet_hls.project import manifest
from resnet_hls.project.manifest import Port
from resnet_hls.simulate import csim

# Real images (N, C, H, W), float32, to real outputs (N, …): the model, with its own quantizers.
Reference = Callable[[NDArray[np.float32]], NDArray[Any]]


@dataclass(frozen=True)
class Difference:
    """The first output that is not the model's.

    Args:
        image: its number.
        element: of the flattened output of that image.
        got: the accelerator's integer.
        expected: the model's.
    """

    image: int
    element: int
    got: int
    expected: int

    def __str__(self) -> str:
        return f"image {self.image}, output element {self.element}: {self.got}, the model says {self.expected}"


@dataclass(frozen=True)
class VerifyResult:
    """What a verification found.

    Args:
        images: how many were run.
        exact: how many gave the model's integers.
        differing_elements: over all images.
        first_difference: None when every image is exact.
        top1_percent: share of images whose greatest output is at their label; None without labels.
        answers: where the accelerator's greatest output is, image by image.
    """

    images: int
    exact: int
    differing_elements: int
    first_difference: Difference | None
    top1_percent: float | None
    answers: tuple[int, ...] = ()

    @property
    def passed(self) -> bool:
        """Every image is exact."""
        return self.exact == self.images

    @property
    def line(self) -> str:
        """`verify: M/N images bit-exact, top-1 P %`."""
        text = f"verify: {self.exact}/{self.images} images bit-exact"
        return text if self.top1_percent is None else f"{text}, top-1 {self.top1_percent:.2f} %"


def scale_pixels(images: NDArray[Any], pixel_scale: int) -> NDArray[np.float32]:
    """Real images from pixels.

    Args:
        images: (N, H, W, C): uint8 pixels, which are divided by `pixel_scale`, or float32, which are real already.
        pixel_scale: 255 or 256.

    Returns:
        (N, H, W, C), float32.

    Raises:
        UserError: another dtype.
    """
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(pixel_scale)
    if images.dtype == np.float32:
        return images
    raise UserError(f"images are {images.dtype}, expected uint8 pixels or float32")


def quantize(real: NDArray[np.float32], port: Port) -> csim.Bytes:
    """The integers of a port: x / scale, rounded half to even, moved by the zero point, clipped.

    Args:
        real: of any shape.
        port: gives scale and range.

    Returns:
        int8 or uint8 of the same shape.
    """
    least, greatest = port.range
    rounded = np.rint(real / np.float32(port.scale)) + np.float32(port.zero_point)
    integers: NDArray[np.float32] = np.clip(rounded, least, greatest)
    return integers.astype(np.int8) if port.signed else integers.astype(np.uint8)


def to_integers(real: NDArray[Any], port: Port) -> NDArray[np.int64]:
    """The integers behind real outputs, one row a frame.

    Args:
        real: (N, C, H, W) or (N, elements): multiples of the port's scale.
        port: of the output.

    Returns:
        (N, elements), int64, channels last.

    Raises:
        UserError: the values are no multiples of the scale: the reference is not this accelerator's model.
    """
    if real.ndim == 4:
        real = real.transpose(0, 2, 3, 1)
    units = real.reshape(len(real), -1).astype(np.float64) / port.scale + port.zero_point
    integers = np.rint(units)
    if units.size and float(np.abs(units - integers).max()) > 2.0**-10:
        raise UserError(
            f"the model's outputs are no multiples of {port.scale}, the scale in the manifest",
            where="verify",
            help="build the project again from this model",
        )
    return integers.astype(np.int64)


def verify(
    project: Path,
    images: NDArray[Any],
    reference: Reference,
    *,
    labels: NDArray[np.integer[Any]] | None = None,
    pixel_scale: int = 255,
    headers: csim.Headers = "fast",
    compiler: csim.Compiler = "g++",
    progress: Told = silent,
) -> VerifyResult:
    """Runs images through the C++ of a project and through the model, and compares.

    Args:
        project: folder that `resnet-hls build` wrote.
        images: (N, H, W, C): uint8 pixels, or float32 as the model wants them.
        reference: the model.
        labels: (N,), the class of every image.
        pixel_scale: what uint8 pixels are divided by, 255 or 256.
        headers: see `resnet_hls.simulate.csim`.
        compiler: `g++` or `clang++`.
        progress: told what is done.

    Returns:
        What was found.

    Raises:
        UserError: the images do not fit the accelerator, or as `csim.compile_testbench` and `csim.run`.
    """
    ports = manifest.read(project)
    if images.ndim != 4 or images.shape[1:] != ports.input.shape:
        raise UserError(
            f"images have shape {tuple(images.shape)}, the accelerator wants (N, "
            f"{', '.join(map(str, ports.input.shape))})",
            help="give images as (number, rows, columns, channels)",
        )
    if len(images) == 0:
        raise UserError("no images to verify with", help="ask for one at least", status=2)
    if labels is not None and labels.shape != (len(images),):
        raise UserError(f"{len(images)} images have labels of shape {labels.shape}")
    real = scale_pixels(images, pixel_scale)
    progress(f"compiling with {compiler}", 0, 0)
    executable = csim.compile_testbench(project, headers=headers, compiler=compiler)
    weights = csim.weights_of(project)
    integers = quantize(real, ports.input)
    outputs = csim.run(executable, integers, weights=weights, progress=progress)
    progress("the model", 0, 0)
    got = (outputs if ports.output.signed else outputs.view(np.uint8)).astype(np.int64)
    expected = to_integers(reference(np.ascontiguousarray(real.transpose(0, 3, 1, 2))), ports.output)
    if expected.shape != got.shape:
        raise UserError(
            f"the model gives outputs of shape {expected.shape}, the accelerator {got.shape}",
            where="verify",
            help=f"build the project again from this model (its output has {math.prod(ports.output.shape)} elements)",
        )
    return compare(got, expected, labels)


def compare(
    got: NDArray[np.int64], expected: NDArray[np.int64], labels: NDArray[np.integer[Any]] | None = None
) -> VerifyResult:
    """Counts what is equal.

    Args:
        got: (N, elements), of the accelerator.
        expected: (N, elements), of the model, elements in the same order.
        labels: (N,), the class of every image.
    """
    different = got != expected
    exact = int(len(got) - np.count_nonzero(different.any(axis=1)))
    first = None
    if exact != len(got):
        image, element = (int(index) for index in np.argwhere(different)[0])
        first = Difference(image, element, int(got[image, element]), int(expected[image, element]))
    answers = got.argmax(axis=1)
    top1 = None if labels is None else 100.0 * float(np.mean(answers == labels))
    return VerifyResult(len(got), exact, int(np.count_nonzero(different)), first, top1, tuple(answers.tolist()))
