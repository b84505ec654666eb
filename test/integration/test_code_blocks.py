# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every code block of the documentation does what it says: each page's, one after the other, in a folder of its own."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from code_blocks import Block, blocks, commands, matches, run
from integration_tool import RealDesign, resnet_hls
from onnx_builders import Net, save
from test_import import made_report

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), REPOSITORY / "dialects" / "hls" / "README.md"]
)
LANGUAGES = {"sh", "console", "python", "mlir", "cpp", "text"}


def every(language: str | None = None) -> list[Block]:
    found = [block for page in PAGES for block in blocks(page, REPOSITORY)]
    return [block for block in found if language in (None, block.language)]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader of the pages would have: a model, networks and passes of the tutorial, images, a board."""
    folder = tmp_path_factory.mktemp("reader")
    net = Net("qonnx", shape=(1, 3, 32, 32))
    x = net.quant("input/quant", net.input, 2.0**-6)
    x = net.quant("first/quant", net.node("Relu", "relu", [net.conv("first", x, 6, stride=4)]), 2.0**-4, signed=False)
    y = net.quant("block/quant", net.node("Relu", "relu1", [net.conv("block", x, 6)]), 2.0**-4, signed=False)
    x = net.quant("sum/quant", net.node("Add", "sum", [net.conv("last", y, 6), x]), 2.0**-4)
    pooled = net.quant("pool/quant", net.node("GlobalAveragePool", "pool", [x]), 2.0**-5)
    save(net.model(net.quant("fc/quant", net.linear("fc", net.node("Flatten", "flatten", [pooled]), 10), 2.0**-3)),
         folder / "model.onnx")  # fmt: skip
    images = folder / "cifar-10-batches-py"
    images.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 3072)).astype(np.uint8)
    (images / "test_batch").write_bytes(pickle.dumps({b"data": pixels, b"labels": [n % 10 for n in range(20)]}))
    board = (REPOSITORY / "python" / "resnet_hls" / "boards" / "kv260.toml").read_text()
    (folder / "my-board.toml").write_text(board)
    for block in every("python"):
        if block.file is not None:
            (folder / block.file).write_text(block.text)
    done = resnet_hls("build", "model.onnx", "-o", "built", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def provide(command: str, folder: Path) -> None:
    """What a command needs that the pages before it would have made: a project, a report of Vitis or Vivado."""
    if " out" in command and " -o out" not in command and not (folder / "out").exists():
        shutil.copytree(folder / "built", folder / "out")
    for name in ("before", "after"):
        if f" {name}" in command and not (folder / name).exists():
            shutil.copytree(folder / "out", folder / name)
    if "csynth.xml" in command:
        made_report(folder / "out", folder / "csynth.xml", 2)
    if "utilization.rpt" in command:
        report = json.loads((folder / "out" / "report.json").read_text())
        text = (REPOSITORY / "test" / "report" / "Inputs" / "hierarchical.rpt").read_text()
        text = text.replace("small", report["model"]).replace("conv1", report["per_task"][0]["name"])
        for kind, made_up in {"lut": "2000", "ff": "2500", "dsp": "20"}.items():
            text = text.replace(f" {made_up} |", f" {report['resources'][kind]['used']:.0f} |")
        (folder / "utilization.rpt").write_text(text)


@pytest.mark.parametrize(
    "page", [p for p in PAGES if blocks(p, REPOSITORY)], ids=lambda p: p.relative_to(REPOSITORY).as_posix()
)
def test_blocks(page: Path, files: Path, tmp_path: Path, real_design: RealDesign) -> None:
    folder = tmp_path / "reader"
    shutil.copytree(files, folder)
    if page.name == "simulation.md":  # its figures are those of a real network
        shutil.copytree(real_design("resnet8", "kv260"), folder / "out")
    for block in blocks(page, REPOSITORY):
        where = f"{block.page}:{block.line}"
        assert block.language in LANGUAGES, f"{where}: a block in {block.language or 'no language'}"
        if block.not_run is not None:
            continue
        if block.language == "python" and block.file is None:
            (folder / "block.py").write_text(block.text)
            provide("", folder)
            status, output = run("python block.py", folder)
            assert status == 0, f"{where}:\n{output}"
        elif block.language in ("sh", "console"):
            for command in commands(block):
                provide(command.text, folder)
                status, output = run(command.text, folder)
                said = command.output
                fails = said is not None and any("error:" in line for line in said)
                assert (status != 0) == fails, f"{where}: {command.text}\n{output}"
                assert said is None or matches(said, output), f"{where}: {command.text}\n{output}"


def test_what_is_not_run() -> None:
    """It is little, and each time there is a reason."""
    skipped = [block for block in every() if block.not_run is not None]
    assert len(skipped) < 12
    assert all(len(block.not_run.split()) > 2 for block in skipped if block.not_run)


def test_fragments_of_the_dialect() -> None:
    """What the dialect's page shows of each operation stands in its test, which is parsed and verified."""
    test = (REPOSITORY / "test" / "dialects" / "hls" / "roundtrip.mlir").read_text()
    lines = {line.strip() for line in test.splitlines()}
    for block in every("mlir"):
        for line in [line for line in block.text.splitlines() if '"hls.' in line]:
            assert line.strip() in lines, f"{block.page}:{block.line}: {line}"


def test_demo_of_the_readme(real_design: RealDesign) -> None:
    """The figures that README shows are those of the design that it shows."""
    from resnet_hls.report.text import lines

    report = json.loads((real_design("resnet8", "kv260") / "report.json").read_text())
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert [line for line in lines(report) if line.rstrip() not in text] == []
