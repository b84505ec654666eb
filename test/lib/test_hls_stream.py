# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The two stand-ins for hls_stream.h, and the scheduler behind the bounded one."""

import subprocess
from pathlib import Path

import pytest

COMMON = r"""
#include <hls_stream.h>
#include <cstdio>
static int check(bool good, const char* what) { if (!good) std::printf("wrong: %s\n", what); return good ? 0 : 1; }
"""
FAST = (
    COMMON
    + r"""
struct pixel { signed char lane[3]; };
static int sum(hls::stream<int>& numbers) {
  int total = 0;
  while (!numbers.empty()) total += numbers.read();
  return total;
}
int main() {
  hls::stream<int> a("a");
  int wrong = 0, next = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7 * round; ++i) a.write(1000 * round + i);
    for (int i = 0; i < 7 * round; ++i) wrong += check(a.read() == 1000 * round + i, "order");
  }
  for (int i = 0; i < 1000; ++i) { a.write(i); if (i % 3 == 0) wrong += check(a.read() == next++, "interleaved"); }
  wrong += check(a.size() == 666 && !a.full() && !a.empty(), "size");
  while (!a.empty()) { int value; a >> value; wrong += check(value == next++, "operator>>"); }
  hls::stream<pixel> p;
  p << pixel{{1, -2, 3}};
  pixel q; p.read(q);
  wrong += check(q.lane[1] == -2, "struct");
  hls::stream<int, 4> deep("deep");
  for (int i = 0; i < 10; ++i) deep.write(i);
  wrong += check(sum(deep) == 45, "depth in the type");
  if (wrong == 0) std::printf("good\n");
  std::fflush(stdout);
  a.read();
}
"""
)
BOUNDED = (
    COMMON
    + r"""
#include <dataflow.h>
#include <cstdlib>
static void produce(hls::stream<int>& out) { for (int i = 0; i < 1000; ++i) out.write(i); }
static void split(hls::stream<int>& in, hls::stream<int>& even, hls::stream<int>& odd) {
  for (int i = 0; i < 1000; ++i) { const int value = in.read(); (value % 2 == 0 ? even : odd).write(value); }
}
static void join(hls::stream<int>& even, hls::stream<int>& odd, hls::stream<int>& out, int block) {
  for (int i = 0; i < 1000; i += 2 * block) {
    for (int j = 0; j < block; ++j) out.write(even.read());
    for (int j = 0; j < block; ++j) out.write(odd.read());
  }
}
int main(int, char** arguments) {
  const int depth = std::atoi(arguments[1]), block = std::atoi(arguments[2]);
  hls::stream<int> result("result");
  {
    hls::stream<int> numbers("numbers", 1), even("even", 2), odd("odd", depth);
    hls::dataflow tasks;
    tasks.spawn("produce", [&] { produce(numbers); });
    tasks.spawn("split", [&] { split(numbers, even, odd); });
    tasks.spawn("join", [&] { join(even, odd, result, block); });
    tasks.run();
    hls::expect_drained(odd);
  }
  int wrong = check(result.size() == 1000, "count");
  long total = 0;
  while (!result.empty()) total += result.read();
  wrong += check(total == 499500, "sum");
  if (wrong == 0) std::printf("good\n");
  hls::stream<int, 3> left("left");
  left.write(1);
  wrong += check(!left.full(), "not full");
  left.write(2); left.write(3);
  wrong += check(left.full(), "full");
  std::fflush(stdout);
  hls::expect_drained(left);
  return wrong;
}
"""
)


def build(folder: Path, compiler: str, source: str, includes: list[Path]) -> Path:
    (folder / "source.cpp").write_text(source)
    command = [compiler, "-std=c++14", "-O2", "-Wall", "-Wextra", "-Wpedantic", "source.cpp", "-o", "program"]
    for include in includes:
        command += ["-I", str(include)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return folder / "program"


def test_fast_stream(compiler: str, repository: Path, tmp_path: Path) -> None:
    program = build(tmp_path, compiler, FAST, [repository / "lib" / "csim"])
    result = subprocess.run([program], capture_output=True, text=True, check=False)
    assert result.stdout == "good\n"
    assert result.returncode == 3
    assert "hls::stream 'a': read while empty" in result.stderr


@pytest.fixture
def bounded(compiler: str, repository: Path, tmp_path: Path) -> Path:
    library = repository / "lib" / "csim"
    return build(tmp_path, compiler, BOUNDED, [library / "bounded", library])


@pytest.mark.parametrize(("depth", "block"), [(1, 1), (2, 2), (3, 4), (99, 100)])
def test_bounded_streams_pass_everything(bounded: Path, depth: int, block: int) -> None:
    result = subprocess.run([bounded, str(depth), str(block)], capture_output=True, text=True, check=False)
    assert result.stdout == "good\n"
    assert result.returncode == 3
    assert "hls::stream 'left': 3 words left over after the frame" in result.stderr


@pytest.mark.parametrize(("depth", "block"), [(2, 4), (98, 100)])
def test_a_deadlock_names_who_waits_for_what(bounded: Path, depth: int, block: int) -> None:
    result = subprocess.run([bounded, str(depth), str(block)], capture_output=True, text=True, check=False)
    assert result.returncode == 4
    assert result.stderr.splitlines() == [
        "deadlock: no task can go on",
        "  task produce waits to write to stream 'numbers' (full, depth 1)",
        f"  task split waits to write to stream 'odd' (full, depth {depth})",
        "  task join waits to read from stream 'even' (empty, depth 2)",
    ]
