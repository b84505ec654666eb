# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Registers between the stages of a task's pipeline, by the schedule of `latency`. Reads the IR only.

A value that is used in a later stage than the one in which it is there waits in registers, or in a shift register.
Products in DSP slices have registers of their own.
"""

from __future__ import annotations

from math import ceil

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis import costs
from resnet_hls.analysis.costs import Resources
from resnet_hls.analysis.latency import Iteration, accumulation, delay_of, usable_time
from resnet_hls.analysis.resources_task import Structures


def pipeline_registers(found: Structures, iteration: Iteration, clock_mhz: float) -> Resources:
    """Of all values of an iteration, and of the sums within trees."""
    usable = usable_time(clock_mhz)
    times = iteration.times(usable)
    total = Resources()
    for op, (count, bits, copies) in found.trees.items():
        total += tree_registers(count, bits, max(1, usable // delay_of(op))) * copies
    for value, bits, copies in found.live:
        node = iteration.values.get(value)
        start = None if node is None else times[node]
        if start is None or kept(found, value):
            continue
        ends = [consumed(iteration, times, user) for user in iu.users(value)]
        wait = max((end - start[0] for end in ends if end is not None), default=0)
        if wait > 0:
            total += costs.delay(wait, bits) * copies
    return total


def kept(found: Structures, value: ir.Value) -> bool:
    """True for what an array of registers holds from one iteration to the next: it is read when it is needed."""
    op = iu.defining_op(value)
    if op is None or op.name != "affine.load" or op.operands[0] not in found.state:
        return False
    return not any(user.name == "hls.read" for user in iu.users(op.operands[0]))


def consumed(iteration: Iteration, times: list[tuple[int, int] | None], user: ir.Operation) -> int | None:
    """The stage in which an operation takes its operands; None for one that only names a wire.

    Also None for a sum of lanes, which begins when its addends are there and looks at its element at the end.
    """
    if user.name in {"affine.store", "affine.yield"} or not user.results or accumulation(user) is not None:
        return None
    node = iteration.values.get(user.results[0])
    if node is None or (time := times[node]) is None:
        return None
    return time[0] - iteration.nodes[node].cycles


def tree_registers(count: int, bits: int, additions: int) -> Resources:
    """Registers behind every so many additions, one after the other, of a tree; those of its result are not counted.

    A row of additions of three numbers takes as long as two of additions of two.
    """
    levels = costs.tree_levels(count, bits)
    every = max(1, ceil(additions / 2))
    return Resources(ff=sum(level.sums * level.bits for n, level in enumerate(levels[:-1]) if (n + 1) % every == 0))
