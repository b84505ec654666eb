# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The least room in streams with which a network keeps its rate, found by simulation.

What a schedule needs is the most words that wait in each stream. Tasks that run as soon as they can let words wait
where they are wide; a stream with less room holds its writer back, and the words wait in front of it instead. So the
search is over such bounds: give one stream less room, simulate what that changes (`lib/sim/steady.h`: in the steady
state, and as far as the change spreads), and keep it if all streams together need less then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from resnet_hls.simulate import _cycles
from resnet_hls.simulate.cycles import STEADY_WITHIN, Network, Simulation, simulate

#: The fewest bits, or no loss of latency.
Objective = Literal["bits", "latency"]

#: Words that the search moves at most: what ends it in some seconds, on every machine with the same depths.
EFFORT = 180_000_000
#: Frames within which a network whose tasks are nearly as slow as the slowest becomes steady, mostly.
_LONG = 16 * STEADY_WITHIN


@dataclass(frozen=True)
class Sizing:
    """Depths, and what they were found by.

    Attributes:
        depths: of all streams, in words.
        bits: depth times width, over all streams.
        unbounded_bits: the same for what waits in unbounded streams, where tasks run as soon as they can.
        settled: the search came to its own end; otherwise its effort was spent, and less room may do.
        proof: a simulation with these depths.
    """

    depths: dict[str, int]
    bits: int
    unbounded_bits: int
    settled: bool
    proof: Simulation


def size(network: Network, objective: Objective = "bits", minimum: int = 2, effort: int = EFFORT) -> Sizing:
    """The depths with which `network` keeps the interval that it has with unbounded streams, in few bits.

    Args:
        network: its depths don't matter.
        objective: "bits": the fewest, the results may come later; "latency": none that delays a frame's last result.
        minimum: least depth of a stream, in words.
        effort: words that the search may move.

    Raises:
        ValueError: there is no steady state at the interval of the slowest task, or no room at all.
    """
    if minimum < 1:
        raise ValueError(f"streams with room for {minimum} words, expected 1 at least")
    search = _Search(network, objective, minimum)
    most = effort * 2 // 3  # the rest is for what comes last
    search.sweep(most, coarse=True)
    sweeps = 0
    while (tightened := search.sweep(most, forward=sweeps % 2 == 0)) and search.work < most:
        sweeps += 1
    lowered = search.lower(effort)
    settled = lowered and not tightened
    depths = search.depths()
    proof = keeps_interval(network, depths)
    if proof is None:  # what the steady state of a part does not show: as much room as unbounded streams take
        settled, depths = False, search.depths(search.unbounded)
        proof = keeps_interval(network, depths)
    if proof is None:
        raise ValueError(f"no depths found that keep an interval of {network.interval} cycles")
    bits = sum(depths[stream.name] * stream.bits for stream in network.streams)
    return Sizing(depths, bits, search.bits_of(search.unbounded), settled, proof)


def keeps_interval(network: Network, depths: Mapping[str, int]) -> Simulation | None:
    """A simulation of frames with these depths; None if they come less often than the slowest task allows."""
    sized = network.with_depths(depths)
    found = simulate(sized, max(STEADY_WITHIN, network.frames_that_show), cure=False)
    if found.completed and not found.steady:
        found = simulate(sized, max(_LONG, network.frames_that_show), cure=False)
    return found if found.completed and (found.interval or 0) <= network.interval else None


class _Search:
    def __init__(self, network: Network, objective: Objective, minimum: int) -> None:
        self.streams = network.streams
        self.minimum = minimum
        open_ended = network.with_depths(dict.fromkeys((stream.name for stream in network.streams), None))
        self.steady = _cycles.Steady(open_ended.compiled(), network.interval)
        self.most_latency = self.steady.latency() if objective == "latency" else None
        self.state = self.unbounded = self.steady.state()
        self.bits = self.bits_of(self.state)
        self.in_vain: dict[int, object] = {}  # the schedule of each stream when it was tried without success

    @property
    def work(self) -> int:
        return self.steady.words_moved()

    def bits_of(self, state: _cycles.State) -> int:
        return sum(max(self.minimum, peak) * s.bits for peak, s in zip(state.peaks, self.streams, strict=True))

    def depths(self, state: _cycles.State | None = None) -> dict[str, int]:
        """The depths that a state needs, by default the one found."""
        peaks = (state or self.state).peaks
        return {stream.name: max(self.minimum, peak) for stream, peak in zip(self.streams, peaks, strict=True)}

    def sweep(self, effort: int, coarse: bool = False, forward: bool = False) -> int:
        """Tries less room in every stream, until the effort is spent; how many got less.

        A task that is held back changes what its writers have to do, and its readers can: both directions count.
        """
        streams = list(range(len(self.streams)))
        return sum(self.work < effort and self.tighten(s, coarse) for s in (streams if forward else streams[::-1]))

    def tighten(self, number: int, coarse: bool) -> bool:
        """Gives one stream less room where that saves bits; False where it does not.

        Either the least room, whatever waits elsewhere for it, or as little as makes nothing wait elsewhere: in
        between, others need more for each word that this stream needs less. A coarse search tries half the room instead
        of the latter.
        """
        before = self.state
        if self.in_vain.get(number) == (tried := before.at(number)):
            return False
        room, width = before.peaks[number], self.streams[number].bits
        saved: dict[int, int] = {}  # bits, by the room
        found: dict[int, _cycles.State] = {}

        def is_free(depth: int) -> bool:
            if self.steady.bound(number, depth):
                state = self.steady.state()
                if self.most_latency is None or self.steady.latency() <= self.most_latency:
                    found[depth], saved[depth] = state, self.bits - self.bits_of(state)
            self.steady.restore(before)
            return saved.get(depth, -1) >= (room - depth) * width

        low, high = self.minimum, room
        if low < high and not is_free(low):
            if coarse and low < room // 2:
                is_free(room // 2)
            while high - low > 1 and not coarse:
                middle = (low + high) // 2
                low, high = (low, middle) if is_free(middle) else (middle, high)
        best = max(saved, key=lambda depth: saved[depth], default=room)
        if saved.get(best, 0) <= 0:
            if not coarse:
                self.in_vain[number] = tried
            return False
        self.steady.restore(found[best])
        self.state, self.bits = found[best], self.bits - saved[best]
        return True

    def lower(self, effort: int) -> bool:
        """Gives every stream the room that it takes, and then each as little as it can have, the others unchanged.

        False where the effort was spent before.
        """
        for number, peak in enumerate(self.state.peaks):
            self.steady.bound(number, max(self.minimum, peak))  # changes nothing yet
        self.state = self.steady.state()
        widest = sorted(range(len(self.streams)), key=lambda number: self.streams[number].bits, reverse=True)
        for number in widest:
            low, high = self.minimum, self.state.peaks[number]
            tried = high - 1  # mostly it has no more than it needs
            while low < high and self.work < effort:
                if self.steady.bound(number, tried) and (
                    self.most_latency is None or self.steady.latency() <= self.most_latency
                ):
                    self.state, high = self.steady.state(), min(tried, self.steady.state().peaks[number])
                else:
                    low = tried + 1
                    self.steady.restore(self.state)
                tried = (low + high) // 2
        self.bits = self.bits_of(self.state)
        return self.work < effort
