# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""resnet_hls/packed.h: two products in one multiplier, for all pairs of weights and all activations."""

import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("packed.cpp")
PAIRS = 2**16 * 2**8
#: Weights and activations from 0 to 255 that are too large five times.
UNSIGNED = sum(not -(2**17) <= 5 * w * a < 2**17 for w in range(-128, 128) for a in range(256))
#: What each part prints: exact up to the limit, and not beyond.
EXPECTED = {
    0: [
        f"27 bits, signed, weights from -128, 1 links: 0 of {PAIRS} wrong",
        f"27 bits, signed, weights from -128, 7 links: 0 of {PAIRS} wrong",
    ],
    1: [
        # -128 * -128, eight times, is 2^17, one more than the low lane holds; whatever the high lane has.
        f"27 bits, signed, weights from -128, 8 links: {2**8} of {PAIRS} wrong",
        f"27 bits, signed, weights from -127, 8 links: 0 of {255**2 * 256} wrong",
    ],
    2: [
        f"27 bits, unsigned, weights from -128, 4 links: 0 of {PAIRS} wrong",
        f"27 bits, unsigned, weights from -128, 5 links: {2**8 * UNSIGNED} of {PAIRS} wrong",
    ],
    3: [
        f"27 bits, 19 apart, weights from -127, 16 links: 0 of {255**2 * 256} wrong",
        # The packed number wraps; only nothing times it is still right.
        f"27 bits, 19 apart, weights from -128, 1 links: {128 * 255} of {PAIRS} wrong",
    ],
    4: [
        f"25 bits, signed, weights from -128, 1 links: 0 of {PAIRS} wrong",
        f"25 bits, signed, weights from -128, 2 links: {2**8} of {PAIRS} wrong",
        f"25 bits, 17 apart, weights from -127, 4 links: 0 of {255**2 * 256} wrong",
    ],
}


@pytest.mark.parametrize("part", EXPECTED)
def test_all_bytes(part: int, compiler: str, repository: Path, tmp_path: Path) -> None:
    folders = [repository / "lib" / "csim", repository / "lib" / "include"]
    assert (
        printed(compiler, folders, part, tmp_path, "-O3", "-Wall", "-Wextra", "-Wno-unknown-pragmas") == EXPECTED[part]
    )


def test_all_bytes_with_the_vendors_header(repository: Path, xilinx_headers: Path, tmp_path: Path) -> None:
    folders = [xilinx_headers, repository / "lib" / "include"]
    few = [
        line.replace(str(PAIRS), str(PAIRS // 16)).replace(str(255**2 * 256), str(255**2 * 16)) for line in EXPECTED[1]
    ]
    assert printed("g++", folders, 1, tmp_path, "-O2", "-w", step=17) == few


def printed(compiler: str, folders: list[Path], part: int, folder: Path, *flags: str, step: int = 1) -> list[str]:
    include = [flag for path in folders for flag in ("-I", str(path))]
    command = [compiler, "-std=c++14", *flags, *include, f"-DPART={part}", f"-DSTEP={step}", str(SOURCE)]
    result = subprocess.run([*command, "-o", str(folder / "packed")], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    return subprocess.run([folder / "packed"], capture_output=True, text=True, check=True).stdout.splitlines()
