// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-merge-loops,verify-affine)' --split-input-file --validate-each | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-merge-loops)' --split-input-file --remarks -o - 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// A 3 x 3 window and a single pixel, both with stride 2, over one map: a residual block's first convolution and its
// downsample. One nest walks the map and hands out both, the pixel as the window's centre tap.
// CHECK-LABEL: func.func @downsample
// CHECK-DAG: %[[PIXELS:.*]] = memref.alloc() {hls.name = "windows"} : memref<3x4x2xi8>
// CHECK-DAG: %[[WINDOWS:.*]] = memref.alloc() {hls.name = "windows"} : memref<3x4x2x3x3xi8>
// CHECK: affine.for %[[Y:.*]] = 0 to 6
// CHECK-NEXT: affine.for %[[X:.*]] = 0 to 8
// CHECK-NEXT: affine.for %[[C:.*]] = 0 to 2
// CHECK-NEXT: affine.for %[[KY:.*]] = 0 to 3
// CHECK-NEXT: affine.for %[[KX:.*]] = 0 to 3
// CHECK: affine.load %arg0[%[[Y]] + %[[KY]] - 2, %[[X]] + %[[KX]] - 2, %[[C]]]
// CHECK: affine.store %{{.*}}, %[[WINDOWS]][(%[[Y]] - 1) floordiv 2, (%[[X]] - 1) floordiv 2, %[[C]], %[[KY]], %[[KX]]]
// CHECK: affine.load %arg0[%[[Y]] - 1, %[[X]] - 1, %[[C]]]
// CHECK-NEXT: affine.store %{{.*}}, %[[PIXELS]][(%[[Y]] - 1) floordiv 2, (%[[X]] - 1) floordiv 2, %[[C]]]
// CHECK: {hls.name = "task_window"}
// Nobody else reads the map.
// CHECK-NOT: affine.load %arg0
// REMARK: remark: [hls-merge-loops] merged into 'task_window', which reads the map once; handed out later, by 1 in rows and 1 in columns
func.func @downsample(%image: memref<6x8x2xi8>, %result: memref<3x4x2xi8>) {
  %zero = arith.constant 0 : i8
  %acc0 = memref.alloc() : memref<1xi8>
  %a = memref.alloc() : memref<3x4x2xi8>
  affine.for %y = 0 to 3 {
    affine.for %x = 0 to 4 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc0[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y * 2 + ky - 1 >= 0, -(y * 2) - ky + 6 >= 0, x * 2 + kx - 1 >= 0, -(x * 2) - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %image[%y * 2 + %ky - 1, %x * 2 + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc0[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc0[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc0[0] : memref<1xi8>
              affine.store %3, %a[%y, %x, %c] : memref<3x4x2xi8>
            }
          }
        }
      }
    }
  }
  affine.for %y = 0 to 3 {
    affine.for %x = 0 to 4 {
      affine.for %c = 0 to 2 {
        %0 = affine.load %image[%y * 2, %x * 2, %c] : memref<6x8x2xi8>
        %6 = affine.load %a[%y, %x, %c] : memref<3x4x2xi8>
        %7 = arith.addi %0, %6 : i8
        affine.store %7, %result[%y, %x, %c] : memref<3x4x2xi8>
      }
    }
  }
  return
}

// -----
// Three ways out of one map, of different kernel sizes: each has taps of its own, and is guarded by the first tap of the
// others. The windows have one centre, and come together.
// CHECK-LABEL: func.func @kernels
// CHECK-DAG: memref.alloc() {hls.name = "windows"} : memref<6x8x2x5x5xi8>
// CHECK-COUNT-1: affine.for %{{.*}} = 0 to 8
// CHECK: affine.load %arg0[%[[Y:.*]] + %[[TY:.*]] - 4, %[[X:.*]] + %[[TX:.*]] - 4, %{{.*}}]
// CHECK: affine.store %{{.*}}[%[[Y]] - 2, %[[X]] - 2, %{{.*}}, %[[TY]], %[[TX]]] : memref<6x8x2x5x5xi8>
// CHECK: affine.load %arg0[%[[Y]] + %[[KY:.*]] - 3, %[[X]] + %[[KX:.*]] - 3, %{{.*}}]
// CHECK: affine.store %{{.*}}[%[[Y]] - 2, %[[X]] - 2, %{{.*}}, %[[KY]], %[[KX]]] : memref<6x8x2x3x3xi8>
// CHECK: affine.load %arg0[%[[Y]] + %[[KY]] - 3, %[[X]] + %[[KX]] - 3, %{{.*}}]
// CHECK-NOT: affine.load %arg0
// REMARK: by 1 in rows and 1 in columns
// REMARK: by 1 in rows and 1 in columns
func.func @kernels(%image: memref<6x8x2xi8>, %result: memref<6x8x2xi8>) {
  %zero = arith.constant 0 : i8
  %acc0 = memref.alloc() : memref<1xi8>
  %acc1 = memref.alloc() : memref<1xi8>
  %acc2 = memref.alloc() : memref<1xi8>
  %a = memref.alloc() : memref<6x8x2xi8>
  %b = memref.alloc() : memref<6x8x2xi8>
  affine.for %y = 0 to 6 {
    affine.for %x = 0 to 8 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 5 {
          affine.for %kx = 0 to 5 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc0[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 2 >= 0, -y - ky + 7 >= 0, x + kx - 2 >= 0, -x - kx + 9 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %image[%y + %ky - 2, %x + %kx - 2, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc0[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc0[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 4 == 0, b - 4 == 0)>(%ky, %kx) {
              %3 = affine.load %acc0[0] : memref<1xi8>
              affine.store %3, %a[%y, %x, %c] : memref<6x8x2xi8>
            }
          }
        }
      }
    }
  }
  affine.for %y = 0 to 6 {
    affine.for %x = 0 to 8 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc1[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 1 >= 0, -y - ky + 6 >= 0, x + kx - 1 >= 0, -x - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %image[%y + %ky - 1, %x + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc1[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc1[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc1[0] : memref<1xi8>
              %6 = affine.load %a[%y, %x, %c] : memref<6x8x2xi8>
              %7 = arith.addi %3, %6 : i8
              affine.store %7, %b[%y, %x, %c] : memref<6x8x2xi8>
            }
          }
        }
      }
    }
  }
  affine.for %y = 0 to 6 {
    affine.for %x = 0 to 8 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc2[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 1 >= 0, -y - ky + 6 >= 0, x + kx - 1 >= 0, -x - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %image[%y + %ky - 1, %x + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc2[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc2[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc2[0] : memref<1xi8>
              %6 = affine.load %b[%y, %x, %c] : memref<6x8x2xi8>
              %7 = arith.addi %3, %6 : i8
              affine.store %7, %result[%y, %x, %c] : memref<6x8x2xi8>
            }
          }
        }
      }
    }
  }
  return
}

