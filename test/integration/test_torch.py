# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The same way from PyTorch: the C++ is bit-exact with PyTorch's own quantized module."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from integration_tool import RealDesign, Tool

torch = pytest.importorskip("torch", reason="the PyTorch way")
pytest.importorskip("torchao", reason="the PyTorch way")

from torch_networks import synthetic_images  # noqa: E402

import resnet_hls  # noqa: E402
from resnet_hls.frontend import torch_module, torch_program  # noqa: E402

FACTORY = '''
"""A residual network of one block."""
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.pool = nn.AvgPool2d(8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.conv2(x) + x)
        return self.fc(torch.flatten(self.pool(x), 1))

def network():
    torch.manual_seed(0)
    return Network().eval(), torch.rand(16, 3, 8, 8)

def number():
    return 5

def broken():
    raise RuntimeError("out of luck")
'''


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("factory") / "networks.py"
    path.write_text(FACTORY)
    return path


def test_factory(tool: Tool, factory: Path, tmp_path: Path) -> None:
    done = tool("build", f"{factory}:network", "-o", tmp_path / "one")
    assert done.returncode == 0, done.stderr
    assert "note: quantized here: integers give the float network's class for " in done.stdout
    for path in (tmp_path / "one").rglob("*"):
        assert path.is_dir() or str(factory.parent).encode() not in path.read_bytes(), path
    manifest = json.loads((tmp_path / "one" / "manifest.json").read_text())
    assert (manifest["name"], manifest["model"], manifest["source_kind"]) == ("network", "networks.py:network", "torch")
    assert manifest["sha256"]["source"] == hashlib.sha256(factory.read_bytes()).hexdigest()
    assert manifest["reference"] == ["reference/program.pt2"]
    factory_moved = factory.rename(factory.with_name("elsewhere.py"))  # verify needs the project only
    try:
        done = tool("verify", tmp_path / "one", "--images", "40")
    finally:
        factory_moved.rename(factory)
    assert done.returncode == 0, done.stderr
    assert "model by PyTorch" in done.stdout
    assert done.stdout.splitlines()[-1] == "verify: 40/40 images bit-exact"


@pytest.mark.parametrize(
    ("name", "message"),
    [("broken", "raised RuntimeError: out of luck")],  # more of them in test/frontend/test_torch_factory.py
)
def test_bad_factory(tool: Tool, factory: Path, tmp_path: Path, name: str, message: str) -> None:
    done = tool("build", f"{factory}:{name}", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[0]
    assert done.stderr.splitlines()[1].startswith("help: ")
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_bundled_network(tool: Tool, real_design: RealDesign) -> None:
    done = tool("verify", real_design("resnet8", "kv260"), "--images", "60")
    assert done.stdout.splitlines()[-1:] == ["verify: 60/60 images bit-exact"], done.stderr


def test_module_object(factory: Path, tmp_path: Path) -> None:
    module, calibration, _ = torch_module.load_factory(f"{factory}:network")
    accelerator = resnet_hls.compile(module, calibration=calibration, name="one_block")
    quantized = torch_module.quantize(module, calibration)
    images = np.random.default_rng(0).random((6, 3, 8, 8), dtype=np.float32)
    assert np.array_equal(accelerator.run(images), quantized.run(images))
    assert np.array_equal(resnet_hls.compile(quantized, name="one_block").run(images), quantized.run(images))
    with pytest.raises(resnet_hls.UserError, match="no calibration images"):
        resnet_hls.compile(module)


def test_saved_program(factory: Path, tmp_path: Path) -> None:
    module, calibration, _ = torch_module.load_factory(f"{factory}:network")
    quantized = torch_module.quantize(module, calibration)
    content = torch_program.save(quantized)
    assert content == torch_program.save(quantized)
    path = tmp_path / "program.pt2"
    path.write_bytes(content)
    images = synthetic_images(70, seed=4, size=8)
    assert np.array_equal(torch_program.load(path, (3, 8, 8)).run(images), quantized.run(images))
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(resnet_hls.UserError, match="cannot be loaded"):
        torch_program.load(path, (3, 8, 8))
    with pytest.raises(resnet_hls.UserError, match="is missing"):
        torch_program.load(tmp_path / "none.pt2", (3, 8, 8))


def test_doctor(tool: Tool, factory: Path) -> None:
    done = tool("doctor", f"{factory}:network")
    assert done.returncode == 0, done.stderr
    assert "doctor: can be built" in done.stdout
    assert "conv2" in done.stdout
    done = tool("doctor", f"{factory}:number")
    assert done.returncode == 1
    assert "expected an nn.Module" in done.stdout
