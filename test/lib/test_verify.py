# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Comparing a project with its model."""

import numpy as np
import pytest
from sample_project import Sample

from resnet_hls.errors import UserError
from resnet_hls.project.manifest import Port
from resnet_hls.simulate import verify as verification
from resnet_hls.simulate.verify import quantize, scale_pixels, verify

PORT = Port((5, 6, 4), 0.0078125, True)
PIXELS = np.random.default_rng(1).integers(0, 256, (60, 5, 6, 4)).astype(np.uint8)


def model(sample: Sample, wrong: tuple[int, int] | None = None) -> verification.Reference:
    """The sample as a model of real numbers; `wrong` adds 3 to an element of an image."""

    def run(images: np.ndarray) -> np.ndarray:
        assert images.dtype == np.float32
        integers = quantize(images.transpose(0, 2, 3, 1), PORT)
        outputs = sample.expected(integers).reshape(-1, 5, 6, 4).transpose(0, 3, 1, 2).astype(np.float32) * 0.5
        if wrong is not None:
            rows = outputs.transpose(0, 2, 3, 1).reshape(len(outputs), -1).copy()
            rows[wrong] += 1.5
            outputs = rows.reshape(-1, 5, 6, 4).transpose(0, 3, 1, 2)
        return outputs

    return run


def test_exact(sample: Sample) -> None:
    labels = np.random.default_rng(2).integers(0, 120, len(PIXELS))
    result = verify(sample.folder, PIXELS, model(sample), labels=labels)
    assert result.passed
    assert result.first_difference is None
    assert result.line.startswith("verify: 60/60 images bit-exact, top-1 ")
    assert verify(sample.folder, PIXELS, model(sample)).line == "verify: 60/60 images bit-exact"


def test_pixel_scales_differ(sample: Sample) -> None:
    at_255, at_256 = scale_pixels(PIXELS, 255), scale_pixels(PIXELS, 256)
    assert (quantize(at_255, PORT) != quantize(at_256, PORT)).any()
    assert verify(sample.folder, PIXELS, model(sample), pixel_scale=256).passed
    assert verify(sample.folder, at_256, model(sample)).passed


def test_first_difference_is_named(sample: Sample) -> None:
    result = verify(sample.folder, PIXELS, model(sample, wrong=(41, 5)))
    assert not result.passed
    assert result.line == "verify: 59/60 images bit-exact"
    assert result.first_difference is not None
    assert (result.first_difference.image, result.first_difference.element) == (41, 5)
    assert result.first_difference.expected == result.first_difference.got + 3
    assert str(result.first_difference).startswith("image 41, output element 5: ")


def test_top1_counts_the_accelerators_classes() -> None:
    got = np.array([[1, 2, 0], [5, 5, 1], [0, 0, 9]])
    result = verification.compare(got, got, np.array([1, 0, 1]))
    assert result.line == "verify: 3/3 images bit-exact, top-1 66.67 %"


def test_quantize_rounds_half_to_even_and_clips() -> None:
    real = np.array([0.5, 1.5, -0.5, -1.5, 200.0, -200.0], np.float32)
    assert quantize(real, Port((1,), 1.0, True)).tolist() == [0, 2, 0, -2, 127, -128]
    unsigned = quantize(real, Port((1,), 1.0, False))
    assert unsigned.dtype == np.uint8
    assert unsigned.tolist() == [0, 2, 0, 0, 200, 0]


def test_images_of_another_shape_or_dtype(sample: Sample) -> None:
    with pytest.raises(UserError, match=r"shape \(60, 4, 5, 6\), the accelerator wants \(N, 5, 6, 4\)"):
        verify(sample.folder, PIXELS.transpose(0, 3, 1, 2), model(sample))
    with pytest.raises(UserError, match="images are int32"):
        verify(sample.folder, PIXELS.astype(np.int32), model(sample))
    with pytest.raises(UserError, match="no images"):
        verify(sample.folder, PIXELS[:0], model(sample))
    with pytest.raises(UserError, match="labels of shape"):
        verify(sample.folder, PIXELS, model(sample), labels=np.zeros(3, np.int64))


def test_another_model(sample: Sample) -> None:
    with pytest.raises(UserError, match=r"no multiples of 0\.5"):
        verify(sample.folder, PIXELS, lambda images: np.full((len(images), 120), 0.3))
    with pytest.raises(UserError, match="the model gives outputs of shape"):
        verify(sample.folder, PIXELS, lambda images: np.zeros((len(images), 10)))
