// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// resnet_hls/packed.h for all bytes: prints how many sums of products in one multiplier are wrong.
#include <resnet_hls/packed.h>

#include <cstdio>

// PART: which tests; STEP: from one activation to the next, 1 or a divisor of 255, with which the extremes are there.

// Two sums of `links` equal products in slices with a multiplier of Width bits, lanes Shift bits apart.
template <int Shift, int Width, typename Factor> bool is_exact(int high, int low, int factor, int links) {
  const ap_int<8> first = high, second = low;
  const ap_int<Width> packed = resnet_hls::pack<Width, Shift>(first, second);
  const Factor shared = factor;
  resnet_hls::packed_sum sum = resnet_hls::packed_sum(1) << (Shift - 1);
  for (int link = 0; link < links; ++link)
    sum += packed * shared;
  return resnet_hls::low<Shift>(sum) == links * low * factor && resnet_hls::high<Shift>(sum) == links * high * factor;
}

// How many pairs of weights from `least` on, and activations from `from` to `to`, have wrong sums; all that differ.
template <int Shift, int Width, typename Factor> void count(const char* name, int least, int from, int to, int links) {
  long wrong = 0, all = 0;
  for (int high = least; high < 128; ++high)
    for (int low = least; low < 128; ++low)
      for (int factor = from; factor <= to; factor += STEP) {
        ++all;
        wrong += !is_exact<Shift, Width, Factor>(high, low, factor, links);
      }
  std::printf("%s, weights from %d, %d links: %ld of %ld wrong\n", name, least, links, wrong, all);
}

int main() {
  // The extremes of what `links` products can sum up to are those of equal ones, so equal ones show the limit.
#if PART == 0
  count<18, 27, ap_int<8>>("27 bits, signed", -128, -128, 127, 1);
  count<18, 27, ap_int<8>>("27 bits, signed", -128, -128, 127, 7);
#elif PART == 1
  count<18, 27, ap_int<8>>("27 bits, signed", -128, -128, 127, 8);
  count<18, 27, ap_int<8>>("27 bits, signed", -127, -128, 127, 8);
#elif PART == 2
  count<18, 27, ap_uint<8>>("27 bits, unsigned", -128, 0, 255, 4);
  count<18, 27, ap_uint<8>>("27 bits, unsigned", -128, 0, 255, 5);
#elif PART == 3
  // A bit more between the lanes: only -128 above a negative number does not fit the multiplier.
  count<19, 27, ap_int<8>>("27 bits, 19 apart", -127, -128, 127, 16);
  count<19, 27, ap_int<8>>("27 bits, 19 apart", -128, -128, 127, 1);
#else
  count<16, 25, ap_int<8>>("25 bits, signed", -128, -128, 127, 1);
  count<16, 25, ap_int<8>>("25 bits, signed", -128, -128, 127, 2);
  count<17, 25, ap_int<8>>("25 bits, 17 apart", -127, -128, 127, 4);
#endif
  return 0;
}
