// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance{dsp=12})' --split-input-file --validate-each | filecheck %s --check-prefixes=CHECK,DSP12
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance{dsp=7})' --split-input-file | filecheck %s --check-prefixes=CHECK,DSP7
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance{target-cycles=60})' --split-input-file | filecheck %s --check-prefixes=CHECK,CYCLES60

// A matrix product, 10 x 4 x 6 steps; a slice takes two products. With 12 slices all inputs and outputs go in a step, which
// is 10 cycles. With 7 of them, too: two of the four inputs are multiplied in LUTs. For 60 cycles 2 slices are enough.
// CHECK-LABEL: func.func @product
// CHECK: affine.for %{{[a-z_0-9]+}} = 0 to 10 {
// CHECK-NEXT: affine.for %{{[a-z_0-9]+}} = 0 to 4 {
// CHECK-NEXT: affine.for %{{[a-z_0-9]+}} = 0 to 6 {
// DSP12: } {hls.unroll = 6 : i64}
// DSP12-NEXT: } {hls.unroll = 4 : i64}
// DSP7: } {hls.unroll = 6 : i64}
// DSP7-NEXT: } {hls.unroll = 4 : i64}
// CYCLES60: } {hls.unroll = 2 : i64}
// CYCLES60-NEXT: } {hls.unroll = 2 : i64}
// CHECK-NEXT: }
// DSP12-NEXT: }) {sym_name = "product"}
// DSP7-NEXT: }) {hls.fabric = 2 : i64, sym_name = "product"}
// CYCLES60-NEXT: }) {sym_name = "product"}
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
          }
        }
      }
    }) {sym_name = "product"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<10x6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// The window task takes the factor of its reader, and hands out all taps; its reader may take them in turns.
// CHECK-LABEL: func.func @windows
// CHECK: affine.for %{{[a-z_0-9]+}} = 0 to 10 {
// CHECK-NEXT: affine.for %{{[a-z_0-9]+}} = 0 to 4 {
// CHECK: hls.tap}
// DSP12: } {hls.unroll = 4 : i64}
// DSP7: } {hls.unroll = 2 : i64}
// CYCLES60: } {hls.unroll = 2 : i64}
// CHECK-NEXT: }
// CHECK-NEXT: }) {sym_name = "window"}
// DSP12: } {hls.tap}
// DSP12-NEXT: } {hls.unroll = 4 : i64}
// DSP7: } {hls.tap}
// DSP7-NEXT: } {hls.unroll = 2 : i64}
// CYCLES60: } {hls.tap, hls.unroll = 1 : i64}
// CYCLES60-NEXT: } {hls.unroll = 2 : i64}
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
        }
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
        }
      }
    }) {sym_name = "depthwise"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<8x4xi8>) -> ()
  }) : () -> ()
  return
}
