# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""resnet-opt as a command: bad usage and bad input end in one line and a way out; it starts quickly."""

import subprocess
import sys
from pathlib import Path

import pytest

MODULE = "func.func @f(%a: i32) -> i32 {\n  return %a : i32\n}\n"
UNKNOWN = 'func.func @f() {\n  "foo.bar"() : () -> ()\n  return\n}\n'


def opt(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run resnet-opt of the environment that runs the tests."""
    tool = Path(sys.executable).with_name("resnet-opt")
    done = subprocess.run([tool, *arguments], input=stdin, capture_output=True, timeout=60, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A file with a small module."""
    path = tmp_path / "module.mlir"
    path.write_text(MODULE)
    return path


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["{dir}/none.mlir"], 1, "{dir}/none.mlir: there is no such file"),
        (["{dir}"], 1, "{dir}: cannot be read: Is a directory"),
        (["{dir}/truncated.mlir"], 1, "{dir}/truncated.mlir:1:31: "),
        (["{dir}/unknown.mlir"], 1, "{dir}/unknown.mlir:2:12: "),
        (["{dir}/binary.mlir"], 1, "{dir}/binary.mlir: is neither MLIR text nor MLIR bytecode"),
        (["{dir}/module.mlir", "-o", "{dir}/none/out.mlir"], 1, "{dir}/none/out.mlir: cannot be written: "),
        (["{dir}/module.mlir", "-o", "{dir}"], 1, "{dir}: cannot be written: "),
        (["{dir}/module.mlir", "--pass-pipeline=cse"], 1, "pass pipeline: column 1: a pipeline starts with"),
        (["{dir}/module.mlir", "--pass-pipeline="], 1, "pass pipeline: column 1: expected the name of a pass"),
        (
            ["{dir}/module.mlir", "--pass-pipeline=builtin.module(csee)"],
            1,
            "pass pipeline: column 16: no pass is called",
        ),
        (["{dir}/module.mlir", "--load-pass={dir}/none.py"], 1, "{dir}/none.py: there is no such file"),
        (["{dir}/module.mlir", "--load-pass={dir}/syntax.py"], 1, "{dir}/syntax.py: cannot be imported: SyntaxError"),
        (["{dir}/module.mlir", "--load-pass={dir}/empty.py"], 1, "{dir}/empty.py: registers no pass"),
        (["{dir}/module.mlir", "--load-pass={dir}/module.mlir"], 1, "{dir}/module.mlir: is no Python file"),
        (["--no-such-option"], 2, "unrecognized arguments: --no-such-option"),
        (["--elide-large=many"], 2, "argument --elide-large/"),
        (["{dir}/module.mlir", "{dir}/module.mlir"], 2, "unrecognized arguments: "),
    ],
)
def test_bad_input_is_one_line_and_a_way_out(
    module: Path, tmp_path: Path, arguments: list[str], status: int, error: str
) -> None:
    (tmp_path / "truncated.mlir").write_text(MODULE[:31] + "\n")
    (tmp_path / "unknown.mlir").write_text(UNKNOWN)
    (tmp_path / "binary.mlir").write_bytes(b"\x00\xff\xfe")
    (tmp_path / "syntax.py").write_text("def")
    (tmp_path / "empty.py").write_text("")
    before = sorted(tmp_path.iterdir())
    done = opt(*(argument.format(dir=tmp_path) for argument in arguments))
    first, *rest = done.stderr.splitlines()
    assert first.startswith("resnet-opt: error: " + error.format(dir=tmp_path))
    assert len(rest) == 1
    assert rest[0].startswith("help: ")
    assert done.returncode == status
    assert done.stdout == ""
    assert sorted(tmp_path.iterdir()) == before


def test_a_failing_pipeline_leaves_the_old_output(module: Path, tmp_path: Path) -> None:
    output = tmp_path / "output.mlir"
    output.write_text("old")
    user_pass = Path(__file__).parent / "Inputs" / "user_pass.py"
    done = opt(module, f"--load-pass={user_pass}", "--pass-pipeline=builtin.module(my-break)", "-o", output)
    assert done.returncode == 1
    assert output.read_text() == "old"


def test_unregistered_dialects_are_taken_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "unknown.mlir"
    path.write_text(UNKNOWN)
    assert '"foo.bar"()' in opt(path, "--allow-unregistered-dialect").stdout


def test_passes_of_torch_mlir_are_known(module: Path) -> None:
    done = opt(module, "--pass-pipeline=builtin.module(torch-backend-to-linalg-on-tensors-backend-pipeline)")
    assert done.returncode == 0, done.stderr


def test_pytorch_and_onnx_are_not_imported(module: Path) -> None:
    code = (
        "import sys; from resnet_hls.opt import main; "
        f"main([{str(module)!r}, '--pass-pipeline=builtin.module(cse)']); "
        "sys.exit(' '.join({'torch', 'onnx', 'onnxruntime', 'torchao'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
