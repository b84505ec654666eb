// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance{target-cycles=12})' | filecheck %s --check-prefixes=CHECK,CYCLES12
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance{target-cycles=6})' --validate-each | filecheck %s --check-prefixes=CHECK,CYCLES6
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance{target-cycles=6},hls-unroll-loops,hls-pack-dsp,verify-dataflow)' --validate-each | filecheck %s --check-prefix=SHARED

// Both inputs of a pixel take a cycle: 12 of them for a frame. For 6 cycles two neighbouring pixels go in a step. A weight is
// there once and multiplies both: packed into one number, they share a slice.
// CHECK-LABEL: func.func @pixels
// CHECK: affine.for %{{[a-z_0-9]+}} = 0 to 2 {
// CHECK-NEXT: affine.for %{{[a-z_0-9]+}} = 0 to 6 {
// CHECK-NEXT: affine.for %{{[a-z_0-9]+}} = 0 to 2 {
// CHECK-NEXT: affine.for %{{[a-z_0-9]+}} = 0 to 1 {
// CHECK: } {hls.unroll = 2 : i64}
// CYCLES12-NEXT: } {hls.unroll = 1 : i64}
// CYCLES6-NEXT: } {hls.unroll = 2 : i64}
// SHARED: memref.global "private" constant @weight_lanes : memref<2xi8>
// SHARED: affine.for %{{[a-z_0-9]+}} = 0 to 2 {
// SHARED-NEXT: affine.for %{{[a-z_0-9]+}} = 0 to 3 {
// SHARED: affine.for %[[I:[a-z_0-9]+]] = 0 to 2 {
// SHARED-DAG: %[[WEIGHT:[0-9]+]] = affine.load %{{[a-z_0-9]+}}[%[[I]]] : memref<2xi8>
// SHARED-DAG: %[[LEFT:[0-9]+]] = affine.load %{{[a-z_0-9]+}}[0, %[[I]]] : memref<2x2xi8>
// SHARED-DAG: %[[RIGHT:[0-9]+]] = affine.load %{{[a-z_0-9]+}}[1, %[[I]]] : memref<2x2xi8>
// SHARED: "hls.pack"(%[[RIGHT]], %[[LEFT]])
memref.global "private" constant @weight : memref<2x1xi8> = dense<[[1], [-2]]>
memref.global "private" constant @bias : memref<1xi32> = dense<100>
func.func @pixels(%image: memref<2x6x2xi8>, %result: memref<2x6x1xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 24 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 12 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<2x6x2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %input_word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %held = memref.alloc() {hls.name = "held"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "sum"} : memref<1xi32>
      %w = memref.get_global @weight : memref<2x1xi8>
      %b = memref.get_global @bias : memref<1xi32>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 6 {
          affine.for %i = 0 to 2 {
            affine.for %o = 0 to 1 {
              affine.if affine_set<(d) : (d == 0)>(%o) {
                "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
                %0 = affine.load %input_word[0] : memref<1xi8>
                affine.store %0, %held[0] : memref<1xi8>
              }
              affine.if affine_set<(d) : (d == 0)>(%i) {
                %0 = affine.load %b[%o] : memref<1xi32>
                affine.store %0, %sum[%o] : memref<1xi32>
              }
              %1 = affine.load %held[0] : memref<1xi8>
              %2 = affine.load %w[%i, %o] : memref<2x1xi8>
              %3 = affine.load %sum[%o] : memref<1xi32>
              %4 = arith.extsi %1 : i8 to i32
              %5 = arith.extsi %2 : i8 to i32
              %6 = arith.muli %4, %5 : i32
              %7 = arith.addi %3, %6 : i32
              affine.store %7, %sum[%o] : memref<1xi32>
              affine.if affine_set<(d) : (d - 1 == 0)>(%i) {
                %8 = affine.load %sum[%o] : memref<1xi32>
                %9 = arith.trunci %8 : i32 to i8
                affine.store %9, %output_word[0] : memref<1xi8>
                "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
              }
            }
          }
        }
      }
    }) {sym_name = "product"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2x6x1xi8>) -> ()
  }) : () -> ()
  return
}
