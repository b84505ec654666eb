# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The one exception that the command line tools turn into a message instead of a traceback, and signals."""

import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NoReturn


def one_line(text: str) -> str:
    """`text` with what is no printable sign written as an escape: names in files may hold line ends, the commands of
    terminals, signs that turn the direction of writing, and halves of signs.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class UserError(Exception):
    """Something a user can cause and can cure. Its texts are made `one_line` each.

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
        self.message = one_line(message)
        self.where = one_line(where)
        self.help = one_line(help)
        self.details = tuple(map(one_line, details))
        super().__init__(f"{self.where}: {self.message}" if where else self.message)
        self.status = status

    def render(self, tool: str) -> str:
        """The lines a tool prints: `<tool>: error: <where>: <message>`, the details, `help: <help>` if there is any."""
        text = "\n  ".join((f"{tool}: error: {self}", *self.details))
        return f"{text}\nhelp: {self.help}" if self.help else text


#: The signals that `noting_signals` has seen, until its end.
_seen: list[int] = []


@contextmanager
def noting_signals() -> Iterator[None]:
    """Lets SIGINT and SIGTERM raise, as KeyboardInterrupt and SystemExit, and remembers them for `raise_seen`.

    So that everything is left through its `finally`s. Only for the main thread of a tool. A signal that is ignored, as
    a shell has it for what runs in the background, stays so.
    """
    heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _raise) for number in heard}
    try:
        yield
    finally:
        _seen.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise(number: int, frame: object) -> NoReturn:
    _seen.append(number)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def raise_seen() -> None:
    """Raises again what a signal has raised, where it did not come through: while a callback of a library or the end of
    an object ran, Python drops exceptions. Asked from time to time, and before anything is written.
    """
    if _seen:
        _raise(_seen[0], None)


def raise_if_interrupted(error: BaseException) -> None:
    """Raises KeyboardInterrupt or SystemExit where `error` is one that MLIR's bindings have wrapped: a signal that came
    while MLIR had called back.
    """
    if "KeyboardInterrupt" in str(error):
        raise KeyboardInterrupt from None
    if status := re.search(r"^SystemExit: (\d+)", str(error), re.MULTILINE):
        raise SystemExit(int(status[1])) from None


@contextmanager
def signals_deferred() -> Iterator[list[int]]:
    """Lets SIGINT and SIGTERM wait until the end, and gives those that have come: while MLIR's bindings are imported an
    exception is a crash, and a step of training must not be half done.

    A mask would not do: the system hands a signal to any thread without one, and Python's handler runs here even so.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received  # only the main thread gets any
        return
    with ExitStack() as restored:
        for number in (signal.SIGINT, signal.SIGTERM):
            if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None):
                restored.callback(signal.signal, number, handler)
                signal.signal(number, lambda number, frame: received.append(number))
        yield received
    for one in dict.fromkeys(received):  # an error of what had to end is told before any signal
        signal.raise_signal(one)
