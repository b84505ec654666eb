# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each rule of a dataflow region, broken once in a small design; what is emitted breaks none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from torch_mlir import ir

from resnet_hls import emit
from resnet_hls.context import make_context
from resnet_hls.emit.module import ModuleWriter
from resnet_hls.passes import PassFailure
from resnet_hls.project.dataflow_rules import check

# Three tasks and a stream that bypasses one of them: allowed, since hls-size-fifos gives it room.
DESIGN = """\
void first(int frames, hls::stream<word>& input, hls::stream<word>& a, hls::stream<word>& skip) {
  for (int n = 0; n < frames; ++n) {
    const word value = input.read();
    a.write(value);
    skip.write(value);
  }
}
void second(int frames, hls::stream<word>& a, hls::stream<word>& b) {
  for (int n = 0; n < frames; ++n) {
    if (n > 0)
      b.write(helper(a));
  }
}
void third(int frames, hls::stream<word>& b, hls::stream<word>& skip, hls::stream<word>& output) {
  for (int n = 0; n <= frames; ++n)
    for (int i = 0; i < 4; ++i)
      output.write(b.read() + skip.read());
}
static const int table[2] = {1, 2};
word helper(hls::stream<word>& from) { return from.read() + table[0]; }
void top(int frames, hls::stream<word>& input, hls::stream<word>& output) {
#pragma HLS INTERFACE mode=axis port=input
#pragma HLS INTERFACE mode = axis port = output
#pragma HLS INTERFACE s_axilite port=frames bundle=control
#pragma HLS INTERFACE mode=s_axilite port=return bundle=control
#pragma HLS DATAFLOW
  hls::stream<word> a("a");
#pragma HLS STREAM variable=a depth=2
  hls::stream<word> b("b");
#pragma HLS STREAM variable=b depth=2
  hls::stream<word> skip("skip");
#pragma HLS STREAM variable=skip depth=20
  first(frames, input, a, skip);
  second(frames, a, b);
  third(frames, b, skip, output);
}
"""
FIRST, SECOND, THIRD = (
    "  first(frames, input, a, skip);\n",
    "  second(frames, a, b);\n",
    "  third(frames, b, skip, output);\n",
)
EXTRA = "void extra(int frames, hls::stream<word>& x) {\n  x.METHOD();\n}\n"


def changed(*changes: tuple[str, str]) -> str:
    text = DESIGN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def with_extra(method: str) -> str:
    """One task more at the stream `a`."""
    return EXTRA.replace("METHOD", method) + changed((SECOND, f"  extra(frames, a);\n{SECOND}"))


