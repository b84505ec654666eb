// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "steady.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace resnet_hls::sim {
namespace {

// Frames after which two are alike, or none is taken to be: of a part that is changed, and of all of it at first, where
// tasks that are nearly as slow as the slowest take long to fall behind.
constexpr std::int64_t most_frames = 12, most_frames_at_first = 4096;
// Tasks that are run anew, at most: where waiting spreads further, it saves nothing.
constexpr std::int64_t most_tasks = 24;
// How often the rest of the network is moved as a whole before more of it is run.
constexpr int moves = 2;

std::vector<Cycle> shifted(const Steady::Side& side) {
  std::vector<Cycle> cycles(*side.cycles);
  for (Cycle& cycle : cycles)
    cycle += side.offset;
  return cycles;
}

} // namespace

Steady::Steady(const Network& network, Cycle interval) : network(network), interval(interval) {
  std::size_t streams = network.streams.size();
  now.written.resize(streams);
  now.read.resize(streams);
  now.depths.assign(streams, unbounded);
  now.peaks.assign(streams, 0);
  std::vector<bool> all(network.tasks.size(), true);
  std::optional<State> found = run(all, {}, {}, most_frames_at_first);
  if (!found)
    throw std::invalid_argument("no steady state at an interval of " + std::to_string(interval) + " cycles");
  now = std::move(*found);
  for (int stream = 0; stream < static_cast<int>(streams); ++stream)
    now.peaks[stream] = peak(now, stream);
}

bool Steady::bound(int stream, std::int64_t depth) {
  State before = now;
  now.depths[stream] = depth;
  std::vector<bool> inside(network.tasks.size(), false);
  inside[network.streams[stream].writer] = inside[network.streams[stream].reader] = true;
  Outcome outcome = Outcome::wider;
  while (outcome == Outcome::wider && std::count(inside.begin(), inside.end(), true) <= most_tasks)
    outcome = settle(inside);
  if (outcome != Outcome::settled)
    now = std::move(before);
  return outcome == Outcome::settled;
}

// Runs the tasks inside anew, between the others, which stay as they are or come later as a whole. Where that is not
// enough, there are more tasks inside afterwards.
Steady::Outcome Steady::settle(std::vector<bool>& inside) {
  std::vector<int> component = components(inside);
  std::vector<Cycle> offsets(inside.size(), 0);
  for (int attempt = 0;; ++attempt) {
    std::optional<State> found = run(inside, component, offsets, most_frames);
    if (!found)
      return Outcome::impossible; // others come only later yet
    bool changed = false;
    for (int number = 0; number < static_cast<int>(network.streams.size()); ++number) {
      const Stream& stream = network.streams[number];
      if (inside[stream.writer] == inside[stream.reader])
        continue;
      int outside = inside[stream.writer] ? stream.reader : stream.writer;
      std::int64_t words = stream.words, depth = found->depths[number];
      Cycle late = 0;
      const Side &written = found->written[number], &read = found->read[number];
      if (inside[stream.writer]) {
        for (std::int64_t word = 0; word < words; ++word)
          late = std::max(late, written.at(word) + stream.latency - read.at(word));
      } else if (depth != unbounded) {
        for (std::int64_t word = 0; word < words; ++word) {
          std::int64_t left = word - depth, frames = left >= 0 ? 0 : (words - 1 - left) / words;
          late = std::max(late, read.at(left + frames * words) - frames * interval + 1 - written.at(word));
        }
      }
      if (late == 0)
        continue;
      changed = true;
      if (attempt < moves)
        offsets[component[outside]] += late;
      else
        inside[outside] = true;
    }
    if (changed && attempt >= moves) {
      widen(inside);
      return Outcome::wider;
    }
    if (changed)
      continue;
    for (int number = 0; number < static_cast<int>(network.streams.size()); ++number) {
      const Stream& stream = network.streams[number];
      if (inside[stream.writer] || inside[stream.reader])
        found->peaks[number] = peak(*found, number);
    }
    now = std::move(*found);
    return Outcome::settled;
  }
}

// Half as many tasks more, of those next to streams without room: where waiting has spread so far, it spreads further.
void Steady::widen(std::vector<bool>& inside) const {
  auto wanted = std::count(inside.begin(), inside.end(), true) * 3 / 2;
  for (bool grown = true; grown && std::count(inside.begin(), inside.end(), true) < wanted;) {
    grown = false;
    std::vector<bool> before = inside;
    for (std::size_t number = 0; number < network.streams.size(); ++number) {
      const Stream& stream = network.streams[number];
      if (before[stream.writer] == before[stream.reader] || now.depths[number] == unbounded)
        continue;
      inside[stream.writer] = inside[stream.reader] = grown = true;
    }
  }
}

// For each task outside, a number that it shares with those it is connected to by tasks outside.
std::vector<int> Steady::components(const std::vector<bool>& inside) const {
  std::vector<int> parent(inside.size());
  std::iota(parent.begin(), parent.end(), 0);
  auto find = [&parent](int task) {
    while (parent[task] != task)
      task = parent[task] = parent[parent[task]];
    return task;
  };
  for (const Stream& stream : network.streams) {
    if (!inside[stream.writer] && !inside[stream.reader])
      parent[find(stream.writer)] = find(stream.reader);
  }
  std::vector<int> component(inside.size());
  for (int task = 0; task < static_cast<int>(inside.size()); ++task)
    component[task] = find(task);
  return component;
}

