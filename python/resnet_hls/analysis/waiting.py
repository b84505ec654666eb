# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where words had better wait: in front of a task or behind it. Knows arrays only, no IR.

A task that runs as soon as it can makes words wait behind it. A FIFO with less room makes it run later, and words wait
in front of it instead: the windows of a convolution behind a window task, say, or the pixels that they are made of.
Nothing is lost as long as every word is written in time to be read when it is read now, or as late as its reader can
read it without being late itself.
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
    it. Its readers may be late then, as far as they can without writing anything later. Where that saves nothing, it is
    tried together with the tasks before it.

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
        self.room: dict[int, dict[str, int]] = {}  # bounds by which a task is held back

    def hold_back(self, number: int, together: int) -> int:
        """Hold back a task, and up to `together` - 1 before it, by what saves most; the bits saved, 0 for nothing.

        Exact for each: what its readers write comes as before, so that only it and they have to be computed anew, and
        what waits around them.
        """
        timing, most = self.timing, 0
        readers = sorted({timing.reader[s] for s in timing.actors[number].writes if s in timing.reader})
        before = self.size([number, *readers])
        kept = unchanged = dict(timing.times)
        chosen = room = dict(self.room)
        for depths in self.bounds(number, readers):
            self.run(number, depths)
            for reader in readers:
                self.run(reader, self.room.get(reader, {}))
            saved = before - self.size([number, *readers])
            if saved <= 0 and together > 1:
                writers = {timing.writer[s] for s in timing.actors[number].reads if s in timing.writer}
                saved += sum(self.hold_back(writer, together - 1) for writer in sorted(writers, reverse=True))
            if saved > most:
                most, kept, chosen = saved, dict(timing.times), dict(self.room)
            self.restore(unchanged, room)
        self.restore(kept, chosen)
        return most

    def run(self, number: int, depths: dict[str, int]) -> None:
        """Let a task run as soon as it can with these bounds on what it writes."""
        self.room[number] = depths
        self.timing.run(number, self.timing.earliest(number, depths))

    def bounds(self, number: int, readers: list[int]) -> list[dict[str, int]]:
        """Bounds to try for what a task writes: the least for each stream with words to spare, and all of them.

        Twice: so that its readers run as they do now, and so that they run as late as their own readers allow, which
        costs nobody anything.
        """
        timing = self.timing
        spare = [s for s in timing.actors[number].writes if s in timing.reader and self.later_peak(s) > self.minimum]
        if not spare:
            return []
        strict = self.tightest(number, spare)
        now = dict(timing.times)
        for reader in readers:
            timing.run(reader, timing.latest(reader))
        relaxed = self.tightest(number, spare)
        self.restore(now, self.room)
        found: list[dict[str, int]] = []
        for least in (strict, relaxed):
            tighter = [{stream: depth} for stream, depth in least.items() if depth < timing.peak(stream)]
            found += [bound for bound in ([*tighter, least] if len(tighter) > 1 else tighter) if bound not in found]
        return found

    def tightest(self, number: int, streams: list[str]) -> dict[str, int]:
        """The least depth of each stream with which its writer is no later than all its readers need it."""
        latest = self.timing.latest(number)
        cycles, read = self.timing.cycles, self.timing.read
        return {s: max(self.minimum, peak(cycles(number, s, latest), read(s))) for s in streams}

    def size(self, numbers: list[int]) -> int:
        """Bits of all streams of these tasks, with what waits in them in a frame like all later ones."""
        actors = [self.timing.actors[number] for number in numbers]
        streams = dict.fromkeys(s for actor in actors for s in (*actor.reads, *actor.writes))
        return sum(self.bits[s] * max(self.minimum, self.later_peak(s)) for s in streams)

    def later_peak(self, stream: str) -> int:
        """Most words that wait in a stream in the last frame that another one follows."""
        written, read = self.timing.written(stream), self.timing.read(stream)
        frame = len(written) // self.timing.frames
        first = max(0, len(written) - 2 * frame)
        return peak(written, read, first, first + frame)

    def restore(self, times: Mapping[int, Array], room: dict[int, dict[str, int]]) -> None:
        self.room = dict(room)
        for number, cycles in times.items():
            if self.timing.times[number] is not cycles:
                self.timing.run(number, cycles)
