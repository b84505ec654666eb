// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <algorithm>
#include <map>
#include <tuple>

#include "simulation.h"

namespace resnet_hls::sim {
namespace {

// A stage of a task in an iteration that moves words.
struct Event {
  int task;
  bool writing;
  std::int64_t iteration;
  Cycle cycle;
};

// What an event waited for.
struct Reason {
  Event event;
  int stream = -1;
  bool full = false;
};

class Way {
public:
  Way(const Network& network, const Engine& engine) : network(network), engine(engine) {}

  // The last word that leaves the network.
  Event last() const {
    Event found{-1, false, 0, -1};
    for (int number = 0; number < static_cast<int>(network.tasks.size()); ++number) {
      const Task& task = network.tasks[number];
      if (!task.writes.empty())
        continue;
      for (const Port& port : task.reads) {
        std::span<const Cycle> read = engine.words(port.stream).read;
        if (!read.empty() && read.back() > found.cycle)
          found = {number, false, iteration_of(task, port, static_cast<std::int64_t>(read.size()) - 1), read.back()};
      }
    }
    return found;
  }

  // Why an event did not happen earlier: the task itself where it is busy, else the stream that made it wait.
  bool reason(const Event& event, Reason& found) const {
    const Task& task = network.tasks[event.task];
    std::vector<Reason> reasons;
    if (event.writing) {
      add_own(reasons, event, true, event.iteration - 1, 0);
      add_own(reasons, event, false, event.iteration, task.latency());
    } else {
      add_own(reasons, event, false, event.iteration - 1, 0);
      add_own(reasons, event, true, event.iteration - task.latency(), -task.latency() * task.interval);
    }
    for (const Port& port : event.writing ? task.writes : task.reads) {
      Words words = engine.words(port.stream);
      const Stream& stream = network.streams[port.stream];
      std::int64_t word = word_at(task, port, event.iteration);
      if (word == -1)
        continue;
      if (!event.writing && words.written[word] + stream.latency == event.cycle)
        reasons.push_back({at(stream.writer, true, port.stream, word), port.stream, false});
      if (event.writing && stream.depth != unbounded && word >= stream.depth &&
          words.read[word - stream.depth] + 1 == event.cycle)
        reasons.push_back({at(stream.reader, false, port.stream, word - stream.depth), port.stream, true});
    }
    if (reasons.empty())
      return false;
    found = reasons.front(); // the task's own doing comes first
    return true;
  }

private:
  const Network& network;
  const Engine& engine;

  static std::int64_t iteration_of(const Task& task, const Port& port, std::int64_t word) {
    auto words = static_cast<std::int64_t>(port.steps.size());
    return word / words * task.iterations + port.steps[word % words];
  }

  const Port& port_of(int task, bool writing, int stream) const {
    const auto& ports = writing ? network.tasks[task].writes : network.tasks[task].reads;
    return *std::find_if(ports.begin(), ports.end(), [stream](const Port& port) { return port.stream == stream; });
  }

  Event at(int task, bool writing, int stream, std::int64_t word) const {
    Words words = engine.words(stream);
    const Port& port = port_of(task, writing, stream);
    return {task, writing, iteration_of(network.tasks[task], port, word), (writing ? words.written : words.read)[word]};
  }

  // The last word that moves in an iteration up to this one; -1 for none.
  static std::int64_t last_word(const Task& task, const Port& port, std::int64_t iteration) {
    auto words = static_cast<std::int64_t>(port.steps.size());
    for (std::int64_t frame = iteration / task.iterations; frame >= 0; --frame) {
      std::int64_t step = iteration - frame * task.iterations;
      auto count = std::upper_bound(port.steps.begin(), port.steps.end(), step) - port.steps.begin();
      if (count > 0)
        return frame * words + count - 1;
    }
    return -1;
  }

  std::int64_t word_at(const Task& task, const Port& port, std::int64_t iteration) const {
    std::int64_t word = last_word(task, port, iteration);
    return word != -1 && iteration_of(task, port, word) == iteration ? word : -1;
  }

  // The last iteration up to `until` that moved words in a stage of the event's task, if that is what held it.
  void add_own(std::vector<Reason>& reasons, const Event& event, bool writing, std::int64_t until, Cycle extra) const {
    const Task& task = network.tasks[event.task];
    if (until < 0)
      return;
    Event found{event.task, writing, -1, -1};
    for (const Port& port : writing ? task.writes : task.reads) {
      std::int64_t word = last_word(task, port, until);
      Words words = engine.words(port.stream);
      std::span<const Cycle> cycles = writing ? words.written : words.read;
      if (word == -1 || word >= static_cast<std::int64_t>(cycles.size()))
        continue;
      std::int64_t iteration = iteration_of(task, port, word);
      if (iteration > found.iteration)
        found = {event.task, writing, iteration, cycles[word]};
    }
    if (found.iteration != -1 &&
        found.cycle + (event.iteration - found.iteration) * task.interval + extra == event.cycle)
      reasons.push_back({found});
  }
};

} // namespace

std::vector<Limit> limits(const Network& network, const Engine& engine, Cycle interval) {
  Way way(network, engine);
  Event event = way.last();
  Cycle end = event.cycle / 2 + (interval + 1) / 2, begin = end - interval;
  std::map<std::tuple<int, int, bool>, Cycle> cycles;
  Reason reason;
  while (event.task != -1 && event.cycle > begin && way.reason(event, reason)) {
    Cycle spent = std::min(event.cycle, end) - std::max(reason.event.cycle, begin);
    if (spent > 0 || (reason.stream != -1 && event.cycle <= end))
      cycles[{event.task, reason.stream, reason.full}] += std::max<Cycle>(spent, 0);
    event = reason.event;
  }
  std::vector<Limit> found;
  for (const auto& [key, spent] : cycles)
    found.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), spent});
  std::stable_sort(found.begin(), found.end(), [](const Limit& a, const Limit& b) { return a.cycles > b.cycles; });
  return found;
}

} // namespace resnet_hls::sim
