# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls`: build, verify, simulate, report, fit, train, doctor, boards, passes.

Each command imports what it needs when it runs: `build` must start its importer at once, and nothing but the PyTorch
way may import PyTorch.
"""

from __future__ import annotations

import difflib
import inspect
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from resnet_hls.errors import UserError
from resnet_hls.tool import run_tool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOOL = "resnet-hls"

app = typer.Typer(
    name=TOOL,
    help="Compile quantized residual networks to dataflow accelerators for AMD FPGAs.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Model = Annotated[str, typer.Argument(help="a bundled network, a .onnx file, what train wrote, or module.py:factory")]
Project = Annotated[Path, typer.Argument(metavar="DIR", help="a folder that build wrote")]


_INTERRUPTED = 130
_VERIFIED = 100
_DRAWINGS = Path("drawings")


def _most(what: str) -> Any:
    """An option that limits a resource."""
    return typer.Option(metavar="N", help=f"{what} to use at most; by default what the board's budget allows")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit status: 0, 1 for bad input, 2 for bad usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    return run_tool(TOOL, lambda: _run(given))


def _run(arguments: list[str]) -> int:
    from typer._click.exceptions import ClickException, NoArgsIsHelpError

    signal.signal(signal.SIGTERM, _terminate)
    command = typer.main.get_command(app)
    try:
        result = command.main(args=arguments or ["--help"], prog_name=TOOL, standalone_mode=False)
    except NoArgsIsHelpError as error:
        raise UserError("what to do is missing", help=f"'{TOOL} --help' lists the commands", status=2) from error
    except ClickException as error:
        raise _usage(error) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    if result == _INTERRUPTED:  # typer makes this of Ctrl-C, without a word
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0


def _terminate(number: int, frame: object) -> NoReturn:
    """Leave through every `finally`, so that nothing half-written stays behind."""
    raise SystemExit(128 + number)


def _usage(error: Any) -> UserError:
    """What typer says about the command line, as this tool says it."""
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else TOOL
    help = f"'{path} --help' lists the options"
    possible = list(getattr(error, "possibilities", None) or [])
    if message.startswith("No such command"):
        known = sorted(command.name or "" for command in _commands())
        possible = difflib.get_close_matches(message.split("'")[1], known, n=1, cutoff=0.5)
        help = f"the commands are {', '.join(known)}"
        message = message.partition(". ")[0]
    elif option := getattr(error, "option_name", None):
        known = [name for parameter in context.command.params for name in parameter.opts] if context else []
        possible = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
        message = f"no such option: {option}" if type(error).__name__ == "NoSuchOption" else message
    if possible:
        help = f"did you mean '{possible[0]}'? {help}"
    message = " ".join(message.replace("Value error, ", "").split())
    return UserError(message[:1].lower() + message[1:], help=help, status=2)


def _commands() -> list[Any]:
    return list(getattr(typer.main.get_command(app), "commands", {}).values())


@app.command()
def build(
    model: Model,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="folder to write; must not exist yet")],
    board: Annotated[str, typer.Option(help="a name that `boards` lists, or the path of a .toml file")] = "kv260",
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
    verbose: Annotated[bool, typer.Option("--verbose", help="print what the passes remark")] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PASS", help="optimization to leave out; may be repeated, `passes` marks those that can be"
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
    with source:
        accelerator = driver.run(source, options)
        accelerator.write(output, force)
    from resnet_hls.report.text import lines, remark_lines

    print("\n".join(lines(accelerator.report)))
    for line in remark_lines(accelerator.report) if verbose else ():
        print(line)
    for note in accelerator.notes:
        print(f"note: {note}")
    print(f"build: wrote {_short(output)}")
    return 0


def _short(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)


@app.command()
def verify(
    project: Project,
    images: Annotated[
        int | None, typer.Option(metavar="N", help="how many images; by default 100, or all drawings")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="CIFAR-10's folder, a .npz or .npy of images, or drawings (ten, our own); by default random images",
        ),
    ] = None,
    pixel_scale: Annotated[int, typer.Option(metavar="255|256", help="what pixels are divided by")] = 255,
    headers: Annotated[
        Literal["fast", "xilinx", "bounded"],
        typer.Option(help="fast stand-ins, the vendor's own, or stand-ins with streams of bounded depth"),
    ] = "fast",
    compiler: Annotated[Literal["g++", "clang++"], typer.Option(help="found on PATH")] = "g++",
) -> int:
    """Run the C++ of a project on images and compare with the model, integer by integer."""
    from resnet_hls.project import manifest
    from resnet_hls.simulate import reference
    from resnet_hls.simulate.verify import verify as run_verify

    if pixel_scale not in (255, 256):
        raise UserError(f"a pixel scale of {pixel_scale}", help="give --pixel-scale 255 or 256", status=2)
    if images is not None and images < 1:
        raise UserError(f"{images} images", help="ask for one at least", status=2)
    content = manifest.read(project)
    chosen, labels, what = _images(content, images, data)
    by = reference.describe(project)
    result = run_verify(
        project,
        chosen,
        reference.load_reference(project),
        labels=labels,
        pixel_scale=pixel_scale,
        headers=headers,
        compiler=compiler,
    )
    print(f"verify: {content.name}, {what}; C++ by {compiler} with {headers} headers, model by {by}")
    if result.first_difference is not None:
        print(f"verify: {result.differing_elements} outputs differ; the first: {result.first_difference}")
    if data == _DRAWINGS and labels is not None:
        print(_recognized(result.answers, labels.tolist()))
    print(result.line)
    return 0 if result.passed else 1


def _recognized(answers: Sequence[int], labels: Sequence[int]) -> str:
    """One line: how many drawings were recognized, and what the others were taken for."""
    from resnet_hls.data.cifar10 import CLASSES

    names = [CLASSES[answer] if answer < len(CLASSES) else f"class {answer}" for answer in answers]
    wrong = [f"{CLASSES[label]} as {name}" for label, name in zip(labels, names, strict=True) if name != CLASSES[label]]
    line = f"verify: the accelerator recognizes {len(labels) - len(wrong)} of {len(labels)} drawings"
    return f"{line}; it sees {', '.join(wrong)}" if wrong else line


def _images(content: Any, count: int | None, data: Path | None) -> tuple[NDArray[Any], NDArray[np.int64] | None, str]:
    """Images (N, height, width, channels), their labels where there are any, and what they are."""
    from resnet_hls.data.arrays import load_images
    from resnet_hls.data.cifar10 import load
    from resnet_hls.simulate.samples import real_images, sample_images

    if data is None:
        integers = sample_images(count or _VERIFIED, content.input.shape, content.input.range, seed=1)
        real = real_images(integers, content.input).transpose(0, 2, 3, 1)
        return real, None, "random images (for real ones give --data)"
    height, width, channels = content.input.shape
    labels: NDArray[np.int64] | None
    if data == _DRAWINGS:
        from resnet_hls.data.drawings import drawings

        images, labels = drawings()
        count = len(images) if count is None else count
        if images.shape[1:] != (height, width, channels):
            help = "give --data images of that size, in a .npz file"
            raise UserError(
                f"drawings are 32x32 in colour, the accelerator takes {height}x{width}x{channels}", help=help
            )
    elif data.suffix in (".npy", ".npz"):
        images, labels = load_images(data, (height, width, channels))
    else:
        images, labels = load(data)
    count = count or _VERIFIED
    if len(images) < count:
        raise UserError(
            f"holds {len(images)} images, {count} were asked for",
            where=str(data),
            help=f"give --images {len(images)} or less",
        )
    return images[:count], None if labels is None else labels[:count], f"images of {data.name}"


@app.command()
def simulate(
    project: Project,
    frames: Annotated[int, typer.Option(metavar="N", help="how many, one after the other")] = 10,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="what happens when, for ui.perfetto.dev; .gz compresses it")
    ] = None,
    max_cycles: Annotated[int | None, typer.Option(metavar="N", help="give up a run that takes longer")] = None,
    json: Annotated[bool, typer.Option("--json", help="print the figures as JSON")] = False,
) -> int:
    """Run a project's schedule cycle by cycle: rate, latency, what tasks wait for, what streams hold."""
    from resnet_hls.report import simulation as text
    from resnet_hls.simulate import cycles, scheduled
    from resnet_hls.simulate import trace as traces

    for option, value in (("--frames", frames), ("--max-cycles", max_cycles)):
        if value is not None and not 1 <= value <= cycles.MOST:
            raise UserError(f"{option} {value}", help=f"give 1 to {cycles.MOST:,}", status=2)
    design = scheduled.read(project)
    try:
        simulation = cycles.simulate(design.network, frames, most_cycles=max_cycles)
    except MemoryError:
        help = "simulate fewer frames: as long as they are not alike, each is kept"
        raise UserError(f"{frames} frames need more memory than there is", where=str(project), help=help) from None
    result = text.Result(design, simulation)
    problem = text.problem(result, max_cycles)
    traced = trace is not None and not simulation.exceeded
    if trace is not None and traced:
        traces.save(trace, design.network, frames, design.name, design.clock_mhz)
    if json:
        print(text.as_json(result))
    elif problem is None:
        text.render(result, _console())
    if traced and not json:
        print(f"simulate: wrote {trace}; ui.perfetto.dev opens it")
    if problem is not None:
        raise problem
    return 0


