# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the skips of residual blocks cost in a scheduled dataflow, beside the published formulas. Changes no IR."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.residuals import INPUT, ResidualBlock, reachable
from resnet_hls.analysis.tasks import fifos, lanes_of, tasks, the_dataflow, word_bits

#: Of a block, and of the report in total.
_KEYS = ("skip_buffer_bytes", "skip_buffer_bytes_naive", "skip_buffer_bytes_published")


def skip_report(
    module: ir.Operation,
    blocks: Sequence[ResidualBlock],
    line_buffers: Mapping[str, int],
    skip_rows: Mapping[str, int],
) -> dict[str, Any]:
    """The part of the report that is about skips.

    Args:
        module: scheduled.
        blocks: of the same network, from its affine stage.
        line_buffers: bytes of line buffers by task.
        skip_rows: bytes of those rows of line buffers by task that are there for skips alone.

    Returns:
        The totals and `residual_blocks`; null where the dataflow has no such block, and in totals of which it is part.
    """
    streams = _Streams(the_dataflow(module), line_buffers, skip_rows)
    rows: list[dict[str, Any]] = []
    for block in blocks:
        ours = streams.skip_bytes(block, [other for other in blocks if other.join == block.join])
        figures = zip(_KEYS, (ours, block.naive_bytes, block.published_bytes), strict=True)
        rows.append({"name": block.name, "fork": block.fork, "join": block.join, **dict(figures)})
    totals = {key: None if any(row[key] is None for row in rows) else sum(row[key] for row in rows) for key in _KEYS}
    return {**totals, "residual_blocks": rows}


class _Streams:
    """Tasks by the streams that they write; the input port is one. Counts every stream and task once."""

    def __init__(self, dataflow: ir.Operation, line_buffers: Mapping[str, int], skip_rows: Mapping[str, int]) -> None:
        found = tasks(dataflow)
        self.line_buffers = line_buffers
        self.skip_rows = dict(skip_rows)  # of those forks that no block has counted yet
        self.inputs: dict[str, list[ir.Value]] = {INPUT: []} | {task.name: task.inputs for task in found}
        self.order = {name: number for number, name in enumerate(self.inputs)}
        self.writer = {op.operands[1]: INPUT for op in iu.walk(dataflow, "hls.source")}
        self.writer |= {stream: task.name for task in found for stream in task.outputs}
        self.bytes = {
            fifo.results[0]: math.ceil(ir.IntegerAttr(fifo.attributes["depth"]).value * word_bits(fifo.results[0]) / 8)
            for fifo in fifos(dataflow)
        }
        self.counted: set[ir.Value | str] = set()

    def skip_bytes(self, block: ResidualBlock, siblings: Sequence[ResidualBlock]) -> int | None:
        """Bytes of FIFOs that only the skip passes and of line buffers for it; what was counted before is left out.

        `siblings` are the blocks of the same join. None where no task is called like the join, or where its streams
        come from elsewhere.
        """
        arriving = self.arriving(block, siblings)
        if arriving is None:
            return None
        main, skip = arriving
        fork = max(self.above(self.writer[main]) & self.above(self.writer[skip]), key=self.order.__getitem__)
        others = self.way(main, fork)
        alone: set[ir.Value | str] = set(self.way(skip, fork) - others)
        alone |= {self.writer[s] for s in self.way(skip, fork)} - {self.writer[s] for s in others} - {fork}
        alone -= self.counted
        self.counted |= alone
        kept = self.skip_rows.pop(fork, 0)  # by the window task where the ways part
        return kept + sum(self.line_buffers[one] if isinstance(one, str) else self.bytes[one] for one in alone)

    def arriving(self, block: ResidualBlock, siblings: Sequence[ResidualBlock]) -> tuple[ir.Value, ir.Value] | None:
        """The streams by which the long way and the skip arrive at the join."""
        producers = {name for other in siblings for name in (other.main, other.skip)}
        by_producer: dict[str | None, list[ir.Value]] = {}
        for stream in self.inputs.get(block.join, []):
            by_producer.setdefault(self.producer(stream, producers), []).append(stream)
        # Of two ways from one map, the long one comes as windows: its words are the widest.
        main = sorted(by_producer.get(block.main, []), key=lambda stream: -lanes_of(stream))[:1]
        skips = [stream for stream in by_producer.get(block.skip, []) if stream not in main]
        # By identity: two ways between the same nests have the same figures.
        number = [other is block for other in siblings if other.skip == block.skip].index(True)
        return (main[0], skips[number]) if main and number < len(skips) else None

    def producer(self, stream: ir.Value, wanted: set[str]) -> str | None:
        """The nearest of the `wanted` tasks upstream, behind window tasks and width converters."""
        name = self.writer[stream]
        while name not in wanted:
            if len(self.inputs[name]) != 1:
                return None
            name = self.writer[self.inputs[name][0]]
        return name

    def above(self, name: str) -> set[str]:
        """The tasks that a task depends on, itself included."""
        return reachable(name, lambda one: [self.writer[stream] for stream in self.inputs[one]])

    def way(self, last: ir.Value, fork: str) -> set[ir.Value]:
        """The streams between a task and the reader of `last`."""
        found: set[ir.Value] = set()
        pending = [last]
        while pending:
            stream = pending.pop()
            if stream not in found:
                found.add(stream)
                if self.writer[stream] != fork:
                    pending += [s for s in self.inputs[self.writer[stream]] if fork in self.above(self.writer[s])]
        return found
