# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lib/csim/ap_int.h against the vendor's: result types and values of every operator."""

import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("ap_int_semantics.cpp")
FLAGS = ["-std=c++14", "-O1"]


def build_and_run(folder: Path, compiler: str, include: Path, part: int, *flags: str) -> str:
    executable = folder / f"{include.name}{part}"
    command = [compiler, *FLAGS, *flags, f"-DPART={part}", "-I", str(include), str(SOURCE), "-o", str(executable)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    run = subprocess.run([executable], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return run.stdout


@pytest.fixture(scope="module")
def vendors(xilinx_headers: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the vendor's headers say, by part; their values are the same whoever compiles them, which takes long."""
    folder = tmp_path_factory.mktemp("vendors")
    return [build_and_run(folder, "g++", xilinx_headers, part, "-w", "-O0") for part in range(4)]


@pytest.mark.parametrize("part", range(4))
def test_semantics_are_the_vendors(
    part: int, compiler: str, repository: Path, vendors: list[str], tmp_path: Path
) -> None:
    """And they are defined, of whatever operands."""
    flags = ("-Wall", "-Wextra", "-Wpedantic", "-fsanitize=undefined", "-fno-sanitize-recover")
    ours = build_and_run(tmp_path, compiler, repository / "lib" / "csim", part, *flags)
    assert len(vendors[part].splitlines()) > 100
    assert ours.splitlines() == vendors[part].splitlines()


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("bool b = ap_uint<32>(1) < ap_int<32>(2);", "cast the operands of this comparison to the same signedness"),
        ("ap_int<8> q = ap_int<8>(6) / ap_uint<8>(2);", "cast the operands of a division to the same signedness"),
        ("auto p = ap_int<64>(1) * ap_int<64>(1) * ap_int<8>(1);", "at most 128 bits"),
        ("ap_int<8> c = true ? ap_int<8>(1) : 0;", ""),
        ("ap_int<8> f = 1.5f;", ""),
    ],
)
def test_what_is_not_exact_does_not_compile(
    statement: str, complaint: str, compiler: str, repository: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source.cpp"
    source.write_text(f"#include <ap_int.h>\nint main() {{ {statement} }}\n")
    command = [compiler, *FLAGS, "-w", "-I", str(repository / "lib" / "csim"), str(source), "-o", str(tmp_path / "x")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert complaint in result.stderr
