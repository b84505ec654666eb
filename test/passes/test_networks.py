# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small networks through every pass from linalg to line buffers: the integers stay those of onnxruntime after each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parents[1] / "frontend"))
from onnx_builders import Net, classifier, depthwise, residual, save

from resnet_hls.context import make_context
from resnet_hls.frontend._worker import lower
from resnet_hls.frontend.onnx_model import load
from resnet_hls.passes import PassManager
from resnet_hls.simulate.jit import Jit
from resnet_hls.simulate.oracle import OnnxOracle

PASSES = [
    "hls-integerize,verify-integer-linalg",
    "hls-channels-last,verify-integer-linalg",
    "hls-bufferize",
    "hls-flatten-reductions,verify-affine",
    "hls-fuse-loops,verify-affine",
    "hls-fold-residual-add,verify-affine",
    "hls-rematerialize,verify-affine",
    "hls-merge-loops,verify-affine",
    "hls-share-residual-buffer,verify-affine",
    "hls-temporal-reuse,verify-affine",
]
SHAPE = (4, 7, 9)  # channels, rows, columns: all different


def check(model: onnx.ModelProto, folder: Path) -> ir.Module:
    """Runs the passes one by one; after each, the module gives what onnxruntime makes of the canonical model."""
    path = save(model, folder / "model.onnx")
    loaded = load(path, "network")
    context = make_context()
    with context, ir.Location.unknown():
        module = ir.Module.parse(lower(load(path, "network").proto), context)
        operation = module.operation
        expected: Any = None
        for number, name in enumerate(PASSES):
            PassManager.parse(f"builtin.module({name})").run(module)
            function = next(op for op in module.body.operations if "hls.input" in op.attributes)
            if expected is None:
                integers, images = random_images(function, loaded.input_shape)
                scale = ir.FloatAttr(ir.DictAttr(function.attributes["hls.output"])["scale"]).value
                expected = OnnxOracle(loaded).run(images).astype(np.float64) / scale
                assert len(np.unique(expected)) > 2, "the network says nothing"
                signed = ir.BoolAttr(ir.DictAttr(function.attributes["hls.output"])["signed"]).value
                expected = expected.reshape(len(images), -1)
            jit = Jit(operation, optimize=0)
            given = integers if number == 0 else integers.transpose(0, 2, 3, 1)
            got = jit.run(given)
            if not signed:
                got = got.view(f"u{got.dtype.itemsize}")
            if number and len(jit.output_shape) == 4:
                got = got.reshape(len(images), *jit.output_shape[1:]).transpose(0, 3, 1, 2)
            np.testing.assert_array_equal(got.reshape(len(images), -1), expected, err_msg=f"after {name}")
        return module


