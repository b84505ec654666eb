# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ten drawings of our own, one of each class of CIFAR-10: shapes on a soft background, for showing what a network says.

They are no measure of anything: accuracy is counted on CIFAR-10's test images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from resnet_hls.data.cifar10 import CLASSES

Colour = tuple[int, int, int]
Points = list[tuple[float, float]]

_SIZE, _FINE = 32, 8  # pixels a side, and points a pixel and side


class _Canvas:
    """A square whose coordinates go from (0, 0), top left, to (32, 32)."""

    def __init__(self, top: Colour, bottom: Colour, ground: Colour | None = None, horizon: float = 22.0) -> None:
        points = (np.arange(_SIZE * _FINE) + 0.5) / _FINE
        self.x, self.y = np.meshgrid(points, points)
        part = (self.y / _SIZE)[..., None]
        self.paint = np.array(top) * (1 - part) + np.array(bottom) * part
        if ground is not None:
            self.polygon([(0, horizon), (32, horizon), (32, 32), (0, 32)], ground)

    def fill(self, inside: NDArray[np.bool_], colour: Colour) -> None:
        """Lighter above, darker below."""
        shade = 1.12 - 0.24 * self.y[inside] / _SIZE
        self.paint[inside] = np.array(colour) * shade[:, None]

    def ellipse(self, x: float, y: float, width: float, height: float, colour: Colour, turn: float = 0.0) -> None:
        """Around (x, y), with these half axes, turned clockwise by degrees."""
        angle = np.radians(turn)
        right, down = self.x - x, self.y - y
        along, across = right * np.cos(angle) + down * np.sin(angle), down * np.cos(angle) - right * np.sin(angle)
        self.fill((along / width) ** 2 + (across / height) ** 2 <= 1, colour)

    def polygon(self, corners: Points, colour: Colour) -> None:
        """Corners in turn; a point is inside when a ray from it crosses the border an odd number of times."""
        inside = np.zeros(self.x.shape, bool)
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
            if y0 != y1:
                crosses = (self.y >= min(y0, y1)) & (self.y < max(y0, y1))
                inside ^= crosses & (self.x < x0 + (self.y - y0) * (x1 - x0) / (y1 - y0))
        self.fill(inside, colour)

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float, colour: Colour) -> None:
        """From (x0, y0) to (x1, y1)."""
        length = float(np.hypot(x1 - x0, y1 - y0))
        right, down = (x1 - x0) / length * width / 2, (y1 - y0) / length * width / 2
        self.polygon(
            [(x0 - down, y0 + right), (x1 - down, y1 + right), (x1 + down, y1 - right), (x0 + down, y0 - right)], colour
        )

    def pixels(self, seed: int) -> NDArray[np.uint8]:
        """(32, 32, 3), uint8: averaged, with a little noise."""
        mean = self.paint.reshape(_SIZE, _FINE, _SIZE, _FINE, 3).mean(axis=(1, 3))
        noise = np.random.default_rng(seed).integers(-6, 7, mean.shape)
        pixels: NDArray[np.uint8] = np.clip(np.round(mean) + noise, 0, 255).astype(np.uint8)
        return pixels


