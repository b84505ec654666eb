# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Processes build what one process would build, and where they end the work is left to that."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from torch_mlir import ir

from resnet_hls.analysis.tasks import Task, tasks, the_dataflow
from resnet_hls.balance import workers
from resnet_hls.balance.building import Builder, Order
from resnet_hls.balance.designs import Built, count
from resnet_hls.balance.pricing import Trials
from resnet_hls.balance.workers import Workers
from resnet_hls.context import make_context
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes.narrow_integers import NarrowIntegers
from resnet_hls.passes.pack_dsp import PackDsp
from resnet_hls.passes.place_memories import PlaceMemories
from resnet_hls.passes.unroll_loops import UnrollLoops

#: At which a sum is not there in the next cycle, so that only some factors do.
CLOCK = 600.0
BUILDER = Builder[Built](
    UnrollLoops(),
    (NarrowIntegers(), PackDsp()),
    (PlaceMemories(),),
    partial(count, family="ultrascale+", clock_mhz=CLOCK),
)
ORDERS = [Order(((1, inputs), (2, outputs))) for inputs in (1, 2, 4) for outputs in (1, 2, 3, 6)]


@pytest.fixture
def product(repository: Path) -> ir.Operation:
    """A dataflow of one task, a matrix product of 10 x 4 x 6 steps."""
    text = (repository / "test" / "passes" / "balance.mlir").read_text().split("// -----")[0]
    return ir.Module.parse(text, make_context()).operation


@pytest.fixture
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start of processes, however little there is to do."""
    monkeypatch.setattr(workers, "_WORTH_A_START", 1)
    monkeypatch.setattr(workers, "_WORTH_ASKING", 1)


def one_by_one(module: ir.Operation, task: Task) -> dict[Order, Built | None]:
    found: dict[Order, Built | None] = {}
    for order in ORDERS:
        try:
            found[order] = BUILDER.task(module, task, order)
        except PassFailure:
            found[order] = None
    return found


@pytest.mark.usefixtures("worth_it")
def test_the_same_figures(product: ir.Operation) -> None:
    with product.context, product.location, Workers(product, BUILDER, 2) as processes:
        (task,) = tasks(the_dataflow(product))
        expected = one_by_one(product, task)
        for _ in range(2):  # what they have built changes nothing
            assert dict(zip(ORDERS, processes.build([("product", o) for o in ORDERS]), strict=True)) == expected
    assert 0 < sum(built is None for built in expected.values()) < len(ORDERS) / 2


@pytest.mark.usefixtures("worth_it")
def test_trials_ask_for_nothing_twice_and_know_why(product: ir.Operation) -> None:
    with product.context, product.location, Workers(product, BUILDER, 2) as processes:
        (task,) = tasks(the_dataflow(product))
        expected = one_by_one(product, task)
        trials = Trials(product, BUILDER, processes)
        trials.prepare((task, order) for order in ORDERS * 2)
        assert trials.built == len(ORDERS)
        assert {order: trials.of(task, order) for order in ORDERS} == expected
        # What fails is built once more in this process, for its message.
        assert trials.built == len(ORDERS) + list(expected.values()).count(None)
    assert "needs what the last one stores" in str(trials.failure)


@pytest.mark.usefixtures("worth_it")
def test_processes_that_end(product: ir.Operation, capfd: pytest.CaptureFixture[str]) -> None:
    with product.context, product.location, Workers(product, BUILDER, 2) as processes:
        (task,) = tasks(the_dataflow(product))
        processes.build([("product", ORDERS[0])])
        for process in processes.running:
            process.kill()
        trials = Trials(product, BUILDER, processes)
        trials.prepare((task, order) for order in ORDERS)
        assert {order: trials.of(task, order) for order in ORDERS} == one_by_one(product, task)
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("worth_it")
def test_none_are_left(product: ir.Operation) -> None:
    with product.context, product.location, Workers(product, BUILDER, 2) as processes:
        processes.build([("product", order) for order in ORDERS])
        started = list(processes.running)
        assert [process.poll() for process in started] == [None, None]
    assert all(process.returncode is not None for process in started)


@pytest.mark.usefixtures("worth_it")
def test_a_process_ends_with_its_orders(product: ir.Operation) -> None:
    """However the one ended that started it."""
    with product.context, product.location, Workers(product, BUILDER, 2) as processes:
        processes.build([("product", order) for order in ORDERS])
        for process in processes.running:
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(60) == 0


@pytest.mark.usefixtures("worth_it")
def test_one_processor_needs_none(product: ir.Operation) -> None:
    with Workers(product, BUILDER, 1) as processes:
        assert processes.build([("product", order) for order in ORDERS]) == []
        assert not processes.running


def test_few_tasks_need_none(product: ir.Operation) -> None:
    with Workers(product, BUILDER, 2) as processes:
        assert processes.build([("product", order) for order in ORDERS]) == []
        assert not processes.running
