# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Memories, registers and constants of a task, once `resources_task` knows how they are used. Reads the IR only."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis import costs
from resnet_hls.analysis.costs import Resources
from resnet_hls.analysis.resources_task import Structures
from resnet_hls.analysis.resources_values import bits_of_array
from resnet_hls.analysis.tasks import lanes_attribute
from resnet_hls.analysis.weights import BEAT_BITS


def add_arrays(found: Structures) -> None:
    """Memories; and registers, which an array is only if an iteration needs what one before has left in it."""
    for alloc in iu.walk(found.task.op, "memref.alloc"):
        array, kind = alloc.results[0], ir.MemRefType(alloc.results[0].type)
        place = found.storage[array]
        if place == "register":
            if array in found.state:
                found.add("window", costs.registers(bits_of_array(array)))
            continue
        banked = {ir.IntegerAttr(a).value for a in ir.ArrayAttr(alloc.attributes["hls.partition"])}
        addressed = len(kind.shape) - lanes_attribute(alloc)
        banks = prod(n for axis, n in enumerate(kind.shape[:addressed]) if axis in banked)
        depth = prod(n for axis, n in enumerate(kind.shape[:addressed]) if axis not in banked)
        bits = prod(kind.shape[addressed:]) * ir.IntegerType(kind.element_type).width
        what = costs.memory(depth, bits, place, found.family) + address(kind.shape[:addressed], banked)
        output = costs.registers(bits if place == "lutram" else 0)
        found.add("memories", what + output, banks)
    for use in iu.walk(found.task.op, "memref.get_global"):
        add_constant(found, use.results[0])


def add_constant(found: Structures, array: ir.Value) -> None:
    """A memory that is read only, as deep as what the task's loops address."""
    kind = ir.MemRefType(array.type)
    loads = [op for op in iu.users(array) if op.name == "affine.load"]
    depth = max((found.ways(op) for op in loads), default=1)
    bits = prod(kind.shape) // depth * ir.IntegerType(kind.element_type).width
    if depth > 1:
        place = found.storage[array]
        what = costs.rom(depth, bits, place, found.family) + address(kind.shape, set())
        if place == "rom_lutram":
            what += costs.registers(min(bits, 2 * what.lut))
        if place == "uram":
            what += costs.load_receiver(depth, bits, BEAT_BITS)
        found.add("weights", what)


def address(shape: Sequence[int], banked: set[int]) -> Resources:
    """Additions for an address of several dimensions, unless the inner one has a power of two of places."""
    inner, luts = 1, 0
    for axis, size in reversed(list(enumerate(shape))):
        if axis not in banked:
            if inner & (inner - 1) and size > 1:
                luts += costs.bits_of(size * inner)
            inner *= size
    return Resources(lut=luts)
