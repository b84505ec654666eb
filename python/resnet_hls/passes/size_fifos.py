# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-size-fifos: the least room in streams with which the dataflow keeps its rate. Changes depths and storage only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from torch_mlir import ir

from resnet_hls.analysis.fifos import LEAST_DEPTH, cheapest_storage
from resnet_hls.analysis.network import STORAGE_LATENCY, network_of
from resnet_hls.analysis.tasks import fifos, stream_name, the_dataflow
from resnet_hls.passes._registry import Pass, PassFailure, option, register_pass, remark
from resnet_hls.simulate.cycles import Network
from resnet_hls.simulate.sizing import Sizing, keeps_interval, size


@register_pass
@dataclass(frozen=True)
class SizeFifos(Pass):
    """Choose the depth of every stream, and what it is built of, by simulation.

    Before: a tiled dataflow whose loops are pipelined. After: the same with a `depth` and `hls.storage` on every
    `hls.fifo`: as few bits in all streams together as are found with which a frame comes every so many cycles as the
    slowest task takes, which is what unbounded streams give (`simulate/sizing.py`). With the objective `latency`,
    a frame's last result comes no later either, in the steady state.

    Depths depend on one another: words wait where their task is held back. A stream with less room makes its writer run
    later, and what that reads waits in front of it: a window task, whose windows are many times the pixels that they
    are made of, then waits with pixels.

    What comes out has been run: several frames, cycle by cycle, with these depths, until the state is steady at that
    interval (docs/simulation.md). A network that has completed so many frames completes any number of them.

    Streams are built of shift registers up to 32 words, above of what costs the fewest LUTs (`analysis/fifos.py`); a
    word can be read a cycle later from a memory, which is taken into account.
    """

    name: ClassVar[str] = "hls-size-fifos"

    objective: Literal["bits", "latency"] = option("bits", "the fewest bits, or those that cost no latency")
    minimum: int = option(2, "least depth of a stream, in words; with less, none takes a word a cycle")

    def run(self, op: ir.Operation) -> None:
        streams = {stream_name(fifo.results[0]): fifo for fifo in fifos(the_dataflow(op))}
        if self.minimum < LEAST_DEPTH:
            message = f"streams with room for {self.minimum} words, expected {LEAST_DEPTH} at least"
            raise PassFailure(op, message, help="with less, none takes a word a cycle")
        network = network_of(op, sized=False)
        found = self.size(op, network)
        bits = {stream.name: stream.bits for stream in network.streams}
        storage = {name: cheapest_storage(depth, bits[name]) for name, depth in found.depths.items()}
        latency = {name: STORAGE_LATENCY[kind] for name, kind in storage.items()}
        if any(cycles > 1 for cycles in latency.values()):
            found = self.size_memories(op, network.with_latencies(latency), found)
        i64 = ir.IntegerType.get_signless(64)
        for name, depth in found.depths.items():
            streams[name].attributes["depth"] = ir.IntegerAttr.get(i64, depth)
            streams[name].attributes["hls.storage"] = ir.StringAttr.get(storage[name])
        kept = "" if found.settled else ", where the search was ended; less may do"
        remark(
            op,
            f"streams of {found.bits / 8:,.0f} bytes, where unbounded ones would hold {found.unbounded_bits / 8:,.0f}, "
            f"keep a frame every {network.interval:,} cycles{kept}",
        )

    def size_memories(self, op: ir.Operation, network: Network, found: Sizing) -> Sizing:
        """Depths where some streams are memories, from those that were found without.

        A word stays as much longer in a memory as it can be read later: room for that is mostly enough.
        """
        longer = {stream.name: found.depths[stream.name] + stream.latency - 1 for stream in network.streams}
        if self.objective == "bits" and (proof := keeps_interval(network, longer)) is not None:
            for name, depth in found.depths.items():
                less = longer | {name: depth}
                if less != longer and (kept := keeps_interval(network, less)) is not None:
                    longer, proof = less, kept
            bits = sum(longer[stream.name] * stream.bits for stream in network.streams)
            return replace(found, depths=longer, bits=bits, proof=proof)
        return self.size(op, network)

    def size(self, op: ir.Operation, network: Network) -> Sizing:
        try:
            return size(network, self.objective, self.minimum)
        except ValueError as error:
            raise PassFailure(op, str(error), help="report the design: it should have been found") from None
