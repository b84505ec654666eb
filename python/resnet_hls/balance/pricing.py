# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a variant of a task costs: it is built by the passes that will build it, and its resources are counted.

So there is one model of resources. Tasks that look alike, whatever their constants, are built once: numbers and weights
make a difference of some LUTs. What is chosen is built again with its own, so that what fits here fits in the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic

from torch_mlir import ir

from resnet_hls.analysis.tasks import Task
from resnet_hls.balance.building import Builder, Figures, Order
from resnet_hls.balance.workers import Workers
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes._tiling_words import Word

_CONSTANT = re.compile(r"^ *%\S+ = arith\.constant .*\n", re.MULTILINE)
_NUMBER = re.compile(r"%c-?\d[\w-]*")
_NAME = re.compile(r"[@%][\w$.#-]+|(?<== )\"[^\"]*\"")


@dataclass
class Trials(Generic[Figures]):
    """Figures of variants of the tasks of a dataflow, each built once.

    Args:
        module: untiled.
        builder: what a task goes through.
        workers: that build many of them at the same time.

    Attributes:
        failure: why the last one could not be built.
        built: how many were.
    """

    module: ir.Operation
    builder: Builder[Figures]
    workers: Workers[Figures]
    failure: PassFailure | None = None
    built: int = 0
    _keys: dict[ir.Operation, str] = field(default_factory=dict)
    _found: dict[tuple[str, Order], Figures | None] = field(default_factory=dict)

    def prepare(self, wanted: Iterable[tuple[Task, Order]], alike: bool = True) -> None:
        """Builds at the same time what will be asked for one by one, as far as the workers find that worth it."""
        missing: dict[tuple[str, Order], tuple[str, Order]] = {}
        for task, order in wanted:
            key = self._key(task, order, alike)
            if key not in self._found:
                missing.setdefault(key, (task.name, order))
        built = self.workers.build(list(missing.values()))
        # What failed there fails here again, where it can be said why.
        self._found |= {key: figures for key, figures in zip(missing, built, strict=False) if figures is not None}
        self.built += len(built)

    def of(self, task: Task, order: Order, alike: bool = True) -> Figures | None:
        """The figures of a variant of a task; None where it cannot be built so.

        With `alike` they may be those of another task that differs in its constants only.
        """
        key = self._key(task, order, alike)
        if key not in self._found:
            self.built += 1
            try:
                self._found[key] = self.builder.task(self.module, task, order)
            except PassFailure as failure:
                self.failure, self._found[key] = failure, None
        return self._found[key]

    def converter(self, fifo: ir.Operation, have: Word, want: Word) -> Figures | None:
        """The figures of the task that makes words of one kind of words of another; None where there is none."""
        try:
            return self.builder.converter(fifo, have, want)
        except PassFailure:
            return None

    def like(self, task: Task) -> str:
        """The text of a task without names, numbers and elements of constants."""
        if task.op not in self._keys:
            names: dict[str, str] = {}
            # Without its scope and unverified: else all of the module is numbered and verified for each task.
            text = task.op.get_asm(
                enable_debug_info=False, large_elements_limit=1, use_local_scope=True, assume_verified=True
            )
            text = _NUMBER.sub("number", _CONSTANT.sub("", text))
            self._keys[task.op] = _NAME.sub(lambda m: names.setdefault(m.group(), f"@{len(names)}"), text)
        return self._keys[task.op]

    def _key(self, task: Task, order: Order, alike: bool) -> tuple[str, Order]:
        return self.like(task) if alike else f"@{task.name}", order
