// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-fuse-loops)' --split-input-file --verify-diagnostics

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
// -----
func.func @step(%image: memref<4xi8>, %result: memref<4xi8>) {
  %buffer = memref.alloc() : memref<4xi8>
  affine.for %i = 0 to 4 {
    %0 = affine.load %image[%i] : memref<4xi8>
    affine.store %0, %buffer[%i] : memref<4xi8>
  }
  // expected-error @below {{a loop that does not run from a constant to a constant in steps of 1}}
  affine.for %i = 0 to 4 step 2 {
    %0 = affine.load %buffer[%i] : memref<4xi8>
    affine.store %0, %result[%i] : memref<4xi8>
  }
  return
}
// -----
// expected-error @below {{expected one public func.func, found 0}}
module {
}
