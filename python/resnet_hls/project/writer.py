# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The folder that `resnet-hls build` writes. Two builds of one input are byte-identical: no times, no paths."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from resnet_hls import boards, emit
from resnet_hls.analysis.weights import BEAT_BITS, loads_of
from resnet_hls.pipelines import STAGES
from resnet_hls.project import folder as output_folder
from resnet_hls.project import recipe
from resnet_hls.project.testbench import WEIGHTS_FILE, write_testbench
from resnet_hls.project.tools import tool_files
from resnet_hls.report import page
from resnet_hls.resources import compiler_hash, library_folder
from resnet_hls.simulate.verify import to_integers

MANIFEST_FILE = "manifest.json"

if TYPE_CHECKING:
    from resnet_hls.accelerator import Accelerator


def write_project(
    accelerator: Accelerator,
    target: Path,
    force: bool = False,
    accept: Callable[[dict[str, Any]], object] = lambda manifest: None,
) -> None:
    """Write all of an accelerator's files into a new folder.

    Args:
        accelerator: to write.
        target: the folder.
        force: replace the project that is there.
        accept: is called with the content of `manifest.json` before the folder appears; a UserError from it, and
            nothing is written.

    Raises:
        UserError: the folder cannot be written, the network has no C++ form, or `accept` says no.
    """
    sources = emit.emit_hls_cpp(accelerator.module)
    graph = emit.dataflow_graph(accelerator.module)
    weights = emit.weights_image(accelerator.module)
    reference = accelerator.source.reference_files()
    said = manifest(accelerator, tuple(reference))
    texts = {
        "report.json": as_json(accelerator.report),
        **{f"ir/{name}": text for name, text in accelerator.texts.items()},
        **{f"src/{name}": text for name, text in sources.items()},
        **{f"src/{name}": text for name, text in headers().items()},
        **tool_files(accelerator.design),
    }
    texts["report.html"] = page.render(
        page.Material(accelerator.report, said, {name: texts[name] for name in page.SOURCES})
    )
    integers = accelerator.ports.sample_integers()
    expected = to_integers(accelerator.sample_outputs, accelerator.ports.output)
    with output_folder.appearing(target, force) as temporary:
        for name, text in texts.items():
            write(temporary / name, text.encode())
            if name.endswith(".sh"):
                (temporary / name).chmod((temporary / name).stat().st_mode | 0o111)
        for name, content in reference.items():
            write(temporary / "reference" / name, content)
        if weights:
            write(temporary / WEIGHTS_FILE, weights)
        (temporary / "tb").mkdir()
        write_testbench(temporary / "tb", graph, as_bytes(integers), as_bytes(expected))
        said["files"] = folder_hashes(temporary)
        accept(json.loads(as_json(said)))
        write(temporary / MANIFEST_FILE, as_json(said).encode())


def headers() -> dict[str, str]:
    """The headers that the emitted code includes: name below `src/` -> text."""
    root = library_folder("include")
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.h"))}


def folder_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 sums of all files in a folder, by their paths in it, sorted."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in sorted(files)}


def manifest(accelerator: Accelerator, reference: tuple[str, ...]) -> dict[str, Any]:
    """The content of `manifest.json` but for the sums of `files`: nothing may depend on machine, moment or folder.

    Args:
        accelerator: that is written.
        reference: the names of the files in `reference/`.
    """
    source, options = accelerator.source, accelerator.options
    return {
        "name": accelerator.name,
        "source_kind": source.kind,
        "model": source.model,
        "sha256": source.hashes(),
        "board": options.board.name,
        "part": options.board.part,
        "board_definition": recipe.board_content(options.board),
        "options": {
            "clock_mhz": options.board.clock_mhz,
            "target_fps": options.target_fps,
            "max_dsp": options.max_dsp,
            **{f"max_{name}": most for name, most in options.limits.items() if name != "dsp"},
            **({"resource_factors": dict(options.factors)} if options.factors else {}),
            "without": options.without,
            "objective": options.objective,
            "effort": options.effort,
            "weights": options.weights,
        },
        "command": command(accelerator),
        "pipelines": {stage.name: options.text(stage) for stage in STAGES},
        "input": accelerator.ports.input.content(),
        "output": accelerator.ports.output.content(),
        **load_content(accelerator),
        "reference": [f"reference/{name}" for name in reference],
        "notes": list(accelerator.notes),
        "versions": recipe.versions(packages(accelerator)),
        "compiler_sha256": compiler_hash(),
    }


def load_content(accelerator: Accelerator) -> dict[str, Any]:
    """What is loaded at start, in the order of the file; nothing without UltraRAM."""
    with accelerator.module.context:
        loads = loads_of(accelerator.module.operation)
        memories = [
            {
                "task": load.task,
                "constant": load.symbol,
                "words": load.words,
                "lanes": load.lanes,
                "element_bits": load.width,
                "beats": load.beats,
            }
            for load in loads
        ]
    return {"weights": {"file": WEIGHTS_FILE, "beat_bits": BEAT_BITS, "memories": memories}} if loads else {}


def packages(accelerator: Accelerator) -> list[str]:
    """The packages that the files depend on."""
    return sorted({"numpy", "torch-mlir", "ortools", *accelerator.source.versions()})


def command(accelerator: Accelerator) -> str:
    """The command that builds the same, in a folder with the model, and with the board's file if it is none of ours."""
    options = accelerator.options
    board = options.board
    ours = board.name in boards.names() and replace(boards.load(board.name), clock_mhz=board.clock_mhz) == board
    words = ["resnet-hls", "build", accelerator.source.model, "--board", board.name if ours else f"{board.name}.toml"]
    for flag, value in (
        ("--clock", repr(options.board.clock_mhz)),
        ("--target-fps", options.target_fps),
        *((f"--max-{name}", most) for name, most in options.limits.items()),
        ("--objective", options.objective),
        ("--effort", f"{options.effort:g}"),
        ("--weights", options.weights),
        ("--name", accelerator.name),
    ):
        if value is not None:
            words += [flag, str(value)]
    if options.factors:
        words += ["--resource-factors", "FACTORS.toml"]
    for name in options.without:
        words += ["--without", name]
    return shlex.join([*words, "-o", "DIR"])


def as_json(content: dict[str, Any]) -> str:
    """Text of a JSON file: keys in the order given, one line each."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def as_bytes(integers: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Integers of a port as they lie in a file: one byte each."""
    return (integers & 0xFF).astype(np.uint8).view(np.int8)


def write(path: Path, content: bytes) -> None:
    """Write a file, and the folders around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
