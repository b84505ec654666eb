# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

class Network:
    def add_stream(self, name: str, latency: int) -> None: ...
    def add_task(
        self,
        name: str,
        iterations: int,
        interval: int,
        depth: int,
        reads: Sequence[tuple[int, NDArray[np.int64]]],
        writes: Sequence[tuple[int, NDArray[np.int64]]],
    ) -> None: ...
    def connect(self) -> None: ...

class Wait(Enum):
    NOTHING = ...
    LIMIT = ...
    WORD = ...
    ROOM = ...
    ISSUE = ...
    PIPELINE = ...

class Blocked:
    task: int
    writing: bool
    wait: Wait
    stream: int
    since: int

class Limit:
    task: int
    stream: int
    full: bool
    cycles: int

class TaskFigures:
    busy: int
    stalls: list[int]

class StreamFigures:
    peak: int
    full: int
    empty: int

class Moved:
    written: NDArray[np.int64]
    read: NDArray[np.int64]

class Simulation:
    deadlock: list[Blocked]
    exceeded: bool
    simulated: int
    steady: bool
    interval: float
    cycles: int
    completed: list[int]
    tasks: list[TaskFigures]
    streams: list[StreamFigures]
    limits: list[Limit]
    words: list[Moved]

class State:
    peaks: list[int]
    def at(self, stream: int) -> tuple[int, int]: ...

class Steady:
    def __init__(self, network: Network, interval: int) -> None: ...
    def bound(self, stream: int, depth: int) -> bool: ...
    def state(self) -> State: ...
    def restore(self, state: State) -> None: ...
    def latency(self) -> int: ...
    def words_moved(self) -> int: ...

def simulate(
    network: Network, depths: Sequence[int], frames: int, most_cycles: int, skip: bool, words: bool
) -> Simulation: ...

#: Of the SHA-256 sums of lib/sim's *.cpp and *.h, a line each, in the order of their names.
SOURCES_SHA256: str

def end_with(number: int, text: str) -> None: ...
