// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "network.h"

#include <algorithm>
#include <stdexcept>

namespace resnet_hls::sim {
namespace {

// So that cycles of many frames are numbers yet.
constexpr std::int64_t most = std::int64_t{1} << 30;

[[noreturn]] void reject(const std::string& what, const std::string& name, const std::string& why) {
  throw std::invalid_argument(what + " '" + name + "' " + why);
}

void check(const Task& task, const Port& port, const Stream& stream) {
  if (port.steps.empty())
    reject("task", task.name, "moves no word of stream '" + stream.name + "'");
  if (!std::is_sorted(port.steps.begin(), port.steps.end()) || port.steps.front() < 0)
    reject("task", task.name, "moves the words of stream '" + stream.name + "' out of order");
  if (port.steps.back() >= 2 * task.iterations || port.steps.back() - port.steps.front() >= task.iterations)
    reject("task", task.name, "moves words of stream '" + stream.name + "' in more iterations than a frame has");
}

} // namespace

void Network::connect() {
  for (Stream& stream : streams) {
    stream.writer = stream.reader = -1;
    if (stream.depth < 0)
      reject("stream", stream.name, "has a negative depth");
    if (stream.latency < 1)
      reject("stream", stream.name, "has a latency below one cycle");
  }
  for (int number = 0; number < static_cast<int>(tasks.size()); ++number) {
    const Task& task = tasks[number];
    if (task.iterations < 1 || task.interval < 1)
      reject("task", task.name, "has no iterations, or no cycles between them");
    if (task.iterations > most || task.interval > most || task.depth > most)
      reject("task", task.name, "has more iterations, stages or cycles between iterations than 2^30");
    if (task.depth < 2)
      reject("task", task.name, "has fewer than two pipeline stages: one that reads, one that writes");
    for (bool writes : {false, true}) {
      for (const Port& port : writes ? task.writes : task.reads) {
        if (port.stream < 0 || port.stream >= static_cast<int>(streams.size()))
          reject("task", task.name, "moves words of a stream that is not there");
        Stream& stream = streams[port.stream];
        check(task, port, stream);
        int& end = writes ? stream.writer : stream.reader;
        if (end != -1)
          reject("stream", stream.name, writes ? "has two writers" : "has two readers");
        end = number;
      }
    }
  }
  for (Stream& stream : streams) {
    if (stream.writer == -1 || stream.reader == -1)
      reject("stream", stream.name, stream.writer == -1 ? "has no writer" : "has no reader");
  }
  for (const Task& task : tasks) {
    for (const Port& port : task.writes)
      streams[port.stream].words = static_cast<std::int64_t>(port.steps.size());
  }
  for (const Task& task : tasks) {
    for (const Port& port : task.reads) {
      const Stream& stream = streams[port.stream];
      auto read = static_cast<std::int64_t>(port.steps.size());
      if (read != stream.words)
        reject("stream", stream.name,
               "is written " + std::to_string(stream.words) + " words a frame, and read " + std::to_string(read));
    }
  }
}

} // namespace resnet_hls::sim
