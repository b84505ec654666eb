# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-pipeline-loops: the stages of every task's pipeline. Marks loops, rewrites nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls.analysis.latency import Iteration, usable_time
from resnet_hls.analysis.resources import constants_of, storage_of_task
from resnet_hls.analysis.tasks import Task, tasks, the_dataflow
from resnet_hls.passes._registry import Pass, PassFailure, option, register_pass


@register_pass
@dataclass(frozen=True)
class PipelineLoops(Pass):
    """Tell how deep the pipeline of every task is, and how soon an iteration follows the last.

    Before: tiled tasks whose arrays and constants have a place. After: on every pipelined loop `hls.depth`, the number
    of stages from the one in which an iteration reads its streams to the one in which it writes them, at least two; and
    `hls.interval`, the cycles from one iteration to the next. A word comes `hls.depth - 1` cycles after those that it
    is made of, at the earliest.

    Both follow from a model (`analysis/latency.py`): every operation of an iteration as soon as its operands are there,
    in a stage as many as the clock period has time for, less a margin of 27 %. Memory takes one cycle (LUTs) or two
    (block RAM) to read, a product of bytes three; lanes that add to one element are a tree of adders.

    The interval is one cycle. Where an iteration would have to wait for what the last one stores, that is an error: the
    steps that other passes count would be no cycles.
    """

    name: ClassVar[str] = "hls-pipeline-loops"

    clock_mhz: float = option(250.0, "clock of the accelerator in MHz")

    def run(self, op: ir.Operation) -> None:
        if self.clock_mhz <= 0:
            raise PassFailure(op, f"a clock of {self.clock_mhz:g} MHz", help="set clock-mhz to a number above 0")
        constants = constants_of(op)
        for task in tasks(the_dataflow(op)):
            pipeline(task, storage_of_task(task, constants), self.clock_mhz)


def pipeline(task: Task, storage: Mapping[ir.Value, str], clock_mhz: float) -> Iteration:
    """Marks one task's pipelined loop, and gives the model of an iteration that says so.

    Args:
        task: tiled.
        storage: `hls.storage` of every array and constant that the task names: `storage_of_task`.
        clock_mhz: above 0.

    Raises:
        PassFailure: no loop is pipelined, or an iteration would have to wait.
    """
    loop = task.nest.loops[-1]
    if "hls.pipeline" not in loop.attributes:
        message = f"the innermost loop of '{task.name}' is not pipelined"
        raise PassFailure(loop, message, help="run hls-unroll-loops")
    iteration, usable = Iteration(task, storage), usable_time(clock_mhz)
    interval = iteration.interval(usable)
    if interval > 1:
        message = f"'{task.name}' starts an iteration every {interval} cycles: it needs what the last one stores"
        raise PassFailure(loop, message, help=f"lower the clock, which is {clock_mhz:g} MHz")
    i64 = ir.IntegerType.get_signless(64)
    loop.attributes["hls.interval"] = ir.IntegerAttr.get(i64, interval)
    loop.attributes["hls.depth"] = ir.IntegerAttr.get(i64, iteration.depth(usable))
    return iteration