def random_images(function: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Integers over the whole range of the input quantizer, (N, C, H, W), and the real images they stand for."""
    grid = ir.DictAttr(function.attributes["hls.input"])
    lo, hi = ir.IntegerAttr(grid["min"]).value, ir.IntegerAttr(grid["max"]).value
    integers = np.random.default_rng(1).integers(lo, hi + 1, (2, *shape[1:]))
    integers[1] //= 8  # small numbers, which saturate nothing
    return integers.astype(np.int8), (integers * ir.FloatAttr(grid["scale"]).value).astype(np.float32)


def single(signed: bool = True, shape: tuple[int, ...] = SHAPE) -> tuple[Net, str]:
    net = Net(shape=(1, *shape))
    return net, net.quant("input", net.input, 2.0**-4, signed=signed)


def relu(net: Net, name: str, x: str, scale: float = 2.0**-4) -> str:
    return net.quant(f"{name}/quant", net.node("Relu", f"{name}/relu", [x]), scale, signed=False)


def _conv(**attributes: Any) -> Callable[[Net, str], str]:
    return lambda net, x: net.conv("conv", x, 6, **attributes)


def _pool(op: str, **attributes: Any) -> Callable[[Net, str], str]:
    return lambda net, x: net.node(op, "pool", [x], **attributes)


def _skip(net: Net, x: str) -> str:
    """A skip of another power-of-two scale than the branch."""
    y = relu(net, "conv1", net.conv("conv1", x, 4), 2.0**-3)
    y = net.quant("conv2/quant", net.conv("conv2", y, 4), 2.0**-2)
    return net.node("Add", "add", [y, x])


def _downsample(net: Net, x: str) -> str:
    y = relu(net, "conv1", net.conv("conv1", x, 8, stride=2), 2.0**-3)
    y = net.quant("conv2/quant", net.conv("conv2", y, 8), 2.0**-3)
    z = net.quant("down/quant", net.conv("down", x, 8, 1, stride=2), 2.0**-5)
    return net.node("Relu", "relu", [net.node("Add", "add", [y, z])])


def _two_convolutions(net: Net, x: str) -> str:
    return net.node("Add", "add", [net.conv("a", x, 4), net.conv("b", x, 4, 1)])


def _pool_between(net: Net, x: str) -> str:
    x = relu(net, "conv1", net.conv("conv1", x, 6), 2.0**-2)
    x = net.node("MaxPool", "pool", [x], kernel_shape=[2, 2], strides=[2, 2])
    return net.conv("conv2", x, 5)


def _gemm(net: Net, x: str) -> str:
    x = relu(net, "conv1", net.conv("conv1", x, 6), 2.0**-2)
    x = net.quant("pool/quant", net.node("GlobalAveragePool", "pool", [x]), 2.0**-4, signed=False)
    return net.linear("fc", net.node("Flatten", "flatten", [x]), 5)


def _flat_gemm(net: Net, x: str) -> str:
    return net.linear(
        "fc", net.node("Flatten", "flatten", [x]), 5, in_features=int(np.prod(SHAPE)), weight_scale=2.0**-9
    )


def _concat(net: Net, x: str) -> str:
    y = net.quant("y", net.conv("conv", x, 4, 1), 2.0**-3)
    z = net.node("Concat", "concat", [x, y], axis=1)
    net.channels[z] = 8
    return net.conv("last", net.quant("z", z, 2.0**-3), 3, 1)


CONSTRUCTS: dict[str, Callable[[Net, str], str]] = {
    "conv-1": _conv(kernel=1),
    "conv-3": _conv(kernel=3),
    "conv-3-no-bias": _conv(kernel=3, bias=False),
    "conv-5": _conv(kernel=5),
    "conv-7-stride-2": _conv(kernel=7, stride=2),
    "conv-3-valid": _conv(kernel=3, pads=[0, 0, 0, 0]),
    "conv-3-stride-2": _conv(kernel=3, stride=2),
    "conv-3-stride-2-valid": _conv(kernel=3, stride=2, pads=[0, 0, 0, 0]),
    "conv-3-stride-3": _conv(kernel=3, stride=3),
    "conv-1-stride-2": _conv(kernel=1, stride=2),
    "conv-1-stride-3": _conv(kernel=1, stride=3),
    "conv-3-dilated": _conv(kernel=3, dilation=2),
    "conv-3-dilated-stride-2": _conv(kernel=3, dilation=2, stride=2),
    "conv-3-asymmetric": _conv(kernel=3, pads=[0, 0, 1, 2]),
    "conv-3-asymmetric-stride-2": _conv(kernel=3, stride=2, pads=[0, 1, 1, 0]),
    "conv-3-padded-2": _conv(kernel=3, pads=[2, 2, 2, 2]),
    "conv-3-top": _conv(kernel=3, pads=[1, 0, 0, 0]),
    "conv-depthwise": lambda net, x: net.conv("conv", x, 4, group=4),
    "conv-depthwise-multiplier": lambda net, x: net.conv("conv", x, 8, group=4),
    "conv-grouped": lambda net, x: net.conv("conv", x, 6, group=2),
    "conv-2": _conv(kernel=2, pads=[0, 1, 1, 0]),
    "conv-one-pixel": _conv(kernel=5, stride=5, pads=[0, 0, 0, 0]),
    "conv-whole-rows": _conv(kernel=7, pads=[0, 1, 0, 1]),
    "conv-one-output": lambda net, x: net.conv("conv", x, 1),
    "max-pool-2": _pool("MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
    "max-pool-3": _pool("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "max-pool-3-stride-1": _pool("MaxPool", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]),
    "average-pool-2": _pool("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
    "average-pool-4": _pool("AveragePool", kernel_shape=[4, 4], strides=[1, 1]),
    "global-max-pool": _pool("GlobalMaxPool"),
    "relu": lambda net, x: net.conv("conv", net.node("Relu", "relu", [x]), 6),
    "skip": _skip,
    "downsample": _downsample,
    "two-convolutions": _two_convolutions,
    "pool-between": _pool_between,
    "gemm": _gemm,
    "flat-gemm": _flat_gemm,
    "concat": _concat,
}


@pytest.mark.parametrize("signed", [True, False], ids=["int8", "uint8"])
@pytest.mark.parametrize("name", CONSTRUCTS)
def test_construct(tmp_path: Path, name: str, signed: bool) -> None:
    net, x = single(signed, (4, 8, 8) if name == "gemm" else SHAPE)
    scale = 2.0**-3 if "pool" in name else 2.0**4 if name == "gemm" else 2.0**-1
    check(net.model(net.quant("output", CONSTRUCTS[name](net, x), scale)), tmp_path)


def test_one_channel(tmp_path: Path) -> None:
    """Nothing to sum: a 1x1 convolution of one channel, and windows of one channel over few rows."""
    net, x = single(shape=(1, 7, 8))
    x = relu(net, "scale", net.conv("scale", x, 1, 1), 2.0**-3)
    x = net.quant("pool/quant", net.node("MaxPool", "pool", [x], kernel_shape=[2, 2], strides=[1, 3]), 2.0**-3)
    x = net.node("MaxPool", "pool2", [x], kernel_shape=[2, 2], strides=[3, 3])
    check(net.model(net.quant("output", x, 2.0**-3)), tmp_path)


@pytest.mark.parametrize("bits", [4, 8])
def test_input_of_few_bits(tmp_path: Path, bits: int) -> None:
    """The limits of the input quantizer are those of the host, wherever in its chain they stand."""
    net = Net("qonnx", shape=(1, *SHAPE))
    x = net.quant("input", net.input, 2.0**-2, bits=bits)
    module = check(net.model(net.quant("output", net.conv("conv", x, 4), 2.0**-1)), tmp_path)
    function = next(op for op in module.body.operations if "hls.input" in op.attributes)
    grid = ir.DictAttr(function.attributes["hls.input"])
    limits = (ir.IntegerAttr(grid["min"]).value, ir.IntegerAttr(grid["max"]).value)
    assert limits == (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@pytest.mark.parametrize("build", [residual, classifier, depthwise])
def test_network(tmp_path: Path, build: Callable[[], onnx.ModelProto]) -> None:
    check(build(), tmp_path)
