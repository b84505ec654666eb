# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a design takes of the board, as the report says it. Reads the IR, changes nothing."""

from __future__ import annotations

import math
from typing import Any

from resnet_hls import boards
from resnet_hls.analysis.costs import Resources
from resnet_hls.analysis.resources import ERROR_PERCENT, DesignResources
from resnet_hls.boards import Board

#: In the order in which they are told.
KINDS = ("dsp", "lut", "ff", "bram36", "uram")


def amounts(found: Resources) -> dict[str, float]:
    """Rounded up to what can be built: block RAMs to halves, all others to whole ones."""
    whole = {kind: math.ceil(round(getattr(found, kind), 3)) for kind in KINDS}
    return {**whole, "bram36": math.ceil(round(2 * found.bram36, 3)) / 2}


def resource_table(board: Board, usable: boards.Resources, design: DesignResources) -> dict[str, dict[str, float]]:
    """Of each kind: used, how far off that may be, what the design may take, and what the device has."""
    used = amounts(design.total)
    return {
        kind: {
            "used": used[kind],
            "error_percent": ERROR_PERCENT[kind],
            "usable": getattr(usable, kind),
            "available": getattr(board.resources, kind),
        }
        for kind in KINDS
    }


def structure_rows(design: DesignResources) -> list[dict[str, Any]]:
    """What each kind of structure takes, in all tasks together, of which streams and ports are two."""
    return [{"name": name, **amounts(found)} for name, found in design.by_structure.items()]
