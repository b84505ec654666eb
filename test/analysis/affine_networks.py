# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small networks as nests over whole feature maps."""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parents[1] / "frontend"))
from onnx_builders import Net, save

from resnet_hls.context import make_context
from resnet_hls.frontend._worker import lower
from resnet_hls.frontend.onnx_model import load
from resnet_hls.passes import PassManager
from resnet_hls.pipelines import AFFINE, INTEGER


def affine(model: onnx.ModelProto, folder: Path) -> ir.Module:
    """The module after the affine stage of `resnet-hls build`."""
    return affine_file(save(model, folder / "model.onnx"))


def affine_file(path: str) -> ir.Module:
    """The module after the affine stage, of a model on disk."""
    module = ir.Module.parse(lower(load(Path(path), "network").proto), make_context())
    for stage in (INTEGER, AFFINE):
        PassManager.parse(stage.text({})).run(module)
    return module


def network(shape: tuple[int, int, int]) -> tuple[Net, str]:
    """A network of (channels, rows, columns) and its quantized input."""
    net = Net(shape=(1, *shape))
    return net, net.quant("input", net.input, 2.0**-4)


def conv(net: Net, name: str, x: str, channels: int, kernel: int = 3, **attributes: int) -> str:
    """A convolution and its quantizer."""
    return net.quant(f"{name}/quant", net.conv(name, x, channels, kernel, **attributes), 2.0**-3)


def add(net: Net, name: str, *values: str) -> str:
    """A sum and its quantizer."""
    return net.quant(f"{name}/quant", net.node("Add", name, list(values)), 2.0**-3)


def concatenation(net: Net, name: str, *values: str) -> str:
    """Channels of several maps behind each other, and the quantizer."""
    out = net.node("Concat", name, list(values), axis=1)
    net.channels[out] = sum(net.channels[value] for value in values)
    return net.quant(f"{name}/quant", out, 2.0**-3)
