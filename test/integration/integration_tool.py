# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls` as a user starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Protocol

Done = subprocess.CompletedProcess[str]


class Tool(Protocol):
    """Runs `resnet-hls` of the environment that runs the tests."""

    def __call__(self, *arguments: object, cwd: Path | None = None) -> Done: ...


class RealDesign(Protocol):
    """Builds a network, bundled or in a file, for a board; what was built before is there."""

    def __call__(self, model: str | Path, board: str) -> Path: ...


def resnet_hls(*arguments: object, cwd: Path | None = None) -> Done:
    """What the command did and said."""
    command = [Path(sys.executable).with_name("resnet-hls"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=cwd)
