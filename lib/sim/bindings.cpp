// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Python module resnet_hls.simulate._cycles.
#include <nanobind/nanobind.h>

NB_MODULE(_cycles, module) {
  module.doc() = "Cycles of a network of tasks and FIFOs.";
}
