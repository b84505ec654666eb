// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-fold-residual-add,verify-affine)' --split-input-file --validate-each | filecheck %s

// A skip, widened and shifted to the accumulator's scale: read in the first step, added to the bias.
// CHECK-LABEL: func.func @skip
// CHECK: %[[ACC:.*]] = memref.alloc() : memref<3xi32>
// CHECK: %[[SKIP:.*]] = memref.alloc() : memref<4xi8>
// CHECK: affine.for %[[C:.*]] = 0 to 4
// CHECK: affine.for %[[C:.*]] = 0 to 4
// CHECK-NEXT: affine.for %[[F:.*]] = 0 to 3
// CHECK-NEXT: affine.if #set(%[[C]])
// CHECK-NEXT: %[[B:.*]] = affine.load %{{.*}}[%[[F]]] : memref<3xi32>
// CHECK-NEXT: %[[S:.*]] = affine.load %[[SKIP]][%[[F]]]
// CHECK-NEXT: %[[WIDE:.*]] = arith.extsi %[[S]]
// CHECK-NEXT: %[[SCALED:.*]] = arith.shli %[[WIDE]]
// CHECK-NEXT: %[[START:.*]] = arith.addi %[[B]], %[[SCALED]] : i32
// CHECK-NEXT: affine.store %[[START]], %[[ACC]][%[[F]]]
// CHECK: affine.if #set1(%[[C]])
// CHECK-NEXT: %[[TOTAL:.*]] = affine.load %[[ACC]][%[[F]]]
// CHECK-NEXT: %[[OUT:.*]] = arith.shrsi %[[TOTAL]]
// CHECK-NEXT: affine.store %[[OUT]], %arg1[%[[F]]]
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @skip(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %b, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %s = affine.load %skip[%f] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        %sum = arith.addi %total, %scaled : i32
        %out = arith.shrsi %sum, %c3 : i32
        affine.store %out, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
// Two skips in a row, over an accumulator that starts with zero.
// CHECK-LABEL: func.func @two_skips
// CHECK: %[[ACC:.*]] = memref.alloc() : memref<3xi32>
// CHECK: affine.if #set(
// CHECK: %[[S:.*]] = affine.load %{{.*}}[%[[F:.*]]] : memref<4xi8>
// CHECK-NEXT: %[[WIDE:.*]] = arith.extsi %[[S]]
// CHECK-NEXT: %[[SCALED:.*]] = arith.shli %[[WIDE]]
// CHECK-NEXT: %[[T:.*]] = affine.load %{{.*}}[%[[F]] + 1]
// CHECK-NEXT: %[[OTHER:.*]] = arith.extui %[[T]]
// CHECK-NEXT: %[[START:.*]] = arith.addi %[[SCALED]], %[[OTHER]]
// CHECK-NEXT: affine.store %[[START]], %[[ACC]]
// CHECK: affine.if #set1(
// CHECK-NEXT: %[[TOTAL:.*]] = affine.load %[[ACC]]
// CHECK-NEXT: affine.store %[[TOTAL]], %arg1
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @bias : memref<3xi32> = dense<[1, -2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, -6, 7, -8], [-9, 10, 11, 12]]>
func.func @two_skips(%image: memref<4xi8>, %result: memref<3xi32>) {
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %bias = memref.get_global @bias : memref<3xi32>
  %weight = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %skip = memref.alloc() : memref<4xi8>
  affine.for %f = 0 to 4 {
    %0 = affine.load %image[3 - %f] : memref<4xi8>
    affine.store %0, %skip[%f] : memref<4xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        %b = affine.load %bias[%f] : memref<3xi32>
        affine.store %c0, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %weight[%f, %c] : memref<3x4xi8>
      %2 = arith.extsi %0 : i8 to i32
      %w = arith.extsi %1 : i8 to i32
      %3 = arith.muli %2, %w : i32
      %4 = affine.load %acc[%f] : memref<3xi32>
      %5 = arith.addi %4, %3 : i32
      affine.store %5, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %total = affine.load %acc[%f] : memref<3xi32>
        %s = affine.load %skip[%f] : memref<4xi8>
        %wide = arith.extsi %s : i8 to i32
        %scaled = arith.shli %wide, %c3 : i32
        %sum = arith.addi %scaled, %total : i32
        %t = affine.load %skip[%f + 1] : memref<4xi8>
        %other = arith.extui %t : i8 to i32
        %out = arith.addi %sum, %other : i32
        affine.store %out, %result[%f] : memref<3xi32>
      }
    }
  }
  return
}
// -----
// Nothing to sum up but one product: start, step and total stand side by side. The skip is cropped: outside it is zero.
// CHECK-LABEL: func.func @guarded
// CHECK: %[[S:.*]] = affine.if #set(%[[F:.*]]) -> i32
// CHECK: affine.store %[[S]], %[[ACC:.*]][0]
// CHECK: arith.muli
// CHECK: affine.store %{{.*}}, %[[ACC]][0]
// CHECK-NEXT: %[[TOTAL:.*]] = affine.load %[[ACC]][0]
// CHECK-NEXT: affine.store %[[TOTAL]], %arg1[%[[F]]]
#inside = affine_set<(d0) : (d0 - 1 >= 0)>
func.func @guarded(%image: memref<4xi8>, %result: memref<4xi32>) {
  %c0 = arith.constant 0 : i32
  %acc = memref.alloc() : memref<1xi32>
  affine.for %f = 0 to 4 {
    affine.store %c0, %acc[0] : memref<1xi32>
    %0 = affine.load %image[%f] : memref<4xi8>
    %1 = arith.extsi %0 : i8 to i32
    %2 = arith.muli %1, %1 : i32
    %3 = affine.load %acc[0] : memref<1xi32>
    %4 = arith.addi %3, %2 : i32
    affine.store %4, %acc[0] : memref<1xi32>
    %5 = affine.load %acc[0] : memref<1xi32>
    %6 = affine.if #inside(%f) -> i32 {
      %8 = affine.load %image[%f - 1] : memref<4xi8>
      %9 = arith.extsi %8 : i8 to i32
      affine.yield %9 : i32
    } else {
      affine.yield %c0 : i32
    }
    %7 = arith.addi %5, %6 : i32
    affine.store %7, %result[%f] : memref<4xi32>
  }
  return
}
