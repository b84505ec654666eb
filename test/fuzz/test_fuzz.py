# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small share of each target, the same cases every time; `campaign.py` runs thousands (docs/hardening.md)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1] / "frontend")]

import workers  # noqa: E402
from targets import available  # noqa: E402

from resnet_hls.cli import main  # noqa: E402

#: Cases of each target: about a second each.
SHARE = {
    "onnx": 12, "mlir": 25, "bytecode": 25, "translate": 15, "pipelines": 30, "boards": 100, "factors": 100,
    "names": 300, "manifests": 40, "images": 100, "project": 10, "stages": 4, "commands": 12, "weights": 40,
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest project."""
    from onnx_builders import Net, save

    net = Net("qdq", shape=(1, 2, 4, 4))
    x = net.quant("input/quant", net.input, 2.0**-6)
    folder = tmp_path_factory.mktemp("fuzzed")
    model = save(net.model(net.quant("out/quant", net.conv("conv", x, 2, 1), 2.0**-4)), folder / "m.onnx")
    assert main(["build", model, "-o", str(folder / "project"), "--effort", "1", "--max-dsp", "8"]) == 0
    return folder / "project"


@pytest.mark.parametrize("target", SHARE)
def test_share(target: str, project: Path, tmp_path: Path) -> None:
    outcome = workers.run(target, available(project)[target](), range(SHARE[target]), tmp_path)
    assert outcome.cases == SHARE[target]
    assert [str(finding) for finding in outcome.findings] == []
    assert sum(outcome.verdicts.values()) - outcome.verdicts["accepted"] > 0 or target == "factors"


def test_crashes_hangs_and_exceptions_are_findings(tmp_path: Path) -> None:
    """The fuzzer itself."""
    import os
    import time

    def case(numbers: object, folder: Path) -> str:
        number = int(folder.name)
        if number == 1:
            os.abort()
        if number == 2:
            time.sleep(60)
        if number == 3:
            raise KeyError("x")
        if number == 4:
            os.write(2, b"Traceback (most recent call last):")
        return "fine"

    outcome = workers.run("itself", case, range(6), tmp_path, limit=0.5)
    assert outcome.verdicts == {"fine": 2}
    said = [finding.what for finding in outcome.findings]
    assert said[0] == "the process ended with signal SIGABRT"
    assert said[1] == "did not end within 0.5 s"
    assert said[2].startswith("KeyError: 'x' (")
    assert said[3].startswith("printed Traceback")
    assert [finding.number for finding in outcome.findings] == [1, 2, 3, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "3", "4"]  # what is to be looked at
