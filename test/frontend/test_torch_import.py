# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch networks as linalg: the operations that come out, their names, and the bits that they compute."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the PyTorch frontend needs PyTorch")
pytest.importorskip("torchao", reason="quantization needs torchao")

import torch
from torch import nn
from torch_mlir import ir
from torch_networks import (
    DEQUANTIZE,
    QUANTIZE,
    Adds,
    Depthwise,
    Pools,
    images,
    quantized,
    seeded,
    synthetic_images,
    untrained,
)

from resnet_hls.errors import UserError
from resnet_hls.frontend import torch_lowering
from resnet_hls.frontend.torch_module import ImportedModule, QuantizedModule, quantize, to_linalg
from resnet_hls.passes import PassManager
from resnet_hls.simulate.jit import Jit

_Pair = tuple[QuantizedModule, ImportedModule]


def imported(make: Callable[[], nn.Module], name: str = "network") -> _Pair:
    network = quantize(seeded(make), synthetic_images(8))
    return network, to_linalg(network, name)


def parse(module: ImportedModule) -> ir.Module:
    return ir.Module.parse(module.text, ir.Context())


def text(module: ImportedModule) -> str:
    return str(parse(module).operation.get_asm(enable_debug_info=True, large_elements_limit=4, large_resource_limit=4))


@pytest.fixture(scope="module")
def resnet8() -> _Pair:
    network = quantize(*untrained("resnet8"))
    return network, to_linalg(network, "resnet8")


def test_resnet8(resnet8: _Pair) -> None:
    module = resnet8[1]
    printed = text(module)
    assert "func.func @resnet8(%arg0: tensor<1x3x32x32xf32>" in printed
    assert "-> tensor<1x10x1x1xf32> {" in printed
    assert (module.name, module.input_shape, module.output_shape) == ("resnet8", (1, 3, 32, 32), (1, 10))
    assert printed.count("linalg.conv_2d_nchw_fchw_q ") == 10
    assert printed.count("linalg.pooling_nchw_sum ") == 1
    assert not re.search(r"= torch\.|conv_2d_nchw_fchw |matmul|transpose|collapse_shape", printed)


def test_operations_are_named_after_the_modules(resnet8: _Pair) -> None:
    names = re.findall(r'^#loc\d* = loc\("([^"]*)"\)', text(resnet8[1]), re.MULTILINE)
    layers = ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.downsample.0", "layer3.0.add", "avgpool", "fc"]
    assert set(layers) <= set(names)
    assert {"x.quantize", "conv1.bias", "layer1.0.add.quantize"} <= set(names)
    assert not any("/" in name for name in names)  # no file of anybody's machine


def test_importing_twice_gives_the_same_bytes(resnet8: _Pair) -> None:
    network = quantize(*untrained("resnet8"))
    assert to_linalg(network, "resnet8").text == resnet8[1].text


@pytest.mark.parametrize("make", [Depthwise, Pools, Adds])
def test_linalg_computes_what_pytorch_does(make: Callable[[], nn.Module]) -> None:
    network, module = imported(make)
    batch = images(6)
    assert np.array_equal(float_logits(module, batch), network.run(batch))


def test_resnet8_computes_what_pytorch_does(resnet8: _Pair) -> None:
    network, module = resnet8
    batch = images(12)
    assert np.array_equal(float_logits(module, batch), network.run(batch))


