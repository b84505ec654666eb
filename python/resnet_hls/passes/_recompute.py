# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Computes a map a second time for its skip, where its input is smaller and waits instead: a 1 x 1 convolution."""

from __future__ import annotations

from math import prod

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.arrival import Arrival
from resnet_hls.analysis.nests import Nest, is_constant, nests
from resnet_hls.analysis.reuse import windowed_readers
from resnet_hls.analysis.windows import is_private, name_of, needs_window
from resnet_hls.passes._hand_outs import pixel_bytes
from resnet_hls.passes._registry import remark


def recompute_pointwise(function: ir.Operation, macs_per_byte: int) -> None:
    """Gives a skip a nest of its own that computes it from a narrower map, where that is worth its multiplications."""
    arrival: Arrival | None = None
    windowed = windowed_readers(function)  # their line buffers have what is needed
    writers = {store.buffer: nest for nest in nests(function) for store in nest.stores}
    for nest in nests(function):
        for load in nest.loads:
            writer = writers.get(load.buffer)
            source = None if writer is None or writer.root == nest.root else pointwise_input(writer)
            if writer is None or source is None or load.buffer in windowed or readers(function, load.buffer) < 2:
                continue
            if arrival is None:
                arrival = Arrival(function)
            waits = arrival.waits(nest, load)
            saved = waits * (pixel_bytes(load.buffer) - pixel_bytes(source))
            macs = prod(writer.extents)
            if 0 < macs <= saved * macs_per_byte:
                load.op.operands[0] = _copy(writer, load.buffer)
                remark(
                    load.op,
                    f"the skip is computed again from the input of '{name_of(writer)}', {macs} multiply-accumulates a "
                    f"frame: {waits * pixel_bytes(source)} bytes wait, not {waits * pixel_bytes(load.buffer)}",
                )


def readers(function: ir.Operation, buffer: ir.Value) -> int:
    """How many nests load `buffer`."""
    return sum(any(load.buffer == buffer for load in nest.loads) for nest in nests(function, buffer))


def pointwise_input(nest: Nest) -> ir.Value | None:
    """The one map that a nest makes another one of, pixel by pixel; None for any other nest."""
    outside = [a for a in nest.accesses if not is_constant(a.buffer) and not is_private(a.buffer, nest)]
    loads = [a for a in outside if not a.is_store]
    if len(loads) != 1 or len(outside) != 2 or isinstance(outside[1].buffer, ir.BlockArgument):
        return None
    (load,), (store,) = loads, [a for a in outside if a.is_store]
    if needs_window(nest, load) or load.exprs[:-1] != store.exprs[:-1]:
        return None
    return load.buffer


def _copy(nest: Nest, result: ir.Value) -> ir.Value:
    """The nest once more, behind itself, with buffers of its own; gives the one that stands for `result`."""
    stored = dict.fromkeys(access.buffer for access in nest.stores)
    mapping: dict[ir.Value, ir.Value] = {}
    for buffer in stored:
        owner = iu.defining_op(buffer)
        assert owner is not None
        with ir.InsertionPoint(owner):
            iu.clone_into([owner], mapping)
    function_block = nest.root.block
    following = [op.operation for op in function_block.operations]
    after = following[following.index(nest.root) + 1]
    with ir.InsertionPoint(after):
        copy = iu.clone_into([nest.root], mapping)[0]
    copy.attributes["hls.name"] = ir.StringAttr.get(name_of(nest) + "_again")
    return mapping[result]
