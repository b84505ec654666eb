# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the package keeps files that are no Python: the C++ headers of `lib/`."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def library_folder(name: str) -> Path:
    """The folder `lib/<name>`: "include" (headers that emitted code includes) or "csim" (fast stand-in headers).

    A wheel holds `lib/` inside the package; a source tree has it at the root of the repository.

    Raises:
        FileNotFoundError: neither has such a folder.
    """
    for root in (_PACKAGE, _PACKAGE.parents[1]):
        folder = root / "lib" / name
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no folder lib/{name} beside {_PACKAGE}")
