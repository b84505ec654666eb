// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stand-in for <ap_axi_sdata.h>: one beat of an AXI4-Stream without TUSER, TID and TDEST. It takes ap_uint from
// whichever <ap_int.h> the include path finds first, so it also completes the vendor's open headers, which lack it. As
// in the vendor's, ap_axiu is another name of a template that is given a type, and widths are unsigned.
#ifndef RESNET_HLS_CSIM_AP_AXI_SDATA_H
#define RESNET_HLS_CSIM_AP_AXI_SDATA_H

#include <ap_int.h>

#include <cstddef>

namespace hls {

template <typename T, std::size_t User, std::size_t Id, std::size_t Destination> struct axis {
  static_assert(T::width % 8 == 0, "TDATA is a whole number of bytes");
  static_assert(User == 0 && Id == 0 && Destination == 0, "this stand-in has no TUSER, TID and TDEST");
  T data;
  ap_uint<T::width / 8> keep;
  ap_uint<T::width / 8> strb;
  ap_uint<1> last;
};

} // namespace hls

template <std::size_t W, std::size_t User, std::size_t Id, std::size_t Destination>
using ap_axiu = hls::axis<ap_uint<W>, User, Id, Destination>;

#endif // RESNET_HLS_CSIM_AP_AXI_SDATA_H
