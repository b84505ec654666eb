# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the fuzzers of test/fuzz found, and what names are made for that mean harm: a test for each, in this process."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_builders import Net, residual, save

from resnet_hls import boards, cli, opt, translate
from resnet_hls import ir_utils as iu
from resnet_hls.data.arrays import load_images
from resnet_hls.emit.names import in_comment
from resnet_hls.errors import UserError, one_line
from resnet_hls.frontend import onnx_model
from resnet_hls.frontend.naming import model_name
from resnet_hls.models import weights
from resnet_hls.project import manifest
from resnet_hls.report import text as report_text

HOSTILE = (
    "../../x",
    "/etc/passwd",
    "a\nb",
    "*/ int x; /*",
    "x\\",
    "??/",
    "\u202ex",
    "é",
    "x" * 5000,
    "\x1b[2J",
    "\ud7ff",
)


def refused(capsys: pytest.CaptureFixture[str], tool: object, name: str, arguments: Sequence[object]) -> str:
    """The error of a tool that refuses its input, two lines."""
    assert tool.main([str(argument) for argument in arguments]) in (1, 2)  # type: ignore[attr-defined]
    said = capsys.readouterr().err
    lines = said.splitlines()
    assert [line.split(":")[0] for line in lines] == [name, "help"], said
    assert "stopped with" not in said
    return said


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_messages_are_one_line(text: str) -> None:
    said = UserError(text, where=text, help=text).render("tool")
    assert len(said.splitlines()) == 2
    assert all(sign.isprintable() for sign in said.replace("\n", ""))
    assert one_line("plain text, 3 × 4") == "plain text, 3 × 4"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_names_of_models_and_layers_are_identifiers(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,60}", model_name(text))
    assert re.fullmatch(r"[a-z0-9_]{0,81}", iu.identifier(text))
    assert "__" not in iu.identifier(f"a__{text}__b")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_comments_end_where_their_line_ends(text: str) -> None:
    line = in_comment(text)
    assert line.isascii()
    assert line.isprintable()
    assert not line.endswith("\\")
    assert not any(sign in line for sign in ("*/", "/*", "??/"))


def test_layers_with_hostile_names_compile(tmp_path: Path) -> None:
    """All of C++'s ways out of a comment or a name, through g++ with all its warnings."""
    net = Net("qdq", shape=(1, 2, 4, 4))
    x = net.quant("input/quant", net.input, 2.0**-6)
    for number, name in enumerate(('*/ #error "out" /*', "a\n#error out\n", "b ??/", "c\\", "\u202ed é", "x" * 5000)):
        x = net.quant(f"{number}/quant", net.conv(f"{number}/{name}", x, 2, 1), 2.0**-4)
        net.nodes[-2].name += f" {name}"
    model = save(net.model(x), tmp_path / "m.onnx")
    out = tmp_path / "out"
    assert cli.main(["build", model, "-o", str(out), "--effort", "1", "--max-dsp", "8", "-q"]) == 0
    source = (out / "src" / "tasks.cpp").read_text()
    assert "#error" in source  # in a comment
    assert source.isascii()
    flags = ["-std=c++14", "-trigraphs", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Werror=comment"]
    include = Path(__file__).resolve().parents[2] / "lib" / "csim"
    command = ["g++", *flags, "-I", str(include), "-I", str(out / "src"), str(out / "src" / "tasks.cpp")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


DATAFLOW = """func.func @{function}(%image: memref<4xi8>, %result: memref<4xi8>) {{
  "hls.dataflow"() ({{
    %in = "hls.fifo"() {{depth = {depth}, hls.storage = "srl", sym_name = "{stream}"}} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {{depth = 2, hls.storage = "srl", sym_name = "b"}} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({{
      %word = memref.alloc() {{hls.partition = [0], hls.storage = "register"{name}}} : memref<1xi8>
      affine.for %x = 0 to 4 {{
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }} {{hls.depth = {stages} : i64, hls.interval = {interval} : i64, hls.pipeline}}
    }}) {{sym_name = "{task}"}} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }}) : () -> ()
  return
}}
"""
PLAIN = {"function": "f", "depth": "2", "stream": "a", "task": "copy", "name": "", "stages": "2", "interval": "1"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"function": '"../../x"'}, "sym_name '../../x' is no name in C++"),
        ({"function": '"a\\0A#error"'}, "is no name in C++"),
        ({"function": "while"}, "sym_name 'while' is taken in C++"),
        ({"function": "tasks"}, "sym_name 'tasks' is taken"),
        ({"task": "x() {} void y"}, "is no name in C++"),
        ({"stream": "int"}, "sym_name 'int' is taken in C++"),
        ({"stream": "frames"}, "sym_name 'frames' is taken in C++"),
        ({"name": ', hls.name = "x; int y"'}, "hls.name 'x; int y' is no name in C++"),
        ({"depth": "2000000000"}, "has room for 2,000,000,000 words, more than"),
        ({"interval": "2000000000"}, "hls.interval = 2000000000, not 1,000,000,000 at most"),
        ({"stages": "2000000000"}, "hls.depth = 2000000000, not 1,000,000,000 at most"),
    ],
)
def test_ir_that_is_not_emitted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], message: str
) -> None:
    path = tmp_path / "in.mlir"
    path.write_text(DATAFLOW.format(**{**PLAIN, **changes}))
    said = refused(capsys, translate, "resnet-translate", [path, "--emit-hls-cpp", "-o", tmp_path / "out" / "in"])
    assert message in said
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.mlir"]


