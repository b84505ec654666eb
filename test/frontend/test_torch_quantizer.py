# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantization of PyTorch networks: the format, the exactness of PyTorch's arithmetic on it, and what is refused."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the PyTorch frontend needs PyTorch")
pytest.importorskip("torchao", reason="quantization needs torchao")

import torch
from torch import nn
from torch.nn import functional
from torch_networks import (
    DEQUANTIZE,
    QUANTIZE,
    Adds,
    Depthwise,
    One,
    Pools,
    constant,
    images,
    run_exactly,
    scales,
    seeded,
    synthetic_images,
    untrained,
)

from resnet_hls.errors import UserError
from resnet_hls.frontend.quantizer import PowerOfTwoObserver, PowerOfTwoQuantizer
from resnet_hls.frontend.torch_module import QuantizedModule, is_quantized, loss_of_accuracy, quantize

aten = torch.ops.aten


@pytest.fixture(scope="module")
def resnet8() -> QuantizedModule:
    return quantize(*untrained("resnet8"), "range")


def test_the_format(resnet8: QuantizedModule) -> None:
    nodes = list(resnet8.module.graph.nodes)
    assert all(math.frexp(scale)[0] == 0.5 for scale in scales(resnet8.module))
    assert not any("batch_norm" in str(node.target) for node in nodes)
    layers = [node for node in nodes if node.target == aten.conv2d.default]
    assert len(layers) == 10  # nine convolutions and the linear layer
    for layer in layers:
        source, weight, bias = layer.args[:3]
        assert {source.target, weight.target, bias.target} == {DEQUANTIZE}
        assert constant(resnet8.module, weight).dtype == torch.int8
        assert int(constant(resnet8.module, weight).min()) >= -127
        assert int(constant(resnet8.module, weight).abs().max()) > 63  # the smallest scale that holds the range
        assert constant(resnet8.module, bias).dtype == torch.int16
        assert bias.args[1] == source.args[1] * weight.args[1]
    assert resnet8.input_shape == (3, 32, 32)
    assert resnet8.notes == []


def test_nothing_is_rounded_between_a_convolution_and_the_add(resnet8: QuantizedModule) -> None:
    adds = [node for node in resnet8.module.graph.nodes if node.target == aten.add.Tensor]
    assert len(adds) == 3
    for add in adds:
        accumulator, skip = add.args
        assert accumulator.target == aten.conv2d.default
        assert constant(resnet8.module, accumulator.args[1]).shape[2:] == (3, 3)  # not the 1x1 of the skip
        assert skip.target == DEQUANTIZE


def test_batch_norm_is_folded_and_logits_stay_close() -> None:
    network, calibration = untrained("resnet8")
    quantized = quantize(network, calibration)
    with torch.no_grad():
        float_logits = network(calibration).numpy()
    error = np.abs(quantized.run(calibration) - float_logits)
    assert error.mean() < 0.25 * float_logits.std()


@pytest.mark.parametrize("make", [Depthwise, Pools, Adds])
@pytest.mark.parametrize("choice", ["range", "error"])
def test_pytorch_is_exact(make: Callable[[], nn.Module], choice: Any) -> None:
    quantized = quantize(seeded(make), synthetic_images(8), choice)
    batch = images()
    assert np.array_equal(quantized.run(batch), run_exactly(quantized.module, batch))
    assert all(math.frexp(scale)[0] == 0.5 for scale in scales(quantized.module))


def test_pytorch_is_exact_on_resnet8(resnet8: QuantizedModule) -> None:
    batch = images(64)  # more than NNPACK's least batch
    assert np.array_equal(resnet8.run(batch), run_exactly(resnet8.module, batch))
    assert np.array_equal(resnet8.run(batch)[5:6], resnet8.run(batch[5:6]))


def test_quantizing_twice_gives_the_same() -> None:
    first, second = (quantize(*untrained("resnet8", seed=4)) for _ in range(2))
    assert scales(first.module) == scales(second.module)
    for (name, one), (_, other) in zip(first.module.named_buffers(), second.module.named_buffers(), strict=True):
        assert torch.equal(one, other), name


def test_the_module_given_is_not_changed() -> None:
    network, calibration = untrained("resnet8")
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    quantize(network, calibration)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_converted_module_is_taken_as_it_is(resnet8: QuantizedModule) -> None:
    assert is_quantized(resnet8.module)
    again = quantize(resnet8.module, images(4))
    assert again.notes[0] == "taken as quantized by the caller"
    batch = images()
    assert np.array_equal(again.run(batch), resnet8.run(batch))


