# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls verify`, `simulate`: a project's C++ against its model, its schedule against its streams."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from resnet_hls.cli._common import Project, Quiet, console
from resnet_hls.errors import UserError
from resnet_hls.progress import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VERIFIED = 100
_DRAWINGS = "drawings"


def verify(
    project: Project,
    images: Annotated[
        int | None, typer.Option(metavar="N", help="how many images; by default 100, or all drawings")
    ] = None,
    data: Annotated[
        str | None,
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
    quiet: Quiet = False,
) -> int:
    """Run the C++ of a project on images and compare with the model, integer by integer."""
    from resnet_hls.project import manifest
    from resnet_hls.report import verified
    from resnet_hls.simulate import reference
    from resnet_hls.simulate.verify import verify as run_verify

    if pixel_scale not in (255, 256):
        raise UserError(f"a pixel scale of {pixel_scale}", help="give --pixel-scale 255 or 256", status=2)
    if images is not None and images < 1:
        raise UserError(f"{images} images", help="ask for one at least", status=2)
    content = manifest.read(project)
    chosen, labels, what = _images(content, images, data)
    by = reference.describe(project)
    sources = verified.sources(project)
    with shown(quiet) as told:
        result = run_verify(
            project,
            chosen,
            reference.load_reference(project),
            labels=labels,
            pixel_scale=pixel_scale,
            headers=headers,
            compiler=compiler,
            progress=told,
        )
    verified.record(
        project,
        {
            "sources": sources,
            "images_of": what,
            "images": result.images,
            "exact": result.exact,
            "top1_percent": result.top1_percent,
            "headers": headers,
            "compiler": compiler,
            "model_by": by,
        },
    )
    if quiet and result.passed:
        return 0
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


def _images(content: Any, count: int | None, data: str | None) -> tuple[NDArray[Any], NDArray[np.int64] | None, str]:
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
    elif data.endswith((".npy", ".npz")):
        images, labels = load_images(Path(data), (height, width, channels))
    else:
        images, labels = load(data)
    count = count or _VERIFIED
    if len(images) < count:
        raise UserError(
            f"holds {len(images)} images, {count} were asked for",
            where=data,
            help=f"give --images {len(images)} or less",
        )
    return images[:count], None if labels is None else labels[:count], f"images of {Path(data).name}"


def simulate(
    project: Project,
    frames: Annotated[int, typer.Option(metavar="N", help="how many, one after the other")] = 10,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="what happens when, for ui.perfetto.dev; .gz compresses it")
    ] = None,
    max_cycles: Annotated[int | None, typer.Option(metavar="N", help="give up a run that takes longer")] = None,
    json: Annotated[bool, typer.Option("--json", help="print the figures as JSON")] = False,
    quiet: Quiet = False,
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
        with shown(quiet) as told:
            told("simulate", 0, 0)
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
    elif problem is None and not quiet:
        text.render(result, console())
    if traced and not json and not quiet:
        print(f"simulate: wrote {trace}; ui.perfetto.dev opens it")
    if problem is not None:
        raise problem
    return 0
