# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What there is to choose from for a dataflow, for a given interval: variants of its tasks, priced, and its streams."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import NamedTuple, cast

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.costs import Resources, fifo, load_port, load_receiver, rom
from resnet_hls.analysis.fifos import LEAST_DEPTH
from resnet_hls.analysis.resources import constants_of, storage_of_task, task_resources
from resnet_hls.analysis.tasks import Task, fifos, lanes_attribute, stream_name, tasks, the_dataflow
from resnet_hls.analysis.weights import BEAT_BITS, is_weights, kind_of, words
from resnet_hls.balance.building import Order
from resnet_hls.balance.pricing import Trials
from resnet_hls.balance.program import Converter, Fabric, Link, Problem, Solution, Variant
from resnet_hls.balance.variants import Factors, Figure, Shape, minimal, products_per_slice
from resnet_hls.dialects.hls import hls
from resnet_hls.passes._packing import SLICES
from resnet_hls.passes._registry import PassFailure
from resnet_hls.passes._tiling_words import Word
from resnet_hls.passes.pipeline_loops import pipeline

#: Of the multiplications that a task needs at least in a step, how many more are worth a look for what else they save.
_NEAR = 1.1
#: Depth that FIFOs are expected to have: windows hardly wait, elements do.
_DEPTH = 16
#: What weights lie in, in the order of preference where LUTs are equal. One that must be loaded needs a port.
STORAGES = ("rom_lutram", "rom_bram")
LOADED = "uram"


class Choice(NamedTuple):
    """What a variant stands for: factors by loop, what weights lie in, and products of a DSP slice at most."""

    factors: tuple[tuple[int, int], ...]
    storage: str
    per_slice: int


@dataclass(frozen=True)
class Built:
    """A task that was built: cycles a frame, its resources without weights, its weights as words and their bits."""

    cycles: int
    cost: Resources
    weights: tuple[tuple[int, int], ...]


