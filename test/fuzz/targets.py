# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is fuzzed: each target makes damaged inputs from real ones, hands them to a tool as a user would, and judges."""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import random
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mutate import EDGES, FLOATS, HOSTILE, damaged_bytes, damaged_json, damaged_text
from workers import Case, Wrong

TEST = Path(__file__).resolve().parents[1]
#: What a line must not hold: it is the trace of a defect of ours, not of the input.
_DEFECT = re.compile(r"Traceback|stopped with|internal error|LLVM ERROR|Assertion")
_PIPELINE = re.compile(r"RUN:.*?resnet-opt.*?--pass-pipeline='([^']*)'")


def call(tool: Callable[[Sequence[str]], int], name: str, *arguments: object) -> tuple[int, str, str]:
    """Status, output and errors of a tool, run in this process.

    Raises:
        Wrong: it left with an exception, or its error is none that a user can read.
    """
    from resnet_hls.tool import tell_crashes

    out, err = io.StringIO(), io.StringIO()
    tell_crashes(name, str(arguments[0]))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = tool([str(argument) for argument in arguments])
    said = err.getvalue()
    if status not in (0, 1, 2):
        raise Wrong(f"status {status}: {said[-300:]}")
    told = re.search(rf"^{name}: error: .", said, re.MULTILINE) or "problem: " in out.getvalue()  # doctor
    if status and not told:
        raise Wrong(f"status {status} without an error: {said[-300:]!r}")
    if _DEFECT.search(said):
        raise Wrong(next(line for line in said.splitlines() if _DEFECT.search(line)))
    return status, out.getvalue(), said


def verdict(status: int) -> str:
    """Of a tool that may take what it is given."""
    return "refused" if status else "accepted"


def mlir_text() -> Case:
    """`resnet-opt` on damaged modules, those of the tests, with the passes that they are for."""
    from resnet_hls import opt

    seeds = _modules()
    texts = [chunk for chunk, _ in seeds]

    def case(numbers: random.Random, folder: Path) -> str:
        chunk, pipeline = numbers.choice(seeds)
        path = folder / "in.mlir"
        data = damaged_text(numbers, chunk, texts).encode(errors="surrogatepass")
        path.write_bytes(data if numbers.random() < 0.95 else damaged_bytes(numbers, data))
        if numbers.random() < 0.1:
            pipeline = ""
        arguments = [f"--pass-pipeline={pipeline}"] if pipeline else []
        status, out, _ = call(opt.main, "resnet-opt", path, *arguments)
        if status == 0:  # what is printed can be read
            path.with_name("out.mlir").write_text(out)
            call(opt.main, "resnet-opt", path.with_name("out.mlir"))
        return verdict(status)

    return case


def stages(project: Path) -> Case:
    """The stages of a project damaged, but still right: each pass of the next stage keeps what the module computes."""
    from resnet_hls import opt, pipelines
    from resnet_hls.driver import make_options

    options = make_options(effort=0.2, max_dsp=16)
    seeds = []
    for before, after in zip(pipelines.STAGES, pipelines.STAGES[1:], strict=False):
        text = (project / "ir" / before.file).read_text()
        # Behind the contract: what breaks it, as an access outside a buffer does, computes anything at all.
        pipeline = options.text(after).replace("builtin.module(", f"builtin.module({before.passes[-1].name},", 1)
        seeds.append((re.sub(r"(?m) loc\(#?\w+\)|^#loc.*\n", "", text), pipeline))

    def case(numbers: random.Random, folder: Path) -> str:
        text, pipeline = numbers.choice(seeds)
        path = folder / "in.mlir"
        path.write_bytes(damaged_text(numbers, text, most=2).encode(errors="surrogatepass"))
        arguments = ["--validate-each", f"--pass-pipeline={pipeline}"]
        status, _, said = call(opt.main, "resnet-opt", path, *arguments)
        if status and "changed what the network computes" in said:
            raise Wrong(said.splitlines()[0])
        return verdict(status)

    return case


def mlir_bytecode() -> Case:
    """`resnet-opt` on damaged bytecode."""
    from torch_mlir import ir

    from resnet_hls import opt
    from resnet_hls.context import make_context

    texts = sorted({chunk for chunk, _ in _modules("passes", "contracts")})

    def case(numbers: random.Random, folder: Path) -> str:
        context = make_context()
        context.emit_error_diagnostics = True
        context.attach_diagnostic_handler(lambda diagnostic: True)
        try:
            buffer = io.BytesIO()
            ir.Module.parse(numbers.choice(texts), context).operation.write_bytecode(buffer)
        except ir.MLIRError:
            return "left out"
        path = folder / "in.mlirbc"
        path.write_bytes(damaged_bytes(numbers, buffer.getvalue()))
        return verdict(call(opt.main, "resnet-opt", path)[0])

    return case


