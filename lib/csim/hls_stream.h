// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fast stand-in for the vendor's <hls_stream.h>: unbounded FIFOs. As in the vendor's C simulation, depths are ignored
// and tasks run one after another; a read of an empty stream, which would hang hardware, ends the program.
// bounded/hls_stream.h is the one that honours depths.
#ifndef RESNET_HLS_CSIM_HLS_STREAM_H
#define RESNET_HLS_CSIM_HLS_STREAM_H

#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "fifo_ring.h"

namespace hls {

template <typename T, int Depth = 0> class stream;

template <typename T> class stream<T, 0> {
public:
  stream() = default;
  explicit stream(const char* name) : name(name) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  bool empty() const { return fifo.empty(); }
  bool full() const { return false; }
  std::size_t size() const { return fifo.size(); }

  T read() {
    if (empty())
      fail();
    return fifo.pop();
  }
  void read(T& value) { value = read(); }
  void write(const T& value) { fifo.push(value); }
  void operator>>(T& value) { value = read(); }
  void operator<<(const T& value) { write(value); }

private:
  fifo_ring<T> fifo;
  const char* name = "";

  [[noreturn]] void fail() const {
    std::fprintf(stderr, "hls::stream '%s': read while empty: its writer produced too few words\n", name);
    std::exit(3);
  }
};

// A stream with its depth in the type passes where the depthless one is expected.
template <typename T, int Depth> class stream : public stream<T, 0> {
public:
  using stream<T, 0>::stream;
};

} // namespace hls

#endif // RESNET_HLS_CSIM_HLS_STREAM_H
