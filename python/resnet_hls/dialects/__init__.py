# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The project's MLIR dialects; their sources are in the folder `dialects/` at the root of the repository.

An installed package holds them in this folder. A source tree that is on `sys.path` without being installed finds them
at the root of the repository.
"""

from pathlib import Path

_AT_ROOT = Path(__file__).resolve().parents[3] / "dialects"
if (_AT_ROOT / "hls" / "hls.py").is_file():
    __path__.append(str(_AT_ROOT))
