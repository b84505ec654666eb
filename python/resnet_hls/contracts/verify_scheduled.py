# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""verify-scheduled: what hls-size-fifos promises and the emitter assumes. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.fifos import LEAST_DEPTH, STORAGES
from resnet_hls.analysis.nests import trip_count
from resnet_hls.analysis.network import network_of
from resnet_hls.analysis.tasks import Task, fifos, stream_name, the_dataflow
from resnet_hls.contracts.verify_dataflow import VerifyDataflow, check_dataflow
from resnet_hls.passes._registry import Pass, PassFailure, register_pass
from resnet_hls.simulate.cycles import MOST, simulate


@register_pass
@dataclass(frozen=True)
class VerifyScheduled(Pass):
    """Check that the dataflow can be emitted and cannot deadlock.

    The contract, besides that of `verify-dataflow`: the innermost loop of every task's nest is its one `hls.pipeline`
    loop, with the cycles between two of its iterations (`hls.interval`, at least 1) and the stages of its pipeline
    (`hls.depth`, at least 2); every loop inside it is unrolled whole (`hls.unroll` is its trip count). Every array
    has `hls.storage` and `hls.partition`, every constant `hls.storage`. Every stream has room for two words at least
    and `hls.storage` that exists (`srl` where nothing is said), and with the room that streams have, the tasks complete
    a frame when they are simulated (docs/simulation.md): in a network of tasks with blocking reads and writes, then no
    order of execution can get stuck. Where tasks end a frame while they begin the next (`hls.overlap`), they complete
    as many frames as it takes to show that any number is. The ports carry 8-bit elements.
    """

    name: ClassVar[str] = "verify-scheduled"

    def run(self, op: ir.Operation) -> None:
        check_schedule(op)
        _check_ports(op)
        _check_fifos(op)


def check_schedule(module: ir.Operation) -> None:
    """Checks what a simulation reads: tasks and streams, and the directives of loops, arrays and streams.

    Raises:
        PassFailure: the contract is broken; not where only depths are too small.
    """
    for task in check_dataflow(module, VerifyDataflow().registers):
        _check_loops(task)
        _check_storage(task)
    for constant in iu.walk(module, "memref.global"):
        if "hls.storage" not in constant.attributes:
            name = ir.StringAttr(constant.attributes["sym_name"]).value
            raise PassFailure(constant, f"constant @{name} has no hls.storage", help="run hls-place-memories")
    for fifo in fifos(the_dataflow(module)):
        if "hls.storage" not in fifo.attributes:
            continue
        storage = fifo.attributes["hls.storage"]
        kind = ir.StringAttr(storage).value if isinstance(storage, ir.StringAttr) else str(storage)
        if kind not in STORAGES:
            name = stream_name(fifo.results[0])
            message = f"stream '{name}' is built of '{kind}', expected one of {', '.join(STORAGES)}"
            raise PassFailure(fifo, message, help="run hls-size-fifos")


def _check_loops(task: Task) -> None:
    pipelined = [loop for loop in iu.walk(task.op, "affine.for") if "hls.pipeline" in loop.attributes]
    if len(pipelined) != 1:
        message = f"'{task.name}' has {len(pipelined)} pipelined loops, expected one"
        raise PassFailure(task.op, message, help="run hls-unroll-loops")
    if (steps := prod(task.nest.extents)) > MOST:
        message = f"'{task.name}' takes {steps:,} steps a frame, more than the {MOST:,} that are simulated"
        raise PassFailure(task.op, message, help="build a smaller network, or one for smaller images")
    given = pipelined[0].attributes
    for attribute, least in (("hls.interval", 1), ("hls.depth", 2)):
        number = ir.IntegerAttr(given[attribute]).value if attribute in given else None
        if number is None or not least <= number <= MOST:
            wanted = f"{least} at least" if number is not None and number < least else f"{MOST:,} at most"
            found = f"without {attribute}" if number is None else f"with {attribute} = {number}, not {wanted}"
            raise PassFailure(pipelined[0], f"the loop of '{task.name}' {found}", help="run hls-pipeline-loops")
    for loop in iu.walk(pipelined[0], "affine.for")[1:]:
        factor = ir.IntegerAttr(loop.attributes["hls.unroll"]).value if "hls.unroll" in loop.attributes else 1
        if factor != trip_count(loop):
            message = f"a loop of {trip_count(loop)} iterations inside the pipelined one, unrolled by {factor}"
            raise PassFailure(loop, message, help="unroll it whole, or move it outside")


def _check_storage(task: Task) -> None:
    for alloc in iu.walk(task.op, "memref.alloc"):
        for attribute in ("hls.storage", "hls.partition"):
            if attribute not in alloc.attributes:
                raise PassFailure(
                    alloc, f"an array of '{task.name}' without {attribute}", help="run hls-place-memories"
                )


def _check_ports(module: ir.Operation) -> None:
    for op in iu.walk(the_dataflow(module), "hls.source", "hls.sink"):
        kind = ir.MemRefType(op.operands[0 if op.name == "hls.source" else 1].type)
        if kind.element_type != iu.integer_type(8):
            message = f"a port of {kind.element_type} elements, expected i8"
            raise PassFailure(op, message, help="begin and end the network with an 8-bit quantizer")


def _check_fifos(module: ir.Operation) -> None:
    streams = {stream_name(fifo.results[0]): fifo for fifo in fifos(the_dataflow(module))}
    for name, fifo in streams.items():
        depth = ir.IntegerAttr(fifo.attributes["depth"]).value
        if depth < LEAST_DEPTH:
            message = f"stream '{name}' has room for {depth} words, expected {LEAST_DEPTH} at least"
            raise PassFailure(fifo, message, help="run hls-size-fifos")
        if depth > MOST:
            message = f"stream '{name}' has room for {depth:,} words, more than the {MOST:,} that are simulated"
            raise PassFailure(fifo, message, help="run hls-size-fifos")
    network = network_of(module)
    deadlock = simulate(network, network.frames_that_show).deadlock
    if deadlock is not None:
        at = next((streams[wait.stream] for wait in deadlock.waits if wait.full), module)
        needs = " and ".join(f"stream '{name}' room for {depth} words" for name, depth in deadlock.cure.items())
        raise PassFailure(at, str(deadlock), help=f"{f'give {needs}, or ' if needs else ''}run hls-size-fifos")
