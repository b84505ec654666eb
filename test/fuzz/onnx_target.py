# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Damaged ONNX models: refused with a clear error, or compiled to the integers that onnxruntime gives for the file."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from mutate import EDGES, HOSTILE, damaged_bytes
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx_builders import classifier, depthwise, residual
from workers import Case, Wrong

_IMAGES = 3
#: Of the models that are taken, how many go on to the scheduled design, and of these to C++.
_TO_SCHEDULE, _TO_CPP = 0.2, 0.1
#: Levels of outputs that may differ by one from a reference in float where scales are no powers of two: rounding.
_MOST_ROUNDED = 0.05
#: What onnx itself says of a damaged model.
_CHECKED = ("ValidationError", "InferenceError")


def onnx_models() -> Case:
    """The case that damages a small network in one of the three dialects."""
    from resnet_hls.errors import UserError
    from resnet_hls.frontend import doctor, onnx_model

    seeds = [
        make(style)
        for style in ("qdq", "qcdq", "qonnx")
        for make in (classifier, depthwise, lambda style: residual(style, (1,), 4, size=8))
    ]
    seeds += [residual("qonnx", (1, 1), 2, size=8), classifier("qonnx", "AveragePool")]

    def case(numbers: random.Random, folder: Path) -> str:
        model = copy.deepcopy(numbers.choice(seeds))
        for _ in range(1 if numbers.random() < 0.7 else numbers.randint(2, 5)):
            numbers.choice(MUTATIONS)(numbers, model.graph, model)
        data = model.SerializeToString()
        path = folder / "model.onnx"
        path.write_bytes(damaged_bytes(numbers, data) if numbers.random() < 0.15 else data)
        diagnosis = doctor.examine(path)
        try:
            loaded = onnx_model.load(path)
        except UserError as error:
            text = str(error)
            if "\n" in text or not error.help:
                raise Wrong(f"an error without a line or a way out: {text!r}") from error
            if text.startswith(f"{path}: is malformed (") and not any(kind in text for kind in _CHECKED):
                raise Wrong(text) from error  # an exception that nobody thought of
            if diagnosis.buildable:
                raise Wrong(f"doctor finds nothing wrong, but {text}") from error
            return "refused"
        return _compiled(numbers, folder, path, loaded)

    return case


def _compiled(numbers: random.Random, folder: Path, path: Path, loaded: Any) -> str:
    from torch_mlir import ir

    from resnet_hls import driver, pipelines
    from resnet_hls.accelerator import Ports
    from resnet_hls.context import make_context
    from resnet_hls.errors import UserError
    from resnet_hls.frontend import _worker
    from resnet_hls.passes import PassManager
    from resnet_hls.passes._manager import PassDefect
    from resnet_hls.simulate.jit import Jit
    from resnet_hls.simulate.samples import real_images, sample_images
    from resnet_hls.tool import tell_crashes

    tell_crashes("resnet-hls", str(path))
    header, bytecode = _worker.run(str(path), "network")
    if "error" in header:
        return "refused by the importer"
    options = driver.make_options(effort=0.2, max_dsp=64)
    module = ir.Module.parse(bytecode, make_context())

    def stage(which: pipelines.Stage) -> None:
        driver.run_stage(PassManager.parse(options.text(which)), module, which.name)

    def outputs() -> NDArray[np.int64]:
        found = Jit(module.operation, optimize=0).run(integers.astype(np.int8)).reshape(_IMAGES, -1)
        return (found if ports.output.signed else found.view(np.uint8)).astype(np.int64)

    try:
        stage(pipelines.INTEGER)
        ports = Ports.of(module, loaded.output_shape)
        integers = sample_images(_IMAGES, ports.input.shape, ports.input.range, seed=numbers.randrange(1 << 30))
        images = real_images(integers, ports.input)
        expected, exact = _reference(path, loaded, images, ports.output)
        _compare(outputs(), expected, exact, "the integer stage")
        if numbers.random() > _TO_SCHEDULE:
            return "built as far as the integers, which are right"
        for which in pipelines.STAGES[1:]:
            stage(which)
    except PassDefect as defect:
        raise Wrong(str(defect)) from defect
    except UserError as error:
        if "stopped with" in str(error):
            raise Wrong(str(error)) from error
        return "refused by a pass"
    _compare(outputs(), expected, exact, "the scheduled design")
    if numbers.random() > _TO_CPP:
        return "built, and the integers are right"
    _through_cpp(path, folder)
    return "built to C++, which is right"


def _through_cpp(path: Path, folder: Path) -> None:
    """Build and verify as a user does."""
    from targets import call

    from resnet_hls import cli

    os.environ["RESNET_HLS_CACHE"] = str(folder / "cache")
    out = folder / "out"
    status, _, said = call(cli.main, "resnet-hls", "build", path, "-o", out, "--effort", "0.2", "--max-dsp", "64")
    if status:
        raise Wrong(f"built before, but now: {said}")
    status, printed, said = call(cli.main, "resnet-hls", "verify", out, "--images", "10")
    if status:
        raise Wrong(f"verify: {printed[-300:]} {said}")


