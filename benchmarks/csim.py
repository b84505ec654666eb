#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Images a second of the C simulation of built projects, on one core, for each set of headers. Run by hand:

benchmarks/csim.py DIR [DIR …] [--compilers g++ clang++] [--images 400]
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from resnet_hls.errors import UserError
from resnet_hls.project import manifest
from resnet_hls.simulate import csim


def images_per_second(executable: Path, images: csim.Bytes, seconds: float) -> float:
    """Of one process, starting and file access included; as many images as take about `seconds`, `images` at most."""
    count = 1
    while True:
        start = time.perf_counter()
        csim.run(executable, images[:count], processes=1)
        elapsed = time.perf_counter() - start
        if elapsed > seconds / 2 or count == len(images):
            return count / elapsed
        count = min(len(images), max(2 * count, int(count * seconds / elapsed)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="+", type=Path, metavar="DIR", help="folder that resnet-hls build wrote")
    parser.add_argument("--compilers", nargs="+", default=["g++"], choices=["g++", "clang++"])
    parser.add_argument("--headers", nargs="+", default=["fast", "bounded", "xilinx"])
    parser.add_argument("--images", type=int, default=2000, help="at most (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement (default: %(default)s)")
    options = parser.parse_args()
    print(f"{'project':24} {'compiler':9} {'headers':8} {'compile s':>9} {'images/s':>9} {'ratio':>7}")
    for project in options.projects:
        port = manifest.read(project).input
        least, greatest = port.range
        images = np.random.default_rng(0).integers(least, greatest + 1, (options.images, *port.shape))
        bytes_ = images.astype(np.int8) if port.signed else images.astype(np.uint8)
        for compiler in options.compilers:
            fastest = 0.0
            for headers in options.headers:
                start = time.perf_counter()
                executable = csim.compile_testbench(project, headers=headers, compiler=compiler)
                compiling = time.perf_counter() - start
                rate = images_per_second(executable, bytes_, options.seconds)
                fastest = max(fastest, rate)
                print(
                    f"{project.name:24} {compiler:9} {headers:8} {compiling:9.1f} {rate:9.1f} {rate / fastest:7.3f}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(error.render("benchmarks/csim.py"))
