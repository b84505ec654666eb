// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-unroll-loops,hls-place-memories,hls-pipeline-loops,hls-size-fifos,verify-scheduled)' | resnet-translate - --emit-hls-cpp | filecheck %s

// Windows of 3 x 3 taps with stride 2 and padding: the window shifts, a column comes from the line buffer and the input,
// taps outside the map are zeros. Neighbouring statements under one condition share it; where a remainder is compared
// with zero it may be negative.
// CHECK: // ===== tasks.cpp
// CHECK: void window(int frames,
// CHECK-NEXT: hls::stream<word<ap_int<8>, 2>>& input_to_window,
// CHECK-NEXT: hls::stream<word<ap_int<8>, 18>>& window_to_most) {
// CHECK: word<ap_int<8>, 2> window[3][3];
// CHECK-NEXT: #pragma HLS AGGREGATE variable=window compact=bit
// CHECK-NEXT: #pragma HLS ARRAY_PARTITION variable=window type=complete dim=0
// CHECK-NEXT: word<ap_int<8>, 2> line_buffer[2][6];
// CHECK-NEXT: #pragma HLS AGGREGATE variable=line_buffer compact=bit
// CHECK-NEXT: #pragma HLS ARRAY_PARTITION variable=line_buffer type=complete dim=1
// CHECK-NEXT: #pragma HLS BIND_STORAGE variable=line_buffer type=ram_s2p impl=lutram
// CHECK: batch: for (int frame = 0; frame < frames; ++frame) {
// CHECK-NEXT: rows: for (int y = 0; y < 6; ++y) {
// CHECK-NEXT: columns: for (int x = 0; x < 6; ++x) {
// CHECK-NEXT: #pragma HLS PIPELINE II=1 style=flp
// CHECK-NEXT: window_rows: for (int window_row = 0; window_row < 3; ++window_row) {
// CHECK: window[window_row][window_column].lane[channel_lane] =
// CHECK-NEXT: window[window_row][window_column + 1].lane[channel_lane];
// CHECK: input_word = input_to_window.read();
// CHECK: window[window_row][2].lane[channel_lane] = line_buffer[window_row][x].lane[channel_lane];
// CHECK: line_buffer[window_row][x].lane[channel_lane] = window[window_row + 1][2].lane[channel_lane];
// CHECK: if (y >= 1 && (y - 1) % 2 == 0 && x >= 1 && (x - 1) % 2 == 0) {
// CHECK: output_word.lane[tap_row * 6 + tap_column * 2 + channel_lane] =
// CHECK-NEXT: y + tap_row >= 2 && x + tap_column >= 2
// CHECK-NEXT: ? window[tap_row][tap_column].lane[channel_lane]
// CHECK: window_to_most.write(output_word);

// Pooling: every channel lane has an accumulator of its own.
// CHECK: void most(
// CHECK: word<ap_int<8>, 2> most;
// CHECK: window_word = window_to_most.read();
// CHECK: most.lane[channel_lane] =
// CHECK-NEXT: resnet_hls::max(most.lane[channel_lane], window_word.lane[tap * 2 + channel_lane]);
func.func @pooling(%image: memref<6x6x2xi8>, %result: memref<3x3x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 72 : i64, sym_name = "input_to_window"} : () -> !hls.stream<vector<1xi8>>
    %windows = "hls.fifo"() {depth = 162 : i64, sym_name = "window_to_most"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 18 : i64, sym_name = "most_to_output"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6x6x2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %zero = arith.constant 0 : i8
      %input_word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %window = memref.alloc() {hls.name = "window"} : memref<3x3x2xi8>
      %line = memref.alloc() {hls.name = "line_buffer"} : memref<2x6x2xi8>
      affine.for %y = 0 to 6 {
        affine.for %x = 0 to 6 {
          affine.for %c = 0 to 2 {
            affine.for %ky = 0 to 3 {
              affine.for %kx = 0 to 3 {
                affine.if affine_set<(d, e) : (d == 0, e == 0)>(%ky, %kx) {
                  affine.for %r = 0 to 3 {
                    affine.for %s = 0 to 2 {
                      %0 = affine.load %window[%r, %s + 1, %c] : memref<3x3x2xi8>
                      affine.store %0, %window[%r, %s, %c] : memref<3x3x2xi8>
                    } {hls.label = "window_columns", hls.unroll = 2 : i64}
                  } {hls.label = "window_rows", hls.unroll = 3 : i64}
                }
                affine.if affine_set<(d, e) : (d == 0, e == 0)>(%ky, %kx) {
                  "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                  %0 = affine.load %input_word[0] : memref<1xi8>
                  affine.store %0, %window[2, 2, %c] : memref<3x3x2xi8>
                }
                affine.if affine_set<(d, e) : (d == 0, e == 0)>(%ky, %kx) {
                  affine.for %r = 0 to 2 {
                    %0 = affine.load %line[%r, %x, %c] : memref<2x6x2xi8>
                    affine.store %0, %window[%r, 2, %c] : memref<3x3x2xi8>
                  } {hls.label = "window_rows", hls.unroll = 2 : i64}
                }
                affine.if affine_set<(d, e) : (d == 0, e == 0)>(%ky, %kx) {
                  affine.for %r = 0 to 2 {
                    %0 = affine.load %window[%r + 1, 2, %c] : memref<3x3x2xi8>
                    affine.store %0, %line[%r, %x, %c] : memref<2x6x2xi8>
                  } {hls.label = "window_rows", hls.unroll = 2 : i64}
                }
                affine.if affine_set<(d, e) : (d - 1 >= 0, (d - 1) mod 2 == 0, e - 1 >= 0, (e - 1) mod 2 == 0)>(%y, %x) {
                  %0 = affine.if affine_set<(d, e, f, g) : (d + f - 2 >= 0, e + g - 2 >= 0)>(%y, %x, %ky, %kx) -> i8 {
                    %1 = affine.load %window[%ky, %kx, %c] : memref<3x3x2xi8>
                    affine.yield %1 : i8
                  } else {
                    affine.yield %zero : i8
                  }
                  affine.store %0, %output_word[0] : memref<1xi8>
                  "hls.write"(%output_word, %windows) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
                }
              } {hls.pipeline, hls.tap}
            } {hls.tap}
          } {hls.unroll = 2 : i64}
        }
      }
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %least = arith.constant -128 : i8
      %window_word = memref.alloc() {hls.name = "window_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %most = memref.alloc() {hls.name = "most"} : memref<1xi8>
      affine.for %y = 0 to 3 {
        affine.for %x = 0 to 3 {
          affine.for %c = 0 to 2 {
            affine.for %ky = 0 to 3 {
              affine.for %kx = 0 to 3 {
                affine.if affine_set<(d, e) : (d == 0, e == 0)>(%ky, %kx) {
                  affine.store %least, %most[0] : memref<1xi8>
                }
                "hls.read"(%windows, %window_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                %0 = affine.load %window_word[0] : memref<1xi8>
                %1 = affine.load %most[0] : memref<1xi8>
                %2 = arith.maxsi %1, %0 : i8
                affine.store %2, %most[0] : memref<1xi8>
                affine.if affine_set<(d, e) : (d - 2 == 0, e - 2 == 0)>(%ky, %kx) {
                  %3 = affine.load %most[0] : memref<1xi8>
                  affine.store %3, %output_word[0] : memref<1xi8>
                  "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
                }
              } {hls.tap}
            } {hls.tap}
          } {hls.unroll = 2 : i64}
        }
      }
    }) {sym_name = "most"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<3x3x2xi8>) -> ()
  }) : () -> ()
  return
}
