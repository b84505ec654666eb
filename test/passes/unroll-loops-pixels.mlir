// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-unroll-loops,verify-dataflow)' --split-input-file --validate-each | filecheck %s

// Two of four pixels a step, both channels: a word of the image is in the order of its elements. Windows of two neighbours
// overlap; they are complete when the next group has come, so that the registers hold three columns besides the two that
// enter. The lanes of a word are pixels, taps, channels.
// CHECK-LABEL: func.func @even
// CHECK-DAG: "hls.fifo"() {depth = 6 : i64, sym_name = "input_to_task_window"} : () -> !hls.stream<vector<4xi8>>
// CHECK-DAG: "hls.fifo"() {depth = 6 : i64, sym_name = "task_window_to_task"} : () -> !hls.stream<vector<36xi8>>
// CHECK-DAG: memref.alloc() {hls.lanes = 1 : i64, hls.name = "window_columns"} : memref<3x3x2xi8>
// CHECK-DAG: memref.alloc() {hls.lanes = 1 : i64, hls.name = "window"} : memref<3x5x2xi8>
// A group of pixels at each address of the line buffer.
// CHECK-DAG: memref.alloc() {hls.lanes = 2 : i64, hls.name = "line_buffer"} : memref<2x2x2x2xi8>
// CHECK-DAG: memref.alloc() {hls.lanes = 2 : i64, hls.name = "column"} : memref<3x2x2xi8>
// One group more than the row has.
// CHECK: affine.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: affine.for %{{.*}} = 0 to 3 {
// CHECK: }) {sym_name = "task_window"}
// Each pixel has a sum of its own.
// CHECK: memref.alloc() {hls.lanes = 2 : i64} : memref<2x2xi8>
// CHECK: affine.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: affine.for %{{.*}} = 0 to 2 {
// CHECK: {hls.label = "pixels", hls.unroll = 2 : i64}
// CHECK: }) {sym_name = "task"}
#set = affine_set<(d0, d1, d2, d3, d4) : (d3 == 0, d4 == 0, -d0 + 2 >= 0, -d1 + 3 >= 0)>
#set1 = affine_set<(d0, d1, d2, d3, d4) : (d3 == 0, d4 == 0, -d1 + 3 >= 0)>
#set2 = affine_set<(d0, d1, d2, d3, d4) : (d3 == 0, d4 == 0)>
#set3 = affine_set<(d0, d1, d2, d3, d4) : (d0 - 1 >= 0, d1 - 1 >= 0)>
#set4 = affine_set<(d0, d1, d2, d3, d4) : (d0 + d3 - 2 >= 0, -(d0 + d3 - 2) + 2 >= 0, d1 + d4 - 2 >= 0, -(d1 + d4 - 2) + 3 >= 0)>
#set5 = affine_set<(d0, d1) : (d0 == 0, d1 == 0)>
#set6 = affine_set<(d0, d1) : (d0 - 2 == 0, d1 - 2 == 0)>
module {
  func.func @even(%arg0: memref<3x4x2xi8>, %arg1: memref<3x4x2xi8>) {
    "hls.dataflow"() ({
      %0 = "hls.fifo"() {depth = 24 : i64, sym_name = "input_to_task_window"} : () -> !hls.stream<vector<1xi8>>
      %1 = "hls.fifo"() {depth = 216 : i64, sym_name = "task_window_to_task"} : () -> !hls.stream<vector<1xi8>>
      %2 = "hls.fifo"() {depth = 24 : i64, sym_name = "task_to_output"} : () -> !hls.stream<vector<1xi8>>
      "hls.source"(%arg0, %0) : (memref<3x4x2xi8>, !hls.stream<vector<1xi8>>) -> ()
      "hls.task"() ({
        %alloc = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
        %alloc_0 = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
        %alloc_1 = memref.alloc() {hls.name = "window_columns"} : memref<3x2x2xi8>
        %alloc_2 = memref.alloc() {hls.name = "window"} : memref<3x3xi8>
        %alloc_3 = memref.alloc() {hls.name = "line_buffer"} : memref<2x4x2xi8>
        %alloc_4 = memref.alloc() {hls.name = "column"} : memref<3xi8>
        affine.for %arg2 = 0 to 4 {
          affine.for %arg3 = 0 to 5 {
            affine.for %arg4 = 0 to 2 {
              affine.for %arg5 = 0 to 3 {
                affine.for %arg6 = 0 to 3 {
                  affine.if #set(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    "hls.read"(%0, %alloc) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                    %3 = affine.load %alloc[0] : memref<1xi8>
                    affine.store %3, %alloc_4[2] : memref<3xi8>
                  }
                  affine.if #set1(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 2 {
                      %3 = affine.load %alloc_3[%arg7, %arg3, %arg4] : memref<2x4x2xi8>
                      affine.store %3, %alloc_4[%arg7] : memref<3xi8>
                    } {hls.label = "window_rows", hls.unroll = 2 : i64}
                  }
                  affine.if #set1(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 2 {
                      %3 = affine.load %alloc_4[%arg7 + 1] : memref<3xi8>
                      affine.store %3, %alloc_3[%arg7, %arg3, %arg4] : memref<2x4x2xi8>
                    } {hls.label = "window_rows", hls.unroll = 2 : i64}
                  }
                  affine.if #set2(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 3 {
                      affine.for %arg8 = 0 to 2 {
                        %3 = affine.load %alloc_1[%arg7, %arg8, %arg4] : memref<3x2x2xi8>
                        affine.store %3, %alloc_2[%arg7, %arg8] : memref<3x3xi8>
                      } {hls.label = "window_columns", hls.unroll = 2 : i64}
                    } {hls.label = "window_rows", hls.unroll = 3 : i64}
                  }
                  affine.if #set2(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 3 {
                      %3 = affine.load %alloc_4[%arg7] : memref<3xi8>
                      affine.store %3, %alloc_2[%arg7, 2] : memref<3x3xi8>
                    } {hls.label = "window_rows", hls.unroll = 3 : i64}
                  }
                  affine.if #set2(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 3 {
                      affine.for %arg8 = 0 to 2 {
                        %3 = affine.load %alloc_2[%arg7, %arg8 + 1] : memref<3x3xi8>
                        affine.store %3, %alloc_1[%arg7, %arg8, %arg4] : memref<3x2x2xi8>
                      } {hls.label = "window_columns", hls.unroll = 2 : i64}
                    } {hls.label = "window_rows", hls.unroll = 3 : i64}
                  }
                  affine.if #set3(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    %3 = affine.if #set4(%arg2, %arg3, %arg4, %arg5, %arg6) -> i8 {
                      %4 = affine.load %alloc_2[%arg5, %arg6] : memref<3x3xi8>
                      affine.yield %4 : i8
                    } else {
                      %c0_i8 = arith.constant 0 : i8
                      affine.yield %c0_i8 : i8
                    }
                    affine.store %3, %alloc_0[0] : memref<1xi8>
                    "hls.write"(%alloc_0, %1) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
                  }
                } {hls.pipeline, hls.tap}
              } {hls.tap}
            } {hls.unroll = 2 : i64}
          } {hls.unroll = 2 : i64}
        } {hls.name = "task_window", hls.overlap = 1 : i64}
      }) {sym_name = "task_window"} : () -> ()
      "hls.task"() ({
        %alloc = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
        %alloc_0 = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
        %c0_i8 = arith.constant 0 : i8
        %alloc_1 = memref.alloc() : memref<1xi8>
        affine.for %arg2 = 0 to 3 {
          affine.for %arg3 = 0 to 4 {
            affine.for %arg4 = 0 to 2 {
              affine.for %arg5 = 0 to 3 {
                affine.for %arg6 = 0 to 3 {
                  affine.if #set5(%arg5, %arg6) {
                    affine.store %c0_i8, %alloc_1[0] : memref<1xi8>
                  }
                  "hls.read"(%1, %alloc) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                  %3 = affine.load %alloc[0] : memref<1xi8>
                  %4 = affine.load %alloc_1[0] : memref<1xi8>
                  %5 = arith.addi %4, %3 : i8
                  affine.store %5, %alloc_1[0] : memref<1xi8>
                  affine.if #set6(%arg5, %arg6) {
                    %6 = affine.load %alloc_1[0] : memref<1xi8>
                    affine.store %6, %alloc_0[0] : memref<1xi8>
                    "hls.write"(%alloc_0, %2) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
                  }
                } {hls.tap}
              } {hls.tap}
            } {hls.unroll = 2 : i64}
          } {hls.unroll = 2 : i64}
        }
      }) {sym_name = "task"} : () -> ()
      "hls.sink"(%2, %arg1) : (!hls.stream<vector<1xi8>>, memref<3x4x2xi8>) -> ()
    }) : () -> ()
    return
  }
}
// -----
// Two of five pixels a step: the last word of a row has a pixel that means nothing. Ports have none: a converter takes a
// pixel a step from the image, one channel and then the other, and hands on two; the last group of a row is one word.
// CHECK-LABEL: func.func @uneven
// CHECK-DAG: "hls.fifo"() {depth = 30 : i64, sym_name = "input_to_task_window_x1"} : () -> !hls.stream<vector<1xi8>>
// CHECK-DAG: "hls.fifo"() {depth = 18 : i64, sym_name = "input_to_task_window_x2x1"} : () -> !hls.stream<vector<2xi8>>
// CHECK-DAG: "hls.fifo"() {depth = 18 : i64, sym_name = "task_window_to_task"} : () -> !hls.stream<vector<18xi8>>
// CHECK: affine.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: affine.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: affine.for %{{.*}} = 0 to 4 {
// CHECK: }) {sym_name = "input_to_task_window_width_1_to_2x1"}
// CHECK: memref.alloc() {hls.lanes = 1 : i64, hls.name = "line_buffer"} : memref<2x3x2x2xi8>
// CHECK: }) {sym_name = "task_window"}
// CHECK: }) {sym_name = "task"}
// CHECK: }) {sym_name = "task_to_output_width_2x1_to_1"}
#set = affine_set<(d0, d1, d2, d3, d4) : (d3 == 0, d4 == 0, -d0 + 2 >= 0, -d1 + 4 >= 0)>
#set1 = affine_set<(d0, d1, d2, d3, d4) : (d3 == 0, d4 == 0, -d1 + 4 >= 0)>
#set2 = affine_set<(d0, d1, d2, d3, d4) : (d3 == 0, d4 == 0)>
#set3 = affine_set<(d0, d1, d2, d3, d4) : (d0 - 1 >= 0, d1 - 1 >= 0)>
#set4 = affine_set<(d0, d1, d2, d3, d4) : (d0 + d3 - 2 >= 0, -(d0 + d3 - 2) + 2 >= 0, d1 + d4 - 2 >= 0, -(d1 + d4 - 2) + 4 >= 0)>
#set5 = affine_set<(d0, d1) : (d0 == 0, d1 == 0)>
#set6 = affine_set<(d0, d1) : (d0 - 2 == 0, d1 - 2 == 0)>
module {
  func.func @uneven(%arg0: memref<3x5x2xi8>, %arg1: memref<3x5x2xi8>) {
    "hls.dataflow"() ({
      %0 = "hls.fifo"() {depth = 30 : i64, sym_name = "input_to_task_window"} : () -> !hls.stream<vector<1xi8>>
      %1 = "hls.fifo"() {depth = 270 : i64, sym_name = "task_window_to_task"} : () -> !hls.stream<vector<1xi8>>
      %2 = "hls.fifo"() {depth = 30 : i64, sym_name = "task_to_output"} : () -> !hls.stream<vector<1xi8>>
      "hls.source"(%arg0, %0) : (memref<3x5x2xi8>, !hls.stream<vector<1xi8>>) -> ()
      "hls.task"() ({
        %alloc = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
        %alloc_0 = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
        %alloc_1 = memref.alloc() {hls.name = "window_columns"} : memref<3x2x2xi8>
        %alloc_2 = memref.alloc() {hls.name = "window"} : memref<3x3xi8>
        %alloc_3 = memref.alloc() {hls.name = "line_buffer"} : memref<2x5x2xi8>
        %alloc_4 = memref.alloc() {hls.name = "column"} : memref<3xi8>
        affine.for %arg2 = 0 to 4 {
          affine.for %arg3 = 0 to 6 {
            affine.for %arg4 = 0 to 2 {
              affine.for %arg5 = 0 to 3 {
                affine.for %arg6 = 0 to 3 {
                  affine.if #set(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    "hls.read"(%0, %alloc) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                    %3 = affine.load %alloc[0] : memref<1xi8>
                    affine.store %3, %alloc_4[2] : memref<3xi8>
                  }
                  affine.if #set1(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 2 {
                      %3 = affine.load %alloc_3[%arg7, %arg3, %arg4] : memref<2x5x2xi8>
                      affine.store %3, %alloc_4[%arg7] : memref<3xi8>
                    } {hls.label = "window_rows", hls.unroll = 2 : i64}
                  }
                  affine.if #set1(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 2 {
                      %3 = affine.load %alloc_4[%arg7 + 1] : memref<3xi8>
                      affine.store %3, %alloc_3[%arg7, %arg3, %arg4] : memref<2x5x2xi8>
                    } {hls.label = "window_rows", hls.unroll = 2 : i64}
                  }
                  affine.if #set2(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 3 {
                      affine.for %arg8 = 0 to 2 {
                        %3 = affine.load %alloc_1[%arg7, %arg8, %arg4] : memref<3x2x2xi8>
                        affine.store %3, %alloc_2[%arg7, %arg8] : memref<3x3xi8>
                      } {hls.label = "window_columns", hls.unroll = 2 : i64}
                    } {hls.label = "window_rows", hls.unroll = 3 : i64}
                  }
                  affine.if #set2(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 3 {
                      %3 = affine.load %alloc_4[%arg7] : memref<3xi8>
                      affine.store %3, %alloc_2[%arg7, 2] : memref<3x3xi8>
                    } {hls.label = "window_rows", hls.unroll = 3 : i64}
                  }
                  affine.if #set2(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 3 {
                      affine.for %arg8 = 0 to 2 {
                        %3 = affine.load %alloc_2[%arg7, %arg8 + 1] : memref<3x3xi8>
                        affine.store %3, %alloc_1[%arg7, %arg8, %arg4] : memref<3x2x2xi8>
                      } {hls.label = "window_columns", hls.unroll = 2 : i64}
                    } {hls.label = "window_rows", hls.unroll = 3 : i64}
                  }
                  affine.if #set3(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    %3 = affine.if #set4(%arg2, %arg3, %arg4, %arg5, %arg6) -> i8 {
                      %4 = affine.load %alloc_2[%arg5, %arg6] : memref<3x3xi8>
                      affine.yield %4 : i8
                    } else {
                      %c0_i8 = arith.constant 0 : i8
                      affine.yield %c0_i8 : i8
                    }
                    affine.store %3, %alloc_0[0] : memref<1xi8>
                    "hls.write"(%alloc_0, %1) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
                  }
                } {hls.pipeline, hls.tap}
              } {hls.tap}
            }
          } {hls.unroll = 2 : i64}
        } {hls.name = "task_window", hls.overlap = 1 : i64}
      }) {sym_name = "task_window"} : () -> ()
      "hls.task"() ({
        %alloc = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
        %alloc_0 = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
        %c0_i8 = arith.constant 0 : i8
        %alloc_1 = memref.alloc() : memref<1xi8>
        affine.for %arg2 = 0 to 3 {
          affine.for %arg3 = 0 to 5 {
            affine.for %arg4 = 0 to 2 {
              affine.for %arg5 = 0 to 3 {
                affine.for %arg6 = 0 to 3 {
                  affine.if #set5(%arg5, %arg6) {
                    affine.store %c0_i8, %alloc_1[0] : memref<1xi8>
                  }
                  "hls.read"(%1, %alloc) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                  %3 = affine.load %alloc[0] : memref<1xi8>
                  %4 = affine.load %alloc_1[0] : memref<1xi8>
                  %5 = arith.addi %4, %3 : i8
                  affine.store %5, %alloc_1[0] : memref<1xi8>
                  affine.if #set6(%arg5, %arg6) {
                    %6 = affine.load %alloc_1[0] : memref<1xi8>
                    affine.store %6, %alloc_0[0] : memref<1xi8>
                    "hls.write"(%alloc_0, %2) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
                  }
                } {hls.tap}
              } {hls.tap}
            }
          } {hls.unroll = 2 : i64}
        }
      }) {sym_name = "task"} : () -> ()
      "hls.sink"(%2, %arg1) : (!hls.stream<vector<1xi8>>, memref<3x5x2xi8>) -> ()
    }) : () -> ()
    return
  }
}
// -----
// A stride of two: four pixels a step make windows for two. Their words are the two of a row of three, and then one.
// CHECK-LABEL: func.func @halved
// CHECK-DAG: "hls.fifo"() {depth = 16 : i64, sym_name = "input_to_task_window_x4x1"} : () -> !hls.stream<vector<4xi8>>
// CHECK-DAG: "hls.fifo"() {depth = 8 : i64, sym_name = "task_window_to_task"} : () -> !hls.stream<vector<18xi8>>
// Windows end with the group that begins them: one column is kept.
// CHECK-DAG: memref.alloc() {hls.lanes = 0 : i64, hls.name = "window_columns"} : memref<3x2xi8>
// CHECK: affine.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: affine.for %{{.*}} = 0 to 2 {
// CHECK-NEXT: affine.for %{{.*}} = 0 to 2 {
// CHECK: }) {sym_name = "task_window"}
#set = affine_set<(d0, d1, d2, d3, d4) : (d3 == 0, d4 == 0)>
#set1 = affine_set<(d0, d1, d2, d3, d4) : (d0 - 1 >= 0, (d0 - 1) mod 2 == 0, d1 - 1 >= 0, (d1 - 1) mod 2 == 0)>
#set2 = affine_set<(d0, d1, d2, d3, d4) : (d0 + d3 - 2 >= 0, d1 + d4 - 2 >= 0)>
#set3 = affine_set<(d0, d1) : (d0 == 0, d1 == 0)>
#set4 = affine_set<(d0, d1) : (d0 - 2 == 0, d1 - 2 == 0)>
module {
  func.func @halved(%arg0: memref<4x6x2xi8>, %arg1: memref<2x3x2xi8>) {
    "hls.dataflow"() ({
      %0 = "hls.fifo"() {depth = 48 : i64, sym_name = "input_to_task_window"} : () -> !hls.stream<vector<1xi8>>
      %1 = "hls.fifo"() {depth = 108 : i64, sym_name = "task_window_to_task"} : () -> !hls.stream<vector<1xi8>>
      %2 = "hls.fifo"() {depth = 12 : i64, sym_name = "task_to_output"} : () -> !hls.stream<vector<1xi8>>
      "hls.source"(%arg0, %0) : (memref<4x6x2xi8>, !hls.stream<vector<1xi8>>) -> ()
      "hls.task"() ({
        %alloc = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
        %alloc_0 = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
        %alloc_1 = memref.alloc() {hls.name = "window_columns"} : memref<3x2x2xi8>
        %alloc_2 = memref.alloc() {hls.name = "window"} : memref<3x3xi8>
        %alloc_3 = memref.alloc() {hls.name = "line_buffer"} : memref<2x6x2xi8>
        %alloc_4 = memref.alloc() {hls.name = "column"} : memref<3xi8>
        affine.for %arg2 = 0 to 4 {
          affine.for %arg3 = 0 to 6 {
            affine.for %arg4 = 0 to 2 {
              affine.for %arg5 = 0 to 3 {
                affine.for %arg6 = 0 to 3 {
                  affine.if #set(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    "hls.read"(%0, %alloc) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                    %3 = affine.load %alloc[0] : memref<1xi8>
                    affine.store %3, %alloc_4[2] : memref<3xi8>
                  }
                  affine.if #set(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 2 {
                      %3 = affine.load %alloc_3[%arg7, %arg3, %arg4] : memref<2x6x2xi8>
                      affine.store %3, %alloc_4[%arg7] : memref<3xi8>
                    } {hls.label = "window_rows", hls.unroll = 2 : i64}
                  }
                  affine.if #set(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 2 {
                      %3 = affine.load %alloc_4[%arg7 + 1] : memref<3xi8>
                      affine.store %3, %alloc_3[%arg7, %arg3, %arg4] : memref<2x6x2xi8>
                    } {hls.label = "window_rows", hls.unroll = 2 : i64}
                  }
                  affine.if #set(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 3 {
                      affine.for %arg8 = 0 to 2 {
                        %3 = affine.load %alloc_1[%arg7, %arg8, %arg4] : memref<3x2x2xi8>
                        affine.store %3, %alloc_2[%arg7, %arg8] : memref<3x3xi8>
                      } {hls.label = "window_columns", hls.unroll = 2 : i64}
                    } {hls.label = "window_rows", hls.unroll = 3 : i64}
                  }
                  affine.if #set(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 3 {
                      %3 = affine.load %alloc_4[%arg7] : memref<3xi8>
                      affine.store %3, %alloc_2[%arg7, 2] : memref<3x3xi8>
                    } {hls.label = "window_rows", hls.unroll = 3 : i64}
                  }
                  affine.if #set(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    affine.for %arg7 = 0 to 3 {
                      affine.for %arg8 = 0 to 2 {
                        %3 = affine.load %alloc_2[%arg7, %arg8 + 1] : memref<3x3xi8>
                        affine.store %3, %alloc_1[%arg7, %arg8, %arg4] : memref<3x2x2xi8>
                      } {hls.label = "window_columns", hls.unroll = 2 : i64}
                    } {hls.label = "window_rows", hls.unroll = 3 : i64}
                  }
                  affine.if #set1(%arg2, %arg3, %arg4, %arg5, %arg6) {
                    %3 = affine.if #set2(%arg2, %arg3, %arg4, %arg5, %arg6) -> i8 {
                      %4 = affine.load %alloc_2[%arg5, %arg6] : memref<3x3xi8>
                      affine.yield %4 : i8
                    } else {
                      %c0_i8 = arith.constant 0 : i8
                      affine.yield %c0_i8 : i8
                    }
                    affine.store %3, %alloc_0[0] : memref<1xi8>
                    "hls.write"(%alloc_0, %1) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
                  }
                } {hls.pipeline, hls.tap}
              } {hls.tap}
            }
          } {hls.unroll = 4 : i64}
        } {hls.name = "task_window"}
      }) {sym_name = "task_window"} : () -> ()
      "hls.task"() ({
        %alloc = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
        %alloc_0 = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
        %c0_i8 = arith.constant 0 : i8
        %alloc_1 = memref.alloc() : memref<1xi8>
        affine.for %arg2 = 0 to 2 {
          affine.for %arg3 = 0 to 3 {
            affine.for %arg4 = 0 to 2 {
              affine.for %arg5 = 0 to 3 {
                affine.for %arg6 = 0 to 3 {
                  affine.if #set3(%arg5, %arg6) {
                    affine.store %c0_i8, %alloc_1[0] : memref<1xi8>
                  }
                  "hls.read"(%1, %alloc) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                  %3 = affine.load %alloc[0] : memref<1xi8>
                  %4 = affine.load %alloc_1[0] : memref<1xi8>
                  %5 = arith.addi %4, %3 : i8
                  affine.store %5, %alloc_1[0] : memref<1xi8>
                  affine.if #set4(%arg5, %arg6) {
                    %6 = affine.load %alloc_1[0] : memref<1xi8>
                    affine.store %6, %alloc_0[0] : memref<1xi8>
                    "hls.write"(%alloc_0, %2) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
                  }
                } {hls.tap}
              } {hls.tap}
            }
          } {hls.unroll = 2 : i64}
        }
      }) {sym_name = "task"} : () -> ()
      "hls.sink"(%2, %arg1) : (!hls.stream<vector<1xi8>>, memref<2x3x2xi8>) -> ()
    }) : () -> ()
    return
  }
}
