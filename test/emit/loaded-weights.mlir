// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-scheduled)' --validate-each
// RUN: resnet-translate %s --emit-hls-cpp | filecheck %s
// RUN: resnet-translate %s --emit-graph | filecheck %s --check-prefix=GRAPH
// RUN: rm -rf %t && resnet-translate %s --emit-hls-cpp -o %t
// RUN: od -An -v -tx1 -w8 %t/weights.bin | filecheck %s --check-prefix=IMAGE

// Weights in UltraRAM come through a port of their own, which a task hands on, and are there before the first frame.
// CHECK: // ===== product.h
// CHECK: // What comes through the port of weights, once after a reset.
// CHECK-NEXT: constexpr int weights_beats = 4;
// CHECK: using weights_axis_t = ap_axiu<64, 0, 0, 0>;
// CHECK: void product(int frames,
// CHECK-NEXT: hls::stream<input_axis_t>& input,
// CHECK-NEXT: hls::stream<output_axis_t>& output,
// CHECK-NEXT: hls::stream<weights_axis_t>& weights);

// CHECK: // ===== product.cpp
// CHECK: #pragma HLS INTERFACE mode=axis port=weights
// CHECK: hls::stream<resnet_hls::load_beat> multiply_load("multiply_load");
// CHECK-NEXT: #pragma HLS STREAM variable=multiply_load depth=2
// CHECK-NEXT: #pragma HLS BIND_STORAGE variable=multiply_load type=fifo impl=srl
// CHECK: load_weights(weights, multiply_load);
// CHECK-NEXT: read_input(frames, input, in);
// CHECK-NEXT: multiply(frames, multiply_load, in, out);

// CHECK: // ===== tasks.cpp
// CHECK: void load_weights(hls::stream<weights_axis_t>& weights, hls::stream<resnet_hls::load_beat>& multiply_load) {
// CHECK-NEXT: static bool loaded = false;
// CHECK-NEXT: #pragma HLS RESET variable=loaded
// CHECK-NEXT: if (!loaded) {
// CHECK-NEXT: load: for (int i = 0; i < 4; ++i) {
// CHECK-NEXT: #pragma HLS PIPELINE II=1 style=flp
// CHECK-NEXT: multiply_load.write(weights.read().data);
// CHECK-NEXT: }
// CHECK-NEXT: loaded = true;
// CHECK: static word<ap_int<8>, 6> weight[2][2];
// CHECK-NEXT: #pragma HLS AGGREGATE variable=weight compact=bit
// CHECK-NEXT: #pragma HLS BIND_STORAGE variable=weight type=ram_s2p impl=uram
// CHECK: static bool loaded = false;
// CHECK-NEXT: #pragma HLS RESET variable=loaded
// CHECK-NEXT: if (!loaded) {
// CHECK-NEXT: load: for (int i = 0; i < 2; ++i) {
// CHECK-NEXT: load_2: for (int j = 0; j < 2; ++j) {
// CHECK-NEXT: #pragma HLS PIPELINE II=1 style=flp
// CHECK-NEXT: weight[i][j] = resnet_hls::load_word<ap_int<8>, 6>(multiply_load);
// CHECK: loaded = true;
// CHECK-NEXT: }
// CHECK-NEXT: batch: for (int frame = 0; frame < frames; ++frame) {
// CHECK: held.lane[input_lane] * weight[input_group][output_group].lane[output_lane * 2 + input_lane];

// What is loaded is in no header.
// CHECK: // ===== weights.h
// CHECK-NOT: weight[
// CHECK: static const std::int16_t bias[2][3] = {

// GRAPH: "load_weights" -> "multiply" [label="weights, depth 2"];

