# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""verify-dataflow: what hls-to-dataflow promises and the scheduling passes assume. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.definitions import check_arithmetic, check_stored
from resnet_hls.analysis.iterations import check_bounds
from resnet_hls.analysis.nests import Nest, trip_count
from resnet_hls.analysis.overlap import OVERLAP, overlap_of, rows_of_statement
from resnet_hls.analysis.tasks import Task, fifos, lanes_of, stream_name, tasks, the_dataflow, words_written
from resnet_hls.dialects.hls import hls
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import Pass, PassFailure, option, register_pass

_TASK = {"affine.for", "arith.constant", "memref.alloc", "memref.get_global"}
_BODY = {"affine.for", "affine.if", "affine.load", "affine.store", "affine.yield", "hls.read", "hls.write"}
_LANES = {"hls.pack", "hls.low", "hls.high"}


@register_pass
@dataclass(frozen=True)
class VerifyDataflow(Pass):
    """Check that the module is one dataflow of tasks that share nothing but streams.

    The contract: the one public `func.func` holds one `hls.dataflow` and nothing else, with one `hls.source` and one
    `hls.sink`. A task holds constants, weights, arrays of its own and one perfect nest, whose loops run from 0 to a
    constant in steps of 1; the nest accesses arrays by `affine.load` and `affine.store` and streams by `hls.read` and
    `hls.write`, inside their bounds, and loads nothing that it has not stored or read before. Every stream has one
    writer and one reader, and carries in a frame as many words as are read from it. Tasks stand in the order in which
    data flows: there is no cycle.

    A task may end a frame while it begins the next: where its outermost loop, of H + k iterations, is marked
    `hls.overlap = k`, k is at least 1 and at most H. Then each transfer stands under an `affine.if` in the innermost
    body. One around reads holds in the first H iterations only, one around writes alone in iterations less than H
    apart. Other statements do not depend on the outermost loop.

    No array is larger than a line buffer. The bound: an array of a task has fewer elements than the largest of the
    task's streams carries in a frame; one as large could hold a feature map, while the `k - 1` rows of a line buffer
    never can. Exempt is what a step needs all of: windows (indexed by a loop over taps, or placed in registers),
    accumulators, and arrays of no more than `registers` elements (where a feature map is one pixel, the register that
    holds it is as large).
    """

    name: ClassVar[str] = "verify-dataflow"

    registers: int = option(1024, "arrays of no more elements are not bounded")

    def run(self, op: ir.Operation) -> None:
        check_dataflow(op, self.registers)


def check_dataflow(module: ir.Operation, registers: int) -> list[Task]:
    """Checks the contract; gives the tasks. Raises PassFailure where it is broken."""
    _check_function(iu.public_function(module))
    dataflow = the_dataflow(module)
    _check_ports(dataflow)
    found = tasks(dataflow)
    for task in found:
        _check_task(task)
    _check_order(dataflow, found)
    words_written(dataflow, found)  # raises PassFailure where other words are read
    for task in found:
        _check_arrays(task, registers)
    return found


def _check_function(function: ir.Operation) -> None:
    for op in (o.operation for o in iu.body(function).operations):
        if op.name not in {"hls.dataflow", "func.return"}:
            raise PassFailure(op, f"'{op.name}' beside the dataflow", help="only tasks compute; run hls-to-dataflow")


def _check_ports(dataflow: ir.Operation) -> None:
    for name in ("hls.source", "hls.sink"):
        found = [o.operation for o in iu.body(dataflow).operations if o.operation.name == name]
        if len(found) != 1:
            raise PassFailure(dataflow, f"a dataflow with {len(found)} '{name}', expected one")


def _check_task(task: Task) -> None:
    """The form of one task. That it uses nothing from outside but streams, the dialect's own verifier has checked."""
    for op in (o.operation for o in iu.body(task.op).operations):
        if op.name not in _TASK:
            raise PassFailure(op, f"'{op.name}' in a task, outside its nest")
    nest = task.nest  # raises PassFailure where there is no single perfect nest
    pipelined = [loop for loop in nest.loops if "hls.pipeline" in loop.attributes]
    if pipelined and pipelined != [nest.loops[-1]]:
        raise PassFailure(pipelined[0], "a pipelined loop with more loops of the nest inside")
    for op in iu.walk(nest.root):
        if op.name == "affine.for":
            trip_count(op)  # raises PassFailure where it is not normalized
        elif op.name not in _BODY | _LANES and not op.name.startswith("arith."):
            raise PassFailure(
                op, f"'{op.name}' in a task", help="only affine accesses, streams and arith may stand there"
            )
    check_arithmetic(nest.root)
    check_bounds(nest)
    _check_overlap(task)
    arrays = [alloc.results[0] for alloc in iu.walk(task.op, "memref.alloc")]
    check_stored(nest, {array: np.zeros(prod(ir.MemRefType(array.type).shape), bool) for array in arrays})
    for op in iu.walk(task.op, "affine.store"):
        target = iu.defining_op(iu.accessed_memref(op))
        if target is not None and target.name == "memref.get_global":
            raise PassFailure(op, "a store into a constant")


