# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit: every .mlir file below this folder is a test; `.venv/bin/lit test` runs them."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import lit.formats

config: Any = globals()["config"]  # lit puts it there
_repository = Path(__file__).resolve().parents[1]
_tools = Path(sys.executable).parent
_shared = _repository.parent / "shared"

config.name = "resnet-hls"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["Inputs"]
config.test_source_root = str(_repository / "test")
config.test_exec_root = str(_repository / "build" / "lit")

# resnet-opt, resnet-translate, resnet-hls and filecheck (the one of PyPI) come from the environment that runs lit.
config.environment["PATH"] = os.pathsep.join([str(_tools), os.environ.get("PATH", "")])
config.substitutions += [("%python", sys.executable), ("%repository", str(_repository)), ("%shared", str(_shared))]

# A test that needs more says so: `REQUIRES: shared` and so on; where it is missing the test is counted as unsupported.
if (_shared / "models").is_dir():
    config.available_features.add("shared")
if importlib.util.find_spec("torch") is not None:
    config.available_features.add("torch")
for _feature, _command in (("clang", "clang++"), ("gcc", "g++")):
    if shutil.which(_command):
        config.available_features.add(_feature)
