// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stand-in for <ap_axi_sdata.h>: one beat of an AXI4-Stream without TUSER, TID and TDEST. It takes ap_uint from
// whichever <ap_int.h> the include path finds first, so it also completes the vendor's open headers, which lack it.
#ifndef RESNET_HLS_CSIM_AP_AXI_SDATA_H
#define RESNET_HLS_CSIM_AP_AXI_SDATA_H

#include <ap_int.h>

template <int W, int User, int Id, int Destination> struct ap_axiu {
  static_assert(W % 8 == 0, "TDATA is a whole number of bytes");
  static_assert(User == 0 && Id == 0 && Destination == 0, "this stand-in has no TUSER, TID and TDEST");
  ap_uint<W> data;
  ap_uint<W / 8> keep;
  ap_uint<W / 8> strb;
  ap_uint<1> last;
};

#endif // RESNET_HLS_CSIM_AP_AXI_SDATA_H
