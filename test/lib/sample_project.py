# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A project written by hand, in the form that `build` emits: a 3x3 convolution with a skip connection around it.

input -> fork -> main -> window -> taps -> convolve -> result -> add -> output
              -> skip ------------------------------------------^
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resnet_hls.project.testbench import DataflowGraph, Stream, Task, write_testbench

NAME = "sample"
HEIGHT, WIDTH, CHANNELS = 5, 6, 4

_HEADER = """
#ifndef SAMPLE_H
#define SAMPLE_H
#include <ap_axi_sdata.h>
#include <ap_int.h>
#include <hls_stream.h>

using input_axis_t = ap_axiu<32, 0, 0, 0>;
using output_axis_t = ap_axiu<32, 0, 0, 0>;

namespace sample_io {
constexpr int input_words = 30, input_lanes = 4, input_elements = 120;
constexpr int output_words = 30, output_lanes = 4, output_elements = 120;
}

void sample(int frames, hls::stream<input_axis_t>& input, hls::stream<output_axis_t>& output);
#endif
"""

_TASKS_HEADER = """
#ifndef TASKS_H
#define TASKS_H
#include "sample.h"
#include "resnet_hls/word.h"

using pixel_t = resnet_hls::word<ap_int<8>, 4>;
using window_t = resnet_hls::word<ap_int<8>, 36>;

void fork(int frames, hls::stream<input_axis_t>& input, hls::stream<pixel_t>& main, hls::stream<pixel_t>& skip);
void window(int frames, hls::stream<pixel_t>& main, hls::stream<window_t>& taps);
void convolve(int frames, hls::stream<window_t>& taps, hls::stream<pixel_t>& result);
void add(int frames, hls::stream<pixel_t>& result, hls::stream<pixel_t>& skip, hls::stream<output_axis_t>& output);
#endif
"""

_TOP = """
#include "sample.h"
#include "tasks.h"

void sample(int frames, hls::stream<input_axis_t>& input, hls::stream<output_axis_t>& output) {
#pragma HLS DATAFLOW
  hls::stream<pixel_t> main("main"), skip("skip"), result("result");
  hls::stream<window_t> taps("taps");
  ::fork(frames, input, main, skip);
  ::window(frames, main, taps);
  ::convolve(frames, taps, result);
  ::add(frames, result, skip, output);
}
"""

_TASKS = """
#include "tasks.h"
#include "resnet_hls/axis.h"
#include "weights.h"

void fork(int frames, hls::stream<input_axis_t>& input, hls::stream<pixel_t>& main, hls::stream<pixel_t>& skip) {
  for (int frame = 0; frame < frames; ++frame) for (int p = 0; p < 30; ++p) {
#pragma HLS PIPELINE II=1
    const pixel_t pixel = resnet_hls::axis_to_word<ap_int<8>, 4>(input.read());
    main.write(pixel);
    skip.write(pixel);
  }
}

void window(int frames, hls::stream<pixel_t>& main, hls::stream<window_t>& taps) {
  pixel_t line[2][6], registers[3][3];
  for (int frame = 0; frame < frames; ++frame) for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 7; ++x) {
#pragma HLS PIPELINE II=1
      pixel_t column[3] = {};
      if (x < 6) {
        column[0] = line[0][x];
        column[1] = line[1][x];
        if (y < 5)
          column[2] = main.read();
        line[0][x] = column[1];
        line[1][x] = column[2];
      }
      for (int ky = 0; ky < 3; ++ky) {
        registers[ky][0] = registers[ky][1];
        registers[ky][1] = registers[ky][2];
        registers[ky][2] = column[ky];
      }
      if (y > 0 && x > 0) {
        window_t word;
        for (int t = 0; t < 9; ++t) {
          const int row = y + t / 3 - 2, col = x + t % 3 - 2;
          const bool inside = row >= 0 && row < 5 && col >= 0 && col < 6;
          for (int i = 0; i < 4; ++i)
            word.lane[4 * t + i] = inside ? registers[t / 3][t % 3].lane[i] : ap_int<8>(0);
        }
        taps.write(word);
      }
    }
  }
}

void convolve(int frames, hls::stream<window_t>& taps, hls::stream<pixel_t>& result) {
  for (int frame = 0; frame < frames; ++frame) for (int p = 0; p < 30; ++p) {
#pragma HLS PIPELINE II=1
    const window_t word = taps.read();
    pixel_t pixel;
    for (int o = 0; o < 4; ++o) {
      ap_int<32> sum = bias[o];
      for (int t = 0; t < 36; ++t)
        sum += weight[o][t] * word.lane[t];
      const ap_int<32> rounded = (sum + ap_int<32>(31) + ((sum >> 6) & 1)) >> 6;
      pixel.lane[o] = rounded < 0 ? ap_int<8>(0) : rounded > 127 ? ap_int<8>(127) : ap_int<8>(rounded);
    }
    result.write(pixel);
  }
}

void add(int frames, hls::stream<pixel_t>& result, hls::stream<pixel_t>& skip, hls::stream<output_axis_t>& output) {
  for (int frame = 0; frame < frames; ++frame) for (int p = 0; p < 30; ++p) {
#pragma HLS PIPELINE II=1
    const pixel_t a = result.read(), b = skip.read();
    pixel_t sum;
    for (int o = 0; o < 4; ++o) {
      const ap_int<9> exact = a.lane[o] + b.lane[o];
      sum.lane[o] = exact > 127 ? ap_int<8>(127) : exact < -128 ? ap_int<8>(-128) : ap_int<8>(exact);
    }
    output.write(resnet_hls::word_to_axis<32>(sum, frame == frames - 1 && p == 29));
  }
}
"""


