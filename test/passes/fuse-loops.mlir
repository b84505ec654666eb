// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-fuse-loops,verify-affine)' --split-input-file --validate-each | filecheck %s

// A product of a vector of 4 and a matrix, then a shift: the last step of the reduction shifts and stores.
// CHECK-DAG: #[[LAST:.*]] = affine_set<(d0) : (d0 - 3 == 0)>
// CHECK-LABEL: func.func @product
// CHECK: %[[ACC:.*]] = memref.alloc() : memref<3xi32>
// CHECK-NOT: memref.alloc
// CHECK: affine.for %[[C:.*]] = 0 to 4
// CHECK-NEXT: affine.for %[[F:.*]] = 0 to 3
// CHECK: arith.muli
// CHECK: affine.if #[[LAST]](%[[C]])
// CHECK-NEXT: %[[TOTAL:.*]] = affine.load %[[ACC]][%[[F]]]
// CHECK-NEXT: arith.shrsi %[[TOTAL]]
// CHECK-NEXT: affine.store %{{.*}}, %arg1[%[[F]]]
// CHECK-NOT: affine.for
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]>
func.func @product(%image: memref<4xi8>, %result: memref<3xi32>) {
  %zero = arith.constant 0 : i32
  %two = arith.constant 2 : i32
  %w = memref.get_global @weight : memref<3x4xi8>
  %acc = memref.alloc() : memref<3xi32>
  %total = memref.alloc() : memref<3xi32>
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        affine.store %zero, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c] : memref<4xi8>
      %1 = affine.load %w[%f, %c] : memref<3x4xi8>
      %2 = affine.load %acc[%f] : memref<3xi32>
      %3 = arith.extsi %0 : i8 to i32
      %4 = arith.extsi %1 : i8 to i32
      %5 = arith.muli %3, %4 : i32
      %6 = arith.addi %2, %5 : i32
      affine.store %6, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %7 = affine.load %acc[%f] : memref<3xi32>
        affine.store %7, %total[%f] : memref<3xi32>
      }
    }
  }
  affine.for %f = 0 to 3 {
    %0 = affine.load %total[%f] : memref<3xi32>
    %1 = arith.shrsi %0, %two : i32
    affine.store %1, %result[%f] : memref<3xi32>
  }
  return
}
// -----
// A residual add goes into the last nest that produces one of its operands, where both exist; the other is loaded there.
// The branch reads the skip backwards and can't be fused with it.
// CHECK-LABEL: func.func @add
// CHECK: %[[SKIP:.*]] = memref.alloc
// CHECK: affine.for
// CHECK: affine.store %{{.*}}, %[[SKIP]][%{{.*}}]
// CHECK: affine.for %[[I:.*]] = 0 to 4
// CHECK-NEXT: %[[X:.*]] = affine.load %[[SKIP]][-%[[I]] + 3]
// CHECK-NEXT: %[[Y:.*]] = arith.muli %[[X]], %[[X]]
// CHECK-NEXT: %[[Z:.*]] = affine.load %[[SKIP]][%[[I]]]
// CHECK-NEXT: %[[SUM:.*]] = arith.addi %[[Y]], %[[Z]]
// CHECK-NEXT: affine.store %[[SUM]], %arg1[%[[I]]]
func.func @add(%image: memref<4xi8>, %result: memref<4xi8>) {
  %skip = memref.alloc() : memref<4xi8>
  %branch = memref.alloc() : memref<4xi8>
  affine.for %i = 0 to 4 {
    %0 = affine.load %image[%i] : memref<4xi8>
    %1 = arith.addi %0, %0 : i8
    affine.store %1, %skip[%i] : memref<4xi8>
  }
  affine.for %i = 0 to 4 {
    %0 = affine.load %skip[3 - %i] : memref<4xi8>
    %1 = arith.muli %0, %0 : i8
    affine.store %1, %branch[%i] : memref<4xi8>
  }
  affine.for %i = 0 to 4 {
    %0 = affine.load %branch[%i] : memref<4xi8>
    %1 = affine.load %skip[%i] : memref<4xi8>
    %2 = arith.addi %0, %1 : i8
    affine.store %2, %result[%i] : memref<4xi8>
  }
  return
}
// -----
// A shifted access names other elements than the iteration stores: the nests stay apart.
// CHECK-LABEL: func.func @shifted
// CHECK: affine.for
// CHECK: affine.for
func.func @shifted(%image: memref<5xi8>, %result: memref<4xi8>) {
  %buffer = memref.alloc() : memref<5xi8>
  affine.for %i = 0 to 5 {
    %0 = affine.load %image[%i] : memref<5xi8>
    %1 = arith.addi %0, %0 : i8
    affine.store %1, %buffer[%i] : memref<5xi8>
  }
  affine.for %i = 0 to 4 {
    %0 = affine.load %buffer[%i + 1] : memref<5xi8>
    affine.store %0, %result[%i] : memref<4xi8>
  }
  return
}
// -----
// The total of a sum is added to what a nest after it makes: the sum's nest moves behind that one, with the addition in
// its last step, and so does no total wait anywhere.
// CHECK-LABEL: func.func @total
// CHECK-NOT: affine.if
// CHECK: affine.store %{{.*}}, %[[BRANCH:.*]][%{{.*}}] : memref<3xi8>
// CHECK: affine.for
// CHECK-NEXT: affine.for %[[F:.*]] = 0 to 3
// CHECK: affine.if
// CHECK: affine.if
// CHECK-NEXT: %[[TOTAL:.*]] = affine.load
// CHECK-NEXT: %[[SKIP:.*]] = affine.load %[[BRANCH]][%[[F]]]
// CHECK-NEXT: %[[WIDE:.*]] = arith.extsi %[[SKIP]]
// CHECK-NEXT: %[[SUM:.*]] = arith.addi %[[TOTAL]], %[[WIDE]]
// CHECK-NEXT: affine.store %[[SUM]], %arg1
// CHECK-NOT: affine.for
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
func.func @total(%image: memref<4x3xi8>, %result: memref<3xi32>) {
  %zero = arith.constant 0 : i32
  %three = arith.constant 3 : i32
  %acc = memref.alloc() : memref<3xi32>
  %total = memref.alloc() : memref<3xi32>
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        affine.store %zero, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c, %f] : memref<4x3xi8>
      %1 = arith.extsi %0 : i8 to i32
      %2 = affine.load %acc[%f] : memref<3xi32>
      %3 = arith.addi %2, %1 : i32
      affine.store %3, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %4 = affine.load %acc[%f] : memref<3xi32>
        affine.store %4, %total[%f] : memref<3xi32>
      }
    }
  }
  %branch = memref.alloc() : memref<3xi8>
  affine.for %f = 0 to 3 {
    %0 = affine.load %image[0, %f] : memref<4x3xi8>
    %1 = arith.addi %0, %0 : i8
    affine.store %1, %branch[%f] : memref<3xi8>
  }
  affine.for %f = 0 to 3 {
    %0 = affine.load %total[%f] : memref<3xi32>
    %1 = affine.load %branch[%f] : memref<3xi8>
    %2 = arith.extsi %1 : i8 to i32
    %3 = arith.addi %0, %2 : i32
    affine.store %3, %result[%f] : memref<3xi32>
  }
  return
}
// -----
// Here each operand has 8 bits: the addition goes into the last nest.
// CHECK-LABEL: func.func @total_is_rounded
// CHECK: affine.if
// CHECK: affine.if
// CHECK: arith.trunci
// CHECK: affine.for
// CHECK: arith.addi
// CHECK: affine.load %{{.*}} : memref<3xi8>
// CHECK: arith.addi
// CHECK: affine.store %{{.*}}, %arg1
// CHECK-NOT: affine.for
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
func.func @total_is_rounded(%image: memref<4x3xi8>, %result: memref<3xi32>) {
  %zero = arith.constant 0 : i32
  %three = arith.constant 3 : i32
  %acc = memref.alloc() : memref<3xi32>
  %total = memref.alloc() : memref<3xi32>
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        affine.store %zero, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c, %f] : memref<4x3xi8>
      %1 = arith.extsi %0 : i8 to i32
      %2 = affine.load %acc[%f] : memref<3xi32>
      %3 = arith.addi %2, %1 : i32
      affine.store %3, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        %4 = affine.load %acc[%f] : memref<3xi32>
        affine.store %4, %total[%f] : memref<3xi32>
      }
    }
  }
  %rounded = memref.alloc() : memref<3xi8>
  affine.for %f = 0 to 3 {
    %0 = affine.load %total[%f] : memref<3xi32>
    %1 = arith.shrsi %0, %three : i32
    %2 = arith.trunci %1 : i32 to i8
    affine.store %2, %rounded[%f] : memref<3xi8>
  }
  %branch = memref.alloc() : memref<3xi8>
  affine.for %f = 0 to 3 {
    %0 = affine.load %image[0, %f] : memref<4x3xi8>
    %1 = arith.addi %0, %0 : i8
    affine.store %1, %branch[%f] : memref<3xi8>
  }
  affine.for %f = 0 to 3 {
    %t = affine.load %rounded[%f] : memref<3xi8>
    %0 = arith.extsi %t : i8 to i32
    %1 = affine.load %branch[%f] : memref<3xi8>
    %2 = arith.extsi %1 : i8 to i32
    %3 = arith.addi %0, %2 : i32
    affine.store %3, %result[%f] : memref<3xi32>
  }
  return
}
// -----
// The nest between reads what the sum's nest stores: neither can move, and the addition goes into the last one.
// CHECK-LABEL: func.func @total_is_read
// CHECK: affine.store %{{.*}}, %[[OTHER:.*]][%{{.*}}] : memref<3xi8>
// CHECK: affine.store %{{.*}}, %[[TOTAL:.*]][%{{.*}}] : memref<3xi32>
// CHECK: affine.for %[[F:.*]] = 0 to 3
// CHECK-NEXT: affine.load %[[OTHER]][-%[[F]] + 2]
// CHECK-NEXT: arith.addi
// CHECK-NEXT: affine.load %[[TOTAL]][%[[F]]]
#first = affine_set<(d0) : (d0 == 0)>
#last = affine_set<(d0) : (d0 - 3 == 0)>
func.func @total_is_read(%image: memref<4x3xi8>, %result: memref<3xi32>) {
  %zero = arith.constant 0 : i32
  %three = arith.constant 3 : i32
  %acc = memref.alloc() : memref<3xi32>
  %other = memref.alloc() : memref<3xi8>
  %total = memref.alloc() : memref<3xi32>
  affine.for %c = 0 to 4 {
    affine.for %f = 0 to 3 {
      affine.if #first(%c) {
        affine.store %zero, %acc[%f] : memref<3xi32>
      }
      %0 = affine.load %image[%c, %f] : memref<4x3xi8>
      %1 = arith.extsi %0 : i8 to i32
      %2 = affine.load %acc[%f] : memref<3xi32>
      %3 = arith.addi %2, %1 : i32
      affine.store %3, %acc[%f] : memref<3xi32>
      affine.if #last(%c) {
        affine.store %0, %other[%f] : memref<3xi8>
        %4 = affine.load %acc[%f] : memref<3xi32>
        affine.store %4, %total[%f] : memref<3xi32>
      }
    }
  }
  %branch = memref.alloc() : memref<3xi8>
  affine.for %f = 0 to 3 {
    %0 = affine.load %other[2 - %f] : memref<3xi8>
    %1 = arith.addi %0, %0 : i8
    affine.store %1, %branch[%f] : memref<3xi8>
  }
  affine.for %f = 0 to 3 {
    %0 = affine.load %total[%f] : memref<3xi32>
    %1 = affine.load %branch[%f] : memref<3xi8>
    %2 = arith.extsi %1 : i8 to i32
    %3 = arith.addi %0, %2 : i32
    affine.store %3, %result[%f] : memref<3xi32>
  }
  return
}
// -----
// A loop of one iteration around a single element is no reason to keep a nest.
// CHECK-LABEL: func.func @one_element
// CHECK: affine.for
// CHECK: arith.addi
// CHECK-NEXT: arith.muli
// CHECK-NEXT: affine.store %{{.*}}, %arg1[0]
// CHECK-NOT: affine.for
func.func @one_element(%image: memref<1xi8>, %result: memref<1xi8>) {
  %buffer = memref.alloc() : memref<1xi8>
  affine.for %i = 0 to 1 {
    %0 = affine.load %image[0] : memref<1xi8>
    %1 = arith.addi %0, %0 : i8
    affine.store %1, %buffer[0] : memref<1xi8>
  }
  affine.for %i = 0 to 1 {
    %0 = affine.load %buffer[0] : memref<1xi8>
    %1 = arith.muli %0, %0 : i8
    affine.store %1, %result[0] : memref<1xi8>
  }
  return
}
