# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small ONNX networks all the way: after every pass the same integers, then C++ in a project that can be compiled."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parents[1] / "frontend"))
from onnx_builders import save

from resnet_hls.context import make_context
from resnet_hls.driver import make_options
from resnet_hls.emit import dataflow_graph, emit_hls_cpp, weights_image
from resnet_hls.frontend._worker import lower
from resnet_hls.frontend.onnx_model import OnnxModel, load
from resnet_hls.ir_utils import public_function
from resnet_hls.passes import PassManager
from resnet_hls.pipelines import STAGES
from resnet_hls.project.testbench import WEIGHTS_FILE, write_testbench
from resnet_hls.resources import library_folder
from resnet_hls.simulate.jit import Jit
from resnet_hls.simulate.oracle import OnnxOracle

INTEGER = ["hls-integerize", "hls-channels-last,verify-integer-linalg"]
AFFINE = ["hls-bufferize", "hls-flatten-reductions", "hls-fuse-loops", "hls-temporal-reuse,verify-affine"]
DATAFLOW = ["hls-to-dataflow,verify-dataflow"]
SCHEDULE = [
    "hls-balance{{dsp={dsp}}}",
    "hls-unroll-loops",
    "hls-place-memories",
    "hls-pipeline-loops",
    "hls-size-fifos,verify-scheduled",
]
PASSES = [*INTEGER, *AFFINE, *DATAFLOW, *SCHEDULE]


@dataclass(frozen=True)
class Compiled:
    """A scheduled module, images (N, H, W, C) and the integers (N, elements) that must come out for them."""

    module: ir.Module
    images: NDArray[np.int8]
    expected: NDArray[np.int8]


def compile_network(
    model: onnx.ModelProto,
    folder: Path,
    dsp: int = 64,
    count: int = 2,
    seed: int = 0,
    without: Collection[str] = (),
    mark: Callable[[ir.Operation], object] | None = None,
    weights: str = "auto",
) -> Compiled:
    """Runs the passes of `build` one by one; `mark` in the place of hls-balance, where it is given.

    Raises:
        AssertionError: the integers are not those of onnxruntime; the message names the pass.
    """
    path = save(model, folder / "model.onnx")
    loaded = load(path, "network")
    context = make_context()
    with context, ir.Location.unknown():
        module = ir.Module.parse(lower(load(path, "network").proto), context)
        images: Any = None
        for text in passes(dsp, without, weights):
            if mark is not None and text.startswith("hls-balance"):
                mark(module.operation)
                continue
            PassManager.parse(f"builtin.module({text})").run(module)
            if images is None:
                images = random_images(module, tuple(loaded.input_shape), count, seed)
                expected = outputs_of_model(module, loaded, images)
            elif not text.startswith("verify-") and text != "hls-channels-last":
                got = Jit(module.operation, optimize=0).run(images).reshape(count, -1)
                np.testing.assert_array_equal(got, expected, err_msg=f"after {text}")
        return Compiled(module, images, expected)


def passes(dsp: int, without: Collection[str], weights: str = "auto") -> list[str]:
    """The text of each pass of `build`, contracts among them."""
    parameters = make_options(weights=weights).parameters() | {"dsp": dsp}
    steps = [replace(stage, passes=(step,)) for stage in STAGES for step in stage.passes if step.name not in without]
    return [step.text(parameters).removeprefix("builtin.module(").removesuffix(")") for step in steps]


def outputs_of_model(module: ir.Module, loaded: OnnxModel, images: NDArray[np.int8]) -> NDArray[np.int8]:
    """What onnxruntime makes of images (N, H, W, C), as integers (N, elements), channels last."""
    function = public_function(module.operation)
    ports = [ir.DictAttr(function.attributes[name]) for name in ("hls.input", "hls.output")]
    signed = [ir.BoolAttr(port["signed"]).value for port in ports]
    scale, output_scale = (ir.FloatAttr(port["scale"]).value for port in ports)
    integers = images if signed[0] else images.view(np.uint8)
    real = OnnxOracle(loaded).run(integers.transpose(0, 3, 1, 2).astype(np.float32) * np.float32(scale))
    levels = real.astype(np.float64) / output_scale
    levels = levels.transpose(0, 2, 3, 1) if levels.ndim == 4 else levels
    return levels.reshape(len(images), -1).astype(np.int8 if signed[1] else np.uint8).view(np.int8)


def random_images(module: ir.Module, shape: tuple[int, ...], count: int, seed: int) -> NDArray[np.int8]:
    """Integers in the range of the input quantizer, (count, H, W, C); every other image has small ones."""
    grid = ir.DictAttr(public_function(module.operation).attributes["hls.input"])
    low, high = ir.IntegerAttr(grid["min"]).value, ir.IntegerAttr(grid["max"]).value
    images = np.random.default_rng(seed).integers(low, high + 1, (count, shape[2], shape[3], shape[1]))
    images[1::2] //= 8
    return images.astype(np.int8)


def write_project(compiled: Compiled, folder: Path) -> Path:
    """A project that `simulate/csim.py` can compile: src/, tb/ and what it needs of the manifest."""
    (folder / "src" / "resnet_hls").mkdir(parents=True)
    (folder / "tb").mkdir()
    for name, text in emit_hls_cpp(compiled.module).items():
        (folder / "src" / name).write_text(text)
    for header in (library_folder("include") / "resnet_hls").glob("*.h"):
        shutil.copy(header, folder / "src" / "resnet_hls")
    graph = dataflow_graph(compiled.module)
    write_testbench(folder / "tb", graph, compiled.images, compiled.expected)
    if weights := weights_image(compiled.module):
        (folder / WEIGHTS_FILE).parent.mkdir()
        (folder / WEIGHTS_FILE).write_bytes(weights)
    shape = compiled.images.shape[1:]
    port = {"scale": 1.0, "signed": True}
    manifest = {
        "name": graph.name,
        "source_kind": "onnx",
        "input": {"shape": [1, *shape], **port},
        "output": {"shape": [1, compiled.expected.shape[1]], **port},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
