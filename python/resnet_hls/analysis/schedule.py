# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The modelled schedule of a dataflow: images arrive at the rate of the slowest task. Reads the IR only.

The cycles are those of `analysis/timing.py`. They are modelled, not simulated: pipeline latencies are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import Task, fifos, stream_name, tasks, the_dataflow, words_written
from resnet_hls.analysis.timing import Actor, Timing, repeated
from resnet_hls.passes._registry import PassFailure

#: Frames one after the other: what a frame finds of the one before it is soon the same for all.
FRAMES = 4


@dataclass(frozen=True)
class Schedule:
    """Modelled figures of a dataflow.

    interval: cycles between frames (the longest task); latency: cycles from a frame's first word to its last result;
    per_task: iterations (cycles at initiation interval 1) per frame; peaks: most words that wait in each stream.
    """

    interval: int
    latency: int
    per_task: dict[str, int]
    peaks: dict[str, int]


@dataclass(frozen=True)
class Network:
    """A dataflow without its IR.

    Attributes:
        actors: the tasks, streams by their names.
        per_task: iterations of each per frame.
        interval: cycles between frames, at the rate of the slowest task or of the image's words.
        image, result: the streams at the ports.
        words: per frame in the image.
    """

    actors: list[Actor]
    per_task: dict[str, int]
    interval: int
    image: str
    result: str
    words: int

    @staticmethod
    def of(module: ir.Operation) -> Network:
        """Raises PassFailure when there is no dataflow, or a task is no single nest."""
        dataflow = the_dataflow(module)
        found = tasks(dataflow)
        per_task = {task.name: task.trip_count for task in found}
        counts = words_written(dataflow, found)
        image = next(op for op in iu.walk(dataflow, "hls.source")).operands[1]
        result = next(op for op in iu.walk(dataflow, "hls.sink")).operands[0]
        interval = max([*per_task.values(), counts[image]])
        actors = [actor(task) for task in found]
        return Network(actors, per_task, interval, stream_name(image), stream_name(result), counts[image])

    def timing(self, frames: int = FRAMES) -> Timing:
        """A schedule to be settled, of images that arrive evenly over the interval, as if more of them followed."""
        even = np.arange(self.words, dtype=np.int64) * self.interval // self.words
        return Timing(self.actors, {self.image: repeated(even, self.interval, frames)}, frames, self.interval)

    @property
    def frames_that_show(self) -> int:
        """So many frames, where they complete with some depths, that any number of them does.

        What waits for itself does so in a circle of iterations, each waiting for the next. The least such circle passes
        each task once, for whoever comes twice to a task can leave it the first time as the second. From there on it
        goes back in time, but for words of a frame that a task writes in the round of the next: by one round at most
        for each task that overlaps frames. One round before, for what such a task begins with, and one behind, as in
        the last the task waits for no words.
        """
        overlapping = sum(actor.overlaps for actor in self.actors)
        return overlapping + 2 if overlapping else 1

    def schedule(self, timing: Timing) -> Schedule:
        """The figures of a settled schedule."""
        streams = dict.fromkeys(name for actor in self.actors for name in (*actor.reads, *actor.writes))
        results = timing.written(self.result)
        latency = int(results[len(results) // timing.frames - 1]) + 1
        return Schedule(self.interval, latency, self.per_task, {name: timing.peak(name) for name in streams})


def actor(task: Task) -> Actor:
    """What a task reads and writes, and when."""
    reads, writes = ({stream_name(s): task.steps(s) for s in side} for side in (task.inputs, task.outputs))
    return Actor(task.trip_count, reads, writes)


def schedule(module: ir.Operation, frames: int = FRAMES, depths: Mapping[str, int] | None = None) -> Schedule:
    """Models the dataflow of `module`.

    Args:
        module: with one dataflow.
        frames: that follow each other. The peaks are those of all of them. Where no task overlaps frames, already those
            of one are depths with which nothing can deadlock: whatever fits one complete frame fits every one, if each
            waits for the last. Where one does, `Network.frames_that_show` says how many it takes.
        depths: room in streams, in words; those that are not named have no end.

    Raises:
        PassFailure: there is no dataflow, a task is no single nest, or no schedule is found with these depths.
    """
    network = Network.of(module)
    timing = network.timing(frames)
    if not timing.settle(depths or {}):
        raise PassFailure(module, "the modelled schedule does not settle with these depths", help="run hls-size-fifos")
    return network.schedule(timing)


def depths_of(dataflow: ir.Operation) -> dict[str, int]:
    """The depth of every stream, in words."""
    return {stream_name(f.results[0]): ir.IntegerAttr(f.attributes["depth"]).value for f in fifos(dataflow)}
