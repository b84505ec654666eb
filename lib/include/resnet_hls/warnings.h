// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pragmas and labels speak to Vitis HLS; C++ compilers have no use for them and need not say so. (g++ before version 13
// reads the first line too late, GCC bug 53431: give it -Wno-unknown-pragmas.)
#ifndef RESNET_HLS_WARNINGS_H
#define RESNET_HLS_WARNINGS_H

#ifndef __SYNTHESIS__
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#pragma GCC diagnostic ignored "-Wunused-label"
#endif

#endif // RESNET_HLS_WARNINGS_H
