# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Residual blocks as the affine maps show them; figures by hand from [iw (rh - 1) + rw] ich and
[iw (fh - 1) + fw - 1] ich.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from affine_networks import add, affine, affine_file, concatenation, conv, network
from onnx_builders import Net

from resnet_hls.analysis.residuals import ResidualBlock, residual_blocks
from resnet_hls.ir_utils import public_function

#: Columns of the map, and its channels: all different, so that no figure is right by chance.
WIDTH, CHANNELS = 9, 4
SHAPE = (CHANNELS, 11, WIDTH)


def naive(rows: int, columns: int, width: int = WIDTH, channels: int = CHANNELS) -> int:
    return (width * (rows - 1) + columns) * channels


def published(rows: int, columns: int, width: int = WIDTH, channels: int = CHANNELS) -> int:
    return (width * (rows - 1) + columns - 1) * channels


def blocks(net: Net, output: str, folder: Path) -> list[ResidualBlock]:
    module = affine(net.model(output), folder)
    return residual_blocks(public_function(module.operation))


def figures(found: list[ResidualBlock]) -> list[tuple[int, int]]:
    return [(block.naive_bytes, block.published_bytes) for block in found]


def test_no_block(tmp_path: Path) -> None:
    net, x = network(SHAPE)
    assert blocks(net, conv(net, "b", conv(net, "a", x, 4), 4), tmp_path) == []


def test_identity(tmp_path: Path) -> None:
    net, x = network(SHAPE)
    x = conv(net, "stem", x, CHANNELS)
    y = conv(net, "b", conv(net, "a", x, 6), CHANNELS)
    (block,) = blocks(net, add(net, "sum", y, x), tmp_path)
    assert (block.join, block.fork, block.main, block.skip) == ("b", "stem", "a", "stem")
    assert figures([block]) == [(naive(5, 5), published(3, 3, channels=6))]


def test_fork_of_the_image_and_one_convolution(tmp_path: Path) -> None:
    """The join reads the same map twice: through a window, and element by element."""
    net, x = network(SHAPE)
    (block,) = blocks(net, add(net, "sum", conv(net, "a", x, CHANNELS, 5), x), tmp_path)
    assert (block.fork, block.main, block.skip) == ("input", "input", "input")
    assert figures([block]) == [(naive(5, 5), published(5, 5))]


def test_stride_2(tmp_path: Path) -> None:
    net, x = network(SHAPE)
    x = conv(net, "stem", x, CHANNELS)
    y = conv(net, "b", conv(net, "a", x, 6, stride=2), 6)
    z = conv(net, "down", x, 6, 1, stride=2)
    (block,) = blocks(net, add(net, "sum", y, z), tmp_path)
    assert block.fork == "stem"
    assert figures([block]) == [(naive(7, 7), published(3, 3, width=5, channels=6))]


def test_unequal_windows(tmp_path: Path) -> None:
    """A skip with a window of its own; the long way is dilated."""
    net, x = network(SHAPE)
    x = conv(net, "stem", x, CHANNELS)
    z = conv(net, "short", x, 6, 3)
    y = conv(net, "long", conv(net, "middle", x, 5), 6, dilation=2)
    (block,) = blocks(net, add(net, "sum", z, y), tmp_path)
    assert block.fork == "stem"
    assert figures([block]) == [(naive(7, 7), published(5, 5, channels=5))]


def test_bottleneck(tmp_path: Path) -> None:
    """The last window stands before the join: 1x1, 3x3, 1x1."""
    net, x = network(SHAPE)
    x = conv(net, "stem", x, CHANNELS)
    y = conv(net, "reduce", x, 2, 1)
    y = conv(net, "expand", conv(net, "middle", y, 3), CHANNELS, 1)
    (block,) = blocks(net, add(net, "sum", y, x), tmp_path)
    assert block.fork == "stem"
    assert figures([block]) == [(naive(3, 3), published(3, 3, channels=2))]


def test_no_window(tmp_path: Path) -> None:
    net, x = network(SHAPE)
    x = conv(net, "stem", x, CHANNELS)
    y = conv(net, "point", x, CHANNELS, 1)
    assert figures(blocks(net, add(net, "sum", y, x), tmp_path)) == [(CHANNELS, 0)]


def test_nested(tmp_path: Path) -> None:
    """A block on the long way of another."""
    net, x = network(SHAPE)
    x = conv(net, "stem", x, CHANNELS)
    a = conv(net, "a", x, CHANNELS)
    inner = add(net, "inner", conv(net, "c", conv(net, "b", a, 5), CHANNELS), a)
    outer = add(net, "outer", conv(net, "d", inner, CHANNELS), x)
    found = blocks(net, outer, tmp_path)
    assert [(block.join, block.fork) for block in found] == [("c", "a"), ("d", "stem")]
    assert figures(found) == [(naive(5, 5), published(3, 3, channels=5)), (naive(9, 9), published(3, 3))]


def test_dense(tmp_path: Path) -> None:
    """Three maps in one concatenation: the two that look less far wait for the third, each from where it was made."""
    net, x = network(SHAPE)
    x = conv(net, "stem", x, CHANNELS)
    a = conv(net, "a", x, 5)
    b = conv(net, "b", a, 6)
    found = blocks(net, conv(net, "last", concatenation(net, "all", x, a, b), 3, 1), tmp_path)
    assert sorted((block.fork, block.skip, block.main) for block in found) == [("a", "a", "b"), ("stem", "stem", "b")]
    by_fork = {block.fork: figures([block])[0] for block in found}
    assert by_fork["stem"] == (naive(5, 5), published(3, 3, channels=5))
    assert by_fork["a"] == (naive(3, 3, channels=5), published(3, 3, channels=5))


def test_window_of_the_whole_map(tmp_path: Path) -> None:
    """A receptive field ends where the map does."""
    net, x = network((CHANNELS, 3, 3))
    x = conv(net, "stem", x, CHANNELS)
    y = conv(net, "b", conv(net, "a", x, 6), CHANNELS)
    assert figures(blocks(net, add(net, "sum", y, x), tmp_path)) == [(9 * CHANNELS, published(3, 3, 3, 6))]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet8", [(2128, 1056), (3184, 1088), (3296, 1152)]),
        (
            "resnet20",
            [
                *[(2128, 1056)] * 3,
                *[(3184, 1088), (2208, 1088), (2208, 1088)],
                *[(3296, 1152), (2368, 1152), (2368, 1152)],
            ],
        ),
    ],
)
def test_shared_models(shared: Path, name: str, expected: list[tuple[int, int]]) -> None:
    """Published for the first block of ResNet8: 2,128 and 1,056."""
    module = affine_file(str(shared / "models" / f"{name}_a8w8b16.qonnx.onnx"))
    found = residual_blocks(public_function(module.operation))
    assert figures(found) == expected
    assert [block.fork for block in found[1:]] == [block.join for block in found[:-1]]
