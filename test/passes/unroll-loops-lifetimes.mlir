// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-unroll-loops,verify-dataflow)' --split-input-file --validate-each | filecheck %s

// All inputs in one step: a sum begins and ends within it, so that it needs lanes but no address. The task keeps its
// marks, and so does the constant that is laid out anew.
// CHECK: memref.global "private" constant @weight_lanes : memref<2x3x4xi8> = dense<{{.*}}> {hls.lanes = 2 : i64, hls.storage = "rom_bram"}
// CHECK-LABEL: func.func @within_a_step
// CHECK: memref.alloc() {hls.lanes = 1 : i64, hls.name = "sum"} : memref<3xi32>
// CHECK: }) {hls.fabric = 5 : i64, sym_name = "product"}
memref.global "private" constant @weight : memref<4x6xi8> = dense<[[1, -2, 3, -4, 5, -6], [7, 8, 9, 10, 11, 12], [-1, -1, -1, -1, -1, -1], [2, 0, 2, 0, 2, 0]]> {hls.storage = "rom_bram"}
memref.global "private" constant @bias : memref<6xi32> = dense<[100, -100, 50, -50, 25, -25]>
func.func @within_a_step(%image: memref<10x4xi8>, %result: memref<10x6xi8>) {
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
        } {hls.unroll = 4 : i64}
      }
    }) {hls.fabric = 5 : i64, sym_name = "product"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<10x6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// A running sum over pixels is there from one step to the next: the element is not stored before it is loaded. Nor may
// what only the first step stores lose its address.
// CHECK-LABEL: func.func @beyond_a_step
// CHECK: memref.alloc() {hls.lanes = 1 : i64, hls.name = "offset"} : memref<2x3xi8>
// CHECK: memref.alloc() {hls.lanes = 1 : i64, hls.name = "sum"} : memref<2x3xi8>
func.func @beyond_a_step(%image: memref<10x6xi8>, %result: memref<10x6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 60 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 60 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<10x6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %held = memref.alloc() {hls.name = "held"} : memref<1xi8>
      %offset = memref.alloc() {hls.name = "offset"} : memref<6xi8>
      %sum = memref.alloc() {hls.name = "sum"} : memref<6xi8>
      %zero = arith.constant 0 : i8
      affine.for %x = 0 to 10 {
        affine.for %c = 0 to 6 {
          "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %word[0] : memref<1xi8>
          affine.store %0, %held[0] : memref<1xi8>
          affine.if affine_set<(d) : (d == 0)>(%x) {
            affine.store %zero, %sum[%c] : memref<6xi8>
          }
          affine.if affine_set<(d) : (d == 0)>(%x) {
            %1 = affine.load %held[0] : memref<1xi8>
            affine.store %1, %offset[%c] : memref<6xi8>
          }
          %2 = affine.load %sum[%c] : memref<6xi8>
          %3 = affine.load %offset[%c] : memref<6xi8>
          %4 = arith.addi %2, %3 : i8
          affine.store %4, %sum[%c] : memref<6xi8>
          %5 = affine.load %sum[%c] : memref<6xi8>
          affine.store %5, %output_word[0] : memref<1xi8>
          "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.unroll = 3 : i64}
      }
    }) {sym_name = "running_sum"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<10x6xi8>) -> ()
  }) : () -> ()
  return
}
