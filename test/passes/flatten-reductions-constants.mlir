// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-flatten-reductions,verify-affine)' --validate-each | filecheck %s
//
// A bias is widened by a nest of its own, as PyTorch's int16 biases are: the constant keeps its 16 bits, and is widened
// where it is used. The second nest transposes what it reads, and its load follows. The third fills with a constant.

module {
  memref.global "private" constant @bias : memref<4xi16> = dense<[1, -2, 3, -4]>
  memref.global "private" constant @table : memref<2x4xi8> = dense<[[1, 2, 3, 4], [5, 6, 7, 8]]>

  // CHECK-LABEL: func.func @widened
  // CHECK-NOT: memref.alloc() : memref<4xi32>
  // CHECK: [[BIAS:%[0-9a-z_]+]] = memref.get_global @bias
  // CHECK: [[TABLE:%[0-9a-z_]+]] = memref.get_global @table
  // CHECK: affine.for [[C:%[0-9a-z_]+]] = 0 to 4 {
  // CHECK-NEXT: affine.for [[R:%[0-9a-z_]+]] = 0 to 2 {
  // CHECK: [[B:%[0-9a-z_]+]] = affine.load [[BIAS]]{{\[}}[[C]]]
  // CHECK-NEXT: [[WIDE:%[0-9a-z_]+]] = arith.extsi [[B]] : i16 to i32
  // CHECK-NEXT: [[T:%[0-9a-z_]+]] = affine.load [[TABLE]]{{\[}}[[R]], [[C]]]
  // CHECK-NEXT: [[ENTRY:%[0-9a-z_]+]] = arith.extsi [[T]] : i8 to i32
  // CHECK-NEXT: [[SUM:%[0-9a-z_]+]] = arith.addi [[WIDE]], [[ENTRY]] : i32
  // CHECK-NEXT: arith.addi [[SUM]], %c7_i32 : i32
  // CHECK-NOT: affine.for
  // CHECK: return
  func.func @widened(%image: memref<4x2xi32>, %result: memref<4x2xi32>) {
    %bias = memref.get_global @bias : memref<4xi16>
    %table = memref.get_global @table : memref<2x4xi8>
    %wide = memref.alloc() : memref<4xi32>
    %transposed = memref.alloc() : memref<4x2xi32>
    %filled = memref.alloc() : memref<4xi32>
    %seven = arith.constant 7 : i32
    affine.for %c = 0 to 4 {
      affine.store %seven, %filled[%c] : memref<4xi32>
    }
    affine.for %c = 0 to 4 {
      %0 = affine.load %bias[%c] : memref<4xi16>
      %1 = arith.extsi %0 : i16 to i32
      affine.store %1, %wide[%c] : memref<4xi32>
    }
    affine.for %r = 0 to 2 {
      affine.for %c = 0 to 4 {
        %0 = affine.load %table[%r, %c] : memref<2x4xi8>
        %1 = arith.extsi %0 : i8 to i32
        affine.store %1, %transposed[%c, %r] : memref<4x2xi32>
      }
    }
    affine.for %c = 0 to 4 {
      affine.for %r = 0 to 2 {
        %0 = affine.load %image[%c, %r] : memref<4x2xi32>
        %1 = affine.load %wide[%c] : memref<4xi32>
        %2 = affine.load %transposed[%c, %r] : memref<4x2xi32>
        %3 = affine.load %filled[%c] : memref<4xi32>
        %4 = arith.addi %1, %2 : i32
        %5 = arith.addi %4, %3 : i32
        %6 = arith.addi %0, %5 : i32
        affine.store %6, %result[%c, %r] : memref<4x2xi32>
      }
    }
    return
  }
}
