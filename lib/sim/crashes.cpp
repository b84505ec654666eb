// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "crashes.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace {

struct Message {
  int number;
  const char* name;
  std::array<char, 4096> text;
  std::size_t size;
};

// Written beforehand: a handler may neither allocate nor format.
std::array<Message, 5> messages{{{SIGSEGV, "SIGSEGV", {}, 0},
                                 {SIGBUS, "SIGBUS", {}, 0},
                                 {SIGILL, "SIGILL", {}, 0},
                                 {SIGFPE, "SIGFPE", {}, 0},
                                 {SIGABRT, "SIGABRT", {}, 0}}};

// Of its own, because the usual one may be what is full.
alignas(16) std::array<char, 1 << 16> stack;

extern "C" void on_crash(int number) {
  for (const Message& message : messages)
    if (message.number == number && write(STDERR_FILENO, message.text.data(), message.size) < 0)
      break;
  _exit(1);
}

} // namespace

void resnet_hls::report_crashes(const std::string& before, const std::string& after) {
  stack_t other{};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  sigaltstack(&other, nullptr);
  for (Message& message : messages) {
    std::string text = before + message.name + after;
    message.size = std::min(text.size(), message.text.size());
    std::memcpy(message.text.data(), text.data(), message.size);
    struct sigaction action{};
    action.sa_handler = on_crash;
    action.sa_flags = SA_ONSTACK;
    sigaction(message.number, &action, nullptr);
  }
}
