# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls train`, on a data set of some hundred images, and what it says to a wrong command line."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from resnet_hls.cli import main
from resnet_hls.data import cifar10
from resnet_hls.errors import UserError
from resnet_hls.frontend import sources
from resnet_hls.locks import locked
from resnet_hls.models import BUNDLED, resnet, weights
from resnet_hls.training import checkpoint
from resnet_hls.training.recipe import RECIPES

IMAGES = 64  # of each file


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for names in cifar10.BATCHES.values():
        for name in names:
            content = {
                b"data": random.integers(0, 256, (IMAGES, 3072)).astype(np.uint8),
                b"labels": random.integers(0, 10, IMAGES).tolist(),
            }
            (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    return folder


@pytest.fixture
def small(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data with its sums, and a recipe for so few images."""
    for names in cifar10.BATCHES.values():
        for name in names:
            sum = hashlib.md5((data / name).read_bytes(), usedforsecurity=False).hexdigest()
            monkeypatch.setitem(names, name, sum)
    recipe = dataclasses.replace(RECIPES["resnet8"], held_out=IMAGES, calibration_images=16)
    monkeypatch.setitem(RECIPES, "resnet8", recipe)
    return data


def test_from_images_to_a_file_that_build_takes(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, exported = tmp_path / "run", tmp_path / "mine.safetensors"
    arguments = ["train", "resnet8", "--data", str(small), "-o", str(run), "--epochs", "1", "--quantized-epochs", "1"]
    assert main([*arguments, "--threads", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("float epoch 1: training loss 2.")
    assert lines[2].startswith("quantized epoch 1: training loss 2.")
    assert lines[4].startswith("test: float ")
    assert {path.name for path in run.iterdir()} == {
        "float.checkpoint", "float.jsonl", "quantized.checkpoint", "quantized.jsonl", "weights.safetensors", "card.md",
    }  # fmt: skip
    content = (run / "weights.safetensors").read_bytes()
    assert len(content) < 100_000
    # Once more: nothing is trained again, and the file is the same.
    assert main([*arguments, "--threads", "1", "--export", str(exported)]) == 0
    assert "epoch 1:" not in capsys.readouterr().out
    assert exported.read_bytes() == content

    trained = weights.read(exported)
    assert trained.network == "resnet8"
    assert trained.training["recipe"]["held_out"] == IMAGES
    reached = trained.training["test_top1_percent"]
    assert reached["fake_quantized"] == reached["integer"]
    images, labels = cifar10.load(small)
    source = sources.find(str(exported))
    assert (source.name, source.model) == ("mine", "mine.safetensors")
    logits = source.start_outputs(images.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255))()
    assert 100 * float((logits.argmax(1) == labels).mean()) == reached["integer"]
    assert f"{reached['integer']:.2f} % top-1" in source.quantized.notes[-1]  # type: ignore[attr-defined]

    card = (run / "card.md").read_text()
    command = "resnet-hls train resnet8 --data cifar-10-batches-py -o runs/run --epochs 1 --quantized-epochs 1"
    assert f"| command | `{command} --threads 1` |" in card
    assert f"integers {reached['integer']:.2f} % |" in card


def test_a_run_that_begins_with_another(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, then, teacher = tmp_path / "first", tmp_path / "then", tmp_path / "teacher"
    given = ["train", "resnet8", "--data", str(small), "--epochs", "1", "--quantized-epochs", "1", "--threads", "1"]
    assert main([*given, "-o", str(first)]) == 0
    shutil.copytree(first, teacher)
    on = [*given, "-o", str(then), "--teacher", str(teacher), "--begin-with", str(first)]
    assert main([*on, "--learning-rate", "1e-9"]) == 0
    begun, ended = (checkpoint.load(folder / "float.checkpoint") for folder in (first, then))
    assert begun is not None
    assert ended is not None
    for name, value in begun["best"].items():
        if name.endswith("conv1.weight"):
            torch.testing.assert_close(ended["best"][name], value, rtol=0, atol=1e-6)
    assert weights.read(then / "weights.safetensors").training["beginning"] == {
        "given": "runs/first",
        "title": f"float epoch {begun['best_epoch']} of runs/first",
    }
    card = (then / "card.md").read_text()
    assert "-o runs/then " in card
    assert "--teacher runs/teacher --begin-with runs/first --threads 1` |" in card
    assert f"| begins with | float epoch {begun['best_epoch']} of runs/first |" in card

    # What it began with goes on, has not begun, or is another network.
    content = (then / "float.checkpoint").read_bytes()
    gone_on = {**begun["best"], "fc.bias": begun["best"]["fc.bias"] + 1}
    for change, message in (
        ({"best": gone_on}, "of a run that began with other weights"),
        ({"log": []}, f"{first}: no epoch of it has ended"),
        (
            {"made": {**begun["made"], "network": "resnet20"}, "best": resnet.resnet20().state_dict()},
            f"{first}: has weights of resnet20, not of resnet8",
        ),
    ):
        checkpoint.save(first / "float.checkpoint", {**begun, **change})
        capsys.readouterr()
        assert main([*on, "--learning-rate", "1e-9"]) == 1
        assert message in capsys.readouterr().err
    assert (then / "float.checkpoint").read_bytes() == content


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_run_that_begins_with_a_file_of_weights(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, folder = tmp_path / "weights.safetensors", tmp_path / "run"
    read = weights.read(BUNDLED["resnet8"].weights)
    read = dataclasses.replace(read, training={**read.training, "run": "first"})
    file.write_bytes(read.to_bytes())
    arguments = ["train", "resnet8", "--data", str(small), "-o", str(folder), "--epochs", "1", "--threads", "1"]
    arguments += ["--quantized-epochs", "1", "--learning-rate", "1e-9", "--begin-with", str(file)]
    assert main([*arguments, "--teacher", "resnet20"]) == 0
    ended = checkpoint.load(folder / "float.checkpoint")
    assert ended is not None
    for name, value in weights.read(file).floats().state_dict().items():
        if name.endswith(".weight"):
            found = ended["best"][name]
            torch.testing.assert_close(found / found.norm(), value / value.norm(), rtol=0, atol=1e-6)
    card = (folder / "card.md").read_text()
    # Each run calls its file so; which run it was is in the file.
    named = "runs/first/weights.safetensors"
    assert f"--teacher resnet20 --begin-with {named} --threads 1` |" in card
    assert f"| begins with | {named}: {read.summary}, SHA-256 {sha256(file)[:16]}… |" in card
    teacher = BUNDLED["resnet20"].weights
    assert f"| teacher | resnet20: {weights.read(teacher).summary}, SHA-256 {sha256(teacher)[:16]}… |" in card

    # It goes on where the same weights give other statistics, as they may on another machine.
    content, seen = (folder / "float.checkpoint").read_bytes(), resnet.unfolded
    monkeypatch.setattr(resnet, "unfolded", lambda network, images, seed: seen(network, images / 2, seed))
    capsys.readouterr()
    assert main([*arguments, "--teacher", "resnet20"]) == 0
    assert "epoch 1:" not in capsys.readouterr().out
    assert (folder / "float.checkpoint").read_bytes() == content

    file.write_bytes(dataclasses.replace(read, exponents={}).to_bytes())
    (tmp_path / "list").mkdir()
    checkpoint.save(tmp_path / "list" / "float.checkpoint", [1])  # type: ignore[arg-type]
    for given, message in (
        (str(file), f"{file}: has no exponent of '"),
        (str(tmp_path / "list"), "float.checkpoint: is no checkpoint of a bundled network"),
        ("./resnet8", "./resnet8: there is no run"),
        ("resnet20", "resnet20: has weights of resnet20, not of resnet8"),
        (str(tmp_path / "none.safetensors"), "none.safetensors: no such file"),
    ):
        assert main([*arguments[:-1], given]) == 1
        assert message in capsys.readouterr().err


def test_one_run_a_folder(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(tmp_path):
        assert main(["train", "resnet8", "--data", str(small), "-o", str(tmp_path)]) == 1
    assert f"{tmp_path}: another run trains here" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--teacher", "--begin-with"])
def test_a_run_that_is_not_there(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    run = tmp_path / "run"
    assert main(["train", "resnet8", "--data", str(small), "-o", str(run), option, str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "there is no run" in error
    assert f"as {option}" in error
    assert not run.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["resnet9", "--data", "{data}"], 2, "no network is called 'resnet9'"),
        (["resnet8", "--data", "{data}/none"], 1, "no such folder"),
        (["resnet8", "--data", "{data}/.."], 1, "has no CIFAR-10 train batches"),
        (["resnet8", "--data", "{data}"], 1, "data_batch_1: no CIFAR-10 batch: MD5 sum "),
        (["resnet8", "--data", "{data}", "--epochs", "0"], 2, "--epochs 0"),
        (["resnet8", "--data", "{data}", "--seed", "-1"], 2, "--seed -1"),
        (["resnet8", "--data", "{data}", "--learning-rate", "0"], 2, "--learning-rate 0"),
        (["resnet8", "--data", "{data}", "--quantized-learning-rate", "0"], 2, "--quantized-learning-rate 0"),
        (["resnet8", "--data", "{data}", "--threads", "0"], 2, "--threads 0"),
    ],
)
def test_wrong_command_lines(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, message: str
) -> None:
    given = [argument.format(data=data) for argument in arguments]
    assert main(["train", *given, "-o", str(tmp_path / "run")]) == status
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("resnet-hls: error: ")
    assert message in lines[0]
    assert lines[1].startswith("help: ")
    assert list(tmp_path.iterdir()) == []


def test_no_cuda(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert main(["train", "resnet8", "--data", str(data), "-o", str(tmp_path), "--device", "cuda"]) == 1
    assert "PyTorch finds no CUDA device" in capsys.readouterr().err


def test_a_checkpoint_of_another_network(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "float.checkpoint").write_bytes(b"PK")
    assert main(["train", "resnet8", "--data", str(small), "-o", str(tmp_path), "--epochs", "1"]) == 1
    assert "float.checkpoint: the checkpoint is damaged" in capsys.readouterr().err


def test_files_that_hold_no_weights(tmp_path: Path) -> None:
    from safetensors.numpy import save

    path = tmp_path / "weights.safetensors"
    with pytest.raises(UserError, match="no such file"):
        weights.read(path)
    good = weights.Weights("resnet8", {"fc.weight": np.zeros((10, 64), np.int8)}, {"fc.weight": -7})
    for content, message in (
        (b"nothing", "cannot be read as weights"),
        (good.to_bytes()[:-1], "cannot be read as weights"),
        (save({"a": np.zeros(2, np.int8)}), "its format is not"),
        (weights.Weights("resnet8", {"fc.weight": np.zeros(2)}, {}).to_bytes(), "'fc.weight' is float64"),  # type: ignore[dict-item]
        (weights.Weights("resnet8", {}, {"fc.weight": 1000}).to_bytes(), "its exponents are no small integers"),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match=message):
            weights.read(path)
    path.write_bytes(good.to_bytes())
    with pytest.raises(UserError, match="does not fit resnet8: Missing"):
        weights.read(path).quantized()
    with pytest.raises(UserError, match=r"has no exponent of 'fc.weight'"):
        dataclasses.replace(good, exponents={}).quantized()
    with pytest.raises(UserError, match="holds weights of 'resnet9'"):
        dataclasses.replace(good, network="resnet9").quantized()


def test_weights_are_written_as_they_are_indexed() -> None:
    """An array whose memory lies in another order: the library that writes does not look at strides."""
    integers = np.arange(24, dtype=np.int8).reshape(2, 3, 4).transpose(2, 0, 1)
    path_content = weights.Weights("resnet8", {"a.weight": integers}, {"a.weight": 0}).to_bytes()
    from safetensors.numpy import load

    np.testing.assert_array_equal(load(path_content)["a.weight"], integers)
