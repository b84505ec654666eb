// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Words of weights from the beats in which they are loaded into UltraRAM. A word begins with a beat of its own; lane 0
// lies in the lowest bits, no lane in two beats, and what is left of a beat is zero.
#ifndef RESNET_HLS_LOAD_H
#define RESNET_HLS_LOAD_H

#include <ap_int.h>
#include <hls_stream.h>

#include "warnings.h"
#include "word.h"

namespace resnet_hls {

using load_beat = ap_uint<64>;

template <typename T, int N> word<T, N> load_word(hls::stream<load_beat>& beats) {
#pragma HLS INLINE
  constexpr int lanes = load_beat::width / T::width;
  word<T, N> value;
  load_beat beat = 0;
  for (int l = 0; l < N; ++l) {
#pragma HLS UNROLL
    if (l % lanes == 0)
      beat = beats.read();
    value.lane[l] = T(beat.range(l % lanes * T::width + T::width - 1, l % lanes * T::width));
  }
  return value;
}

} // namespace resnet_hls

#endif // RESNET_HLS_LOAD_H
