// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between the accelerator's AXI4-Stream ports and its internal words: lane l of a word travels in bits
// [w*l + w-1 : w*l] of TDATA, w the width of an element. Bits above the last lane are zero.
#ifndef RESNET_HLS_AXIS_H
#define RESNET_HLS_AXIS_H

#include <ap_axi_sdata.h>
#include <ap_int.h>

#include "warnings.h"
#include "word.h"

namespace resnet_hls {

template <typename T, int N, int W> word<T, N> axis_to_word(const ap_axiu<W, 0, 0, 0>& beat) {
#pragma HLS INLINE
  static_assert(N * T::width <= W, "the lanes fit in TDATA");
  word<T, N> value;
  for (int l = 0; l < N; ++l) {
#pragma HLS UNROLL
    value.lane[l] = T(beat.data.range(T::width * l + T::width - 1, T::width * l));
  }
  return value;
}

template <int W, typename T, int N> ap_axiu<W, 0, 0, 0> word_to_axis(const word<T, N>& value, bool last) {
#pragma HLS INLINE
  static_assert(N * T::width <= W, "the lanes fit in TDATA");
  ap_axiu<W, 0, 0, 0> beat;
  beat.data = 0;
  beat.keep = -1;
  beat.strb = -1;
  beat.last = last;
  for (int l = 0; l < N; ++l) {
#pragma HLS UNROLL
    beat.data.range(T::width * l + T::width - 1, T::width * l) = value.lane[l];
  }
  return beat;
}

} // namespace resnet_hls

#endif // RESNET_HLS_AXIS_H
