// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-temporal-reuse,verify-affine)' --split-input-file --validate-each | filecheck %s

// A 3 x 3 window over 4 x 5 pixels of two channels, padded with zeros: a window nest walks the map once, keeps two rows in a
// line buffer and the window in registers, and hands out complete windows. The sum then reads those.
// CHECK-LABEL: func.func @sum
// CHECK-DAG: %[[WINDOWS:.*]] = memref.alloc() {{.*}}: memref<4x5x2x3x3xi8>
// CHECK-DAG: %[[WINDOW:.*]] = memref.alloc() {{.*}}: memref<3x3x2xi8>
// CHECK-DAG: %[[LINE:.*]] = memref.alloc() {{.*}}: memref<2x5x2xi8>
// One row and one column more than there are: the last windows lie half outside.
// CHECK: affine.for %[[Y:.*]] = 0 to 5
// CHECK-NEXT: affine.for %[[X:.*]] = 0 to 6
// CHECK-NEXT: affine.for %[[C:.*]] = 0 to 2
// Each element is read once …
// CHECK: affine.load %arg0[%[[Y]], %[[X]], %[[C]]]
// CHECK-NEXT: affine.store %{{.*}}, %[[WINDOW]][2, 2, %[[C]]]
// … and passes through the line buffer.
// CHECK: affine.load %[[LINE]]
// CHECK: affine.store %{{.*}}, %[[LINE]]
// CHECK: affine.store %{{.*}}, %[[WINDOWS]]
// CHECK: {hls.name = "task_window"}
// CHECK: affine.for
// CHECK-NOT: affine.load %arg0
// CHECK: affine.load %[[WINDOWS]]
func.func @sum(%image: memref<4x5x2xi8>, %result: memref<4x5x2xi32>) {
  %zero = arith.constant 0 : i32
  %outside = arith.constant 0 : i8
  %acc = memref.alloc() : memref<1xi32>
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 5 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(d0, d1) : (d0 == 0, d1 == 0)>(%ky, %kx) {
              affine.store %zero, %acc[0] : memref<1xi32>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 1 >= 0, -y - ky + 4 >= 0, x + kx - 1 >= 0, -x - kx + 5 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %image[%y + %ky - 1, %x + %kx - 1, %c] : memref<4x5x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %outside : i8
            }
            %1 = arith.extsi %0 : i8 to i32
            %2 = affine.load %acc[0] : memref<1xi32>
            %3 = arith.addi %2, %1 : i32
            affine.store %3, %acc[0] : memref<1xi32>
            affine.if affine_set<(d0, d1) : (d0 - 2 == 0, d1 - 2 == 0)>(%ky, %kx) {
              %4 = affine.load %acc[0] : memref<1xi32>
              affine.store %4, %result[%y, %x, %c] : memref<4x5x2xi32>
            }
          }
        }
      }
    }
  }
  return
}
// -----
// An element that is used for every output channel is held in a register.
// CHECK-LABEL: func.func @product
// CHECK: %[[HELD:.*]] = memref.alloc() {{.*}}: memref<1xi8>
// CHECK: affine.for %[[C:.*]] = 0 to 4
// CHECK-NEXT: affine.for %[[F:.*]] = 0 to 3
// CHECK-NEXT: affine.if
// CHECK-NEXT: %[[V:.*]] = affine.load %arg0[%[[C]]]
// CHECK-NEXT: affine.store %[[V]], %[[HELD]][0]
// CHECK: affine.load %[[HELD]][0]
memref.global "private" constant @weight : memref<4x3xi8> = dense<[[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]>
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
