# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gives memory known contents before anything is stored in it, to tell results that depend on what it held.

Fresh memory of the system is mostly zero, and zero is what padding holds: a module that reads what it never stored
computes the right thing for years.
"""

from __future__ import annotations

from torch_mlir import ir

from resnet_hls import ir_utils as iu

#: Symbol of the function of one i64 that sets what all memory allocated from then on holds. No C++ or Python name.
SET = "hls.memory.set"

_HELD = f"""
memref.global "private" @hls.memory.held : memref<i64> = dense<0>
func.func @{SET}(%value: i64) {{
  %held = memref.get_global @hls.memory.held : memref<i64>
  memref.store %value, %held[] : memref<i64>
  return
}}
"""
_FILL = """
func.func private @hls.memory.fill.{number}(%memory: {type}) {{
  %held = memref.get_global @hls.memory.held : memref<i64>
  %i64 = memref.load %held[] : memref<i64>
  %i8 = arith.trunci %i64 : i64 to i8
  {convert}
  linalg.fill ins(%filling : {element}) outs(%memory : {type})
  return
}}
"""


def fill(module: ir.Operation) -> None:
    """Makes every `memref.alloc` hold the number last given to `SET`: its lowest bits, a float the value of
    its lowest byte.

    Two runs with numbers that differ in every bit show most of what depends on it: not what comes out alike for both,
    as a difference of two such elements. What holds indices, or numbers with a sign of their own, stays as it is.
    """
    kinds: dict[ir.Type, tuple[int, str]] = {}
    for op in iu.walk(module, "memref.alloc"):
        kind = ir.MemRefType(op.results[0].type)
        if not (convert := _convert(kind.element_type)):
            continue
        number, _ = kinds.setdefault(kind, (len(kinds), convert))
        with op.location, ir.InsertionPoint.after(op):
            callee = ir.FlatSymbolRefAttr.get(f"hls.memory.fill.{number}")
            ir.Operation.create("func.call", operands=[op.results[0]], attributes={"callee": callee})
    fills = (
        _FILL.format(number=number, type=kind, element=ir.MemRefType(kind).element_type, convert=convert)
        for kind, (number, convert) in kinds.items()
    )
    helpers = ir.Module.parse(_HELD + "".join(fills), module.context)
    with ir.InsertionPoint.at_block_begin(module.regions[0].blocks[0]):
        for helper in helpers.body.operations:
            helper.operation.clone()


def _convert(element: ir.Type) -> str:
    """Makes `%filling` of `%i64` or `%i8`; empty for what is neither a float nor a signless integer."""
    if isinstance(element, ir.FloatType):
        return f"%filling = arith.sitofp %i8 : i8 to {element}"
    if not isinstance(element, ir.IntegerType) or not element.is_signless:
        return ""
    # By a detour, as no cast goes from a type to itself.
    return f"%i65 = arith.extsi %i64 : i64 to i65\n  %filling = arith.trunci %i65 : i65 to {element}"
