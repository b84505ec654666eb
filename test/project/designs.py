# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Projects that are no more than their files around the accelerator: what the scripts of vitis/ and vivado/ read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resnet_hls import boards
from resnet_hls.project.manifest import Port
from resnet_hls.project.tools import Design, Words, tool_files

IMAGE = Port((32, 32, 3), 0.0078125, True, -128, 127)
LOGITS = Port((10,), 0.25, True)


def design(board: str = "kv260", weights_beats: int = 0, clock_mhz: float | None = None, name: str = "small") -> Design:
    """A network of 32 x 32 images, three elements a beat, and ten classes in one."""
    found = boards.load(board)
    if clock_mhz is not None:
        found = replace(found, clock_mhz=clock_mhz)
    return Design(name, found, (IMAGE, Words(3, 1024, 32)), (LOGITS, Words(10, 1, 128)), weights_beats)


def write(design: Design, folder: Path) -> Path:
    """The project, with empty files in the places of its sources."""
    files = dict.fromkeys((f"src/{design.name}.cpp", "src/tasks.cpp", "tb/testbench.cpp"), "")
    files |= dict.fromkeys(("tb/images.bin", "tb/expected.bin"), "")
    if design.weights_beats:
        files["data/weights.bin"] = ""
    for name, text in {**files, **tool_files(design)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "vitis/build.sh").chmod(0o755)
    return folder
