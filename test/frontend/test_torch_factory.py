# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loading a network from a user's file: what works, and what each mistake says."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the PyTorch frontend needs PyTorch")

from resnet_hls.errors import UserError
from resnet_hls.frontend.torch_module import is_factory, load_factory
from resnet_hls.models import BUNDLED

GOOD = """
import numpy
from torch import nn
import neighbour

network = nn.Conv2d(3, 4, 3)

def module():
    return neighbour.make()

def pair():
    return nn.Sequential(nn.Conv2d(3, 4, 1)), numpy.zeros((2, 3, 8, 8), dtype="float32")

def labelled():
    return *pair(), numpy.array([3, 1])

number = 7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "neighbour.py").write_text("from torch import nn\ndef make():\n    return nn.ReLU()\n")
    return tmp_path


def test_a_factory_gives_a_module_or_a_pair(folder: Path) -> None:
    module, images, labels = load_factory(f"{folder}/good.py:module")
    assert type(module).__name__ == "ReLU"
    assert images is labels is None
    for name in ("pair", "labelled"):
        module, images, labels = load_factory(f"{folder}/good.py:{name}")
        assert type(module).__name__ == "Sequential"
        assert images is not None
        assert tuple(images.shape) == (2, 3, 8, 8)
        assert labels is None if name == "pair" else labels.tolist() == [3, 1]
    assert type(load_factory(f"{folder}/good.py:network")[0]).__name__ == "Conv2d"


def test_a_factory_in_a_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a_package").mkdir()
    (folder / "a_package" / "__init__.py").touch()
    (folder / "a_package" / "nets.py").write_text("from torch import nn\nmake = nn.Identity\n")
    monkeypatch.chdir(folder)
    assert type(load_factory("a_package.nets:make")[0]).__name__ == "Identity"


def test_the_form_of_the_name() -> None:
    assert is_factory("a/b.py:make")
    assert is_factory("a.b:make")
    assert not is_factory("resnet8")
    assert not is_factory("a/b.onnx")
    assert not is_factory("a/b.py:")


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        (
            "def f():\n    raise ValueError('no weights\\nhere')",
            "f",
            "{file}:2: f() raised ValueError: no weights here",
        ),
        ("def f(depth):\n    return depth", "f", "{file}: f() raised TypeError: f() missing 1 required"),
        ("def f():\n    return 3", "f", "{file}:f: returns an int, expected an nn.Module"),
        ("def f():\n    return None", "f", "{file}:f: returns None, expected an nn.Module"),
        ("def f():\n    return 1, 2, 3, 4", "f", "{file}:f: returns 4 values, expected one to three"),
        ("from torch.nn import ReLU\ndef f():\n    return ReLU(), 'x'", "f", "{file}:f: returns a str as images"),
        ("def f():\n    pass", "g", "{file}: has no attribute 'g'"),
        ("f = 3", "f", "{file}: 'f' is an int, expected a function"),
        ("x = 1\ndef f(:\n", "f", "{file}:2: raised SyntaxError: "),
        ("import no_such_package_xyz\n", "f", "{file}:1: raised ModuleNotFoundError: No module named 'no_such"),
        ("import sys\nsys.exit(3)\n", "f", "{file}:2: raised SystemExit: 3"),
    ],
)
def test_mistakes_in_the_file(tmp_path: Path, source: str, name: str, message: str) -> None:
    file = tmp_path / "mistake.py"
    file.write_text(source)
    with pytest.raises(UserError) as caught:
        load_factory(f"{file}:{name}")
    assert str(caught.value).startswith(message.format(file=file))
    assert "\n" not in str(caught.value)
    assert caught.value.help
    assert caught.value.status == 1


@pytest.mark.parametrize(
    ("model", "status", "message"),
    [
        ("no_colon.py", 2, "not a factory: 'no_colon.py'"),
        ("file.py:not a name", 2, "not a factory"),
        ("/no/such/file.py:f", 1, "/no/such/file.py: no such file"),
        ("no.such.package:f", 1, "no.such.package: no such Python module"),
        ("no-name:f", 1, "no-name: no such Python module"),
    ],
)
def test_mistakes_in_the_name(model: str, status: int, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_factory(model)
    assert str(caught.value).startswith(message)
    assert caught.value.status == status
    assert "module.py:factory" in caught.value.help


def test_a_missing_attribute_names_what_there_is(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_factory(f"{folder}/good.py:modul")
    assert caught.value.help == "it defines module, pair, labelled"


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match="torch is not installed") as caught:
        BUNDLED["resnet8"].quantized()
    assert "resnet-hls[torch]" in caught.value.help