// The schedule after some frames of the tasks inside; nothing where it is not steady by then, or gets stuck.
std::optional<Steady::State> Steady::run(const std::vector<bool>& inside, const std::vector<int>& component,
                                         const std::vector<Cycle>& offsets, std::int64_t most) {
  Engine engine(network, now.depths, most);
  State found = now;
  std::vector<bool> replaced(inside.size());
  std::transform(inside.begin(), inside.end(), replaced.begin(), [](bool runs) { return !runs; });
  std::vector<Engine::Script> scripts(network.streams.size());
  std::vector<std::vector<Cycle>> cycles;
  cycles.reserve(network.streams.size());
  for (std::size_t number = 0; number < network.streams.size(); ++number) {
    const Stream& stream = network.streams[number];
    if (!inside[stream.writer])
      found.written[number].offset += offsets[component[stream.writer]];
    if (!inside[stream.reader])
      found.read[number].offset += offsets[component[stream.reader]];
    if (inside[stream.writer] == inside[stream.reader])
      continue;
    if (inside[stream.writer])
      scripts[number].read = cycles.emplace_back(shifted(found.read[number]));
    else
      scripts[number].written = cycles.emplace_back(shifted(found.written[number]));
  }
  engine.replace(replaced, std::move(scripts), interval);
  engine.pace(interval);
  auto each_side = [&](auto&& visit) {
    for (int number = 0; number < static_cast<int>(network.streams.size()); ++number) {
      const Stream& stream = network.streams[number];
      if (inside[stream.writer])
        visit(engine.words(number).written, stream.words, found.written[number]);
      if (inside[stream.reader])
        visit(engine.words(number).read, stream.words, found.read[number]);
    }
  };
  std::int64_t a_frame = 0;
  each_side([&](std::span<const Cycle>, std::int64_t words, Side&) { a_frame += words; });
  std::int64_t alike_frames = 0;
  for (std::int64_t frames = 2; frames <= most; ++frames) {
    engine.run(frames);
    work += frames == 2 ? 2 * a_frame : a_frame;
    if (!engine.circle().empty())
      return {};
    // The last frame that has all its words: where frames overlap, some of the last ones lack theirs.
    std::int64_t frame = frames;
    each_side([&](std::span<const Cycle> moved, std::int64_t words, Side&) {
      frame = std::min(frame, static_cast<std::int64_t>(moved.size()) / words - 1);
    });
    bool alike = frame > 0;
    each_side([&](std::span<const Cycle> moved, std::int64_t words, Side&) {
      for (std::int64_t word = frame * words; word < (frame + 1) * words && alike; ++word)
        alike = moved[word] == moved[word - words] + interval;
    });
    alike_frames = alike ? alike_frames + 1 : 0;
    if (alike_frames == 0 || alike_frames < reach(inside, engine))
      continue;
    each_side([&](std::span<const Cycle> moved, std::int64_t words, Side& side) {
      auto cycles = std::make_shared<std::vector<Cycle>>(words);
      for (std::int64_t word = 0; word < words; ++word)
        (*cycles)[word] = moved[frame * words + word] - frame * interval;
      side = {std::move(cycles), 0, ++serials};
    });
    return found;
  }
  return {};
}

// Frames back from which something can still matter: words that are in a stream, iterations that are in a pipeline.
std::int64_t Steady::reach(const std::vector<bool>& inside, const Engine& engine) const {
  std::int64_t frames = 1;
  for (std::size_t number = 0; number < network.tasks.size(); ++number) {
    const Task& task = network.tasks[number];
    if (inside[number])
      frames = std::max(frames, ceil_div(task.latency(), task.iterations));
  }
  for (int number = 0; number < static_cast<int>(network.streams.size()); ++number) {
    const Stream& stream = network.streams[number];
    if (!inside[stream.writer] && !inside[stream.reader])
      continue;
    std::int64_t words = stream.words, depth = now.depths[number];
    if (inside[stream.writer] && inside[stream.reader] && depth == unbounded)
      depth = static_cast<std::int64_t>(engine.words(number).written.size() - engine.words(number).read.size());
    frames = std::max(frames, ceil_div(depth, words));
  }
  return frames;
}

std::int64_t Steady::peak(const State& state, int number) const {
  const Side &written = state.written[number], &read = state.read[number];
  std::int64_t words = network.streams[number].words, frames = 0;
  for (std::int64_t word = 0; word < words; ++word)
    frames = std::max(frames, (read.at(word) - written.at(word)) / interval + 1);
  // As peak() of simulation.h, with the words of earlier frames that are still there.
  std::int64_t most = 0, gone = -frames * words;
  auto read_at = [&](std::int64_t word) {
    std::int64_t frame = word >= 0 ? word / words : -((words - 1 - word) / words);
    return read.at(word - frame * words) + frame * interval;
  };
  for (std::int64_t word = 0; word < words; ++word) {
    while (gone <= word && read_at(gone) < written.at(word))
      ++gone;
    most = std::max(most, word + 1 - gone);
  }
  return most;
}

Cycle Steady::latency() const {
  Cycle first = std::numeric_limits<Cycle>::max(), end = 0;
  for (int number = 0; number < static_cast<int>(network.streams.size()); ++number) {
    const Stream& stream = network.streams[number];
    if (network.tasks[stream.writer].reads.empty())
      first = std::min(first, now.written[number].at(0));
    if (network.tasks[stream.reader].writes.empty())
      end = std::max(end, now.read[number].at(stream.words - 1));
  }
  return end - first + 1;
}

} // namespace resnet_hls::sim
