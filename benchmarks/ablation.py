#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What each optimization is worth: a network built with each of them left out in turn, with all of them, with none.

benchmarks/ablation.py [MODEL.onnx] [--board kv260] [--images 100] [--max-dsp N]

Every design is verified through its C++ before it gets its row. docs/ablation.md has the table of the bundled ResNet8.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import resnet_hls
from resnet_hls.models import BUNDLED
from resnet_hls.pipelines import optional_passes

COLUMNS = (
    "left out", "skip bytes", "line-buffer bytes", "FIFO bytes", "tasks", "DSP", "cycles a frame", "latency, cycles",
    "bit-exact",
)  # fmt: skip


def variants() -> dict[str, tuple[str, ...]]:
    """What is left out, by what the table calls it."""
    names = optional_passes()
    return {"nothing": (), **{f"`{name}`": (name,) for name in names}, "all of these": names}


def load(model: str) -> Any:
    """What `resnet_hls.compile` takes for `model`; a bundled network is quantized once."""
    if model not in BUNDLED:
        return model
    quantized, _ = BUNDLED[model].quantized()
    return quantized


def build(
    model: Any, without: tuple[str, ...], images: int, board: str = "kv260", max_dsp: int | None = None
) -> tuple[dict[str, Any], int]:
    """The report of a design, and how many of `images` random images its C++ gives the model's integers for."""
    from resnet_hls.simulate.reference import load_reference
    from resnet_hls.simulate.samples import real_images, sample_images
    from resnet_hls.simulate.verify import verify

    accelerator = resnet_hls.compile(model, board, max_dsp=max_dsp, name="ablation", without=without)
    port = accelerator.ports.input
    integers = sample_images(images, port.shape, port.range, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        project = accelerator.write(f"{folder}/project")
        result = verify(project, real_images(integers, port).transpose(0, 2, 3, 1), load_reference(project))
    return accelerator.report, result.exact


def row(label: str, report: dict[str, Any], exact: int, images: int) -> str:
    """A row of the table, as Markdown."""
    figures = (
        report["skip_buffer_bytes"], report["line_buffer_bytes"], report["fifo_bytes"], len(report["per_task"]),
        report["resources"]["dsp"]["used"], report["initiation_interval_cycles"], report["latency_cycles"],
    )  # fmt: skip
    cells = [label, *("-" if figure is None else f"{figure:,}" for figure in figures), f"{exact}/{images}"]
    return f"| {' | '.join(cells)} |"


def table(model: str, board: str, images: int, max_dsp: int | None) -> Iterator[str]:
    """The lines of the table; stops the program where a design is not bit-exact."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|---|{'---:|' * (len(COLUMNS) - 1)}"
    loaded = load(model)
    for label, without in variants().items():
        report, exact = build(loaded, without, images, board, max_dsp)
        yield row(label, report, exact, images)
        if exact != images:
            sys.exit(f"without {', '.join(without)}: {images - exact} of {images} images differ")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", nargs="?", default="resnet8", help="a bundled network or a .onnx file")
    parser.add_argument("--board", default="kv260", help="default: %(default)s")
    parser.add_argument("--images", type=int, default=100, help="of each design (default: %(default)s)")
    parser.add_argument("--max-dsp", type=int, help="DSP slices to use at most; by default the board's")
    options = parser.parse_args()
    try:
        for line in table(options.model, options.board, options.images, options.max_dsp):
            print(line, flush=True)
    except resnet_hls.UserError as error:
        print(error.render("ablation"), file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
