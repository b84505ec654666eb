# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-size-fifos: depths with which the dataflow cannot deadlock. Changes depths only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls.analysis.schedule import schedule
from resnet_hls.analysis.tasks import fifos, stream_name, the_dataflow
from resnet_hls.passes._registry import Pass, option, register_pass


@register_pass
@dataclass(frozen=True)
class SizeFifos(Pass):
    """Choose the depth of every stream: what waits in it when images arrive at the design's own rate.

    Before: a tiled dataflow with room for a frame in every stream. After: the same with `depth` as small as the most
    words that wait in the modelled schedule (`analysis/schedule.py`, three frames), and at least `minimum`.

    These depths cannot deadlock: the tasks form a Kahn network, whose streams do not depend on the order of execution,
    so if one complete schedule fits into the depths, no schedule can get stuck. The modelled schedule is one.
    """

    name: ClassVar[str] = "hls-size-fifos"

    minimum: int = option(2, "least depth of a stream, in words")

    def run(self, op: ir.Operation) -> None:
        peaks = schedule(op).peaks
        i64 = ir.IntegerType.get_signless(64)
        for fifo in fifos(the_dataflow(op)):
            depth = max(self.minimum, peaks[stream_name(fifo.results[0])])
            fifo.attributes["depth"] = ir.IntegerAttr.get(i64, depth)
