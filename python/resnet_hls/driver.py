# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a model to an accelerator: imports it and runs the named pipelines, nothing that `resnet-opt` cannot run alone.

Imports MLIR only while the importer works in a process of its own; see `benchmarks/build.py` for where the time goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_hls import boards, pipelines
from resnet_hls.boards import RESOURCES, Resources
from resnet_hls.errors import UserError, raise_seen, signals_deferred
from resnet_hls.frontend import sources
from resnet_hls.progress import Told, silent
from resnet_hls.report import calibration as calibration_files
from resnet_hls.report.calibration import Factors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn
    from torch_mlir import ir

    from resnet_hls.accelerator import Accelerator
    from resnet_hls.boards import Board
    from resnet_hls.frontend.sources import Source
    from resnet_hls.frontend.torch_module import QuantizedModule
    from resnet_hls.passes import Remark
    from resnet_hls.pipelines import Stage


#: What FIFO depths may be chosen for.
OBJECTIVES = ("bits", "latency")
#: What weights may lie in.
WEIGHTS = ("auto", "lut", "bram", "uram")
#: Work for choosing unroll factors, about seconds.
EFFORT, _MOST_EFFORT = 20.0, 86_400

#: What a user may limit: what it is called, and the least that makes sense.
_LIMITED = {
    "dsp": ("DSP slices", 1),
    "lut": ("LUTs", 1),
    "ff": ("flip-flops", 1),
    "bram36": ("block RAMs", 0),
    "uram": ("UltraRAMs", 0),
}


@dataclass(frozen=True)
class Options:
    """What a user chooses besides the model.

    Args:
        board: with the clock that the design is for.
        target_fps: frames a second to reach with the fewest multipliers; None for as many as the board allows.
        max_dsp, max_lut, max_ff, max_bram36, max_uram: most of each resource to use; None for what the board's budget
            allows.
        factors: real by modelled, of each resource, as a calibration has them.
        without: passes of the pipelines to leave out, as `pipelines.check_without` gives them.
        objective: what FIFO depths are chosen for: the fewest "bits", or those that cost no "latency".
        effort: work that choosing unroll factors may take, about seconds; the same on every machine.
        weights: what weights lie in: "lut", "bram", "uram", which needs a load at start, or "auto" for what is best.
    """

    board: Board
    target_fps: float | None = None
    max_dsp: int | None = None
    without: tuple[str, ...] = ()
    objective: str = "bits"
    max_lut: int | None = None
    max_ff: int | None = None
    max_bram36: int | None = None
    max_uram: int | None = None
    factors: Factors = field(default_factory=dict)
    effort: float = EFFORT
    weights: str = "auto"

    @property
    def limits(self) -> dict[str, int]:
        """The most of each resource that the user wants used, by resource; those that are not limited are left out."""
        given = {name: getattr(self, f"max_{name}") for name in RESOURCES}
        return {name: most for name, most in given.items() if most is not None}

    @property
    def usable(self) -> Resources:
        """What the design may take: the board's budget, or less where the user wants less."""
        allowed = asdict(self.board.usable)
        return Resources(**{name: min(most, self.limits.get(name, most)) for name, most in allowed.items()})

    @property
    def modelled(self) -> Resources:
        """The same as the resource model counts it, which may be off by factors that a calibration knows."""
        return calibration_files.modelled(self.usable, self.factors)

    @property
    def target_cycles(self) -> int:
        """The initiation interval that `target_fps` asks for; 0 where nothing is asked."""
        return 0 if self.target_fps is None else math.floor(self.board.clock_mhz * 1e6 / self.target_fps)

    def parameters(self) -> dict[str, object]:
        """The parameters of the pipelines."""
        return {
            "family": self.board.family,
            **asdict(self.modelled),
            "target_cycles": self.target_cycles,
            "clock_mhz": f"{self.board.clock_mhz:g}",
            "objective": self.objective,
            "effort": f"{self.effort:g}",
            "weights": self.weights,
        }

    def text(self, stage: Stage) -> str:
        """A stage as pipeline text."""
        return stage.text(self.parameters(), self.without)


