#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Wall time of compiling a network: of scheduling, which chooses unroll factors and FIFO depths, and of all the rest.

benchmarks/build.py MODEL.onnx [MODEL.onnx …] [--resnet110] [--runs 3] [--profile]

A ratio below 1 means less time than the goal. Each run is a process of its own, from start to the folder on disk.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from resnet_hls.pipelines import SCHEDULE

#: Seconds on two cores by network: of scheduling, where there is a goal for it, and of the rest.
GOALS: dict[str, tuple[float | None, float]] = {
    "resnet8": (None, 2.3),
    "resnet20": (20.0, 4.0),
    "resnet110": (60.0, 20.0),
}
BUILDERS = Path(__file__).resolve().parents[1] / "test" / "frontend"


def build(model: Path, board: str) -> tuple[float, float]:
    """Seconds of scheduling and of the rest of one build, in a process of its own."""
    command = [sys.executable, __file__, str(model), "--board", board, "--once"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(done.stderr)
    scheduling: float = json.loads(done.stdout)[SCHEDULE.name]
    return scheduling, elapsed - scheduling


def stages(model: Path, board: str) -> Iterator[tuple[str, float]]:
    """What one build does when, in this process: seconds of each step."""
    start = time.perf_counter()
    from resnet_hls import driver
    from resnet_hls.frontend import sources

    marks = [("Python: driver, sources", time.perf_counter() - start)]
    began: list[tuple[str, float]] = []
    with sources.find(str(model)) as source:

        def told(what: str, done: int, total: int) -> None:
            if ":" not in what:  # of a stage, not of one of its passes
                began.append((what, time.perf_counter()))

        accelerator = driver.run(source, driver.make_options(board), told)
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


def goals(model: Path) -> tuple[float | None, float | None]:
    """The goals for a model that is named after its network."""
    return next((GOALS[n] for n in sorted(GOALS, key=len, reverse=True) if model.name.startswith(n)), (None, None))


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
    parser.add_argument("--runs", type=int, default=3, help="of each model (default: %(default)s)")
    parser.add_argument("--once", action="store_true", help="one model's steps, as JSON")
    parser.add_argument("--profile", action="store_true", help="also the steps and passes of one build")
    options = parser.parse_args()
    if options.once:
        print(json.dumps(dict(stages(options.models[0], options.board))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        models = list(options.models)
        if options.resnet110:
            sys.path.insert(0, str(BUILDERS))
            from onnx_builders import resnet110, save

            models.append(Path(save(resnet110(), Path(folder) / "resnet110.qonnx.onnx")))
        print(f"{'model':32} {'scheduling s':>12} {'goal s':>7} {'ratio':>6} {'rest s':>7} {'goal s':>7} {'ratio':>6}")
        for model in models:
            runs = [build(model, options.board) for _ in range(options.runs)]
            cells = []
            for width, times, limit in zip((12, 7), zip(*runs, strict=True), goals(model), strict=True):
                median = statistics.median(times)
                compared = f"{limit:7.1f} {median / limit:6.2f}" if limit else f"{'':14}"
                cells.append(f"{median:{width}.2f} {compared}")
            print(f"{model.name:32} {' '.join(cells)}", flush=True)
        for model in models if options.profile else []:
            print(f"\n{model.name}: one build in one process")
            for name, seconds in stages(model, options.board):
                print(f"  {seconds:8.3f} s  {name}")
            print(passes(model, options.board), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
