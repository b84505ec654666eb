# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The doctor lists what is in a model, and every problem with its cure."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from onnx_builders import Net, float_network, residual, save
from rich.console import Console

from resnet_hls.frontend.doctor import Diagnosis, examine, render


def rendered(diagnosis: Diagnosis) -> str:
    output = io.StringIO()
    render(diagnosis, Console(file=output, width=200, markup=False))
    return output.getvalue()


def test_healthy_model(tmp_path: Path) -> None:
    diagnosis = examine(save(residual("qonnx", (1, 1), 4), tmp_path / "m.onnx"))
    assert diagnosis.buildable
    assert (diagnosis.dialect, diagnosis.input_shape, diagnosis.output_shape) == (
        "QONNX",
        (1, 3, 16, 16),
        (1, 10, 1, 1),
    )
    stem = diagnosis.layers[0]
    assert (stem.name, stem.op, stem.output_shape, stem.macs) == ("stem/conv", "Conv", (1, 4, 16, 16), 16 * 16 * 4 * 27)
    assert diagnosis.macs == sum(layer.macs for layer in diagnosis.layers)
    first, second = diagnosis.skips
    assert (first.name, first.equal) == ("layer1/0/add", True)
    assert [operand.source for operand in second.operands] == ["layer2/0/quant2", "layer2/0/downsample/quant"]
    assert [operand.fraction_bits for operand in second.operands] == [4, 4]
    roles = [quantizer.role for quantizer in diagnosis.quantizers]
    assert (roles.count("input"), roles.count("weight"), roles.count("bias")) == (1, 7, 7)
    text = rendered(diagnosis)
    assert text.endswith("doctor: can be built\n")
    assert "layer2/0/downsample" in text
    assert "2^-4" in text


def test_unequal_skip(tmp_path: Path) -> None:
    net = Net(shape=(1, 4, 8, 8))
    y = net.residual_block("block", net.quant("input", net.input, 2.0**-6), 4, skip_scale=2.0**-3)
    (skip,) = examine(save(net.model(y), tmp_path / "m.onnx")).skips
    assert not skip.equal
    assert [operand.fraction_bits for operand in skip.operands] == [3, 6]


def test_every_problem_is_listed(tmp_path: Path) -> None:
    net = Net(shape=(1, 4, 8, 8))
    x = net.quant("input", net.input)
    x = net.node("Add", "add", [net.node("Sigmoid", "first", [x]), net.node("Tanh", "second", [x])])
    diagnosis = examine(save(net.model(net.quant("output", x)), tmp_path / "m.onnx"))
    assert not diagnosis.buildable
    assert [problem.where for problem in diagnosis.problems] == ["first", "second"]
    text = rendered(diagnosis)
    assert "problem: second: Tanh is not supported\n  help: train with ReLU" in text
    assert text.endswith("doctor: cannot be built: 2 problems\n")


def test_scales_are_named(tmp_path: Path) -> None:
    net = Net(shape=(1, 4, 8, 8))
    x = net.conv("conv", net.quant("input", net.input, 0.1), 4, weight_scale=0.01 * np.arange(1, 5))
    diagnosis = examine(save(net.model(net.quant("output", x, 2.0**-3, zero_point=4)), tmp_path / "m.onnx"))
    assert diagnosis.buildable
    assert any("quantizers have scales that are no single power of two" in note for note in diagnosis.notes)
    weight = next(quantizer for quantizer in diagnosis.quantizers if quantizer.role == "weight")
    assert (weight.power_of_two, weight.bits, weight.signed) == (False, 8, True)
    text = rendered(diagnosis)
    assert "doctor: can be built" in text


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert rendered(examine(tmp_path / "none.onnx")).splitlines()[-1] == "doctor: cannot be built: 1 problem"
    text = rendered(examine(save(float_network(), tmp_path / "m.onnx")))
    assert "has no quantizers: it is a float model" in text


def test_real_models(resnet8_onnx: Path, resnet20_onnx: Path) -> None:
    small, large = examine(resnet8_onnx), examine(resnet20_onnx)
    assert small.buildable
    assert large.buildable
    assert [tuple(operand.fraction_bits for operand in skip.operands) for skip in small.skips] == [
        (4, 5),
        (4, 5),
        (4, 6),
    ]
    assert (len(small.quantizers), len(large.quantizers)) == (47, 107)
    assert small.macs == 12_501_632
    assert small.notes == large.notes == ()


def test_needs_no_mlir(tmp_path: Path) -> None:
    program = f"""
import sys
from resnet_hls.frontend.doctor import examine
assert examine({save(residual(), tmp_path / "m.onnx")!r}).buildable
assert not any(name.startswith(("torch", "onnxruntime")) for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
