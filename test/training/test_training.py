# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Training on a small set: it learns, its integers are the compiler's, a stopped run ends as one that was not."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import small
import torch

import resnet_hls
from resnet_hls.errors import UserError
from resnet_hls.models.weights import Weights
from resnet_hls.training import batches, checkpoint, loop
from resnet_hls.training.batches import Labelled
from resnet_hls.training.integer_network import IntegerNetwork
from resnet_hls.training.loop import Progress, Result
from resnet_hls.training.recipe import Phase, Recipe, Schedule, float_phase, quantized_phase

LEARNT_PERCENT = 90.0
"""Chance is 25 %."""
DATA = (small.striped(640, 1), small.striped(200, 2))


def train(folder: Path, recipe: Recipe = small.RECIPE, **options: object) -> Result:
    return loop.train(small.network(), recipe, float_phase(recipe), DATA, folder, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def floats(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("run")
    return folder, train(folder)


@pytest.fixture(scope="module")
def integers(floats: tuple[Path, Result]) -> IntegerNetwork:
    """Trained in float, and then in integer arithmetic."""
    folder, result = floats
    network = small.network()
    network.load_state_dict(result.weights)
    made = IntegerNetwork(network, batches.to_float(DATA[0].images[:64]))
    result = loop.train(made.module, small.RECIPE, quantized_phase(small.RECIPE), DATA, folder)
    made.module.load_state_dict(result.weights)
    return made


def test_it_learns(floats: tuple[Path, Result], integers: IntegerNetwork) -> None:
    _, result = floats
    assert result.accuracy >= LEARNT_PERCENT
    assert loop.accuracy(integers.module, DATA[1]) >= LEARNT_PERCENT
    assert loop.accuracy(small.network(), DATA[1]) < LEARNT_PERCENT / 2
    assert [row["epoch"] for row in result.log] == [1, 2, 3]
    assert result.log[-1]["training_loss"] < result.log[0]["training_loss"]


def test_the_integers_are_what_the_module_computes(integers: IntegerNetwork) -> None:
    """The module that was trained, its quantized form, and the compiler's integer stage, on images never seen."""
    images = batches.to_float(small.striped(40, 3).images)
    with torch.no_grad(), torch.backends.nnpack.flags(enabled=False):
        logits = integers.module(images).numpy()
    quantized = integers.quantized()
    assert quantized.notes == []
    np.testing.assert_array_equal(quantized.run(images), logits)
    accelerator = resnet_hls.compile(quantized, name="compact", effort=1, target_fps=1000)
    np.testing.assert_array_equal(accelerator.run(images.numpy()), logits)


def test_training_in_integers_moves_them(floats: tuple[Path, Result], integers: IntegerNetwork) -> None:
    network = small.network()
    network.load_state_dict(floats[1].weights)
    untrained = IntegerNetwork(network, batches.to_float(DATA[0].images[:64])).weights("resnet8", {})
    trained = integers.weights("resnet8", {})
    assert trained.exponents == untrained.exponents
    assert any(not np.array_equal(trained.tensors[name], untrained.tensors[name]) for name in trained.tensors)


class Stopped(Exception):
    pass


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, None])
def test_a_stopped_run_ends_as_one_that_was_not(
    floats: tuple[Path, Result], tmp_path: Path, how: signal.Signals | None
) -> None:
    """In the middle of the second epoch: by a signal, or by an error after a checkpoint."""
    per_epoch = batches.steps_per_epoch(len(DATA[0]), small.RECIPE.batch_size)
    stop = per_epoch + 3

    def watch(progress: Progress) -> None:
        if progress.step == stop:
            if how is None:
                raise Stopped
            signal.raise_signal(how)

    def terminate(number: int, frame: object) -> None:
        raise SystemExit(number)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        with pytest.raises((KeyboardInterrupt, SystemExit) if how is not None else Stopped):
            train(tmp_path, watch=watch, save_seconds=1e9 if how is not None else 0.0)
    finally:
        signal.signal(signal.SIGTERM, before)
    saved = checkpoint.load(tmp_path / "float.checkpoint")
    assert saved is not None
    assert saved["step"] == stop
    again = train(tmp_path)
    _, expected = floats
    assert again.weights.keys() == expected.weights.keys()
    for name, value in expected.weights.items():
        assert torch.equal(again.weights[name], value), name
    timeless = [[{**row, "seconds": 0} for row in result.log] for result in (again, expected)]
    assert timeless[0] == timeless[1]


def test_a_finished_run_is_not_run_again(floats: tuple[Path, Result]) -> None:
    folder, result = floats
    content = (folder / "float.checkpoint").read_bytes()
    again = train(folder)
    assert again.log == result.log
    assert (folder / "float.checkpoint").read_bytes() == content
    assert len((folder / "float.jsonl").read_text().splitlines()) == small.RECIPE.epochs