@pytest.mark.slow
def test_quantization_aware_training_uses_the_same_quantizer(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchao.quantization.pt2e import move_exported_model_to_eval, qat_utils
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_qat_pt2e

    for name in ("_fuse_conv_bn_qat_helper", "_fold_conv_bn_qat_helper"):  # it looks for four kinds, 30 seconds long
        helper = getattr(qat_utils, name)
        monkeypatch.setattr(qat_utils, name, lambda m, kind, *rest, helper=helper, **options:
                            helper(m, kind, *rest, **options) if kind is nn.functional.conv2d else m)  # fmt: skip
    network = seeded(lambda: nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())).train()
    batch = torch.from_numpy(synthetic_images(8))
    exported = torch.export.export(network, (batch,)).module()
    prepared = prepare_qat_pt2e(exported, PowerOfTwoQuantizer(training=True))
    prepared(batch).square().mean().backward()
    move_exported_model_to_eval(prepared)
    converted = convert_pt2e(prepared)
    quantized = quantize(converted, batch)
    assert "0: its float bias was rounded to int16" in quantized.notes
    assert np.array_equal(quantized.run(batch), run_exactly(quantized.module, batch.numpy()))


@pytest.mark.parametrize(
    ("largest", "exponent"),
    [(1.0, -7), (1.01, -6), (0.5, -8), (127.0, 0), (128.0, 0), (128.5, 1), (0.0, -7), (1e-30, -24)],
)
def test_the_scale_is_the_smallest_that_holds_the_range(largest: float, exponent: int) -> None:
    observer = PowerOfTwoObserver(dtype=torch.int8, qscheme=torch.per_tensor_symmetric, quant_min=-128, quant_max=127)
    observer(torch.tensor([0.0, largest, -largest / 2]))
    scale, zero_point = observer.calculate_qparams()
    assert float(scale) == 2.0**exponent
    assert int(zero_point) == 0


def test_scales_by_error_ignore_an_outlier() -> None:
    values = torch.cat([torch.linspace(-1, 1, 10_000), torch.tensor([1.1])])
    chosen = {}
    for choice in ("range", "error"):
        observer = PowerOfTwoObserver(
            choice, dtype=torch.int8, quant_min=-128, quant_max=127, qscheme=torch.per_tensor_symmetric
        )
        observer(values)
        chosen[choice] = observer.exponent
    assert chosen == {"range": -6, "error": -7}


def test_a_large_bias_enlarges_the_weight_scale() -> None:
    network = seeded(lambda: One(lambda m, x: m.conv2(m.conv(x))))
    with torch.no_grad():
        network.conv2.bias.fill_(5.0)
    quantized = quantize(network, synthetic_images(4))
    layer = [node for node in quantized.module.graph.nodes if node.target == aten.conv2d.default][1]
    assert constant(quantized.module, layer.args[2]).tolist() == [round(5 / layer.args[2].args[1])] * 4
    assert int(constant(quantized.module, layer.args[1]).abs().max()) < 64


def test_a_bias_that_leaves_no_weight_bits_is_refused() -> None:
    network = seeded(lambda: One(lambda m, x: m.conv2(m.conv(x))))
    with torch.no_grad():
        network.conv2.bias.fill_(5000.0)
    with pytest.raises(UserError, match=r"conv2: a bias of 5e\+03 does not fit 16 bits"):
        quantize(network, synthetic_images(4))


def test_accumulators_beyond_float32_are_noted() -> None:
    network = nn.Sequential(nn.Conv2d(3, 512, 1), nn.ReLU(), nn.Conv2d(512, 4, 5))
    with torch.no_grad():
        network[2].weight.fill_(0.99)
    notes = quantize(network.eval(), synthetic_images(4)[:, :, :8, :8]).notes
    assert len(notes) == 1
    assert re.fullmatch(r"2: accumulators may reach 2\^27\.\d, where PyTorch's float32 is no longer exact", notes[0])


