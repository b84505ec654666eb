# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where words had better wait: in front of a task or behind it. Knows arrays only, no IR.

A task that runs as soon as it can makes words wait behind it. A FIFO with less room makes it run later, and words wait
in front of it instead: the windows of a convolution behind a window task, say, or the pixels that they are made of.
Nothing is lost as long as every word is written in time to be read when it is read now.
"""

from __future__ import annotations

from collections.abc import Mapping

from resnet_hls.analysis.iterations import Array
from resnet_hls.analysis.timing import Timing, peak

#: Tasks held back together at most, where one alone saves nothing.
TOGETHER = 3


def least_depths(timing: Timing, bits: Mapping[str, int], minimum: int, interval: int) -> dict[str, int]:
    """Depths of all streams, none below `minimum`, with which no result comes later than without bounds.

    A greedy choice, from the last task to the first: a task is held back as far as saves most bits, by the room behind
    it. Where that saves nothing, it is tried together with the tasks before it.

    Args:
        timing: settled without bounds; afterwards, settled with these depths.
        bits: in a word of each stream.
        interval: cycles between frames, which the streams have to sustain.
    """
    earliest, plain = dict(timing.times), _depths(timing, bits, minimum)
    holding = _Holding(timing, bits, minimum)
    for number in reversed(range(len(timing.actors))):
        holding.hold_back(number, TOGETHER)
    found = _depths(timing, bits, minimum)
    if timing.is_steady(interval) and _size(found, bits) < _size(plain, bits):
        return found
    for number, times in earliest.items():
        timing.run(number, times)
    return plain


def _depths(timing: Timing, bits: Mapping[str, int], minimum: int) -> dict[str, int]:
    return {stream: max(minimum, timing.peak(stream)) for stream in bits}


def _size(depths: Mapping[str, int], bits: Mapping[str, int]) -> int:
    return sum(depth * bits[stream] for stream, depth in depths.items())


class _Holding:
    def __init__(self, timing: Timing, bits: Mapping[str, int], minimum: int) -> None:
        self.timing = timing
        self.bits = bits
        self.minimum = minimum

    def hold_back(self, number: int, together: int) -> int:
        """Hold back a task, and up to `together` - 1 before it, by what saves most; the bits saved, 0 for nothing.

        Exact for each: its readers run as before, so that only it has to be computed anew, and what waits around it.
        """
        timing, most, before = self.timing, 0, self.size(number)
        kept = unchanged = dict(timing.times)
        for depths in self.bounds(number):
            timing.run(number, timing.earliest(number, depths))
            saved = before - self.size(number)
            if saved <= 0 and together > 1:
                writers = {timing.writer[s] for s in timing.actors[number].reads if s in timing.writer}
                saved += sum(self.hold_back(writer, together - 1) for writer in sorted(writers, reverse=True))
            if saved > most:
                most, kept = saved, dict(timing.times)
            self.restore(unchanged)
        self.restore(kept)
        return most

    def bounds(self, number: int) -> list[dict[str, int]]:
        """Bounds to try for what a task writes: the least for each stream with words to spare, and all of them."""
        timing = self.timing
        spare = [s for s in timing.actors[number].writes if s in timing.reader and self.later_peak(s) > self.minimum]
        if not spare:
            return []
        latest = timing.latest(number)
        least = {s: max(self.minimum, peak(timing.cycles(number, s, latest), timing.read(s))) for s in spare}
        tighter = [{stream: depth} for stream, depth in least.items() if depth < timing.peak(stream)]
        return [*tighter, least] if len(tighter) > 1 else tighter

    def size(self, number: int) -> int:
        """Bits of all streams of a task, with what waits in them in a frame like all later ones."""
        actor = self.timing.actors[number]
        return sum(self.bits[s] * max(self.minimum, self.later_peak(s)) for s in (*actor.reads, *actor.writes))

    def later_peak(self, stream: str) -> int:
        """Most words that wait in a stream in the last frame that another one follows."""
        written, read = self.timing.written(stream), self.timing.read(stream)
        frame = len(written) // self.timing.frames
        first = max(0, len(written) - 2 * frame)
        return peak(written, read, first, first + frame)

    def restore(self, times: Mapping[int, Array]) -> None:
        for number, cycles in times.items():
            if self.timing.times[number] is not cycles:
                self.timing.run(number, cycles)
