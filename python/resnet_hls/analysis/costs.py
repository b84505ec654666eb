# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What structures of an accelerator take of an FPGA. Arithmetic only, no IR; docs/resources.md tells the sources.

Families are `ultrascale+` (DSP48E2, slices of eight LUTs, URAM) and `7series` (DSP48E1, slices of four). In both a LUT
is one function of six inputs or two of together five, and a bit of a carry chain takes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log2
from typing import NamedTuple

from resnet_hls.analysis.fifos import block_ram_halves, built_depth

FAMILIES = ("ultrascale+", "7series")
#: Operands of an adder: a LUT compresses three bits to two in front of its bit of the carry chain.
TREE_WAYS = 3
#: Widths of the multiplier of a DSP slice.
_MULTIPLIERS = {"ultrascale+": (27, 18), "7series": (25, 18)}
#: LUT memory with one write and one read port: words, and bits a LUT. Part of the LUTs takes the write address:
#: RAM32M16 and RAM64M8 of eight LUTs hold 14 and 7 bits, RAM32M and RAM64M of four hold 6 and 3.
_LUTRAM = {"ultrascale+": {32: 14 / 8, 64: 7 / 8}, "7series": {32: 6 / 4, 64: 3 / 4}}
#: Words, bits and write ports of a URAM288.
_URAM_WORDS, _URAM_BITS = 4096, 72


@dataclass(frozen=True)
class Resources:
    """An amount of each resource; halves of block RAMs, and fractions of LUTs where structures share them."""

    dsp: float = 0.0
    lut: float = 0.0
    ff: float = 0.0
    bram36: float = 0.0
    uram: float = 0.0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.dsp + other.dsp,
            self.lut + other.lut,
            self.ff + other.ff,
            self.bram36 + other.bram36,
            self.uram + other.uram,
        )

    def __mul__(self, copies: float) -> Resources:
        return Resources(
            self.dsp * copies, self.lut * copies, self.ff * copies, self.bram36 * copies, self.uram * copies
        )


class Level(NamedTuple):
    """A row of adders in a tree: LUTs, and the sums that leave it with the bits of each."""

    luts: int
    sums: int
    bits: int


def adder(bits: int) -> Resources:
    """A sum or difference of two numbers, or of three: a LUT and a carry for each bit of the result."""
    return Resources(lut=bits)


def tree_levels(count: int, bits: int, most: int | None = None, ways: int = TREE_WAYS) -> list[Level]:
    """The rows of a tree that adds `count` numbers of `bits`, each sum as wide as it can get, up to `most`."""
    levels = []
    while count > 1:
        whole, rest = divmod(count, ways)
        wide = min(bits + ceil(log2(min(count, ways))), most or bits + 64)
        odd = [min(bits + 1, wide)] if rest > 1 else []
        levels.append(Level(whole * wide + sum(odd), whole + (rest > 0), wide))
        count, bits = whole + (rest > 0), wide
    return levels


def tree_bits(count: int, bits: int, most: int) -> int:
    """Bits of what the tree of `tree_levels` gives."""
    levels = tree_levels(count, bits, most)
    return levels[-1].bits if levels else bits


def adder_tree(count: int, bits: int, most: int | None = None, ways: int = TREE_WAYS) -> Resources:
    """The adders of `tree_levels`, without registers."""
    return Resources(lut=sum(level.luts for level in tree_levels(count, bits, most, ways)))


def fabric_product(left: int, right: int) -> Resources:
    """A product of signed numbers in LUTs.

    Two rows of partial products are formed and added in one LUT a bit; what remains is a tree of half as many rows.
    """
    rows, bits = sorted((left, right))
    if rows == 1:
        return Resources(lut=bits / 2)
    pairs = ceil(rows / 2)
    luts, width, shift = pairs * (bits + 2), bits + 2, 2
    while pairs > 1:  # the lowest bits of one of two rows need no adder
        luts += pairs // 2 * width
        width, shift, pairs = width + shift, shift * 2, ceil(pairs / 2)
    return Resources(lut=luts)


def slices(left: int, right: int, family: str) -> int:
    """DSP slices of a product of signed numbers: one for each pair of parts that its multiplier takes."""
    wide, narrow = _MULTIPLIERS[family]
    return min(parts(a, wide) * parts(b, narrow) for a, b in ((left, right), (right, left)))


def parts(bits: int, width: int) -> int:
    """Into how many parts a signed number is split for a multiplier; all but the highest are unsigned, a bit less."""
    return max(1, ceil((bits - 1) / (width - 1)))


def clamp(bits: int, to: int) -> Resources:
    """A signed number of `bits` limited to `to` bits: the highest bits tell which, and every bit is chosen."""
    return Resources(lut=ceil(max(0, bits - to) / 5) + to / 2) if bits > to else Resources()


def comparison(bits: int) -> Resources:
    """Less or equal: two bits a LUT on a carry chain."""
    return Resources(lut=ceil(bits / 2))


