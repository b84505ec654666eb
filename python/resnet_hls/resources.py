# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the package keeps files that are no Python: the C++ headers of `lib/`."""

import hashlib
import os
from collections.abc import Iterator
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


def compiler_hash() -> str:
    """SHA-256 of what decides about the files of a project: all Python and data of the package, the sources of
    the extension module, and the C++ headers.

    The version alone does not tell two states of a source tree apart. Contents and names count; not where they lie, nor
    whether the package is installed or a source tree.
    """
    from resnet_hls.simulate._cycles import SOURCES_SHA256

    total = hashlib.sha256(SOURCES_SHA256.encode())
    for name, path in sorted(_parts()):
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _parts() -> Iterator[tuple[str, Path]]:
    """The files that count, by name."""
    for folder, inner, files in os.walk(_PACKAGE, followlinks=True):
        inner[:] = [name for name in inner if name != "__pycache__" and (Path(folder), name) != (_PACKAGE, "lib")]
        for name in files:
            path = Path(folder, name)
            if path.suffix not in (".so", ".pyc", ".safetensors"):  # weights have a sum of their own
                yield path.relative_to(_PACKAGE).as_posix(), path
    headers = library_folder("include")
    for path in headers.rglob("*.h"):
        yield f"lib/include/{path.relative_to(headers).as_posix()}", path
