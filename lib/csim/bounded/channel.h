// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a stream and the scheduler of dataflow.h know of each other. Every task is compiled with this, and with none of
// what the scheduler is made of.
#ifndef RESNET_HLS_CSIM_BOUNDED_CHANNEL_H
#define RESNET_HLS_CSIM_BOUNDED_CHANNEL_H

#include <cstddef>

namespace hls {

// The part of a stream that does not depend on what it carries.
class channel {
public:
  bool empty() const { return size() == 0; }
  bool full() const { return depth != 0 && size() >= depth; }
  virtual std::size_t size() const = 0;
  const char* label() const { return name; }

protected:
  // depth 0: unbounded.
  channel(const char* name, std::size_t depth) : name(name), depth(depth) {}
  ~channel() = default;
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

private:
  friend class dataflow;
  const char* name;
  std::size_t depth;
};

// Called by a stream in a task: comes back when there is a word to read, or space to write one.
void await_word(channel& stream);
void await_space(channel& stream);

} // namespace hls

#endif // RESNET_HLS_CSIM_BOUNDED_CHANNEL_H
