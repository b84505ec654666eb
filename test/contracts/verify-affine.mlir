// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-affine)' --split-input-file | filecheck %s

// A matrix product in one perfect nest: start and end of the accumulator under affine.if.
// CHECK-LABEL: func.func @product
// CHECK: affine.for
// CHECK: affine.if
memref.global "private" constant @weight : memref<4x3xi8> = dense<1>
func.func @product(%image: memref<4xi8>, %result: memref<3xi32>) {
  %zero = arith.constant 0 : i32
  %w = memref.get_global @weight : memref<4x3xi8>
  %acc = memref.alloc() : memref<3xi32>
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if affine_set<(d) : (d == 0)>(%c) {
        affine.store %zero, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %w[%c, %f] : memref<4x3xi8>
      %2 = arith.extsi %0 : i8 to i32
      %3 = arith.extsi %1 : i8 to i32
      %4 = arith.muli %2, %3 : i32
      %5 = affine.load %acc[%f] : memref<3xi32>
      %6 = arith.addi %5, %4 : i32
      affine.store %6, %acc[%f] : memref<3xi32>
      affine.if affine_set<(d) : (d - 3 == 0)>(%c) {
        %7 = affine.load %acc[%f] : memref<3xi32>
        affine.store %7, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
// Loops behind hls.pipeline are registers that shift.
// CHECK-LABEL: func.func @window
func.func @window(%image: memref<8xi8>, %result: memref<6xi8>) {
  %window = memref.alloc() : memref<3xi8>
  affine.for %x = 0 to 8 {
    affine.for %s = 0 to 2 {
      %0 = affine.load %window[%s + 1] : memref<3xi8>
      affine.store %0, %window[%s] : memref<3xi8>
    } {hls.unroll = 2 : i64}
    %1 = affine.load %image[%x] : memref<8xi8>
    affine.store %1, %window[2] : memref<3xi8>
    affine.if affine_set<(d) : (d - 2 >= 0)>(%x) {
      %2 = affine.load %window[0] : memref<3xi8>
      affine.store %2, %result[%x - 2] : memref<6xi8>
    }
  } {hls.pipeline}
  return
}