@dataclass
class Designs:
    """Problems of `hls-balance`, one for each interval.

    Args:
        module: the dataflow, untiled.
        family: of the device.
        trials: of its tasks, whose figures are those of `count`.
        budget: what may be used.
        storages: what weights may lie in; where a memory makes no sense for them, they are in LUTs.
    """

    module: ir.Operation
    family: str
    trials: Trials[Built]
    budget: Resources
    storages: tuple[str, ...] = STORAGES
    _in_fabric: dict[tuple[str, int], Resources | None] = field(default_factory=dict)
    _converters: dict[tuple[Word, Word, str], Converter | None] = field(default_factory=dict)

    @cached_property
    def fifos(self) -> dict[str, ir.Operation]:
        return {stream_name(op.results[0]): op for op in fifos(the_dataflow(self.module))}

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        reader = iu.ConstantReader(self.module)
        values = {name: reader.array(op.attributes["initial_value"]) for name, op in constants_of(self.module).items()}
        found: dict[str, Shape] = {}
        twins: dict[tuple[str, int], Shape] = {}
        for task in tasks(the_dataflow(self.module)):
            key = self.trials.like(task), products_per_slice(task, values, SLICES[self.family].wide)
            found[task.name] = Shape(task, key[1], twins.get(key))
            twins.setdefault(key, found[task.name])
        return found

    @cached_property
    def ends(self) -> dict[str, tuple[str | None, str | None]]:
        """Stream -> the task that writes it and the one that reads it; None for a port."""
        found: dict[str, tuple[str | None, str | None]] = {}
        for name, op in self.fifos.items():
            stream = op.results[0]
            writer = next((n for n, s in self.shapes.items() if stream in s.task.outputs), None)
            reader = next((n for n, s in self.shapes.items() if stream in s.task.inputs), None)
            found[name] = writer, reader
        return found

    def intervals(self) -> list[int]:
        """Every interval that some factors give some task, ascending."""
        return sorted({cycles for shape in self.shapes.values() for _, cycles, _ in shape.figures})

    def least_products(self, interval: int) -> int | None:
        """Multiplications of a step that all tasks together need at least; None where one cannot be as fast."""
        total = 0
        for shape in self.shapes.values():
            counts = [products[-1] for _, cycles, products in shape.figures if cycles <= interval]
            if not counts:
                return None
            total += min(counts)
        return total

    def problem(self, interval: int, fixed: Resources) -> Problem | None:
        """What there is to choose from; None where a task cannot be as fast. `fixed` is used anyway."""
        products = self.least_products(interval)
        if products is None:
            return None
        scarce = products > self.budget.dsp
        fast = {name: self.fast(name, interval) for name in self.shapes}
        near = {n: worth_a_look(shape, fast[n]) for n, shape in self.shapes.items() if not shape.makes_windows}
        self.prepare(near)
        variants: dict[str, list[Variant]] = {}
        for name, found in near.items():
            # Where none of these can be built, lanes have to be aligned with something: others may be.
            variants[name] = [v for f in found for v in self.variants(name, f, scarce)] or [
                v for f, _, _ in fast[name] for v in self.variants(name, f, scarce)
            ]
        windows = {
            name: self.fitting(name, fast[name], variants) for name, shape in self.shapes.items() if shape.makes_windows
        }
        self.prepare(windows)
        for name, found in windows.items():
            variants[name] = [v for f in found for v in self.variants(name, f, False)]
        slowest = interval >= self.intervals()[-1]  # with factors of 1, too
        if not all(variants.values()):
            if slowest and self.trials.failure is not None:
                raise self.trials.failure  # it cannot be built at all
            return None
        links = [self.link(stream, variants) for stream, (writer, reader) in self.ends.items() if writer and reader]
        if any(v.key.storage == LOADED for found in variants.values() for v in found):
            fixed += load_port(BEAT_BITS)
        return Problem(variants, links, self.budget, fixed)

    def fast(self, name: str, interval: int) -> list[Figure]:
        """Factors with which a task is fast enough and fits its ports."""
        return [f for f in self.shapes[name].figures if f.cycles <= interval and self.at_ports(name, f.factors)]

    def at_ports(self, name: str, factors: Factors) -> bool:
        """Words at a port have neighbours in the order of the elements, and no lanes that are masked."""
        shape = self.shapes[name]
        return all(shape.word(s, factors).in_order for s in shape.lane_loop if None in self.ends[s])

    def prepare(self, factors: Mapping[str, list[dict[int, int]]]) -> None:
        """Builds at the same time what `variants` will ask for."""
        self.trials.prepare(
            (self.shapes[name].task, Order(tuple(sorted(f.items())), per_slice=per_slice))
            for name, found in factors.items()
            for f in found
            for per_slice in range(2, self.shapes[name].per_slice + 1)
        )

    def fitting(self, name: str, fast: list[Figure], variants: Mapping[str, list[Variant]]) -> list[dict[int, int]]:
        """Factors of a task that makes windows, as those who read these may want them."""
        shape, wanted = self.shapes[name], self.wanted(name, variants)
        return [f for f, _, _ in fast if all(shape.word(s, f) in words for s, words in wanted.items())]

    def wanted(self, name: str, variants: Mapping[str, list[Variant]]) -> dict[str, set[Hashable]]:
        """Words in which others may read the windows of a task, by stream."""
        shape = self.shapes[name]
        readers = {s: self.ends[s][1] for s in map(stream_name, shape.task.outputs) if s in shape.windows}
        return {s: {v.words[s] for v in variants[reader]} for s, reader in readers.items() if reader is not None}

    def built(self, found: Solution) -> Resources:
        """What a design takes when each of its tasks is built with its own constants."""
        total = found.cost
        choices: dict[str, Choice] = {name: variant.key for name, variant in found.chosen.items()}
        orders = {n: Order(c.factors, found.fabric.get(n, 0), c.per_slice) for n, c in choices.items()}
        self.trials.prepare(((self.shapes[name].task, order) for name, order in orders.items()), alike=False)
        for name, order in orders.items():
            task = self.shapes[name].task
            own = self.trials.of(task, order, alike=False)
            if own is None:
                raise PassFailure(task.op, f"'{name}' cannot be built with the factors of its likes")
            total += self.priced(own, choices[name].storage) + found.cost_of(name) * -1
        return total

    def priced(self, built: Built, storage: str) -> Resources:
        """With weights in a memory of this kind, and what loads it."""
        cost = sum((rom(depth, bits, storage, self.family) for depth, bits in built.weights), built.cost)
        if storage == LOADED:
            cost = sum((load_receiver(depth, bits, BEAT_BITS) for depth, bits in built.weights), cost)
        return cost

    def with_loads(self) -> Designs:
        """The same with weights in UltraRAM as well; what was built is shared."""
        more = copy(self)
        more.storages = (*self.storages, LOADED)
        return more

    def variants(self, name: str, factors: Factors, scarce: bool) -> list[Variant]:
        """The ways to build a task with these factors: with weights in any of the memories that save LUTs, and with
        more products in a slice where they are narrow, which takes fewer slices and more LUTs.
        """
        found: list[Variant] = []
        slices = inf
        for per_slice in range(2, self.shapes[name].per_slice + 1):
            order = Order(tuple(sorted(factors.items())), per_slice=per_slice)
            built = self.trials.of(self.shapes[name].task, order)
            if built is not None and built.cost.dsp < slices:
                slices = built.cost.dsp
                found += self.stored(name, factors, scarce, per_slice, built)
        return found

    def stored(self, name: str, factors: Factors, scarce: bool, per_slice: int, built: Built) -> list[Variant]:
        """A task that was built, with its weights in any of the memories that save LUTs."""
        shape = self.shapes[name]
        words = {stream: shape.word(stream, factors) for stream in self.streams(shape.task)}
        fabric = self.fabric(shape, factors, per_slice, built) if scarce else None
        deep = [depth for depth, _ in built.weights if depth > 1]
        storages = self.storages if deep else STORAGES[:1]
        if LOADED in storages and len(deep) < len(built.weights):
            storages = tuple(s for s in storages if s != LOADED) or STORAGES[:1]
        key = tuple(sorted(factors.items()))
        found = [
            Variant(Choice(key, storage, per_slice), built.cycles, self.priced(built, storage), words, fabric)
            for storage in storages
        ]
        return [found[0], *(v for v in found[1:] if v.cost.lut < found[0].cost.lut)]

    def fabric(self, shape: Shape, factors: Factors, per_slice: int, built: Built) -> Fabric | None:
        """What a lane of the reduction takes in LUTs: for each of its products as much as in another variant."""
        lanes = shape.reduced(factors)
        if not lanes or not built.cost.dsp:
            return None
        key = self.trials.like(shape.task), per_slice
        if key not in self._in_fabric:
            other = self.trials.of(shape.task, Order(tuple(sorted(factors.items())), lanes, per_slice))
            change = Resources() if other is None else other.cost + built.cost * -1
            self._in_fabric[key] = change * (-1 / change.dsp) if change.dsp < 0 else None
        change_of_slice = self._in_fabric[key]
        slices = shape.products(factors, per_slice) / lanes
        if change_of_slice is None or slices * lanes > built.cost.dsp:
            return None
        more = change_of_slice * slices
        return Fabric(lanes, Resources(dsp=slices), Resources(lut=more.lut, ff=more.ff))

    def streams(self, task: Task) -> list[str]:
        return [stream_name(stream) for stream in [*task.inputs, *task.outputs]]

    def link(self, stream: str, variants: Mapping[str, list[Variant]]) -> Link:
        """What it takes to connect the two ends of a stream, for all words that they may have."""
        writer, reader = self.ends[stream]
        assert writer is not None
        assert reader is not None
        ends = [cast("set[Word]", {v.words[stream] for v in variants[name]}) for name in (writer, reader)]
        pairs = {(a, b): self.converter(stream, a, b) for a in ends[0] for b in ends[1]}
        return Link(stream, writer, reader, {pair: found for pair, found in pairs.items() if found is not None})

    def converter(self, stream: str, have: Word, want: Word) -> Converter | None:
        """What stands between words of two kinds, with the FIFOs of both; None where nothing can."""
        source = self.fifos[stream]
        key = (have, want, f"{source.results[0].type} {source.attributes['depth']}")
        if key not in self._converters:
            self._converters[key] = self._converter(source, have, want)
        return self._converters[key]

    def _converter(self, source: ir.Operation, have: Word, want: Word) -> Converter | None:
        element = ir.IntegerType(hls.element_of(source.results[0].type).element_type).width
        depth = LEAST_DEPTH if have.taps > 1 else _DEPTH
        room = [fifo(depth, w.width * element, "srl", self.family) for w in (have, want)]
        if have == want:
            return Converter(0, room[0])
        if have.taps > 1:
            return None  # as many bits as a window has are not regrouped
        found = self.trials.converter(source, have, want)
        return None if found is None else Converter(found.cycles, found.cost + room[0] + room[1])


