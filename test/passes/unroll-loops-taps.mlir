// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-unroll-loops,verify-dataflow)' --split-input-file --validate-each | filecheck %s

// Two of three taps a step. A word of the window holds all three; the register it is kept in has an address for each
// group of taps, and a zero where the last group has no tap. The weights' address counts groups of taps last, as steps
// do, and they are zero there, too. The word is read in the step of the first group.
// CHECK: memref.global "private" constant @weight_lanes : memref<4x2x2xi8> = dense<{{\[\[\[}}1, 5], [9, 0]], {{.*}}> {hls.lanes = 1 : i64}
// CHECK-LABEL: func.func @taps_in_turn
// CHECK: "hls.fifo"() {{.*}}sym_name = "taps"} : () -> !hls.stream<vector<3xi8>>
// CHECK: %[[WINDOW:[a-z_0-9]+]] = memref.alloc() {hls.lanes = 1 : i64, hls.name = "window_word"} : memref<2x2xi8>
// CHECK: %[[WORD:[a-z_0-9]+]] = memref.alloc() {hls.name = "input_word"} : memref<3xi8>
// CHECK: affine.for %[[O:[a-z_0-9]+]] = 0 to 4 {
// CHECK-NEXT: affine.for %[[G:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.if #[[FIRST:[a-z_0-9]+]](%{{[a-z_0-9]+}}, %[[O]], %[[G]]) {
// CHECK-NEXT: "hls.read"(%{{[a-z_0-9]+}}, %[[WORD]])
// CHECK-NEXT: affine.for %[[ALL:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.for %[[L:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.if
// CHECK-NEXT: affine.load %[[WORD]][%[[ALL]] * 2 + %[[L]]]
// CHECK: arith.constant 0 : i8
// CHECK: affine.store %{{[a-z_0-9]+}}, %[[WINDOW]][%[[ALL]], %[[L]]]
// CHECK-NEXT: } {hls.label = "tap_lanes", hls.unroll = 2 : i64}
// CHECK-NEXT: } {hls.label = "tap_groups", hls.unroll = 2 : i64}
// CHECK: affine.load %[[WINDOW]][%[[G]], %[[T:[a-z_0-9]+]]]
// CHECK-NEXT: affine.load %{{[a-z_0-9]+}}[%[[O]], %[[G]], %[[T]]] : memref<4x2x2xi8>
// CHECK: } {hls.label = "tap_groups", hls.pipeline}
// CHECK-NEXT: } {hls.label = "output_groups"}
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]>
func.func @taps_in_turn(%image: memref<10xi8>, %result: memref<8x4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 10 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %taps = "hls.fifo"() {depth = 24 : i64, sym_name = "taps"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 32 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<10xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %input_word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %window = memref.alloc() {hls.name = "window"} : memref<3xi8>
      affine.for %x = 0 to 10 {
        affine.for %k = 0 to 3 {
          affine.if affine_set<(d) : (d == 0)>(%k) {
            affine.for %s = 0 to 2 {
              %0 = affine.load %window[%s + 1] : memref<3xi8>
              affine.store %0, %window[%s] : memref<3xi8>
            } {hls.unroll = 2 : i64}
          }
          affine.if affine_set<(d) : (d == 0)>(%k) {
            "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %input_word[0] : memref<1xi8>
            affine.store %0, %window[2] : memref<3xi8>
          }
          affine.if affine_set<(d) : (d - 2 >= 0)>(%x) {
            %0 = affine.load %window[%k] : memref<3xi8>
            affine.store %0, %output_word[0] : memref<1xi8>
            "hls.write"(%output_word, %taps) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.pipeline, hls.tap}
      }
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %input_word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %held = memref.alloc() {hls.name = "window_word"} : memref<3xi8>
      %sum = memref.alloc() {hls.name = "sum"} : memref<4xi32>
      %zero = arith.constant 0 : i32
      %w = memref.get_global @weight : memref<3x4xi8>
      affine.for %x = 0 to 8 {
        affine.for %o = 0 to 4 {
          affine.for %k = 0 to 3 {
            affine.if affine_set<(d) : (d == 0)>(%o) {
              "hls.read"(%taps, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
              %0 = affine.load %input_word[0] : memref<1xi8>
              affine.store %0, %held[%k] : memref<3xi8>
            }
            affine.if affine_set<(d) : (d == 0)>(%k) {
              affine.store %zero, %sum[%o] : memref<4xi32>
            }
            %0 = affine.load %held[%k] : memref<3xi8>
            %1 = affine.load %w[%k, %o] : memref<3x4xi8>
            %2 = affine.load %sum[%o] : memref<4xi32>
            %3 = arith.extsi %0 : i8 to i32
            %4 = arith.extsi %1 : i8 to i32
            %5 = arith.muli %3, %4 : i32
            %6 = arith.addi %2, %5 : i32
            affine.store %6, %sum[%o] : memref<4xi32>
            affine.if affine_set<(d) : (d - 2 == 0)>(%k) {
              %7 = affine.load %sum[%o] : memref<4xi32>
              %8 = arith.trunci %7 : i32 to i8
              affine.store %8, %output_word[0] : memref<1xi8>
              "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }
          } {hls.tap, hls.unroll = 2 : i64}
        }
      }
    }) {sym_name = "convolution"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<8x4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// A task that computes with taps as they come: the word gets a register, and the second tap group reads no word. No
// weight is zero in the last group's second lane, so that a condition keeps it out of the maximum.
// CHECK-LABEL: func.func @greatest_of_three
// CHECK: %[[WORD:[a-z_0-9]+]] = memref.alloc() {hls.name = "input_word"} : memref<3xi8>
// CHECK: %[[HELD:[a-z_0-9]+]] = memref.alloc() {hls.lanes = 1 : i64, hls.name = "input_word"} : memref<2x2xi8>
// CHECK: affine.if
// CHECK: "hls.read"(%{{[a-z_0-9]+}}, %[[WORD]])
// CHECK: affine.store %{{[a-z_0-9]+}}, %[[HELD]]
// CHECK: } {hls.label = "tap_groups", hls.unroll = 2 : i64}
// CHECK-NEXT: }
// CHECK-NEXT: affine.for %[[L:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.if #{{[a-z_0-9]+}}(%{{[a-z_0-9]+}}, %[[G:[a-z_0-9]+]], %[[L]]) {
// CHECK-NEXT: affine.load %[[HELD]][%[[G]], %[[L]]]
// CHECK: arith.maxsi
func.func @greatest_of_three(%image: memref<8x3xi8>, %result: memref<8xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 24 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<8x3xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %input_word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %greatest = memref.alloc() {hls.name = "greatest"} : memref<1xi8>
      %least = arith.constant -128 : i8
      affine.for %x = 0 to 8 {
        affine.for %k = 0 to 3 {
          affine.if affine_set<(d) : (d == 0)>(%k) {
            affine.store %least, %greatest[0] : memref<1xi8>
          }
          "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %input_word[0] : memref<1xi8>
          %1 = affine.load %greatest[0] : memref<1xi8>
          %2 = arith.maxsi %0, %1 : i8
          affine.store %2, %greatest[0] : memref<1xi8>
          affine.if affine_set<(d) : (d - 2 == 0)>(%k) {
            %3 = affine.load %greatest[0] : memref<1xi8>
            affine.store %3, %output_word[0] : memref<1xi8>
            "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.tap, hls.unroll = 2 : i64}
      }
    }) {sym_name = "pool"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<8xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// A sum of taps: a condition keeps the lane that has none out of it, and so out of the sum of the step.
// CHECK-LABEL: func.func @sum_of_three
// CHECK: %[[SUM:[a-z_0-9]+]] = memref.alloc() {hls.name = "sum"} : memref<i32>
// CHECK: affine.store %{{[a-z_0-9]+}}, %[[SUM]][]
// CHECK-NEXT: affine.for %[[L:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.if #{{[a-z_0-9]+}}(%{{[a-z_0-9]+}}, %[[G:[a-z_0-9]+]], %[[L]]) {
// CHECK-NEXT: affine.load %{{[a-z_0-9]+}}[%[[G]], %[[L]]]
// CHECK: affine.store %{{[a-z_0-9]+}}, %[[SUM]][]
// CHECK-NEXT: }
// CHECK-NEXT: } {hls.label = "tap_lanes", hls.unroll = 2 : i64}
func.func @sum_of_three(%image: memref<8x3xi8>, %result: memref<8xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 24 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<8x3xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %input_word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %total = memref.alloc() {hls.name = "total"} : memref<1xi32>
      %zero = arith.constant 0 : i32
      affine.for %x = 0 to 8 {
        affine.for %k = 0 to 3 {
          affine.if affine_set<(d) : (d == 0)>(%k) {
            affine.store %zero, %total[0] : memref<1xi32>
          }
          "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %input_word[0] : memref<1xi8>
          %1 = arith.extsi %0 : i8 to i32
          %2 = affine.load %total[0] : memref<1xi32>
          %3 = arith.addi %2, %1 : i32
          affine.store %3, %total[0] : memref<1xi32>
          affine.if affine_set<(d) : (d - 2 == 0)>(%k) {
            %4 = affine.load %total[0] : memref<1xi32>
            %5 = arith.trunci %4 : i32 to i8
            affine.store %5, %output_word[0] : memref<1xi8>
            "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.tap, hls.unroll = 2 : i64}
      }
    }) {sym_name = "pool"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<8xi8>) -> ()
  }) : () -> ()
  return
}
