# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tests of this folder share `sample_project`, compilers and a cache of their own."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sample_project import Sample, write_sample


@pytest.fixture(params=["g++", "clang++"])
def compiler(request: pytest.FixtureRequest) -> str:
    """Each C++ compiler that is there."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"needs {name}")
    return name


@pytest.fixture(scope="session")
def xilinx_headers() -> Path:
    """The folder of the vendor's headers."""
    from resnet_hls.errors import UserError
    from resnet_hls.simulate import csim

    try:
        return csim.xilinx_headers()
    except UserError as error:
        pytest.skip(f"needs hls4ml: {error}")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Executables of the tests stay out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_HLS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Sample:
    """A hand-written project; do not change it."""
    return write_sample(tmp_path_factory.mktemp("sample") / "project", repository / "lib" / "include")
