// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A network through a number of frames, from empty: how often a frame leaves it, and what its tasks wait for.
#ifndef RESNET_HLS_SIM_SIMULATION_H
#define RESNET_HLS_SIM_SIMULATION_H

#include <functional>
#include <vector>

#include "engine.h"

namespace resnet_hls::sim {

// Why the rate is no higher: what the oldest wait of the last result leads back to, cycle by cycle.
struct Limit {
  int task;
  int stream;   // the wait; -1 where the task is busy
  bool full;    // for room rather than for a word
  Cycle cycles; // of the interval
};

struct TaskFigures {
  Cycle busy;                // cycles a frame in which an iteration begins
  std::vector<Cycle> stalls; // cycles a frame in which it waits at a port: its reads, then its writes
};

struct StreamFigures {
  std::int64_t peak; // the room that words took in the whole run
  Cycle full, empty; // cycles a frame
};

// The cycles of a stream's words.
struct Moved {
  std::vector<Cycle> written, read;
};

struct Simulation {
  std::vector<Blocked> deadlock; // a circle of stages that wait for one another; empty where there is none
  bool exceeded = false;         // stopped at the cycle limit
  std::int64_t simulated = 0;    // frames that were run through; those left are shifts of some of them
  bool steady = false;           // some frames are like as many before them, each `interval` later on average
  double interval = 0;           // cycles between frames; 0 where there is one frame only
  Cycle cycles = 0;              // of the whole run
  std::vector<Cycle> completed;  // the cycle in which each simulated frame's last word leaves
  std::vector<TaskFigures> tasks;
  std::vector<StreamFigures> streams;
  std::vector<Limit> limits;
  std::vector<Moved> words; // of the simulated frames; empty unless asked for
};

struct Options {
  std::int64_t frames = 10;
  Cycle most_cycles = 0;      // 0: no limit
  bool skip = true;           // frames that are shifts of the frame before
  bool words = false;         // keep the cycle of every word
  std::function<void()> poll; // called between frames; may throw
};

Simulation simulate(const Network& network, const Options& options);

// The waits on the way back from the last result through an interval in the middle of a run.
std::vector<Limit> limits(const Network& network, const Engine& engine, Cycle interval);

// The least room with which every word can be written when it was.
std::int64_t peak(std::span<const Cycle> written, std::span<const Cycle> read);

} // namespace resnet_hls::sim

#endif // RESNET_HLS_SIM_SIMULATION_H