@app.command()
def report(
    project: Project,
    json: Annotated[bool, typer.Option("--json", help="print report.json, or the comparison")] = False,
    imported: Annotated[
        Path | None,
        typer.Option(
            "--import", metavar="FILE", help="compare with csynth.xml of Vitis HLS, or a utilization report of Vivado"
        ),
    ] = None,
    refit: Annotated[
        Path | None, typer.Option(metavar="TOML", help="add what --import says to a file for build --resource-factors")
    ] = None,
) -> int:
    """Print the figures of a project: rate, tasks, streams, memories; or compare them with real ones."""
    from resnet_hls.report import text

    content = text.read(project)
    if imported is not None:
        return _compare(content, imported, refit, json)
    if refit is not None:
        raise UserError("--refit without --import", help="name the report of a tool with --import", status=2)
    if json:
        sys.stdout.write((project / "report.json").read_text(encoding="utf-8"))
        return 0
    text.render(content, _console())
    return 0


def _compare(content: dict[str, Any], imported: Path, refit: Path | None, json: bool) -> int:
    """Print a project's figures beside those that a tool gives, and learn from them where that is asked for."""
    from resnet_hls.project.writer import as_json
    from resnet_hls.report import comparison

    found = comparison.read(imported, content)
    factors = None if refit is None else comparison.add(refit, content, found)
    if json:
        print(as_json(found), end="")
        return 0
    comparison.render(found, _console())
    for family, scale in (factors or {}).items():
        print(f"{family}: real = " + ", ".join(f"{factor:g} x {kind}" for kind, factor in scale.items()))
    if refit is not None:
        print(f"report: wrote {_short(refit)}; build --resource-factors takes it")
    return 0


