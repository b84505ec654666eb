# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls fit`: from what a user asks to the table, `fit.json` and `fit.html`."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from resnet_hls import boards, driver
from resnet_hls.errors import UserError
from resnet_hls.fit import plot, table
from resnet_hls.fit.points import FAILED, Result, network_of
from resnet_hls.fit.run import Progress, fit
from resnet_hls.fit.store import Store
from resnet_hls.frontend import sources


@dataclass(frozen=True)
class Request:
    """What a user asks for: see `resnet-hls fit --help`."""

    model: str
    output: Path
    boards: str
    clock_mhz: float | None
    slower: int
    objective: str
    resource_factors: Path | None
    scheduler: str | None
    workers: int | None


def run(request: Request, as_json: bool) -> int:
    """Compute, write, print; the exit status: 1 where a point failed for another reason than that it does not fit.

    Raises:
        UserError: wrong options, no such model, a folder that cannot be written, packages that are not installed.
    """
    for package in ("distributed", "plotly"):  # not after minutes of work
        if importlib.util.find_spec(package) is None:
            help = "pip install 'resnet-hls[fit]'"
            raise UserError(f"fit needs {package}, which is not installed", help=help)
    wanted = boards.names() if request.boards == "all" else [name.strip() for name in request.boards.split(",")]
    options = [
        driver.make_options(
            name, request.clock_mhz, objective=request.objective, resource_factors=request.resource_factors
        )
        for name in dict.fromkeys(wanted)
    ]
    called = [given.board.name for given in options]
    if doubled := sorted({name for name in called if called.count(name) > 1}):
        help = "name a file of your own by another name"
        raise UserError(f"two boards are called '{doubled[0]}'", help=help, status=2)
    with sources.find(request.model) as source:
        store = Store(request.output)
        network = network_of(source, options[0])
    with _Bar(len(options) * (1 + request.slower)) as progress:
        results = fit(network, options, request.slower, store, request.scheduler, request.workers, progress)
    summary = {"model": network.name, **table.summary(results)}
    text = json.dumps(summary, indent=2) + "\n"
    store.write("fit.json", text)
    store.write("fit.html", plot.page(network.name, results))
    _print(results, text if as_json else None, request.output)
    return 1 if any(result["status"] == FAILED for result in results) else 0


def _print(results: list[Result], text: str | None, output: Path) -> None:
    from rich.console import Console

    if text is not None:
        sys.stdout.write(text)
    else:
        console = Console() if sys.stdout.isatty() else Console(width=160)
        console.print(table.board_table(results))
        print(f"fit: wrote {output}/fit.json and {output}/fit.html, which has the slower designs as well")
    for line in table.problem_lines(results):
        print(f"note: {line}", file=sys.stderr)


class _Bar:
    """A progress bar on a terminal; elsewhere a line for each point."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.total = total
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self.task = self.bar.add_task("designs", total=total)

    def __enter__(self) -> Progress:
        self.bar.start()
        return self.told

    def told(self, done: int, total: int, result: Result) -> None:
        asked = "fastest" if result["target_fps"] is None else f"{result['target_fps']:,g} frames/s"
        line = f"{result['board']}, {asked}: {result['status']}"
        if "fps" in result:
            line += f", {result['fps']:,.0f} frames/s"
        if self.bar.disable:
            print(f"fit: {done} of {total}: {line}", file=sys.stderr, flush=True)
        self.bar.update(self.task, completed=done, description=line)

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()
