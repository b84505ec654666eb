// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "engine.h"

#include <algorithm>

namespace resnet_hls::sim {

void Engine::Cursor::place() {
  next = left > 0 ? base + port->steps[index] : never;
}

void Engine::Cursor::advance(std::int64_t iterations) {
  --left;
  if (++index == port->steps.size()) {
    index = 0;
    base += iterations;
  }
  place();
}

void Engine::Side::find_next() {
  next = never;
  for (const Cursor& cursor : cursors)
    next = std::min(next, cursor.next);
}

Engine::Engine(const Network& network, std::vector<std::int64_t> depths, std::int64_t frames)
    : network(network), depths(std::move(depths)), moved(network.streams.size()) {
  actors.reserve(network.tasks.size());
  for (const Task& task : network.tasks) {
    Actor& actor = actors.emplace_back();
    actor.task = &task;
    int number = 0;
    for (bool writes : {false, true}) {
      Side& side = writes ? actor.writing : actor.reading;
      for (const Port& port : writes ? task.writes : task.reads) {
        auto total = frames * static_cast<std::int64_t>(port.steps.size());
        side.cursors.push_back({.port = &port, .number = number++, .left = total});
        side.cursors.back().place();
      }
      side.find_next();
    }
    actor.stalls.resize(number);
  }
}

void Engine::replace(const std::vector<bool>& replaced, const std::vector<Script>& scripts, Cycle interval) {
  for (std::size_t task = 0; task < actors.size(); ++task)
    actors[task].active = !replaced[task];
  for (std::size_t stream = 0; stream < scripts.size(); ++stream) {
    const Stream& ends = network.streams[stream];
    auto copy = [&](std::span<const Cycle> frame, std::vector<Cycle>& to, const Cursor& cursor) {
      if (frame.empty())
        return;
      std::int64_t frames = cursor.left / static_cast<std::int64_t>(frame.size());
      to.reserve(frame.size() * frames);
      for (std::int64_t number = 0; number < frames; ++number) {
        for (Cycle cycle : frame)
          to.push_back(cycle + number * interval);
      }
    };
    // Both ends move as many words.
    const Actor& actor = actors[replaced[ends.writer] ? ends.reader : ends.writer];
    for (const Side* side : {&actor.reading, &actor.writing}) {
      for (const Cursor& cursor : side->cursors) {
        if (cursor.port->stream == static_cast<int>(stream)) {
          copy(scripts[stream].written, moved[stream].written, cursor);
          copy(scripts[stream].read, moved[stream].read, cursor);
        }
      }
    }
  }
}

void Engine::truncate(std::int64_t frames) {
  for (Actor& actor : actors) {
    for (Side* side : {&actor.reading, &actor.writing}) {
      for (Cursor& cursor : side->cursors) {
        auto words = static_cast<std::int64_t>(cursor.port->steps.size());
        std::int64_t moved = cursor.base / actor.task->iterations * words + static_cast<std::int64_t>(cursor.index);
        cursor.left = frames * words - moved;
        cursor.place();
      }
      side->find_next();
    }
  }
}

void Engine::enqueue(int task) {
  Actor& actor = actors[task];
  if (actor.active && !actor.queued) {
    actor.queued = true;
    queue.push_back(task);
  }
}

void Engine::run(std::int64_t round) {
  limit = round;
  for (int task = static_cast<int>(actors.size()) - 1; task >= 0; --task)
    enqueue(task);
  while (!queue.empty()) {
    int number = queue.back();
    queue.pop_back();
    Actor& actor = actors[number];
    actor.queued = false;
    bool has_read = false, has_written = false, moving = true;
    while (moving) {
      moving = false;
      while (write(actor))
        moving = has_written = true;
      while (read(actor))
        moving = has_read = true;
    }
    if (has_read) {
      for (const Port& port : actor.task->reads)
        enqueue(network.streams[port.stream].writer);
    }
    if (has_written) {
      for (const Port& port : actor.task->writes)
        enqueue(network.streams[port.stream].reader);
    }
  }
}

// The next iteration that reads, in the first stage; false where it has to wait.
bool Engine::read(Actor& actor) {
  const Task& task = *actor.task;
  Side& side = actor.reading;
  std::int64_t iteration = side.next;
  if (iteration == never)
    return side.stop(Wait::nothing), false;
  if (iteration >= limit * task.iterations)
    return side.stop(Wait::limit), false;
  // An iteration leaves the first stage only if all stages behind it move on.
  if (actor.writing.next <= iteration - task.latency())
    return side.stop(Wait::pipeline), false;
  Cycle there = 0;
  int latest = -1;
  for (const Cursor& cursor : side.cursors) {
    if (cursor.next != iteration)
      continue;
    const Moved& words = moved[cursor.port->stream];
    // All words of the iteration; the last one is written last.
    std::size_t word = words.read.size();
    for (std::size_t index = cursor.index + 1;
         index < cursor.port->steps.size() && cursor.port->steps[index] == cursor.port->steps[cursor.index]; ++index)
      ++word;
    if (word >= words.written.size())
      return side.stop(Wait::word, cursor.port->stream), false;
    Cycle cycle = words.written[word] + network.streams[cursor.port->stream].latency;
    if (cycle > there) {
      there = cycle;
      latest = cursor.number;
    }
  }
  Cycle before = side.lag;
  while (!actor.pressure.empty() && actor.pressure.front().from <= iteration) {
    const Pressure& pressure = actor.pressure.front();
    if (pressure.lag > side.lag) {
      actor.stalls[pressure.port] += pressure.lag - side.lag;
      side.lag = pressure.lag;
    }
    actor.pressure.pop_front();
  }
  Cycle cycle = side.lag + iteration * task.interval;
  if (there > cycle) {
    actor.stalls[latest] += there - cycle;
    side.lag += there - cycle;
    cycle = there;
  }
  if (side.lag > before)
    actor.issues.push_back({iteration, side.lag});
  last = std::max(last, cycle);
  for (Cursor& cursor : side.cursors) {
    while (cursor.next == iteration) {
      moved[cursor.port->stream].read.push_back(cycle);
      cursor.advance(task.iterations);
    }
  }
  side.find_next();
  return true;
}

// The next iteration that writes, in the last stage; false where it has to wait.
bool Engine::write(Actor& actor) {
  const Task& task = *actor.task;
  Side& side = actor.writing;
  std::int64_t iteration = side.next;
  if (iteration == never)
    return side.stop(Wait::nothing), false;
  if (iteration >= limit * task.iterations)
    return side.stop(Wait::limit), false;
  if (actor.reading.next <= iteration)
    return side.stop(Wait::issue), false;
  Cycle room = 0;
  int fullest = -1;
  for (const Cursor& cursor : side.cursors) {
    std::int64_t depth = depths[cursor.port->stream];
    if (cursor.next != iteration || depth == unbounded)
      continue;
    const Moved& words = moved[cursor.port->stream];
    auto word = static_cast<std::int64_t>(words.written.size());
    for (std::size_t index = cursor.index + 1;
         index < cursor.port->steps.size() && cursor.port->steps[index] == cursor.port->steps[cursor.index]; ++index)
      ++word;
    if (word < depth)
      continue;
    if (word - depth >= static_cast<std::int64_t>(words.read.size()))
      return side.stop(Wait::room, cursor.port->stream), false;
    Cycle cycle = words.read[word - depth] + 1;
    if (cycle > room) {
      room = cycle;
      fullest = cursor.number;
    }
  }
  while (!actor.issues.empty() && actor.issues.front().from <= iteration) {
    actor.issued = actor.issues.front().lag;
    actor.issues.pop_front();
  }
  if (actor.issued + task.latency() >= side.lag) {
    side.lag = actor.issued + task.latency();
    actor.held_by = -1;
  }
  Cycle cycle = side.lag + iteration * task.interval;
  if (room > cycle) {
    actor.held_by = fullest;
    side.lag += room - cycle;
    if (task.reads.empty())
      actor.stalls[fullest] += room - cycle;
    cycle = room;
  }
  if (actor.held_by != -1 && !task.reads.empty()) {
    std::int64_t from = iteration + task.latency();
    Cycle lag = cycle - from * task.interval;
    if (lag > actor.issued)
      actor.pressure.push_back({from, lag, actor.held_by});
  }
  last = std::max(last, cycle);
  for (Cursor& cursor : side.cursors) {
    while (cursor.next == iteration) {
      moved[cursor.port->stream].written.push_back(cycle);
      cursor.advance(task.iterations);
    }
  }
  side.find_next();
  return true;
}

Blocked Engine::blocked(int task, bool writing) const {
  const Actor& actor = actors[task];
  const Side& side = writing ? actor.writing : actor.reading;
  Cycle since = -1;
  if (side.wait == Wait::word || side.wait == Wait::room) {
    Cycle lag = writing ? std::max(side.lag, actor.issued + actor.task->latency()) : side.lag;
    since = lag + side.next * actor.task->interval;
  }
  return {task, writing, side.wait, side.stream, since};
}

std::vector<Blocked> Engine::circle() const {
  // Every stage waits for one other at most: follow them, and mark what was seen in which walk.
  std::vector<int> seen(2 * actors.size(), -1);
  for (int start = 0; start < static_cast<int>(seen.size()); ++start) {
    std::vector<Blocked> walk;
    int node = start;
    while (node != -1 && actors[node / 2].active && seen[node] == -1) {
      seen[node] = start;
      const Blocked& here = walk.emplace_back(blocked(node / 2, node % 2 == 1));
      switch (here.wait) {
      case Wait::word:
        node = 2 * network.streams[here.stream].writer + 1;
        break;
      case Wait::room:
        node = 2 * network.streams[here.stream].reader;
        break;
      case Wait::issue:
        node = 2 * here.task;
        break;
      case Wait::pipeline:
        node = 2 * here.task + 1;
        break;
      case Wait::nothing:
      case Wait::limit:
        node = -1;
      }
    }
    if (node == -1 || !actors[node / 2].active || seen[node] != start)
      continue;
    auto first = std::find_if(walk.begin(), walk.end(),
                              [node](const Blocked& blocked) { return 2 * blocked.task + blocked.writing == node; });
    return {first, walk.end()};
  }
  return {};
}

bool Engine::done() const {
  return std::all_of(actors.begin(), actors.end(), [](const Actor& actor) {
    return !actor.active || (actor.reading.next == never && actor.writing.next == never);
  });
}

} // namespace resnet_hls::sim
