# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The files that take a project to a board: `vitis/`, `vivado/`, `pynq/`. Texts only; nothing here runs a tool.

No path in them is absolute, and every name that stands in Tcl, shell or Python is checked here: the top function is a
C++ identifier, and parts and board parts have no character that any of these languages would interpret.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnet_hls.boards import Board
from resnet_hls.project.manifest import Port
from resnet_hls.project.rendering import render
from resnet_hls.project.testbench import WEIGHTS_FILE

#: Bits of the length of a DMA transfer: the most that axi_dma 7.1 has, 64 MiB less a byte.
DMA_LENGTH_BITS = 26
#: The widest stream that axi_dma 7.1 can be connected to.
DMA_STREAM_BITS = 1024
#: What a port to memory of these processing systems moves in a cycle, at least.
_MEMORY_BITS = 64
#: Bits of addresses by processing system: all of the memory, or the lowest 4 GiB, which is all that Zynq-7000 has.
_ADDRESS_BITS = {"zynq_ultra_ps_e": 40, "processing_system7": 32}


def cell_module(name: str) -> str:
    """What Vivado calls the accelerator in the block design: what is inside has this name in front of its own.

    `vivado.tcl.j2` names the design and the cell, Vivado joins them.
    """
    return f"{name}_system_accelerator_0"


@dataclass(frozen=True)
class Words:
    """How a frame passes a port of the top function.

    Args:
        lanes: elements of one byte in a word.
        words: of a frame; each is a beat of the stream.
        bits: of TDATA: the lanes, the first in the lowest bits, rounded up to a power of two.
    """

    lanes: int
    words: int
    bits: int


@dataclass(frozen=True)
class Design:
    """What the tools need to know of an accelerator.

    Args:
        name: of the top function, a C++ identifier.
        board: with the clock that it is built for.
        input, output: the integers of the ports, and how they travel.
        weights_beats: of the load at start; 0 where nothing is loaded.
        weights_bits: of one of them.

    Raises:
        ValueError: the name is no identifier, or the part has characters that no part has.
    """

    name: str
    board: Board
    input: tuple[Port, Words]
    output: tuple[Port, Words]
    weights_beats: int = 0
    weights_bits: int = 64

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.name, re.ASCII):
            raise ValueError(f"{self.name!r} is no C++ identifier")
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.board.part, re.ASCII):
            raise ValueError(f"{self.board.part!r} is no part")

    @property
    def missing(self) -> str:
        """Why there is no `vivado/`; nothing where there is one."""
        if self.board.platform is None:
            return f"the file of {_harmless(self.board.name)} has no table [platform], so there is no vivado/"
        for side, (_, words) in (("input", self.input), ("output", self.output)):
            if words.bits > DMA_STREAM_BITS:
                return f"the {side} is {words.bits} bits wide, a DMA takes {DMA_STREAM_BITS}, so there is no vivado/"
        return ""


def tool_files(design: Design) -> dict[str, str]:
    """The texts of `README.md`, `vitis/`, `pynq/` and, where the board has it, `vivado/`, by name in the project."""
    readme = render(
        "README.md.j2",
        name=design.name,
        board=_harmless(design.board.name),
        part=design.board.part,
        clock_mhz=f"{design.board.clock_mhz:g}",
        missing=design.missing,
        weights=bool(design.weights_beats),
    )
    files = {"README.md": readme, **vitis_files(design), **pynq_files(design)}
    return files if design.missing else {**files, **vivado_files(design)}


def vitis_files(design: Design) -> dict[str, str]:
    """`hls_config.cfg`, `run_hls.tcl` and `build.sh`, which runs either."""
    bench = ["../tb/testbench.cpp", "../tb/images.bin", "../tb/expected.bin"]
    if design.weights_beats:
        bench.append(f"../{WEIGHTS_FILE}")
    values = {
        "name": design.name,
        "part": design.board.part,
        "period_ns": period_ns(design.board.clock_mhz),
        "sources": [f"../src/{design.name}.cpp", "../src/tasks.cpp"],
        "bench": bench,
    }
    names = ("hls_config.cfg", "run_hls.tcl", "build.sh")
    return {f"vitis/{name}": render(f"{name}.j2", **values) for name in names}


def vivado_files(design: Design) -> dict[str, str]:
    """`build.tcl`, for a design that misses nothing."""
    platform = design.board.platform
    assert platform is not None  # says the caller
    text = render(
        "vivado.tcl.j2",
        name=design.name,
        board=_harmless(design.board.name),
        part=design.board.part,
        board_part=platform.board_part,
        processing_system=platform.processing_system,
        clock_mhz=f"{design.board.clock_mhz:g}",
        address_bits=_ADDRESS_BITS[platform.processing_system],
        dma_length_bits=DMA_LENGTH_BITS,
        input_bits=design.input[1].bits,
        input_memory_bits=max(_MEMORY_BITS, design.input[1].bits),
        output_memory_bits=max(_MEMORY_BITS, design.output[1].bits),
        weights=bool(design.weights_beats),
        weights_bits=design.weights_bits,
    )
    return {"vivado/build.tcl": text}


def pynq_files(design: Design) -> dict[str, str]:
    """`driver.py`, the same for every accelerator, and `accelerator.json`, which it reads."""
    content: dict[str, Any] = {
        "name": design.name,
        "board": design.board.name,
        "clock_mhz": design.board.clock_mhz,
        "bitstream": f"{design.name}.bit",
        "dma_length_bits": DMA_LENGTH_BITS,
        "input": _port(*design.input),
        "output": _port(*design.output),
        "weights": None,
    }
    if design.weights_beats:
        content["weights"] = {
            "file": Path(WEIGHTS_FILE).name,
            "beats": design.weights_beats,
            "beat_bytes": design.weights_bits // 8,
        }
    driver = Path(__file__).with_name("pynq_driver.py").read_text(encoding="utf-8")
    return {"pynq/driver.py": driver, "pynq/accelerator.json": json.dumps(content, indent=2) + "\n"}


def _port(port: Port, words: Words) -> dict[str, Any]:
    return {
        **{key: list(value) if key == "shape" else value for key, value in port.content().items()},
        "lanes": words.lanes,
        "words": words.words,
        "beat_bytes": words.bits // 8,
    }


def _harmless(name: str) -> str:
    """The name of a board, which is that of a file, as it may stand in a comment."""
    return name if re.fullmatch(r"[A-Za-z0-9_.-]+", name, re.ASCII) else "a board"


def period_ns(clock_mhz: float) -> str:
    """The clock period in ns, rounded down to a thousandth: a clock is never slower than what was asked for."""
    return f"{int(1e6 / clock_mhz) / 1000:.3f}"