def drawings() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The images, (10, 32, 32, 3), uint8, and their labels, 0 … 9."""
    makers = (_airplane, _automobile, _bird, _cat, _deer, _dog, _frog, _horse, _ship, _truck)
    assert [make.__name__[1:] for make in makers] == list(CLASSES)
    images = np.stack([make().pixels(seed) for seed, make in enumerate(makers)])
    return images, np.arange(len(makers), dtype=np.int64)


def _airplane() -> _Canvas:
    sky = _Canvas((110, 160, 220), (190, 215, 240))
    sky.polygon([(14, 15), (18, 15), (12, 25), (9, 25)], (150, 155, 165))
    sky.ellipse(16, 15, 13, 2.3, (225, 228, 232), turn=-8)
    sky.polygon([(13, 15), (18, 14), (10, 5), (7, 6)], (190, 195, 202))
    sky.polygon([(3, 17), (7, 16), (5, 10), (2.5, 10)], (60, 90, 160))
    return sky


def _automobile() -> _Canvas:
    road = _Canvas((175, 185, 190), (150, 150, 145), (95, 95, 98), 21)
    road.polygon([(2, 22), (3, 17), (9, 16), (13, 11), (23, 11), (27, 16), (30, 17), (30, 22)], (190, 25, 30))
    road.polygon([(11, 16), (14, 12.3), (18, 12.3), (18, 16)], (50, 60, 75))
    road.polygon([(19, 16), (19, 12.3), (22.5, 12.3), (25, 16)], (50, 60, 75))
    for x in (8.5, 24):
        road.ellipse(x, 22, 3.2, 3.2, (25, 25, 27))
        road.ellipse(x, 22, 1.5, 1.5, (160, 160, 165))
    return road


def _bird() -> _Canvas:
    leaves = _Canvas((120, 150, 90), (90, 120, 70))
    leaves.line(0, 27, 32, 25, 2, (95, 70, 50))
    leaves.polygon([(10, 18), (2, 26), (4, 28), (13, 22)], (80, 60, 45))
    leaves.ellipse(15, 17, 7, 5, (150, 110, 75), turn=-35)
    leaves.ellipse(16, 19, 4.5, 3.5, (225, 205, 180), turn=-35)
    leaves.ellipse(20.5, 10, 3.6, 3.4, (120, 80, 55))
    leaves.polygon([(23.5, 9), (28, 10.5), (23.5, 11.5)], (60, 50, 40))
    leaves.ellipse(21.5, 9.5, 0.8, 0.8, (10, 10, 10))
    for x in (15, 17.5):
        leaves.line(x, 21, x, 26, 0.8, (70, 50, 40))
    return leaves


def _cat() -> _Canvas:
    room = _Canvas((165, 140, 115), (130, 105, 85))
    room.ellipse(16, 31, 10, 9, (130, 120, 110))
    for side in (-1, 1):
        room.polygon([(16 + side * 9, 4), (16 + side * 8.5, 14), (16 + side * 2, 9)], (120, 110, 100))
        room.polygon([(16 + side * 8, 6.5), (16 + side * 7.5, 12), (16 + side * 4, 9.5)], (200, 150, 145))
    room.ellipse(16, 15.5, 9, 7.8, (140, 130, 120))
    for x in (13, 16, 19):
        room.line(x, 8, x, 11.5, 1.1, (80, 72, 65))
    room.ellipse(16, 19.5, 4.2, 3, (215, 208, 200))
    for side in (-1, 1):
        room.ellipse(16 + side * 4, 14.5, 1.9, 1.6, (170, 190, 70))
        room.ellipse(16 + side * 4, 14.5, 0.7, 1.5, (10, 10, 10))
        room.line(16 + side * 2, 19.5, 16 + side * 10, 18.5, 0.4, (235, 235, 235))
    room.polygon([(15, 17.5), (17, 17.5), (16, 18.8)], (190, 110, 110))
    return room


def _deer() -> _Canvas:
    wood = _Canvas((95, 120, 70), (120, 135, 75), (135, 145, 80), 24)
    for x in (8, 11, 19, 22):
        wood.line(x, 19, x + 0.3, 30, 1.4, (120, 80, 50))
    wood.ellipse(15, 17.5, 8.5, 4.2, (160, 110, 70))
    wood.polygon([(19, 17), (23, 17), (26, 8), (23, 7)], (160, 110, 70))
    wood.ellipse(25.5, 8, 3.2, 1.8, (150, 100, 62), turn=25)
    for side in (0, 2.2):
        wood.line(23 + side, 7, 21.5 + side * 2, 1, 0.8, (90, 65, 45))
        wood.line(22.5 + side * 1.4, 4.5, 20 + side * 3, 3.5, 0.7, (90, 65, 45))
    wood.ellipse(6.5, 16, 1.3, 1.8, (235, 225, 210))
    return wood


def _dog() -> _Canvas:
    lawn = _Canvas((150, 170, 120), (100, 140, 70))
    lawn.ellipse(16, 30, 8.5, 9, (190, 140, 85))
    lawn.ellipse(16, 13.5, 8, 8, (200, 150, 95))
    for side in (-1, 1):
        lawn.ellipse(16 + side * 8, 14, 2.6, 6, (120, 75, 40), turn=-side * 12)
        lawn.ellipse(16 + side * 3.3, 11.5, 1.2, 1.3, (25, 18, 15))
    lawn.ellipse(16, 17.5, 4.4, 3.8, (235, 215, 185))
    lawn.ellipse(16, 15.8, 1.9, 1.3, (20, 18, 18))
    lawn.ellipse(16, 21, 1.5, 2, (215, 110, 115))
    return lawn


def _frog() -> _Canvas:
    soil = _Canvas((120, 100, 75), (95, 80, 60))
    soil.ellipse(16, 26, 13, 4, (70, 58, 45))
    for side in (-1, 1):
        soil.ellipse(16 + side * 9, 22, 4.5, 5, (80, 120, 45), turn=side * 30)
        soil.ellipse(16 + side * 6, 26.5, 3.5, 1.5, (95, 140, 55))
    soil.ellipse(16, 19, 9.5, 7, (100, 150, 55))
    soil.ellipse(16, 22, 6.5, 4, (200, 205, 140))
    for side in (-1, 1):
        soil.ellipse(16 + side * 5, 12, 2.8, 2.8, (110, 160, 60))
        soil.ellipse(16 + side * 5, 11.8, 1.6, 1.6, (225, 190, 60))
        soil.ellipse(16 + side * 5, 11.8, 0.9, 0.7, (10, 10, 10))
    soil.line(10, 17, 22, 17, 0.7, (55, 85, 30))
    return soil


def _horse() -> _Canvas:
    meadow = _Canvas((175, 200, 220), (160, 185, 150), (110, 145, 70), 20)
    for x in (8, 11, 19.5, 22):
        meadow.line(x, 18, x, 30, 1.8, (85, 48, 28))
    meadow.polygon([(5, 14), (2.5, 24), (4.5, 24), (8, 15)], (35, 22, 16))
    meadow.ellipse(14.5, 16, 9.5, 5, (115, 65, 38))
    meadow.polygon([(18, 17), (24, 17), (28, 6), (24, 4)], (115, 65, 38))
    meadow.polygon([(18, 13), (22, 11), (25.5, 3.5), (23.5, 3.5)], (35, 22, 16))
    meadow.ellipse(27.5, 7.5, 4, 2, (110, 62, 36), turn=40)
    return meadow


def _ship() -> _Canvas:
    sea = _Canvas((165, 195, 225), (200, 215, 230), (50, 85, 125), 22)
    sea.polygon([(2, 18), (30, 18), (27, 24), (5, 24)], (45, 50, 70))
    sea.polygon([(3, 21.5), (29, 21.5), (27, 24), (5, 24)], (150, 45, 40))
    sea.polygon([(8, 18), (8, 13), (24, 13), (24, 18)], (235, 235, 235))
    sea.polygon([(11, 13), (11, 9.5), (20, 9.5), (20, 13)], (225, 225, 228))
    sea.polygon([(14, 9.5), (14, 5), (17, 5), (17, 9.5)], (200, 90, 40))
    for x in range(10, 24, 3):
        sea.polygon([(x, 16), (x, 14.5), (x + 1.5, 14.5), (x + 1.5, 16)], (70, 90, 115))
    return sea


def _truck() -> _Canvas:
    road = _Canvas((170, 190, 210), (185, 190, 190), (110, 108, 105), 23)
    road.polygon([(2, 22), (2, 7), (20, 7), (20, 22)], (225, 222, 215))
    road.polygon([(20.5, 23), (20.5, 10), (26, 10), (29, 15), (30, 16), (30, 23)], (35, 80, 160))
    road.polygon([(22, 15.5), (22, 11.5), (25.3, 11.5), (27.5, 15.5)], (45, 55, 70))
    road.polygon([(2, 24), (2, 22), (30, 22), (30, 24)], (50, 50, 52))
    for x in (6, 11, 25.5):
        road.ellipse(x, 24.5, 2.6, 2.6, (22, 22, 24))
        road.ellipse(x, 24.5, 1.1, 1.1, (150, 150, 150))
    return road
