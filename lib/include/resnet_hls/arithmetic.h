// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small functions that the emitted tasks use.
#ifndef RESNET_HLS_ARITHMETIC_H
#define RESNET_HLS_ARITHMETIC_H

#include <ap_int.h>

#include "warnings.h"

namespace resnet_hls {

// An integer of which the compiler knows that so many bits hold it. The fast stand-in for ap_int.h computes it in as
// many as a C++ compiler computes with: cutting a sum back after each addition would keep it from vectorizing.
#ifdef RESNET_HLS_CSIM_AP_INT_H
template <int Bits> using exact = ap_int<Bits <= 32 ? 32 : 64>;
#else
template <int Bits> using exact = ap_int<Bits>;
#endif

template <typename T> T max(const T& a, const T& b) {
#pragma HLS INLINE
  return a > b ? a : b;
}

template <typename T> T min(const T& a, const T& b) {
#pragma HLS INLINE
  return a < b ? a : b;
}

// The value of [low, high] nearest to `value`.
template <typename T> T clamp(const T& value, int low, int high) {
#pragma HLS INLINE
  return value < low ? T(low) : value > high ? T(high) : value;
}

// Division that rounds down, and its remainder, for a positive divisor.
constexpr int floor_div(int a, int b) {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

constexpr int floor_mod(int a, int b) {
  return a - floor_div(a, b) * b;
}

constexpr int ceil_div(int a, int b) {
  return -floor_div(-a, b);
}

} // namespace resnet_hls

#endif // RESNET_HLS_ARITHMETIC_H
