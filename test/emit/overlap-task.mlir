// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance,hls-unroll-loops,hls-place-memories,hls-pipeline-loops,hls-size-fifos,verify-scheduled)' --validate-each | resnet-translate - --emit-hls-cpp | filecheck %s

// Each pixel is added to the one below it, which a walk of six rows hands out for a map of four: the last two rows run
// together with the first two of the next frame. There is a round more than there are frames, for what is left of the
// last; each statement that moves words says for which frame it does, and in which row of it.
// CHECK: // IR: hls.task @window; 4 steps a frame, 2 stages in the model.
// CHECK-NEXT: void window(int frames,
// CHECK: batch: for (int frame = 0; frame <= frames; ++frame) {
// CHECK-NEXT: rows: for (int y = 0; y < 4; ++y) {
// CHECK-NEXT: #pragma HLS PIPELINE II=1 style=flp
// CHECK-NEXT: if (frame < frames) {
// CHECK-NEXT: input_word = in.read();
// CHECK: column[window_row].lane[channel_lane] = line_buffer[window_row].lane[channel_lane];
// CHECK: line_buffer[window_row].lane[channel_lane] = column[window_row + 1].lane[channel_lane];
// CHECK: const int row = y < 1 ? y + 4 : y;
// CHECK-NEXT: if (y < 1 ? frame > 0 : frame < frames) {
// CHECK: output_word.lane[channel_lane] = row <= 3 ? column[2].lane[channel_lane] : ap_int<8>(0);
// CHECK: below.write(output_word);
// CHECK-NEXT: }
// CHECK-NEXT: if (y < 2 ? frame > 0 : frame < frames) {
// CHECK: output_word_2.lane[channel_lane] = column[0].lane[channel_lane];
// CHECK: skip.write(output_word_2);
// CHECK: void add(
// CHECK: batch: for (int frame = 0; frame < frames; ++frame) {
// CHECK-NEXT: rows: for (int y = 0; y < 4; ++y) {
func.func @below(%image: memref<4x2xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 8 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %below = "hls.fifo"() {depth = 8 : i64, sym_name = "below"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 8 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4x2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %window_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %skip_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %column = memref.alloc() {hls.name = "column"} : memref<3xi8>
      %line = memref.alloc() {hls.name = "line_buffer"} : memref<2x2xi8>
      %zero = arith.constant 0 : i8
      affine.for %y = 0 to 6 {
        affine.for %x = 0 to 2 {
          affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %column[2] : memref<3xi8>
          }
          affine.for %r = 0 to 2 {
            %0 = affine.load %line[%r, %x] : memref<2x2xi8>
            affine.store %0, %column[%r] : memref<3xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.for %r = 0 to 2 {
            %0 = affine.load %column[%r + 1] : memref<3xi8>
            affine.store %0, %line[%r, %x] : memref<2x2xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.if affine_set<(d) : (d - 1 >= 0, -d + 4 >= 0)>(%y) {
            %0 = affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) -> i8 {
              %1 = affine.load %column[2] : memref<3xi8>
              affine.yield %1 : i8
            } else {
              affine.yield %zero : i8
            }
            affine.store %0, %window_word[0] : memref<1xi8>
            "hls.write"(%window_word, %below) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
          affine.if affine_set<(d) : (d - 2 >= 0)>(%y) {
            %0 = affine.load %column[0] : memref<3xi8>
            affine.store %0, %skip_word[0] : memref<1xi8>
            "hls.write"(%skip_word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.pipeline}
      } {hls.overlap = 2 : i64}
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.name = "below_word"} : memref<1xi8>
      %b = memref.alloc() {hls.name = "skip_word"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      affine.for %y = 0 to 4 {
        affine.for %x = 0 to 2 {
          "hls.read"(%below, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %a[0] : memref<1xi8>
          %1 = affine.load %b[0] : memref<1xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %sum[0] : memref<1xi8>
          "hls.write"(%sum, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
