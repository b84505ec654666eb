# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The one exception that the command line tools turn into a message instead of a traceback, and signals."""

import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class UserError(Exception):
    """Something a user can cause and can cure.

    Args:
        message: what is wrong, one line, lower case, no full stop.
        where: the file, layer or option that is wrong; printed before the message.
        help: what to do about it; printed on its own line after `help: `.
        details: what there is to say besides, where that is a list; printed between, indented, an item a line.
        status: the exit status of a command line tool: 1 for bad input, 2 for bad usage.
    """

    def __init__(
        self, message: str, *, where: str = "", help: str = "", details: Sequence[str] = (), status: int = 1
    ) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.where = where
        self.help = help
        self.details = tuple(details)
        self.status = status

    def render(self, tool: str) -> str:
        """The lines a tool prints: `<tool>: error: <where>: <message>`, the details, `help: <help>` if there is any."""
        text = "\n  ".join((f"{tool}: error: {self}", *self.details))
        return f"{text}\nhelp: {self.help}" if self.help else text


def raise_if_interrupted(error: BaseException) -> None:
    """Raises KeyboardInterrupt or SystemExit where `error` is one that MLIR's bindings have wrapped: a signal that came
    while MLIR had called back.
    """
    if "KeyboardInterrupt" in str(error):
        raise KeyboardInterrupt from None
    if status := re.search(r"^SystemExit: (\d+)", str(error), re.MULTILINE):
        raise SystemExit(int(status[1])) from None


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Lets SIGINT and SIGTERM wait until the end: an exception while MLIR's bindings are imported is a crash."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
