# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls build`, `fit`: a network to a project, or to figures for many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from resnet_hls.cli._common import Board, Model, Quiet, optional_passes, short
from resnet_hls.errors import UserError
from resnet_hls.progress import shown


def _most(what: str) -> Any:
    """An option that limits a resource."""
    return typer.Option(metavar="N", help=f"{what} to use at most; by default what the board's budget allows")


def build(
    model: Model,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="folder to write; must not exist yet")],
    board: Board = "kv260",
    clock: Annotated[float | None, typer.Option(metavar="MHZ", help="clock; by default the board's")] = None,
    target_fps: Annotated[
        float | None, typer.Option(metavar="F", help="frames a second to reach with the fewest multipliers")
    ] = None,
    max_dsp: Annotated[int | None, _most("DSP slices")] = None,
    max_lut: Annotated[int | None, _most("LUTs")] = None,
    max_ff: Annotated[int | None, _most("flip-flops")] = None,
    max_bram36: Annotated[int | None, _most("block RAMs of 36 Kib")] = None,
    max_uram: Annotated[int | None, _most("UltraRAMs")] = None,
    resource_factors: Annotated[
        Path | None, typer.Option(metavar="TOML", help="factors for modelled resources, as report --refit writes them")
    ] = None,
    objective: Annotated[
        Literal["bits", "latency"],
        typer.Option(help="of FIFO depths: the fewest bits, or no loss of latency"),
    ] = "bits",
    effort: Annotated[
        float, typer.Option(metavar="N", help="work that choosing unroll factors may take, about seconds")
    ] = 20.0,
    weights: Annotated[
        Literal["auto", "lut", "bram", "uram"],
        typer.Option(
            help="what weights lie in; UltraRAM needs a load at start, and is chosen where nothing else will do"
        ),
    ] = "auto",
    name: Annotated[str | None, typer.Option(help="of the top function; by default from the model's name")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace the project that is in DIR")] = False,
    quiet: Quiet = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="print what the passes remark, and how long each stage took")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PASS",
            help="optimization to leave out; may be repeated, `passes` marks those that can be",
            autocompletion=optional_passes,
        ),
    ] = None,
) -> int:
    """Compile a network to an HLS C++ project."""
    from resnet_hls import driver
    from resnet_hls.frontend import sources
    from resnet_hls.project import folder

    options = driver.make_options(
        board,
        clock,
        target_fps,
        max_dsp,
        without or (),
        objective,
        max_lut,
        max_ff,
        max_bram36,
        max_uram,
        resource_factors,
        effort,
        weights,
    )
    source = sources.find(model, name)
    folder.check(output, force)
    times = _Times()
    with source, shown(quiet) as told:
        accelerator = driver.run(source, options, lambda *what: told(*times(*what)))
        told(*times("report and files", 0, 0))
        accelerator.write(output, force)
    if quiet:
        return 0
    from resnet_hls.report.text import lines, remark_lines

    for line in times.lines() if verbose else ():
        print(line)
    print("\n".join(lines(accelerator.report)))
    for line in remark_lines(accelerator.report) if verbose else ():
        print(line)
    for note in accelerator.notes:
        print(f"note: {note}")
    print(f"build: wrote {short(output)}")
    return 0


class _Times:
    """Passes on what it is told, and keeps how long each stage took."""

    def __init__(self) -> None:
        self.began: dict[str, float] = {}

    def __call__(self, what: str, done: int, total: int) -> tuple[str, int, int]:
        self.began.setdefault(what.partition(":")[0], time.perf_counter())
        return what, done, total

    def lines(self) -> Iterator[str]:
        """What has been told of, and how long it took until now."""
        ends = [*list(self.began.values())[1:], time.perf_counter()]
        for (stage, start), end in zip(self.began.items(), ends, strict=True):
            yield f"{stage}: {end - start:.1f} s (measured)"


def fit(
    model: Model,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="folder for results; a later run goes on with them")
    ],
    boards: Annotated[str, typer.Option(metavar="NAMES", help="all, or names and .toml files, with commas")] = "all",
    clock: Annotated[float | None, typer.Option(metavar="MHZ", help="clock; by default each board's")] = None,
    slower: Annotated[
        int, typer.Option(metavar="N", help="designs besides the fastest of each board: for a half, a quarter, … of it")
    ] = 3,
    objective: Annotated[
        Literal["bits", "latency"],
        typer.Option(help="of FIFO depths: the fewest bits, or no loss of latency"),
    ] = "bits",
    resource_factors: Annotated[
        Path | None, typer.Option(metavar="TOML", help="factors for modelled resources, as report --refit writes them")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="of a Dask cluster; by default processes of this machine")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="processes of this machine; by default one a processor")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print fit.json")] = False,
    quiet: Quiet = False,
) -> int:
    """Say how fast a network can be on each board, and what slower designs take."""
    from resnet_hls.fit import command

    if slower < 0 or (workers is not None and workers < 1):
        wrong = f"--slower {slower}" if slower < 0 else f"--workers {workers}"
        raise UserError(wrong, help="give 0 or more slower designs, 1 or more workers", status=2)
    request = command.Request(model, output, boards, clock, slower, objective, resource_factors, scheduler, workers)
    return command.run(request, json, quiet)
