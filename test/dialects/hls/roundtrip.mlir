// RUN: resnet-opt %s | resnet-opt | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | filecheck %s

// CHECK-LABEL: func.func @network(%arg0: memref<1x2x2x2xi8>, %arg1: memref<1x2x2x2xi8>)
// CHECK-SAME: hls.layout = "nhwc"
func.func @network(%image: memref<1x2x2x2xi8>, %result: memref<1x2x2x2xi8>) attributes {hls.layout = "nhwc"} {
  // CHECK-NEXT: "hls.dataflow"() ({
  "hls.dataflow"() ({
    // CHECK-NEXT: %[[IN:.*]] = "hls.fifo"() {depth = 2 : i64, sym_name = "input_to_double"} : () -> !hls.stream<vector<2xi8>>
    // CHECK-NEXT: %[[OUT:.*]] = "hls.fifo"() {depth = 8 : i64, sym_name = "double_to_output"} : () -> !hls.stream<vector<2xi8>>
    %0 = "hls.fifo"() {depth = 2 : i64, sym_name = "input_to_double"} : () -> !hls.stream<vector<2xi8>>
    %1 = "hls.fifo"() {depth = 8 : i64, sym_name = "double_to_output"} : () -> !hls.stream<vector<2xi8>>
    // CHECK-NEXT: "hls.source"(%arg0, %[[IN]]) : (memref<1x2x2x2xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.source"(%image, %0) : (memref<1x2x2x2xi8>, !hls.stream<vector<2xi8>>) -> ()
    // CHECK-NEXT: "hls.task"() ({
    "hls.task"() ({
      // CHECK-NEXT: %[[WORD:.*]] = memref.alloc() {hls.name = "word"} : memref<2xi8>
      %word = memref.alloc() {hls.name = "word"} : memref<2xi8>
      // CHECK-NEXT: affine.for %{{.*}} = 0 to 4 {
      affine.for %i = 0 to 4 {
        // CHECK-NEXT: "hls.read"(%[[IN]], %[[WORD]]) : (!hls.stream<vector<2xi8>>, memref<2xi8>) -> ()
        "hls.read"(%0, %word) : (!hls.stream<vector<2xi8>>, memref<2xi8>) -> ()
        affine.for %lane = 0 to 2 {
          %2 = affine.load %word[%lane] : memref<2xi8>
          %3 = arith.addi %2, %2 : i8
          affine.store %3, %word[%lane] : memref<2xi8>
        // CHECK: } {hls.unroll = 2 : i64}
        } {hls.unroll = 2 : i64}
        // CHECK-NEXT: "hls.write"(%[[WORD]], %[[OUT]]) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
        "hls.write"(%word, %1) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
      // CHECK-NEXT: } {hls.name = "words", hls.pipeline}
      } {hls.name = "words", hls.pipeline}
    // CHECK-NEXT: }) {sym_name = "double"} : () -> ()
    }) {sym_name = "double"} : () -> ()
    // CHECK-NEXT: "hls.sink"(%[[OUT]], %arg1) : (!hls.stream<vector<2xi8>>, memref<1x2x2x2xi8>) -> ()
    "hls.sink"(%1, %result) : (!hls.stream<vector<2xi8>>, memref<1x2x2x2xi8>) -> ()
  }) : () -> ()
  return
}

// CHECK-LABEL: func.func private @lanes
func.func private @lanes(%high: i8, %low: i8, %factor: i48) -> (i18, i20) {
  // CHECK: %[[PACKED:.*]] = "hls.pack"(%arg0, %arg1) {shift = 18 : i64} : (i8, i8) -> i27
  %packed = "hls.pack"(%high, %low) {shift = 18 : i64} : (i8, i8) -> i27
  %wide = arith.extsi %packed : i27 to i48
  %product = arith.muli %wide, %factor : i48
  %half = arith.constant 131072 : i48
  // CHECK: %[[SUM:.*]] = arith.addi
  %sum = arith.addi %product, %half : i48
  // CHECK-NEXT: "hls.low"(%[[SUM]]) {shift = 18 : i64} : (i48) -> i18
  %low_sum = "hls.low"(%sum) {shift = 18 : i64} : (i48) -> i18
  // CHECK-NEXT: "hls.high"(%[[SUM]]) {shift = 18 : i64} : (i48) -> i20
  %high_sum = "hls.high"(%sum) {shift = 18 : i64} : (i48) -> i20
  return %low_sum, %high_sum : i18, i20
}
