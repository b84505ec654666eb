# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lines of a task and of a layer in the texts of a project, as MLIR and the emitter print them."""

from __future__ import annotations

from torch_mlir import ir

from resnet_hls.context import make_context
from resnet_hls.report import excerpts

NAME = 'conv "1"\\<b>\tü'
CPP = """// The tasks.

static void helper(int x) {
}

// conv1
// IR: hls.task @conv1
void conv1(int frames,
           int y) {
  rows: for (;;) {
  }
}
"""


def printed(text: str, name: str) -> str:
    """A module as the driver prints it, with `LAYER` located at a layer of that name."""
    with make_context() as context:
        location = str(ir.Location.name(name, context=context))
        module = ir.Module.parse(text.replace("LAYER", location))
        found: str = module.operation.get_asm(enable_debug_info=True)
        return found


def test_functions() -> None:
    found = excerpts.functions("src/tasks.cpp", CPP)
    assert set(found) == {"helper", "conv1"}
    assert (found["conv1"].first, found["conv1"].last) == (6, 12)
    assert found["conv1"].text.startswith("// conv1\n// IR")
    assert found["conv1"].numbers.splitlines() == [str(number) for number in range(6, 13)]
    assert excerpts.functions("src/tasks.cpp", "void cut(int x) {\n  int y;") == {}


def test_layers() -> None:
    text = printed(
        """
        func.func @f(%a: tensor<4xi8>) -> tensor<4xi8> {
          %c = arith.constant dense<3> : tensor<4xi8> LAYER
          %b = arith.addi %a, %c : tensor<4xi8> LAYER
          %d = arith.muli %b, %b : tensor<4xi8> LAYER
          return %d : tensor<4xi8>
        }""",
        NAME,
    )
    found = excerpts.layer_operations("ir/10-integer.mlir", text)
    assert list(found) == [NAME]
    assert [excerpts.operation_name(one) for one in found[NAME]] == ["arith.addi", "arith.muli"]
    lines = text.splitlines()
    for one in found[NAME]:
        assert one.lines[0].strip() in lines[one.first - 1]
        assert " loc(" not in one.text


def test_tasks() -> None:
    text = printed(
        """
        func.func @f() {
          "hls.dataflow"() ({
            "hls.task"() ({
              %a = memref.alloc() : memref<4xi8>
              affine.for %i = 0 to 4 {
                %0 = affine.load %a[%i] : memref<4xi8> LAYER
              }
            }) {sym_name = "conv"} : () -> () LAYER
          }) : () -> ()
          return
        }""",
        NAME,
    )
    found = excerpts.task_operations("ir/40-scheduled.mlir", text)
    excerpt, layers = found["conv"]
    assert layers == (NAME,)
    assert excerpt.lines[0] == '"hls.task"() ({'
    assert excerpt.lines[-1].startswith("}) {")
    assert text.splitlines()[excerpt.first - 1].strip() == excerpt.lines[0]
    assert " loc(" not in excerpt.text


def test_endless_lines_are_cut() -> None:
    assert len(excerpts.Excerpt("a", 1, ("x" * 5000,)).text) < 500
