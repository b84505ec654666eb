# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small quantized networks in the three ONNX dialects the frontend reads.

`Net(style)` writes the same network as ``qonnx`` (Quant nodes), ``qdq`` (onnxruntime) or ``qcdq`` (Brevitas); with one
seed, all three hold the same integers. Nothing here depends on resnet_hls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Style = Literal["qonnx", "qdq", "qcdq"]
Array = NDArray[Any]


@dataclass
class Net:
    """Builds one network, layer by layer; values are tensor names."""

    style: Style = "qdq"
    seed: int = 0
    opset: int = 13
    shape: tuple[int | str, ...] = (1, 3, 16, 16)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: dict[str, Array] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    scales: dict[str, Array] = field(default_factory=dict)
    input: str = "image"

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.channels[self.input] = int(self.shape[1])

    def constant(self, name: str, value: Any, dtype: Any) -> str:
        """Adds an initializer and returns its name."""
        self.initializers[name] = np.asarray(value, dtype)
        return name

    def node(self, op: str, name: str, inputs: list[str], **attributes: Any) -> str:
        """Adds a plain node; its output is called `<name>_out`."""
        out = f"{name}_out"
        domain = "qonnx.custom_op.general" if op in ("Quant", "BipolarQuant", "Trunc") else ""
        self.nodes.append(helper.make_node(op, inputs, [out], name=name, domain=domain, **attributes))
        if inputs and inputs[0] in self.channels:
            self.channels[out] = self.channels[inputs[0]]
        if inputs and inputs[0] in self.scales:
            self.scales[out] = self.scales[inputs[0]]
        return out

    def quant(
        self,
        name: str,
        x: str,
        scale: Any = 2.0**-4,
        *,
        bits: int = 8,
        signed: bool = True,
        narrow: bool = False,
        zero_point: int = 0,
        rounding: str = "ROUND",
    ) -> str:
        """Quantizes activation `x`."""
        low, high = integer_range(bits, signed, narrow)
        s = self.constant(f"{name}/scale", scale, np.float32)
        dtype: Any = np.int8 if signed else np.uint8
        if self.style == "qonnx":
            zero = self.constant(f"{name}/zero", zero_point, np.float32)
            width = self.constant(f"{name}/bits", bits, np.float32)
            out = self.node(
                "Quant", name, [x, s, zero, width], signed=int(signed), narrow=int(narrow), rounding_mode=rounding
            )
        else:
            zero = self.constant(f"{name}/zero", zero_point, dtype)
            q = self.node("QuantizeLinear", f"{name}/QuantizeLinear", [x, s, zero])
            if self.style == "qcdq" and (low, high) != integer_range(8, signed, False):
                bounds = [self.constant(f"{name}/min", low, dtype), self.constant(f"{name}/max", high, dtype)]
                q = self.node("Clip", f"{name}/Clip", [q, *bounds])
            elif (low, high) != integer_range(8, signed, False):
                raise ValueError("plain QDQ has no narrow ranges")
            out = self.node("DequantizeLinear", f"{name}/DequantizeLinear", [q, s, zero])
        self.channels[out] = self.channels[x]
        self.scales[out] = np.asarray(scale, np.float32)
        return out

    def weight(self, name: str, shape: tuple[int, ...], scale: Any, *, bits: int = 8, axis: int = 0) -> str:
        """A random weight, narrow range; `scale` is a scalar or one value per channel of `axis`."""
        low, high = integer_range(bits, True, True)
        scale = np.asarray(scale, np.float32)
        integers = self.rng.integers(low, high + 1, shape).astype(np.int8)
        per_channel = scale.ndim > 0
        wide = scale.reshape([-1 if i == axis else 1 for i in range(len(shape))]) if per_channel else scale
        if self.style == "qdq":
            parts = [
                self.constant(f"{name}/int", integers, np.int8),
                self.constant(f"{name}/scale", scale, np.float32),
                self.constant(f"{name}/zero", np.zeros(scale.shape), np.int8),
            ]
            return self.node(
                "DequantizeLinear", f"{name}/DequantizeLinear", parts, **({"axis": axis} if per_channel else {})
            )
        values = self.constant(f"{name}/float", integers.astype(np.float32) * wide, np.float32)
        if self.style == "qonnx":
            parts = [
                self.constant(f"{name}/scale", wide, np.float32),
                self.constant(f"{name}/zero", 0, np.float32),
                self.constant(f"{name}/bits", bits, np.float32),
            ]
            return self.node("Quant", f"{name}/Quant", [values, *parts], signed=1, narrow=1, rounding_mode="ROUND")
        s, zero = (
            self.constant(f"{name}/scale", scale, np.float32),
            self.constant(f"{name}/zero", np.zeros(scale.shape), np.int8),
        )
        attributes = {"axis": axis} if per_channel else {}
        q = self.node("QuantizeLinear", f"{name}/QuantizeLinear", [values, s, zero], **attributes)
        q = self.node(
            "Clip",
            f"{name}/Clip",
            [q, self.constant(f"{name}/min", low, np.int8), self.constant(f"{name}/max", high, np.int8)],
        )
        return self.node("DequantizeLinear", f"{name}/DequantizeLinear", [q, s, zero], **attributes)

    def bias(self, name: str, count: int, scale: Any) -> str:
        """A random 10-bit bias at `scale` (input scale times weight scale)."""
        scale = np.asarray(scale, np.float32)
        integers = self.rng.integers(-512, 512, count).astype(np.int32)
        if self.style == "qonnx":
            parts = [
                self.constant(f"{name}/float", integers * scale, np.float32),
                self.constant(f"{name}/scale", scale, np.float32),
                self.constant(f"{name}/zero", 0, np.float32),
                self.constant(f"{name}/bits", 16, np.float32),
            ]
            return self.node("Quant", f"{name}/Quant", parts, signed=1, narrow=0, rounding_mode="ROUND")
        parts = [
            self.constant(f"{name}/int", integers, np.int32),
            self.constant(f"{name}/scale", scale, np.float32),
            self.constant(f"{name}/zero", np.zeros(scale.shape), np.int32),
        ]
        return self.node("DequantizeLinear", f"{name}/DequantizeLinear", parts, **({"axis": 0} if scale.ndim else {}))

    def conv(
        self,
        name: str,
        x: str,
        out_channels: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        group: int = 1,
        weight_scale: Any = 2.0**-7,
        weight_bits: int = 8,
        bias: bool = True,
        dilation: int = 1,
        pads: list[int] | None = None,
    ) -> str:
        """A convolution of quantized `x`, "same" padding, with quantized weight and bias."""
        channels = self.channels[x]
        w = self.weight(
            f"{name}.weight", (out_channels, channels // group, kernel, kernel), weight_scale, bits=weight_bits
        )
        inputs = [x, w]
        if bias:
            inputs.append(
                self.bias(f"{name}.bias", out_channels, self.scales[x] * np.asarray(weight_scale, np.float32))
            )
        out = self.node(
            "Conv",
            name,
            inputs,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            group=group,
            dilations=[dilation] * 2,
            pads=pads or [dilation * (kernel // 2)] * 4,
        )
        self.channels[out] = out_channels
        return out

    def linear(
        self,
        name: str,
        x: str,
        features: int,
        *,
        weight_scale: Any = 2.0**-6,
        bias: bool = True,
        transposed: bool = True,
        in_features: int = 0,
    ) -> str:
        """A Gemm of quantized, flattened `x`."""
        width = in_features or self.channels[x]
        shape = (features, width) if transposed else (width, features)
        w = self.weight(f"{name}.weight", shape, weight_scale, axis=0 if transposed else 1)
        inputs = [x, w]
        if bias:
            inputs.append(self.bias(f"{name}.bias", features, self.scales[x] * np.asarray(weight_scale, np.float32)))
        out = self.node("Gemm", name, inputs, transB=int(transposed))
        self.channels[out] = features
        return out

    def residual_block(
        self,
        name: str,
        x: str,
        channels: int,
        *,
        stride: int = 1,
        scale: float = 2.0**-4,
        skip_scale: float | None = None,
    ) -> str:
        """Two 3x3 convolutions with a skip, a 1x1 convolution on it where the shape changes."""
        y = self.quant(f"{name}/quant1", self.conv(f"{name}/conv1", x, channels, stride=stride), scale)
        y = self.quant(f"{name}/relu1/quant", self.node("Relu", f"{name}/relu1", [y]), scale, signed=False)
        y = self.quant(f"{name}/conv2/input", y, scale)
        y = self.quant(f"{name}/quant2", self.conv(f"{name}/conv2", y, channels), skip_scale or scale)
        skip = x
        if stride != 1 or self.channels[x] != channels:
            skip = self.conv(f"{name}/downsample", x, channels, 1, stride=stride)
            skip = self.quant(f"{name}/downsample/quant", skip, scale)
        y = self.node("Relu", f"{name}/relu2", [self.node("Add", f"{name}/add", [y, skip])])
        return self.quant(f"{name}/relu2/quant", y, scale, signed=False)

    def model(self, output: str, *, shape: list[int | str] | None = None) -> onnx.ModelProto:
        """The finished model with `output` as its one output."""
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info(self.input, TensorProto.FLOAT, list(self.shape))],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
            [numpy_helper.from_array(value, key) for key, value in self.initializers.items()],
        )
        opsets = [helper.make_opsetid("", self.opset)]
        if any(n.domain for n in self.nodes):
            opsets.append(helper.make_opsetid("qonnx.custom_op.general", 1))
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="onnx_builders")


