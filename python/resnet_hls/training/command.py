# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `resnet-hls train` does: float training, training in integer arithmetic, a file of weights.

Importing this module is cheap; `run` imports PyTorch.
"""

from __future__ import annotations

import contextlib
import dataclasses
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_hls.errors import UserError
from resnet_hls.locks import Lock, locked
from resnet_hls.models import BUNDLED
from resnet_hls.models.weights import OF_A_RUN
from resnet_hls.progress import shown
from resnet_hls.training.recipe import RECIPES, Phase, Recipe, float_phase, quantized_phase

if TYPE_CHECKING:
    import torch
    from torch import nn

    from resnet_hls.models.resnet import ResNet
    from resnet_hls.training.batches import Labelled
    from resnet_hls.training.loop import Progress, Result
    from resnet_hls.training.origin import Origin

CARD = "card.md"


@dataclass(frozen=True)
class Request:
    """A command line.

    Attributes:
        network: a bundled name.
        data: CIFAR-10's folder.
        folder: of the run: checkpoints, logs, and in the end the weights and their card.
        changes: to the recipe, by its field names.
        threads: of PyTorch; None for its own choice.
        device: `cpu` or `cuda`.
        mixed: float training in bfloat16.
        teacher: whose float network is learnt from: a bundled name, a file of weights, or the folder of a run.
        beginning: the same, of this network, whose float weights are the first ones; None for random ones.
        export: a second place for the weights.
    """

    network: str
    data: Path
    folder: Path
    changes: dict[str, Any]
    threads: int | None = None
    device: str = "cpu"
    mixed: bool = False
    teacher: str | None = None
    beginning: str | None = None
    export: Path | None = None


def run(request: Request, quiet: bool = False) -> int:
    """Train, or go on training, and write the weights; returns the exit status. If `quiet`, nothing is printed.

    Raises:
        UserError: no such network, no data, a damaged checkpoint, no such device, a folder that cannot be written
            or that another run trains in.
    """
    recipe = _recipe(request)
    from resnet_hls.frontend.torch_factory import require

    require("torch", "torchao", "safetensors")
    given = _given(request, recipe)
    with _taken(request.folder):
        return _train(request, recipe, given, quiet)


@dataclass(frozen=True)
class _Given:
    """What a run starts from; on the device, but for the beginning and the test images."""

    device: torch.device
    network: ResNet
    beginning: Origin | None
    teacher: Origin | None
    training: Labelled
    validation: Labelled
    test: Labelled


def _given(request: Request, recipe: Recipe) -> _Given:
    import torch

    from resnet_hls.data import cifar10
    from resnet_hls.models import resnet
    from resnet_hls.training import batches, origin

    device = _device(request)
    training, validation = (part.to(device) for part in batches.load(request.data, recipe.held_out))
    images, labels = cifar10.load(request.data, "test", check_md5=True)
    test = batches.Labelled(torch.from_numpy(images), torch.from_numpy(labels))
    teacher = None if request.teacher is None else origin.find(request.teacher, "--teacher")
    beginning = None
    if request.beginning is None:
        network = resnet.seeded(BUNDLED[request.network].blocks, recipe.seed)
    else:
        beginning = origin.find(request.beginning, "--begin-with", request.network)
        network = resnet.unfolded(beginning.network, _calibration(training, recipe), recipe.seed)
    if teacher is not None:
        teacher.network.to(device).eval()
    return _Given(device, network.to(device), beginning, teacher, training, validation, test)


@contextlib.contextmanager
def _taken(folder: Path) -> Iterator[None]:
    """Have `folder` for one run alone."""
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(locked(folder))
        except OSError as error:
            raise UserError(f"cannot be a run's folder: {error.strerror}", where=str(folder)) from error
        if lock is Lock.ANOTHERS:
            raise UserError("another run trains here", where=str(folder), help="wait for it, or give another folder")
        yield


def _train(request: Request, recipe: Recipe, given: _Given, quiet: bool) -> int:
    import torch

    from resnet_hls.training import checkpoint, loop
    from resnet_hls.training.card import card
    from resnet_hls.training.integer_network import IntegerNetwork

    network, data = given.network, (given.training, given.validation)
    teacher = None if given.teacher is None else given.teacher.network

    def say(line: str) -> None:
        if not quiet:
            print(line, flush=True)

    def fit(module: nn.Module, phase: Phase, beginning: nn.Module | None = None) -> Result:
        with shown(quiet) as told:

            def watch(progress: Progress) -> None:
                told(f"{progress.phase}, loss {progress.loss:.3f}", progress.step, progress.steps)
                if progress.row is not None:
                    say(_epoch_line(progress.row))

            result = loop.train(
                module, recipe, phase, data, request.folder, teacher=teacher, beginning=beginning, watch=watch
            )
        module.load_state_dict(result.weights)
        say(f"{phase.name}: {result.accuracy:.2f} % of the validation images, best in epoch {result.epoch}")
        return result

    beginning = None if given.beginning is None else given.beginning.network
    floats = fit(network, float_phase(recipe, request.mixed), beginning)
    integers = IntegerNetwork(network.cpu(), _calibration(given.training, recipe))
    module = integers.module.to(given.device)
    quantized = fit(module, quantized_phase(recipe))
    module.cpu()
    # Everything is chosen; only now is a test image looked at.
    integer = integers.quantized()
    reached = {
        "float": loop.accuracy(network, given.test),
        "fake_quantized": loop.accuracy(module, given.test),
        "integer": loop.accuracy(integer.module, given.test),
    }
    training_facts = {
        "recipe": recipe.as_json(),
        "run": request.folder.resolve().name,
        "teacher": None if given.teacher is None else given.teacher.as_json(),
        "beginning": None if given.beginning is None else given.beginning.as_json(),
        "validation_top1_percent": {"float": floats.accuracy, "fake_quantized": quantized.accuracy},
        "test_top1_percent": reached,
        "seconds": {"float": floats.log[-1]["seconds"], "quantized": quantized.log[-1]["seconds"]},
        "bfloat16": request.mixed,
        "threads": request.threads,
        "hardware": _hardware(given.device),
        "torch": torch.__version__,
    }
    weights = integers.weights(request.network, training_facts)
    content = weights.to_bytes()
    for path in (request.folder / OF_A_RUN, *([request.export] if request.export else [])):
        checkpoint.write(path, content)
    checkpoint.write(request.folder / CARD, card(weights).encode())
    for note in integer.notes:
        say(f"note: {note}")
    say("test: " + ", ".join(f"{kind.replace('_', '-')} {top1:.2f} %" for kind, top1 in reached.items()))
    say(f"train: wrote {request.folder / OF_A_RUN}; `resnet-hls build` takes it")
    return 0


def _calibration(training: Labelled, recipe: Recipe) -> torch.Tensor:
    """Images as the networks take them, on the CPU."""
    from resnet_hls.training import batches

    return batches.to_float(training.images[: recipe.calibration_images].cpu())


def _recipe(request: Request) -> Recipe:
    if request.network not in RECIPES:
        raise UserError(f"no network is called '{request.network}'", help=f"give {' or '.join(RECIPES)}", status=2)
    changes = {name: value for name, value in request.changes.items() if value is not None}
    for name, value in changes.items():
        if value < (0 if name == "seed" else 1 if isinstance(value, int) else 1e-9):
            raise UserError(f"--{name.replace('_', '-')} {value}", help="give more", status=2)
    return dataclasses.replace(RECIPES[request.network], **changes)


def _device(request: Request) -> torch.device:
    import torch

    if request.threads is not None:
        if request.threads < 1:
            raise UserError(f"--threads {request.threads}", help="give one at least", status=2)
        torch.set_num_threads(request.threads)
    if request.device == "cuda" and not torch.cuda.is_available():
        help = "take --device cpu, or a PyTorch with CUDA"
        raise UserError("PyTorch finds no CUDA device", where="--device cuda", help=help)
    # What a step gives must not depend on the run, and integers must stay exact.
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(request.device)


def _hardware(device: torch.device) -> str:
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    threads = torch.get_num_threads()
    return f"{model}, {threads} thread{'s' if threads > 1 else ''}"


def _epoch_line(row: Mapping[str, Any]) -> str:
    """What an epoch has come to."""
    return (
        f"{row['phase']} epoch {row['epoch']}: training loss {row['training_loss']:.3f}, "
        f"validation {row['validation_top1_percent']:.2f} %, {row['seconds']:,.0f} s"
    )
