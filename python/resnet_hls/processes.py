# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Python processes of the package's own modules, and how many may run at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from resnet_hls.errors import UserError

#: The environment variable that says how many processes may run at the same time.
JOBS = "RESNET_HLS_JOBS"
_PACKAGE = Path(__file__).resolve().parents[1]


def start(module: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """`python -m module arguments…`, with this installation of the package; `options` are those of `subprocess.Popen`.

    Its working directory is not searched for modules, so that nothing there can stand in for one.
    """
    path = os.pathsep.join(filter(None, (str(_PACKAGE), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
    return subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment, **options)


def most() -> int:
    """Processes that may run at the same time: $RESNET_HLS_JOBS, else as many as there are processors for this one.

    Raises:
        UserError: the variable is no number above 0.
    """
    chosen = os.environ.get(JOBS)
    if not chosen:
        return len(os.sched_getaffinity(0))
    if not chosen.isdecimal() or int(chosen) < 1:
        raise UserError(f"{JOBS} is {chosen!r}, expected a number above 0", help=f"unset {JOBS}, or set it to 1")
    return int(chosen)
