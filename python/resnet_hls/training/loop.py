# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The training loop: steps, moving average, validation, checkpoints, log. It does not know what it trains.

A run that was stopped, at whatever step, goes on from its checkpoint and ends with the weights of one that was not. One
that shall be longer goes on from where its learning rate began to fall, and ends as if it had been so long at first.
Importing this module imports PyTorch.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from resnet_hls.errors import UserError
from resnet_hls.training import batches, checkpoint
from resnet_hls.training.batches import Labelled
from resnet_hls.training.recipe import Recipe, Schedule

_EVALUATION_BATCH = 500

Watch = Callable[["Progress"], None]


@dataclass(frozen=True)
class Phase:
    """One stretch of training.

    Attributes:
        name: of the phase; its files are called after it.
        epochs: how many.
        learning_rate: the highest.
        warm_up: epochs in which it rises.
        decay: share of the epochs, the last ones, in which it falls.
        cutout: see the recipe.
        mixed: compute in bfloat16 where that is safe.
    """

    name: str
    epochs: int
    learning_rate: float
    warm_up: int = 0
    decay: float = 1.0
    cutout: int = 0
    mixed: bool = False

    def schedule(self, per_epoch: int) -> Schedule:
        """The learning rate, for epochs of `per_epoch` steps."""
        level = self.epochs - max(1, round(self.epochs * self.decay))
        return Schedule(self.learning_rate, self.warm_up * per_epoch, level * per_epoch, self.epochs * per_epoch)


def float_phase(recipe: Recipe, mixed: bool = False) -> Phase:
    """Training from random weights."""
    return Phase("float", recipe.epochs, recipe.learning_rate, recipe.warm_up, recipe.decay, recipe.cutout, mixed)


def quantized_phase(recipe: Recipe) -> Phase:
    """Training in the compiler's arithmetic: images are shifted and flipped, and that is all."""
    return Phase("quantized", recipe.quantized_epochs, recipe.quantized_learning_rate)


@dataclass(frozen=True)
class Progress:
    """Where a phase is: after `step` of `steps`; `row` is the log's newest, where an epoch has just ended."""

    phase: str
    step: int
    steps: int
    loss: float
    row: dict[str, Any] | None


@dataclass(frozen=True)
class Result:
    """What a phase gives: the averaged weights of its best epoch on the validation images, and its log."""

    weights: dict[str, Tensor]
    accuracy: float
    epoch: int
    log: list[dict[str, Any]]


def train(
    network: nn.Module,
    recipe: Recipe,
    phase: Phase,
    data: tuple[Labelled, Labelled],
    folder: Path,
    *,
    teacher: nn.Module | None = None,
    save_seconds: float = 300.0,
    watch: Watch = lambda progress: None,
) -> Result:
    """Train `network` in place, from the checkpoint of this phase in `folder` where there is one.

    Args:
        network: takes images (N, C, H, W), float32 in 0..1, and gives logits (N, classes).
        recipe: what does not differ between phases.
        phase: what does.
        data: training and validation images, on the network's device.
        folder: for `PHASE.checkpoint`, `PHASE-level.checkpoint` from before the learning rate falls, and the log
            `PHASE.jsonl`, an epoch a line.
        teacher: whose logits are learnt too.
        save_seconds: between two checkpoints inside an epoch; one is also written when the run is interrupted.
        watch: called after every step.

    Raises:
        UserError: the checkpoint is damaged, is of another recipe, or cannot be written; the loss is not finite.
    """
    training, validation = data
    per_epoch = batches.steps_per_epoch(len(training), recipe.batch_size)
    state = _State(network, recipe, phase, folder, per_epoch, teacher)
    state.restore()
    began = saved = time.monotonic()
    spent = state.seconds
    with _signals() as received:
        while state.step < state.schedule.steps and not received:
            if 0 < state.step == state.schedule.level:
                state.save(state.level_path)
            _step(state, training)
            now = time.monotonic()
            state.seconds = spent + now - began
            row = state.end_epoch(validation) if state.step % per_epoch == 0 else None
            if row is not None or now - saved > save_seconds:
                state.save()
                saved = now
            watch(
                Progress(phase.name, state.step, state.schedule.steps, state.loss / max(1, state.step % per_epoch), row)
            )
        if received:
            state.save()
    if received:
        signal.raise_signal(received[0])
    return Result(state.best, state.best_accuracy, state.best_epoch, state.log)