def make_options(
    board: str | Board = "kv260",
    clock_mhz: float | None = None,
    target_fps: float | None = None,
    max_dsp: int | None = None,
    without: Iterable[str] = (),
    objective: str = "bits",
    max_lut: int | None = None,
    max_ff: int | None = None,
    max_bram36: int | None = None,
    max_uram: int | None = None,
    resource_factors: Path | Factors | None = None,
    effort: float = EFFORT,
    weights: str = "auto",
) -> Options:
    """The options, checked.

    Raises:
        UserError: no such board, a number that makes no sense, or a pass that cannot be left out.
    """
    found = boards.load(board) if isinstance(board, str) else board
    if clock_mhz is not None:
        if not 1 <= clock_mhz <= 1000:
            raise UserError(
                f"a clock of {clock_mhz:g} MHz", help=f"give 1 to 1000; {found.name} has {found.clock_mhz:g}", status=2
            )
        found = replace(found, clock_mhz=float(clock_mhz))
    if target_fps is not None and not 0 < target_fps <= found.clock_mhz * 1e6:
        raise UserError(
            f"a target of {target_fps:g} frames a second",
            help=f"give a number above 0, and below the {found.clock_mhz * 1e6:,.0f} cycles that a second has",
            status=2,
        )
    most = {"dsp": max_dsp, "lut": max_lut, "ff": max_ff, "bram36": max_bram36, "uram": max_uram}
    for resource, (called, least) in _LIMITED.items():
        given = most[resource]
        if given is not None and given < least:
            raise UserError(f"at most {given} {called}", help=f"give {least} or more", status=2)
    if objective not in OBJECTIVES:
        raise UserError(f"no objective '{objective}'", help=f"give {' or '.join(OBJECTIVES)}", status=2)
    if weights not in WEIGHTS:
        raise UserError(f"no memory '{weights}' for weights", help=f"give {', '.join(WEIGHTS)}", status=2)
    if not 0 < effort <= _MOST_EFFORT:
        raise UserError(f"an effort of {effort:g}", help=f"give a number above 0, {_MOST_EFFORT:,} at most", status=2)
    factors = resource_factors or {}
    if isinstance(factors, Path):
        factors = calibration_files.load(factors, found.family)
    return Options(
        found,
        target_fps,
        without=pipelines.check_without(without),
        objective=objective,
        effort=effort,
        weights=weights,
        factors=factors,
        **{f"max_{resource}": given for resource, given in most.items()},
    )


def compile(
    model: str | Path | nn.Module | QuantizedModule,
    board: str = "kv260",
    clock_mhz: float | None = None,
    target_fps: float | None = None,
    max_dsp: int | None = None,
    calibration: NDArray[np.float32] | None = None,
    name: str | None = None,
    without: Iterable[str] = (),
    objective: str = "bits",
    max_lut: int | None = None,
    max_ff: int | None = None,
    max_bram36: int | None = None,
    max_uram: int | None = None,
    resource_factors: str | Path | None = None,
    effort: float = EFFORT,
    weights: str = "auto",
    labels: NDArray[np.integer[Any]] | None = None,
) -> Accelerator:
    """Compile a quantized network to an accelerator for a board.

    Args:
        model: a bundled name, the path of an ONNX file, `module.py:factory`, a `torch.nn.Module` (which is quantized
            here) or a `QuantizedModule`.
        board: a name that `resnet_hls.boards.names()` gives, or the path of a board's `.toml` file.
        clock_mhz: of the accelerator; by default the board's.
        target_fps: frames a second to reach with the fewest multipliers; by default as many as the board allows.
        max_dsp: DSP slices to use at most; by default what the board's budget allows.
        calibration: images (N, channels, height, width), float, that a PyTorch module is quantized with.
        name: of the top function, a C identifier; by default one that the model's own name suggests.
        without: optimizations to leave out, names of `pipelines.optional_passes()`: the integers stay the same, the
            figures don't.
        objective: what FIFO depths are chosen for: the fewest "bits", or those that cost no "latency".
        max_lut, max_ff, max_bram36, max_uram: as `max_dsp`, of look-up tables, flip-flops, block RAMs and UltraRAMs.
        resource_factors: a TOML file with factors for modelled resources, as `resnet-hls report --refit` writes them.
        effort: work that choosing unroll factors may take, about seconds; what it did not prove, a remark tells.
        weights: what weights lie in: "lut", "bram", "uram", which needs a load at start, or "auto" for what is best.
        labels: (N,), of the calibration images: a note tells the accuracy in float and in integers then.

    Returns:
        The accelerator: `.module`, `.report`, `.run(images)`, `.write(folder)`.

    Raises:
        UserError: the model cannot be built, no such board, or an option that makes no sense.
    """
    options = make_options(
        board, clock_mhz, target_fps, max_dsp, without, objective, max_lut, max_ff, max_bram36, max_uram,
        None if resource_factors is None else Path(resource_factors), effort, weights,
    )  # fmt: skip
    source = sources.find(model, name, calibration, labels)
    return run(source, options)


