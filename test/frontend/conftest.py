# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tests of this folder share `onnx_builders`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
