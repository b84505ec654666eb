// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-temporal-reuse)' --split-input-file --verify-diagnostics

func.func @transposed(%image: memref<4x4xi8>, %result: memref<4x4xi8>) {
  affine.for %i = 0 to 4 {
    affine.for %j = 0 to 4 {
      // expected-error @below {{elements are read in another order than row by row}}
      %0 = affine.load %image[%j, %i] : memref<4x4xi8>
      affine.store %0, %result[%i, %j] : memref<4x4xi8>
    }
  }
  return
}
// -----
func.func @stored_transposed(%image: memref<4x4xi8>, %result: memref<4x4xi8>) {
  affine.for %i = 0 to 4 {
    affine.for %j = 0 to 4 {
      %0 = affine.load %image[%i, %j] : memref<4x4xi8>
      // expected-error @below {{elements are stored in another order than row by row}}
      affine.store %0, %result[%j, %i] : memref<4x4xi8>
    }
  }
  return
}
// -----
func.func @part(%image: memref<4x4xi8>, %result: memref<4x2xi8>) {
  affine.for %i = 0 to 4 {
    affine.for %j = 0 to 2 {
      // expected-error @below {{an access to a part of a feature map only}}
      %0 = affine.load %image[%i, %j] : memref<4x4xi8>
      affine.store %0, %result[%i, %j] : memref<4x2xi8>
    }
  }
  return
}
// -----
func.func @backwards(%image: memref<4x4x2xi8>, %result: memref<4x4x2xi8>) {
  affine.for %i = 0 to 4 {
    affine.for %j = 0 to 4 {
      affine.for %k = 0 to 2 {
        // expected-error @below {{an access that is no sliding window over rows and columns}}
        %0 = affine.load %image[3 - %i, %j, %k] : memref<4x4x2xi8>
        affine.store %0, %result[%i, %j, %k] : memref<4x4x2xi8>
      }
    }
  }
  return
}
