// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Crashes below Python, MLIR's own on files that it does not check, told in words.
#pragma once

#include <string>

namespace resnet_hls {

/// From now on a crash (a segmentation fault, an abort, a stack that is full, …) writes `before`, the signal's name and
/// `after` to standard error, and ends the process with status 1: no core dump, and none of the process's own clean-up.
/// Replaces what was to be said before. The stack that the handler runs on is the calling thread's.
void report_crashes(const std::string& before, const std::string& after);

} // namespace resnet_hls
