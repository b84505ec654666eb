# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The hls dialect: the README's examples are those of the roundtrip test, the IRDL is valid, a dataflow can be run."""

import re
from pathlib import Path

import numpy as np
import pytest
from torch_mlir import ir

from resnet_hls.context import make_context
from resnet_hls.dialects.hls.hls import irdl_text
from resnet_hls.passes._registry import find_pass
from resnet_hls.simulate.jit import Jit

OPERATIONS = ("dataflow", "fifo", "task", "read", "write", "source", "sink", "pack", "low", "high")


def _roundtrip(repository: Path) -> str:
    return (repository / "test/dialects/hls/roundtrip.mlir").read_text(encoding="utf-8")


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_every_operation_has_a_section_and_a_round_trip(repository: Path) -> None:
    readme = (repository / "dialects/hls/README.md").read_text(encoding="utf-8")
    assert re.findall(r"### `hls\.(\w+)`", readme) == list(OPERATIONS)
    defined = re.findall(r"irdl\.operation @(\w+)", irdl_text())
    assert sorted(defined) == sorted(OPERATIONS)
    for operation in OPERATIONS:
        assert f'"hls.{operation}"(' in _roundtrip(repository)


def test_the_examples_of_the_readme_parse(repository: Path) -> None:
    readme = (repository / "dialects/hls/README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```mlir\n(.*?)```", readme, re.DOTALL)
    assert len(examples) == len(OPERATIONS) - 1
    text = _squeezed(_roundtrip(repository))
    task, *single = sorted(examples, key=len, reverse=True)
    for example in single:
        assert _squeezed(example) in text
    module = _roundtrip(repository)
    first, last = module.index('    "hls.task"()'), module.index('    "hls.sink"(')
    parsed = ir.Module.parse(module[:first] + task + module[last:], make_context())
    assert parsed.operation.verify()


def test_the_irdl_is_valid() -> None:
    with ir.Context(), ir.Location.unknown():
        assert ir.Module.parse(irdl_text()).operation.verify()


def test_a_dataflow_can_be_run(repository: Path) -> None:
    if find_pass("hls-lower-dataflow") is None:
        pytest.fail("hls-lower-dataflow is gone: the dialect has lost its meaning")
    module = ir.Module.parse(_roundtrip(repository), make_context())
    images = np.arange(-8, 8, dtype=np.int8).reshape(2, 1, 2, 2, 2)
    np.testing.assert_array_equal(Jit(module.operation).run(images), 2 * images)
