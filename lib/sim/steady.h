// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steady schedule of a network, a frame every `interval` cycles, and how it changes when streams get less room.
#ifndef RESNET_HLS_SIM_STEADY_H
#define RESNET_HLS_SIM_STEADY_H

#include <memory>
#include <optional>
#include <vector>

#include "engine.h"

namespace resnet_hls::sim {

class Steady {
public:
  // The words of a frame on one side of a stream: word w of frame f moves in cycle (*cycles)[w] + offset + f *
  // interval.
  struct Side {
    std::shared_ptr<const std::vector<Cycle>> cycles;
    Cycle offset = 0;
    std::int64_t serial = 0; // another one for every other schedule

    Cycle at(std::int64_t word) const { return (*cycles)[word] + offset; }
  };
  struct State {
    std::vector<Side> written, read;
    std::vector<std::int64_t> depths; // of the streams that were bounded; the others have room without end
    std::vector<std::int64_t> peaks;
  };

  // All streams with room without end. Throws std::invalid_argument where that has no steady state at this interval.
  Steady(const Network& network, Cycle interval);

  // Gives a stream room for so many words, none fewer than before: tasks run later for it, but none later than it must.
  // False where the network cannot keep its interval then, or more tasks would have to wait than are looked at; it is
  // as before.
  bool bound(int stream, std::int64_t depth);

  const State& state() const { return now; }
  void restore(State state) { now = std::move(state); }
  // From the first word of a frame at the inputs to its last at the outputs.
  Cycle latency() const;
  // Words moved so far: a measure of time that is the same on every machine.
  std::int64_t words_moved() const { return work; }

private:
  const Network& network;
  Cycle interval;
  State now;
  std::int64_t work = 0, serials = 0;

  enum class Outcome { settled, impossible, wider };
  Outcome settle(std::vector<bool>& inside);
  void widen(std::vector<bool>& inside) const;
  std::vector<int> components(const std::vector<bool>& inside) const;
  std::optional<State> run(const std::vector<bool>& inside, const std::vector<int>& component,
                           const std::vector<Cycle>& offsets, std::int64_t most);
  std::int64_t reach(const std::vector<bool>& inside, const Engine& engine) const;
  std::int64_t peak(const State& state, int stream) const;
};

} // namespace resnet_hls::sim

#endif // RESNET_HLS_SIM_STEADY_H
