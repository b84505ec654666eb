// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-scheduled)' -o /dev/null

// One 3 x 3 convolution with a ReLU, from 2 to 3 channels on 4 x 5, as the passes scheduled it with 9 multipliers.
// convolution.v is the same by hand: what is changed here must be changed there.

#set = affine_set<(d0, d1, d2) : (-d0 + 3 >= 0, -d1 + 4 >= 0)>
#set1 = affine_set<(d0, d1, d2) : (-d1 + 4 >= 0)>
#set2 = affine_set<(d0, d1, d2) : (d0 - 1 >= 0, d1 - 1 >= 0)>
#set3 = affine_set<(d0, d1, d2, d3, d4) : (d0 + d3 - 2 >= 0, -d0 - d3 + 5 >= 0, d1 + d4 - 2 >= 0, -d1 - d4 + 6 >= 0)>
#set4 = affine_set<(d0, d1, d2, d3) : (d3 == 0)>
#set5 = affine_set<(d0, d1, d2, d3) : (d2 == 0)>
#set6 = affine_set<(d0, d1, d2, d3) : (d2 - 1 == 0)>
module {
  memref.global "private" constant @conv_bias_lanes : memref<3xi32> = dense<[312, 492, -124]> {hls.lanes = 0 : i64, hls.storage = "rom_lutram"}
  memref.global "private" constant @conv_weight_lanes : memref<2x3x9xi8> = dense<[[[89, 35, 3, -59, -49, -117, -108, -123, -83], [15, 111, -57, 81, 44, -127, -27, 91, 14], [-107, -51, -5, -20, -25, -120, -126, -96, -125]], [[80, 38, 105, 1, 27, 120, 59, 34, 11], [-119, 68, 59, 88, -83, -105, 93, -122, 11], [44, 7, 38, -62, 29, 67, -30, -10, 127]]]> {hls.lanes = 1 : i64, hls.storage = "rom_lutram"}
  func.func @network(%arg0: memref<1x4x5x2xi8>, %arg1: memref<1x4x5x3xi8>) attributes {hls.input = {max = 127 : i64, min = -128 : i64, scale = 1.562500e-02 : f64, signed = true}, hls.layout = "nhwc", hls.output = {max = 255 : i64, min = 0 : i64, scale = 6.250000e-02 : f64, signed = false}} {
    "hls.dataflow"() ({
      %0 = "hls.fifo"() {depth = 2 : i64, sym_name = "input_to_conv_window"} : () -> !hls.stream<vector<1xi8>>
      %1 = "hls.fifo"() {depth = 2 : i64, sym_name = "conv_window_to_conv"} : () -> !hls.stream<vector<9xi8>>
      %2 = "hls.fifo"() {depth = 2 : i64, sym_name = "conv_to_output"} : () -> !hls.stream<vector<1xi8>>
      "hls.source"(%arg0, %0) : (memref<1x4x5x2xi8>, !hls.stream<vector<1xi8>>) -> ()
      "hls.task"() ({
        %alloc = memref.alloc() {hls.lanes = 0 : i64, hls.name = "window_columns", hls.partition = [0, 1], hls.storage = "register"} : memref<3x2x2xi8>
        %alloc_0 = memref.alloc() {hls.lanes = 0 : i64, hls.name = "window", hls.partition = [0, 1], hls.storage = "register"} : memref<3x3xi8>
        %alloc_1 = memref.alloc() {hls.lanes = 0 : i64, hls.name = "line_buffer", hls.partition = [0], hls.storage = "lutram"} : memref<2x5x2xi8>
        %alloc_2 = memref.alloc() {hls.lanes = 0 : i64, hls.name = "column", hls.partition = [0], hls.storage = "register"} : memref<3xi8>
        %alloc_3 = memref.alloc() {hls.name = "input_word", hls.partition = [0], hls.storage = "register"} : memref<1xi8>
        %alloc_4 = memref.alloc() {hls.name = "output_word", hls.partition = [0, 1], hls.storage = "register"} : memref<3x3xi8>
        affine.for %arg2 = 0 to 5 {
          affine.for %arg3 = 0 to 6 {
            affine.for %arg4 = 0 to 2 {
              affine.if #set(%arg2, %arg3, %arg4) {
                "hls.read"(%0, %alloc_3) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                %3 = affine.load %alloc_3[0] : memref<1xi8>
                affine.store %3, %alloc_2[2] : memref<3xi8>
              }
              affine.if #set1(%arg2, %arg3, %arg4) {
                affine.for %arg5 = 0 to 2 {
                  %3 = affine.load %alloc_1[%arg5, %arg3, %arg4] : memref<2x5x2xi8>
                  affine.store %3, %alloc_2[%arg5] : memref<3xi8>
                } {hls.label = "window_rows", hls.unroll = 2 : i64}
              }
              affine.if #set1(%arg2, %arg3, %arg4) {
                affine.for %arg5 = 0 to 2 {
                  %3 = affine.load %alloc_2[%arg5 + 1] : memref<3xi8>
                  affine.store %3, %alloc_1[%arg5, %arg3, %arg4] : memref<2x5x2xi8>
                } {hls.label = "window_rows", hls.unroll = 2 : i64}
              }
              affine.for %arg5 = 0 to 3 {
                affine.for %arg6 = 0 to 2 {
                  %3 = affine.load %alloc[%arg5, %arg6, %arg4] : memref<3x2x2xi8>
                  affine.store %3, %alloc_0[%arg5, %arg6] : memref<3x3xi8>
                } {hls.label = "window_columns", hls.unroll = 2 : i64}
              } {hls.label = "window_rows", hls.unroll = 3 : i64}
              affine.for %arg5 = 0 to 3 {
                %3 = affine.load %alloc_2[%arg5] : memref<3xi8>
                affine.store %3, %alloc_0[%arg5, 2] : memref<3x3xi8>
              } {hls.label = "window_rows", hls.unroll = 3 : i64}
              affine.for %arg5 = 0 to 3 {
                affine.for %arg6 = 0 to 2 {
                  %3 = affine.load %alloc_0[%arg5, %arg6 + 1] : memref<3x3xi8>
                  affine.store %3, %alloc[%arg5, %arg6, %arg4] : memref<3x2x2xi8>
                } {hls.label = "window_columns", hls.unroll = 2 : i64}
              } {hls.label = "window_rows", hls.unroll = 3 : i64}
              affine.if #set2(%arg2, %arg3, %arg4) {
                affine.for %arg5 = 0 to 3 {
                  affine.for %arg6 = 0 to 3 {
                    %3 = affine.if #set3(%arg2, %arg3, %arg4, %arg5, %arg6) -> i8 {
                      %4 = affine.load %alloc_0[%arg5, %arg6] : memref<3x3xi8>
                      affine.yield %4 : i8
                    } else {
                      %c0_i8 = arith.constant 0 : i8
                      affine.yield %c0_i8 : i8
                    }
                    affine.store %3, %alloc_4[%arg5, %arg6] : memref<3x3xi8>
                  } {hls.label = "tap_columns", hls.unroll = 3 : i64}
                } {hls.label = "tap_rows", hls.unroll = 3 : i64}
                "hls.write"(%alloc_4, %1) : (memref<3x3xi8>, !hls.stream<vector<9xi8>>) -> ()
              }
            } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.label = "channel_groups", hls.pipeline}
          } {hls.label = "columns"}
        } {hls.label = "rows", hls.overlap = 1 : i64}
      }) {sym_name = "conv_window"} : () -> ()
      "hls.task"() ({
        %alloc = memref.alloc() {hls.lanes = 1 : i64, hls.name = "window_word", hls.partition = [], hls.storage = "register"} : memref<9xi8>
        %alloc_0 = memref.alloc() {hls.lanes = 0 : i64, hls.name = "accumulator", hls.partition = [], hls.storage = "register"} : memref<3xi32>
        %c0_i32 = arith.constant 0 : i32
        %c9_i32 = arith.constant 9 : i32
        %c1_i32 = arith.constant 1 : i32
        %c255_i32 = arith.constant 255 : i32
        %3 = memref.get_global @conv_bias_lanes : memref<3xi32>
        %4 = memref.get_global @conv_weight_lanes : memref<2x3x9xi8>
        %alloc_1 = memref.alloc() {hls.name = "sum", hls.partition = [], hls.storage = "register"} : memref<i32>
        %alloc_2 = memref.alloc() {hls.name = "output_word", hls.partition = [0], hls.storage = "register"} : memref<1xi8>
        affine.for %arg2 = 0 to 4 {
          affine.for %arg3 = 0 to 5 {
            affine.for %arg4 = 0 to 2 {
              affine.for %arg5 = 0 to 3 {
                affine.if #set4(%arg2, %arg3, %arg4, %arg5) {
                  "hls.read"(%1, %alloc) : (!hls.stream<vector<9xi8>>, memref<9xi8>) -> ()
                }
                affine.if #set5(%arg2, %arg3, %arg4, %arg5) {
                  %8 = affine.load %3[%arg5] : memref<3xi32>
                  affine.store %8, %alloc_0[%arg5] : memref<3xi32>
                }
                %c0_i32_3 = arith.constant 0 : i32
                affine.store %c0_i32_3, %alloc_1[] : memref<i32>
                affine.for %arg6 = 0 to 9 {
                  %8 = affine.load %alloc[%arg6] : memref<9xi8>
                  %9 = affine.load %4[%arg4, %arg5, %arg6] : memref<2x3x9xi8>
                  %10 = arith.extsi %8 : i8 to i32
                  %11 = arith.extsi %9 : i8 to i32
                  %12 = arith.muli %10, %11 : i32
                  %13 = affine.load %alloc_1[] : memref<i32>
                  %14 = arith.addi %13, %12 : i32
                  affine.store %14, %alloc_1[] : memref<i32>
                } {hls.label = "taps", hls.unroll = 9 : i64}
                %5 = affine.load %alloc_0[%arg5] : memref<3xi32>
                %6 = affine.load %alloc_1[] : memref<i32>
                %7 = arith.addi %5, %6 : i32
                affine.store %7, %alloc_0[%arg5] : memref<3xi32>
                affine.if #set6(%arg2, %arg3, %arg4, %arg5) {
                  %8 = affine.load %alloc_0[%arg5] : memref<3xi32>
                  %9 = arith.maxsi %8, %c0_i32 : i32
                  %10 = arith.shrsi %9, %c9_i32 : i32
                  %11 = arith.andi %10, %c1_i32 : i32
                  %12 = arith.addi %9, %c255_i32 : i32
                  %13 = arith.addi %12, %11 : i32
                  %14 = arith.shrsi %13, %c9_i32 : i32
                  %15 = arith.minsi %14, %c255_i32 : i32
                  %16 = arith.trunci %15 : i32 to i8
                  affine.store %16, %alloc_2[0] : memref<1xi8>
                  "hls.write"(%alloc_2, %2) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
                }
              } {hls.depth = 9 : i64, hls.interval = 1 : i64, hls.label = "output_groups", hls.pipeline}
            } {hls.label = "input_groups"}
          } {hls.label = "columns"}
        } {hls.label = "rows"}
      }) {sym_name = "conv"} : () -> ()
      "hls.sink"(%2, %arg1) : (!hls.stream<vector<1xi8>>, memref<1x4x5x3xi8>) -> ()
    }) : () -> ()
    return
  }
}
