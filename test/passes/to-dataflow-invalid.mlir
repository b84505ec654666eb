// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-to-dataflow)' --split-input-file --verify-diagnostics

func.func @window(%image: memref<8xi8>, %result: memref<6xi8>) {
  affine.for %x = 0 to 6 {
    affine.for %k = 0 to 3 {
      // expected-error @below {{the buffer is not loaded element by element, once and in order}}
      %0 = affine.load %image[%x + %k] : memref<8xi8>
      affine.store %0, %result[%x] : memref<6xi8>
    }
  }
  return
}
// -----
func.func @transposed(%image: memref<2x3xi8>, %result: memref<2x3xi8>) {
  affine.for %x = 0 to 3 {
    affine.for %y = 0 to 2 {
      // expected-error @below {{the buffer is not loaded element by element, once and in order}}
      %0 = affine.load %image[%y, %x] : memref<2x3xi8>
      affine.store %0, %result[%y, %x] : memref<2x3xi8>
    }
  }
  return
}
// -----
func.func @last_one_only(%image: memref<4xi8>, %result: memref<1xi8>) {
  affine.for %x = 0 to 4 {
    %0 = affine.load %image[%x] : memref<4xi8>
    // expected-error @below {{the buffer is not stored element by element, once and in order}}
    affine.store %0, %result[0] : memref<1xi8>
  }
  return
}
// -----
func.func @two_writers(%image: memref<4xi8>, %result: memref<4xi8>) {
  %map = memref.alloc() : memref<4xi8>
  affine.for %x = 0 to 4 {
    %0 = affine.load %image[%x] : memref<4xi8>
    affine.store %0, %map[%x] : memref<4xi8>
  }
  affine.for %x = 0 to 4 {
    %0 = affine.load %image[%x] : memref<4xi8>
    affine.store %0, %map[%x] : memref<4xi8>
  }
  affine.for %x = 0 to 4 {
    // expected-error @below {{a buffer that is not stored by exactly one earlier nest}}
    %0 = affine.load %map[%x] : memref<4xi8>
    affine.store %0, %result[%x] : memref<4xi8>
  }
  return
}
// -----
func.func @either_of_two_conditions(%image: memref<4x4xi8>, %result: memref<4x4xi8>) {
  %zero = arith.constant 0 : i8
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 4 {
      %0 = affine.if affine_set<(d, e) : (d - 1 >= 0, e - 1 >= 0)>(%y, %x) -> i8 {
        affine.yield %zero : i8
      } else {
        // expected-error @below {{an access in the else branch of a condition that is no single inequality}}
        %1 = affine.load %image[%y, %x] : memref<4x4xi8>
        affine.yield %1 : i8
      }
      affine.store %0, %result[%y, %x] : memref<4x4xi8>
    }
  }
  return
}
// -----
// expected-error @below {{no nest reads the image, or none stores the result}}
func.func @nothing(%image: memref<4xi8>, %result: memref<4xi8>) {
  return
}