def test_a_longer_run_goes_on_from_where_the_rate_began_to_fall(floats: tuple[Path, Result], tmp_path: Path) -> None:
    """It ends as one that was that long at first; one that is shorter cannot be had from what is there."""
    shutil.copytree(floats[0], tmp_path / "longer")
    steps: list[int] = []
    longer = train(tmp_path / "longer", small.recipe(epochs=5), watch=lambda progress: steps.append(progress.step))
    per_epoch = batches.steps_per_epoch(len(DATA[0]), small.RECIPE.batch_size)
    assert steps == list(range(2 * per_epoch + 1, 5 * per_epoch + 1))
    (tmp_path / "anew").mkdir()
    anew = train(tmp_path / "anew", small.recipe(epochs=5))
    for name, value in anew.weights.items():
        assert torch.equal(longer.weights[name], value), name
    assert [row["training_loss"] for row in longer.log] == [row["training_loss"] for row in anew.log]
    with pytest.raises(UserError, match=r"its learning rate falls already, later than it would in 2 epochs"):
        train(tmp_path / "longer", small.recipe(epochs=2))


def test_what_quantized_training_begins_anew(
    floats: tuple[Path, Result], integers: IntegerNetwork, tmp_path: Path
) -> None:
    """Float weights that have gone on since; another number of epochs, whose rates differ from the first step on."""
    shutil.copytree(floats[0], tmp_path, dirs_exist_ok=True)
    assert (tmp_path / "quantized.checkpoint").is_file()
    for epochs, again in ((1, True), (1, False), (2, True)):
        other = IntegerNetwork(small.network(3), batches.to_float(DATA[0].images[:64]))
        steps: list[int] = []
        phase = quantized_phase(small.recipe(quantized_epochs=epochs))
        loop.train(
            other.module, small.RECIPE, phase, DATA, tmp_path, watch=lambda at, steps=steps: steps.append(at.step)
        )
        assert steps[:1] == [1] * again


def test_training_that_spoils_the_integers_gives_the_first_ones(floats: tuple[Path, Result], tmp_path: Path) -> None:
    network = small.network()
    network.load_state_dict(floats[1].weights)
    integers = IntegerNetwork(network, batches.to_float(DATA[0].images[:64]))
    before = {name: value.clone() for name, value in integers.module.state_dict().items()}
    reached = loop.accuracy(integers.module, DATA[1])
    wrong = Labelled(DATA[0].images, (DATA[0].labels + 1) % small.CLASSES)
    phase = quantized_phase(small.recipe(quantized_learning_rate=0.05, quantized_epochs=2))
    result = loop.train(integers.module, small.RECIPE, phase, (wrong, DATA[1]), tmp_path)
    assert result.log[-1]["validation_top1_percent"] < reached
    assert (result.accuracy, result.epoch) == (reached, 0)
    assert all(torch.equal(result.weights[name], value) for name, value in before.items())


def test_another_recipe_does_not_go_on(floats: tuple[Path, Result]) -> None:
    folder, _ = floats
    with pytest.raises(UserError, match=r"float.checkpoint: is of a run with seed 5, now it is 6") as caught:
        train(folder, small.recipe(seed=6))
    assert "another folder" in caught.value.help


def test_other_first_weights_do_not_go_on(floats: tuple[Path, Result]) -> None:
    network, data = small.network(3), (DATA[0], DATA[1])
    with pytest.raises(UserError, match=r"float.checkpoint: is of a run that began with other weights"):
        loop.train(network, small.RECIPE, float_phase(small.RECIPE), data, floats[0])


def test_a_student_learns_from_a_teacher(floats: tuple[Path, Result], tmp_path: Path) -> None:
    teacher = small.network()
    teacher.load_state_dict(floats[1].weights)
    recipe = small.recipe(epochs=2, distillation=1.0)  # nothing but the teacher's word
    assert train(tmp_path, recipe, teacher=teacher.eval()).accuracy >= LEARNT_PERCENT
    with pytest.raises(UserError, match="is of a run with another teacher"):
        train(tmp_path, recipe, teacher=small.network(1).eval())


def test_a_loss_that_is_not_finite(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the loss is (nan|inf) at step"):
        train(tmp_path, small.recipe(learning_rate=1e20))


def test_bfloat16(tmp_path: Path) -> None:
    phase = Phase("float", 1, 0.05, mixed=True)
    result = loop.train(small.network(), small.RECIPE, phase, (DATA[1], DATA[1]), tmp_path)
    assert all(value.dtype in (torch.float32, torch.int64) for value in result.weights.values())


def test_the_learning_rate() -> None:
    schedule = Phase("float", 10, 0.5, warm_up=1, decay=0.3).schedule(per_epoch=10)
    assert schedule == Schedule(0.5, 10, 70, 100)
    rates = [schedule.rate(step) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:71] == [0.5] * 62
    assert rates[70:] == sorted(rates[70:], reverse=True)
    assert 0 < rates[-1] < 0.01
    assert Phase("float", 100, 0.5, warm_up=1, decay=0.3).schedule(10).rate(100) == 0.5  # more epochs: as before
    assert Phase("quantized", 2, 0.5).schedule(10) == Schedule(0.5, 0, 0, 20)
    assert Phase("float", 1, 0.5, warm_up=2).schedule(10).rate(0) == 0.5  # nothing but a fall


def test_weights_of_small_networks_are_no_bundled_ones(integers: IntegerNetwork) -> None:
    weights = integers.weights("resnet8", {})
    assert {str(tensor.dtype) for tensor in weights.tensors.values()} == {"int8", "int16"}
    with pytest.raises(UserError, match="does not fit resnet8"):
        Weights("resnet8", weights.tensors, weights.exponents).quantized()
