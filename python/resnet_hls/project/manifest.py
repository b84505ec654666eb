# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads what `manifest.json` of a project says about the accelerator's ports."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import inf, prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_hls.errors import UserError

#: Of a dimension, as onnx_file.py has it, and of a frame.
_LARGEST, _MOST_ELEMENTS = 1 << 16, 1 << 28


@dataclass(frozen=True)
class Port:
    """The integers that pass a port.

    Args:
        shape: of one frame, without the batch axis; channels last.
        scale: real value of the integer 1.
        signed: int8 rather than uint8.
        least, greatest: what the port's quantizer clips to, where that is narrower than the type.
        zero_point: integer that stands for the real number 0.
    """

    shape: tuple[int, ...]
    scale: float
    signed: bool
    least: int | None = None
    greatest: int | None = None
    zero_point: int = 0

    @property
    def range(self) -> tuple[int, int]:
        """Least and greatest integer."""
        least, greatest = (-128, 127) if self.signed else (0, 255)
        return (least if self.least is None else self.least, greatest if self.greatest is None else self.greatest)

    def content(self) -> dict[str, Any]:
        """As `manifest.json` has it."""
        least, greatest = self.range
        return {
            "shape": self.shape,
            "scale": self.scale,
            "zero_point": self.zero_point,
            "signed": self.signed,
            "min": least,
            "max": greatest,
        }

    def to_real(self, integers: NDArray[Any]) -> NDArray[np.float32]:
        """The real numbers that integers stand for, same shape: float32, rounded once."""
        real: NDArray[np.float32] = ((integers.astype(np.int64) - self.zero_point) * self.scale).astype(np.float32)
        return real


@dataclass(frozen=True)
class Manifest:
    """The part of `manifest.json` that running the accelerator needs.

    Args:
        name: of the top function.
        source_kind: `onnx` or `torch`.
        input: shape (height, width, channels).
        output: shape as the model gives it, channels last.
        clock_mhz: of the accelerator; None where the manifest doesn't say.
    """

    name: str
    source_kind: str
    input: Port
    output: Port
    clock_mhz: float | None = None


def read(project: Path) -> Manifest:
    """The manifest of a project.

    Args:
        project: folder that `resnet-hls build` wrote.

    Raises:
        UserError: the folder is not a project, or its manifest is damaged.
    """
    path = Path(project) / "manifest.json"
    if not path.is_file() or not (Path(project) / "src").is_dir():
        raise UserError(
            "no project: it has no manifest.json and src/",
            where=str(project),
            help="name a folder that `resnet-hls build … -o DIR` wrote",
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ports = (_port(content["input"]), _port(content["output"]))
        clock = content.get("options", {}).get("clock_mhz")
        clock = None if clock is None else float(clock)
        manifest = Manifest(str(content["name"]), str(content["source_kind"]), *ports, clock)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise UserError(
            f"damaged: {type(error).__name__}: {error}", where=str(path), help="build the project again"
        ) from error
    if len(manifest.input.shape) != 3:
        raise UserError(f"the input has shape {manifest.input.shape}, expected an image", where=str(path))
    return manifest


def _port(content: Any) -> Port:
    """With or without the batch axis: an axis of 1 in front of (H, W, C), or of more than the output's elements."""
    shape = tuple(int(size) for size in content["shape"])
    if len(shape) in (2, 4):
        if shape[0] != 1:
            raise ValueError(f"shape {shape} is of several frames")
        shape = shape[1:]
    if not shape or not all(1 <= size <= _LARGEST for size in shape) or prod(shape) > _MOST_ELEMENTS:
        raise ValueError(f"no frame has shape {shape}")
    if not (0 < float(content["scale"]) < inf):
        raise ValueError(f"no scale is {content['scale']}")
    least, most = (None if content.get(key) is None else int(content[key]) for key in ("min", "max"))
    zero_point = int(content.get("zero_point", 0))
    if any(number is not None and not -128 <= number <= 255 for number in (least, most, zero_point)):
        raise ValueError(f"no byte holds {least}, {most} or {zero_point}")
    return Port(shape, float(content["scale"]), bool(content["signed"]), least, most, zero_point)
