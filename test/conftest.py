# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests share."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

# What every run of the tests tries, the same each time, and what someone tries who has an hour.
# The first makes no failing example smaller, which may take minutes.
settings.register_profile(
    "quick",
    max_examples=14,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "campaign", settings.get_profile("quick"), max_examples=400, derandomize=False, print_blob=True, phases=tuple(Phase)
)
settings.load_profile("quick")
# Tests run at the same time already: processes for each of their builds would only wait for one another.
os.environ["RESNET_HLS_JOBS"] = "1"

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the source tree, with real models; skips the test where there is none."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "models").is_dir():
        pytest.skip("needs ../shared/models")
    return folder


@pytest.fixture(scope="session")
def shared_dir(shared: Path) -> Path:
    """The same folder, by its longer name."""
    return shared


@pytest.fixture(scope="session")
def resnet8_onnx(shared: Path) -> Path:
    """A quantized ResNet8 (QONNX) that others trained."""
    return shared / "models" / "resnet8_a8w8b16.qonnx.onnx"


@pytest.fixture(scope="session")
def resnet20_onnx(shared: Path) -> Path:
    """A quantized ResNet20 (QONNX) that others trained."""
    return shared / "models" / "resnet20_a8w8b16.qonnx.onnx"


@pytest.fixture(scope="session")
def cifar10_dir(shared: Path) -> Path:
    """The folder cifar-10-batches-py, unpacked once per machine into the temporary folder."""
    pytest.importorskip("imagecodecs", reason="unpacking CIFAR-10 needs imagecodecs")
    target = Path(tempfile.gettempdir()) / "resnet-hls-test-cifar10"
    tool = shared / "tools" / "unpack_cifar10.py"
    if not tool.is_file():
        pytest.skip("needs ../shared/tools/unpack_cifar10.py")
    if not (target / "cifar-10-batches-py" / "batches.meta").is_file():
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            subprocess.run([sys.executable, str(tool), folder], check=True, stdout=subprocess.DEVNULL)
            with contextlib.suppress(OSError):  # another process was first
                Path(folder, "cifar-10-batches-py").rename(_made(target) / "cifar-10-batches-py")
    return target / "cifar-10-batches-py"


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
