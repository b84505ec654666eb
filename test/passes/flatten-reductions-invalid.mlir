// What keeps its own nest, and why.
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-flatten-reductions)' --split-input-file --validate-each --remarks --verify-diagnostics

// Each step subtracts the sum so far: in another order, another result.
func.func @differences(%image: memref<4x4xi8>, %result: memref<4xi32>) {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<4xi32>
  affine.for %f = 0 to 4 {
    affine.store %zero, %acc[%f] : memref<4xi32>
  }
  // expected-remark @below {{[hls-flatten-reductions] the reduction keeps its own nest: its steps cannot be taken in another order}}
  affine.for %f = 0 to 4 {
    affine.for %c = 0 to 4 {
      %0 = affine.load %image[%f, %c] : memref<4x4xi8>
      %1 = affine.load %acc[%f] : memref<4xi32>
      %2 = arith.extsi %0 : i8 to i32
      %3 = arith.subi %2, %1 : i32
      affine.store %3, %acc[%f] : memref<4xi32>
    }
  }
  affine.for %f = 0 to 4 {
    %0 = affine.load %acc[%f] : memref<4xi32>
    affine.store %0, %result[%f] : memref<4xi32>
  }
  return
}
// -----
// Two nests start a half each.
func.func @halves(%image: memref<4x4xi8>, %result: memref<4xi32>) {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<4xi32>
  affine.for %f = 0 to 2 {
    affine.store %zero, %acc[%f] : memref<4xi32>
  }
  affine.for %f = 0 to 2 {
    affine.store %zero, %acc[%f + 2] : memref<4xi32>
  }
  // expected-remark @below {{[hls-flatten-reductions] the reduction keeps its own nest: its accumulator is stored by more nests than the one that starts it}}
  affine.for %f = 0 to 4 {
    affine.for %c = 0 to 4 {
      %0 = affine.load %image[%f, %c] : memref<4x4xi8>
      %1 = affine.load %acc[%f] : memref<4xi32>
      %2 = arith.extsi %0 : i8 to i32
      %3 = arith.addi %1, %2 : i32
      affine.store %3, %acc[%f] : memref<4xi32>
    }
  }
  affine.for %f = 0 to 4 {
    %0 = affine.load %acc[%f] : memref<4xi32>
    affine.store %0, %result[%f] : memref<4xi32>
  }
  return
}
// -----
func.func @backwards(%image: memref<4x4xi8>, %result: memref<4xi32>) {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<4xi32>
  affine.for %f = 0 to 4 {
    affine.store %zero, %acc[3 - %f] : memref<4xi32>
  }
  // expected-remark @below {{[hls-flatten-reductions] the reduction keeps its own nest: its accumulator does not start element by element, in the way in which it is summed}}
  affine.for %f = 0 to 4 {
    affine.for %c = 0 to 4 {
      %0 = affine.load %image[%f, %c] : memref<4x4xi8>
      %1 = affine.load %acc[%f] : memref<4xi32>
      %2 = arith.extsi %0 : i8 to i32
      %3 = arith.addi %1, %2 : i32
      affine.store %3, %acc[%f] : memref<4xi32>
    }
  }
  affine.for %f = 0 to 4 {
    %0 = affine.load %acc[%f] : memref<4xi32>
    affine.store %0, %result[%f] : memref<4xi32>
  }
  return
}
// -----
func.func @watched(%image: memref<4x4xi8>, %result: memref<4xi32>) {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<4xi32>
  affine.for %f = 0 to 4 {
    affine.store %zero, %acc[%f] : memref<4xi32>
  }
  %first = memref.alloc() : memref<4xi32>
  affine.for %f = 0 to 4 {
    %0 = affine.load %acc[%f] : memref<4xi32>
    affine.store %0, %first[%f] : memref<4xi32>
  }
  // expected-remark @below {{[hls-flatten-reductions] the reduction keeps its own nest: its accumulator is read before the reduction ends}}
  affine.for %f = 0 to 4 {
    affine.for %c = 0 to 4 {
      %0 = affine.load %image[%f, %c] : memref<4x4xi8>
      %1 = affine.load %acc[%f] : memref<4xi32>
      %2 = arith.extsi %0 : i8 to i32
      %3 = arith.addi %1, %2 : i32
      affine.store %3, %acc[%f] : memref<4xi32>
    }
  }
  affine.for %f = 0 to 4 {
    %0 = affine.load %acc[%f] : memref<4xi32>
    affine.store %0, %result[%f] : memref<4xi32>
  }
  return
}
// -----
func.func @twice(%image: memref<4x4xi8>, %result: memref<4xi32>) {
  %zero = arith.constant 0 : i32
  %acc = memref.alloc() : memref<4xi32>
  affine.for %f = 0 to 4 {
    affine.store %zero, %acc[%f] : memref<4xi32>
  }
  %other = memref.alloc() : memref<4x4xi32>
  // expected-remark @below {{[hls-flatten-reductions] the reduction keeps its own nest: it stores into other buffers than its accumulator}}
  affine.for %f = 0 to 4 {
    affine.for %c = 0 to 4 {
      %0 = affine.load %image[%f, %c] : memref<4x4xi8>
      %1 = affine.load %acc[%f] : memref<4xi32>
      %2 = arith.extsi %0 : i8 to i32
      %3 = arith.addi %1, %2 : i32
      affine.store %2, %other[%f, %c] : memref<4x4xi32>
      affine.store %3, %acc[%f] : memref<4xi32>
    }
  }
  affine.for %f = 0 to 4 {
    %0 = affine.load %acc[%f] : memref<4xi32>
    affine.store %0, %result[%f] : memref<4xi32>
  }
  return
}
// -----
func.func @imperfect(%image: memref<4x4xi8>, %result: memref<4xi8>) {
  // expected-error @below {{a nest that is not perfect}}
  affine.for %i = 0 to 4 {
    %0 = affine.load %image[%i, 0] : memref<4x4xi8>
    affine.for %j = 0 to 4 {
      affine.store %0, %result[%j] : memref<4xi8>
    }
  }
  return
}
