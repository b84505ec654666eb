#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Wall time of `resnet-hls build`, the whole command, and where it goes. Run by hand:

benchmarks/build.py MODEL.onnx [MODEL.onnx …] [--resnet110] [--runs 5] [--profile]

A ratio below 1 means less time than the goal; the goals are those of ResNet8 (2.3 s), ResNet20 (4 s) and ResNet-110
(20 s) on two cores.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

GOALS = {"resnet8": 2.3, "resnet20": 4.0, "resnet110": 20.0}
BUILDERS = Path(__file__).resolve().parents[1] / "test" / "frontend"


def build(model: Path, board: str) -> tuple[float, float]:
    """Seconds of wall time, and of processor time with all child processes, of one build."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("resnet-hls")), "build", str(model), "--board", board]
        before, start = os.times(), time.perf_counter()
        done = subprocess.run([*command, "-o", f"{folder}/out"], capture_output=True, text=True, check=False)
        elapsed, after = time.perf_counter() - start, os.times()
        if done.returncode != 0:
            sys.exit(done.stderr)
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return elapsed, spent


def stages(model: Path, board: str) -> Iterator[tuple[str, float]]:
    """What one build does when, in this process: seconds of each step."""
    start = time.perf_counter()
    from resnet_hls import driver
    from resnet_hls.frontend import sources

    marks = [("Python: driver, sources", time.perf_counter() - start)]
    began: list[tuple[str, float]] = []
    with sources.find(str(model)) as source:
        accelerator = driver.run(
            source, driver.make_options(board), lambda stage: began.append((stage, time.perf_counter()))
        )
        began.append(("figures of the report", time.perf_counter()))
        _ = accelerator.report
        began.append(("outputs of the model (waiting)", time.perf_counter()))
        _ = accelerator.sample_outputs
        began.append(("emit and write", time.perf_counter()))
        with tempfile.TemporaryDirectory() as folder:
            accelerator.write(f"{folder}/out")
        began.append(("", time.perf_counter()))
    marks += [(name, later - now) for (name, now), (_, later) in itertools.pairwise(began)]
    yield from marks
    yield "all of it", sum(seconds for _, seconds in marks)


def goal(model: Path) -> float | None:
    """The goal for a model that is named after its network."""
    return next((GOALS[name] for name in sorted(GOALS, key=len, reverse=True) if model.name.startswith(name)), None)


def passes(model: Path, board: str) -> str:
    """The table of `resnet-opt --timing` over all stages."""
    from resnet_hls import pipelines

    with tempfile.TemporaryDirectory() as folder:
        tool = Path(sys.executable)
        command = [str(tool.with_name("resnet-hls")), "build", str(model), "--board", board, "-o", f"{folder}/out"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        from resnet_hls.driver import make_options

        inner = [make_options(board).text(stage) for stage in pipelines.STAGES]
        text = f"builtin.module({','.join(part.removeprefix('builtin.module(')[:-1] for part in inner)})"
        done = subprocess.run(
            [str(tool.with_name("resnet-opt")), f"{folder}/out/ir/{pipelines.IMPORTED_FILE}", "-o", os.devnull,
             "--timing", f"--pass-pipeline={text}"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    return done.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL.onnx")
    parser.add_argument("--resnet110", action="store_true", help="also a ResNet-110 with random weights")
    parser.add_argument("--board", default="kv260")
    parser.add_argument("--runs", type=int, default=5, help="of each model (default: %(default)s)")
    parser.add_argument("--profile", action="store_true", help="also the steps and passes of one build")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = list(options.models)
        if options.resnet110:
            sys.path.insert(0, str(BUILDERS))
            from onnx_builders import resnet110, save

            models.append(Path(save(resnet110(), Path(folder) / "resnet110.qonnx.onnx")))
        print(f"{'model':32} {'best s':>7} {'median s':>9} {'cpu s':>6} {'goal s':>7} {'ratio':>6}")
        for model in models:
            times, spent = zip(*(build(model, options.board) for _ in range(options.runs)), strict=True)
            median, limit = statistics.median(times), goal(model)
            ratio = f"{limit:7.1f} {median / limit:6.2f}" if limit else ""
            print(f"{model.name:32} {min(times):7.2f} {median:9.2f} {min(spent):6.2f} {ratio}", flush=True)
        for model in models if options.profile else []:
            print(f"\n{model.name}: one build in one process")
            for name, seconds in stages(model, options.board):
                print(f"  {seconds:8.3f} s  {name}")
            print(passes(model, options.board), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
