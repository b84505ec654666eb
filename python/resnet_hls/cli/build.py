# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls build`, `fit`: a network to a project, or to figures for many."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from resnet_hls.cli._common import MODEL_HELP, Board, Model, Quiet, console, models, optional_passes, short
from resnet_hls.errors import UserError
from resnet_hls.progress import shown

if TYPE_CHECKING:
    from resnet_hls.driver import Options
    from resnet_hls.frontend.sources import Source

_USAGE = "'resnet-hls build --help' lists the options"


def _most(what: str) -> Any:
    """An option that limits a resource."""
    return typer.Option(metavar="N", help=f"{what} to use at most; by default what the board's budget allows")


def build(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Argument(
            help=f"{MODEL_HELP}; with --from-manifest only where it would not be found", autocompletion=models
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="folder to write, new or empty; with --from-manifest by default the network's name",
        ),
    ] = None,
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
    from_manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="build what manifest.json of a project says, again, with its options"),
    ] = None,
    allow_differences: Annotated[
        bool,
        typer.Option("--allow-differences", help="with --from-manifest: with other versions, and to other files, too"),
    ] = False,
) -> int:
    """Compile a network to an HLS C++ project."""
    from resnet_hls import driver
    from resnet_hls.frontend import sources

    if from_manifest is not None:
        _check_repeated(context)
        return _repeat(from_manifest, model, output, _Ways(force, quiet, verbose), allow_differences)
    if model is None:
        raise UserError("missing argument 'MODEL'", help=_USAGE, status=2)
    if output is None:
        raise UserError("missing option '-o' / '--output'", help=_USAGE, status=2)
    if allow_differences:
        raise UserError("--allow-differences without --from-manifest", help=_USAGE, status=2)
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
    _write(sources.find(model, name), options, output, _Ways(force, quiet, verbose), lambda manifest: None)
    return 0


class _Ways(NamedTuple):
    """How a build replaces and tells."""

    force: bool
    quiet: bool
    verbose: bool


def _write(
    source: Source,
    options: Options,
    output: Path,
    ways: _Ways,
    accept: Callable[[dict[str, Any]], object],
) -> None:
    """Compile, write the project if `accept` does not refuse its manifest, and say what came out."""
    from resnet_hls import driver
    from resnet_hls.project import folder

    folder.check(output, ways.force)
    times = _Times()
    with source, shown(ways.quiet) as told:
        accelerator = driver.run(source, options, lambda *what: told(*times(*what)))
        told(*times("report and files", 0, 0))
        accelerator.write(output, ways.force, accept)
    if ways.quiet:
        return
    from resnet_hls.report.text import lines, remark_lines

    for line in times.lines() if ways.verbose else ():
        print(line)
    print("\n".join(lines(accelerator.report)))
    for line in remark_lines(accelerator.report) if ways.verbose else ():
        print(line)
    for note in accelerator.notes:
        print(f"note: {note}")
    print(f"build: wrote {short(output)}")


def _check_repeated(context: typer.Context) -> None:
    """A build that is repeated has the options that it had.

    Raises:
        UserError: some others are given.
    """
    free = {"model", "output", "force", "quiet", "verbose", "from_manifest", "allow_differences"}
    given = [
        name
        for name in context.params
        if name not in free and getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if given:
        raise UserError(
            f"--{given[0].replace('_', '-')} with --from-manifest",
            help="the options are those of the manifest; for others, build without it",
            status=2,
        )


def _repeat(manifest: Path, model: str | None, output: Path | None, ways: _Ways, allow_differences: bool) -> int:
    """Build what a manifest records: the same files, or, where that is allowed, what differs is told."""
    from resnet_hls.project import recipe

    found = recipe.read(manifest)
    notes = recipe.check_versions(found, allow_differences)
    repetition = recipe.Repetition(found, allow_differences)
    target = Path(found.name) if output is None else output
    _write(found.source(model), found.options, target, ways, repetition)
    for line in () if ways.quiet else (*(f"note: {note}" for note in notes), f"build: {repetition.line}"):
        print(line)
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
    return command.run(request, console(), json, quiet)
