// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "simulation.h"

#include <algorithm>

namespace resnet_hls::sim {
namespace {

// Frames after which a schedule may repeat: FIFOs that hold a part of a frame give every so many a different one.
constexpr std::int64_t most_period = 8;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

// How far a run has got when no iteration of a later round was let in.
struct Mark {
  std::vector<std::int64_t> written, read; // words of each stream
  std::vector<std::vector<Cycle>> stalls;  // of each task
};

Mark mark(const Network& network, const Engine& engine) {
  Mark result;
  for (int stream = 0; stream < static_cast<int>(network.streams.size()); ++stream) {
    result.written.push_back(static_cast<std::int64_t>(engine.words(stream).written.size()));
    result.read.push_back(static_cast<std::int64_t>(engine.words(stream).read.size()));
  }
  for (int task = 0; task < static_cast<int>(network.tasks.size()); ++task)
    result.stalls.push_back(engine.stalls(task));
  return result;
}

// By how much the words from `before` to `after` came later than as many before them; -1 where they are not `words`, or
// some came later by other than the rest, which came later by `shift` unless that is -1.
Cycle shift_of(std::span<const Cycle> cycles, std::int64_t before, std::int64_t after, std::int64_t words,
               Cycle shift) {
  if (after - before != words || before < words)
    return -1;
  for (std::int64_t word = before; word < after; ++word) {
    Cycle later = cycles[word] - cycles[word - words];
    if (shift == -1)
      shift = later;
    if (later != shift)
      return -1;
  }
  return shift;
}

// By how many cycles everything since `before`, some frames, happened later than the same number of frames earlier; -1
// if it was not the same.
Cycle shift_of(const Network& network, const Engine& engine, const Mark& before, const Mark& after,
               std::int64_t frames) {
  Cycle shift = -1;
  for (int stream = 0; stream < static_cast<int>(network.streams.size()); ++stream) {
    std::int64_t words = frames * network.streams[stream].words;
    Words moved = engine.words(stream);
    shift = shift_of(moved.written, before.written[stream], after.written[stream], words, shift);
    if (shift == -1)
      return -1;
    shift = shift_of(moved.read, before.read[stream], after.read[stream], words, shift);
    if (shift == -1)
      return -1;
  }
  return shift;
}

// Frames that have to be shifts of one another until all that a later word can depend on is.
std::int64_t memory(const Network& network, const Mark& mark) {
  std::int64_t frames = 1;
  for (std::size_t stream = 0; stream < network.streams.size(); ++stream) {
    std::int64_t depth = network.streams[stream].depth;
    std::int64_t waiting = mark.written[stream] - mark.read[stream];
    frames = std::max(frames, ceil_div(std::max(depth, waiting), network.streams[stream].words));
  }
  for (const Task& task : network.tasks)
    frames = std::max(frames, ceil_div(task.latency(), task.iterations));
  return frames + 1;
}

// Cycles, one for each word in order, as places in a period that they span no more of than once: in order again.
std::vector<Cycle> places(std::span<const Cycle> cycles, Cycle later, Cycle period) {
  std::vector<Cycle> found;
  found.reserve(cycles.size());
  for (Cycle cycle : cycles)
    found.push_back((cycle + later) % period);
  std::rotate(found.begin(), std::is_sorted_until(found.begin(), found.end()), found.end());
  return found;
}

// Cycles of `period` in which as many words wait as the stream has room for, and in which none does. Each word waits
// from the cycle after it is written until it is read, or for ever; and so does its like of every other period.
StreamFigures occupancy(std::span<const Cycle> written, std::span<const Cycle> read, std::int64_t depth, Cycle period) {
  std::vector<Cycle> come = places(written, 1, period), go = places(read, 1, period);
  std::int64_t waiting = 0; // in the first cycle
  for (std::size_t word = 0; word < read.size(); ++word)
    waiting += read[word] / period - written[word] / period;
  StreamFigures result{};
  Cycle since = 0;
  auto until = [&](Cycle cycle) {
    result.full += depth != unbounded && waiting >= depth ? cycle - since : 0;
    result.empty += waiting == 0 ? cycle - since : 0;
    since = cycle;
  };
  auto next = std::upper_bound(come.begin(), come.end(), 0), left = std::upper_bound(go.begin(), go.end(), 0);
  while (next != come.end() || left != go.end()) {
    bool comes = left == go.end() || (next != come.end() && *next < *left);
    until(comes ? *next++ : *left++);
    waiting += comes ? 1 : -1;
  }
  until(period);
  return result;
}

std::vector<Cycle> completions(const Network& network, const Engine& engine, std::int64_t frames) {
  std::vector<Cycle> found;
  for (std::int64_t frame = 0; frame < frames; ++frame) {
    Cycle end = -1;
    for (const Task& task : network.tasks) {
      if (!task.writes.empty())
        continue;
      for (const Port& port : task.reads) {
        std::span<const Cycle> read = engine.words(port.stream).read;
        auto word = (frame + 1) * network.streams[port.stream].words - 1;
        if (word >= static_cast<std::int64_t>(read.size()))
          return found;
        end = std::max(end, read[word]);
      }
    }
    found.push_back(end);
  }
  return found;
}

} // namespace

std::int64_t peak(std::span<const Cycle> written, std::span<const Cycle> read) {
  std::int64_t most = 0;
  std::size_t gone = 0;
  for (std::size_t word = 0; word < written.size(); ++word) {
    // A word that is read in the cycle in which another is written still has its place: the full flag is a register.
    while (gone < read.size() && read[gone] < written[word])
      ++gone;
    most = std::max(most, static_cast<std::int64_t>(word + 1 - gone));
  }
  return most;
}

Simulation simulate(const Network& network, const Options& options) {
  Simulation result;
  std::vector<std::int64_t> depths;
  bool skip = options.skip;
  for (const Stream& stream : network.streams) {
    depths.push_back(stream.depth);
    skip = skip && stream.depth != unbounded; // what has run ahead without end has not been seen to its end
  }
  Engine engine(network, depths, options.frames);
  std::vector<Mark> marks{mark(network, engine)};
  std::vector<std::int64_t> alike(most_period + 1, 0);
  std::vector<Cycle> shifts(most_period + 1, -1);
  std::int64_t together = 0; // frames that repeat
  for (std::int64_t frame = 1; frame <= options.frames && together == 0; ++frame) {
    if (options.poll)
      options.poll();
    engine.run(frame);
    marks.push_back(mark(network, engine));
    result.simulated = frame;
    result.deadlock = engine.circle();
    result.exceeded = options.most_cycles > 0 && engine.last_event() >= options.most_cycles;
    if (!result.deadlock.empty() || result.exceeded)
      break;
    for (std::int64_t period = 1; period <= std::min(most_period, frame / 2) && skip; ++period) {
      Cycle shift = shift_of(network, engine, marks[frame - period], marks[frame], period);
      alike[period] = shift == -1 ? 0 : shift == shifts[period] ? alike[period] + 1 : 1;
      shifts[period] = shift;
      if (together == 0 && alike[period] >= memory(network, marks[frame]))
        together = period;
    }
  }
  result.steady = together > 0;
  std::int64_t frame = result.simulated;
  const Mark &after = marks[frame], &before = marks[frame - together];
  if (result.deadlock.empty() && !result.exceeded) {
    // The rest are shifts, as many together as repeat; what is left over is run.
    std::int64_t left_over = together > 0 ? (options.frames - frame) % together : 0;
    for (std::int64_t more = 1; more <= left_over; ++more)
      engine.run(frame + more);
    result.simulated += left_over;
    engine.truncate(result.simulated);
    engine.run(result.simulated + 1);
    result.deadlock = engine.circle();
  } else if (options.words && !result.exceeded) {
    engine.run(options.frames + 1); // what the circle holds back, and what it does not
  }
  std::vector<std::int64_t> first(network.streams.size(), 0), end(network.streams.size(), 0);
  Cycle period = 0;
  result.completed = completions(network, engine, result.simulated);
  result.cycles = engine.last_event() + 1;
  auto frames = static_cast<std::int64_t>(result.completed.size());
  if (result.steady) {
    period = shifts[together];
    result.interval = static_cast<double>(period) / static_cast<double>(together);
    result.cycles += (options.frames - result.simulated) / together * period;
    first = before.read;
    end = after.read;
  } else {
    std::int64_t middle = (frames - 1) / 2;
    if (frames > 1)
      result.interval = static_cast<double>(result.completed[frames - 1] - result.completed[middle]) /
                        static_cast<double>(frames - 1 - middle);
    period = result.cycles;
    for (std::size_t stream = 0; stream < end.size(); ++stream)
      end[stream] = static_cast<std::int64_t>(engine.words(static_cast<int>(stream)).read.size());
  }
  std::int64_t over = result.steady ? together : std::max<std::int64_t>(1, result.simulated);
  for (std::size_t number = 0; number < network.tasks.size(); ++number) {
    const Task& task = network.tasks[number];
    TaskFigures& figures = result.tasks.emplace_back();
    figures.busy = task.iterations * task.interval;
    figures.stalls = result.steady ? after.stalls[number] : engine.stalls(static_cast<int>(number));
    // Of several frames, rounded so that all of a task's cycles add up to those of a frame.
    Cycle all = 0;
    for (std::size_t port = 0; port < figures.stalls.size(); ++port) {
      Cycle until = all + figures.stalls[port] - (result.steady ? before.stalls[number][port] : 0);
      figures.stalls[port] = until / over - all / over;
      all = until;
    }
  }
  for (std::size_t number = 0; number < network.streams.size(); ++number) {
    auto [written, read] = engine.words(static_cast<int>(number));
    // In a run that is not steady, words that are never read wait to its end.
    std::span<const Cycle> in = result.steady ? written.subspan(first[number], end[number] - first[number]) : written;
    std::span<const Cycle> out = read.subspan(first[number], end[number] - first[number]);
    StreamFigures figures = occupancy(in, out, network.streams[number].depth, period);
    figures.full /= over;
    figures.empty /= over;
    figures.peak = peak(written, read);
    result.streams.push_back(figures);
  }
  if (frames > 1)
    result.limits = limits(network, engine, static_cast<Cycle>(result.interval));
  if (options.words) {
    for (int stream = 0; stream < static_cast<int>(network.streams.size()); ++stream) {
      auto [written, read] = engine.words(stream);
      result.words.push_back({{written.begin(), written.end()}, {read.begin(), read.end()}});
    }
  }
  return result;
}

} // namespace resnet_hls::sim
