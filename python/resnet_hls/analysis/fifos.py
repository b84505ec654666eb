# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a FIFO is built of, and how much room that has: devices have memories of a few sizes. Arithmetic only, no IR.

The sizes are those of UltraScale+ (AMD's guides UG574, CLB, and UG573, memory resources); 7 series has the same shift
registers and block RAMs:

* `srl`, shift registers: a LUT is one of 32 stages for a bit (SRLC32E), or of 16 stages for two (SRL16E, two in a LUT).
  Longer ones are several in a row.
* `lutram`, LUTs as memory: with one write and one read port, eight LUTs of a slice are 64 words of 7 bits (RAM64M8; the
  eighth takes the write address).
* `bram`, block RAM: half of one (RAMB18) is 512 words of 36 bits, 1,024 of 18, 2,048 of 9, 4,096 of 4, 8,192 of 2 or
  16,384 of 1.

Counters and flags, which every FIFO has, are left out: they hardly depend on what it is built of.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

#: What a FIFO may be built of.
STORAGES = ("srl", "lutram", "bram")
#: Words that a FIFO has room for at least: with fewer it does not take one a cycle.
LEAST_DEPTH = 2

_SHORT_SRL, _LONG_SRL = 16, 32
_LUTRAM_WORDS, _LUTRAM_BITS, _LUTRAM_LUTS = 64, 7, 8
_BRAM_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
#: LUTs that are worth half a block RAM. A device has between 160 (xczu3eg) and 410 (xck26) of them for each.
_LUTS_OF_HALF_BRAM = 256


class _Half(NamedTuple):
    """Halves of block RAMs, all of one shape: how many, and the words that they have room for."""

    blocks: int
    words: int


def built_depth(depth: int, bits: int, storage: str) -> int:
    """Words that a FIFO of at least `depth` words of `bits` has room for as it is built.

    Args:
        depth: words, 1 or more.
        bits: in a word, 1 or more.
        storage: one of `STORAGES`.

    Returns:
        Words: 16 or a multiple of 32 in shift registers, of 64 in LUTs as memory, and in block RAM a multiple of the
        depth of that shape of which the fewest halves do; of several, the shallowest.

    Raises:
        ValueError: there is no such storage.
    """
    if storage == "srl":
        return _SHORT_SRL if depth <= _SHORT_SRL else _multiple(depth, _LONG_SRL)
    if storage == "lutram":
        return _multiple(depth, _LUTRAM_WORDS)
    if storage == "bram":
        return _halves(depth, bits).words
    raise ValueError(f"no FIFO is built of '{storage}', but of one of {', '.join(STORAGES)}")


def cheapest_storage(depth: int, bits: int) -> str:
    """What a FIFO is best built of: shift registers up to 32 words, and above what costs the fewest LUTs.

    Half a block RAM counts as 256 LUTs. Where two cost the same, it is the one that is named first in `STORAGES`: shift
    registers hand a word on a cycle earlier.
    """
    if depth <= _LONG_SRL:
        return "srl"
    costs = {
        "srl": ceil(depth / _LONG_SRL) * bits,
        "lutram": ceil(depth / _LUTRAM_WORDS) * ceil(bits / _LUTRAM_BITS) * _LUTRAM_LUTS,
        "bram": _halves(depth, bits).blocks * _LUTS_OF_HALF_BRAM,
    }
    return min(STORAGES, key=costs.__getitem__)


def block_ram_halves(depth: int, bits: int) -> int:
    """Halves of block RAMs of a memory of `depth` words of `bits`, with a write and a read port."""
    return _halves(depth, bits).blocks


def _halves(depth: int, bits: int) -> _Half:
    choices = (_Half(ceil(depth / rows) * ceil(bits / width), _multiple(depth, rows)) for rows, width in _BRAM_SHAPES)
    return min(choices)


def _multiple(number: int, of: int) -> int:
    return ceil(number / of) * of