CASES = {
    # --- who uses a stream
    "several readers": (with_extra("read"), "stream 'a' has 1 writers and 2 readers, expected one of each"),
    "several writers": (with_extra("write"), "stream 'a' has 2 writers and 1 readers, expected one of each"),
    "an unused stream": (
        changed((FIRST, f'  hls::stream<word> c("c");\n#pragma HLS STREAM variable=c depth=2\n{FIRST}')),
        "stream 'c' has 0 writers and 0 readers, expected one of each",
    ),
    "an unused argument": (changed(("    skip.write(value);\n", "")), "task 'first' never uses stream 'skip'"),
    "an unused port": (changed((THIRD, "")), "port 'output' has 0 writers and 0 readers, expected one"),
    "read and written": (changed(("b.write(helper(a))", "a.write(helper(a))")), "reads and writes stream 'a'"),
    "feedback": (changed((FIRST, SECOND), (f"{SECOND}{SECOND}", f"{SECOND}{FIRST}")), "read by 'second' before it is"),
    # --- depths
    "no depth": (changed(("#pragma HLS STREAM variable=a depth=2\n", "")), "stream 'a' has 0 depths"),
    "a depth by name": (changed(("a depth=2", "a depth=DEPTH")), "has the depth 'DEPTH', which is no number"),
    "a depth of one": (changed(("a depth=2", "a depth=1")), "stream 'a' has room for 1 words, expected 2 at least"),
    # --- the region
    "a conditional task": (changed((SECOND, f"  if (frames > 0)\n  {SECOND}")), "a task runs under a condition"),
    "a chosen task": (
        changed((SECOND, "  frames ? second(frames, a, b) : first(frames, a, b, b);\n")),
        "a task runs under a condition",
    ),
    "a loop of tasks": (changed((SECOND, f"  for (int n = 0; n < 2; ++n)\n  {SECOND}")), "a loop around tasks"),
    "a statement": (changed((SECOND, f"  frames += 1;\n{SECOND}")), "neither a stream nor a call of a task"),
    "an array": (changed((FIRST, f"  word memory[16];\n{FIRST}")), "'memory' is no stream"),
    "streams in an array": (changed(('stream<word> a("a");', "stream<word> a[2];")), "'a' is an array of streams"),
    "a static stream": (changed(('  hls::stream<word> a("', '  static hls::stream<word> a("')), "stream 'a' is static"),
    "a shared variable": (changed(("static const int", "static int")), "'table' is a variable that all tasks share"),
    "a task twice": (changed((THIRD, THIRD + THIRD)), "task 'third' is called twice"),
    "an expression": (changed(("second(frames,", "second(frames + 1,")), "'frames + 1' is passed to task 'second'"),
    "an unknown task": (changed((SECOND, "  unknown(frames, a, b);\n")), "'unknown' is no function of these files"),
    "a missing argument": (changed((SECOND, "  second(frames, a);\n")), "task 'second' gets 2 arguments for 3"),
    "no region": (changed(("#pragma HLS DATAFLOW\n", "")), "0 functions with the pragma DATAFLOW, expected one"),
    # --- the ports
    "a wire": (changed(("s_axilite port=frames", "ap_none port=frames")), "the interface ap_none, expected s_axilite"),
    "no calls": (changed(("mode=s_axilite port=return", "mode=ap_ctrl_none port=return")), "interface ap_ctrl_none, "),
    "no protocol": (changed(("#pragma HLS INTERFACE mode=axis port=input\n", "")), "interface none, expected axis"),
    "a pointer": (changed(("top(int frames", "top(int* frames")), "port 'frames' is neither a stream nor a number"),
    # --- the tasks
    "a break": (changed(("    skip.write(", "    if (n) break;\n    skip.write(")), "'first' has a break: loops"),
    "a return": (changed(("    skip.write(", "    if (n) return;\n    skip.write(")), "'first' has a return: loops"),
    "a while loop": (changed(("  for (int n = 0; n < frames; ++n) {", "  while (true) {")), "without a number of iter"),
    "a computed bound": (changed(("i < 4", "i < n")), "task 'third' runs while 'i < n', whose bound is no constant"),
    "frames further in": (changed(("i < 4", "i < frames")), "runs while 'i < frames', whose bound is no constant"),
    "empty": (changed(("    if (n > 0)\n", "    if (!a.empty())\n")), "asks empty() of stream 'a': results depend on"),
    "read_nb": (changed(("a.write(value);", "input.read_nb(value);\n    a.write(value);")), "asks read_nb() of stream"),
    "a chosen stream": (changed(("skip.write(v", "(n ? skip : a).write(v")), "chooses a stream by a condition"),
    "a task in a task": (changed(("    if (n > 0)\n", "    third(n, a, a, b);\n")), "task 'second' calls task 'third'"),
    "an array argument": (changed(("first(int frames", "first(int frames[2]")), "of task 'first' is neither a stream"),
    "a result": (changed(("void second", "int second")), "task 'second' returns a value"),
    "no C++": (changed((SECOND, "  second(frames, a;\n")), "cannot be read as C++"),
}  # fmt: skip


def test_a_design_that_is_right() -> None:
    assert check({"design.cpp": DESIGN}) == []


@pytest.mark.parametrize("case", CASES)
def test_rules(case: str) -> None:
    text, message = CASES[case]
    found = [str(problem) for problem in check({"design.cpp": text})]
    assert any(message in problem for problem in found), found
    assert all(problem.startswith("design.cpp:") for problem in found)


def test_lines_and_several_files() -> None:
    """A problem is where it is, whichever file that is in."""
    tasks, top = DESIGN.split("void top", 1)
    top = top.replace("depth=20", "depth=1")
    (found,) = check({"tasks.cpp": tasks, "top.cpp": f"void top{top}"})
    assert (found.file, found.line) == ("top.cpp", 11)
    (found,) = check({"tasks.cpp": tasks.replace("i < 4", "i < n"), "top.cpp": f"void top{top}".replace("h=1", "h=2")})
    assert (found.file, found.line, found.help) == (
        "tasks.cpp",
        16,
        "only the outermost loop may have a bound from outside",
    )


def test_what_is_emitted_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emitter that forgets a depth gives no C++ away, but an error at the dataflow."""
    file = Path(__file__).parents[1] / "emit/loaded-weights.mlir"
    module = ir.Module.parse(file.read_text(), make_context())
    assert "product.cpp" in emit.emit_hls_cpp(module)
    top = ModuleWriter.top
    monkeypatch.setattr(ModuleWriter, "top", lambda writer: top(writer).replace("depth=", "depth=D"))
    with pytest.raises(PassFailure, match=r"has the depth 'D2', which is no number \(in the C\+\+: product\.cpp, line"):
        emit.emit_hls_cpp(module)


def test_command(tmp_path: Path) -> None:
    path = tmp_path / "design.cpp"
    command = [sys.executable, "-m", "resnet_hls.project.dataflow_rules", str(path)]
    path.write_text(DESIGN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    path.write_text(changed(("void second", "int second")))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == f"{path}:8: error: task 'second' returns a value\nhelp: write it into a stream\n"
