// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What one beat of an internal stream carries.
#ifndef RESNET_HLS_WORD_H
#define RESNET_HLS_WORD_H

namespace resnet_hls {

// N elements that travel together, lane 0 first in raster order.
template <typename T, int N> struct word {
  T lane[N];
};

} // namespace resnet_hls

#endif // RESNET_HLS_WORD_H
