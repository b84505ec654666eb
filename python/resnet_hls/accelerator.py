# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled network: its module, its report, its files, and its integers. Compiles nothing itself: see `driver`."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls import pipelines
from resnet_hls.errors import UserError
from resnet_hls.project.manifest import Port
from resnet_hls.report.calibration import with_factors
from resnet_hls.report.model import build_report
from resnet_hls.simulate.samples import real_images, sample_images
from resnet_hls.simulate.verify import quantize

if TYPE_CHECKING:
    from resnet_hls.analysis.residuals import ResidualBlock
    from resnet_hls.driver import Options
    from resnet_hls.frontend.sources import Source
    from resnet_hls.passes import Remark
    from resnet_hls.project.tools import Design
    from resnet_hls.simulate.cycles import Simulation
    from resnet_hls.simulate.jit import Jit

#: Images in `tb/`: enough to reach every value of the input, few enough for C/RTL co-simulation.
BUNDLED_IMAGES = 16


@dataclass(frozen=True)
class Ports:
    """The ports of an accelerator.

    Attributes:
        input, output: channels last.
        model_output_shape: of the model's output, batch 1, as the model has it.
    """

    input: Port
    output: Port
    model_output_shape: tuple[int, ...]

    @staticmethod
    def of(module: ir.Module, model_output_shape: tuple[int, ...]) -> Ports:
        """Those of a module of the integer stage."""
        function = iu.public_function(module.operation)
        kind = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
        return Ports(
            _port(function, "hls.input", kind.inputs[0]),
            _port(function, "hls.output", kind.results[0]),
            tuple(model_output_shape),
        )

    def sample_images(self) -> NDArray[np.float32]:
        """The images of `tb/` as the model takes them: (16, channels, height, width)."""
        return real_images(self.sample_integers(), self.input)

    def sample_integers(self) -> NDArray[np.int64]:
        """The images of `tb/`: (16, height, width, channels)."""
        return sample_images(BUNDLED_IMAGES, self.input.shape, self.input.range)


def _port(function: ir.Operation, attribute: str, kind: ir.Type) -> Port:
    values = ir.DictAttr(function.attributes[attribute])
    least, most = (ir.IntegerAttr(values[key]).value if key in values else None for key in ("min", "max"))
    shape = tuple(ir.ShapedType(kind).shape)[1:]
    zero_point = ir.IntegerAttr(values["zero_point"]).value if "zero_point" in values else 0
    scale, signed = ir.FloatAttr(values["scale"]).value, ir.BoolAttr(values["signed"]).value
    return Port(shape, scale, signed, least, most, zero_point)


