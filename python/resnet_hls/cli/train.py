# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from resnet_hls.cli._common import Quiet


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
    quantized_learning_rate: Annotated[
        float | None, typer.Option(metavar="R", help="first of training in integer arithmetic; by default the recipe's")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="of weights, order and augmentation")] = 0,
    teacher: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="whose float network is learnt from: a run's folder, weights, or a NAME"),
    ] = None,
    begin_with: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="whose float network is trained on: a run's folder, weights, or NAME"),
    ] = None,
    threads: Annotated[int | None, typer.Option(metavar="N", help="of PyTorch; by default its own choice")] = None,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="where to compute")] = "cpu",
    bf16: Annotated[bool, typer.Option("--bf16", help="float training in bfloat16 where that is safe")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write the weights there too, when all is done")
    ] = None,
    quiet: Quiet = False,
) -> int:
    """Train a bundled network on CIFAR-10, to the integers that the compiler builds."""
    from resnet_hls.training import command

    changes = {
        "epochs": epochs,
        "quantized_epochs": quantized_epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "quantized_learning_rate": quantized_learning_rate,
        "seed": seed,
    }
    request = command.Request(name, data, output, changes, threads, device, bf16, teacher, begin_with, export)
    return command.run(request, quiet)
