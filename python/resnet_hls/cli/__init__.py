# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls`: a file for each group of commands.

Each command imports what it needs when it runs: `build` must start its importer at once, and nothing but the PyTorch
way may import PyTorch.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from resnet_hls import __version__
from resnet_hls.cli import build, check, info, report, train
from resnet_hls.cli._common import TOOL
from resnet_hls.errors import UserError, noting_signals
from resnet_hls.tool import run_tool, tell_crashes

_INTERRUPTED = 130

app = typer.Typer(
    name=TOOL,
    help="Compile quantized residual networks to dataflow accelerators for AMD FPGAs.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell(version: bool) -> None:
    if version:
        print(f"{TOOL} {__version__}")
        raise typer.Exit


for command in (
    build.build,
    check.verify,
    check.simulate,
    report.report,
    build.fit,
    train.train,
    info.doctor,
    info.boards,
    info.passes,
):
    app.command()(command)


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_tell, help="tell the version")] = False,
) -> None:
    """Options of no command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit status: 0, 1 for bad input, 2 for bad usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)

    def run() -> int:
        if arguments is None:
            tell_crashes(TOOL, " ".join(given))
        return _run(given)

    return run_tool(TOOL, run)


def _run(arguments: list[str]) -> int:
    from typer._click.exceptions import ClickException, NoArgsIsHelpError

    command = typer.main.get_command(app)
    try:
        with noting_signals():
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
