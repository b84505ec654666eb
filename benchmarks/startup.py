#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Wall time of `resnet-opt` on a small file, the whole command, beside an empty Python. Run by hand:

benchmarks/startup.py [--runs 9]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOAL = 0.6
SMALL = "func.func @small(%a: i32) -> i32 {\n  %0 = arith.addi %a, %a : i32\n  return %0 : i32\n}\n"


def seconds(command: list[str], runs: int) -> list[float]:
    """Wall times of a command, after one run that warms the file cache."""
    found = []
    for number in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        if number:
            found.append(time.perf_counter() - start)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder, "small.mlir")
        module.write_text(SMALL, encoding="utf-8")
        tool = str(Path(sys.executable).with_name("resnet-opt"))
        pipeline = "--pass-pipeline=builtin.module(func.func(canonicalize),cse)"
        opt = seconds([tool, str(module), pipeline], runs)
    empty = statistics.median(seconds([sys.executable, "-c", ""], runs))
    median = statistics.median(opt)
    print(f"resnet-opt: median {median:.3f} s, best {min(opt):.3f} s; {median / empty:.1f} x an empty Python")
    print(f"goal {GOAL} s: ratio {median / GOAL:.2f}")


if __name__ == "__main__":
    main()
