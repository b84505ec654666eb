// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-fuse-loops)' --split-input-file --remarks --verify-diagnostics

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
// -----
func.func @shifted(%image: memref<5xi8>, %result: memref<5xi8>) {
  %buffer = memref.alloc() : memref<5xi8>
  affine.for %i = 0 to 5 {
    %0 = affine.load %image[%i] : memref<5xi8>
    affine.store %0, %buffer[%i] : memref<5xi8>
  }
  // expected-remark @below {{[hls-fuse-loops] the elementwise nest stays: it reads other elements than those stored in the same iteration}}
  affine.for %i = 0 to 4 {
    %0 = affine.load %buffer[%i + 1] : memref<5xi8>
    affine.store %0, %result[%i] : memref<5xi8>
  }
  return
}
// -----
func.func @part(%image: memref<5xi8>, %result: memref<5xi8>) {
  %buffer = memref.alloc() : memref<5xi8>
  affine.for %i = 0 to 5 {
    %0 = affine.load %image[%i] : memref<5xi8>
    affine.store %0, %buffer[%i] : memref<5xi8>
  }
  // expected-remark @below {{[hls-fuse-loops] the elementwise nest stays: it reads a part of its operand only}}
  affine.for %i = 0 to 4 {
    %0 = affine.load %buffer[%i] : memref<5xi8>
    affine.store %0, %result[%i] : memref<5xi8>
  }
  return
}
// -----
func.func @guarded(%image: memref<5xi8>, %result: memref<5xi8>) {
  %buffer = memref.alloc() : memref<5xi8>
  affine.for %i = 0 to 5 {
    %0 = affine.load %image[%i] : memref<5xi8>
    affine.store %0, %buffer[%i] : memref<5xi8>
  }
  // expected-remark @below {{[hls-fuse-loops] the elementwise nest stays: it reads its operand under a guard}}
  affine.for %i = 0 to 5 {
    %0 = affine.if affine_set<(d0) : (d0 - 1 >= 0)>(%i) -> i8 {
      %1 = affine.load %buffer[%i] : memref<5xi8>
      affine.yield %1 : i8
    } else {
      %2 = arith.constant 0 : i8
      affine.yield %2 : i8
    }
    affine.store %0, %result[%i] : memref<5xi8>
  }
  return
}
// -----
func.func @steps(%image: memref<4x5xi8>, %result: memref<5xi8>) {
  %zero = arith.constant 0 : i8
  %buffer = memref.alloc() : memref<5xi8>
  affine.for %i = 0 to 5 {
    affine.store %zero, %buffer[%i] : memref<5xi8>
  }
  affine.for %c = 0 to 4 {
    affine.for %i = 0 to 5 {
      %0 = affine.load %image[%c, %i] : memref<4x5xi8>
      %1 = affine.load %buffer[%i] : memref<5xi8>
      %2 = arith.addi %0, %1 : i8
      affine.store %2, %buffer[%i] : memref<5xi8>
    }
  }
  // expected-remark @below {{[hls-fuse-loops] the elementwise nest stays: its operand is stored step by step}}
  affine.for %i = 0 to 5 {
    %0 = affine.load %buffer[%i] : memref<5xi8>
    affine.store %0, %result[%i] : memref<5xi8>
  }
  return
}
