# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The cycle simulation of a design against its C++: which words move through which streams, and in which order.

Streams that note each word stand in for those of lib/csim. Tasks run one after the other there, each iteration after
iteration, and what a pipeline does at once in hardware, they do one by one: so orders are compared task by task.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from random_factors import choose
from random_networks import Builder, Layer
from random_networks import Network as Model
from small_networks import compile_network, write_project

from resnet_hls.analysis.network import network_of
from resnet_hls.resources import library_folder
from resnet_hls.simulate import csim
from resnet_hls.simulate.cycles import Array, Network, Task, Times, simulate

HEADER = """
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include "fifo_ring.h"

namespace hls {

inline std::FILE* stream_log() {
  static std::FILE* const file = std::fopen(std::getenv("STREAM_LOG"), "w");
  return file;
}

template <typename T, int Depth = 0> class stream {
public:
  explicit stream(const char* name = "") : name(name) {}
  ~stream() { note("left", fifo.size()); }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  bool empty() const { return fifo.empty(); }
  T read() {
    if (empty())
      std::exit(3);
    note("read", 1);
    return fifo.pop();
  }
  void write(const T& value) {
    note("write", 1);
    fifo.push(value);
  }

private:
  fifo_ring<T> fifo;
  std::string name;

  void note(const char* what, std::size_t words) const {
    std::fprintf(stream_log(), "%s %s %zu\\n", what, name.c_str(), words);
  }
};

} // namespace hls
"""

#: So many frames in a call.
FRAMES = (1, 2, 5)
READ, WRITE = "read", "write"
#: A read or a write, and of which stream.
Transfer = tuple[str, str]


@dataclass(frozen=True)
class Design:
    """A network, images for it, and the executable that notes what its C++ does."""

    network: Network
    images: csim.Bytes
    executable: Path

    def run(self, frames: int, folder: Path) -> tuple[list[Transfer], dict[str, int]]:
        """All transfers of so many frames in one call, and how many words are left in each stream."""
        images, outputs, log = (folder / name for name in ("images.bin", "outputs.bin", "log.txt"))
        images.write_bytes(self.images[:frames].tobytes())
        command = [str(self.executable), "--batch", str(frames), "--run", str(images), str(outputs)]
        subprocess.run(command, env={"STREAM_LOG": str(log)}, check=True, stdout=subprocess.DEVNULL)
        lines = [line.split(" ") for line in log.read_text().splitlines()]
        names = {stream.name for stream in self.network.streams}  # not the test bench's ends of the ports
        transfers = [(what, name) for what, name, _ in lines if what != "left" and name in names]
        return transfers, {name: int(words) for what, name, words in lines if what == "left" and name in names}


def layers(*found: Layer, pooled: bool = False, without: str = "") -> Model:
    return Model((4, 7, 6), True, found, pooled, 100, frozenset(without.split()))


#: Networks, whether frames overlap in them, and a seed for unroll factors; None for those of hls-balance.
MODELS = {
    "skip": (layers(Layer("skip")), True, None),
    "skip-at-its-map": (layers(Layer("skip"), without="hls-merge-loops hls-share-residual-buffer"), True, None),
    "downsample": (layers(Layer("downsample", 6, stride=2), pooled=True), True, None),
    "no-window": (layers(Layer("conv", 3, 1), Layer("conv", 5, 6), pooled=True), False, None),
    "any-factors": (layers(Layer("downsample", 7, stride=2)), True, 1),
}


@pytest.fixture(scope="module", params=MODELS)
def design(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Design:
    model, overlaps, seed = MODELS[request.param]
    mark = None if seed is None else partial(choose, seed=seed)
    folder = tmp_path_factory.mktemp("design")
    compiled = compile_network(Builder(model).model(), folder, model.dsp, max(FRAMES), without=model.without, mark=mark)
    with compiled.module.context, compiled.module.operation.location:
        network = network_of(compiled.module.operation)
    assert any(task.overlaps for task in network.tasks) == overlaps
    project, executable = write_project(compiled, folder / "project"), folder / "testbench"
    (folder / "hls_stream.h").write_text(HEADER)
    headers = [flag for path in (project / "src", folder, library_folder("csim")) for flag in ("-I", str(path))]
    sources = [str(path) for path in (*(project / "src").glob("*.cpp"), project / "tb" / "testbench.cpp")]
    subprocess.run(["g++", "-std=c++14", "-O1", "-w", *headers, *sources, "-o", str(executable)], check=True)
    return Design(network, compiled.images, executable)


def iterations(task: Task, frames: int) -> dict[Transfer, Array]:
    """For each of a task's streams, the iteration in which each word moves, numbered on through frames."""
    first = task.iterations * np.arange(frames)[:, None]
    sides = ((READ, task.reads), (WRITE, task.writes))
    return {(side, name): (first + steps).ravel() for side, found in sides for name, steps in found.items()}


def cycles(task: Task, times: Times) -> dict[Transfer, Array]:
    """For each of a task's streams, the cycle in which each word moves."""
    return {(READ, name): times.read[name] for name in task.reads} | {
        (WRITE, name): times.written[name] for name in task.writes
    }


def groups(when: Mapping[Transfer, Array]) -> list[Counter[Transfer]]:
    """What happens at the same time, one after the other."""
    moments: dict[int, Counter[Transfer]] = {}
    for transfer, moved in when.items():
        for moment in moved.tolist():
            moments.setdefault(moment, Counter())[transfer] += 1
    return [moments[moment] for moment in sorted(moments)]


def check_order(transfers: list[Transfer], expected: list[Counter[Transfer]], what: str) -> None:
    """Transfers come in the order of the groups; within one, in any."""
    assert len(transfers) == sum(group.total() for group in expected), what
    done = 0
    for number, group in enumerate(expected):
        part = transfers[done : done + group.total()]
        assert Counter(part) == group, f"{what}: moment {number}, transfer {done}"
        done += len(part)


@pytest.mark.parametrize("frames", FRAMES)
def test_stream_contents(design: Design, frames: int, tmp_path: Path) -> None:
    """Each stream takes and gives as many words, and none is left."""
    transfers, left = design.run(frames, tmp_path)
    moved = Counter(transfers)
    times = simulate(design.network, frames, times=True).times
    assert times is not None
    for stream in design.network.streams:
        written, read = (int(np.sum(side[stream.name] >= 0)) for side in (times.written, times.read))
        assert (moved[WRITE, stream.name], moved[READ, stream.name]) == (written, read), stream.name
        assert left[stream.name] == written - read == 0, stream.name


@pytest.mark.parametrize("frames", FRAMES)
def test_order_of_transfers(design: Design, frames: int, tmp_path: Path) -> None:
    """Each task reads in the order of the cycles in which it does, writes so, and does both iteration by iteration."""
    transfers, _ = design.run(frames, tmp_path)
    times = simulate(design.network, frames, times=True).times
    assert times is not None
    for task in design.network.tasks:
        when = cycles(task, times)
        done = [transfer for transfer in transfers if transfer in when]
        for side in (READ, WRITE):
            these = {transfer: moved for transfer, moved in when.items() if transfer[0] == side}
            check_order([t for t in done if t[0] == side], groups(these), f"{task.name} in cycles, {side}")
        # An iteration takes all that it reads before it gives anything.
        numbered = iterations(task, frames)
        doubled = {transfer: 2 * number + (transfer[0] == WRITE) for transfer, number in numbered.items()}
        check_order(done, groups(doubled), f"{task.name} in iterations")
