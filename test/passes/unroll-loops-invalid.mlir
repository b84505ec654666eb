// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-unroll-loops)' --split-input-file --verify-diagnostics

func.func @too_many(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      // expected-error @below {{unroll factor 7 of a loop of 6 iterations}}
      affine.for %x = 0 to 6 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.unroll = 7 : i64}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Differences of neighbours: a lane needs what the lane before it has left in %last, so lanes cannot run statement by
// statement.
func.func @neighbours(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %difference = memref.alloc() : memref<1xi8>
      %sum = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 6 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        // expected-error @below {{lanes of 'channel_groups' that share an element}}
        %1 = affine.load %sum[0] : memref<1xi8>
        %2 = arith.addi %0, %1 : i8
        affine.store %2, %sum[0] : memref<1xi8>
        %3 = affine.load %sum[0] : memref<1xi8>
        affine.store %3, %difference[0] : memref<1xi8>
        "hls.write"(%difference, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.unroll = 2 : i64}
    }) {sym_name = "running_sum"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// The third of six iterations is the first lane of the second group: nothing can stand between two lanes.
func.func @in_the_middle(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %one = arith.constant 1 : i8
      %word = memref.alloc() : memref<1xi8>
      %offset = memref.alloc() : memref<1xi8>
      %shifted = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 6 {
        affine.if affine_set<(d) : (d - 2 == 0)>(%x) {
          // expected-error @below {{an access between two lanes of an unrolled loop}}
          affine.store %one, %offset[0] : memref<1xi8>
        }
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        %1 = affine.load %offset[0] : memref<1xi8>
        %2 = arith.addi %0, %1 : i8
        affine.store %2, %shifted[0] : memref<1xi8>
        "hls.write"(%shifted, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.unroll = 2 : i64}
    }) {sym_name = "offset"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// What is handed out lacks the last product of the last channel only. With both channels in lanes it would lack the
// last product of each.
memref.global "private" constant @weight : memref<2x3xi8> = dense<[[1, 2, 3], [4, 5, 6]]>
func.func @before_the_end(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %zero = arith.constant 0 : i8
      %weight = memref.get_global @weight : memref<2x3xi8>
      %word = memref.alloc() : memref<1xi8>
      %held = memref.alloc() : memref<1xi8>
      %sum = memref.alloc() : memref<1xi8>
      %given = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 6 {
        affine.for %c = 0 to 2 {
          affine.for %k = 0 to 3 {
            affine.if affine_set<(c, k) : (c == 0, k == 0)>(%c, %k) {
              "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
              %0 = affine.load %word[0] : memref<1xi8>
              affine.store %0, %held[0] : memref<1xi8>
            }
            affine.if affine_set<(c, k) : (c == 0, k == 0)>(%c, %k) {
              affine.store %zero, %sum[0] : memref<1xi8>
            }
            %0 = affine.load %held[0] : memref<1xi8>
            %1 = affine.load %weight[%c, %k] : memref<2x3xi8>
            %2 = arith.muli %0, %1 : i8
            %3 = affine.load %sum[0] : memref<1xi8>
            %4 = arith.addi %3, %2 : i8
            affine.store %4, %sum[0] : memref<1xi8>
            affine.if affine_set<(c, k) : (c - 1 == 0, k - 1 == 0)>(%c, %k) {
              // expected-error @below {{an access between two lanes of an unrolled loop}}
              %5 = affine.load %sum[0] : memref<1xi8>
              affine.store %5, %given[0] : memref<1xi8>
              "hls.write"(%given, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }
          }
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "weighted"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// The word that is written holds the sum as it was before and as it is after: its statements cannot all run first.
func.func @interleaved(%image: memref<6xi8>, %result: memref<12xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %sum = memref.alloc() : memref<1xi8>
      %both = memref.alloc() : memref<2xi8>
      affine.for %x = 0 to 6 {
        %0 = affine.load %sum[0] : memref<1xi8>
        affine.store %0, %both[0] : memref<2xi8>
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %1 = affine.load %word[0] : memref<1xi8>
        affine.store %1, %sum[0] : memref<1xi8>
        // expected-error @below {{an access that would no longer come in its turn}}
        %2 = affine.load %sum[0] : memref<1xi8>
        affine.store %2, %both[1] : memref<2xi8>
        "hls.write"(%both, %out) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
      }
    }) {sym_name = "before_and_after"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<2xi8>>, memref<12xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Pixels of 5 elements in words of 2, and rows of 10 in words of 3: the lanes that mean nothing are elsewhere.
func.func @widths(%image: memref<2x10xi8>, %result: memref<2x10xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 20 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    // expected-error @below {{words of 2 lanes of each 5 neighbours cannot become words of 3 lanes of each 10 neighbours}}
    %between = "hls.fifo"() {depth = 20 : i64, sym_name = "between"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 20 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<2x10xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %y = 0 to 4 {
        affine.for %c = 0 to 5 {
          "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %between) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "first"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 10 {
          "hls.read"(%between, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.unroll = 3 : i64}
      }
    }) {sym_name = "second"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2x10xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// The other half of the elements, which lanes beyond the sixth do not have.
func.func @beyond_an_array(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %table = memref.alloc() : memref<12xi8>
      affine.for %x = 0 to 6 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        // expected-error @below {{an access by lanes beyond the last iteration}}
        %0 = affine.load %table[%x + 6] : memref<12xi8>
        affine.store %0, %word[0] : memref<1xi8>
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.unroll = 4 : i64}
    }) {sym_name = "look_up"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Two taps a step would make two words of each window.
func.func @window_in_parts(%image: memref<6xi8>, %result: memref<6x3xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 18 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %tap = memref.alloc() : memref<1xi8>
      %held = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 6 {
        affine.for %t = 0 to 3 {
          affine.if affine_set<(d) : (d == 0)>(%t) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %held[0] : memref<1xi8>
          }
          %1 = affine.load %held[0] : memref<1xi8>
          affine.store %1, %tap[0] : memref<1xi8>
          // expected-error @below {{a window that would be handed out in parts}}
          "hls.write"(%tap, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.tap, hls.unroll = 2 : i64}
      }
    }) {sym_name = "repeat"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6x3xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Words of windows would hold two channels of each tap, the port three taps of each channel.
func.func @windows_at_a_port(%image: memref<8x2x3xi8>, %result: memref<8x2x3xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{words of several lanes for each tap of a window cannot pass a port}}
    %in = "hls.fifo"() {depth = 48 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 48 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<8x2x3xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 8 {
        affine.for %c = 0 to 2 {
          affine.for %k = 0 to 3 {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          } {hls.tap}
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<8x2x3xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// The taps of a channel come after those of the others.
func.func @taps_apart(%image: memref<8x2x3xi8>, %result: memref<8x2x3xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 48 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 48 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<8x2x3xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 8 {
        affine.for %k = 0 to 2 {
          affine.for %c = 0 to 3 {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            // expected-error @below {{a word that would hold taps that do not come together}}
            "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.tap}
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<8x2x3xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// expected-error @below {{expected one hls.dataflow, found 0}}
module {
}
// -----
// The difference to the pixel before: a pixel must have been handed on before the next one is looked at.
func.func @differences(%image: memref<2x6x1xi8>, %result: memref<2x6x1xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 12 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 12 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<2x6x1xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %difference = memref.alloc() : memref<1xi8>
      %pixel = memref.alloc() : memref<1xi8>
      %last = memref.alloc() : memref<1xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 6 {
          affine.for %c = 0 to 1 {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %pixel[0] : memref<1xi8>
            %1 = affine.load %pixel[0] : memref<1xi8>
            // expected-error @below {{a value that one pixel of a row leaves to the next}}
            %2 = affine.load %last[0] : memref<1xi8>
            %3 = arith.subi %1, %2 : i8
            affine.store %3, %difference[0] : memref<1xi8>
            "hls.write"(%difference, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            %4 = affine.load %pixel[0] : memref<1xi8>
            affine.store %4, %last[0] : memref<1xi8>
          }
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "differences"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2x6x1xi8>) -> ()
  }) : () -> ()
  return
}
// -----
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
          // expected-error @below {{3 pixels a step of windows with a stride of 2}}
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
          } {hls.unroll = 3 : i64}
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
          }
        }
      }) {sym_name = "task"} : () -> ()
      "hls.sink"(%2, %arg1) : (!hls.stream<vector<1xi8>>, memref<2x3x2xi8>) -> ()
    }) : () -> ()
    return
  }
}
// -----
memref.global "private" constant @weight : memref<4x4xi8> = dense<1>
func.func @diagonal(%image: memref<10x4xi8>, %result: memref<10x4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 40 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 40 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<10x4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %scaled = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %w = memref.get_global @weight : memref<4x4xi8>
      affine.for %x = 0 to 10 {
        affine.for %c = 0 to 4 {
          "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %word[0] : memref<1xi8>
          // expected-error @below {{an unrolled loop that indexes two dimensions of an array}}
          %1 = affine.load %w[%c, %c] : memref<4x4xi8>
          %2 = arith.muli %0, %1 : i8
          affine.store %2, %scaled[0] : memref<1xi8>
          "hls.write"(%scaled, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "diagonal"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<10x4xi8>) -> ()
  }) : () -> ()
  return
}