def _compare(found: NDArray[np.int64], expected: list[NDArray[np.int64]], exact: bool, what: str) -> None:
    own, independent = expected
    if not np.array_equal(found, own):
        raise Wrong(f"{what} gives other integers than onnxruntime: {(found != own).sum()} of {found.size}")
    different = np.abs(found - independent)
    if different.any() and (exact or different.max() > 1 or (different > 0).mean() > _MOST_ROUNDED):
        raise Wrong(
            f"{what} gives other integers than the file itself: {(different > 0).sum()} of {found.size}, "
            f"by up to {different.max()}"
        )


def _reference(path: Path, loaded: Any, images: NDArray[np.float32], port: Any) -> tuple[list[NDArray[np.int64]], bool]:
    """Levels (N, elements), channels last, by the project's own oracle and by the file as it is; whether all scales are
    powers of two, so that both are exact.
    """
    import onnxruntime

    from resnet_hls.simulate.oracle import OnnxOracle
    from resnet_hls.simulate.verify import to_integers

    def levels(real: NDArray[np.float32]) -> NDArray[np.int64]:
        return to_integers(real.reshape(_IMAGES, *loaded.output_shape[1:]), port).reshape(_IMAGES, -1)

    raw = onnx.load_model_from_string(path.read_bytes())
    exact = _powers_of_two(raw)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    own = levels(OnnxOracle(loaded).run(images))
    if loaded.notes:  # something was changed, and the user is told
        return [own, own], exact
    try:
        session = onnxruntime.InferenceSession(_plain(raw).SerializeToString(), options)
        name = session.get_inputs()[0].name
        real = np.concatenate([session.run(None, {name: image[None]})[0] for image in images])
    except Exception:  # stricter than we are, about names, types of unused nodes and so on: nothing to compare with
        return [own, own], exact
    return [own, levels(real)], exact


def _powers_of_two(model: onnx.ModelProto) -> bool:
    used = {node.input[1] for node in model.graph.node if "Quant" in node.op_type or "Dequant" in node.op_type}
    try:
        scales = [numpy_helper.to_array(tensor) for tensor in model.graph.initializer if tensor.name in used]
    except ValueError:  # damaged, and of no use
        return False
    return all(bool((np.frexp(np.abs(scale))[0] == 0.5).all()) for scale in scales)


def _plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """QONNX's Quant nodes as what its documentation says they are, in standard operations."""
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    del plain.graph.node[:]
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for number, node in enumerate(model.graph.node):
        if node.op_type != "Quant":
            plain.graph.node.append(node)
            continue
        given = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
        signed, narrow = bool(given.get("signed", 1)), bool(given.get("narrow", 0))
        bits = float(values[node.input[3]].reshape(()))
        low = -(2 ** (bits - 1)) + narrow if signed else 0.0
        high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
        rounding = given.get("rounding_mode", b"ROUND").decode().upper()
        names = [f"quant{number}_{part}" for part in ("low", "high", "div", "add", "clip", "round", "sub")]
        for name, value in zip(names[:2], (low, high), strict=True):
            plain.graph.initializer.append(numpy_helper.from_array(np.float32(value).reshape(()), name))
        x, scale, zero = node.input[:3]
        steps = [
            ("Div", [x, scale], names[2]),
            ("Add", [names[2], zero], names[3]),
            ({"ROUND": "Round", "FLOOR": "Floor", "CEIL": "Ceil"}[rounding], [names[3]], names[4]),
            ("Clip", [names[4], names[0], names[1]], names[5]),
            ("Sub", [names[5], zero], names[6]),
            ("Mul", [names[6], scale], node.output[0]),
        ]
        plain.graph.node.extend(helper.make_node(op, inputs, [out]) for op, inputs, out in steps)
    return plain


Mutation = Callable[[random.Random, Any, Any], None]


def _attribute(numbers: random.Random, graph: Any, model: Any) -> None:
    nodes = [node for node in graph.node if node.attribute]
    if not nodes:
        return
    node = numbers.choice(nodes)
    index = numbers.randrange(len(node.attribute))
    entry = node.attribute[index]
    kind = numbers.randrange(6)
    if kind == 0:
        del node.attribute[index]
    elif kind == 1:
        entry.name = numbers.choice([other.name for n in graph.node for other in n.attribute] + list(HOSTILE[:6]))
    elif entry.type == onnx.AttributeProto.INTS and entry.ints:
        at = numbers.randrange(len(entry.ints))
        if kind == 2:
            del entry.ints[at]
        elif kind == 3:
            entry.ints.append(numbers.choice((0, 1, 2)))
        else:
            entry.ints[at] = numbers.choice((0, 1, 2, 3, 4, 5, 7, -1, *(n for n in EDGES if abs(n) < 2**63)))
    elif entry.type == onnx.AttributeProto.INT:
        entry.i = numbers.choice((0, 1, 2, 3, -1, *(n for n in EDGES if abs(n) < 2**63)))
    elif entry.type == onnx.AttributeProto.STRING:
        entry.s = numbers.choice((b"FLOOR", b"CEIL", b"ROUND", b"SAME_UPPER", b"\xff", b""))


