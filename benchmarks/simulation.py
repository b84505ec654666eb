#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Seconds of the cycle simulation and of hls-size-fifos, beside their goals, and beside stepping. Run by hand:

benchmarks/simulation.py [DIR …] [--runs 3]

Without projects it builds the bundled ResNet8 and ResNet20 for two boards, and a ResNet20 with as few multipliers as it
can have. A ratio below 1 means less time than the goal: 2 s for 10 frames, 10 s for the pass.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from torch_mlir import ir

from resnet_hls.context import make_context
from resnet_hls.errors import UserError
from resnet_hls.passes import PassManager
from resnet_hls.simulate import scheduled
from resnet_hls.simulate.cycles import Network, simulate

FRAMES = 10
#: Frames that are run one by one, to see that seconds are linear in words.
EXPLICIT = (1, 2, 4, 8)
GOALS = {"simulate": 2.0, "size": 10.0}
DESIGNS = {
    "resnet8 kv260": ["resnet8", "--board", "kv260"],
    "resnet8 ultra96v2": ["resnet8", "--board", "ultra96v2"],
    "resnet20 kv260": ["resnet20", "--board", "kv260"],
    "resnet20 ultra96v2": ["resnet20", "--board", "ultra96v2"],
    "resnet20 slowest": ["resnet20", "--board", "kv260", "--target-fps", "1"],
}
SIZING = "builtin.module(hls-size-fifos)"
STEPPING = Path(__file__).with_name("stepping.cpp")


def built(folder: Path) -> Iterator[tuple[str, Path]]:
    """The designs, each built into a folder of its own."""
    for label, arguments in DESIGNS.items():
        project = folder / label.replace(" ", "-")
        tool = str(Path(sys.executable).with_name("resnet-hls"))
        done = subprocess.run([tool, "build", *arguments, "-o", str(project)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        yield label, project


def seconds(call: Callable[[], object], runs: int) -> float:
    """Median wall time of a call."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def sizing(project: Path, runs: int) -> float:
    """Seconds of the pass on the scheduled module of a project; what it found before does not help it."""
    text = (project / "ir" / "40-scheduled.mlir").read_text(encoding="utf-8")
    module = ir.Module.parse(text, make_context())
    return seconds(lambda: PassManager.parse(SIZING).run(module), runs)


def stepping(network: Network, cycles: int, folder: Path) -> float:
    """Seconds of a simulator that asks every task in every cycle, for as many frames; it finds as many cycles."""
    program, number = folder / "stepping", {stream.name: i for i, stream in enumerate(network.streams)}
    if not program.is_file():
        subprocess.run(["g++", "-std=c++17", "-O3", "-march=native", str(STEPPING), "-o", str(program)], check=True)
    numbers: list[int] = [FRAMES, len(network.streams)]
    for stream in network.streams:
        numbers += [stream.depth or 1 << 60, stream.latency]
    numbers.append(len(network.tasks))
    for task in network.tasks:
        numbers += [task.iterations, task.interval, task.depth]
        for side in (task.reads, task.writes):
            numbers.append(len(side))
            for name, steps in side.items():
                numbers += [number[name], len(steps), *steps.tolist()]
    done = subprocess.run([str(program)], input=" ".join(map(str, numbers)), capture_output=True, text=True, check=True)
    found, spent = done.stdout.split()
    if int(found) != cycles:
        sys.exit(f"stepping takes {found} cycles, the simulation says {cycles}")
    return float(spent)


def run_all(network: Network, frames: int) -> None:
    """Runs every frame, without the words' cycles as arrays."""
    network.run(frames, skip=False)


def words(network: Network) -> int:
    """Words a frame that all streams move."""
    return sum(len(steps) for task in network.tasks for steps in task.writes.values())


def measure(label: str, project: Path, runs: int, folder: Path) -> None:
    """Prints the figures of one design."""
    start = time.perf_counter()
    network = scheduled.read(project).network
    reading = time.perf_counter() - start
    moved, found = words(network), simulate(network, FRAMES)
    skipping = seconds(lambda: simulate(network, FRAMES), runs)
    explicit = {n: seconds(partial(run_all, network, n), runs) for n in EXPLICIT}
    size = sizing(project, runs)
    print(
        f"\n{label}: {len(network.tasks)} tasks, {moved:,} words a frame, a frame every {found.whole_interval:,} cycles"
    )
    print(f"  {reading:8.3f} s  reading the scheduled module")
    goal = GOALS["simulate"]
    print(
        f"  {skipping:8.3f} s  {FRAMES} frames, {found.simulated} of them run: {skipping / goal:.3f} of the {goal:g} s"
    )
    for frames, needed in explicit.items():
        rate, share = frames * moved / needed / 1e6, needed / frames / explicit[1]
        print(f"  {needed:8.3f} s  {frames} run: {rate:6.1f} M words a second, {share:.2f} x the time of 1 a frame")
    print(f"  {size:8.3f} s  hls-size-fifos: {size / GOALS['size']:.3f} of the {GOALS['size']:g} s")
    slow = stepping(network, found.cycles, folder)
    print(
        f"  {slow:8.3f} s  stepping through all {found.cycles:,} cycles: {slow / skipping:.1f} x the simulation, "
        f"{slow / FRAMES * EXPLICIT[-1] / explicit[EXPLICIT[-1]]:.1f} x where it runs every frame; "
        f"{len(network.tasks) * found.cycles / slow / 1e6:,.0f} M task cycles a second"
    )
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("projects", nargs="*", type=Path, metavar="DIR", help="folder that resnet-hls build wrote")
    parser.add_argument("--runs", type=int, default=3, help="of each measurement (default: %(default)s)")
    options = parser.parse_args()
    print(f"median of {options.runs} runs in one process, one core; a word is written once and read once")
    with tempfile.TemporaryDirectory() as folder:
        projects = ((path.name, path) for path in options.projects) if options.projects else built(Path(folder))
        for label, project in projects:
            measure(label, project, options.runs, Path(folder))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(error.render("benchmarks/simulation.py"))
