// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stand-in for <hls_stream.h> whose streams hold no more words than their depth: put this folder before lib/csim on the
// include path and run the tasks in an hls::dataflow. A stream without a depth, such as the ports of the accelerator,
// is unbounded.
#ifndef RESNET_HLS_CSIM_BOUNDED_HLS_STREAM_H
#define RESNET_HLS_CSIM_BOUNDED_HLS_STREAM_H

#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "../fifo_ring.h"
#include "channel.h"

namespace hls {

template <typename T, int Depth = 0> class stream;

template <typename T> class stream<T, 0> : public channel {
public:
  explicit stream(const char* name = "", std::size_t depth = 0) : channel(name, depth) {}

  std::size_t size() const override { return fifo.size(); }

  T read() {
    while (empty())
      await_word(*this);
    return fifo.pop();
  }
  void read(T& value) { value = read(); }
  void write(const T& value) {
    while (full())
      await_space(*this);
    fifo.push(value);
  }
  void operator>>(T& value) { value = read(); }
  void operator<<(const T& value) { write(value); }

private:
  fifo_ring<T> fifo;
};

template <typename T, int Depth> class stream : public stream<T, 0> {
public:
  explicit stream(const char* name = "") : stream<T, 0>(name, Depth) {}
};

// A stream that must be empty when its tasks have ended; words left over would be read as part of the next frame.
inline void expect_drained(const channel& stream) {
  if (stream.empty())
    return;
  std::fprintf(stderr, "hls::stream '%s': %zu words left over after the frame: its reader took too few\n",
               stream.label(), stream.size());
  std::exit(3);
}

} // namespace hls

#endif // RESNET_HLS_CSIM_BOUNDED_HLS_STREAM_H
