// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// \file
/// Clocks the designs of a test bench until all of them are done, or no word has moved for a long time.

#include "Vtop.h"
#include "verilated.h"

int main(int argc, char** argv) {
  constexpr int Patience = 1000;
  VerilatedContext context;
  context.commandArgs(argc, argv);
  Vtop top(&context);
  auto clock = [&] {
    top.clk = 0;
    top.eval();
    top.clk = 1;
    top.eval();
  };
  top.reset = 1;
  clock();
  top.reset = 0;
  for (int quiet = 0; quiet < Patience && !top.done;) {
    top.clk = 0;
    top.eval();
    quiet = top.moved ? 0 : quiet + 1;
    clock();
  }
  top.final();
  return 0;
}