def _check_overlap(task: Task) -> None:
    """That iterations of two frames may run together where they are marked to."""
    nest = task.nest
    if any(OVERLAP in loop.attributes for loop in nest.loops[1:]):
        raise PassFailure(nest.loops[1], "only the outermost loop may overlap frames")
    if OVERLAP not in nest.root.attributes:
        return
    rows, overlap = nest.extents[0], overlap_of(nest)
    height = rows - overlap
    if not 1 <= overlap <= height:
        raise PassFailure(nest.root, f"{overlap} of {rows} iterations that overlap the next frame's")
    for statement in iu.block_operations(nest.block):
        transfers = [op.name for op in iu.walk(statement, "hls.read", "hls.write")]
        if not transfers:
            if any(0 in dims_of(expr) for expr in _exprs(statement, nest)):
                message = "a statement that depends on the outermost loop, whose iterations overlap the next frame's"
                raise PassFailure(statement, message)
            continue
        if statement.name != "affine.if" or (len(statement.regions) > 1 and len(statement.regions[1].blocks)):
            raise PassFailure(statement, "a transfer without a condition where frames overlap")
        first, last = rows_of_statement(statement, nest)
        reads = "hls.read" in transfers
        if last >= height if reads else first <= last - height:
            kind = "read" if reads else "written"
            message = f"a word is {kind} in iterations {first} to {last}, where frames overlap from {height} on"
            raise PassFailure(statement, message, help="without hls.overlap, a frame ends before the next begins")


def _exprs(statement: ir.Operation, nest: Nest) -> list[ir.AffineExpr]:
    """All indices and conditions in a statement, over the loops of the nest."""
    found: list[ir.AffineExpr] = []
    for op in iu.walk(statement, "affine.load", "affine.store", "affine.if"):
        if op.name == "affine.if":
            exprs = [expr for expr, _ in iu.set_constraints(op.attributes["condition"])]
        else:
            exprs = list(iu.access_map(op).results)
        found += nest.in_terms_of_loops(exprs, iu.index_operands(op))
    return found


def _check_order(dataflow: ir.Operation, found: list[Task]) -> None:
    """Every stream has one writer and one reader, the reader after the writer."""
    position = {task.op: n for n, task in enumerate(found)}
    for fifo in fifos(dataflow):
        stream = fifo.results[0]
        ends: dict[bool, list[ir.Operation]] = {True: [], False: []}
        for user in iu.users(stream):
            place = user if user.name in {"hls.source", "hls.sink"} else hls.enclosing_task(user)
            assert place is not None  # hls.read and hls.write verify that
            written = user.name in {"hls.source", "hls.write"}
            if place not in ends[written]:
                ends[written].append(place)
        if len(ends[True]) != 1 or len(ends[False]) != 1:
            counts = f"{len(ends[True])} writers and {len(ends[False])} readers"
            raise PassFailure(fifo, f"stream '{stream_name(stream)}' has {counts}, expected one of each")
        writer, reader = ends[True][0], ends[False][0]
        if writer in position and reader in position and position[writer] >= position[reader]:
            names = f"'{found[position[writer]].name}' writes it for '{found[position[reader]].name}'"
            message = f"stream '{stream_name(stream)}' runs backwards: {names}, which does not stand after it"
            raise PassFailure(fifo, message, help="order tasks as data flows; a cycle cannot be scheduled")


def _check_arrays(task: Task, registers: int) -> None:
    streams = [*task.inputs, *task.outputs]
    most = max((len(task.steps(s)) * lanes_of(s) for s in streams), default=0)
    taps = {d for d, loop in enumerate(task.nest.loops) if "hls.tap" in loop.attributes}
    windows = {a.buffer for a in task.nest.accesses if taps & {d for e in a.exprs for d in dims_of(e)}}
    accumulators = {store.buffer for store in task.nest.stores if _accumulates(store.op)}
    for alloc in iu.walk(task.op, "memref.alloc"):
        buffer = alloc.results[0]
        elements = prod(ir.MemRefType(buffer.type).shape)
        placed = ir.StringAttr(alloc.attributes["hls.storage"]).value if "hls.storage" in alloc.attributes else ""
        needed = buffer in windows or buffer in accumulators or placed == "register"
        if elements > registers and elements >= most and not needed:
            message = f"an array of {elements} elements in '{task.name}', whose streams carry {most} in a frame"
            raise PassFailure(alloc, message, help="hls-temporal-reuse makes line buffers")


def _accumulates(store: ir.Operation) -> bool:
    """True for a store of what was computed from an element of the same array."""
    buffer, pending = iu.accessed_memref(store), [store.operands[0]]
    while pending:
        op = iu.defining_op(pending.pop())
        if op is not None and op.name == "affine.load" and op.operands[0] == buffer:
            return True
        if op is not None and op.name.startswith("arith."):
            pending += list(op.operands)
    return False