def translate() -> Case:
    """`resnet-translate` on damaged scheduled modules."""
    from resnet_hls import translate as tool

    seeds = [
        chunk
        for path in sorted((TEST / "emit").glob("*.mlir"))
        for chunk in path.read_text().split("// -----")
        if "hls.dataflow" in chunk
    ]

    def case(numbers: random.Random, folder: Path) -> str:
        path = folder / "in.mlir"
        path.write_bytes(damaged_text(numbers, numbers.choice(seeds), seeds).encode(errors="surrogatepass"))
        what = numbers.choice(("--emit-hls-cpp", "--emit-graph"))
        return verdict(call(tool.main, "resnet-translate", path, what)[0])

    return case


def pipelines() -> Case:
    """Damaged pipelines: those of the stages and of the tests, on a small module."""
    from resnet_hls import opt
    from resnet_hls.driver import make_options
    from resnet_hls.pipelines import STAGES

    module = (TEST / "passes" / "bufferize.mlir").read_text().split("// -----")[0]
    texts = [make_options().text(stage) for stage in STAGES] + sorted({pipeline for _, pipeline in _modules()})
    texts += [
        "builtin.module(func.func(canonicalize,cse),hls-bufferize)",
        "builtin.module(inline{default-pipeline=cse})",
    ]

    def case(numbers: random.Random, folder: Path) -> str:
        text = numbers.choice(texts)
        for _ in range(numbers.randint(0, 2)):
            text = damaged_text(numbers, text, texts)
        if numbers.random() < 0.05:
            text = numbers.choice(("(", "{", "a(", "builtin.module(")) * numbers.choice((10, 1000, 100000))
        if "\0" in text:  # no argument of a command can hold it
            text = text.replace("\0", "")
        if re.search(r"print|dump|reproducer|[\w./-]*/", text):  # passes of MLIR's own that write where they are told
            return "left out"
        path = folder / "in.mlir"
        path.write_text(module)
        return verdict(call(opt.main, "resnet-opt", path, f"--pass-pipeline={text}")[0])

    return case


def boards() -> Case:
    """Damaged board files: refused, or a board whose numbers make sense."""
    from resnet_hls import boards as tool
    from resnet_hls.driver import make_options
    from resnet_hls.errors import UserError

    folder_of_boards = Path(tool.__file__).parent
    seeds = [path.read_text() for path in sorted(folder_of_boards.glob("*.toml"))]

    def case(numbers: random.Random, folder: Path) -> str:
        path = folder / "board.toml"
        data = damaged_text(numbers, numbers.choice(seeds), seeds).encode(errors="surrogatepass")
        path.write_bytes(damaged_bytes(numbers, data) if numbers.random() < 0.3 else data)
        try:
            options = make_options(str(path))
        except UserError as error:
            return refused(error)
        options.parameters()
        assert all(count >= 0 for count in vars(options.modelled).values())
        return "accepted"

    return case


def factors() -> Case:
    """Damaged files of resource factors."""
    from resnet_hls.driver import make_options
    from resnet_hls.errors import UserError

    seed = (
        '[scale."ultrascale+"]\ndsp = 1.0\nlut = 1.25\nff = 0.9\nbram36 = 1\nuram = 2.0\n[scale."7series"]\nlut = 1.0\n'
    )

    def case(numbers: random.Random, folder: Path) -> str:
        path = folder / "factors.toml"
        data = damaged_text(numbers, seed).encode(errors="surrogatepass")
        path.write_bytes(damaged_bytes(numbers, data) if numbers.random() < 0.3 else data)
        try:
            make_options(resource_factors=path).parameters()
        except UserError as error:
            return refused(error)
        return "accepted"

    return case


def refused(error: Any) -> str:
    """The verdict for an error that is one line with a way out.

    Raises:
        Wrong: it is not.
    """
    text = str(error)
    if "\n" in text or not text.strip() or not error.help:
        raise Wrong(f"an error without a line or a way out: {text!r}, help {error.help!r}")
    return "refused"