def test_ir_that_is_emitted(tmp_path: Path) -> None:
    path = tmp_path / "in.mlir"
    path.write_text(DATAFLOW.format(**PLAIN))
    assert translate.main([str(path), "--emit-hls-cpp", "-o", str(tmp_path / "out")]) == 0


NEST = """func.func @f(%image: memref<{size}xi8>, %result: memref<4xi8>) {{
  affine.for %x = 0 to {count} {{
    %0 = affine.load %image[{index}] : memref<{size}xi8>
    affine.store %0, %result[%x] : memref<4xi8>
  }}
  return
}}
"""


@pytest.mark.parametrize(
    ("module", "passes", "message"),
    [
        (NEST.format(size=4, count=-1, index="%x"), "verify-affine", "a loop from 0 to -1, which never runs"),
        (NEST.format(size=4, count=4, index="%x + 1"), "hls-to-dataflow", "an access outside its buffer of 4 elements"),
        (NEST.format(size=4, count=1 << 40, index="0"), "hls-to-dataflow", "iterations, more than the 134,217,728"),
        ("func.func @f(%a: memref<4xi8>) {return}", "hls-to-dataflow", "hls-to-dataflow relies on verify-affine: "),
        ('func.func @f() {"hls.dataflow"() ({"hls.fifo"() : () -> ()}) : () -> () return}', "", "expects one result"),
        ("func.func @f() {return}", "(" * 99, "expected the name of a pass"),
        ("func.func @f() {return}", "a(" * 5000, "more than 100 operations inside each other"),
    ],
    ids=["negative", "outside", "many", "contract", "stream", "text", "deep"],
)
def test_modules_that_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], module: str, passes: str, message: str
) -> None:
    path = tmp_path / "in.mlir"
    path.write_text(module)
    pipeline = [f"--pass-pipeline=builtin.module({passes})"] if passes else []
    assert message in refused(capsys, opt, "resnet-opt", [path, *pipeline])


def test_bytecode_with_names_that_are_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from io import BytesIO

    from torch_mlir import ir

    from resnet_hls.context import make_context

    buffer = BytesIO()
    ir.Module.parse("func.func @f() {return}", make_context()).operation.write_bytecode(buffer)
    path = tmp_path / "in.mlirbc"
    path.write_bytes(buffer.getvalue().replace(b"func", b"f\xffnc", 1))
    assert "names that are no UTF-8 text" in refused(capsys, opt, "resnet-opt", [path])