@dataclass(frozen=True)
class Sample:
    """The project and its meaning.

    Args:
        folder: where it is.
        weight: (4, 3, 3, 4): output, row, column, input.
        bias: (4,).
    """

    folder: Path
    weight: np.ndarray
    bias: np.ndarray

    def expected(self, images: np.ndarray) -> np.ndarray:
        """The accelerator's integers, (N, 120), for int8 images (N, 5, 6, 4)."""
        padded = np.pad(images.astype(np.int64), ((0, 0), (1, 1), (1, 1), (0, 0)))
        sums = np.zeros(images.shape, np.int64) + self.bias
        for ky in range(3):
            for kx in range(3):
                taps = padded[:, ky : ky + HEIGHT, kx : kx + WIDTH]
                sums += np.einsum("nyxi,oi->nyxo", taps, self.weight[:, ky, kx])
        rounded = (sums + 31 + ((sums >> 6) & 1)) >> 6
        return np.clip(np.clip(rounded, 0, 127) + images, -128, 127).astype(np.int8).reshape(len(images), -1)


def write_sample(folder: Path, include: Path, *, skip_depth: int = 16) -> Sample:
    """Writes the project.

    Args:
        folder: made here.
        include: the folder `lib/include`.
        skip_depth: of the stream `skip`; too small a number deadlocks.
    """
    random = np.random.default_rng(7)
    sample = Sample(folder, random.integers(-128, 128, (4, 3, 3, 4)), random.integers(-2000, 2000, 4))
    source = folder / "src"
    (source / "resnet_hls").mkdir(parents=True)
    for header in (include / "resnet_hls").glob("*.h"):
        (source / "resnet_hls" / header.name).write_bytes(header.read_bytes())
    rows = ", ".join("{" + ", ".join(map(str, row.reshape(-1))) + "}" for row in sample.weight)
    weights = (
        "#include <cstdint>\n"
        f"static const std::int8_t weight[4][36] = {{{rows}}};\n"
        f"static const std::int16_t bias[4] = {{{', '.join(map(str, sample.bias))}}};\n"
    )
    contents = {
        "sample.h": _HEADER,
        "sample.cpp": _TOP,
        "tasks.h": _TASKS_HEADER,
        "tasks.cpp": _TASKS,
        "weights.h": weights,
    }
    for name, text in contents.items():
        (source / name).write_text(text)
    graph = DataflowGraph(
        NAME,
        (
            Stream("main", "pixel_t", 2),
            Stream("skip", "pixel_t", skip_depth),
            Stream("taps", "window_t", 2),
            Stream("result", "pixel_t", 2),
        ),
        (
            Task("fork", ("input", "main", "skip")),
            Task("window", ("main", "taps")),
            Task("convolve", ("taps", "result")),
            Task("add", ("result", "skip", "output")),
        ),
    )
    images = random_images(3)
    (folder / "tb").mkdir()
    write_testbench(folder / "tb", graph, images, sample.expected(images))
    port = {"shape": [1, HEIGHT, WIDTH, CHANNELS], "scale": 0.0078125, "signed": True}
    (folder / "manifest.json").write_text(
        json.dumps({"name": NAME, "source_kind": "onnx", "input": port, "output": {**port, "scale": 0.5}})
    )
    return sample


def random_images(count: int) -> np.ndarray:
    """int8 images (count, 5, 6, 4)."""
    return np.random.default_rng(count).integers(-128, 128, (count, HEIGHT, WIDTH, CHANNELS)).astype(np.int8)
