# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The training loop: steps, moving average, validation, checkpoints, log. It does not know what it trains.

A run that was stopped, at whatever step, goes on from its checkpoint and ends with the weights of one that was not. One
that shall be longer goes on from where its learning rate began to fall, and ends as if it had been so long at first.
Importing this module imports PyTorch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from resnet_hls.errors import UserError, signals_deferred
from resnet_hls.training import batches
from resnet_hls.training.batches import Labelled
from resnet_hls.training.recipe import Phase, Recipe
from resnet_hls.training.state import State

_EVALUATION_BATCH = 500

Watch = Callable[["Progress"], None]


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
    """What a phase gives: the averaged weights of its best epoch on the validation images, and its log.

    The best epoch is 0 where none gave better weights than the first ones.
    """

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
    beginning: nn.Module | None = None,
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
        beginning: what `network` was made of, if it was: a checkpoint is of that.
        save_seconds: between two checkpoints inside an epoch; one is also written when the run is interrupted.
        watch: called after every step.

    Raises:
        UserError: the checkpoint is damaged, is of another recipe, or cannot be written; the loss is not finite.
    """
    training, validation = data
    per_epoch = batches.steps_per_epoch(len(training), recipe.batch_size)
    state = State(network, recipe, phase, folder, per_epoch, teacher, beginning)
    state.restore()
    if state.step == 0:  # what is trained on may be good already
        state.best_accuracy = accuracy(network, validation)
    began = saved = time.monotonic()
    spent = state.seconds
    with signals_deferred() as received:
        while state.step < state.schedule.steps and not received:
            if 0 < state.step == state.schedule.level:
                state.save(state.level_path)
            _step(state, training)
            now = time.monotonic()
            state.seconds = spent + now - began
            row = state.end_epoch(lambda: accuracy(network, validation)) if state.step % per_epoch == 0 else None
            if row is not None or now - saved > save_seconds:
                state.save()
                saved = now
            watch(
                Progress(phase.name, state.step, state.schedule.steps, state.loss / max(1, state.step % per_epoch), row)
            )
        if received:
            state.save()
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


def _step(state: State, training: Labelled) -> None:
    recipe, phase, network = state.recipe, state.phase, state.network
    images, labels = batches.training_batch(training, recipe.batch_size, state.step, recipe.seed, phase.cutout)
    rate = state.schedule.rate(state.step)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    if not isinstance(network, torch.fx.GraphModule):
        network.train()
    with torch.autocast(images.device.type, torch.bfloat16, enabled=phase.mixed):
        logits = network(images).float()
        if state.teacher is not None:
            with torch.no_grad():
                lesson = state.teacher(images).float()
    loss = functional.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing)
    if state.teacher is not None:
        loss = torch.lerp(loss, distillation(logits, lesson, recipe.temperature), recipe.distillation)
    value = float(loss.detach())
    if value != value or value in (float("inf"), float("-inf")):
        help = "train with a lower --learning-rate"
        raise UserError(f"the loss is {value} at step {state.step}", where=phase.name, help=help)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.step()
    state.follow()
    state.loss += value
    state.step += 1


def distillation(logits: Tensor, lesson: Tensor, temperature: float) -> Tensor:
    """The divergence of `logits` (N, classes) from a teacher's, both softened, times the temperature squared."""
    target = functional.log_softmax(lesson / temperature, 1)
    softened = functional.log_softmax(logits / temperature, 1)
    return functional.kl_div(softened, target, reduction="batchmean", log_target=True) * temperature**2
