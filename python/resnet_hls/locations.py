# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MLIR locations as people read them. Reads locations only; changes nothing."""

from typing import Any

from torch_mlir import ir


def layer_name(location: ir.Location) -> str:
    """The name of the source node that `location` carries, or "" where it carries none.

    A NameLoc gives its own name; a fused or call-site location gives the first name found inside it.
    """
    location = specific(location)
    if isinstance(location, ir.NameLoc):
        return str(location.name_str)
    for part in _parts(location):
        if name := layer_name(part):
            return name
    return ""


def position(location: ir.Location) -> tuple[str, int, int] | None:
    """The file, line and column (1-based) of `location`, or None where it has no position in a file.

    The implicit module around a file has line 0, which is no position.
    """
    location = specific(location)
    if isinstance(location, ir.FileLineColLoc) and location.start_line > 0:
        return str(location.filename).strip('"'), location.start_line, location.start_col
    for part in _parts(location):
        if (found := position(part)) is not None:
            return found
    return None


def file_position(location: ir.Location) -> str:
    """`file:line:column` of `location` (1-based), or "" where it has no position in a file."""
    found = position(location)
    return ":".join(map(str, found)) if found else ""


def describe(location: ir.Location) -> str:
    """One line for messages: `model.mlir:5:6`, `layer 'conv1'`, or both; "" for an unknown location."""
    name, position = layer_name(location), file_position(location)
    if name and position:
        return f"{position}: layer '{name}'"
    return f"layer '{name}'" if name else position


def specific(location: ir.Location) -> ir.Location:
    """`location` as its most derived Python class (the bindings hand out plain Location objects in places)."""
    return location.maybe_downcast() if hasattr(location, "maybe_downcast") else location


def _parts(location: Any) -> list[ir.Location]:
    if isinstance(location, ir.NameLoc):
        return [location.child_loc]
    if isinstance(location, ir.FusedLoc):
        return list(location.locations)
    if isinstance(location, ir.CallSiteLoc):
        return [location.callee, location.caller]
    return []
