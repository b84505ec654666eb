# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The named pipelines: the passes from an imported model to scheduled hardware as text, with a reason per line.

`resnet-hls build` runs exactly these texts, stage after stage, and writes the module after each stage to `DIR/ir/`, so
that `resnet-opt` can run any stage alone: `resnet-opt DIR/ir/20-affine.mlir --pass-pipeline='builtin.module(…)'`.
Text only: nothing in here touches IR.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

IMPORTED_FILE = "00-imported.mlir"


@dataclass(frozen=True)
class Stage:
    """A part of the way.

    Args:
        name: how people call it.
        file: name in `DIR/ir/` of the module as it is after the stage.
        passes: pipeline text of each pass, in order, with `$parameter` for what a user chooses, and why it is there.
    """

    name: str
    file: str
    passes: tuple[tuple[str, str], ...]

    def text(self, parameters: Mapping[str, object]) -> str:
        """The stage as pipeline text.

        Args:
            parameters: a value for each `$parameter` of the stage; others are left alone.

        Raises:
            KeyError: a parameter of the stage has no value.
        """
        values = {name: str(value) for name, value in parameters.items()}
        return f"builtin.module({','.join(Template(text).substitute(values) for text, _ in self.passes)})"


INTEGER = Stage(
    "integer",
    "10-integer.mlir",
    (
        ("hls-integerize", "from here on there are only integers: whatever is compared later is compared bit by bit"),
        ("hls-channels-last", "channels arrive together, so that a stream word can hold several of them"),
        ("verify-integer-linalg", "contract"),
    ),
)

AFFINE = Stage(
    "affine",
    "20-affine.mlir",
    (
        ("hls-bufferize", "loops, whose accesses can be asked; a buffer of its own for every tensor"),
        ("hls-fuse-loops", "bias, activation, requantization and addition cost no task, stream or buffer of their own"),
        ("verify-affine", "contract"),
    ),
)

REUSE = Stage(
    "reuse",
    "25-reuse.mlir",
    (
        ("hls-temporal-reuse", "line buffers and windows: a layer needs rows of its input, not all of it"),
        ("verify-affine", "contract"),
    ),
)

DATAFLOW = Stage(
    "dataflow",
    "30-dataflow.mlir",
    (
        ("hls-to-dataflow", "the nests run at the same time, and share nothing but streams"),
        ("verify-dataflow", "contract"),
    ),
)

SCHEDULE = Stage(
    "scheduled",
    "40-scheduled.mlir",
    (
        (
            "hls-balance{dsp=$dsp target-cycles=$target_cycles}",
            "the slowest task sets the rate: none gets more than it needs",
        ),
        ("hls-unroll-loops", "the factors become lanes of loops, streams and memories"),
        ("hls-place-memories", "the widths of all memories are known now"),
        ("hls-size-fifos", "the schedule is known now, and with it what waits in each stream"),
        ("verify-scheduled", "contract"),
    ),
)

#: All stages in the order in which `build` runs them.
STAGES = (INTEGER, AFFINE, REUSE, DATAFLOW, SCHEDULE)
