// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Crashes and endless loops below Python, MLIR's own on files that it does not check, told in words.
#pragma once

#include <string>

namespace resnet_hls {

/// From now on signal `number` (below 32) writes `text` to standard error and ends the process with status 1: no core
/// dump, and none of the process's own clean-up. Also where the stack is full: the handler has one of its own, for the
/// calling thread.
void end_with(int number, const std::string& text);

} // namespace resnet_hls
