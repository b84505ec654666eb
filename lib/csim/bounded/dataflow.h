// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the tasks of a dataflow region concurrently, as hardware does: every task is a coroutine that stops where it
// would block on a stream. When no task can go on, the program says who waits for what and ends. One source of a
// program includes this: it defines what streams call.
#ifndef RESNET_HLS_CSIM_BOUNDED_DATAFLOW_H
#define RESNET_HLS_CSIM_BOUNDED_DATAFLOW_H

#include <ucontext.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "channel.h"

namespace hls {

constexpr int exit_deadlock = 4;

class dataflow {
public:
  // Adds a task. `name` must outlive the region.
  void spawn(const char* name, std::function<void()> body) {
    tasks.emplace_back(new task(*this, name, std::move(body)));
  }

  // Runs every task to its end.
  void run() {
    dataflow* const outer = running();
    running() = this;
    while (step()) {
    }
    running() = outer;
  }

private:
  friend void await_word(channel& stream);
  friend void await_space(channel& stream);

  struct task {
    task(dataflow& region, const char* name, std::function<void()> body)
        : name(name), body(std::move(body)), stack(new char[stack_bytes]) {
      getcontext(&context);
      context.uc_stack.ss_sp = stack.get();
      context.uc_stack.ss_size = stack_bytes;
      context.uc_link = &region.scheduler;
      makecontext(&context, &dataflow::enter, 0);
    }
    bool ready() const {
      return !done && (blocked_on == nullptr || (wants_space ? !blocked_on->full() : !blocked_on->empty()));
    }

    const char* name;
    std::function<void()> body;
    std::unique_ptr<char[]> stack;
    ucontext_t context;
    channel* blocked_on = nullptr;
    bool wants_space = false;
    bool done = false;
  };

  static constexpr std::size_t stack_bytes = std::size_t(4) << 20;
  std::vector<std::unique_ptr<task>> tasks;
  task* current = nullptr;
  ucontext_t scheduler;

  static dataflow*& running() {
    static dataflow* region = nullptr;
    return region;
  }

  static void enter() {
    task& self = *running()->current;
    self.body();
    self.done = true;
  }

  static void await(channel& stream, bool space) {
    dataflow* const region = running();
    if (region == nullptr || region->current == nullptr) {
      std::fprintf(stderr, "hls::stream '%s': read while empty: its writer produced too few words\n", stream.name);
      std::exit(3);
    }
    task& self = *region->current;
    self.blocked_on = &stream;
    self.wants_space = space;
    swapcontext(&self.context, &region->scheduler);
    self.blocked_on = nullptr;
  }

  // Lets every task that can go on do so until it blocks; false when all have ended.
  bool step() {
    bool progress = false, all_done = true;
    for (const std::unique_ptr<task>& next : tasks) {
      if (next->ready()) {
        progress = true;
        current = next.get();
        swapcontext(&scheduler, &next->context);
        current = nullptr;
      }
      all_done = all_done && next->done;
    }
    if (!progress && !all_done)
      report_deadlock();
    return !all_done;
  }

  [[noreturn]] void report_deadlock() const {
    std::fprintf(stderr, "deadlock: no task can go on\n");
    for (const std::unique_ptr<task>& waiting : tasks)
      if (!waiting->done)
        std::fprintf(stderr, "  task %s waits to %s stream '%s' (%s, depth %zu)\n", waiting->name,
                     waiting->wants_space ? "write to" : "read from", waiting->blocked_on->name,
                     waiting->wants_space ? "full" : "empty", waiting->blocked_on->depth);
    std::exit(exit_deadlock);
  }
};

void await_word(channel& stream) {
  dataflow::await(stream, false);
}
void await_space(channel& stream) {
  dataflow::await(stream, true);
}

} // namespace hls

#endif // RESNET_HLS_CSIM_BOUNDED_DATAFLOW_H
