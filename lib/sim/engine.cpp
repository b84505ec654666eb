// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "engine.h"

#include <algorithm>

namespace resnet_hls::sim {

void Engine::Cursor::advance(std::int64_t iterations) {
  --left;
  if (++index == static_cast<std::int64_t>(steps.size())) {
    index = 0;
    base += iterations;
  }
  place();
}

std::int64_t Engine::Cursor::more() const {
  std::int64_t count = 0;
  if (bursts) {
    while (index + count + 1 < static_cast<std::int64_t>(steps.size()) && steps[index + count + 1] == steps[index])
      ++count;
  }
  return count;
}

void Engine::Side::find_next() {
  next = never;
  for (const Cursor& cursor : cursors)
    next = std::min(next, cursor.next);
}

Engine::Engine(const Network& network, const std::vector<std::int64_t>& depths, std::int64_t frames)
    : network(network), channels(network.streams.size()) {
  for (std::size_t stream = 0; stream < channels.size(); ++stream) {
    channels[stream].depth = depths[stream];
    channels[stream].latency = network.streams[stream].latency;
  }
  actors.reserve(network.tasks.size());
  for (const Task& task : network.tasks) {
    Actor& actor = actors.emplace_back();
    actor.task = &task;
    actor.iterations = task.iterations;
    actor.interval = task.interval;
    actor.latency = task.latency();
    int number = 0;
    for (bool writes : {false, true}) {
      Side& side = writes ? actor.writing : actor.reading;
      for (const Port& port : writes ? task.writes : task.reads) {
        bool bursts = std::adjacent_find(port.steps.begin(), port.steps.end()) != port.steps.end();
        auto words = static_cast<std::int64_t>(port.steps.size());
        side.cursors.push_back({.channel = &channels[port.stream],
                                .stream = port.stream,
                                .number = number++,
                                .steps = port.steps,
                                .bursts = bursts,
                                .left = frames * words});
        side.cursors.back().place();
      }
      side.find_next();
    }
    actor.stalls.resize(number);
  }
}

Words Engine::words(int stream) const {
  const Channel& channel = channels[stream];
  return {std::span(channel.written).first(channel.words_written), std::span(channel.read).first(channel.words_read)};
}

void Engine::replace(const std::vector<bool>& replaced, std::vector<Script> given, Cycle interval) {
  for (std::size_t task = 0; task < actors.size(); ++task)
    actors[task].active = !replaced[task];
  scripts = std::move(given);
  script_interval = interval;
}

// What tasks that were replaced do until the end of the frame behind the limit.
void Engine::follow_scripts(std::int64_t round) {
  for (; scripted <= round; ++scripted) {
    for (std::size_t stream = 0; stream < scripts.size(); ++stream) {
      Channel& channel = channels[stream];
      for (Cycle cycle : scripts[stream].written)
        channel.written[channel.words_written++] = cycle + scripted * script_interval;
      for (Cycle cycle : scripts[stream].read)
        channel.read[channel.words_read++] = cycle + scripted * script_interval;
    }
  }
}

void Engine::truncate(std::int64_t frames) {
  for (Actor& actor : actors) {
    for (Side* side : {&actor.reading, &actor.writing}) {
      for (Cursor& cursor : side->cursors) {
        auto words = static_cast<std::int64_t>(cursor.steps.size());
        cursor.left = frames * words - (cursor.base / actor.iterations * words + cursor.index);
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
  for (Actor& actor : actors)
    actor.limit = round * actor.iterations;
  for (std::size_t stream = 0; stream < channels.size(); ++stream) {
    if (actors[network.streams[stream].writer].active || actors[network.streams[stream].reader].active) {
      auto words = static_cast<std::size_t>((round + 1) * network.streams[stream].words);
      channels[stream].written.resize(words);
      channels[stream].read.resize(words);
    }
  }
  follow_scripts(round);
  for (int task = static_cast<int>(actors.size()) - 1; task >= 0; --task)
    enqueue(task);
  while (!queue.empty()) {
    int number = queue.back();
    queue.pop_back();
    Actor& actor = actors[number];
    actor.queued = false;
    auto [has_read, has_written] = advance(actor);
    if (has_read) {
      for (const Port& port : actor.task->reads) {
        int writer = network.streams[port.stream].writer;
        if (actors[writer].writing.waits(Wait::room, port.stream))
          enqueue(writer);
      }
    }
    if (has_written) {
      for (const Port& port : actor.task->writes) {
        int reader = network.streams[port.stream].reader;
        if (actors[reader].reading.waits(Wait::word, port.stream))
          enqueue(reader);
      }
    }
  }
}

// Goes on until both ends wait; whether words were read, and written.
std::pair<bool, bool> Engine::advance(Actor& actor) {
  Side &first = actor.reading, &last = actor.writing;
  bool has_read = false, has_written = false, moves = true;
  while (moves) {
    // Only what may succeed is tried: most of the time one end waits for the other, which is cheap to see.
    moves = false;
    while (last.next < first.next && last.next < actor.limit && write(actor))
      has_written = moves = true;
    while (first.next < actor.limit && last.next > first.next - actor.latency && read(actor))
      has_read = moves = true;
  }
  // Now both say what they wait for.
  write(actor);
  read(actor);
  return {has_read, has_written};
}

// The next iteration that reads, in the first stage; false where it has to wait.
bool Engine::read(Actor& actor) {
  Side& side = actor.reading;
  std::int64_t iteration = side.next;
  if (iteration >= actor.limit)
    return side.stop(iteration == never ? Wait::nothing : Wait::limit), false;
  // An iteration leaves the first stage only if all stages behind it move on.
  if (actor.writing.next <= iteration - actor.latency)
    return side.stop(Wait::pipeline), false;
  Cycle there = 0;
  int latest = -1;
  for (const Cursor& cursor : side.cursors) {
    if (cursor.next != iteration)
      continue;
    const Channel& channel = *cursor.channel;
    std::int64_t word = channel.words_read + cursor.more(); // the last one is written last
    if (word >= channel.words_written)
      return side.stop(Wait::word, cursor.stream), false;
    Cycle cycle = channel.written[word] + channel.latency;
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
  Cycle cycle = side.lag + iteration * actor.interval;
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
      cursor.channel->read[cursor.channel->words_read++] = cycle;
      cursor.advance(actor.iterations);
    }
  }
  side.find_next();
  return true;
}

// The next iteration that writes, in the last stage; false where it has to wait.
bool Engine::write(Actor& actor) {
  Side& side = actor.writing;
  std::int64_t iteration = side.next;
  if (iteration >= actor.limit)
    return side.stop(iteration == never ? Wait::nothing : Wait::limit), false;
  if (actor.reading.next <= iteration)
    return side.stop(Wait::issue), false;
  Cycle room = 0;
  int fullest = -1;
  for (const Cursor& cursor : side.cursors) {
    const Channel& channel = *cursor.channel;
    if (cursor.next != iteration || channel.depth == unbounded)
      continue;
    std::int64_t leaves = channel.words_written + cursor.more() - channel.depth;
    if (leaves < 0)
      continue;
    if (leaves >= channel.words_read)
      return side.stop(Wait::room, cursor.stream), false;
    Cycle cycle = channel.read[leaves] + 1;
    if (cycle > room) {
      room = cycle;
      fullest = cursor.number;
    }
  }
  while (!actor.issues.empty() && actor.issues.front().from <= iteration) {
    actor.issued = actor.issues.front().lag;
    actor.issues.pop_front();
  }
  if (actor.issued + actor.latency >= side.lag) {
    side.lag = actor.issued + actor.latency;
    actor.held_by = -1;
  }
  bool reads = !actor.reading.cursors.empty();
  if (paced > 0 && !reads)
    side.lag =
        std::max(side.lag, iteration / actor.iterations * (paced - actor.iterations * actor.interval) + actor.latency);
  Cycle cycle = side.lag + iteration * actor.interval;
  if (room > cycle) {
    actor.held_by = fullest;
    side.lag += room - cycle;
    if (!reads)
      actor.stalls[fullest] += room - cycle;
    cycle = room;
  }
  if (actor.held_by != -1 && reads) {
    std::int64_t from = iteration + actor.latency;
    Cycle lag = cycle - from * actor.interval;
    if (lag > actor.issued && (actor.pressure.empty() || lag > actor.pressure.back().lag))
      actor.pressure.push_back({from, lag, actor.held_by});
  }
  last = std::max(last, cycle);
  for (Cursor& cursor : side.cursors) {
    while (cursor.next == iteration) {
      cursor.channel->written[cursor.channel->words_written++] = cycle;
      cursor.advance(actor.iterations);
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
    // As read() and write() would find it, without what they wait for.
    Cycle lag = side.lag, issued = actor.issued;
    for (const Pressure& pressure : actor.pressure) {
      if (!writing && pressure.from <= side.next)
        lag = std::max(lag, pressure.lag);
    }
    for (const Issue& issue : actor.issues) {
      if (writing && issue.from <= side.next)
        issued = issue.lag;
    }
    if (writing)
      lag = std::max(lag, issued + actor.latency);
    since = lag + side.next * actor.interval;
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

} // namespace resnet_hls::sim