def integer_range(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """Least and greatest integer of a quantizer, as QONNX defines them."""
    if signed:
        return -(2 ** (bits - 1)) + int(narrow), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1 - int(narrow)


def residual(
    style: Style = "qdq", blocks: tuple[int, ...] = (1, 1), width: int = 4, *, size: int = 16, seed: int = 0
) -> onnx.ModelProto:
    """A residual network: stem, stages of `blocks` (twice as wide and half as large each), max pool, classifier."""
    net = Net(style, seed=seed, shape=(1, 3, size, size))
    x = net.quant("input/quant", net.input, 2.0**-6)
    x = net.quant("stem/quant", net.conv("stem/conv", x, width), 2.0**-4)
    x = net.quant("stem/relu/quant", net.node("Relu", "stem/relu", [x]), 2.0**-4, signed=False)
    for stage, count in enumerate(blocks):
        for block in range(count):
            stride = 2 if stage and not block else 1
            x = net.residual_block(f"layer{stage + 1}/{block}", x, width << stage, stride=stride)
    side = size >> (len(blocks) - 1)
    x = net.node("MaxPool", "pool", [x], kernel_shape=[side, side], strides=[1, 1])
    x = net.conv("fc/conv", net.quant("fc/input", x), 10, 1)
    x = net.quant("fc/quant", x, 2.0**-2)
    return net.model(x)


def resnet110(style: Style = "qonnx") -> onnx.ModelProto:
    """A CIFAR ResNet-110 (3 stages of 18 blocks, 16 to 64 channels) with random weights."""
    return residual(style, (18, 18, 18), 16, size=32)


def classifier(
    style: Style = "qdq", pool: str = "GlobalAveragePool", *, weight_scale: Any = 2.0**-6
) -> onnx.ModelProto:
    """Convolution, ReLU, pooling to one pixel, Flatten, Gemm."""
    net = Net(style)
    x = net.quant("input/quant", net.input, 2.0**-6)
    x = net.node("Relu", "relu", [net.conv("conv", x, 8, stride=2)])
    x = net.quant("relu/quant", x, 2.0**-4, signed=False)
    attributes: dict[str, Any] = {"kernel_shape": [8, 8], "strides": [8, 8]} if not pool.startswith("Global") else {}
    x = net.quant("pool/quant", net.node(pool, "pool", [x], **attributes), 2.0**-5, signed=False)
    x = net.node("Flatten", "flatten", [x])
    return net.model(net.quant("fc/quant", net.linear("fc", x, 10, weight_scale=weight_scale), 2.0**-3))


def depthwise(style: Style = "qdq") -> onnx.ModelProto:
    """A depthwise and a pointwise convolution, ReLU6 between."""
    net = Net(style)
    x = net.quant("stem/quant", net.conv("stem", net.quant("input/quant", net.input, 2.0**-6), 8), 2.0**-4)
    x = net.conv("depthwise", x, 8, group=8)
    bounds = [net.constant("relu6/min", 0.0, np.float32), net.constant("relu6/max", 6.0, np.float32)]
    x = net.quant("relu6/quant", net.node("Clip", "relu6", [x, *bounds]), 2.0**-4, signed=False)
    return net.model(net.quant("pointwise/quant", net.conv("pointwise", x, 6, 1), 2.0**-3))


def save(model: onnx.ModelProto, path: Any) -> str:
    """Writes the model and returns the path as a string."""
    onnx.save(model, str(path))
    return str(path)


class _Images:
    """Calibration images for onnxruntime's quantizer."""

    def __init__(self, shape: tuple[int, ...], count: int = 8) -> None:
        rng = np.random.default_rng(7)
        self.images = iter([{"image": rng.random(shape, np.float32)} for _ in range(count)])

    def get_next(self) -> dict[str, Array] | None:
        return next(self.images, None)


def float_network(seed: int = 0) -> onnx.ModelProto:
    """A float network with a skip, average pooling and a Gemm, for onnxruntime's own quantizer."""
    net = Net(seed=seed)

    def weight(name: str, *shape: int) -> str:
        return net.constant(name, net.rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape), np.float32)

    def conv(name: str, x: str, inputs: int, outputs: int, stride: int = 1) -> str:
        bias = net.constant(f"{name}.bias", net.rng.normal(0, 0.1, outputs), np.float32)
        return net.node(
            "Conv",
            name,
            [x, weight(f"{name}.weight", outputs, inputs, 3, 3), bias],
            kernel_shape=[3, 3],
            strides=[stride, stride],
            pads=[1] * 4,
        )

    x = net.node("Relu", "relu0", [conv("conv0", net.input, 3, 8, 2)])
    y = net.node("Relu", "relu1", [conv("conv1", x, 8, 8)])
    x = net.node("Relu", "relu2", [net.node("Add", "add", [conv("conv2", y, 8, 8), x])])
    x = net.node("MaxPool", "maxpool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = net.node("Flatten", "flatten", [net.node("GlobalAveragePool", "avgpool", [x])])
    bias = net.constant("fc.bias", net.rng.normal(0, 0.1, 10), np.float32)
    return net.model(net.node("Gemm", "fc", [x, weight("fc.weight", 10, 8), bias], transB=1), shape=[1, 10])


def quantize_static(path: Any, *, per_channel: bool = False, unsigned: bool = True) -> str:
    """Writes what onnxruntime's `quantize_static` makes of `float_network`: scales are no powers of two."""
    from onnxruntime.quantization import QuantFormat, QuantType
    from onnxruntime.quantization import quantize_static as quantize

    source = f"{path}.float.onnx"
    onnx.save(float_network(), source)
    kind = QuantType.QUInt8 if unsigned else QuantType.QInt8
    quantize(
        source,
        str(path),
        _Images((1, 3, 16, 16)),
        quant_format=QuantFormat.QDQ,
        per_channel=per_channel,
        activation_type=kind,
        weight_type=QuantType.QInt8,
    )
    return str(path)


def run(model: onnx.ModelProto | str, images: Array) -> Array:
    """What onnxruntime makes of `images`, one by one, without optimizations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    source = model if isinstance(model, str) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: images[i : i + 1]})[0] for i in range(len(images))])
