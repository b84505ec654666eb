// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The storage behind both stand-ins for <hls_stream.h>: a FIFO on a ring that doubles when it is full.
#ifndef RESNET_HLS_CSIM_FIFO_RING_H
#define RESNET_HLS_CSIM_FIFO_RING_H

#include <cstddef>

namespace hls {

// Owns its memory by itself, as <memory> would take as long to compile as the tasks that use it.
template <typename T> class fifo_ring {
public:
  fifo_ring() = default;
  fifo_ring(const fifo_ring&) = delete;
  fifo_ring& operator=(const fifo_ring&) = delete;
  ~fifo_ring() { delete[] ring; }

  std::size_t size() const { return tail - head; }
  bool empty() const { return head == tail; }

  const T& pop() { return ring[head++ & mask]; }
  void push(const T& value) {
    if (size() == capacity)
      grow();
    ring[tail++ & mask] = value;
  }

private:
  // `head` and `tail` count all pops and pushes; the element n lies at ring[n & mask].
  T* ring = nullptr;
  std::size_t capacity = 0, mask = 0, head = 0, tail = 0;

  void grow() {
    const std::size_t larger = capacity == 0 ? 64 : 2 * capacity;
    T* const moved = new T[larger];
    for (std::size_t n = head; n != tail; ++n)
      moved[n & (larger - 1)] = ring[n & mask];
    delete[] ring;
    ring = moved;
    capacity = larger;
    mask = larger - 1;
  }
};

} // namespace hls

#endif // RESNET_HLS_CSIM_FIFO_RING_H