def project_files(project: Path) -> Case:
    """Damaged files of a project, read by `report`, `simulate`, `verify` and `build --from-manifest`."""
    from resnet_hls import cli

    names = ("manifest.json", "report.json", "ir/40-scheduled.mlir")
    seeds = {name: (project / name).read_text() for name in names}
    commands: dict[str, list[tuple[str, ...]]] = {
        "manifest.json": [("simulate", "--frames", "2"), ("verify", "--images", "1")],
        "report.json": [("report",), ("report", "--json")],
        "ir/40-scheduled.mlir": [("simulate", "--frames", "2")],
    }

    def case(numbers: random.Random, folder: Path) -> str:
        shutil.copytree(project / "src", folder / "src")
        (folder / "ir").mkdir()
        for name, text in seeds.items():
            (folder / name).write_text(text)
        name = numbers.choice(names)
        if name.endswith(".mlir"):
            data = damaged_text(numbers, seeds[name], [seeds[name]]).encode(errors="surrogatepass")
        else:
            data = json.dumps(damaged_json(numbers, json.loads(seeds[name]))).encode()
        (folder / name).write_bytes(damaged_bytes(numbers, data) if numbers.random() < 0.2 else data)
        command, *rest = numbers.choice(commands[name])
        # What is missing for verify is the reference: a manifest that is taken ends there, before g++ runs.
        return verdict(call(cli.main, "resnet-hls", command, folder, *rest)[0])

    return case


def manifests(project: Path) -> Case:
    """Damaged manifests for `build --from-manifest`, as far as the options, the board and the model."""
    from resnet_hls.errors import UserError
    from resnet_hls.project import recipe

    seed = (project / "manifest.json").read_text()

    def case(numbers: random.Random, folder: Path) -> str:
        data = json.dumps(damaged_json(numbers, json.loads(seed))).encode()
        path = folder / "manifest.json"
        path.write_bytes(damaged_bytes(numbers, data) if numbers.random() < 0.2 else data)
        (folder / "reference").mkdir()
        shutil.copy(project / "reference" / "model.onnx", folder / "reference")
        try:
            found = recipe.read(path)
            recipe.check_versions(found, allow=numbers.random() < 0.5)
            found.source(None)
            recipe.Repetition(found, allow=True)(json.loads(seed))
        except UserError as error:
            return refused(error)
        found.options.parameters()
        return "accepted"

    return case


def images(project: Path) -> Case:
    """Damaged files of images and reports of tools, as `verify --data` and `report --import` read them."""
    import numpy as np

    from resnet_hls.data.arrays import load_images
    from resnet_hls.errors import UserError
    from resnet_hls.project import manifest
    from resnet_hls.report import comparison
    from resnet_hls.report import text as report

    shape = manifest.read(project).input.shape
    content = report.read(project)
    pixels = np.zeros((2, *shape), np.uint8)
    seeds: list[tuple[str, bytes]] = []
    for name, save in (("i.npy", np.save), ("i.npz", np.savez), ("c.npz", np.savez_compressed)):
        buffer = io.BytesIO()
        save(buffer, pixels) if name.endswith("npy") else save(buffer, images=pixels, labels=np.zeros(2, np.int64))  # type: ignore[operator]
        seeds.append((name, buffer.getvalue()))
    for path in sorted((TEST / "report" / "Inputs").iterdir()):
        seeds.append((path.name, path.read_bytes()))

    def case(numbers: random.Random, folder: Path) -> str:
        name, data = numbers.choice(seeds)
        path = folder / name
        if not name.endswith(("npy", "npz")) and numbers.random() < 0.7:
            path.write_text(damaged_text(numbers, data.decode()), errors="surrogatepass")
        else:
            path.write_bytes(damaged_bytes(numbers, data))
        try:
            if name.endswith(("npy", "npz")):
                load_images(path, shape)
            else:
                comparison.read(path, content)
        except UserError as error:
            return refused(error)
        return "accepted"

    return case


def weights() -> Case:
    """Damaged files of trained weights."""
    import numpy as np

    from resnet_hls.errors import UserError
    from resnet_hls.models.weights import Weights, read

    seed = Weights(
        "resnet8",
        {"conv.weight": np.ones((4, 3, 3, 3), np.int8), "conv.bias": np.ones(4, np.int16)},
        {"conv.weight": -7, "conv.bias": -13, "input": -7},
        {"test_top1_percent": {"integer": 80.0}},
    ).to_bytes()
    length = int.from_bytes(seed[:8], "little")

    def case(numbers: random.Random, folder: Path) -> str:
        path = folder / "w.safetensors"
        kind = numbers.randrange(3)
        if kind == 0:
            data = damaged_bytes(numbers, seed)
        else:
            header = json.loads(seed[8 : 8 + length])
            if kind == 1:
                header = damaged_json(numbers, header)
            else:
                inner = damaged_json(numbers, json.loads(header["__metadata__"]["resnet_hls"]))
                header["__metadata__"]["resnet_hls"] = json.dumps(inner)
            text = json.dumps(header).encode()
            data = len(text).to_bytes(8, "little") + text + seed[8 + length :]
        path.write_bytes(data)
        try:
            found = read(path)
            _ = found.summary
            found.quantized()
        except UserError as error:
            return refused(error)
        return "accepted"

    return case