def float_logits(module: ImportedModule, batch: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What the imported module computes, in the shape of the network's output."""
    return Jit(parse(module).operation).run(batch).reshape(len(batch), *module.output_shape[1:])


def integer_logits(module: ImportedModule, batch: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The module's results after hls-integerize, as real numbers."""
    parsed = parse(module)
    with ir.Location.unknown(parsed.context):
        PassManager.parse("builtin.module(hls-integerize)").run(parsed)
    (function,) = parsed.body.operations
    scale = {
        end: ir.FloatAttr(ir.DictAttr(function.attributes[f"hls.{end}"])["scale"]).value for end in ("input", "output")
    }
    integers = np.clip(np.round(batch / scale["input"]), -128, 127).astype(np.int8)
    results = Jit(parsed.operation).run(integers).reshape(len(batch), *module.output_shape[1:])
    return results.astype(np.float64) * scale["output"]


@pytest.mark.parametrize("make", [Pools, Adds])
def test_integers_are_what_pytorch_computes(make: Callable[[], nn.Module]) -> None:
    network, module = imported(make)
    batch = images(12)
    assert np.array_equal(integer_logits(module, batch), network.run(batch))


def test_integers_of_resnet8_are_what_pytorch_computes(resnet8: _Pair) -> None:
    network, module = resnet8
    batch = images(64)
    assert np.array_equal(integer_logits(module, batch), network.run(batch))


def test_pooling_and_concatenation_move_integers() -> None:
    printed = text(imported(Pools)[1])
    assert re.search(r"linalg\.pooling_nchw_max .*tensor<1x8x32x32xi8>", printed)
    assert re.search(r"tensor\.concat dim\(1\) .*tensor<1x8x16x16xi8>", printed)
    assert "linalg.quantized_matmul" not in printed  # linear layers are convolutions
    assert "arith.cmpf" not in printed  # relu6 limits its quantizer


def test_reused_modules_and_weights() -> None:
    class Reused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.act = nn.ReLU6()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(self.act(self.conv(self.act(self.conv(x)))))

    network, module = imported(Reused)
    batch = images(2)
    assert np.array_equal(float_logits(module, batch), network.run(batch))
    assert {'loc("conv")', 'loc("conv_1")', 'loc("conv_2")'} <= set(re.findall(r'loc\("conv[_\d]*"\)', text(module)))


class Foreign(nn.Module):
    """A network quantized by somebody else: a linear layer between quantizers, its weight int8."""

    def __init__(self) -> None:
        super().__init__()
        generator = np.random.default_rng(0)
        self.register_buffer("weight", torch.from_numpy(generator.integers(-128, 128, (10, 3 * 16), dtype=np.int8)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = DEQUANTIZE(QUANTIZE(x, 0.125, 0, -128, 127, torch.int8), 0.125, 0, -128, 127, torch.int8)
        weight = DEQUANTIZE(self.weight, 0.25, 0, -128, 127, torch.int8)
        y = nn.functional.linear(x.flatten(1), weight)
        return DEQUANTIZE(QUANTIZE(y, 4.0, 0, -128, 127, torch.int8), 4.0, 0, -128, 127, torch.int8)


def test_networks_quantized_elsewhere() -> None:
    batch = np.random.default_rng(1).normal(size=(5, 3, 4, 4)).astype(np.float32)
    foreign = torch.export.export(Foreign(), (torch.from_numpy(batch[:1]),)).module()
    network = quantize(foreign, batch[:1])
    module = to_linalg(network, "foreign")
    assert "conv_2d_nchw_fchw_q" in text(module)
    assert np.array_equal(float_logits(module, batch), network.run(batch))


class Crash(nn.Module):
    """An int8 convolution, of which torch-mlir dies."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = torch.ones(4, 3, 3, 3, dtype=torch.int8)
        y = torch.ops.aten.convolution.default(
            quantized.quantize_per_tensor.default(x, 0.125, 0, -128, 127, torch.int8),
            *(weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1),
        )
        return y.float()


def test_a_crash_of_torch_mlir_is_one_line() -> None:
    graph = torch.export.export(Crash(), (torch.zeros(1, 3, 8, 8),)).module()
    with pytest.raises(UserError) as caught:
        to_linalg(QuantizedModule(graph, (3, 8, 8)), "crash")
    assert str(caught.value).startswith("crash: cannot be imported: ")
    assert "\n" not in str(caught.value)
    assert caught.value.help


def test_a_failing_pass_is_one_line_with_the_layer() -> None:
    source = """
      func.func @f(%arg0: !torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32> {
        %0 = torch.operator "torch.no.such"(%arg0) : (!torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32> loc("layer9")
        return %0 : !torch.vtensor<[2],f32>
      }"""
    with pytest.raises(UserError) as caught:
        torch_lowering.lower(source.encode(), "network")
    assert str(caught.value).startswith("network: cannot be imported: layer9: failed to legalize operation")
    assert "\n" not in str(caught.value)


def test_the_name_is_an_identifier(resnet8: _Pair) -> None:
    with pytest.raises(ValueError, match="no C identifier"):
        to_linalg(resnet8[0], "8-net")
