// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "simulation.h"

#include <algorithm>

namespace resnet_hls::sim {
namespace {

// Frames after which a schedule may repeat: FIFOs that hold a part of a frame give every so many a different one.
constexpr std::int64_t most_period = 8;

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

// The frames that figures are of: those that repeat, or all.
struct Window {
  Mark before, after;
  std::int64_t frames = 0;
  Cycle period = 0; // of all of them
  bool repeats = false;
};

// Frame by frame until some repeat, something is wrong, or all are run.
Window run(const Network& network, const Options& options, Engine& engine, Simulation& result) {
  // What has run ahead without end has not been seen to its end.
  bool skip = options.skip && std::all_of(network.streams.begin(), network.streams.end(),
                                          [](const Stream& stream) { return stream.depth != unbounded; });
  std::vector<Mark> marks{mark(network, engine)};
  std::vector<std::int64_t> alike(most_period + 1, 0);
  std::vector<Cycle> shifts(most_period + 1, -1);
  for (std::int64_t frame = 1; frame <= options.frames; ++frame) {
    if (options.poll)
      options.poll();
    engine.run(frame);
    result.simulated = frame;
    result.deadlock = engine.circle();
    result.exceeded = options.most_cycles > 0 && engine.last_event() >= options.most_cycles;
    if (!result.deadlock.empty() || result.exceeded)
      break;
    if (!skip)
      continue;
    marks.push_back(mark(network, engine));
    for (std::int64_t period = 1; period <= std::min(most_period, frame / 2); ++period) {
      Cycle shift = shift_of(network, engine, marks[frame - period], marks[frame], period);
      alike[period] = shift == -1 ? 0 : shift == shifts[period] ? alike[period] + 1 : 1;
      shifts[period] = shift;
      if (alike[period] >= memory(network, marks[frame]))
        return {marks[frame - period], marks[frame], period, shift, true};
    }
  }
  Window all;
  all.before = marks.front();
  return all;
}

// The end of a run: frames left over by those that repeat, and what is left of the last frame.
void finish(const Options& options, const Window& window, Engine& engine, Simulation& result) {
  if (result.exceeded)
    return;
  if (!result.deadlock.empty()) {
    if (options.words)
      engine.run(options.frames + 1); // what the circle holds back, and what it does not
    return;
  }
  std::int64_t left_over = window.repeats ? (options.frames - result.simulated) % window.frames : 0;
  for (; left_over > 0; --left_over)
    engine.run(++result.simulated);
  engine.truncate(result.simulated);
  engine.run(result.simulated + 1);
  result.deadlock = engine.circle();
}

TaskFigures task_figures(const Task& task, const std::vector<Cycle>& before, const std::vector<Cycle>& after,
                         std::int64_t frames) {
  TaskFigures figures{task.iterations * task.interval, {}};
  // Rounded so that all cycles of a task add up to those of a frame.
  Cycle all = 0;
  for (std::size_t port = 0; port < after.size(); ++port) {
    Cycle until = all + after[port] - before[port];
    figures.stalls.push_back(until / frames - all / frames);
    all = until;
  }
  return figures;
}

StreamFigures stream_figures(const Words& words, std::int64_t first, std::int64_t end, std::int64_t depth,
                             const Window& window) {
  auto count = static_cast<std::size_t>(end - first);
  // In a run that does not repeat, words that are never read wait to its end.
  StreamFigures figures = occupancy(words.written.subspan(first, window.repeats ? count : std::dynamic_extent),
                                    words.read.subspan(first, count), depth, window.period);
  figures.full /= window.frames;
  figures.empty /= window.frames;
  figures.peak = peak(words.written, words.read);
  return figures;
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
  for (const Stream& stream : network.streams)
    depths.push_back(stream.depth);
  Engine engine(network, depths, options.frames);
  Window window = run(network, options, engine, result);
  finish(options, window, engine, result);
  result.steady = window.repeats;
  result.completed = completions(network, engine, result.simulated);
  result.cycles = engine.last_event() + 1;
  auto frames = static_cast<std::int64_t>(result.completed.size());
  if (window.repeats) {
    result.interval = static_cast<double>(window.period) / static_cast<double>(window.frames);
    result.cycles += (options.frames - result.simulated) / window.frames * window.period;
  } else {
    std::int64_t middle = (frames - 1) / 2;
    if (frames > 1)
      result.interval = static_cast<double>(result.completed[frames - 1] - result.completed[middle]) /
                        static_cast<double>(frames - 1 - middle);
    window.after = mark(network, engine);
    window.frames = std::max<std::int64_t>(1, result.simulated);
    window.period = result.cycles;
  }
  const auto &before = window.before, &after = window.after;
  for (std::size_t task = 0; task < network.tasks.size(); ++task)
    result.tasks.push_back(task_figures(network.tasks[task], before.stalls[task], after.stalls[task], window.frames));
  for (int stream = 0; stream < static_cast<int>(network.streams.size()); ++stream) {
    Words words = engine.words(stream);
    result.streams.push_back(stream_figures(words, before.read[stream], after.read[stream], depths[stream], window));
    if (options.words)
      result.words.push_back({{words.written.begin(), words.written.end()}, {words.read.begin(), words.read.end()}});
  }
  if (frames > 1)
    result.limits = limits(network, engine, static_cast<Cycle>(result.interval));
  return result;
}

} // namespace resnet_hls::sim
