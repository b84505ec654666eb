// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The accelerator of a project behind byte buffers, as DMAs see it. Compiled together with the project's src/, with its
// header's name in HEADER, the top function's in NAME, and WEIGHTS where weights are loaded.
#include HEADER

#define JOINED(a, b) a##b
#define NAMESPACE(name) JOINED(name, _io)
namespace io = NAMESPACE(NAME);

static hls::stream<input_axis_t> input("input");
static hls::stream<output_axis_t> output("output");

// So many beats of a buffer, as a DMA sends them: TLAST on the last.
template <int W> static void send(const unsigned char* bytes, int beats, hls::stream<ap_axiu<W, 0, 0, 0>>& stream) {
  for (int n = 0; n < beats; ++n) {
    ap_axiu<W, 0, 0, 0> beat;
    beat.data = 0;
    for (int b = 0; b < W / 8; ++b)
      beat.data.range(8 * b + 7, 8 * b) = ap_uint<8>(bytes[n * (W / 8) + b]);
    beat.keep = -1;
    beat.strb = -1;
    beat.last = n == beats - 1;
    stream.write(beat);
  }
}

// What a DMA would write into a buffer of so many beats; false where TLAST ends the transfer earlier, or does not come.
template <int W> static bool receive(unsigned char* bytes, int beats, hls::stream<ap_axiu<W, 0, 0, 0>>& stream) {
  for (int n = 0; n < beats; ++n) {
    if (stream.empty())
      return false;
    const ap_axiu<W, 0, 0, 0> beat = stream.read();
    for (int b = 0; b < W / 8; ++b)
      bytes[n * (W / 8) + b] = static_cast<unsigned char>(ap_uint<8>(beat.data.range(8 * b + 7, 8 * b)).to_uint());
    if ((beat.last == ap_uint<1>(1)) != (n == beats - 1))
      return false;
  }
  return stream.empty();
}

template <int W> static int bytes_of(const hls::stream<ap_axiu<W, 0, 0, 0>>&) {
  return W / 8;
}

#ifdef WEIGHTS
static hls::stream<weights_axis_t> weights("weights");
#endif

extern "C" {

int input_bytes() {
  return io::input_words * bytes_of(input);
}

int output_bytes() {
  return io::output_words * bytes_of(output);
}

int weights_bytes() {
#ifdef WEIGHTS
  return io::weights_beats * bytes_of(weights);
#else
  return 0;
#endif
}

void send_weights(const unsigned char* bytes) {
#ifdef WEIGHTS
  send(bytes, io::weights_beats, weights);
#else
  static_cast<void>(bytes);
#endif
}

// One call; 0 where everything that was sent was taken, and the outputs fit the transfer.
int call(int frames, const unsigned char* images, unsigned char* outputs) {
  send(images, frames * io::input_words, input);
#ifdef WEIGHTS
  NAME(frames, input, output, weights);
  const bool taken = input.empty() && weights.empty();
#else
  NAME(frames, input, output);
  const bool taken = input.empty();
#endif
  return receive(outputs, frames * io::output_words, output) && taken ? 0 : 1;
}
}
