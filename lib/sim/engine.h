// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a network: gives every word the cycle in which it is written and the one in which it is read. Cycles in which a
// task only counts are not stepped through: a word's cycle follows from those of the words before it, and is computed
// once, when all of these are known. What cannot be computed then, no hardware can do either.
#ifndef RESNET_HLS_SIM_ENGINE_H
#define RESNET_HLS_SIM_ENGINE_H

#include <deque>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "network.h"

namespace resnet_hls::sim {

// What a stage of a task waits for.
enum class Wait {
  nothing,  // its work is done
  limit,    // the run was to go no further
  word,     // of a stream that is empty
  room,     // in a stream that is full
  issue,    // the last stage: an iteration that has not begun
  pipeline, // the first stage: the last one, which does not move on
};

struct Blocked {
  int task;
  bool writing; // its last stage rather than its first
  Wait wait;
  int stream;  // where it waits for a word or room
  Cycle since; // where it waits for a word or room
};

// The words of a stream, through all frames so far.
struct Words {
  std::span<const Cycle> written, read;
};

class Engine {
public:
  // Depths of the streams, one each, in place of the network's own. The network must outlive the engine.
  Engine(const Network& network, const std::vector<std::int64_t>& depths, std::int64_t frames);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Instead of a task, this is in which cycles a frame's words move, and in each later frame `interval` later. All
  // tasks run that are not replaced.
  struct Script {
    std::span<const Cycle> written, read; // of a frame; empty on the side that a task of the engine moves
  };
  void replace(const std::vector<bool>& replaced, std::vector<Script> scripts, Cycle interval);

  // Frames come no faster than one every `interval` cycles: the tasks that read nothing begin none earlier.
  void pace(Cycle interval) { paced = interval; }

  // Goes as far as it can with iterations of rounds below `round`; a frame is a round, and what overlaps is one more.
  void run(std::int64_t round);
  // Ends the run after so many frames instead.
  void truncate(std::int64_t frames);

  // A circle of stages each of which waits for the next; empty where there is none.
  std::vector<Blocked> circle() const;
  Cycle last_event() const { return last; }

  // Valid until the next run.
  Words words(int stream) const;
  // For each port of a task, its reads first: cycles in which the task stood still for want of a word, or of room.
  const std::vector<Cycle>& stalls(int task) const { return actors[task].stalls; }

private:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  // A stream: the cycle of every word, with room for those of the run.
  struct Channel {
    std::vector<Cycle> written, read;
    std::int64_t words_written = 0, words_read = 0;
    std::int64_t depth = unbounded;
    Cycle latency = 1;
  };
  // A port, and how far its task has got with it.
  struct Cursor {
    Channel* channel;
    int stream;
    int number; // of the port
    std::span<const std::int64_t> steps;
    bool bursts; // several words in an iteration
    std::int64_t left;
    std::int64_t base = 0;  // first iteration of the frame
    std::int64_t index = 0; // of the word in the frame
    std::int64_t next = never;

    void place() { next = left > 0 ? base + steps[index] : never; }
    void advance(std::int64_t iterations);
    // Words that move in the iteration, besides the first.
    std::int64_t more() const;
  };
  // One end of a task's pipeline. Iteration i passes it in cycle lag + i * interval, at least.
  struct Side {
    std::vector<Cursor> cursors;
    std::int64_t next = never; // the next iteration that moves words here
    Cycle lag = 0;
    Wait wait = Wait::nothing;
    int stream = -1;

    void find_next();
    void stop(Wait why, int at = -1) { wait = why, stream = at; }
    bool waits(Wait why, int at) const { return wait == why && stream == at; }
  };
  struct Pressure { // from iteration `from` on, the first stage lags because the last one does
    std::int64_t from;
    Cycle lag;
    int port;
  };
  struct Issue { // from iteration `from` on, the first stage lags so much
    std::int64_t from;
    Cycle lag;
  };
  struct Actor {
    const Task* task;
    std::int64_t iterations, limit = 0;
    Cycle interval, latency;
    Side reading, writing;
    Cycle issued = 0; // lag of the first stage at the iteration that the last stage is about
    int held_by = -1; // port that made the last stage late
    std::deque<Pressure> pressure;
    std::deque<Issue> issues;
    std::vector<Cycle> stalls;
    bool active = true, queued = false;
  };

  const Network& network;
  std::vector<Channel> channels;
  std::vector<Actor> actors;
  std::vector<Script> scripts;
  Cycle script_interval = 0;
  std::int64_t scripted = 0; // frames
  std::vector<int> queue;
  Cycle last = 0, paced = 0;

  void follow_scripts(std::int64_t round);
  void enqueue(int task);
  std::pair<bool, bool> advance(Actor& actor);
  bool read(Actor& actor);
  bool write(Actor& actor);
  Blocked blocked(int task, bool writing) const;
};

} // namespace resnet_hls::sim

#endif // RESNET_HLS_SIM_ENGINE_H
