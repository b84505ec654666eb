# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The drawings are images that tell apart, and what `verify` says of them."""

import numpy as np

from resnet_hls.cli import check
from resnet_hls.data.cifar10 import CLASSES
from resnet_hls.data.drawings import drawings


def test_one_image_of_each_class() -> None:
    images, labels = drawings()
    assert images.shape == (10, 32, 32, 3)
    assert images.dtype == np.uint8
    assert labels.tolist() == list(range(10))
    np.testing.assert_array_equal(drawings()[0], images)
    for image in images:
        assert image.std() > 20
    # By their colours: the automobile is red, the frog green, the ship's sea blue, the middle of the truck's box white.
    assert images[1, 18:20, 6:24].mean(axis=(0, 1)).argmax() == 0
    assert images[6, 14:16, 13:19].mean(axis=(0, 1)).argmax() == 1
    assert images[8, 28:].mean(axis=(0, 1)).argmax() == 2
    assert images[9, 12:16, 8:14].min() > 180


def test_what_is_said_of_them() -> None:
    labels = list(range(10))
    assert check._recognized(labels, labels) == "verify: the accelerator recognizes 10 of 10 drawings"
    answers = [*labels[:3], 5, *labels[4:9], 11]
    line = check._recognized(answers, labels)
    assert line == "verify: the accelerator recognizes 8 of 10 drawings; it sees cat as dog, truck as class 11"
    assert CLASSES[3] == "cat"
