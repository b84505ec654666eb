# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random unroll factors instead of those that hls-balance chooses: divisors of trip counts or not, taps in turn."""

from __future__ import annotations

from random import Random

from torch_mlir import ir

from resnet_hls.analysis.iterations import fixed_loops, guards_of
from resnet_hls.analysis.tasks import Task, tasks, the_dataflow


def free_loops(task: Task) -> list[tuple[bool, set[int]]]:
    """Of each transfer whether it writes, and the loops that its guards do not hold at one iteration."""
    every = set(range(len(task.nest.loops)))
    return [(t.is_write, every - set(fixed_loops(guards_of(t.op, task.nest)))) for t in task.transfers]


def may_be_unrolled(task: Task) -> list[int]:
    """Loops that walk neighbours in every stream that they walk, and the taps of windows that the task reads."""
    taps = {d for d, loop in enumerate(task.nest.loops) if "hls.tap" in loop.attributes}
    moved = free_loops(task)
    walked = [free - taps for _, free in moved if free - taps]
    inner = {max(free) for free in walked}
    outer = {d for free in walked for d in free - {max(free)}}
    return sorted((inner - outer) | (taps - {d for is_write, free in moved if is_write for d in free}))


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
            factors[d] = random.choice([1, extent, random.randint(1, extent), random.randint(1, extent)])
            loop.attributes["hls.unroll"] = ir.IntegerAttr.get(i64, factors[d])
    return chosen
