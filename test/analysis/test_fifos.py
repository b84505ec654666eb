# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What FIFOs are built of: sizes that follow from the primitives by hand."""

from __future__ import annotations

import pytest

from resnet_hls.analysis.fifos import STORAGES, built_depth, cheapest_storage


@pytest.mark.parametrize(
    ("storage", "depth", "bits", "built"),
    [
        ("srl", 1, 8, 16),
        ("srl", 16, 1152, 16),
        ("srl", 17, 8, 32),
        ("srl", 33, 8, 64),
        ("lutram", 2, 8, 64),
        ("lutram", 64, 8, 64),
        ("lutram", 65, 8, 128),
        ("bram", 100, 36, 512),  # one half of 512 x 36
        ("bram", 100, 37, 512),  # two of them
        ("bram", 600, 36, 1024),  # two of 1024 x 18, or two of 512 x 36
        ("bram", 600, 18, 1024),  # one of 1024 x 18
        ("bram", 600, 8, 1024),  # one half, whatever its shape: the shallowest
        ("bram", 2000, 9, 2048),
        ("bram", 2049, 9, 4096),  # two of 2048 x 9; of the others it takes three or more
        ("bram", 20000, 1, 32768),  # two of 16384 x 1
    ],
)
def test_built_depth(storage: str, depth: int, bits: int, built: int) -> None:
    assert built_depth(depth, bits, storage) == built


@pytest.mark.parametrize(
    ("depth", "bits", "storage"),
    [
        (2, 1152, "srl"),
        (32, 1152, "srl"),
        (33, 1, "srl"),  # 2 LUTs, 8, 256
        (64, 8, "srl"),  # 16 LUTs, 16, 256
        (64, 64, "lutram"),  # 128 LUTs, 80, 512
        (512, 36, "bram"),  # 576 LUTs, 384, 256
        (512, 8, "srl"),  # 128 LUTs, 128, 256
        (1024, 8, "srl"),  # 256 LUTs each
        (1056, 8, "bram"),  # 264 LUTs, 272, 256
        (2048, 8, "bram"),
    ],
)
def test_cheapest(depth: int, bits: int, storage: str) -> None:
    assert cheapest_storage(depth, bits) == storage


def test_room_is_never_less() -> None:
    for storage in STORAGES:
        for depth in range(1, 3000, 7):
            for bits in (1, 8, 9, 27, 576):
                assert built_depth(depth, bits, storage) >= depth


def test_unknown() -> None:
    with pytest.raises(ValueError, match="no FIFO is built of 'uram'"):
        built_depth(2, 8, "uram")
