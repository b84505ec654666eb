# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tasks and streams cycle by cycle, the way the hardware moves: slow, and written to be believed.

A task is a row of pipeline stages, each of which holds an iteration or none. In each cycle every task decides, from its
last stage to its first, which stages advance; what it asks of its streams are registers, that is, their state at the
beginning of the cycle. No times are computed: they are noted when something moves. It shares nothing with the simulator
that it is compared with but the classes that describe a network.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resnet_hls.simulate.cycles import Network, Stream, Task


@dataclass(frozen=True)
class SlowResult:
    """What happened: the cycle in which each word was written and read, -1 where it never was.

    `cycles` is the cycle after the last one in which a word moved; `deadlock` that the network stands still for ever.
    """

    written: dict[str, list[int]]
    read: dict[str, list[int]]
    cycles: int
    deadlock: bool


@dataclass
class Fifo:
    """A stream: words that wait, each with the first cycle in which it can be read."""

    stream: Stream
    waiting: deque[int] = field(default_factory=deque)
    written: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    visible: int = 0  # at the beginning of the cycle
    room: int | None = None  # the same; None: no end
    now_written: int = 0
    now_read: int = 0

    def begin(self, cycle: int) -> None:
        """The registers of this cycle: what was read or written in the cycle before shows, what is in this does not."""
        self.visible = sum(1 for first in self.waiting if first <= cycle)
        self.room = None if self.stream.depth is None else self.stream.depth - len(self.waiting)

    def can_read(self, words: int) -> bool:
        return self.visible >= words

    def can_write(self, words: int) -> bool:
        return self.room is None or self.room >= words

    def end(self, cycle: int) -> None:
        """The clock edge."""
        for _ in range(self.now_read):
            self.waiting.popleft()
            self.read.append(cycle)
        for _ in range(self.now_written):
            self.waiting.append(cycle + self.stream.latency)
            self.written.append(cycle)
        self.now_read = self.now_written = 0

    def settles(self, cycle: int) -> bool:
        """Whether a word is on its way that cannot be seen yet."""
        return any(first > cycle for first in self.waiting)


@dataclass
class Pipeline:
    """A task: its stages hold numbers of iterations, and it counts which words it has moved."""

    task: Task
    frames: int
    fifos: dict[str, Fifo]

    def __post_init__(self) -> None:
        ends = [int(step) + 1 for steps in (*self.task.reads.values(), *self.task.writes.values()) for step in steps]
        assert self.task.depth >= 2
        assert max(ends, default=0) <= 2 * self.task.iterations, "a word moves two frames late"
        more = max(ends, default=0) > self.task.iterations
        self.rounds = self.frames + more
        self.stages: list[int | None] = [0, *[None] * (self.task.depth - 1)]
        self.reads = self.schedule({name: list(map(int, s)) for name, s in self.task.reads.items()})
        self.writes = self.schedule({name: list(map(int, s)) for name, s in self.task.writes.items()})
        self.ready_at = [0] * self.task.depth  # the cycle from which the interval lets the stage do an iteration

    def schedule(self, steps: dict[str, list[int]]) -> dict[int, dict[str, int]]:
        """How many words of each stream an iteration moves, through all frames."""
        words: dict[int, dict[str, int]] = {}
        for name, of_frame in steps.items():
            for frame in range(self.frames):
                for step in of_frame:
                    here = words.setdefault(frame * self.task.iterations + step, {})
                    here[name] = here.get(name, 0) + 1
        return words

    def may_leave(self, stage: int, cycle: int) -> bool:
        """Whether what is in a stage can be done in this cycle; the stage behind it has already moved."""
        iteration = self.stages[stage]
        if iteration is None or cycle < self.ready_at[stage]:
            return False
        last = self.task.depth - 1
        if stage < last and self.stages[stage + 1] is not None:
            return False
        reads = self.reads.get(iteration, {}) if stage == 0 else {}
        writes = self.writes.get(iteration, {}) if stage == last else {}
        return all(self.fifos[name].can_read(words) for name, words in reads.items()) and all(
            self.fifos[name].can_write(words) for name, words in writes.items()
        )

    def advance(self, cycle: int) -> bool:
        """One cycle; whether anything moved."""
        last = self.task.depth - 1
        moved = False
        entering: int | None = None
        for stage in range(last, -1, -1):
            iteration = self.stages[stage]
            if iteration is None or not self.may_leave(stage, cycle):
                continue
            moved = True
            self.stages[stage] = None
            self.ready_at[stage] = cycle + self.task.interval
            if stage < last:
                self.stages[stage + 1] = iteration
            else:
                for name, words in self.writes.get(iteration, {}).items():
                    self.fifos[name].now_written = words
            if stage == 0:
                for name, words in self.reads.get(iteration, {}).items():
                    self.fifos[name].now_read = words
                entering = iteration + 1
        if entering is not None and entering < self.rounds * self.task.iterations:
            self.stages[0] = entering
        return moved

    def done(self) -> bool:
        return all(stage is None for stage in self.stages)

    def settles(self, cycle: int) -> bool:
        """Whether an iteration waits for its interval only."""
        return any(at > cycle for stage, at in zip(self.stages, self.ready_at, strict=True) if stage is not None)


def simulate_slowly(network: Network, frames: int = 3) -> SlowResult:
    """Runs `frames` frames, one right behind the other, until all iterations are done or nothing will move again."""
    fifos = {stream.name: Fifo(stream) for stream in network.streams}
    pipelines = [Pipeline(task, frames, fifos) for task in network.tasks]
    deadlock = False
    for cycle in count():
        if all(pipeline.done() for pipeline in pipelines):
            break
        for fifo in fifos.values():
            fifo.begin(cycle)
        moved = [pipeline.advance(cycle) for pipeline in pipelines]
        for fifo in fifos.values():
            fifo.end(cycle)
        if not any(moved) and not any(part.settles(cycle) for part in (*fifos.values(), *pipelines)):
            deadlock = True
            break
    words = {
        name: frames * len(steps)
        for task in network.tasks
        for name, steps in (*task.reads.items(), *task.writes.items())
    }
    last = max((cycle for fifo in fifos.values() for cycle in (*fifo.written, *fifo.read)), default=-1)
    return SlowResult(
        {name: padded(fifo.written, words[name]) for name, fifo in fifos.items()},
        {name: padded(fifo.read, words[name]) for name, fifo in fifos.items()},
        last + 1,
        deadlock,
    )


def padded(cycles: list[int], words: int) -> list[int]:
    """-1 for the words that never moved."""
    return cycles + [-1] * (words - len(cycles))
