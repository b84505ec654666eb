# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Processes that build variants of tasks at the same time. They give the figures that one process would give.

`python -m resnet_hls.balance.workers` is one of them. It reads pickles from standard input, first what it needs to
know and then one variant after the other, and writes the figures of each. It ends where its input does, so that none
outlives the process that started it, whatever becomes of that.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any, Generic

from torch_mlir import ir

from resnet_hls import processes
from resnet_hls.analysis.tasks import tasks, the_dataflow
from resnet_hls.balance.building import Builder, Figures, Order
from resnet_hls.context import make_context

#: Tasks of a dataflow that has enough variants to start processes, which takes a second, and variants to ask them.
_WORTH_A_START, _WORTH_ASKING = 16, 4


class Workers(Generic[Figures]):
    """As many processes as asked for, where there are tasks enough; they start and end with the context.

    Args:
        module: untiled. It must not change afterwards.
        builder: what a task goes through.
        count: of processes, `processes.most()` by default. Where it is 1 there are none.
    """

    def __init__(self, module: ir.Operation, builder: Builder[Figures], count: int | None = None) -> None:
        self._module, self._builder = module, builder
        self._count = count or processes.most()
        self.running: list[subprocess.Popen[bytes]] = []
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._threads = ThreadPoolExecutor(self._count)

    def __enter__(self) -> Workers[Figures]:
        if self._count > 1 and len(tasks(the_dataflow(self._module))) >= _WORTH_A_START:
            self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        self._threads.shutdown(cancel_futures=True)
        for process in self.running:
            for pipe in filter(None, (process.stdin, process.stdout)):
                with suppress(OSError):  # of what nobody has read
                    pipe.close()
        self.running = []

    def build(self, wanted: Sequence[tuple[str, Order]]) -> list[Figures | None]:
        """The figures of variants of tasks, given by their names; None for one that cannot be built, or was not.

        Nothing at all where it is not worth it.
        """
        if not self.running or len(wanted) < _WORTH_ASKING:
            return []
        return list(self._threads.map(self._ask, wanted))

    def _start(self) -> None:
        bytecode = BytesIO()
        self._module.write_bytecode(bytecode)
        known = pickle.dumps((bytecode.getvalue(), self._builder))
        self.running = [
            processes.start(
                __name__,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what goes wrong there goes wrong here again, and is told
                start_new_session=True,  # Ctrl-C is for the process that started it
            )
            for _ in range(self._count)
        ]
        for process in self.running:
            self._threads.submit(self._tell, process, known)  # at the same time: each reads only when it is ready

    def _tell(self, process: subprocess.Popen[bytes], known: bytes) -> None:
        with suppress(OSError, ValueError):  # it has ended, or is ended: the next one who asks it will see
            _send(process, known)
        self._idle.put(process)

    def _ask(self, wanted: tuple[str, Order]) -> Figures | None:
        process = self._idle.get()
        try:
            _send(process, pickle.dumps(wanted))
            assert process.stdout is not None
            figures: Figures | None = pickle.load(process.stdout)
            return figures
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):  # it has ended: out of memory, say
            return None
        finally:
            self._idle.put(process)


def _send(process: subprocess.Popen[bytes], pickled: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(pickled)
    process.stdin.flush()


def serve(orders: IO[bytes], figures: IO[bytes]) -> None:
    """Builds what is ordered until the orders end."""
    bytecode, builder = pickle.load(orders)
    module = ir.Module.parse(bytecode, make_context()).operation
    with module.context, module.location:
        known = {task.name: task for task in tasks(the_dataflow(module))}
        while True:
            try:
                name, order = pickle.load(orders)
            except EOFError:
                return
            try:
                found: Any = builder.task(module, known[name], order)
            except Exception:  # who ordered it builds it again, and sees why
                found = None
            pickle.dump(found, figures)
            figures.flush()


def main() -> None:
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not print into the figures
    with suppress(BrokenPipeError, EOFError):
        serve(sys.stdin.buffer, channel)
    os._exit(0)  # tearing down MLIR takes a tenth of a second


if __name__ == "__main__":
    main()
