// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-rematerialize,verify-affine)' --split-input-file --validate-each | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-rematerialize,hls-share-residual-buffer,hls-temporal-reuse,verify-affine)' --split-input-file --validate-each | filecheck %s --check-prefix=REUSE

// The end of one layer stores its sum and the sum's maximum with 3, for a 3 x 3 window and for a skip. One map is enough.
// CHECK-LABEL: func.func @two_functions
// CHECK-DAG: %[[MAP:.*]] = memref.alloc() : memref<4x5x2xi8>
// CHECK: affine.store %{{.*}}, %[[MAP]]
// CHECK-NOT: arith.maxsi
// The window's nest computes what it hands out.
// CHECK: %[[V:.*]] = affine.load %[[MAP]][%{{.*}} - 2, %{{.*}} - 2, %{{.*}}]
// CHECK-NEXT: %[[F:.*]] = arith.maxsi %[[V]], %{{.*}} : i8
// CHECK-NEXT: affine.yield %[[F]]
// CHECK: affine.load %[[MAP]][%{{.*}}, %{{.*}}, %{{.*}}]
// With it the skip has the line buffer that has its data, and the function is computed once a pixel and row, not per tap.
// REUSE-LABEL: func.func @two_functions
// REUSE: memref.alloc() {hls.name = "line_buffer"} : memref<2x5x2xi8>
// REUSE-NOT: "line_buffer"
// REUSE: arith.maxsi
// REUSE-NOT: arith.maxsi
// REUSE: return
func.func @two_functions(%image: memref<4x5x2xi8>, %result: memref<4x5x2xi8>) {
  %zero = arith.constant 0 : i8
  %one = arith.constant 1 : i8
  %three = arith.constant 3 : i8
  %sum = memref.alloc() : memref<4x5x2xi8>
  %larger = memref.alloc() : memref<4x5x2xi8>
  %acc = memref.alloc() : memref<1xi8>
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 5 {
      affine.for %c = 0 to 2 {
        %0 = affine.load %image[%y, %x, %c] : memref<4x5x2xi8>
        %1 = arith.addi %0, %one : i8
        affine.store %1, %sum[%y, %x, %c] : memref<4x5x2xi8>
        %2 = arith.maxsi %1, %three : i8
        affine.store %2, %larger[%y, %x, %c] : memref<4x5x2xi8>
      }
    }
  }
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 5 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 1 >= 0, -y - ky + 4 >= 0, x + kx - 1 >= 0, -x - kx + 5 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %larger[%y + %ky - 1, %x + %kx - 1, %c] : memref<4x5x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc[0] : memref<1xi8>
              %6 = affine.load %sum[%y, %x, %c] : memref<4x5x2xi8>
              %7 = arith.addi %3, %6 : i8
              affine.store %7, %result[%y, %x, %c] : memref<4x5x2xi8>
            }
          }
        }
      }
    }
  }
  return
}
// -----
// Without a window there is no line buffer to share, and nothing is computed twice.
// CHECK-LABEL: func.func @no_window
// CHECK: arith.maxsi
// CHECK: affine.store
// CHECK: affine.for
// CHECK-NOT: arith.maxsi
func.func @no_window(%image: memref<4x5x2xi8>, %result: memref<4x5x2xi8>) {
  %three = arith.constant 3 : i8
  %one = arith.constant 1 : i8
  %sum = memref.alloc() : memref<4x5x2xi8>
  %larger = memref.alloc() : memref<4x5x2xi8>
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 5 {
      affine.for %c = 0 to 2 {
        %0 = affine.load %image[%y, %x, %c] : memref<4x5x2xi8>
        %1 = arith.addi %0, %one : i8
        affine.store %1, %sum[%y, %x, %c] : memref<4x5x2xi8>
        %2 = arith.maxsi %1, %three : i8
        affine.store %2, %larger[%y, %x, %c] : memref<4x5x2xi8>
      }
    }
  }
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 5 {
      affine.for %c = 0 to 2 {
        %0 = affine.load %sum[%y, %x, %c] : memref<4x5x2xi8>
        %1 = affine.load %larger[%y, %x, %c] : memref<4x5x2xi8>
        %2 = arith.addi %0, %1 : i8
        affine.store %2, %result[%y, %x, %c] : memref<4x5x2xi8>
      }
    }
  }
  return
}