def test_crash_of_mlir_is_one_line(tmp_path: Path) -> None:
    """Its parser calls itself for each type inside another, until the stack is full."""
    path = tmp_path / "in.mlir"
    path.write_text(f"func.func @f(%a: {'tuple<' * 300_000}i1{'>' * 300_000}) {{return}}")
    tool = Path(sys.executable).with_name("resnet-opt")
    done = subprocess.run([tool, path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == f"resnet-opt: error: {path}: MLIR or another library crashed on it (SIGSEGV)"
    assert lines[1].startswith("help: ")
    assert len(lines) == 2


#: `func.func @f() { return }` with a dimension of an index that says that there are 2^64 - 1 of something.
ENDLESS = (
    "TUzvUg1NTElSMjQuMC4wZ2l0AAEXBQEFBwEDCwMFBw8DIQ8HAQ8LEwsLExMTAQczFwsCUwUJFwEBAQ0DBQsXAQMDF8gDKRcBBQcbAwD//////////wUFPwED"
    "AQFBBD0FAVADAQcELQMBBQNQCQMHBBkDAwcDAwsABQQNAwEGAwEFAQBZDREFDw8LEWJ1aWx0aW4AZnVuYwBtb2R1bGUAcmV0dXJuAC0AZHluYW1pYwAI"
    "FwUFAQENAQUBAQcB"
)


def test_endless_loop_of_mlir_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "in.mlirbc"
    path.write_bytes(base64.b64decode(ENDLESS))
    tool = (
        f"import sys; from resnet_hls import opt, tool; tool._SECONDS = 1; sys.argv[1:] = [{str(path)!r}]; opt.main()"
    )
    done = subprocess.run([sys.executable, "-c", tool], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"resnet-opt: error: {path}: MLIR or another library does not come to its end\nhelp: "
    )


def test_models_that_are_refused(tmp_path: Path) -> None:
    def message(model: onnx.ModelProto) -> str:
        with pytest.raises(UserError) as caught:
            onnx_model.load(save(model, tmp_path / "m.onnx"))
        return str(caught.value)

    model = residual(blocks=(1,), width=2, size=8)
    model.graph.output[0].name = "image"
    assert "the output is the input" in message(model)

    model = residual(blocks=(1,), width=2, size=8)
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    next(entry for entry in conv.attribute if entry.name == "strides").ints.append(1)
    assert "has strides 1, 1, 1" in message(model)

    net = Net("qdq", shape=(1, 2, 4, 4))
    x = net.conv("conv", net.quant("input/quant", net.input, 2.0**-6), 2, 1)
    bounds = [net.constant("low", [0.0, 0.0], np.float32), net.constant("high", 6.0, np.float32)]
    assert "clips with 2 numbers as min" in message(net.model(net.quant("q", net.node("Clip", "clip", [x, *bounds]))))


@pytest.mark.parametrize("location", ["/etc/passwd", "../secret.bin", "a/../../secret.bin"])
def test_weights_outside_of_the_models_folder_are_not_read(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    (folder / "a").mkdir(parents=True)
    (tmp_path / "secret.bin").write_bytes(bytes(1000))
    model = residual(blocks=(1,), width=2, size=8)
    tensor = next(t for t in model.graph.initializer if t.name == "stem/conv.weight/int")
    stored = numpy_helper.to_array(tensor)
    tensor.CopyFrom(helper.make_tensor(tensor.name, tensor.data_type, stored.shape, stored.tobytes(), raw=True))
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    with pytest.raises(UserError, match=r"is in .*, which cannot be read"):
        onnx_model.load(save(model, folder / "m.onnx"))


def test_files_that_are_refused(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "i.npz", "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00\x46\x00{'descr': '|u1', 'fortran_order': False, 'shape': (")
    with pytest.raises(UserError, match="cannot be read as NumPy arrays"):
        load_images(tmp_path / "i.npz", (4, 4, 3))

    header = {"format": weights.FORMAT, "network": "resnet8", "exponents": {}, "training": {"test_top1_percent": 3}}
    assert weights._problem(header, {}) == "what it reaches is no number"

    board = boards.load("kv260")
    text = (Path(boards.__file__).parent / "kv260.toml").read_text()
    for old, new in ((f'"{board.title}"', '"a\\nb"'), (f'"{board.part}"', '"x; exec touch x"')):
        assert old in text
        (tmp_path / "b.toml").write_text(text.replace(old, new))
        with pytest.raises(UserError, match=r"'(title|part)' is "):
            boards.load(str(tmp_path / "b.toml"))

    (tmp_path / "src").mkdir()
    content = json.loads((project / "manifest.json").read_text())
    for shape in ([2**31, 2, 2], [4, 4, 0], [1 << 16, 1 << 16, 3]):
        content["input"]["shape"] = shape
        (tmp_path / "manifest.json").write_text(json.dumps(content))
        with pytest.raises(UserError, match="no frame has shape"):
            manifest.read(tmp_path)

    content["input"].update(shape=[4, 4, 3], max=10**30)
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="no byte holds"):
        manifest.read(tmp_path)

    content = json.loads((project / "report.json").read_text())
    content["residual_blocks"][0]["name"] = {}
    (tmp_path / "report.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="damaged"):
        report_text.read(tmp_path)

    assert "File name too long" in refused(capsys, cli, "resnet-hls", ["doctor", "x" * 5000])
