# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""When every word of every stream moves, with streams of unlimited depth and images arriving at the rate of the slowest
task.

A task runs one iteration a cycle; an iteration waits for the words that it reads; a word can be read the cycle after it
was written. This gives, for iteration i of a task with arrival times a(j) of the words of iteration j, the recurrence
t(i) = max(t(i-1) + 1, a(i)), whose closed form t(i) = i + max over j <= i of (a(j) - j) is computed for whole frames at
once, at the iterations that read or write. The figures are modelled, not simulated: finite depths and pipeline
latencies are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import Array
from resnet_hls.analysis.tasks import Task, stream_name, tasks, the_dataflow, words_written

#: Frames one after the other: from the second on, the tail of one frame meets the head of the next.
FRAMES = 3


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
class Timeline:
    """How late a task runs: from iteration `steps[n]` on, `delay[n]` cycles behind one iteration a cycle."""

    steps: Array
    delay: Array

    @staticmethod
    def of(task: Task, arrivals: dict[ir.Value, Array], frames: int) -> Timeline:
        """The timeline of `task` over `frames` frames, given the cycles at which words of its inputs can be read."""
        steps = [repeated(task.steps(stream), task.trip_count, frames) for stream in task.inputs]
        if not steps:
            return Timeline(np.zeros(1, np.int64), np.zeros(1, np.int64))
        late = [arrivals[stream][: len(at)] - at for stream, at in zip(task.inputs, steps, strict=True)]
        if len(steps) == 1:
            return Timeline(steps[0], np.maximum.accumulate(np.maximum(late[0], 0)))
        together = np.concatenate(steps)
        order = np.argsort(together, kind="stable")
        return Timeline(together[order], np.maximum.accumulate(np.maximum(np.concatenate(late)[order], 0)))

    def cycles(self, steps: Array) -> Array:
        """The cycle in which each of these iterations runs."""
        before = np.searchsorted(self.steps, steps, side="right")
        return steps + np.where(before > 0, self.delay[before - 1], 0)


def repeated(steps: Array, trips: int, frames: int) -> Array:
    """Iterations of one frame of `trips` iterations, for several frames one after the other."""
    return (steps[None, :] + trips * np.arange(frames)[:, None]).reshape(-1)


def schedule(module: ir.Operation, frames: int = FRAMES) -> Schedule:
    """Models the dataflow of `module`. Raises PassFailure when there is none or a task is no single nest.

    The peaks are those of `frames` frames. Already those of one frame are depths with which nothing can deadlock:
    whatever fits one complete frame fits every one, if each waits for the last.
    """
    dataflow = the_dataflow(module)
    found = tasks(dataflow)
    per_task = {task.name: task.trip_count for task in found}
    counts = words_written(dataflow, found)
    image = next(op for op in iu.walk(dataflow, "hls.source")).operands[1]
    result = next(op for op in iu.walk(dataflow, "hls.sink")).operands[0]
    interval = max([*per_task.values(), counts[image]])
    # The image arrives evenly over the interval.
    even = np.arange(counts[image], dtype=np.int64) * interval // counts[image]
    arrivals: dict[ir.Value, Array] = {image: repeated(even, interval, frames)}
    peaks = {stream_name(result): 1}  # the output port takes a word at once
    for task in found:
        timeline, trips = Timeline.of(task, arrivals, frames), task.trip_count
        for stream in task.inputs:
            read = timeline.cycles(repeated(task.steps(stream), trips, frames))
            peaks[stream_name(stream)] = peak(arrivals[stream], read)
        for stream in task.outputs:
            arrivals[stream] = timeline.cycles(repeated(task.steps(stream), trips, frames)) + 1
    return Schedule(interval, int(arrivals[result][counts[result] - 1]), per_task, peaks)


def peak(written: Array, read: Array) -> int:
    """Most words in a stream: word k stays from when it is written until it is read."""
    # When word k enters, all words up to k have entered, and those with an earlier reading time have left.
    left = np.searchsorted(read, written, side="left")
    return int((np.arange(1, len(written) + 1) - left).max())