def run(source: Source, options: Options, progress: Told = silent) -> Accelerator:
    """Compile what `source` gives.

    Args:
        source: of the model; the accelerator keeps it, and it is closed where this fails.
        options: of the design.
        progress: told of each stage, `scheduled`, and of each pass, `scheduled: hls-balance`, before it begins.

    Raises:
        UserError: the model cannot be built.
    """
    try:
        progress("import", 0, 0)
        source.start()
        with signals_deferred():
            from resnet_hls.accelerator import Accelerator, Ports  # MLIR and numpy, while the importer works
            from resnet_hls.analysis.residuals import residual_blocks
            from resnet_hls.context import make_context
            from resnet_hls.ir_utils import public_function
            from resnet_hls.passes import PassManager

            warm_up()
        imported = source.imported()
        module = parse(imported.bytecode, make_context())
        texts = {pipelines.IMPORTED_FILE: print_module(module)}
        remarks: list[Remark] = []
        pending: tuple[Ports, Callable[[], Any]] | None = None
        for stage in pipelines.STAGES:
            progress(stage.name, 0, 0)
            remarks += run_stage(PassManager.parse(options.text(stage)), module, stage.name, progress)
            texts[stage.file] = print_module(module)
            if stage is pipelines.INTEGER:
                ports = Ports.of(module, imported.output_shape)
                pending = ports, source.start_outputs(ports.sample_images())
            elif stage is pipelines.AFFINE:  # the last stage that has feature maps to ask
                blocks = tuple(residual_blocks(public_function(module.operation)))
        assert pending is not None
        return Accelerator(source, options, module, texts, *pending, imported.notes, blocks, tuple(remarks))
    except BaseException:
        source.close()
        raise


def parse(bytecode: bytes, context: ir.Context) -> ir.Module:
    """A module from bytecode or text."""
    from torch_mlir import ir

    return ir.Module.parse(bytecode, context)


def print_module(module: ir.Module) -> str:
    """All of a module as text, with locations; `resnet-opt` reads it back."""
    text: str = module.operation.get_asm(enable_debug_info=True)
    return text.rstrip("\n") + "\n"


def run_stage(pipeline: Any, module: ir.Module, stage: str, progress: Told = silent) -> list[Remark]:
    """Run the passes of a stage; returns what they remark.

    Raises:
        UserError: a pass found what it cannot work on; the message says which pass, and where.
    """
    from resnet_hls.passes import PassFailure
    from resnet_hls.passes._manager import Hook, Remarks, Step

    class Telling(Hook):
        def before(self, step: Step, module: ir.Operation) -> None:
            raise_seen()
            progress(f"{stage}: {step.name}", 0, 0)

    remarks = Remarks()
    try:
        pipeline.run(module, [remarks, Telling()])
    except PassFailure as failure:
        raise UserError(
            f"{failure.message} ({failure.pass_name}, stage '{stage}')",
            where=failure.where,
            help=failure.help or "`resnet-hls doctor` shows the model's layers; please report the model",
        ) from failure
    return remarks.found


def warm_up() -> None:
    """Import what the stages need, while there is nothing else to do."""
    from resnet_hls.passes._registry import find_pass

    for stage in pipelines.STAGES:
        for step in stage.passes:
            find_pass(step.name)
    import resnet_hls.emit
    import resnet_hls.report.model  # noqa: F401
