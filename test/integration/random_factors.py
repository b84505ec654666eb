# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random unroll factors instead of those that hls-balance chooses: divisors of trip counts or not, taps in turn,
several pixels of a row.
"""

from __future__ import annotations

from random import Random

from torch_mlir import ir

from resnet_hls.analysis.iterations import fixed_loops, guards_of
from resnet_hls.analysis.tasks import Task, tasks, the_dataflow
from resnet_hls.analysis.walks import hand_outs, is_walk, width_of


def free_loops(task: Task) -> list[tuple[bool, set[int]]]:
    """Of each transfer whether it writes, and the loops that its guards do not hold at one iteration."""
    every = set(range(len(task.nest.loops)))
    return [(t.is_write, every - set(fixed_loops(guards_of(t.op, task.nest)))) for t in task.transfers]


def may_be_unrolled(task: Task) -> list[int]:
    """Loops that walk neighbours, or pixels of a row, in every stream that they walk, and the taps of windows that the
    task reads.
    """
    taps = {d for d, loop in enumerate(task.nest.loops) if "hls.tap" in loop.attributes}
    moved = free_loops(task)
    walked = [sorted(free - taps) for _, free in moved if free - taps]
    near = [2 if len(loops) > 2 else 1 for loops in walked]  # of rows, columns and channels the last two
    inner = {d for loops, n in zip(walked, near, strict=True) for d in loops[-n:]}
    outer = {d for loops, n in zip(walked, near, strict=True) for d in loops[:-n]}
    return sorted((inner - outer) | (taps - {d for is_write, free in moved if is_write for d in free}))


def pixel_factors(task: Task, d: int) -> list[int] | None:
    """Factors of a loop over columns, of which there may be several pixels in a word; None for any other loop."""
    taps = {e for e, loop in enumerate(task.nest.loops) if "hls.tap" in loop.attributes}
    if not any(d in sorted(free - taps)[:-1] for _, free in free_loops(task)):
        return None
    width, strides = task.nest.extents[d], {1}
    if is_walk(task):
        width, strides = width_of(task), {found.stride for found in hand_outs(task).values()}
        if task.nest.extents[2] == 1:
            return [1]  # whoever reads such windows may have no loop over channels, and takes pixels for neighbours
    return [1, 1, *(n for n in (2, 3, 4, 6) if n <= width and len(strides) == 1 and n % max(strides) == 0)]


def choose(module: ir.Operation, seed: int) -> dict[str, dict[int, int]]:
    """Marks the loops of all tasks; gives the factors by task and loop. Most taps stay unrolled whole."""
    random, chosen = Random(seed), dict[str, dict[int, int]]()
    i64 = ir.IntegerType.get_signless(64)
    for task in tasks(the_dataflow(module)):
        factors = chosen.setdefault(task.name, {})
        for d in may_be_unrolled(task):
            loop, extent = task.nest.loops[d], task.nest.extents[d]
            if "hls.tap" in loop.attributes and random.random() < 0.5:
                continue
            any_lanes = [1, extent, random.randint(1, extent), random.randint(1, extent)]
            factors[d] = random.choice(pixel_factors(task, d) or any_lanes)
            loop.attributes["hls.unroll"] = ir.IntegerAttr.get(i64, factors[d])
    return chosen
