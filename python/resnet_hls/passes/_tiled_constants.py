# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Constants of a tiled task: laid out at compile time in the order in which its steps read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import memref

from resnet_hls import ir_utils as iu
from resnet_hls.passes._tiling import Tiling
from resnet_hls.passes._tiling_layouts import Layout


class Constants:
    """The constants of a module, by symbol, and their elements."""

    def __init__(self, module: ir.Operation) -> None:
        self._reader = iu.ConstantReader(module)
        self._globals = {ir.StringAttr(op.attributes["sym_name"]).value: op for op in iu.walk(module, "memref.global")}

    def laid_out(
        self, symbol: str, layout: Layout, tiling: Tiling, shape: list[int], lanes: ir.Attribute
    ) -> tuple[str, ir.MemRefType]:
        """A new constant beside the old one, its elements in the order `[address …][lane …]`; its symbol and type."""
        old = self._globals[symbol]
        array = relayout(self._reader.array(old.attributes["initial_value"]), layout, tiling)
        kind = ir.MemRefType.get(shape, ir.MemRefType(ir.TypeAttr(old.attributes["type"]).value).element_type)
        name, number = f"{symbol}_lanes", 2
        while name in self._globals:
            name, number = f"{symbol}_lanes_{number}", number + 1
        with ir.InsertionPoint(old), old.location:
            new = memref.GlobalOp(
                name,
                ir.TypeAttr.get(kind),
                sym_visibility="private",
                initial_value=iu.dense(array.reshape(shape)),
                constant=True,
            ).operation
        new.attributes["hls.lanes"] = lanes
        if "hls.storage" in old.attributes:
            new.attributes["hls.storage"] = old.attributes["hls.storage"]
        self._globals[name] = new
        return name, kind


def relayout(array: np.ndarray[Any, Any], layout: Layout, tiling: Tiling) -> np.ndarray[Any, Any]:
    """A constant's elements in the order `[address …][lane …]`; zeros in lanes beyond the last iteration of a loop."""
    padding = [0] * array.ndim
    for axis, loop in layout.split.items():
        padding[axis] = tiling.groups[loop] * tiling.factors[loop] - array.shape[axis]
    array = np.pad(array, [(0, count) for count in padding])
    split_shape: list[int] = []
    place: list[int] = []
    lane_axis: dict[int, int] = {}
    for axis, extent in enumerate(array.shape):
        place.append(len(split_shape))
        if axis in layout.split:
            loop = layout.split[axis]
            lane_axis[loop] = len(split_shape) + 1
            split_shape += [tiling.groups[loop], tiling.factors[loop]]
        else:
            split_shape.append(extent)
    # Dimensions of one address come first, where they do not matter.
    single = [axis for axis in range(array.ndim) if axis not in layout.address]
    order = [*(place[axis] for axis in [*single, *layout.address]), *(lane_axis[d] for d in layout.lanes)]
    return np.ascontiguousarray(array.reshape(split_shape).transpose(order))
