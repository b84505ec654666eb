# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a command is at: on a terminal a line that moves, elsewhere nothing. What is printed never depends on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Told of work as it goes on: what it is, how much of it is done, and of how much, 0 where nobody counts.
Told = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    """Tells nobody."""


@contextmanager
def shown(quiet: bool = False) -> Iterator[Told]:
    """What it is told, on standard error, with a bar where there is something to count; nothing if `quiet`."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class Count(TextColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.completed:,.0f}/{task.total:,.0f}" if task.total else "")

    class Bar(BarColumn):
        def render(self, task: Task):  # type: ignore[no-untyped-def]  # a bar or a text
            return super().render(task) if task.total else Text("")

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False), Bar(), Count(""))
    both = sys.stdout.isatty()  # else what is printed meanwhile would go to standard error
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=both) as progress:
        task = progress.add_task("", total=None)

        def told(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total or None)

        yield told
