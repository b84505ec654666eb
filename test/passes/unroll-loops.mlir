// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-unroll-loops,verify-dataflow)' --split-input-file --validate-each | filecheck %s

// A matrix product with 2 of 4 inputs and 3 of 6 outputs a step. The pipelined loop is over groups; lanes stand in
// loops of their own, for each group of statements. The weights are laid out [input group][output group][output lane]
// [input lane]; the register that holds an input takes the stream's word as it comes. A step sums up its products
// before it meets the accumulator.
// CHECK-DAG: memref.global "private" constant @weight_lanes : memref<2x2x3x2xi8> = dense<{{\[\[\[\[}}1, 7], [-2, 8], [3, 9]], {{\[\[}}-4, 10], [5, 11], [-6, 12]]], {{.*}}> {hls.lanes = 2 : i64}
// CHECK-DAG: memref.global "private" constant @bias_lanes : memref<2x3xi32> = dense<{{\[\[}}100, -100, 50], [-50, 25, -25]]> {hls.lanes = 1 : i64}
// CHECK-LABEL: func.func @product
// CHECK: %[[IN:[a-z_0-9]+]] = "hls.fifo"() {depth = 20 : i64, sym_name = "in"} : () -> !hls.stream<vector<2xi8>>
// CHECK-NEXT: %[[OUT:[a-z_0-9]+]] = "hls.fifo"() {depth = 20 : i64, sym_name = "out"} : () -> !hls.stream<vector<3xi8>>
// CHECK-DAG: %[[HELD:[a-z_0-9]+]] = memref.alloc() {hls.lanes = 1 : i64, hls.name = "held"} : memref<2xi8>
// CHECK-DAG: %[[SUM:[a-z_0-9]+]] = memref.alloc() {hls.lanes = 1 : i64, hls.name = "sum"} : memref<2x3xi32>
// CHECK-DAG: %[[STEP:[a-z_0-9]+]] = memref.alloc() {hls.name = "sum"} : memref<i32>
// CHECK-DAG: %[[WORD:[a-z_0-9]+]] = memref.alloc() {hls.name = "output_word"} : memref<3xi8>
// CHECK: affine.for %{{[a-z_0-9]+}} = 0 to 10 {
// CHECK-NEXT: affine.for %[[I:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.for %[[O:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.if
// CHECK-NEXT: "hls.read"(%[[IN]], %[[HELD]])
// CHECK-NEXT: }
// CHECK-NEXT: affine.if
// CHECK-NEXT: affine.for %[[L:[a-z_0-9]+]] = 0 to 3 {
// CHECK-NEXT: affine.load %{{[a-z_0-9]+}}[%[[O]], %[[L]]] : memref<2x3xi32>
// CHECK-NEXT: affine.store %{{[a-z_0-9]+}}, %[[SUM]][%[[O]], %[[L]]]
// CHECK-NEXT: } {hls.label = "output_lanes", hls.unroll = 3 : i64}
// CHECK-NEXT: }
// CHECK-NEXT: affine.for %[[P:[a-z_0-9]+]] = 0 to 3 {
// CHECK: affine.store %{{[a-z_0-9]+}}, %[[STEP]][]
// CHECK-NEXT: affine.for %[[Q:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.load %[[HELD]][%[[Q]]]
// CHECK-NEXT: affine.load %{{[a-z_0-9]+}}[%[[I]], %[[O]], %[[P]], %[[Q]]] : memref<2x2x3x2xi8>
// CHECK: } {hls.label = "input_lanes", hls.unroll = 2 : i64}
// CHECK-NEXT: %[[BEFORE:[a-z_0-9]+]] = affine.load %[[SUM]][%[[O]], %[[P]]]
// CHECK-NEXT: %[[ADDED:[a-z_0-9]+]] = affine.load %[[STEP]][]
// CHECK-NEXT: arith.addi %[[BEFORE]], %[[ADDED]]
// CHECK-NEXT: affine.store %{{[a-z_0-9]+}}, %[[SUM]][%[[O]], %[[P]]]
// CHECK-NEXT: } {hls.label = "output_lanes", hls.unroll = 3 : i64}
// CHECK-NEXT: affine.if
// CHECK: affine.store %{{[a-z_0-9]+}}, %[[WORD]][%{{[a-z_0-9]+}}]
// CHECK: "hls.write"(%[[WORD]], %[[OUT]])
// CHECK: } {hls.label = "output_groups", hls.pipeline}
// CHECK-NEXT: } {hls.label = "input_groups"}
// CHECK-NEXT: } {hls.label = "rows"}
memref.global "private" constant @weight : memref<4x6xi8> = dense<[[1, -2, 3, -4, 5, -6], [7, 8, 9, 10, 11, 12], [-1, -1, -1, -1, -1, -1], [2, 0, 2, 0, 2, 0]]>
memref.global "private" constant @bias : memref<6xi32> = dense<[100, -100, 50, -50, 25, -25]>
func.func @product(%image: memref<10x4xi8>, %result: memref<10x6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 40 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 60 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<10x4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %input_word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %held = memref.alloc() {hls.name = "held"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "sum"} : memref<6xi32>
      %five = arith.constant 5 : i32
      %w = memref.get_global @weight : memref<4x6xi8>
      %b = memref.get_global @bias : memref<6xi32>
      affine.for %x = 0 to 10 {
        affine.for %i = 0 to 4 {
          affine.for %o = 0 to 6 {
            affine.if affine_set<(d) : (d == 0)>(%o) {
              "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
              %0 = affine.load %input_word[0] : memref<1xi8>
              affine.store %0, %held[0] : memref<1xi8>
            }
            affine.if affine_set<(d) : (d == 0)>(%i) {
              %0 = affine.load %b[%o] : memref<6xi32>
              affine.store %0, %sum[%o] : memref<6xi32>
            }
            %1 = affine.load %held[0] : memref<1xi8>
            %2 = affine.load %w[%i, %o] : memref<4x6xi8>
            %3 = affine.load %sum[%o] : memref<6xi32>
            %4 = arith.extsi %1 : i8 to i32
            %5 = arith.extsi %2 : i8 to i32
            %6 = arith.muli %4, %5 : i32
            %7 = arith.addi %3, %6 : i32
            affine.store %7, %sum[%o] : memref<6xi32>
            affine.if affine_set<(d) : (d - 3 == 0)>(%i) {
              %8 = affine.load %sum[%o] : memref<6xi32>
              %9 = arith.shrsi %8, %five : i32
              %10 = arith.trunci %9 : i32 to i8
              affine.store %10, %output_word[0] : memref<1xi8>
              "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }
          } {hls.unroll = 3 : i64}
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "product"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<10x6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Taps are unrolled whole: a word holds 3 taps of 2 channels. A sum that starts anew for each channel has a place for
// each lane.
// CHECK-LABEL: func.func @windows
// CHECK: "hls.fifo"() {{.*}}sym_name = "taps"} : () -> !hls.stream<vector<6xi8>>
// CHECK: }) {sym_name = "window"}
// CHECK: %[[SUMS:[a-z_0-9]+]] = memref.alloc() {hls.lanes = 1 : i64, hls.name = "sum"} : memref<2xi32>
// CHECK: affine.store %{{[a-z_0-9]+}}, %[[SUMS]][%{{[a-z_0-9]+}}]
// CHECK: "hls.read"
// CHECK-NEXT: affine.for %[[C:[a-z_0-9]+]] = 0 to 2 {
// CHECK: affine.for %[[T:[a-z_0-9]+]] = 0 to 3 {
// CHECK-NEXT: affine.load %{{[a-z_0-9]+}}[%[[T]], %[[C]]] : memref<3x2xi8>
memref.global "private" constant @w : memref<4x3xi8> = dense<1>
func.func @windows(%image: memref<10x4xi8>, %result: memref<8x4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 40 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %taps = "hls.fifo"() {depth = 96 : i64, sym_name = "taps"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 32 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<10x4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %input_word = memref.alloc() : memref<1xi8>
      %output_word = memref.alloc() : memref<1xi8>
      %window = memref.alloc() {hls.name = "window"} : memref<3x4xi8>
      affine.for %x = 0 to 10 {
        affine.for %c = 0 to 4 {
          affine.for %k = 0 to 3 {
            affine.if affine_set<(d) : (d == 0)>(%k) {
              affine.for %s = 0 to 2 {
                %0 = affine.load %window[%s + 1, %c] : memref<3x4xi8>
                affine.store %0, %window[%s, %c] : memref<3x4xi8>
              } {hls.unroll = 2 : i64}
            }
            affine.if affine_set<(d) : (d == 0)>(%k) {
              "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
              %0 = affine.load %input_word[0] : memref<1xi8>
              affine.store %0, %window[2, %c] : memref<3x4xi8>
            }
            affine.if affine_set<(d) : (d - 2 >= 0)>(%x) {
              %0 = affine.load %window[%k, %c] : memref<3x4xi8>
              affine.store %0, %output_word[0] : memref<1xi8>
              "hls.write"(%output_word, %taps) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }
          } {hls.pipeline, hls.tap}
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %input_word = memref.alloc() : memref<1xi8>
      %output_word = memref.alloc() : memref<1xi8>
      %sum = memref.alloc() {hls.name = "sum"} : memref<1xi32>
      %zero = arith.constant 0 : i32
      %w = memref.get_global @w : memref<4x3xi8>
      affine.for %x = 0 to 8 {
        affine.for %c = 0 to 4 {
          affine.for %k = 0 to 3 {
            affine.if affine_set<(d) : (d == 0)>(%k) {
              affine.store %zero, %sum[0] : memref<1xi32>
            }
            "hls.read"(%taps, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %input_word[0] : memref<1xi8>
            %1 = affine.load %w[%c, %k] : memref<4x3xi8>
            %2 = affine.load %sum[0] : memref<1xi32>
            %3 = arith.extsi %0 : i8 to i32
            %4 = arith.extsi %1 : i8 to i32
            %5 = arith.muli %3, %4 : i32
            %6 = arith.addi %2, %5 : i32
            affine.store %6, %sum[0] : memref<1xi32>
            affine.if affine_set<(d) : (d - 2 == 0)>(%k) {
              %7 = affine.load %sum[0] : memref<1xi32>
              %8 = arith.trunci %7 : i32 to i8
              affine.store %8, %output_word[0] : memref<1xi8>
              "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }
          } {hls.tap}
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "depthwise"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<8x4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Neighbours with words of 2 and 6 lanes: a task between them collects three words into one.
// CHECK-LABEL: func.func @widths
// CHECK: %[[NARROW:[a-z_0-9]+]] = "hls.fifo"() {depth = 6 : i64, sym_name = "between_x2"} : () -> !hls.stream<vector<2xi8>>
// CHECK-NEXT: %[[WIDE:[a-z_0-9]+]] = "hls.fifo"() {depth = 2 : i64, sym_name = "between_x6"} : () -> !hls.stream<vector<6xi8>>
// CHECK: }) {sym_name = "first"}
// CHECK-NEXT: "hls.task"() ({
// CHECK-NEXT: %[[HELD:[a-z_0-9]+]] = memref.alloc() {hls.name = "held"} : memref<1x6xi8>
// CHECK-NEXT: %[[TAKEN:[a-z_0-9]+]] = memref.alloc() {hls.name = "input_word"} : memref<2xi8>
// CHECK-NEXT: %[[GIVEN:[a-z_0-9]+]] = memref.alloc() {hls.name = "output_word"} : memref<6xi8>
// CHECK-NEXT: affine.for %{{[a-z_0-9]+}} = 0 to 2 {
// CHECK-NEXT: affine.for %{{[a-z_0-9]+}} = 0 to 3 {
// CHECK-NEXT: "hls.read"(%[[NARROW]], %[[TAKEN]])
// CHECK-NEXT: affine.for %[[WORD:[a-z_0-9]+]] = 0 to 3 {
// CHECK-NEXT: affine.if
// CHECK-NEXT: affine.for %[[LANE:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.load %[[TAKEN]][%[[LANE]]]
// CHECK-NEXT: affine.store %{{[a-z_0-9]+}}, %[[HELD]][(%[[WORD]] * 2 + %[[LANE]]) floordiv 6, (%[[WORD]] * 2 + %[[LANE]]) mod 6]
// CHECK-NEXT: } {hls.label = "lanes", hls.unroll = 2 : i64}
// CHECK-NEXT: }
// CHECK-NEXT: } {hls.label = "words", hls.unroll = 3 : i64}
// CHECK-NEXT: affine.if
// CHECK: "hls.write"(%[[GIVEN]], %[[WIDE]])
// CHECK: } {hls.label = "steps", hls.pipeline}
// CHECK: }) {sym_name = "between_width_2_to_6"}
func.func @widths(%image: memref<2x6xi8>, %result: memref<2x6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 12 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %between = "hls.fifo"() {depth = 12 : i64, sym_name = "between"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 12 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<2x6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 6 {
          "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %between) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "first"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 6 {
          "hls.read"(%between, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.unroll = 6 : i64}
      }
    }) {sym_name = "second"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2x6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// The loop over groups keeps what the loop says about frames that overlap.
// CHECK-LABEL: func.func @overlap
// CHECK: {hls.label = "rows", hls.overlap = 2 : i64}
// CHECK: sym_name = "window"
// CHECK-NOT: hls.overlap
func.func @overlap(%image: memref<4x2xi8>, %result: memref<4x2xi8>) {
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
