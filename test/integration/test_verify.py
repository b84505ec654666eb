# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The C++ that `build` writes gives the model's integers; `verify` says so, and says where it does not."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from integration_tool import RealDesign, Tool
from onnx_builders import Style, residual, save

import resnet_hls
from resnet_hls.project.manifest import read
from resnet_hls.report import verified
from resnet_hls.simulate import csim, reference
from resnet_hls.simulate.verify import quantize, scale_pixels, to_integers

EXACT = "verify: 24/24 images bit-exact"


def vendor_headers() -> None:
    """Skips the test where the hls4ml wheel is not installed."""
    try:
        csim.xilinx_headers()
    except resnet_hls.UserError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("compiler", "headers"), [("g++", "bounded"), ("clang++", "fast")])
def test_random_images(tool: Tool, project: Path, compiler: str, headers: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    done = tool("verify", project, "--images", "24", "--compiler", compiler, "--headers", headers)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == EXACT
    assert "random images" in done.stdout
    run = verified.read(project)[-1]
    assert (run["images"], run["exact"], run["top1_percent"], run["headers"]) == (24, 24, None, headers)


def test_vendor_headers(tool: Tool, project: Path) -> None:
    vendor_headers()
    compiler = "clang++" if shutil.which("clang++") else "g++"  # the other compiles them below
    done = tool("verify", project, "--images", "24", "--compiler", compiler, "--headers", "xilinx")
    assert done.stdout.splitlines()[-1:] == [EXACT], done.stderr


@pytest.mark.parametrize("style", ["qdq", "qcdq"])
def test_other_dialects(tool: Tool, tmp_path: Path, style: Style) -> None:
    model = save(residual(style, (1,), 6, seed=3), tmp_path / "other.onnx")
    done = tool("build", model, "-o", tmp_path / "out", "--board", "pynq-z2")
    assert done.returncode == 0, done.stderr
    done = tool("verify", tmp_path / "out", "--images", "24")
    assert done.stdout.splitlines()[-1:] == [EXACT], done.stderr


def test_bundled_vectors(project: Path) -> None:
    line = csim.run_bundled(csim.compile_testbench(project), project)
    assert "16" in line


def test_pixels_with_labels(tool: Tool, project: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (24, 16, 16, 3)).astype(np.uint8)
    content = read(project)
    real = scale_pixels(pixels, 256).transpose(0, 3, 1, 2)
    logits = to_integers(reference.load_reference(project)(np.ascontiguousarray(real)), content.output)
    labels = logits.argmax(axis=1)
    labels[:6] = (labels[:6] + 1) % 10
    np.savez(tmp_path / "images.npz", images=pixels, labels=labels)
    done = tool("verify", project, "--images", "24", "--data", tmp_path / "images.npz", "--pixel-scale", "256")
    assert done.stdout.splitlines()[-1:] == [f"{EXACT}, top-1 75.00 %"], done.stderr


def test_wrong_source_is_found(tool: Tool, project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "wrong")
    weights = tmp_path / "wrong" / "src" / "weights.h"
    text = weights.read_text()
    start = text.index("{", text.index("fc_conv_weight") if "fc_conv_weight" in text else 0)
    number = next(word for word in text[start:].replace("{", " ").replace(",", " ").split() if word != "0")
    at = text.index(number, start)
    weights.write_text(text[:at] + str((int(number) + 97) % 127) + text[at + len(number) :])
    done = tool("verify", tmp_path / "wrong", "--images", "24")
    assert done.returncode == 1
    assert "the model says" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("verify: ")
    assert last != EXACT


def test_python_interface(small_onnx: Path, project: Path, tmp_path: Path) -> None:
    accelerator = resnet_hls.compile(small_onnx, board="kv260")
    assert accelerator.name == "compact"
    assert accelerator.report == json.loads((project / "report.json").read_text())
    assert "hls.dataflow" in str(accelerator.module)
    images = np.random.default_rng(1).random((5, 3, 16, 16), dtype=np.float32)
    expected = reference.load_reference(project)(images)
    outputs = accelerator.run(images)
    assert outputs.dtype == np.float32
    assert np.array_equal(outputs, expected)
    accelerator.write(tmp_path / "out")
    assert (tmp_path / "out" / "ir" / "40-scheduled.mlir").read_bytes() == (
        project / "ir" / "40-scheduled.mlir"
    ).read_bytes()
    for bad in (images.transpose(0, 2, 3, 1), images.astype(np.int8), images[0], images * np.float32("nan")):
        with pytest.raises(resnet_hls.UserError, match="images"):
            accelerator.run(bad)
    pytest.importorskip("torch")
    with pytest.raises(resnet_hls.UserError, match="a model cannot be an int"):
        resnet_hls.compile(5)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(("network", "board"), [("resnet8", "kv260"), ("resnet20", "kv260"), ("resnet8", "ultra96v2")])
def test_real_networks(real_design: RealDesign, shared: Path, cifar10_dir: Path, network: str, board: str) -> None:
    """All images of CIFAR-10's test set through ResNet8 against logits that others computed; some of them at the other
    scale of pixels, through ResNet20, whose C++ takes four times as long, and on the second board. Clang's executable
    is half as fast again as g++'s, so that it takes the many images; the others are g++'s.
    """
    from resnet_hls.data.cifar10 import load

    most = {"resnet8": 10_000, "resnet20": 100}[network] if board == "kv260" else 200
    counts = {255: most, 256: min(most, 200)}
    project = real_design(shared / "models" / f"{network}_a8w8b16.qonnx.onnx", board)
    content = read(project)
    pixels, labels = load(cifar10_dir)
    compiler: csim.Compiler = "clang++" if most > 200 and shutil.which("clang++") else "g++"
    executable = csim.compile_testbench(project, compiler=compiler)
    accuracies = {}
    with np.load(shared / "models" / f"{network}_a8w8b16.expected_logits.npz") as logits:
        for scale, count in counts.items():
            outputs = csim.run(executable, quantize(scale_pixels(pixels[:count], scale), content.input))
            expected = to_integers(logits[f"x_div_{scale}"], content.output)
            assert np.array_equal(outputs.astype(np.int64), expected[:count])
            accuracies[scale] = round(100 * float(np.mean(expected.argmax(axis=1) == labels)), 2)
    assert accuracies == {"resnet8": {255: 89.06, 256: 89.20}, "resnet20": {255: 91.77, 256: 91.71}}[network]


@pytest.mark.slow
def test_real_network_with_vendor_headers(
    tool: Tool, real_design: RealDesign, resnet8_onnx: Path, cifar10_dir: Path
) -> None:
    vendor_headers()
    project = real_design(resnet8_onnx, "kv260")
    done = tool("verify", project, "--images", "8", "--data", cifar10_dir, "--headers", "xilinx")
    assert done.returncode == 0, done.stderr
    assert "verify: 8/8 images bit-exact, top-1" in done.stdout


def test_interface_of_the_test_bench(project: Path) -> None:
    executable = csim.compile_testbench(project)
    done = subprocess.run([str(executable), "--run", "none", "none"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "none" in done.stderr