def accuracy(network: nn.Module, data: Labelled) -> float:
    """The share of `data` whose greatest logit is at the label, in percent; `network` is left in eval mode."""
    if not isinstance(network, torch.fx.GraphModule):
        network.eval()
    right = 0
    # NNPACK's fast convolutions round where the direct ones are exact.
    with torch.no_grad(), torch.backends.nnpack.flags(enabled=False):
        for start in range(0, len(data), _EVALUATION_BATCH):
            logits = network(batches.to_float(data.images[start : start + _EVALUATION_BATCH]))
            right += int((logits.argmax(1) == data.labels[start : start + _EVALUATION_BATCH]).sum())
    return 100.0 * right / len(data)


class _State:
    """All that a checkpoint holds, and how it got there."""

    def __init__(
        self, network: nn.Module, recipe: Recipe, phase: Phase, folder: Path, per_epoch: int, teacher: nn.Module | None
    ) -> None:
        self.network, self.recipe, self.phase, self.teacher = network, recipe, phase, teacher
        self.per_epoch, self.schedule = per_epoch, phase.schedule(per_epoch)
        self.path, self.log_path = folder / f"{phase.name}.checkpoint", folder / f"{phase.name}.jsonl"
        self.level_path = folder / f"{phase.name}-level.checkpoint"
        self.start = _checksum(network)
        for module in (network, *([] if teacher is None else [teacher])):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # twice as fast on CPUs
        decayed = [parameter for parameter in network.parameters() if parameter.ndim > 1]
        others = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
        self.optimizer = torch.optim.SGD(
            [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}],
            lr=0.0,
            momentum=recipe.momentum,
            nesterov=True,
        )
        self.average = _copy(network)
        self.best, self.best_accuracy, self.best_epoch = _copy(network), -1.0, 0
        self.step, self.loss, self.seconds = 0, 0.0, 0.0
        self.log: list[dict[str, Any]] = []

    def restore(self) -> None:
        """Go on from the checkpoint where there is one of the same beginning."""
        where, saved = self.path, checkpoint.load(self.path)
        if saved is None:
            return
        self._compare(saved, where)
        if saved.get("start") != self.start:
            return  # quantized training of float weights that have gone on since
        if saved.get("epochs") != self.phase.epochs and not self._level(saved):
            where, saved = self.level_path, checkpoint.load(self.level_path)
            if saved is None or not self._level(saved) or saved.get("start") != self.start:
                message = (
                    "the learning rate has begun to fall for another number of epochs, and not later than for this"
                )
                help = "give the same number, or more"
                raise UserError(message, where=str(self.path), help=help)
            self._compare(saved, where)
        self._take(saved, str(where))

    def _compare(self, saved: dict[str, Any], where: Path) -> None:
        for name, value in self._identity().items():
            if (found := saved.get("made", {}).get(name)) != value:
                help = "give the same options to go on, or another folder to train anew"
                raise UserError(f"is of a run with {name} {found}, now it is {value}", where=str(where), help=help)

    def _level(self, saved: dict[str, Any]) -> bool:
        """Whether the steps behind a checkpoint are the same for any number of epochs that is not too small."""
        then = dataclasses.replace(self.phase, epochs=saved.get("epochs", 1)).schedule(self.per_epoch)
        return int(saved.get("step", 0)) <= min(then.level, self.schedule.level)

    def _take(self, saved: dict[str, Any], where: str) -> None:
        try:
            self.network.load_state_dict(saved["network"])
            self.optimizer.load_state_dict(saved["optimizer"])
            device = next(self.network.parameters()).device
            self.average = {name: value.to(device) for name, value in saved["average"].items()}
            self.best = {name: value.to(device) for name, value in saved["best"].items()}
            self.best_accuracy, self.best_epoch = saved["best_accuracy"], saved["best_epoch"]
            self.step, self.loss, self.seconds = saved["step"], saved["loss"], saved["seconds"]
            self.log = saved["log"]
        except (KeyError, RuntimeError, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"is no checkpoint of this network: {reason}", where=where, help="delete it") from error

    def save(self, path: Path | None = None) -> None:
        checkpoint.save(
            self.path if path is None else path,
            {
                "made": self._identity(),
                "start": self.start,
                "epochs": self.phase.epochs,
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average,
                "best": self.best,
                "best_accuracy": self.best_accuracy,
                "best_epoch": self.best_epoch,
                "step": self.step,
                "loss": self.loss,
                "seconds": self.seconds,
                "log": self.log,
            },
        )
        checkpoint.write(self.log_path, "".join(json.dumps(row) + "\n" for row in self.log).encode())

    def _identity(self) -> dict[str, Any]:
        common = ("network", "batch_size", "momentum", "weight_decay", "label_smoothing", "average", "held_out", "seed")
        recipe = self.recipe.as_json()
        made = {"steps of an epoch": self.per_epoch, **{name: recipe[name] for name in common}}
        if self.teacher is not None:
            made |= {"distillation": self.recipe.distillation, "temperature": self.recipe.temperature}
        made["teacher"] = None if self.teacher is None else _checksum(self.teacher)
        phase = dataclasses.asdict(self.phase)
        del phase["epochs"]  # which may grow
        return {**made, **phase}

    def end_epoch(self, validation: Labelled) -> dict[str, Any]:
        """Evaluate the average, keep it where it is the best so far, and write a row of the log."""
        now = _copy(self.network)
        self.network.load_state_dict(self.average)
        percent = accuracy(self.network, validation)
        self.network.load_state_dict(now)
        epoch = self.step // self.per_epoch
        if percent >= self.best_accuracy:
            self.best = {name: value.clone() for name, value in self.average.items()}
            self.best_accuracy, self.best_epoch = percent, epoch
        row = {
            "phase": self.phase.name,
            "epoch": epoch,
            "step": self.step,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "training_loss": self.loss / self.per_epoch,
            "validation_top1_percent": percent,
            "seconds": round(self.seconds, 1),
        }
        self.log.append(row)
        self.loss = 0.0
        return row