@app.command()
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
) -> int:
    """Say how fast a network can be on each board, and what slower designs take."""
    from resnet_hls.fit import command

    if slower < 0 or (workers is not None and workers < 1):
        wrong = f"--slower {slower}" if slower < 0 else f"--workers {workers}"
        raise UserError(wrong, help="give 0 or more slower designs, 1 or more workers", status=2)
    return command.run(
        command.Request(model, output, boards, clock, slower, objective, resource_factors, scheduler, workers), json
    )


@app.command()
def train(
    name: Annotated[str, typer.Argument(metavar="NAME", help="resnet8 or resnet20")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="CIFAR-10's folder")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="folder of the run; one that was stopped goes on")
    ],
    epochs: Annotated[int | None, typer.Option(metavar="N", help="of float training; by default the recipe's")] = None,
    quantized_epochs: Annotated[
        int | None, typer.Option(metavar="N", help="of training in integer arithmetic; by default the recipe's")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(metavar="N", help="images a step; by default the recipe's")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(metavar="R", help="highest of float training; by default the recipe's")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="of weights, order and augmentation")] = 0,
    teacher: Annotated[
        Path | None, typer.Option(metavar="DIR", help="folder of a run whose float network is learnt from")
    ] = None,
    threads: Annotated[int | None, typer.Option(metavar="N", help="of PyTorch; by default its own choice")] = None,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="where to compute")] = "cpu",
    bf16: Annotated[bool, typer.Option("--bf16", help="float training in bfloat16 where that is safe")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write the weights there too, when all is done")
    ] = None,
) -> int:
    """Train a bundled network on CIFAR-10, to the integers that the compiler builds."""
    from resnet_hls.training import command

    changes = {
        "epochs": epochs,
        "quantized_epochs": quantized_epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    return command.run(command.Request(name, data, output, changes, threads, device, bf16, teacher, export))


@app.command()
def doctor(model: Model) -> int:
    """Say whether a model can be built, what is in it, and what to do where it cannot."""
    from resnet_hls.frontend import doctor as onnx_doctor
    from resnet_hls.frontend.sources import OnnxSource, TorchSource, find

    source = find(model)
    if isinstance(source, TorchSource):
        from resnet_hls.frontend import torch_doctor

        diagnosis = torch_doctor.examine(source)
    else:
        assert isinstance(source, OnnxSource)
        diagnosis = onnx_doctor.examine(source.path)
    onnx_doctor.render(diagnosis, _console())
    return 0 if diagnosis.buildable else 1


@app.command()
def boards() -> int:
    """List the boards."""
    from rich.table import Table

    from resnet_hls import boards as all_boards

    table = Table("name", "board", "part", "family")
    for heading in ("MHz", "DSP", "LUT", "FF", "BRAM36", "URAM"):
        table.add_column(heading, justify="right")
    for name in all_boards.names():
        board = all_boards.load(name)
        counts = [
            f"{getattr(board.resources, key):,}\n{100 * getattr(board.budget, key):g} %" for key in all_boards.RESOURCES
        ]
        table.add_row(name, board.title, board.part, board.family, f"{board.clock_mhz:g}", *counts)
    console = _console()
    console.print(table)
    console.print(
        "The shares are what an accelerator may take of each; the rest is for the shell and for routing.",
        highlight=False,
    )
    console.print("A .toml file of your own will do too: --board PATH", highlight=False)
    return 0


@app.command()
def passes(
    name: Annotated[
        str | None, typer.Argument(metavar="PASS", help="a pass to document; by default all are listed")
    ] = None,
) -> int:
    """List the passes, in the order in which build runs them, or document one."""
    from resnet_hls.passes._registry import all_passes
    from resnet_hls.pipelines import STAGES

    known = {cls.name: cls for cls in all_passes()}
    if name is not None:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            guess = f"did you mean '{close[0]}'? " if close else ""
            raise UserError(f"there is no pass '{name}'", help=f"{guess}'{TOOL} passes' lists them", status=2)
        print(f"{name}\n\n{inspect.getdoc(known[name])}\n")
        for option in known[name].options():
            print(f"option {option.name}=<{option.type_text}>, default {option.default_text}: {option.help}")
        return 0
    width = max(map(len, known))
    for stage in STAGES:
        print(f"{stage.name} (DIR/ir/{stage.file})")
        for step in stage.passes:
            cls = known[step.name]
            mark = " (optional: build --without)" if step.optional else ""
            print(f"  {cls.name:<{width}}  {cls.summary()}\n  {'':<{width}}    {step.reason}{mark}")
    print("others")
    built = {step.name for stage in STAGES for step in stage.passes}
    for cls in known.values():
        if cls.name not in built:
            print(f"  {cls.name:<{width}}  {cls.summary()}")
    return 0


def _console() -> Any:
    """Standard output for tables, wide enough for them where it is no terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=160)


if __name__ == "__main__":
    sys.exit(main())
