# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Constants as words of memories, and the load that those in UltraRAM need. Reads the IR only.

UltraRAM starts as zeros, whatever the bitstream says, so that weights in it come through a port of their own, once
after each reset, before the first frame. They come in *beats* of `BEAT_BITS`, a word of the memory after the other,
task by task in the order of the dataflow. Each word begins with a beat of its own; lane 0 lies in the lowest bits, no
lane in two beats, and what is left of a beat is zero.

No other weights may come: the widths of sums, and which products share a slice, are proven for those of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.tasks import lanes_attribute, tasks, the_dataflow

#: Bits that come at a time: what a DMA port of these devices moves in a cycle.
BEAT_BITS = 64
#: Constants of so many bits are weights, for which memories are chosen; others are too small to matter.
_WEIGHTS = 4096
#: Cycles around the beats of a memory: a loop is begun and left on both sides of a stream. A guess.
_LOOP_CYCLES = 4


def words(kind: ir.MemRefType, lanes: int, banked: Sequence[int] = ()) -> tuple[int, int]:
    """Words of a bank, and bits of each: its last `lanes` dimensions are accessed together, `banked` ones are banks."""
    address = len(kind.shape) - lanes
    depth = prod(n for axis, n in enumerate(kind.shape[:address]) if axis not in banked)
    return depth, prod(kind.shape[address:]) * ir.IntegerType(kind.element_type).width


def kind_of(constant: ir.Operation) -> ir.MemRefType:
    """The type of a `memref.global`."""
    return ir.MemRefType(ir.TypeAttr(constant.attributes["type"]).value)


def is_weights(constant: ir.Operation) -> bool:
    """True for a `memref.global` for which a memory is chosen."""
    kind = kind_of(constant)
    return bool(prod(kind.shape) * ir.IntegerType(kind.element_type).width >= _WEIGHTS)


@dataclass(frozen=True)
class Load:
    """A memory of a task that is filled at start.

    Attributes:
        task: its name.
        symbol: of the constant.
        constant: the `memref.global`.
    """

    task: str
    symbol: str
    constant: ir.Operation

    @property
    def shape(self) -> tuple[int, ...]:
        """Addresses, each dimension."""
        shape = kind_of(self.constant).shape
        return tuple(shape[: len(shape) - lanes_attribute(self.constant)])

    @property
    def words(self) -> int:
        return int(prod(self.shape))

    @property
    def width(self) -> int:
        """Bits of an element."""
        return int(ir.IntegerType(kind_of(self.constant).element_type).width)

    @property
    def lanes(self) -> int:
        """Elements of a word."""
        return int(prod(kind_of(self.constant).shape)) // self.words

    @property
    def word_beats(self) -> int:
        return beats_of_word(self.lanes, self.width)

    @property
    def beats(self) -> int:
        return self.words * self.word_beats


def beats_of_word(lanes: int, width: int) -> int:
    """Beats for so many elements of `width` bits."""
    return ceil(lanes / (BEAT_BITS // width))


def loads_of(module: ir.Operation) -> list[Load]:
    """What is loaded at start, in the order in which it comes: of each task whatever it has in UltraRAM."""
    constants = {ir.StringAttr(op.attributes["sym_name"]).value: op for op in iu.walk(module, "memref.global")}
    found: dict[tuple[str, str], Load] = {}
    for task in tasks(the_dataflow(module)):
        for use in iu.walk(task.op, "memref.get_global"):
            symbol: str = ir.FlatSymbolRefAttr(use.attributes["name"]).value
            if is_loaded(constants[symbol]):
                found.setdefault((task.name, symbol), Load(task.name, symbol, constants[symbol]))
    return list(found.values())


def is_loaded(constant: ir.Operation) -> bool:
    """True for a `memref.global` in UltraRAM."""
    return "hls.storage" in constant.attributes and ir.StringAttr(constant.attributes["hls.storage"]).value == "uram"


def load_image(module: ir.Operation) -> bytes:
    """Everything that is loaded, as it comes through the port, lowest byte first; nothing without UltraRAM."""
    reader = iu.ConstantReader(module)
    return b"".join(
        beats(reader.array(load.constant.attributes["initial_value"]), load.words, load.width)
        for load in loads_of(module)
    )


def beats(elements: np.ndarray[Any, Any], count: int, width: int) -> bytes:
    """`count` words of elements of `width` bits, in beats."""
    lanes, a_beat = elements.size // count, BEAT_BITS // width
    padded = np.zeros((count, beats_of_word(lanes, width) * a_beat), np.int64)
    padded[:, :lanes] = elements.reshape(count, lanes)
    bits = (padded[..., None] >> np.arange(width)) & 1
    rows = np.zeros((bits.size // (a_beat * width), BEAT_BITS), np.uint8)
    rows[:, : a_beat * width] = bits.reshape(len(rows), a_beat * width)
    return np.packbits(rows, bitorder="little").tobytes()


def load_cycles(loads: Sequence[Load]) -> int:
    """Cycles that it takes where a beat comes in each; a model."""
    return sum(load.beats + _LOOP_CYCLES for load in loads)
