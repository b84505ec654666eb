# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls fit`: from what a user asks to the table, `fit.json` and `fit.html`."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_hls import boards, driver
from resnet_hls.errors import UserError
from resnet_hls.fit import plot, table
from resnet_hls.fit.points import FAILED, Result, network_of
from resnet_hls.fit.run import fit
from resnet_hls.fit.store import Store
from resnet_hls.frontend import sources
from resnet_hls.progress import shown, silent

if TYPE_CHECKING:
    from rich.console import Console


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


def run(request: Request, console: Console, as_json: bool, quiet: bool = False) -> int:
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
    with shown(quiet) as told:

        def ended(done: int, total: int, result: Result) -> None:
            told(line := _line(result), done, total)
            if told is silent and not quiet:
                print(f"fit: {done} of {total}: {line}", file=sys.stderr, flush=True)

        told("the fastest design of each board", 0, len(options) * (1 + request.slower))
        results = fit(network, options, request.slower, store, request.scheduler, request.workers, ended)
    summary = {"model": network.name, **table.summary(results)}
    text = json.dumps(summary, indent=2) + "\n"
    store.write("fit.json", text)
    store.write("fit.html", plot.page(network.name, results))
    _print(results, text if as_json else None, request.output, None if quiet else console)
    return 1 if any(result["status"] == FAILED for result in results) else 0


def _print(results: list[Result], text: str | None, output: Path, console: Console | None) -> None:
    if text is not None:
        sys.stdout.write(text)
    elif console is not None:
        console.print(table.board_table(results))
        print(f"fit: wrote {output}/fit.json and {output}/fit.html, which has the slower designs as well")
    for line in table.problem_lines(results):
        print(f"note: {line}", file=sys.stderr)


def _line(result: Result) -> str:
    """What has become of a point."""
    asked = "fastest" if result["target_fps"] is None else f"{result['target_fps']:,g} frames/s"
    line = f"{result['board']}, {asked}: {result['status']}"
    return f"{line}, {result['fps']:,.0f} frames/s" if "fps" in result else line
