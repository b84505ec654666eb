// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-lower-dataflow)' --split-input-file --validate-each | filecheck %s

// A stream becomes an array of the words of a frame, 2 of 3 lanes, and two counters: words written, words read. A read
// takes the word that its counter names, and counts. The ports copy the image and the result.
// CHECK-LABEL: func.func @network(%arg0: memref<6xi8>, %arg1: memref<6xi8>)
// CHECK-DAG: %[[ZERO:[a-z_0-9]+]] = arith.constant 0 : index
// CHECK: %[[IN:[a-z_0-9]+]] = memref.alloc() : memref<2x3xi8>
// CHECK-NEXT: %[[INCOUNT:[a-z_0-9]+]] = memref.alloc() : memref<2xindex>
// CHECK: memref.store %[[ZERO]], %[[INCOUNT]]
// CHECK: %[[OUT:[a-z_0-9]+]] = memref.alloc() : memref<2x3xi8>
// CHECK-NEXT: %[[OUTCOUNT:[a-z_0-9]+]] = memref.alloc() : memref<2xindex>
// CHECK: affine.for %[[I:[a-z_0-9]+]] = 0 to 6
// CHECK-NEXT: %[[E:[a-z_0-9]+]] = affine.load %arg0[%[[I]]]
// CHECK-NEXT: affine.store %[[E]], %[[IN]][%[[I]] floordiv 3, %[[I]] mod 3]
// CHECK: %[[WORD:[a-z_0-9]+]] = memref.alloc() : memref<3xi8>
// CHECK: affine.for %{{[a-z_0-9]+}} = 0 to 2
// CHECK: %[[PLACE:[a-z_0-9]+]] = memref.load %[[INCOUNT]]
// CHECK: memref.load %[[IN]][%[[PLACE]], %{{[a-z_0-9]+}}]
// CHECK-NEXT: memref.store %{{[a-z_0-9]+}}, %[[WORD]]
// CHECK: %[[NEXT:[a-z_0-9]+]] = arith.addi %[[PLACE]]
// CHECK-NEXT: memref.store %[[NEXT]], %[[INCOUNT]]
// CHECK: memref.load %[[OUTCOUNT]]
// CHECK: memref.store %{{[a-z_0-9]+}}, %[[OUT]]
// CHECK: affine.for %[[J:[a-z_0-9]+]] = 0 to 6
// CHECK-NEXT: affine.load %[[OUT]][%[[J]] floordiv 3, %[[J]] mod 3]
// CHECK-NEXT: affine.store %{{[a-z_0-9]+}}, %arg1[%[[J]]]
// CHECK-NOT: hls.
func.func @network(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<3xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<3xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<3xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<3xi8>
      affine.for %i = 0 to 2 {
        "hls.read"(%in, %word) : (!hls.stream<vector<3xi8>>, memref<3xi8>) -> ()
        "hls.write"(%word, %out) : (memref<3xi8>, !hls.stream<vector<3xi8>>) -> ()
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<3xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Nothing to lower: nothing changes.
// CHECK-LABEL: func.func @no_dataflow
// CHECK-NEXT: affine.for
func.func @no_dataflow(%image: memref<2xi8>, %result: memref<2xi8>) {
  affine.for %i = 0 to 2 {
    %0 = affine.load %image[%i] : memref<2xi8>
    affine.store %0, %result[%i] : memref<2xi8>
  }
  return
}
