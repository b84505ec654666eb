// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-scheduled)' --validate-each
// RUN: resnet-translate %s --emit-hls-cpp | filecheck %s

// A sum of an unsigned and a signed operand, rounded half to even, limited to 0 .. 255 and handed to two readers. An
// unsigned operand keeps its eight bits, a value that is used twice has a name, two limits are a clamp.
// CHECK: // ===== tasks.cpp
// CHECK: void add(int frames,
// CHECK-NEXT: hls::stream<word<ap_int<8>, 1>>& image_to_add,
// CHECK-NEXT: hls::stream<word<ap_int<8>, 1>>& skip_to_add,
// CHECK-NEXT: hls::stream<word<ap_int<8>, 1>>& add_to_wide,
// CHECK-NEXT: hls::stream<word<ap_int<8>, 1>>& add_to_last) {
// CHECK: batch: for (int frame = 0; frame < frames; ++frame) {
// CHECK-NEXT: rows: for (int y = 0; y < 8; ++y) {
// CHECK-NEXT: #pragma HLS PIPELINE II=1 style=flp
// CHECK-NEXT: main_word = image_to_add.read();
// CHECK-NEXT: skip_word = skip_to_add.read();
// CHECK-NEXT: const ap_int<32> sum = (ap_int<32>(ap_uint<8>(main_word.lane[0])) << 2) + skip_word.lane[0];
// CHECK-NEXT: const ap_int<32> clamped = resnet_hls::clamp(ap_int<32>(sum + 1 + ((sum >> 2) & 1)) >> 2, 0, 255);
// CHECK-NEXT: output_word.lane[0] = ap_int<8>(clamped);
// CHECK-NEXT: add_to_wide.write(output_word);
// CHECK-NEXT: add_to_last.write(output_word);

// A width converter is a task like any other.
// CHECK: void add_width_1_to_4(int frames,
// CHECK-NEXT: hls::stream<word<ap_int<8>, 1>>& add_to_wide,
// CHECK-NEXT: hls::stream<word<ap_int<8>, 4>>& wide_to_last) {
// CHECK-NEXT: word<ap_int<8>, 4> wide_word;
// CHECK-NEXT: word<ap_int<8>, 1> narrow_word;
// CHECK-NEXT: batch: for (int frame = 0; frame < frames; ++frame) {
// CHECK-NEXT: words: for (int i = 0; i < 2; ++i) {
// CHECK-NEXT: parts: for (int part = 0; part < 4; ++part) {
// CHECK-NEXT: #pragma HLS PIPELINE II=1 style=flp
// CHECK-NEXT: narrow_word = add_to_wide.read();
// CHECK-NEXT: wide_word.lane[part] = narrow_word.lane[0];
// CHECK-NEXT: if (part == 3) {
// CHECK-NEXT: wide_to_last.write(wide_word);

// Reads under a condition: a statement; the choice between the words: an expression. A condition that always holds is none.
// CHECK: void last(
// CHECK: if (y % 4 == 0) {
// CHECK-NEXT: wide_word = wide_to_last.read();
// CHECK-NEXT: }
// CHECK-NEXT: word_buffer = add_to_last.read();
// CHECK-NEXT: output_word.lane[0] = y <= 3 ? wide_word.lane[0] : word_buffer.lane[0];
func.func @residual(%image: memref<8xi8>, %result: memref<8xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "input_to_fork"} : () -> !hls.stream<vector<1xi8>>
    %main = "hls.fifo"() {depth = 2 : i64, sym_name = "image_to_add"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 2 : i64, sym_name = "skip_to_add"} : () -> !hls.stream<vector<1xi8>>
    %narrow = "hls.fifo"() {depth = 2 : i64, sym_name = "add_to_wide"} : () -> !hls.stream<vector<1xi8>>
    %beside = "hls.fifo"() {depth = 8 : i64, sym_name = "add_to_last"} : () -> !hls.stream<vector<1xi8>>
    %wide = "hls.fifo"() {depth = 2 : i64, sym_name = "wide_to_last"} : () -> !hls.stream<vector<4xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "last_to_output"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<8xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %y = 0 to 8 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %main) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        "hls.write"(%word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.label = "rows", hls.pipeline}
    }) {sym_name = "fork"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.name = "main_word", hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %b = memref.alloc() {hls.name = "skip_word", hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %o = memref.alloc() {hls.name = "output_word", hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      %c2 = arith.constant 2 : i32
      %c255 = arith.constant 255 : i32
      affine.for %y = 0 to 8 {
        "hls.read"(%main, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %a[0] : memref<1xi8>
        %1 = affine.load %b[0] : memref<1xi8>
        %2 = arith.extui %0 : i8 to i32
        %3 = arith.extsi %1 : i8 to i32
        %4 = arith.shli %2, %c2 : i32
        %5 = arith.addi %4, %3 : i32
        %6 = arith.shrsi %5, %c2 : i32
        %7 = arith.andi %6, %c1 : i32
        %8 = arith.addi %5, %c1 : i32
        %9 = arith.addi %8, %7 : i32
        %10 = arith.shrsi %9, %c2 : i32
        %11 = arith.maxsi %10, %c0 : i32
        %12 = arith.minsi %11, %c255 : i32
        %13 = arith.trunci %12 : i32 to i8
        affine.store %13, %o[0] : memref<1xi8>
        "hls.write"(%o, %narrow) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        "hls.write"(%o, %beside) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.label = "rows", hls.pipeline}
    }) {sym_name = "add"} : () -> ()
    "hls.task"() ({
      %big = memref.alloc() {hls.name = "wide_word", hls.partition = [], hls.storage = "register"} : memref<4x1xi8>
      %small = memref.alloc() {hls.name = "narrow_word", hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %w = 0 to 2 {
        affine.for %p = 0 to 4 {
          "hls.read"(%narrow, %small) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %small[0] : memref<1xi8>
          affine.store %0, %big[%p, 0] : memref<4x1xi8>
          affine.if affine_set<(d) : (d - 3 == 0)>(%p) {
            "hls.write"(%big, %wide) : (memref<4x1xi8>, !hls.stream<vector<4xi8>>) -> ()
          }
        } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.label = "parts", hls.pipeline}
      } {hls.label = "words"}
    }) {sym_name = "add_width_1_to_4"} : () -> ()
    "hls.task"() ({
      %big = memref.alloc() {hls.name = "wide_word", hls.partition = [], hls.storage = "register"} : memref<4xi8>
      %small = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %o = memref.alloc() {hls.name = "output_word", hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %y = 0 to 8 {
        affine.if affine_set<(d) : (d mod 4 == 0)>(%y) {
          "hls.read"(%wide, %big) : (!hls.stream<vector<4xi8>>, memref<4xi8>) -> ()
        }
        affine.if affine_set<(d) : (d >= 0)>(%y) {
          "hls.read"(%beside, %small) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        }
        %0 = affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) -> i8 {
          %1 = affine.load %big[0] : memref<4xi8>
          affine.yield %1 : i8
        } else {
          %1 = affine.load %small[0] : memref<1xi8>
          affine.yield %1 : i8
        }
        affine.store %0, %o[0] : memref<1xi8>
        "hls.write"(%o, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.label = "rows", hls.pipeline}
    }) {sym_name = "last"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<8xi8>) -> ()
  }) : () -> ()
  return
}
