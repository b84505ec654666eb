// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-share-residual-buffer,verify-affine)' --split-input-file --validate-each | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-share-residual-buffer)' --split-input-file --remarks -o - 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-share-residual-buffer,hls-temporal-reuse,verify-affine)' --split-input-file --validate-each | filecheck %s --check-prefix=REUSE

// A residual block of two 3 x 3 windows. The nest that walks the map for the first one hands out the skip as well, two rows
// behind its newest pixel: there the line buffer has it for the last time, and the join wants it.
// CHECK-LABEL: func.func @identity
// CHECK-DAG: %[[SKIP:.*]] = memref.alloc() {hls.name = "skip"} : memref<6x8x2xi8>
// A row more than the windows need: the skip's last one.
// CHECK: affine.for %[[Y:.*]] = 0 to 8
// CHECK-NEXT: affine.for %[[X:.*]] = 0 to 9
// CHECK-NEXT: affine.for %[[C:.*]] = 0 to 2
// CHECK: affine.load %arg0[%[[Y]] + %{{.*}} - 2, %[[X]] + %{{.*}} - 2, %[[C]]]
// CHECK: affine.load %arg0[%[[Y]] - 2, %[[X]] - 1, %[[C]]]
// CHECK-NEXT: affine.store %{{.*}}, %[[SKIP]][%[[Y]] - 2, %[[X]] - 1, %[[C]]]
// CHECK-NOT: affine.load %arg0
// CHECK: affine.load %[[SKIP]]
// Of 36 bytes, two rows and two pixels, two remain.
// REMARK: the line buffer of 'task_window' hands the skip out with a lag of 2 in rows: 2 bytes wait for the join, not 36
// The line buffer is no longer for it.
// REUSE-LABEL: func.func @identity
// REUSE-COUNT-2: memref.alloc() {hls.name = "line_buffer"} : memref<2x8x2xi8>
// REUSE-NOT: "line_buffer"
// REUSE: return
func.func @identity(%image: memref<6x8x2xi8>, %result: memref<6x8x2xi8>) {
  %zero = arith.constant 0 : i8
  %acc0 = memref.alloc() : memref<1xi8>
  %acc1 = memref.alloc() : memref<1xi8>
  %a = memref.alloc() : memref<6x8x2xi8>
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
              %5 = affine.load %a[%y + %ky - 1, %x + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc1[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc1[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc1[0] : memref<1xi8>
              %6 = affine.load %image[%y, %x, %c] : memref<6x8x2xi8>
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
// Two skips of one map, over three and over four windows. The line buffer grows by a row, which serves both: 16 + 4 + 22
// bytes are fewer than a FIFO for each behind two rows, 20 + 38, and no more than a line buffer of yet another row.
// CHECK-LABEL: func.func @long
// CHECK: affine.load %arg0[%[[Y:.*]] + %{{.*}} - 2, %[[X:.*]] + %{{.*}} - 2, %[[C:.*]]]
// CHECK: affine.load %arg0[%[[Y]] - 3, %[[X]] - 1, %[[C]]]
// CHECK: affine.load %arg0[%[[Y]] - 3, %[[X]] - 1, %[[C]]]
// CHECK-NOT: affine.load %arg0
// REMARK: longer by 1 in rows, hands the skip out with a lag of 3 in rows: 4 bytes wait for the join, not 54
// REMARK: longer by 1 in rows, hands the skip out with a lag of 3 in rows: 22 bytes wait for the join, not 72
// REUSE-LABEL: func.func @long
// REUSE: memref.alloc() {hls.name = "line_buffer", hls.skip_rows = 1 : i64} : memref<3x8x2xi8>
func.func @long(%image: memref<6x8x2xi8>, %result: memref<6x8x2xi8>) {
  %zero = arith.constant 0 : i8
  %acc0 = memref.alloc() : memref<1xi8>
  %acc1 = memref.alloc() : memref<1xi8>
  %acc2 = memref.alloc() : memref<1xi8>
  %acc3 = memref.alloc() : memref<1xi8>
  %a = memref.alloc() : memref<6x8x2xi8>
  %b = memref.alloc() : memref<6x8x2xi8>
  %d = memref.alloc() : memref<6x8x2xi8>
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
              %5 = affine.load %a[%y + %ky - 1, %x + %kx - 1, %c] : memref<6x8x2xi8>
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
  affine.for %y = 0 to 6 {
    affine.for %x = 0 to 8 {
      affine.for %c = 0 to 2 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc2[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 1 >= 0, -y - ky + 6 >= 0, x + kx - 1 >= 0, -x - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %b[%y + %ky - 1, %x + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc2[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc2[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc2[0] : memref<1xi8>
              %6 = affine.load %image[%y, %x, %c] : memref<6x8x2xi8>
              %7 = arith.addi %3, %6 : i8
              affine.store %7, %d[%y, %x, %c] : memref<6x8x2xi8>
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
              affine.store %zero, %acc3[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 1 >= 0, -y - ky + 6 >= 0, x + kx - 1 >= 0, -x - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %d[%y + %ky - 1, %x + %kx - 1, %c] : memref<6x8x2xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc3[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc3[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc3[0] : memref<1xi8>
              %6 = affine.load %image[%y, %x, %c] : memref<6x8x2xi8>
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
// No window slides over the wide map: the skip would wait in a FIFO for a row and a pixel. The map that it is made of, by a
// 1 x 1 convolution, has a quarter of the channels; computing it once more takes 384 products, and 54 bytes fewer wait.
// CHECK-LABEL: func.func @pointwise
// CHECK-DAG: %[[WIDE:.*]] = memref.alloc() {hls.name = "wide"} : memref<3x8x8xi8>
// CHECK-DAG: %[[AGAIN:.*]] = memref.alloc() {hls.name = "wide"} : memref<3x8x8xi8>
// CHECK: arith.muli
// CHECK: affine.store %{{.*}}, %[[FIRST:[a-z0-9_]+]][%{{.*}}, %{{.*}}, %{{.*}}] : memref<3x8x8xi8>
// CHECK: arith.muli
// CHECK: affine.store %{{.*}}, %[[SECOND:[a-z0-9_]+]][%{{.*}}, %{{.*}}, %{{.*}}] : memref<3x8x8xi8>
// CHECK: affine.load %[[FIRST]][
// CHECK: affine.load %[[SECOND]][
// REMARK: the skip is computed again from the input of 'task', 384 multiply-accumulates a frame: 18 bytes wait, not 72
// REMARK: 18 bytes wait in a FIFO: no line buffer has them
// REMARK-NOT: wait
memref.global "private" constant @weight : memref<2x8xi8> = dense<[[1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1]]>
func.func @pointwise(%image: memref<3x8x2xi8>, %result: memref<3x8x8xi8>) {
  %zero = arith.constant 0 : i8
  %two = arith.constant 2 : i8
  %w = memref.get_global @weight : memref<2x8xi8>
  %sums = memref.alloc() : memref<8xi8>
  %acc = memref.alloc() : memref<1xi8>
  %wide = memref.alloc() {hls.name = "wide"} : memref<3x8x8xi8>
  %doubled = memref.alloc() : memref<3x8x8xi8>
  affine.for %y = 0 to 3 {
    affine.for %x = 0 to 8 {
      affine.for %c = 0 to 2 {
        affine.for %f = 0 to 8 {
          affine.if affine_set<(c) : (c == 0)>(%c) {
            affine.store %zero, %sums[%f] : memref<8xi8>
          }
          %0 = affine.load %image[%y, %x, %c] : memref<3x8x2xi8>
          %1 = affine.load %w[%c, %f] : memref<2x8xi8>
          %2 = arith.muli %0, %1 : i8
          %3 = affine.load %sums[%f] : memref<8xi8>
          %4 = arith.addi %3, %2 : i8
          affine.store %4, %sums[%f] : memref<8xi8>
          affine.if affine_set<(c) : (c - 1 == 0)>(%c) {
            %5 = affine.load %sums[%f] : memref<8xi8>
            affine.store %5, %wide[%y, %x, %f] : memref<3x8x8xi8>
          }
        }
      }
    }
  }
  affine.for %y = 0 to 3 {
    affine.for %x = 0 to 8 {
      affine.for %c = 0 to 8 {
        %0 = affine.load %wide[%y, %x, %c] : memref<3x8x8xi8>
        %1 = arith.addi %0, %two : i8
        affine.store %1, %doubled[%y, %x, %c] : memref<3x8x8xi8>
      }
    }
  }
  affine.for %y = 0 to 3 {
    affine.for %x = 0 to 8 {
      affine.for %c = 0 to 8 {
        affine.for %ky = 0 to 3 {
          affine.for %kx = 0 to 3 {
            affine.if affine_set<(a, b) : (a == 0, b == 0)>(%ky, %kx) {
              affine.store %zero, %acc[0] : memref<1xi8>
            }
            %0 = affine.if affine_set<(y, x, ky, kx) : (y + ky - 1 >= 0, -y - ky + 3 >= 0, x + kx - 1 >= 0, -x - kx + 8 >= 0)>(%y, %x, %ky, %kx) -> i8 {
              %5 = affine.load %doubled[%y + %ky - 1, %x + %kx - 1, %c] : memref<3x8x8xi8>
              affine.yield %5 : i8
            } else {
              affine.yield %zero : i8
            }
            %1 = affine.load %acc[0] : memref<1xi8>
            %2 = arith.addi %1, %0 : i8
            affine.store %2, %acc[0] : memref<1xi8>
            affine.if affine_set<(a, b) : (a - 2 == 0, b - 2 == 0)>(%ky, %kx) {
              %3 = affine.load %acc[0] : memref<1xi8>
              %6 = affine.load %wide[%y, %x, %c] : memref<3x8x8xi8>
              %7 = arith.addi %3, %6 : i8
              affine.store %7, %result[%y, %x, %c] : memref<3x8x8xi8>
            }
          }
        }
      }
    }
  }
  return
}
