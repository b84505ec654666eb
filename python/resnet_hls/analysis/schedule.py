# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""When every iteration of every task runs, with streams of unlimited depth and images arriving at the rate of the slowest task.

A task runs one iteration a cycle; an iteration waits for the words that it reads; a word can be read the cycle after it was
written. This gives, for iteration i of a task with arrival times a(i) of its words, the recurrence
t(i) = max(t(i-1) + 1, a(i)), whose closed form t(i) = i + max over j <= i of (a(j) - j) is computed for whole frames at once.
The figures are modelled, not simulated: finite depths and pipeline latencies are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.iterations import Array
from resnet_hls.analysis.tasks import Task, stream_name, tasks, the_dataflow, words_written

#: Frames simulated one after the other: from the second on, the tail of one frame meets the head of the next.
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


def start_times(task: Task, arrivals: dict[ir.Value, Array], frames: int) -> Array:
    """The cycle of every iteration of `task` in `frames` frames, given the cycles at which words of its inputs can be read."""
    trips = task.trip_count
    total = np.arange(trips * frames, dtype=np.int64)
    ready = total.copy()  # a(j), or j itself where nothing is read
    ready[:] = np.iinfo(np.int64).min // 2
    for stream in task.inputs:
        steps = task.steps(stream)
        at = (steps[None, :] + trips * np.arange(frames)[:, None]).reshape(-1)
        np.maximum.at(ready, at, arrivals[stream][: len(at)])
    waiting: Array = np.maximum.accumulate(np.maximum(ready - total, 0))
    return total + waiting


def schedule(module: ir.Operation) -> Schedule:
    """Models the dataflow of `module`. Raises PassFailure when there is none or a task is no single nest."""
    dataflow = the_dataflow(module)
    found = tasks(dataflow)
    per_task = {task.name: task.trip_count for task in found}
    counts = words_written(dataflow)
    source = next(op for op in iu.walk(dataflow, "hls.source"))
    image = source.operands[1]
    interval = max([*per_task.values(), counts[image]])
    # The image arrives evenly over the interval.
    even = np.arange(counts[image], dtype=np.int64) * interval // counts[image]
    arrivals: dict[ir.Value, Array] = {image: (even[None, :] + interval * np.arange(FRAMES)[:, None]).reshape(-1)}
    peaks: dict[str, int] = {}
    last = 0
    for task in found:
        times = start_times(task, arrivals, FRAMES)
        trips = task.trip_count
        for stream in task.inputs:
            peaks[stream_name(stream)] = peak(arrivals[stream], times, task.steps(stream), trips)
        for stream in task.outputs:
            steps = task.steps(stream)
            at = (steps[None, :] + trips * np.arange(FRAMES)[:, None]).reshape(-1)
            arrivals[stream] = times[at] + 1
        last = int(times[trips - 1]) + 1
    sink = next(op for op in iu.walk(dataflow, "hls.sink"))
    peaks[stream_name(sink.operands[0])] = 1
    return Schedule(interval, last, per_task, peaks)


def peak(written: Array, times: Array, steps: Array, trips: int) -> int:
    """Most words in a stream: word k stays from when it is written until the reader's iteration that takes it."""
    at = (steps[None, :] + trips * np.arange(FRAMES)[:, None]).reshape(-1)
    read = times[at]
    # When word k enters, all words up to k have entered, and those with an earlier reading time have left.
    left = np.searchsorted(read, written, side="left")
    return int((np.arange(1, len(written) + 1) - left).max())
