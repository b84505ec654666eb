# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model card: what there is to know of trained weights, as Markdown. Importing this module is cheap."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from resnet_hls.training.recipe import RECIPES

if TYPE_CHECKING:
    from resnet_hls.models.weights import Weights

_OPTIONS = ("epochs", "quantized_epochs", "batch_size", "learning_rate", "quantized_learning_rate", "seed")


def card(weights: Weights) -> str:
    """The card of `weights` that this version of `resnet-hls train` made.

    The accuracy of the generated C++ is not in it: `resnet-hls verify DIR --images 10000 --data …` tells that.
    """
    facts, recipe = weights.training, weights.training["recipe"]
    validation, test, seconds = (facts[key] for key in ("validation_top1_percent", "test_top1_percent", "seconds"))
    count = sum(tensor.size for tensor in weights.tensors.values())
    rows = {
        "network": f"{weights.network}: {count:,} integers, int8 weights and int16 biases",
        "data": f"CIFAR-10's training set without its last {recipe['held_out']:,} images, which are for validation",
        "command": f"`{command(weights.network, facts)}`",
        **{
            row: facts[key]["title"]
            for row, key in (("begins with", "beginning"), ("teacher", "teacher"))
            if facts[key] is not None
        },
        "recipe": ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in recipe.items() if name != "network"),
        "hardware": f"{facts['hardware']}; PyTorch {facts['torch']}",
        "time": f"float {seconds['float'] / 3600:.1f} h, quantized {seconds['quantized'] / 3600:.1f} h",
        "top-1, validation": f"float {validation['float']:.2f} %, fake-quantized {validation['fake_quantized']:.2f} %",
        "top-1, 10,000 test images": ", ".join(
            f"{kind} {test[key]:.2f} %"
            for kind, key in (("float", "float"), ("fake-quantized", "fake_quantized"), ("integers", "integer"))
        ),
    }
    return "\n".join(("| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows.items()))) + "\n"


def command(network: str, facts: dict[str, Any]) -> str:
    """The command that trains the same weights: what differs from the network's recipe, and what decides besides."""
    recipe, usual = facts["recipe"], RECIPES[network].as_json()
    words = ["resnet-hls", "train", network, "--data", "cifar-10-batches-py", "-o", f"runs/{facts['run']}"]
    for name in _OPTIONS:
        if recipe[name] != usual[name]:
            words += [f"--{name.replace('_', '-')}", str(recipe[name])]
    for option, key in (("--teacher", "teacher"), ("--begin-with", "beginning")):
        if facts[key] is not None:
            words += [option, facts[key]["given"]]
    if facts["bfloat16"]:
        words.append("--bf16")
    if facts["threads"] is not None:
        words += ["--threads", str(facts["threads"])]
    return shlex.join(words)
