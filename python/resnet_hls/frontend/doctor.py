# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls doctor MODEL.onnx`: what is in a model, whether it can be built, and what to do where it cannot.

It reads the file and nothing else: no MLIR, no conversion.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_hls.errors import UserError
from resnet_hls.frontend import onnx_model
from resnet_hls.frontend.onnx_graph import Graph, Grid, Node, Problem, Shape

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Layer:
    """A node that computes something; `macs` are multiply-accumulates per image, 0 for what has none."""

    name: str
    op: str
    input_shape: Shape
    output_shape: Shape
    macs: int


@dataclass(frozen=True)
class SkipOperand:
    """One operand of an addition: the node it comes from and, if it is quantized, its fraction bits and scale."""

    source: str
    fraction_bits: int | None
    scale: str


@dataclass(frozen=True)
class Skip:
    """An addition of two branches; `equal` where both operands lie on one grid (no alignment needed)."""

    name: str
    operands: tuple[SkipOperand, SkipOperand]
    equal: bool


@dataclass(frozen=True)
class Quantizer:
    """A quantizer of an activation, weight or bias."""

    name: str
    role: str
    bits: int
    signed: bool
    scale: str
    zero_point: int
    power_of_two: bool


@dataclass(frozen=True)
class Diagnosis:
    """What `examine` found."""

    path: Path
    dialect: str
    input_shape: Shape
    output_shape: Shape
    layers: tuple[Layer, ...]
    skips: tuple[Skip, ...]
    quantizers: tuple[Quantizer, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def buildable(self) -> bool:
        return not self.problems

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)


def examine(path: str | os.PathLike[str]) -> Diagnosis:
    """Examines an ONNX model. Whatever is wrong with it becomes a problem of the diagnosis; nothing is raised."""
    try:
        inspection = onnx_model.inspect(path)
    except UserError as error:
        return Diagnosis(Path(path), "", (), (), (), (), (), (Problem(error.where, error.message, error.help),), ())
    graph = inspection.graph
    quantizers = tuple(_quantizers(graph))
    return Diagnosis(
        path=Path(path),
        dialect=onnx_model.dialect(graph),
        input_shape=graph.shapes[graph.input],
        output_shape=inspection.output_shape,
        layers=tuple(_layer(graph, node) for node in graph.nodes if node.op != "Quantize"),
        skips=tuple(_skip(graph, node) for node in graph.nodes if node.op == "Add"),
        quantizers=quantizers,
        problems=tuple(graph.problems),
        notes=(*graph.notes, *_scale_notes(quantizers)),
    )


def _scale_notes(quantizers: tuple[Quantizer, ...]) -> list[str]:
    """What scales cost that are more than shifts."""
    others = sum(not quantizer.power_of_two for quantizer in quantizers)
    if not others:
        return []
    return [
        f"{others} of {len(quantizers)} quantizers have scales that are no single power of two: the build replaces "
        "their float32 rounding by multipliers and shifts that are exact for every accumulator, and refuses a layer "
        "where there are none"
    ]


def _layer(graph: Graph, node: Node) -> Layer:
    return Layer(node.name, node.op, graph.shapes[node.inputs[0]], graph.shapes[node.output], graph.macs(node))


def _skip(graph: Graph, node: Node) -> Skip:
    grids, producers = graph.grids(), graph.producers()
    operands = []
    for value in node.inputs:
        grid = grids.get(value)
        source = producers[value].name if value in producers else value
        operands.append(
            SkipOperand(source, grid.fraction_bits if grid else None, grid.describe() if grid else "accumulator")
        )
    first, second = (grids.get(value) for value in node.inputs)
    equal = (
        first is not None
        and second is not None
        and float(first.scale) == float(second.scale)
        and first.zero_point == second.zero_point
    )
    return Skip(node.name, (operands[0], operands[1]), equal)


def _quantizers(graph: Graph) -> list[Quantizer]:
    result = []
    for node in graph.nodes:
        if node.grid is not None and not node.attributes.get("implied"):
            result.append(_quantizer(node.name, "input" if graph.input in node.inputs else "activation", node.grid))
        for role, parameter in (("weight", node.weight), ("bias", node.bias)):
            if parameter is not None:
                result.append(_quantizer(parameter.name, role, parameter.grid))
    return result


def _quantizer(name: str, role: str, grid: Grid) -> Quantizer:
    return Quantizer(name, role, grid.bits, grid.signed, grid.describe(), grid.zero_point, grid.power_of_two)


def render(diagnosis: Diagnosis, console: Console) -> None:
    """Prints a diagnosis: layers, skips, quantizers, notes, problems, the verdict; `console` knows no markup."""
    if diagnosis.layers:
        console.print(
            f"{diagnosis.path}: {diagnosis.dialect}, {_times(diagnosis.input_shape)} to "
            f"{_times(diagnosis.output_shape)}, {diagnosis.macs:,} multiply-accumulates an image",
            highlight=False,
        )
        _render_tables(diagnosis, console)
    for note in diagnosis.notes:
        console.print(f"note: {note}", highlight=False)
    for problem in diagnosis.problems:
        console.print(f"problem: {problem.where}: {problem.what}", highlight=False, soft_wrap=True)
        console.print(f"  help: {problem.help}", highlight=False, soft_wrap=True)
    console.print(f"doctor: {_verdict(diagnosis)}", highlight=False, soft_wrap=True)


def _verdict(diagnosis: Diagnosis) -> str:
    count = len(diagnosis.problems)
    return f"cannot be built: {count} problem{'s' if count > 1 else ''}" if count else "can be built"


def _render_tables(diagnosis: Diagnosis, console: Console) -> None:
    from rich.table import Table

    layers = Table("layer", "op", "in", "out", title="Layers")
    layers.add_column("MACs", justify="right")
    for layer in diagnosis.layers:
        macs = f"{layer.macs:,}" if layer.macs else ""
        layers.add_row(layer.name, layer.op, _times(layer.input_shape), _times(layer.output_shape), macs)
    console.print(layers)
    if diagnosis.skips:
        skips = Table("addition", "operand", "scale", "operand", "scale", "equal", title="Skips")
        for skip in diagnosis.skips:
            cells = [cell for operand in skip.operands for cell in (operand.source, operand.scale)]
            skips.add_row(skip.name, *cells, _yes(skip.equal))
        console.print(skips)
    quantizers = Table("quantizer", "of", "type", "scale", "zero point", "power of two", title="Quantizers")
    for row in diagnosis.quantizers:
        kind = f"{'int' if row.signed else 'uint'}{row.bits}"
        quantizers.add_row(row.name, row.role, kind, row.scale, str(row.zero_point), _yes(row.power_of_two))
    console.print(quantizers)


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _times(shape: Shape) -> str:
    return "x".join(map(str, shape))
