# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-size-fifos: depths with which the dataflow cannot deadlock. Changes depths only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls.analysis.schedule import Network
from resnet_hls.analysis.tasks import fifos, stream_name, the_dataflow, word_bits
from resnet_hls.analysis.waiting import least_depths
from resnet_hls.passes._registry import Pass, option, register_pass


@register_pass
@dataclass(frozen=True)
class SizeFifos(Pass):
    """Choose the depth of every stream: what waits in it when images arrive at the design's own rate.

    Before: a tiled dataflow with room for a frame in every stream. After: the same with `depth` as small as the most
    words that wait in the modelled schedule (`analysis/schedule.py`, four frames), and at least `minimum`.

    In that schedule tasks run as soon as they can, but for those that had better be held back: where a task's words
    wait behind it, less room there makes it run later, and what it reads waits in front of it. A 1x1 that widens the
    skip of a stride-2 block, for one, or a window task, whose windows are many times the pixels that they are made of.
    A task is held back when that saves bits, and only as far as every word still comes in time for its reader, so that
    neither the interval nor the latency grows (`analysis/waiting.py`).

    These depths cannot deadlock: the tasks form a Kahn network, whose streams do not depend on the order of execution,
    so if one complete schedule fits into the depths, no schedule can get stuck. The modelled schedule is one. Where a
    window task ends a frame while it begins the next (`hls.overlap`), four frames need not speak for all;
    `verify-scheduled` then takes as many as do.
    """

    name: ClassVar[str] = "hls-size-fifos"

    minimum: int = option(2, "least depth of a stream, in words")

    def run(self, op: ir.Operation) -> None:
        streams = {stream_name(fifo.results[0]): fifo for fifo in fifos(the_dataflow(op))}
        network = Network.of(op)
        timing = network.timing()
        timing.settle({})
        bits = {name: word_bits(fifo.results[0]) for name, fifo in streams.items()}
        i64 = ir.IntegerType.get_signless(64)
        for name, depth in least_depths(timing, bits, self.minimum, network.interval).items():
            streams[name].attributes["depth"] = ir.IntegerAttr.get(i64, depth)
