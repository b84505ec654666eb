# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every form of arith operation in C++, with the fast and with the vendor's headers, against MLIR's own execution.

Each form is a chain of operations from two i8 operands to an i32; the JIT and the compiled expressions see the same
values, extremes included. The C++ of all forms is one file, so that it costs one compilation for each set of headers.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torch_mlir import ir

sys.path.insert(0, str(Path(__file__).parent))
from expression_forms import CONSTANTS, FORMS

from resnet_hls import ir_utils as iu
from resnet_hls.context import make_context
from resnet_hls.emit.expressions import Text, constant, exact, expression, type_name, width_of
from resnet_hls.errors import UserError
from resnet_hls.passes import PassFailure
from resnet_hls.resources import library_folder
from resnet_hls.simulate import csim
from resnet_hls.simulate.jit import Jit

EXTREMES = [-128, -127, -100, -2, -1, 0, 1, 2, 3, 5, 63, 64, 100, 126, 127]


def values() -> np.ndarray:
    """Pairs of operands, (N, 2): all pairs of extremes, and random ones."""
    pairs = np.array(list(itertools.product(EXTREMES, EXTREMES)), np.int8)
    return np.concatenate([pairs, np.random.default_rng(5).integers(-128, 128, (200, 2)).astype(np.int8)])


def module_text() -> str:
    """A function that computes every form for one pair of operands."""
    body = []
    for number, lines in enumerate(FORMS.values()):
        renamed = [rename(line, number) for line in lines]
        body += [*renamed, f"affine.store %r_{number}, %result[{number}] : memref<{len(FORMS)}xi32>"]
    return "\n".join([
        f"func.func @forms(%pair: memref<2xi8>, %result: memref<{len(FORMS)}xi32>) {{",
        *CONSTANTS,
        "%x = affine.load %pair[0] : memref<2xi8>",
        "%y = affine.load %pair[1] : memref<2xi8>",
        *body,
        "return",
        "}",
    ])  # fmt: skip


def rename(line: str, number: int) -> str:
    """Local names, one letter each, made unique; operands and constants keep theirs."""
    words = line.replace(",", " ,").split(" ")
    shared = {"%x", "%y", *(text.split(" ")[0] for text in CONSTANTS)}
    return " ".join(f"{w}_{number}" if w.startswith("%") and w not in shared else w for w in words)


def emitted(module: ir.Module) -> str:
    """C++ that reads pairs of bytes and prints, in a line for each, the values of all forms."""
    texts: dict[ir.Value, Text] = {}
    lines = []
    for op in (o.operation for o in iu.body(iu.public_function(module.operation)).operations):
        if op.name == "arith.constant":
            texts[op.results[0]] = constant(op)
        elif op.name == "affine.load":
            name = "xy"[len([t for t in texts.values() if t.text in "xy"])]
            texts[op.results[0]] = Text(name, 8)
        elif op.name == "affine.store":
            text = exact(texts[op.operands[0]])
            lines.append(f'{{ const ap_int<32> r = {text.text}; std::printf("%d ", r.to_int()); }}')
        elif op.name.startswith("arith."):
            found = expression(op, [texts[v] for v in op.operands])
            if len(list(op.results[0].uses)) > 1:  # as the emitter does
                name, whole = f"v{len(lines)}_{len(texts)}", exact(found)
                lines.append(f"const {type_name(whole.width, whole.signed)} {name} = {found.text};")
                found = Text(name, whole.width, whole.signed)
            texts[op.results[0]] = found
    body = "\n    ".join(lines)
    return f"""#include <ap_int.h>
#include <cstdio>
#include "resnet_hls/arithmetic.h"
int main() {{
  signed char pair[2];
  while (std::fread(pair, 1, 2, stdin) == 2) {{
    const ap_int<8> x = pair[0], y = pair[1];
    {body}
    std::printf("\\n");
  }}
}}
"""


@pytest.fixture(scope="module")
def module() -> ir.Module:
    context = make_context()
    with context, ir.Location.unknown():
        return ir.Module.parse(module_text(), context)


@pytest.fixture(scope="module")
def expected(module: ir.Module) -> np.ndarray:
    return Jit(module.operation, optimize=0).run(values())


@pytest.mark.parametrize("headers", ["fast", "xilinx"])
def test_expressions(module: ir.Module, expected: np.ndarray, headers: str, tmp_path: Path) -> None:
    """All forms on all pairs of values."""
    folders = [library_folder("csim")]
    if headers == "xilinx":
        try:
            folders = [csim.xilinx_headers()]
        except UserError as problem:
            pytest.skip(f"needs hls4ml: {problem}")
    source, program = tmp_path / "forms.cpp", tmp_path / "forms"
    source.write_text(emitted(module))
    includes = [f"-I{folder}" for folder in (*folders, library_folder("include"))]
    subprocess.run(["g++", "-std=c++14", "-O0", "-w", *includes, str(source), "-o", str(program)], check=True)
    output = subprocess.run([str(program)], input=values().tobytes(), capture_output=True, check=True).stdout
    got = np.array([line.split() for line in output.decode().splitlines()], np.int64)
    names = list(FORMS)
    wrong = sorted({names[form] for form in np.argwhere(got != expected)[:, 1]})
    assert not wrong, f"{wrong}: {first_difference(names, got, expected)}"


def first_difference(names: list[str], got: np.ndarray, expected: np.ndarray) -> str:
    pair, form = np.argwhere(got != expected)[0]
    x, y = values()[pair]
    return f"{names[form]}({x}, {y}) is {got[pair, form]}, expected {expected[pair, form]}"


def test_unknown_operation() -> None:
    """A located error, not a comment in the output."""
    context = make_context()
    with context, ir.Location.unknown():
        text = "func.func @f(%a: i32) -> i32 {\n  %0 = arith.remsi %a, %a : i32\n  return %0 : i32\n}"
        module = ir.Module.parse(text, context)
        op = iu.walk(module.operation, "arith.remsi")[0]
        with pytest.raises(PassFailure, match=r"'arith\.remsi' cannot be emitted") as failure:
            expression(op, [Text("a", width_of(op.operands[0]))] * 2)
        assert failure.value.where.endswith(":2:8")
