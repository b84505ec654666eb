// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-flatten-reductions,verify-affine)' --split-input-file --validate-each | filecheck %s

// A product of a vector of 4 and a matrix: one perfect nest. Its loops follow the image, the accumulator
// starts in the first step of the reduction, the last step hands the total on.
// CHECK-DAG: #[[FIRST:.*]] = affine_set<(d0, d1) : (d0 == 0)>
// CHECK-DAG: #[[LAST:.*]] = affine_set<(d0, d1) : (d0 - 3 == 0)>
// CHECK-LABEL: func.func @product
// CHECK: %[[ACC:.*]] = memref.alloc() {{.*}}: memref<3xi32>
// CHECK: affine.for %[[C:.*]] = 0 to 4
// CHECK-NEXT: affine.for %[[F:.*]] = 0 to 3
// CHECK-NEXT: affine.if #[[FIRST]](%[[C]], %[[F]])
// CHECK-NEXT: affine.load %{{.*}}[%[[F]]] : memref<3xi32>
// CHECK-NEXT: affine.store %{{.*}}, %[[ACC]][%[[F]]]
// CHECK: arith.muli
// CHECK: affine.store %{{.*}}, %[[ACC]][%[[F]]]
// CHECK: affine.if #[[LAST]](%[[C]], %[[F]])
// CHECK-NEXT: %[[TOTAL:.*]] = affine.load %[[ACC]][%[[F]]]
// CHECK-NEXT: affine.store %[[TOTAL]], %[[SUM:.*]][%[[F]]] : memref<3xi32>
// CHECK: affine.for
// CHECK-NEXT: affine.load %[[SUM]]
// CHECK-NEXT: arith.shrsi
memref.global "private" constant @bias : memref<3xi32> = dense<[1, 2, 3]>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]>
func.func @product(%image: memref<4xi8>, %result: memref<3xi32>) {
  %two = arith.constant 2 : i32
  %b = memref.get_global @bias : memref<3xi32>
  %w = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  affine.for %f = 0 to 3 {
    %0 = affine.load %b[%f] : memref<3xi32>
    affine.store %0, %acc[%f] : memref<3xi32>
  }
  affine.for %f = 0 to 3 {
    affine.for %c = 0 to 4 {
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %w[%f, %c] : memref<3x4xi8>
      %2 = affine.load %acc[%f] : memref<3xi32>
      %3 = arith.extsi %0 : i8 to i32
      %4 = arith.extsi %1 : i8 to i32
      %5 = arith.muli %3, %4 : i32
      %6 = arith.addi %2, %5 : i32
      affine.store %6, %acc[%f] : memref<3xi32>
    }
  }
  affine.for %f = 0 to 3 {
    %0 = affine.load %acc[%f] : memref<3xi32>
    %1 = arith.shrsi %0, %two : i32
    affine.store %1, %result[%f] : memref<3xi32>
  }
  return
}
// -----
// A window of three elements and two channels: its taps go innermost, behind the outputs' channels, and a position has
// an accumulator for each of these.
// CHECK-DAG: #[[FIRST:.*]] = affine_set<(d0, d1, d2, d3) : (d1 == 0, d3 == 0)>
// CHECK-DAG: #[[LAST:.*]] = affine_set<(d0, d1, d2, d3) : (d1 - 1 == 0, d3 - 2 == 0)>
// CHECK-LABEL: func.func @window
// CHECK: %[[ACC:.*]] = memref.alloc() {{.*}}: memref<5xi32>
// CHECK: affine.for %[[X:.*]] = 0 to 4
// CHECK-NEXT: affine.for %[[C:.*]] = 0 to 2
// CHECK-NEXT: affine.for %[[F:.*]] = 0 to 5
// CHECK-NEXT: affine.for %[[K:.*]] = 0 to 3
// CHECK-NEXT: affine.if #[[FIRST]](%[[X]], %[[C]], %[[F]], %[[K]])
// CHECK: affine.load %arg0[%[[X]] + %[[K]], %[[C]]]
// CHECK: affine.if #[[LAST]](%[[X]], %[[C]], %[[F]], %[[K]])
// CHECK-NEXT: affine.load %[[ACC]][%[[F]]]
// CHECK-NEXT: affine.store %{{.*}}, %{{.*}}[%[[X]], %[[F]]] : memref<4x5xi32>
memref.global "private" constant @weight : memref<5x3x2xi8> = dense<3>
func.func @window(%image: memref<6x2xi8>, %result: memref<4x5xi32>) {
  %zero = arith.constant 0 : i32
  %w = memref.get_global @weight : memref<5x3x2xi8>
  %acc = memref.alloc() : memref<4x5xi32>
  affine.for %x = 0 to 4 {
    affine.for %f = 0 to 5 {
      affine.store %zero, %acc[%x, %f] : memref<4x5xi32>
    }
  }
  affine.for %x = 0 to 4 {
    affine.for %f = 0 to 5 {
      affine.for %k = 0 to 3 {
        affine.for %c = 0 to 2 {
          %0 = affine.load %image[%x + %k, %c] : memref<6x2xi8>
          %1 = affine.load %w[%f, %k, %c] : memref<5x3x2xi8>
          %2 = affine.load %acc[%x, %f] : memref<4x5xi32>
          %3 = arith.extsi %0 : i8 to i32
          %4 = arith.extsi %1 : i8 to i32
          %5 = arith.muli %3, %4 : i32
          %6 = arith.addi %2, %5 : i32
          affine.store %6, %acc[%x, %f] : memref<4x5xi32>
        }
      }
    }
  }
  affine.for %x = 0 to 4 {
    affine.for %f = 0 to 5 {
      %0 = affine.load %acc[%x, %f] : memref<4x5xi32>
      affine.store %0, %result[%x, %f] : memref<4x5xi32>
    }
  }
  return
}
// -----
// A sum of everything: its single accumulator is started by a loop of one iteration.
// CHECK-LABEL: func.func @everything
// CHECK: affine.for %[[C:.*]] = 0 to 4
// CHECK-NEXT: affine.if #{{.*}}(%[[C]])
// CHECK-NEXT: affine.store %{{.*}}, %[[ACC:.*]][0]
// CHECK: affine.if #{{.*}}(%[[C]])
// CHECK-NEXT: %[[TOTAL:.*]] = affine.load %[[ACC]][0]
// CHECK-NEXT: affine.store %[[TOTAL]], %[[SUM:.*]][0]
// CHECK: affine.for
// CHECK-NEXT: affine.load %[[SUM]][0]
func.func @everything(%image: memref<4xi32>, %result: memref<1xi32>) {
  %zero = arith.constant 0 : i32
  %sum = memref.alloc() : memref<1xi32>
  affine.for %i = 0 to 1 {
    affine.store %zero, %sum[0] : memref<1xi32>
  }
  affine.for %c = 0 to 4 {
    %0 = affine.load %image[%c] : memref<4xi32>
    %1 = affine.load %sum[0] : memref<1xi32>
    %2 = arith.addi %0, %1 : i32
    affine.store %2, %sum[0] : memref<1xi32>
  }
  affine.for %i = 0 to 1 {
    %0 = affine.load %sum[0] : memref<1xi32>
    affine.store %0, %result[0] : memref<1xi32>
  }
  return
}