def _step(state: _State, training: Labelled) -> None:
    recipe, phase, network = state.recipe, state.phase, state.network
    images, labels = batches.training_batch(training, recipe.batch_size, state.step, recipe.seed, phase.cutout)
    rate = state.schedule.rate(state.step)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    if not isinstance(network, torch.fx.GraphModule):
        network.train()
    with torch.autocast(images.device.type, torch.bfloat16, enabled=phase.mixed):
        logits = network(images).float()
    loss = functional.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
    if state.teacher is not None:
        taught = distillation(logits, state.teacher, images, recipe.temperature)
        loss = torch.lerp(loss, taught, recipe.distillation)
    value = float(loss.detach())
    if value != value or value in (float("inf"), float("-inf")):
        help = "train with a lower --learning-rate"
        raise UserError(f"the loss is {value} at step {state.step}", where=phase.name, help=help)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.step()
    _follow(state.average, network, min(recipe.average, (1 + state.step) / (10 + state.step)))
    state.loss += value
    state.step += 1


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """SIGINT and SIGTERM received so far; they interrupt nothing in here, so that no step is half done."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received  # only the main thread gets any
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, frame: received.append(number)) for number in numbers]
    try:
        yield received
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def distillation(logits: Tensor, teacher: nn.Module, images: Tensor, temperature: float) -> Tensor:
    """The divergence of `logits` (N, classes) from the teacher's, both softened, times the temperature squared."""
    with torch.no_grad():
        target = functional.log_softmax(teacher(images) / temperature, 1)
    softened = functional.log_softmax(logits / temperature, 1)
    return functional.kl_div(softened, target, reduction="batchmean", log_target=True) * temperature**2


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _follow(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    """Move the floats of `average` towards `network`; counters are taken over."""
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value.detach(), 1 - decay)
        else:
            average[name].copy_(value)


def _checksum(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for value in network.state_dict().values():
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