def choice(ways: int, bits: int) -> Resources:
    """One of several values of `bits`: two of two share a LUT; of four a LUT, and above multiplexers between LUTs."""
    if ways < 2:
        return Resources()
    return Resources(lut=bits * (0.5 if ways == 2 else ceil(ways / 4)))


def scatter(ways: int) -> Resources:
    """Which of `ways` words of registers is written: a function of the address for each."""
    return Resources(lut=ways / 2 * ceil(log2(max(2, ways)) / 5)) if ways > 1 else Resources()


def guard(bits: int) -> Resources:
    """Bits or zeros: two share a LUT with the condition."""
    return Resources(lut=bits / 2)


def registers(bits: float) -> Resources:
    return Resources(ff=bits)


def delay(cycles: int, bits: float) -> Resources:
    """Bits, some cycles later: registers up to two; above a shift register in LUTs, of which the last is a register."""
    return Resources(ff=cycles * bits) if cycles <= 2 else shift_register(cycles - 1, bits) + registers(bits)


def shift_register(stages: int, bits: float) -> Resources:
    """16 stages of two bits, or 32 of one, in a LUT."""
    return Resources(lut=bits * (0.5 if stages <= 16 else ceil(stages / 32)))


def rom(depth: int, bits: int, storage: str, family: str) -> Resources:
    """A constant memory, without the register behind it: `rom_lutram`, `rom_bram`, `uram`.

    A bit of a memory in LUTs is a function of its address. There are few functions of a short address, and equal ones
    are one; of the random bits of a wide word so many differ as one expects.
    """
    if storage != "rom_lutram":
        return memory(depth, bits, {"rom_bram": "bram"}.get(storage, storage), family)
    inputs = ceil(log2(max(depth, 2)))
    if depth <= 16:
        functions = 2.0**depth
        different = functions * (1 - (1 - 1 / functions) ** bits)
        # Zero, one, and the bits of the address are no function that would need a LUT.
        bits_left = max(0.0, different - different / functions * (2 + 2 * inputs))
        return Resources(lut=bits_left / 2)
    if depth <= 32:
        return Resources(lut=bits / 2)
    return Resources(lut=bits * ceil(depth / 64))


def memory(depth: int, bits: int, storage: str, family: str) -> Resources:
    """A memory with a write and a read port: `lutram`, `bram`, `uram`."""
    if storage == "lutram":
        words = 32 if depth <= 32 else 64
        luts = ceil(bits / _LUTRAM[family][words])
        blocks = ceil(depth / words)
        return Resources(lut=blocks * luts) + choice(blocks, bits)
    if storage == "bram":
        return Resources(bram36=block_ram_halves(depth, bits) / 2)
    if storage == "uram":
        return Resources(uram=ceil(depth / _URAM_WORDS) * ceil(bits / _URAM_BITS))
    raise ValueError(f"no memory is built of '{storage}'")


def load_receiver(depth: int, bits: int, beat: int) -> Resources:
    """What fills a memory at start: the FIFO that brings beats, the word that they make, and the address of it.

    One loop here and one at the port count the beats; the memory has one address, of the load or of the task.
    """
    beats = ceil(bits / beat)
    loops = counters([depth, beats]) + counters([depth * beats]) + Resources(lut=16, ff=10)
    return fifo(2, beat, "srl", "") + loops + registers(bits) + choice(2, bits_of(depth))


def load_port(beat: int) -> Resources:
    """The port that beats come from: a register slice of two of them, with valid, ready and last."""
    return choice(2, beat + 3) + Resources(lut=20, ff=2 * (beat + 3) + 12)


def counters(extents: Sequence[int]) -> Resources:
    """Counters of a nest, each with the test for its last value, and what passes on to the next."""
    widths = [ceil(log2(n)) for n in extents if n > 1]
    return Resources(lut=sum(width + ceil(width / 6) + 1 for width in widths), ff=sum(widths))


def fifo(depth: int, bits: int, storage: str, family: str) -> Resources:
    """A FIFO with its counters and flags.

    Of up to two words it is registers and a choice between them; `srl` shifts words in and chooses one by its address.
    """
    built = built_depth(depth, bits, storage)
    address = ceil(log2(max(2, built)))
    if storage == "srl":
        if depth <= 2:
            return choice(2, bits) + Resources(lut=6, ff=2 * bits + 4)
        words = Resources(lut=bits * (0.5 if built <= 16 else built / 32 + (built > 32) * 0.25))
        return words + Resources(lut=5 * address + 6, ff=2 * address + 3)
    # Two addresses, a count of words, flags; a register for the word that is read next, which block RAM has inside.
    word = bits if storage == "lutram" else 0
    return memory(built, bits, storage, family) + Resources(lut=7 * address + 7, ff=3 * address + 4 + word)


def bits_of(count: int) -> int:
    """Bits of a counter of `count` values."""
    return ceil(log2(count)) if count > 1 else 0