// -----
// Other strides: one nest reads for both, but their windows cannot come together.
// CHECK-LABEL: func.func @strides
// CHECK: affine.load %arg0[%[[Y:.*]] + %[[KY:.*]] - 2, %[[X:.*]] + %[[KX:.*]] - 2, %{{.*}}]
// CHECK: affine.load %arg0[%[[Y]] + %[[KY]] - 2, %[[X]] + %[[KX]] - 2, %{{.*}}]
// CHECK-NOT: affine.load %arg0
// REMARK: handed out at its own time
func.func @strides(%image: memref<6x8x2xi8>, %result: memref<3x4x2xi8>) {
  %zero = arith.constant 0 : i8
  %acc0 = memref.alloc() : memref<1xi8>
  %acc1 = memref.alloc() : memref<1xi8>
  %acc2 = memref.alloc() : memref<1xi8>
  %a = memref.alloc() : memref<3x4x2xi8>
  %b = memref.alloc() : memref<6x8x2xi8>
  affine.for %y = 0 to 3 {
    affine.for %x = 0 to 4 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc0[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y * 2 + ky - 1 >= 0, -(y * 2) - ky + 6 >= 0, x * 2 + kx - 1 >= 0, -(x * 2) - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %image[%y * 2 + %ky - 1, %x * 2 + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc0[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc0[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc0[0] : memref<1xi8>
              affine.store %3, %a[%y, %x, %c] : memref<3x4x2xi8>
            }
          }
        }
      }
    }
  }
  affine.for %y = 0 to 6 {
    affine.for %x = 0 to 8 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc1[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 1 >= 0, -y - ky + 6 >= 0, x + kx - 1 >= 0, -x - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %image[%y + %ky - 1, %x + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc1[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc1[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc1[0] : memref<1xi8>
              affine.store %3, %b[%y, %x, %c] : memref<6x8x2xi8>
            }
          }
        }
      }
    }
  }
  affine.for %y = 0 to 3 {
    affine.for %x = 0 to 4 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc2[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y * 2 + ky - 1 >= 0, -(y * 2) - ky + 6 >= 0, x * 2 + kx - 1 >= 0, -(x * 2) - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %b[%y * 2 + %ky - 1, %x * 2 + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc2[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc2[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc2[0] : memref<1xi8>
              %6 = affine.load %a[%y, %x, %c] : memref<3x4x2xi8>
              %7 = arith.addi %3, %6 : i8
              affine.store %7, %result[%y, %x, %c] : memref<3x4x2xi8>
            }
          }
        }
      }
    }
  }
  return
}

// -----
// A map with a single reader is left to hls-temporal-reuse.
// CHECK-LABEL: func.func @single
// CHECK-COUNT-1: affine.load %arg0
// CHECK-NOT: hls.name
// REMARK-NOT: remark
func.func @single(%image: memref<6x8x2xi8>, %result: memref<6x8x2xi8>) {
  %zero = arith.constant 0 : i8
  %acc0 = memref.alloc() : memref<1xi8>
  affine.for %y = 0 to 6 {
    affine.for %x = 0 to 8 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc0[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 1 >= 0, -y - ky + 6 >= 0, x + kx - 1 >= 0, -x - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %image[%y + %ky - 1, %x + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc0[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc0[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc0[0] : memref<1xi8>
              affine.store %3, %result[%y, %x, %c] : memref<6x8x2xi8>
            }
          }
        }
      }
    }
  }
  return
}