def count(module: ir.Operation, family: str, clock_mhz: float) -> Built:
    """What the one task in a module takes that the passes have built, for a device of this family and a clock.

    Raises:
        PassFailure: it cannot begin an iteration in each cycle at this clock.
    """
    (task,) = tasks(the_dataflow(module))
    weights = []
    storage = storage_of_task(task, constants_of(module))
    iteration = pipeline(task, storage, clock_mhz)
    cost = task_resources(task, storage, family, clock_mhz, iteration).total
    for constant in iu.walk(module, "memref.global"):
        if is_weights(constant):
            depth, bits = words(kind_of(constant), lanes_attribute(constant))
            weights.append((depth, bits))
            cost += rom(depth, bits, ir.StringAttr(constant.attributes["hls.storage"]).value, family) * -1
    return Built(task.trip_count, cost, tuple(weights))


def worth_a_look(shape: Shape, fast: list[Figure]) -> list[dict[int, int]]:
    """Of factors that are fast enough those that need few multiplications, however many a slice takes.

    Several pixels a step only where they save some: else words and windows would be wider for nothing.
    """
    found: dict[tuple[tuple[int, int], ...], dict[int, int]] = {}
    for per_slice in range(2, shape.per_slice + 1):
        counted = [(f, products[per_slice - 2]) for f, _, products in fast]
        single = [(f, products) for f, products in counted if shape.pixels(f) == 1]
        least = min((products for _, products in single), default=inf)
        near = minimal(shape, [f for f, products in single if products <= _NEAR * least])
        several = [(f, products) for f, products in counted if shape.pixels(f) > 1 and products < least]
        least = min((products for _, products in several), default=inf)
        near += minimal(shape, [f for f, products in several if products <= least])
        found |= {tuple(sorted(f.items())): f for f in near}
    return list(found.values())