def names() -> Case:
    """Names of models and of accelerators: identifiers come out, and nothing leaves the output folder."""
    from resnet_hls.cpp_names import reserved_for_models
    from resnet_hls.errors import UserError
    from resnet_hls.frontend.naming import model_name

    def case(numbers: random.Random, folder: Path) -> str:
        parts = [numbers.choice((*HOSTILE, *map(str, EDGES), *FLOATS)) for _ in range(numbers.randint(1, 3))]
        text = "".join(parts) + numbers.choice(("", ".onnx", ".qonnx.onnx", ".safetensors"))
        given = text if numbers.random() < 0.5 else None
        try:
            name = model_name(text, given)
        except UserError as error:
            return refused(error)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,60}", name) or "__" in name or reserved_for_models(name):
            raise Wrong(f"{text!r} becomes {name!r}")
        return "accepted"

    return case


def commands(project: Path) -> Case:
    """Strange arguments of `resnet-hls`, for a model that does not exist, so that nothing runs for long."""
    from resnet_hls import cli

    # Without its reference, so that verify ends before g++ runs.
    copied = Path(tempfile.mkdtemp(prefix="resnet-hls-fuzz-")) / "project"
    atexit.register(shutil.rmtree, copied.parent, ignore_errors=True)
    project = Path(shutil.copytree(project, copied, ignore=lambda *found: ["reference"]))
    options = {
        "build": ["-o", "--board", "--clock", "--target-fps", "--max-dsp", "--max-uram", "--effort", "--weights",
                  "--name", "--without", "--resource-factors", "--objective", "--from-manifest"],
        "doctor": [],
        "verify": ["--images", "--data", "--pixel-scale", "--headers", "--compiler"],
        "simulate": ["--frames", "--max-cycles"],
        "report": ["--import"],
        "passes": [],
    }  # fmt: skip
    sane = [
        "1",
        "kv260",
        "hls-fuse-loops",
        "lut",
        "bits",
        "255",
        "out",
        "none.onnx",
        str(project / "manifest.json"),
    ]
    strange = [text for text in HOSTILE if "\0" not in text and "\ud7ff" not in text]
    strange += [
        *map(str, EDGES),
        *FLOATS,
        "x" * 5000 + ".onnx",
        "/dev/null",
        "-",
        "--",
        "\udcff.onnx",
    ]

    def case(numbers: random.Random, folder: Path) -> str:
        os.chdir(folder)
        command = numbers.choice(list(options))
        words = [command]
        values = sane if numbers.random() < 0.5 else strange
        if command in ("verify", "simulate", "report") and numbers.random() < 0.6:
            words.append(str(project))
        elif numbers.random() < 0.9:
            words.append(numbers.choice(strange))
        for option in numbers.sample(options[command], min(len(options[command]), numbers.randint(0, 3))):
            words += [option, numbers.choice(values if numbers.random() < 0.7 else strange)]
        if command == "build" and "-o" not in words:
            words += ["-o", "out"]
        before = sorted(os.listdir(folder.parent))
        status, _, _ = call(cli.main, "resnet-hls", *words)
        if sorted(os.listdir(folder.parent)) != before:
            raise Wrong(f"{words} wrote beside its folder")
        return verdict(status)

    return case


def _modules(*folders: str) -> list[tuple[str, str]]:
    """The modules of the tests, one by one, each with the pipeline that it is for."""
    found = []
    for folder in folders or ("passes", "contracts", "dialects/hls", "tools"):
        for path in sorted((TEST / folder).glob("*.mlir")):
            text = path.read_text()
            match = _PIPELINE.search(text.replace("\\\n//", "")) or _PIPELINE.search(text)
            pipeline = match[1] if match else ""
            often = 1 if "invalid" in path.name else 4  # what is rejected from the start is of less use
            chunks = [chunk for chunk in text.split("// -----") if "func" in chunk or "hls." in chunk or "{" in chunk]
            found += [(re.sub(r"(?m)^\s*//.*\n", "", chunk), pipeline) for chunk in chunks] * often
    return found


def available(project: Path | None) -> dict[str, Callable[[], Case]]:
    """The targets by name; those that need a project are there if it is."""
    from onnx_target import onnx_models

    targets: dict[str, Callable[[], Case]] = {
        "onnx": onnx_models,
        "mlir": mlir_text,
        "bytecode": mlir_bytecode,
        "translate": translate,
        "pipelines": pipelines,
        "boards": boards,
        "factors": factors,
        "weights": weights,
        "names": names,
    }
    if project is not None:
        targets |= {
            "project": lambda: project_files(project),
            "manifests": lambda: manifests(project),
            "images": lambda: images(project),
            "stages": lambda: stages(project),
            "commands": lambda: commands(project),
        }
    return targets
