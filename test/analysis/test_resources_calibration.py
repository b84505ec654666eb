# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The resource model against what yosys made of each structure: benchmarks/calibration/results.json."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "calibration"


def load() -> ModuleType:
    specification = importlib.util.spec_from_file_location("calibration_kernels", FOLDER / "kernels.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


CALIBRATION = load()
KERNELS = {kernel.name: kernel for kernel in CALIBRATION.kernels()}
RESULTS = json.loads((FOLDER / "results.json").read_text())


def test_every_kernel_has_been_synthesized() -> None:
    for family, results in RESULTS.items():
        assert set(results) == {kernel.name for kernel in KERNELS.values() if family in kernel.families}


@pytest.mark.parametrize("family", RESULTS)
@pytest.mark.parametrize("structure", CALIBRATION.STATED_ERROR)
def test_model_agrees_with_synthesis(structure: str, family: str) -> None:
    """LUTs and registers of a structure within what the table states; blocks and slices exactly."""
    chosen = [k for k in KERNELS.values() if k.structure == structure and family in k.families]
    assert chosen or structure in {"URAM", "cascade of slices"}
    within = CALIBRATION.STATED_ERROR[structure]
    compared = [] if within is None else ["lut"] if structure in CALIBRATION.ONLY_LUTS else ["lut", "ff"]
    for kernel in chosen:
        modelled, counted = kernel.modelled(family), RESULTS[family][kernel.name]
        for kind in ("dsp", "bram36", "uram"):
            assert getattr(modelled, kind) == counted[kind], (kernel.name, kind)
        for kind in compared:
            assert getattr(modelled, kind) == pytest.approx(counted[kind], rel=within / 100, abs=8), (kernel.name, kind)


def test_every_structure_has_a_stated_error() -> None:
    assert {kernel.structure for kernel in KERNELS.values()} == set(CALIBRATION.STATED_ERROR)
