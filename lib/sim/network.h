// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scheduled dataflow without its IR: tasks, each one pipelined loop, and the streams between them. docs/simulation.md
// states what they do in which cycle.
#ifndef RESNET_HLS_SIM_NETWORK_H
#define RESNET_HLS_SIM_NETWORK_H

#include <cstdint>
#include <string>
#include <vector>

namespace resnet_hls::sim {

using Cycle = std::int64_t;

// Where a task reads or writes a stream: the iteration in which each word of a frame moves, in order. An iteration from
// Task::iterations on is one of the next frame's.
struct Port {
  int stream;
  std::vector<std::int64_t> steps;
};

struct Task {
  std::string name;
  std::int64_t iterations; // a frame
  std::int64_t interval;   // cycles between two iterations, at least
  std::int64_t depth;      // pipeline stages: reads in the first, writes in the last
  std::vector<Port> reads, writes;

  // Cycles from the stage that reads to the stage that writes.
  Cycle latency() const { return depth - 1; }
};

// A quotient rounded up.
inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// Room without end.
inline constexpr std::int64_t unbounded = 0;

struct Stream {
  std::string name;
  std::int64_t depth; // words, or `unbounded`
  Cycle latency;      // from the cycle in which a word is written to the first in which it can be read
  int writer = -1;
  int reader = -1;
  std::int64_t words = 0; // a frame
};

struct Network {
  std::vector<Task> tasks;
  std::vector<Stream> streams;

  // Fills in writers, readers and words. Throws std::invalid_argument where a stream has not one writer and one reader
  // that move as many words, or a task cannot run.
  void connect();
};

} // namespace resnet_hls::sim

#endif // RESNET_HLS_SIM_NETWORK_H