def _initializer(numbers: random.Random, graph: Any, model: Any) -> None:
    tensor = numbers.choice(graph.initializer)
    kind = numbers.randrange(9)
    if kind < 4:
        try:
            value = np.array(numpy_helper.to_array(tensor))
        except Exception:  # damaged before, and numpy or onnx says so in its way
            return
        if not value.size:
            return
        flat = value.reshape(-1)
        at = numbers.randrange(flat.size)
        if value.dtype.kind == "f":
            factor = numbers.choice((0.5, 2, 2, 4, 0.25, 0.75, -1, 0, np.nan, np.inf, 1e-30, 1e30, 1 / 3))
            if numbers.random() < 0.5:
                flat[:] = flat * np.float32(factor)
            else:
                flat[at] = flat[at] * np.float32(factor)
        else:
            info = np.iinfo(value.dtype)
            flat[at] = numbers.choice((0, 1, -1 if info.min else 1, info.min, info.max, 3))
        tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
    elif kind == 4 and tensor.dims:
        at = numbers.randrange(len(tensor.dims))
        tensor.dims[at] = numbers.choice((0, 1, 2, -1, tensor.dims[at] * 2, 2**31, 2**62))
    elif kind == 5:
        tensor.data_type = numbers.choice([*range(22), 99])
    elif kind == 6 and tensor.raw_data:
        tensor.raw_data = tensor.raw_data[: numbers.randrange(len(tensor.raw_data))]
    elif kind == 7:
        tensor.name = numbers.choice([*(other.name for other in graph.initializer), *HOSTILE[:-2][:12]])
    else:
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", numbers.choice(("/etc/passwd", "../../../etc/passwd", "model.onnx", ""))


def _wiring(numbers: random.Random, graph: Any, model: Any) -> None:
    node = numbers.choice(graph.node)
    names = [name for n in graph.node for name in (*n.input, *n.output)] + [graph.input[0].name, "", "nowhere"]
    kind = numbers.randrange(5)
    if kind == 0 and node.input:
        node.input[numbers.randrange(len(node.input))] = numbers.choice(names)
    elif kind == 1 and node.output:
        node.output[0] = numbers.choice(names)
    elif kind == 2:
        node.input.append(numbers.choice(names))
    elif kind == 3 and node.input:
        del node.input[numbers.randrange(len(node.input))]
    else:
        graph.output[0].name = numbers.choice(names)


def _node(numbers: random.Random, graph: Any, model: Any) -> None:
    index = numbers.randrange(len(graph.node))
    kind = numbers.randrange(6)
    node = graph.node[index]
    if kind == 0:
        del graph.node[index]
    elif kind == 1:
        graph.node.add().CopyFrom(node)
    elif kind == 2:
        nodes = list(graph.node)
        numbers.shuffle(nodes)
        del graph.node[:]
        graph.node.extend(nodes)
    elif kind == 3:
        node.op_type = numbers.choice(
            [*(n.op_type for n in graph.node), "Add", "Mul", "Sigmoid", "Loop", "If", "Sin", "Relu"]
        )
    elif kind == 4:
        node.name = numbers.choice(HOSTILE[:22])
    else:
        node.domain = numbers.choice(("", "ai.onnx", "com.microsoft", "qonnx.custom_op.general", "x"))


def _names(numbers: random.Random, graph: Any, model: Any) -> None:
    """A tensor by another name, everywhere."""
    old = numbers.choice([name for node in graph.node for name in (*node.input, *node.output)])
    new = numbers.choice([text for text in HOSTILE if text and "\ud7ff" not in text])
    for node in graph.node:
        for side in (node.input, node.output):
            for at, name in enumerate(side):
                if name == old:
                    side[at] = new
    for entry in (*graph.initializer, *graph.input, *graph.output):
        if entry.name == old:
            entry.name = new
    graph.name = new


def _outside(numbers: random.Random, graph: Any, model: Any) -> None:
    kind = numbers.randrange(6)
    shape = graph.input[0].type.tensor_type.shape
    if kind == 0 and shape.dim:
        shape.dim[numbers.randrange(len(shape.dim))].dim_value = numbers.choice((0, 1, 2, 5, 7, 8, 9, -1, 2**31, 65536))
    elif kind == 1 and shape.dim:
        del shape.dim[numbers.randrange(len(shape.dim))]
    elif kind == 2:
        graph.input[0].type.tensor_type.elem_type = numbers.randrange(0, 18)
    elif kind == 3 and model.opset_import:
        numbers.choice(model.opset_import).version = numbers.choice((0, 1, 7, 9, 11, 12, 17, 21, 23, 24, -1, 2**60))
    elif kind == 4:
        graph.output.add().CopyFrom(graph.output[0])
    else:
        graph.value_info.add().CopyFrom(helper.make_tensor_value_info(graph.node[0].output[0], 1, [1, 2, 3]))


MUTATIONS: tuple[Mutation, ...] = (
    _attribute, _attribute, _attribute, _initializer, _initializer, _initializer, _wiring, _node, _names, _outside,
)  # fmt: skip
