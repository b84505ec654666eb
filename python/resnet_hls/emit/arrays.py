# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays of a task as C++: declarations, directives, and how an element is named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch_mlir import ir

from resnet_hls.analysis.tasks import lanes_attribute, lanes_of
from resnet_hls.dialects.hls import hls
from resnet_hls.emit.expressions import exact_type, type_name
from resnet_hls.passes._registry import PassFailure

_STORAGE = {
    "lutram": "type=ram_s2p impl=lutram",
    "bram": "type=ram_s2p impl=bram",
    "uram": "type=ram_s2p impl=uram",
    "rom_lutram": "type=rom_1p impl=lutram",
    "rom_bram": "type=rom_1p impl=bram",
}


@dataclass
class Array:
    """An array: its C++ name, how many dimensions are addresses, the extents of the others: lanes (None: no words)."""

    name: str
    address: int
    lanes: list[int] | None
    constant: bool = False


def element_width(op: ir.Operation, kind: ir.Type) -> int:
    """Bits of an integer type. Raises PassFailure for any other."""
    if not isinstance(kind, ir.IntegerType):
        raise PassFailure(op, f"an array of {kind} cannot be emitted", help="run hls-integerize first")
    width: int = ir.IntegerType(kind).width
    return width


def word_type(stream: ir.Value) -> str:
    element = ir.IntegerType(hls.element_of(stream.type).element_type)
    return f"word<{type_name(element.width)}, {lanes_of(stream)}>"


def storage(op: ir.Operation, default: str) -> str:
    """What BIND_STORAGE says of an array. Raises PassFailure for a storage that it has no words for."""
    wanted = ir.StringAttr(op.attributes["hls.storage"]).value if "hls.storage" in op.attributes else default
    if wanted not in _STORAGE and wanted != "register":
        raise PassFailure(op, f"storage '{wanted}' cannot be emitted", help=f"one of register, {', '.join(_STORAGE)}")
    return _STORAGE.get(wanted, "")


def declaration(op: ir.Operation, name: str) -> tuple[Array, list[str]]:
    """A memref.alloc as an array, and the lines that declare it."""
    kind = ir.MemRefType(op.results[0].type)
    width = element_width(op, kind.element_type)
    element = type_name(width) if kind.shape else exact_type(width)
    is_word = any(use.owner.operation.name in {"hls.read", "hls.write"} for use in op.results[0].uses)
    lanes = len(kind.shape) if is_word else lanes_attribute(op)
    address = list(kind.shape)[: len(kind.shape) - lanes]
    array = Array(name, len(address), list(kind.shape)[len(address) :] if lanes or is_word else None)
    if array.lanes is not None:
        element = f"word<{element}, {int(np.prod(array.lanes, dtype=np.int64))}>"
    lines = [f"{element} {name}{''.join(f'[{n}]' for n in address)};"]
    return array, [*lines, *_directives(op, array)] if address else lines


def _directives(op: ir.Operation, array: Array) -> list[str]:
    lines = []
    if array.lanes is not None:
        lines.append(f"#pragma HLS AGGREGATE variable={array.name} compact=bit")
    bound = storage(op, "register")
    if not bound:
        return [*lines, f"#pragma HLS ARRAY_PARTITION variable={array.name} type=complete dim=0"]
    for axis in ir.ArrayAttr(op.attributes["hls.partition"]) if "hls.partition" in op.attributes else []:
        dim = ir.IntegerAttr(axis).value + 1
        lines.append(f"#pragma HLS ARRAY_PARTITION variable={array.name} type=complete dim={dim}")
    return [*lines, f"#pragma HLS BIND_STORAGE variable={array.name} {bound}"]


def constant_array(op: ir.Operation, source: ir.Operation, name: str) -> tuple[Array, list[str]]:
    """A memref.get_global of the memref.global `source` as an array, and the directives for it."""
    rank = len(ir.MemRefType(op.results[0].type).shape)
    lines = [
        # One wide word a step: the lanes of an address lie side by side.
        f"#pragma HLS ARRAY_RESHAPE variable={name} type=complete dim={axis + 1}"
        for axis in range(rank - lanes_attribute(source), rank)
    ]
    if bound := storage(source, "rom_lutram"):
        lines.append(f"#pragma HLS BIND_STORAGE variable={name} {bound}")
    return Array(name, rank, None, constant=True), lines
