# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Float networks that training begins with or learns from: those of other runs, and those of files of weights.

Importing this module imports PyTorch.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from resnet_hls.errors import UserError
from resnet_hls.models import BUNDLED, resnet, weights
from resnet_hls.models.resnet import ResNet
from resnet_hls.training import checkpoint


@dataclass(frozen=True)
class Origin:
    """A trained network.

    Attributes:
        network: with batch norms where a run has it, folded where a file has it.
        given: how a command names it, without the folders of this machine.
        title: what it is, for people.
    """

    network: ResNet
    given: str
    title: str

    def as_json(self) -> dict[str, str]:
        """What the facts about a training tell of it."""
        return {"given": self.given, "title": self.title}


def find(given: str, option: str, wanted: str | None = None) -> Origin:
    """The trained network that `given` means, which `option` brings; of that called `wanted`.

    Args:
        given: a bundled name, the path of a file of weights, or the folder of a run.

    Raises:
        UserError: there is none, it is damaged, or another network.
    """
    if given in BUNDLED:
        name, found = _of_file(given, BUNDLED[given].weights, given)
    elif given.endswith(weights.SUFFIX):
        name, found = _of_file(given, Path(given))
    else:
        name, found = _of_run(given, option)
    if name != (wanted or name):
        help = f"give {wanted}, or a run or weights of it, as {option}"
        raise UserError(f"has weights of {name}, not of {wanted}", where=given, help=help)
    return found


def _of_file(given: str, path: Path, named: str = "") -> tuple[str, Origin]:
    """The network of a file, which a command names `named`, or by what the file is called."""
    read = weights.read(path)
    try:
        network = read.floats()
    except UserError as error:
        raise UserError(error.message, where=given, help=error.help) from error
    if not named:  # every run calls its file the same
        of_a_run = path.name == weights.OF_A_RUN and "run" in read.training
        named = f"runs/{read.training['run']}/{path.name}" if of_a_run else path.name
    sum = hashlib.sha256(path.read_bytes()).hexdigest()
    return read.network, Origin(network, named, f"{named}: {read.summary}, SHA-256 {sum[:16]}…")


def _of_run(given: str, option: str) -> tuple[str, Origin]:
    folder = Path(given)
    path = folder / "float.checkpoint"
    state = checkpoint.load(path)
    if state is None:
        help = f"give the folder of a run, a {weights.SUFFIX} file, or {' or '.join(BUNDLED)} as {option}"
        raise UserError("there is no run", where=given, help=help)
    try:
        name = state["made"]["network"]
        network = resnet.seeded(BUNDLED[name].blocks)
        network.load_state_dict(state["best"])
        epoch, begun = int(state["best_epoch"]), bool(state["log"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError("is no checkpoint of a bundled network", where=str(path), help="train it again") from error
    if not begun:
        raise UserError("no epoch of it has ended", where=given, help="let it train first")
    run = f"runs/{folder.resolve().name}"
    return name, Origin(network, run, f"float epoch {epoch} of {run}")