class Accelerator:
    """A network compiled for a board.

    Attributes:
        name: of its top function.
        module: the scheduled MLIR module.
        texts: the module after each stage, by the file names of `DIR/ir/`.
        blocks: the residual blocks of its affine stage.
        remarks: what the passes say about their work, in the order in which they ran.
    """

    def __init__(
        self,
        source: Source,
        options: Options,
        module: ir.Module,
        texts: dict[str, str],
        ports: Ports,
        outputs: Callable[[], NDArray[np.float32]],
        notes: tuple[str, ...],
        blocks: tuple[ResidualBlock, ...],
        remarks: tuple[Remark, ...] = (),
    ) -> None:
        self.name = source.name
        self.module = module
        self.texts = texts
        self._notes = notes
        self.blocks = blocks
        self.remarks = remarks
        self.source = source
        self.options = options
        self.ports = ports
        self._outputs = outputs
        weakref.finalize(self, source.close)  # an accelerator that is never written leaves no process behind

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know, one line each."""
        missing = self.design.missing
        return (*self._notes, missing) if missing else self._notes

    @cached_property
    def design(self) -> Design:
        """What the vendor's tools and the board need to know."""
        from resnet_hls import emit
        from resnet_hls.analysis.weights import BEAT_BITS
        from resnet_hls.project.tools import Design

        source, sink = emit.port_words(self.module)
        output = self.ports.output
        if len(self.ports.model_output_shape) == 2 and set(output.shape[:-1]) <= {1}:  # logits, and no map of 1 x 1
            output = replace(output, shape=output.shape[-1:])
        return Design(
            self.name,
            self.options.board,
            (self.ports.input, source),
            (output, sink),
            len(emit.weights_image(self.module)) * 8 // BEAT_BITS,
            BEAT_BITS,
        )

    @cached_property
    def report(self) -> dict[str, Any]:
        """The content of `report.json`: docs/report.md says what the figures mean."""
        with self.module.context:
            untiled = ir.Module.parse(self.texts[pipelines.DATAFLOW.file])
        options, module = self.options, self.module.operation
        report = build_report(
            self.name, options.board, module, self.blocks, self.remarks, untiled.operation, options.usable
        )
        return with_factors(report, options.factors)

    @cached_property
    def sample_outputs(self) -> NDArray[np.float32]:
        """What the model itself says to the images of `tb/`: (16, …), real."""
        return self._outputs()

    @cached_property
    def _jit(self) -> Jit:
        from resnet_hls.context import make_context
        from resnet_hls.simulate.jit import Jit

        module = ir.Module.parse(self.texts[pipelines.INTEGER.file], make_context())
        return Jit(module.operation, optimize=0)  # faster than 2 on linalg's loops, and compiled at once

    def run_integers(self, images: NDArray[Any]) -> NDArray[np.int64]:
        """The accelerator's own integers, computed by executing its integer stage.

        Args:
            images: (N, height, width, channels), integers as the input's quantizer makes them.

        Returns:
            (N, height, width, channels) of the output.

        Raises:
            UserError: images of another shape, or no integers.
        """
        if images.ndim != 4 or images.shape[1:] != self.ports.input.shape or images.dtype.kind not in "iu":
            raise _wrong_images(images, "integers", ("N", *self.ports.input.shape))
        least, most = self.ports.input.range
        if images.size and (images.min() < least or images.max() > most):
            help = f"the input's quantizer gives integers in [{least}, {most}]"
            raise UserError(f"images hold integers in [{images.min()}, {images.max()}]", where=self.name, help=help)
        results: NDArray[Any] = self._jit.run(images.astype(np.int8))
        unsigned = results if self.ports.output.signed else results.view(np.uint8)
        return unsigned.astype(np.int64).reshape(len(images), *self.ports.output.shape)

    def run(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """The network's outputs, bit-exact with the hardware: quantized, computed in integers, scaled back.

        Args:
            images: (N, channels, height, width), float, as the model takes them.

        Returns:
            (N, …), float32: the shape behind N is that of the model's own output.

        Raises:
            UserError: images of another shape or dtype, or not finite.
        """
        height, width, channels = self.ports.input.shape
        if images.ndim != 4 or images.shape[1:] != (channels, height, width) or images.dtype.kind != "f":
            raise _wrong_images(images, "floats", ("N", channels, height, width))
        if not np.isfinite(images).all():
            raise UserError("images hold values that are not finite", where=self.name, help="remove NaN and infinity")
        integers = self.run_integers(quantize(images.transpose(0, 2, 3, 1).astype(np.float32), self.ports.input))
        real = self.ports.output.to_real(integers)
        real = real.transpose(0, 3, 1, 2) if real.ndim == 4 else real
        return np.ascontiguousarray(real).reshape(len(images), *self.ports.model_output_shape[1:])

    def simulate(self, frames: int = 10) -> Simulation:
        """What the design does with frames that follow each other without a gap, cycle by cycle, with its own FIFOs.

        Args:
            frames: how many, 1 or more. Once every frame is like the one before, the rest follows without being run.

        Returns:
            Interval, latency, what each task waits for and each stream holds: docs/simulation.md says what they mean.

        Raises:
            ValueError: fewer than one frame.
        """
        from resnet_hls.analysis.network import network_of
        from resnet_hls.simulate.cycles import simulate

        with self.module.context, self.module.operation.location:
            network = network_of(self.module.operation)
        return simulate(network, frames)

    def write(
        self,
        folder: str | Path,
        force: bool = False,
        accept: Callable[[dict[str, Any]], object] = lambda manifest: None,
    ) -> Path:
        """Write the project, all of it or nothing.

        It is `src/`, `tb/`, `ir/`, `reference/`, `report.html`, `report.json`, `manifest.json`, and `data/` where
        weights are loaded.

        Args:
            folder: does not exist yet, or is empty.
            force: replace the project that is there.
            accept: is called with the content of `manifest.json` before the folder appears; a UserError from it, and
                nothing is written.

        Returns:
            The folder.

        Raises:
            UserError: the folder cannot be written, the network has no C++ form, or `accept` says no.
        """
        from resnet_hls.project.writer import write_project

        write_project(self, Path(folder), force, accept)
        return Path(folder)

    def close(self) -> None:
        """Stop what still runs; the accelerator can be used afterwards, but not written."""
        self.source.close()


def _wrong_images(images: NDArray[Any], kind: str, wanted: tuple[object, ...]) -> UserError:
    given = "x".join(map(str, images.shape))
    return UserError(
        f"images are {images.dtype} of shape {given}, expected {kind} of shape {'x'.join(map(str, wanted))}",
        where="images",
        help="divide pixels by 255 and transpose them to channels first" if kind == "floats" else "",
    )
