# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls doctor`, `boards`, `passes`: what a model is, and what there is for it."""

from __future__ import annotations

import difflib
import inspect
from typing import Annotated

import typer

from resnet_hls.cli._common import TOOL, Model, Quiet, console
from resnet_hls.errors import UserError
from resnet_hls.progress import shown


def doctor(model: Model, quiet: Quiet = False) -> int:
    """Say whether a model can be built, what is in it, and what to do where it cannot."""
    from resnet_hls.frontend import doctor as onnx_doctor
    from resnet_hls.frontend.sources import OnnxSource, TorchSource, find

    source = find(model)
    with shown(quiet) as told:
        told("import", 0, 0)
        if isinstance(source, TorchSource):
            from resnet_hls.frontend import torch_doctor

            diagnosis = torch_doctor.examine(source)
        else:
            assert isinstance(source, OnnxSource)
            diagnosis = onnx_doctor.examine(source.path)
    if not (quiet and diagnosis.buildable):
        onnx_doctor.render(diagnosis, console())
    return 0 if diagnosis.buildable else 1


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
    out = console()
    out.print(table)
    out.print(
        "The shares are what an accelerator may take of each; the rest is for the shell and for routing.",
        highlight=False,
    )
    out.print("A .toml file of your own will do too: --board PATH", highlight=False)
    return 0


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
