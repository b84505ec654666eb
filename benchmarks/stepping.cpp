// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What benchmarks/simulation.py measures lib/sim against: the same model, with every task asked in every cycle whether
// it can move. Reads numbers of the network; prints the cycles that all frames take, and the seconds that this took.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

struct Stream {
  long depth, latency, written = 0, read = 0, was_read = 0;
  std::vector<long> cycles; // in which its words were written
};

struct Port {
  Stream* stream;
  std::vector<long> steps;
  long index = 0, base = 0, left, next;

  void place() { next = left == 0 ? -1 : base + steps[index]; }
  long words() const {
    long count = 1;
    while (index + count < static_cast<long>(steps.size()) && steps[index + count] == steps[index])
      ++count;
    return count;
  }
  void advance(long words, long iterations) {
    index += words;
    left -= words;
    if (index == static_cast<long>(steps.size()))
      index = 0, base += iterations;
    place();
  }
};

struct Task {
  long iterations, interval, latency, total, begun = 0, ended = 0, last_begun = -1000000, last_ended = -1000000;
  std::vector<long> began; // by iteration, as many as there are stages
  std::vector<Port> reads, writes;
};

static long number() {
  long value;
  if (std::scanf("%ld", &value) != 1)
    std::exit(1);
  return value;
}

static void end(Task& task, long cycle) {
  if (task.ended == task.begun || task.began[task.ended % task.began.size()] + task.latency > cycle ||
      task.last_ended + task.interval > cycle)
    return;
  for (const Port& port : task.writes)
    if (port.next == task.ended && port.stream->written + port.words() - port.stream->was_read > port.stream->depth)
      return;
  for (Port& port : task.writes) {
    if (port.next != task.ended)
      continue;
    long words = port.words();
    for (long word = 0; word < words; ++word)
      port.stream->cycles[port.stream->written++] = cycle;
    port.advance(words, task.iterations);
  }
  task.last_ended = cycle;
  ++task.ended;
}

static void begin(Task& task, long cycle) {
  if (task.begun == task.total || task.begun - task.latency >= task.ended || task.last_begun + task.interval > cycle)
    return;
  for (const Port& port : task.reads) {
    if (port.next != task.begun)
      continue;
    long word = port.stream->read + port.words() - 1;
    if (word >= port.stream->written || port.stream->cycles[word] + port.stream->latency > cycle)
      return;
  }
  for (Port& port : task.reads) {
    if (port.next != task.begun)
      continue;
    long words = port.words();
    port.stream->read += words;
    port.advance(words, task.iterations);
  }
  task.began[task.begun % task.began.size()] = cycle;
  task.last_begun = cycle;
  ++task.begun;
}

int main() {
  long frames = number();
  std::vector<Stream> streams(number());
  for (Stream& stream : streams) {
    stream.depth = number();
    stream.latency = number();
  }
  std::vector<Task> tasks(number());
  for (Task& task : tasks) {
    task.iterations = number();
    task.interval = number();
    task.latency = number() - 1;
    task.began.resize(task.latency + 1);
    bool overlaps = false;
    for (std::vector<Port>* side : {&task.reads, &task.writes}) {
      side->resize(number());
      for (Port& port : *side) {
        port.stream = &streams[number()];
        port.steps.resize(number());
        for (long& step : port.steps)
          step = number();
        port.left = frames * static_cast<long>(port.steps.size());
        port.stream->cycles.resize(port.left);
        overlaps = overlaps || port.steps.back() >= task.iterations;
        port.place();
      }
    }
    task.total = (frames + overlaps) * task.iterations;
  }
  auto unread = [&streams] {
    return std::any_of(streams.begin(), streams.end(),
                       [](const Stream& stream) { return stream.read < static_cast<long>(stream.cycles.size()); });
  };
  auto start = std::chrono::steady_clock::now();
  for (long cycle = 0; cycle % 1024 != 0 || unread(); ++cycle) {
    for (Stream& stream : streams)
      stream.was_read = stream.read;
    for (Task& task : tasks) {
      end(task, cycle);
      begin(task, cycle);
    }
  }
  long last = 0; // results are read last, in a task that writes nothing
  for (const Task& task : tasks)
    last = std::max(last, task.writes.empty() ? task.last_begun : 0);
  std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  std::printf("%ld %f\n", last + 1, spent.count());
}