// A beat for each word, which has six of its eight bytes.
// IMAGE: 01 07 fe 08 03 09 00 00
// IMAGE-NEXT: fc 0a 05 0b fa 0c 00 00
// IMAGE-NEXT: ff 02 ff 00 ff 02 00 00
// IMAGE-NEXT: ff 00 ff 02 ff 00 00 00
#loc = loc("/fc/Gemm")
memref.global "private" constant @weight_lanes : memref<2x2x3x2xi8> = dense<[[[[1, 7], [-2, 8], [3, 9]], [[-4, 10], [5, 11], [-6, 12]]], [[[-1, 2], [-1, 0], [-1, 2]], [[-1, 0], [-1, 2], [-1, 0]]]]> {hls.lanes = 2 : i64, hls.storage = "uram"}
memref.global "private" constant @bias_lanes : memref<2x3xi32> = dense<[[100, -100, 500], [-50, 25, -25]]> {hls.lanes = 1 : i64, hls.storage = "rom_lutram"}
func.func @product(%image: memref<10x4xi8>, %result: memref<10x6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<2xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<3xi8>>
    "hls.source"(%image, %in) : (memref<10x4xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.task"() ({
      %held = memref.alloc() {hls.lanes = 1 : i64, hls.name = "held", hls.partition = [], hls.storage = "register"} : memref<2xi8>
      %sum = memref.alloc() {hls.lanes = 1 : i64, hls.name = "sum", hls.partition = [], hls.storage = "register"} : memref<2x3xi32>
      %five = arith.constant 5 : i32
      %weight = memref.get_global @weight_lanes : memref<2x2x3x2xi8>
      %bias = memref.get_global @bias_lanes : memref<2x3xi32>
      %word = memref.alloc() {hls.name = "output_word", hls.partition = [], hls.storage = "register"} : memref<3xi8>
      affine.for %y = 0 to 10 {
        affine.for %gi = 0 to 2 {
          affine.for %go = 0 to 2 {
            affine.if affine_set<(d) : (d == 0)>(%go) {
              "hls.read"(%in, %held) : (!hls.stream<vector<2xi8>>, memref<2xi8>) -> ()
            }
            affine.if affine_set<(d) : (d == 0)>(%gi) {
              affine.for %o = 0 to 3 {
                %0 = affine.load %bias[%go, %o] : memref<2x3xi32>
                affine.store %0, %sum[%go, %o] : memref<2x3xi32>
              } {hls.label = "output_lanes", hls.unroll = 3 : i64}
            }
            affine.for %o = 0 to 3 {
              affine.for %i = 0 to 2 {
                %0 = affine.load %held[%i] : memref<2xi8>
                %1 = affine.load %weight[%gi, %go, %o, %i] : memref<2x2x3x2xi8>
                %2 = affine.load %sum[%go, %o] : memref<2x3xi32>
                %3 = arith.extsi %0 : i8 to i32
                %4 = arith.extsi %1 : i8 to i32
                %5 = arith.muli %3, %4 : i32
                %6 = arith.addi %2, %5 : i32
                affine.store %6, %sum[%go, %o] : memref<2x3xi32>
              } {hls.label = "input_lanes", hls.unroll = 2 : i64}
            } {hls.label = "output_lanes", hls.unroll = 3 : i64}
            affine.if affine_set<(d) : (d - 1 == 0)>(%gi) {
              affine.for %o = 0 to 3 {
                %0 = affine.load %sum[%go, %o] : memref<2x3xi32>
                %1 = arith.shrsi %0, %five : i32
                %2 = arith.trunci %1 : i32 to i8
                affine.store %2, %word[%o] : memref<3xi8>
              } {hls.label = "output_lanes", hls.unroll = 3 : i64}
              "hls.write"(%word, %out) : (memref<3xi8>, !hls.stream<vector<3xi8>>) -> ()
            }
          } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.label = "output_groups", hls.pipeline}
        } {hls.label = "input_groups"}
      } {hls.label = "rows"}
    }) {sym_name = "multiply"} : () -> () loc(#loc)
    "hls.sink"(%out, %result) : (!hls.stream<vector<3xi8>>, memref<10x6xi8>) -> ()
  }) : () -> ()
  return
}
