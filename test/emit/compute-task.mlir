// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-scheduled)' --validate-each
// RUN: resnet-translate %s --emit-hls-cpp | filecheck %s

// A matrix product as a task: one pipelined loop over groups, lanes unrolled, an 8 x 8 multiplier for each.
// CHECK: // ===== product.h
// CHECK: namespace product_io {
// CHECK-NEXT: constexpr int input_lanes = 2;
// CHECK-NEXT: constexpr int input_words = 20;
// CHECK-NEXT: constexpr int input_elements = 40;
// CHECK-NEXT: constexpr int output_lanes = 3;
// CHECK: using input_axis_t = ap_axiu<16, 0, 0, 0>;
// CHECK-NEXT: using output_axis_t = ap_axiu<32, 0, 0, 0>;
// CHECK: void product(int frames, hls::stream<input_axis_t>& input, hls::stream<output_axis_t>& output);

// CHECK: // ===== product.cpp
// CHECK: void product(int frames, hls::stream<input_axis_t>& input, hls::stream<output_axis_t>& output) {
// CHECK-NEXT: #pragma HLS INTERFACE mode=axis port=input
// CHECK-NEXT: #pragma HLS INTERFACE mode=axis port=output
// CHECK-NEXT: #pragma HLS INTERFACE mode=s_axilite port=frames bundle=control
// CHECK-NEXT: #pragma HLS INTERFACE mode=s_axilite port=return bundle=control
// CHECK-NEXT: #pragma HLS INTERFACE mode=ap_ctrl_hs port=return
// CHECK-NEXT: #pragma HLS DATAFLOW
// CHECK-NEXT: hls::stream<word<ap_int<8>, 2>> in("in");
// CHECK-NEXT: #pragma HLS STREAM variable=in depth=2
// CHECK-NEXT: #pragma HLS BIND_STORAGE variable=in type=fifo impl=srl
// CHECK-NEXT: hls::stream<word<ap_int<8>, 3>> out("out");
// CHECK-NEXT: #pragma HLS STREAM variable=out depth=2
// CHECK-NEXT: #pragma HLS BIND_STORAGE variable=out type=fifo impl=srl
// CHECK: read_input(frames, input, in);
// CHECK-NEXT: multiply(frames, in, out);
// CHECK-NEXT: write_output(frames, out, output);

// CHECK: // ===== tasks.h
// CHECK: void multiply(int frames, hls::stream<word<ap_int<8>, 2>>& in, hls::stream<word<ap_int<8>, 3>>& out);

// CHECK: // ===== tasks.cpp
// CHECK: // /fc/Gemm
// CHECK-NEXT: // IR: hls.task @multiply; 40 steps a frame, 2 stages in the model.
// CHECK-NEXT: void multiply(int frames, hls::stream<word<ap_int<8>, 2>>& in, hls::stream<word<ap_int<8>, 3>>& out) {
// CHECK-NEXT: word<ap_int<8>, 2> held;
// CHECK-NEXT: word<ap_int<32>, 3> sum[2];
// CHECK-NEXT: #pragma HLS AGGREGATE variable=sum compact=bit
// CHECK-NEXT: #pragma HLS ARRAY_PARTITION variable=sum type=complete dim=0
// CHECK-NEXT: #pragma HLS ARRAY_RESHAPE variable=weight type=complete dim=3
// CHECK-NEXT: #pragma HLS ARRAY_RESHAPE variable=weight type=complete dim=4
// CHECK-NEXT: #pragma HLS BIND_STORAGE variable=weight type=rom_1p impl=lutram
// CHECK-NEXT: #pragma HLS ARRAY_RESHAPE variable=bias type=complete dim=2
// CHECK: batch: for (int frame = 0; frame < frames; ++frame) {
// CHECK-NEXT: rows: for (int y = 0; y < 10; ++y) {
// CHECK-NEXT: input_groups: for (int input_group = 0; input_group < 2; ++input_group) {
// CHECK-NEXT: output_groups: for (int output_group = 0; output_group < 2; ++output_group) {
// CHECK-NEXT: #pragma HLS PIPELINE II=1 style=flp
// CHECK-NEXT: if (output_group == 0) {
// CHECK-NEXT: held = in.read();
// CHECK-NEXT: }
// CHECK-NEXT: if (input_group == 0) {
// CHECK-NEXT: output_lanes: for (int output_lane = 0; output_lane < 3; ++output_lane) {
// CHECK-NEXT: #pragma HLS UNROLL
// CHECK-NEXT: sum[output_group].lane[output_lane] = bias[output_group][output_lane];
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: output_lanes_2: for (int output_lane = 0; output_lane < 3; ++output_lane) {
// CHECK-NEXT: #pragma HLS UNROLL
// CHECK-NEXT: input_lanes: for (int input_lane = 0; input_lane < 2; ++input_lane) {
// CHECK-NEXT: #pragma HLS UNROLL
// CHECK-NEXT: sum[output_group].lane[output_lane] +=
// CHECK-NEXT: held.lane[input_lane] * weight[input_group][output_group][output_lane][input_lane];
// CHECK: if (input_group == 1) {
// CHECK: output_word.lane[output_lane] = ap_int<8>(sum[output_group].lane[output_lane] >> 5);
// CHECK-NEXT: }
// CHECK-NEXT: out.write(output_word);

// CHECK: // ===== weights.h
// CHECK: static const std::int8_t weight[2][2][3][2] = {
// CHECK: static const std::int16_t bias[2][3] = {
#loc = loc("/fc/Gemm")
memref.global "private" constant @weight_lanes : memref<2x2x3x2xi8> = dense<[[[[1, 7], [-2, 8], [3, 9]], [[-4, 10], [5, 11], [-6, 12]]], [[[-1, 2], [-1, 0], [-1, 2]], [[-1, 0], [-1, 2], [-1, 0]]]]> {hls.lanes = 2 : i64, hls.storage = "rom_lutram"}
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
