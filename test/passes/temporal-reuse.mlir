// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-temporal-reuse,verify-affine)' --split-input-file --validate-each | filecheck %s

// A 3 x 3 window over 4 x 5 pixels of two channels, padded with zeros: a window nest walks the map once and keeps two rows
// in a line buffer. A column of three pixels enters the window at each step; the two columns before it come from where
// they were kept, channel by channel. The sum then reads whole windows.
// CHECK-LABEL: func.func @sum
// CHECK-DAG: %[[WINDOWS:.*]] = memref.alloc() {hls.name = "windows"} : memref<4x5x2x3x3xi8>
// CHECK-DAG: %[[COLUMN:.*]] = memref.alloc() {hls.name = "column"} : memref<3xi8>
// CHECK-DAG: %[[LINE:.*]] = memref.alloc() {hls.name = "line_buffer"} : memref<2x5x2xi8>
// CHECK-DAG: %[[WINDOW:.*]] = memref.alloc() {hls.name = "window"} : memref<3x3xi8>
// CHECK-DAG: %[[BEFORE:.*]] = memref.alloc() {hls.name = "window_columns"} : memref<3x2x2xi8>
// One row and one column more than there are: the last windows lie half outside.
// CHECK: affine.for %[[Y:.*]] = 0 to 5
// CHECK-NEXT: affine.for %[[X:.*]] = 0 to 6
// CHECK-NEXT: affine.for %[[C:.*]] = 0 to 2
// CHECK-NEXT: affine.for %[[KY:.*]] = 0 to 3
// CHECK-NEXT: affine.for %[[KX:.*]] = 0 to 3
// Each element is read once …
// CHECK: affine.load %arg0[%[[Y]], %[[X]], %[[C]]]
// CHECK-NEXT: affine.store %{{.*}}, %[[COLUMN]][2]
// … and passes through the line buffer, from the lowest row up.
// CHECK: affine.load %[[LINE]][%[[R:.*]], %[[X]], %[[C]]]
// CHECK-NEXT: affine.store %{{.*}}, %[[COLUMN]][%[[R]]]
// CHECK: affine.load %[[COLUMN]][%[[S:.*]] + 1]
// CHECK-NEXT: affine.store %{{.*}}, %[[LINE]][%[[S]], %[[X]], %[[C]]]
// CHECK: affine.load %[[BEFORE]]
// CHECK-NEXT: affine.store %{{.*}}, %[[WINDOW]]
// CHECK: affine.load %[[COLUMN]]
// CHECK-NEXT: affine.store %{{.*}}, %[[WINDOW]][%{{.*}}, 2]
// CHECK: affine.load %[[WINDOW]][%{{.*}}, %{{.*}} + 1]
// CHECK-NEXT: affine.store %{{.*}}, %[[BEFORE]]
// CHECK: affine.load %[[WINDOW]][%[[KY]], %[[KX]]]
// CHECK: affine.store %{{.*}}, %[[WINDOWS]][%[[Y]] - 1, %[[X]] - 1, %[[C]], %[[KY]], %[[KX]]]
// That one row runs together with the first row of the next frame.
// CHECK: {hls.name = "task_window", hls.overlap = 1 : i64}
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
// -----
// A window that may lie outside the map altogether (a 1 x 1 convolution with padding): the nest walks the map already, a
// row and a pixel behind. It hands out in each of its six rows, so the last two have no place in those of the next frame.
// CHECK-LABEL: func.func @padded_pixel
// CHECK-DAG: memref.alloc() {hls.name = "line_buffer"} : memref<1x4x2xi8>
// CHECK-DAG: memref.alloc() {hls.name = "window"} : memref<1x2xi8>
// CHECK: affine.load %arg0[%{{.*}}, %{{.*}}, %{{.*}}]
// CHECK-NOT: affine.load %arg0
// CHECK-NOT: hls.overlap
func.func @padded_pixel(%image: memref<4x4x2xi8>, %result: memref<6x6x2xi8>) {
  %zero = arith.constant 0 : i8
  affine.for %i = 0 to 6 {
    affine.for %j = 0 to 6 {
      affine.for %k = 0 to 2 {
        %0 = affine.if affine_set<(i, j) : (i - 1 >= 0, -i + 4 >= 0, j - 1 >= 0, -j + 4 >= 0)>(%i, %j) -> i8 {
          %1 = affine.load %image[%i - 1, %j - 1, %k] : memref<4x4x2xi8>
          affine.yield %1 : i8
        } else {
          affine.yield %zero : i8
        }
        affine.store %0, %result[%i, %j, %k] : memref<6x6x2xi8>
      }
    }
  }
  return
}