def test_pooling_areas_that_are_no_power_of_two_are_noted() -> None:
    notes = quantize(seeded(lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.AvgPool2d(3))), synthetic_images(4)).notes
    assert notes == ["1: averages 9 values, which is no power of two"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda m, x: functional.silu(m.conv(x)), "operator 'silu' is not supported"),
        (lambda m, x: m.conv(x) * 2, "operator 'mul' is not supported"),
        (lambda m, x: m.conv(x) + 1, "operator 'add' with a constant operand is not supported"),
        (lambda m, x: torch.add(m.conv(x), m.conv(x), alpha=2), "operator 'add' with alpha=2 is not supported"),
        (lambda m, x: m.conv(x)[:, :1], "operator 'slice' is not supported"),
        (lambda m, x: m.conv(x) + x[:, :1], "operator 'add' with operands of the shapes"),
        (lambda m, x: torch.softmax(m.conv(x), 1), "operator 'softmax' is not supported"),
        (lambda m, x: functional.avg_pool2d(m.conv(x), 2, padding=1), "operator 'avg_pool2d' with padding is not"),
        (lambda m, x: functional.max_pool2d(m.conv(x), 3, ceil_mode=True), "'max_pool2d' with ceil_mode=True"),
        (lambda m, x: functional.adaptive_avg_pool2d(m.conv(x), 5), "with output .5, 5. that does not divide .32, 32."),
        (lambda m, x: m.conv(x).mean(1), "'mean' with dim=.1. of 4 dimensions"),
        (lambda m, x: torch.cat([m.conv(x), m.conv(x)], 2), "operator 'cat' with dim=2 .only channels"),
        (lambda m, x: functional.linear(m.conv(x), torch.ones(3, 32)), "'linear' with an input of 4 dimensions"),
        (lambda m, x: m.conv(x).clamp(max=1), "operator 'clamp' with min=None and max=1"),
    ],
)
def test_unsupported_operators(function: Callable[[Any, Any], Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        quantize(seeded(lambda: One(function)), synthetic_images(2))
    assert caught.value.where
    assert "Conv2d" in caught.value.help


def test_an_unsupported_operator_is_named_by_its_module_path() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.ReLU(), nn.GELU()))
    with pytest.raises(UserError) as caught:
        quantize(network, synthetic_images(2))
    assert caught.value.where == "1.1"


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (None, "no calibration images"),
        (np.zeros((3, 32, 32), np.float32), r"images have the shape \(3, 32, 32\), expected \(N, C, H, W\)"),
        (np.zeros((0, 3, 32, 32), np.float32), r"images have the shape \(0, 3, 32, 32\)"),
        (np.zeros((2, 3, 32, 32), np.uint8), "images are uint8, expected float"),
        (np.full((2, 3, 32, 32), np.nan, np.float32), "images hold a NaN"),
        (np.zeros((2, 4, 32, 32), np.float32), r"One: fails on an image of the shape \(1, 4, 32, 32\): "),
    ],
)
def test_unusable_images(calibration: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        quantize(seeded(lambda: One(lambda m, x: m.conv(x))), calibration)


def test_images_of_another_shape_than_the_calibrated_one(resnet8: QuantizedModule) -> None:
    with pytest.raises(UserError, match=r"images have the shape \(1, 3, 28, 28\), expected \(N, 3, 32, 32\)"):
        resnet8.run(np.zeros((1, 3, 28, 28), np.float32))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda m, x: (m.conv(x), x), "One: returns tuple, expected one tensor"),
        (lambda m, x: m.conv(x).sum(), r"One: returns a tensor of the shape \(\)"),
        (lambda m, x: m.conv(x) if x.sum() > 0 else x, "One: cannot be exported: "),
    ],
)
def test_modules_that_are_no_networks(function: Callable[[Any, Any], Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        quantize(seeded(lambda: One(function)), synthetic_images(2))
    assert "\n" not in str(caught.value)


def test_quantizers_stand_at_both_ends(resnet8: QuantizedModule) -> None:
    (image,) = (node for node in resnet8.module.graph.nodes if node.op == "placeholder")
    assert {user.target for user in image.users} == {QUANTIZE}
    assert resnet8.module.graph.output_node().all_input_nodes[0].target == DEQUANTIZE


class _Brightest(nn.Module):
    """Its class is the brightest channel."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1, bias=False)
        self.pool = nn.AvgPool2d(8)
        with torch.no_grad():
            self.conv.weight.copy_(torch.eye(3)[:, :, None, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.flatten(self.pool(self.conv(x)), 1)


def test_what_quantization_costs_is_told() -> None:
    batch = np.full((8, 3, 8, 8), 0.25, np.float32)
    batch[np.arange(8), np.arange(8) % 3] = 0.75
    batch[5] = np.array([0.5, 0.501, 0.502], np.float32)[:, None, None]  # one step of the integers: all three are equal
    labels = np.arange(8) % 3
    network = _Brightest()
    quantized = quantize(network, batch)
    floats = network(torch.from_numpy(batch)).argmax(1).numpy()
    integers = quantized.run(batch).argmax(1)
    assert floats.tolist() == labels.tolist()
    assert integers.tolist() == [0, 1, 2, 0, 1, 0, 0, 1]
    text = loss_of_accuracy(network, quantized, batch, labels)
    assert text == "quantized here: top-1 100.0 % in float, 87.5 % in integers, on 8 images"
    text = loss_of_accuracy(network, quantized, batch)
    assert text == "quantized here: integers give the float network's class for 87.5 % of 8 images"
    assert loss_of_accuracy(quantized.module, quantized, batch) == ""
    with pytest.raises(UserError, match=r"labels: labels are int64 of shape \(7,\), expected 8 integers"):
        loss_of_accuracy(network, quantized, batch, labels[:7])
    with pytest.raises(UserError, match="labels are float32"):
        loss_of_accuracy(network, quantized, batch, labels.astype(np.float32))
