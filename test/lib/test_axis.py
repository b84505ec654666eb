# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lib/include/resnet_hls/axis.h: words in TDATA, with the stand-in and the vendor's ap_int.h."""

import subprocess
from pathlib import Path

import pytest

SOURCE = r"""
#include <resnet_hls/axis.h>
#include <cstdio>
using resnet_hls::word;
template <int N, int W> static int roundtrip() {
  int wrong = 0;
  for (int seed = 0; seed < 200; ++seed) {
    word<ap_int<8>, N> value;
    for (int l = 0; l < N; ++l) value.lane[l] = ap_int<8>(37 * seed + 101 * l);
    const ap_axiu<W, 0, 0, 0> beat = resnet_hls::word_to_axis<W>(value, seed % 2 == 1);
    for (int l = 0; l < N; ++l)
      wrong += ap_int<8>(beat.data.range(8 * l + 7, 8 * l)) != value.lane[l];
    for (int bit = 8 * N; bit + 7 < W; bit += 8)
      wrong += ap_uint<8>(beat.data.range(bit + 7, bit)) != ap_uint<8>(0);
    wrong += beat.last != ap_uint<1>(seed % 2);
    wrong += ap_uint<1>(beat.keep.range(W / 8 - 1, W / 8 - 1)) != ap_uint<1>(1);
    wrong += ap_uint<1>(beat.strb.range(0, 0)) != ap_uint<1>(1);
    const word<ap_int<8>, N> back = resnet_hls::axis_to_word<ap_int<8>, N>(beat);
    for (int l = 0; l < N; ++l) wrong += back.lane[l] != value.lane[l];
    const word<ap_uint<8>, N> raw = resnet_hls::axis_to_word<ap_uint<8>, N>(beat);
    for (int l = 0; l < N; ++l) wrong += raw.lane[l] != ap_uint<8>(value.lane[l]);
  }
  return wrong;
}
int main() {
  std::printf("%d\n", roundtrip<1, 8>() + roundtrip<2, 16>() + roundtrip<3, 32>() + roundtrip<4, 32>() +
      roundtrip<5, 64>() + roundtrip<8, 64>() + roundtrip<10, 128>() + roundtrip<16, 128>() + roundtrip<17, 256>() +
      roundtrip<32, 256>() + roundtrip<64, 512>() + roundtrip<100, 1024>() + roundtrip<128, 1024>());
}
"""


@pytest.mark.parametrize("headers", ["fast", "xilinx"])
def test_words_travel_in_tdata(
    headers: str, compiler: str, repository: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "source.cpp").write_text(SOURCE)
    library = repository / "lib"
    command = [compiler, "-std=c++14", "-O1", "source.cpp", "-o", "program", "-I", str(library / "include")]
    if headers == "xilinx":
        command += ["-w", "-I", str(request.getfixturevalue("xilinx_headers"))]
    else:
        command += ["-Wall", "-Wextra", "-Wno-unknown-pragmas"]
    command += ["-I", str(library / "csim")]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout == "0\n"
