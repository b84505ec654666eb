# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The named pipelines: the passes from an imported model to scheduled hardware as text, with a reason per line.

`resnet-hls build` runs exactly these texts, stage after stage, and writes the module after each stage to `DIR/ir/`, so
that `resnet-opt` can run any stage alone: `resnet-opt DIR/ir/20-affine.mlir --pass-pipeline='builtin.module(…)'`.
Text only: nothing in here touches IR.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from string import Template
from typing import NamedTuple

from resnet_hls.errors import UserError

IMPORTED_FILE = "00-imported.mlir"


class Step(NamedTuple):
    """A pass of a stage.

    Attributes:
        text: of the pipeline, with `$parameter` for what a user chooses.
        reason: why the pass is there.
        optional: the design is as right without it, and only costs more: `--without` may leave it out.
    """

    text: str
    reason: str
    optional: bool = False

    @property
    def name(self) -> str:
        """The pass, without its options."""
        return self.text.partition("{")[0]


@dataclass(frozen=True)
class Stage:
    """A part of the way.

    Args:
        name: how people call it.
        file: name in `DIR/ir/` of the module as it is after the stage.
        passes: in order.
    """

    name: str
    file: str
    passes: tuple[Step, ...]

    def text(self, parameters: Mapping[str, object], without: Collection[str] = ()) -> str:
        """The stage as pipeline text.

        Args:
            parameters: a value for each `$parameter` of the stage; others are left alone.
            without: names of passes to leave out, which `check_without` has seen.

        Raises:
            KeyError: a parameter of the stage has no value.
        """
        values = {name: str(value) for name, value in parameters.items()}
        texts = (Template(step.text).substitute(values) for step in self.passes if step.name not in without)
        return f"builtin.module({','.join(texts)})"


INTEGER = Stage(
    "integer",
    "10-integer.mlir",
    (
        Step(
            "hls-integerize", "from here on there are only integers: whatever is compared later is compared bit by bit"
        ),
        Step("hls-channels-last", "channels arrive together, so that a stream word can hold several of them"),
        Step("verify-integer-linalg", "contract"),
    ),
)

AFFINE = Stage(
    "affine",
    "20-affine.mlir",
    (
        Step("hls-bufferize", "loops, whose accesses can be asked; a buffer of its own for every tensor"),
        Step("hls-flatten-reductions", "a layer is one perfect nest, in the order in which its input arrives"),
        Step(
            "hls-fuse-loops",
            "bias, activation, requantization and addition cost no task, stream or buffer of their own",
            optional=True,
        ),
        Step("hls-fold-residual-add", "a skip that enters a sum unrounded costs no adder of its own", optional=True),
        Step("verify-affine", "contract"),
    ),
)

REUSE = Stage(
    "reuse",
    "25-reuse.mlir",
    (
        Step(
            "hls-rematerialize",
            "two functions of one value need one line buffer, not one and a FIFO",
            optional=True,
        ),
        Step("hls-merge-loops", "a map is read once, whatever slides over it", optional=True),
        Step("hls-share-residual-buffer", "a skip waits in the line buffer that has its data anyway", optional=True),
        Step("hls-temporal-reuse", "line buffers and windows: a layer needs rows of its input, not all of it"),
        Step("verify-affine", "contract"),
    ),
)

DATAFLOW = Stage(
    "dataflow",
    "30-dataflow.mlir",
    (
        Step("hls-to-dataflow", "the nests run at the same time, and share nothing but streams"),
        Step("verify-dataflow", "contract"),
    ),
)

SCHEDULE = Stage(
    "scheduled",
    "40-scheduled.mlir",
    (
        Step(
            "hls-balance{dsp=$dsp lut=$lut ff=$ff bram36=$bram36 uram=$uram family=$family clock-mhz=$clock_mhz "
            "target-cycles=$target_cycles effort=$effort weights=$weights}",
            "the slowest task sets the rate: none gets more than it needs",
        ),
        Step("hls-unroll-loops", "the factors become lanes of loops, streams and memories"),
        Step("hls-narrow-integers", "sums and what rounds them take as many LUTs and registers as they have bits"),
        Step(
            "hls-pack-dsp{family=$family}",
            "a slice takes two products of bytes, and adds up for nothing",
        ),
        Step(
            "hls-place-memories{family=$family weights=$weights uram=$uram}", "the widths of all memories are known now"
        ),
        Step(
            "hls-pipeline-loops{clock-mhz=$clock_mhz}",
            "a word takes some cycles through a task, and others wait that long for what is made of it",
        ),
        Step(
            "hls-size-fifos{objective=$objective}", "the schedule is known now, and with it what waits in each stream"
        ),
        Step("verify-scheduled", "contract"),
    ),
)

#: All stages in the order in which `build` runs them.
STAGES = (INTEGER, AFFINE, REUSE, DATAFLOW, SCHEDULE)


def optional_passes() -> tuple[str, ...]:
    """The names of the passes that `--without` may leave out, in the order in which they run."""
    return tuple(step.name for stage in STAGES for step in stage.passes if step.optional)


def check_without(names: Iterable[str]) -> tuple[str, ...]:
    """The passes to leave out, each once, in the order in which they run.

    Args:
        names: as a user gives them; a string is one name.

    Raises:
        UserError: there is no such pass in the pipelines, or no design without it.
    """
    wanted = {names} if isinstance(names, str) else set(names)
    steps = {step.name: step for stage in STAGES for step in stage.passes}
    known = f"--without can leave out {', '.join(optional_passes())}"
    for name in sorted(wanted):
        if name not in steps:
            close = difflib.get_close_matches(name, steps, n=1)
            guess = f"did you mean '{close[0]}'? " if close else ""
            raise UserError(f"the pipelines have no pass '{name}'", help=guess + known, status=2)
        if not steps[name].optional:
            raise UserError(f"no design without {name}: {steps[name].reason}", help=known, status=2)
    return tuple(name for name in optional_passes() if name in wanted)
