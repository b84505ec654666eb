# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where a phase of training is, as a checkpoint has it, and from which checkpoint it may go on.

Importing this module imports PyTorch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resnet_hls.errors import UserError
from resnet_hls.training import checkpoint
from resnet_hls.training.recipe import Phase, Recipe


class State:
    """All that a checkpoint holds: where a phase is.

    Raises:
        UserError: in `restore` and `save`, a checkpoint that is damaged, of another recipe, or cannot be written.
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        phase: Phase,
        folder: Path,
        per_epoch: int,
        teacher: nn.Module | None,
        beginning: nn.Module | None,
    ) -> None:
        self.network, self.recipe, self.phase, self.teacher = network, recipe, phase, teacher
        self.per_epoch, self.schedule = per_epoch, phase.schedule(per_epoch)
        self.path, self.log_path = folder / f"{phase.name}.checkpoint", folder / f"{phase.name}.jsonl"
        self.level_path = folder / f"{phase.name}-level.checkpoint"
        # Batch norms that were put back have statistics of this machine, which those of what they come from are not.
        self.start = _checksum(network if beginning is None else beginning)
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
        if self.phase.decay == 1.0 and (saved.get("start"), saved.get("epochs")) != (self.start, self.phase.epochs):
            return  # the float weights have gone on since, or all rates are others: it falls from the first step on
        if saved.get("start") != self.start:
            help = "give the same --begin-with, which must not have gone on since, or another folder to train anew"
            raise UserError("is of a run that began with other weights", where=str(self.path), help=help)
        if saved.get("epochs") != self.phase.epochs and not self._level(saved):
            where, saved = self.level_path, checkpoint.load(self.level_path)
            if saved is None or not self._level(saved) or saved.get("start") != self.start:
                message = f"its learning rate falls already, later than it would in {self.phase.epochs} epochs"
                help = "give more epochs, or another folder to train anew"
                raise UserError(message, where=str(self.path), help=help)
            self._compare(saved, where)
        self._take(saved, str(where))

    def _compare(self, saved: dict[str, Any], where: Path) -> None:
        for name, value in self._identity().items():
            if (found := saved.get("made", {}).get(name)) != value:
                help = "give the same options to go on, or another folder to train anew"
                now = f"{name} {found}, now it is {value}"
                if name == "teacher":  # checksums tell people nothing
                    now = "no teacher" if found is None else "a teacher" if value is None else "another teacher"
                raise UserError(f"is of a run with {now}", where=str(where), help=help)

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
        """Write the checkpoint, or another one, and the log."""
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

    def end_epoch(self, evaluate: Callable[[], float]) -> dict[str, Any]:
        """Let the network with averaged weights be evaluated, keep them where they are the best, and add to the log."""
        now = _copy(self.network)
        self.network.load_state_dict(self.average)
        percent = evaluate()
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

    def follow(self) -> None:
        """Move the average towards the network, faster in the first steps."""
        decay = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value.detach(), 1 - decay)
            else:
                self.average[name].copy_(value)


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _checksum(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for value in network.state_dict().values():
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
