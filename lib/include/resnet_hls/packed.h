// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two products in one multiplier: (high * 2^Shift + low) * factor holds high * factor and low * factor, and so does a
// sum of such products hold two sums.
//
// A sum begins with 2^(Shift - 1), half of what its low lane spans. As long as the low lane's sum is in
// [-2^(Shift - 1), 2^(Shift - 1)), low<Shift>() and high<Shift>() give both sums exactly, and neither costs an adder:
// nothing is ever borrowed from the high lane. test/lib/packed.cpp tests this for all bytes, and where it ends.
#ifndef RESNET_HLS_PACKED_H
#define RESNET_HLS_PACKED_H

#include <ap_int.h>

#include "arithmetic.h"
#include "warnings.h"

namespace resnet_hls {

// What a DSP slice adds up: 48 bits.
using packed_sum = exact<48>;

// The bits that the wider operand of a slice's multiplier has; the addition is its pre-adder.
template <int Width, int Shift, typename High, typename Low> exact<Width> pack(const High& high, const Low& low) {
#pragma HLS INLINE
  return exact<Width>((exact<Width>(high) << Shift) + exact<Width>(low));
}

// The lowest bits without the half that the sum began with: their uppermost bit inverted.
template <int Shift> ap_int<Shift> low(const packed_sum& sum) {
#pragma HLS INLINE
  return ap_int<Shift>(sum ^ (packed_sum(1) << (Shift - 1)));
}

template <int Shift> exact<48 - Shift> high(const packed_sum& sum) {
#pragma HLS INLINE
  return exact<48 - Shift>(sum >> Shift);
}

} // namespace resnet_hls

#endif // RESNET_HLS_PACKED_H
