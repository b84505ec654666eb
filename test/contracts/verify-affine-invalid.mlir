// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-affine)' --split-input-file --verify-diagnostics

// expected-error @below {{expected the image and the result as two arguments, found 1 arguments and 1 results}}
func.func @tensors(%a: tensor<4xi8>) -> tensor<4xi8> {
  return %a : tensor<4xi8>
}
// -----
// expected-error @below {{expected a memref, found tensor<4xi8>}}
func.func @tensor(%a: tensor<4xi8>, %b: memref<4xi8>) {
  return
}
// -----
// expected-error @below {{memref<?xi8> has a dynamic shape}}
func.func @dynamic(%a: memref<?xi8>, %b: memref<4xi8>) {
  return
}
// -----
// expected-error @below {{does not hold integers}}
func.func @float(%a: memref<4xf32>, %b: memref<4xi8>) {
  return
}
// -----
// expected-error @below {{has a layout of its own}}
func.func @strided(%a: memref<4xi8, strided<[2]>>, %b: memref<4xi8>) {
  return
}
// -----
func.func @subview(%a: memref<4xi8>, %b: memref<4xi8>) {
  // expected-error @below {{'memref.subview' makes an alias of a buffer}}
  %0 = memref.subview %a[0] [2] [1] : memref<4xi8> to memref<2xi8, strided<[1]>>
  return
}
// -----
func.func @cast(%a: memref<4xi8>, %b: memref<4xi8>) {
  // expected-error @below {{'memref.cast' makes an alias of a buffer}}
  %0 = memref.cast %a : memref<4xi8> to memref<?xi8>
  return
}
// -----
func.func @copy(%a: memref<4xi8>, %b: memref<4xi8>) {
  // expected-error @below {{'memref.copy' copies a buffer}}
  memref.copy %a, %b : memref<4xi8> to memref<4xi8>
  return
}
// -----
func.func @outside(%a: memref<4xi8>, %b: memref<4xi8>) {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'memref.load' is outside the affine contract}}
  %0 = memref.load %a[%c0] : memref<4xi8>
  return
}
// -----
// expected-error @below {{the global @table is no constant}}
memref.global "private" @table : memref<4xi8> = dense<1>
func.func @variable(%a: memref<4xi8>, %b: memref<4xi8>) {
  %0 = memref.get_global @table : memref<4xi8>
  return
}
// -----
func.func @imperfect(%a: memref<4x4xi8>, %b: memref<4xi8>) {
  // expected-error @below {{a nest that is not perfect}}
  affine.for %i = 0 to 4 {
    %0 = affine.load %a[%i, 0] : memref<4x4xi8>
    affine.for %j = 0 to 4 {
      affine.store %0, %b[%j] : memref<4xi8>
    }
  }
  return
}
// -----
func.func @start(%a: memref<4xi8>, %b: memref<4xi8>) {
  // expected-error @below {{a loop that starts at 1}}
  affine.for %i = 1 to 4 {
    %0 = affine.load %a[%i] : memref<4xi8>
    affine.store %0, %b[%i] : memref<4xi8>
  }
  return
}
// -----
func.func @step(%a: memref<4xi8>, %b: memref<4xi8>) {
  // expected-error @below {{a loop that does not run from a constant to a constant in steps of 1}}
  affine.for %i = 0 to 4 step 2 {
    %0 = affine.load %a[%i] : memref<4xi8>
    affine.store %0, %b[%i] : memref<4xi8>
  }
  return
}
// -----
func.func @triangle(%a: memref<4xi8>, %b: memref<4xi8>) {
  affine.for %i = 0 to 4 {
    // expected-error @below {{a loop that does not run from a constant to a constant in steps of 1}}
    affine.for %j = 0 to affine_map<(d) -> (d)>(%i) {
      %0 = affine.load %a[%j] : memref<4xi8>
      affine.store %0, %b[%j] : memref<4xi8>
    }
  }
  return
}
// -----
func.func @carried(%a: memref<4xi8>, %b: memref<4xi8>) {
  %zero = arith.constant 0 : i8
  // expected-error @below {{a loop that carries values}}
  %sum = affine.for %i = 0 to 4 iter_args(%s = %zero) -> i8 {
    %0 = affine.load %a[%i] : memref<4xi8>
    %1 = arith.addi %s, %0 : i8
    affine.yield %1 : i8
  }
  return
}
// -----
func.func @guarded_loop(%a: memref<4xi8>, %b: memref<4xi8>) {
  affine.for %i = 0 to 4 {
    affine.if affine_set<(d) : (d == 0)>(%i) {
      // expected-error @below {{a loop under a guard}}
      affine.for %j = 0 to 4 {
        %0 = affine.load %a[%j] : memref<4xi8>
        affine.store %0, %b[%j] : memref<4xi8>
      }
    }
  }
  return
}
// -----
func.func @inner_buffer(%a: memref<4xi8>, %b: memref<4xi8>) {
  affine.for %i = 0 to 4 {
    // expected-error @below {{a buffer allocated inside a nest}}
    %0 = memref.alloc() : memref<1xi8>
  }
  return
}
// -----
func.func @unaffine(%a: memref<4xi8>, %b: memref<4xi8>) {
  affine.for %i = 0 to 4 {
    // expected-error @below {{'memref.load' is no affine access}}
    %0 = memref.load %a[%i] : memref<4xi8>
    affine.store %0, %b[%i] : memref<4xi8>
  }
  return
}
// -----
func.func @branch(%a: memref<4xi8>, %b: memref<4xi8>) {
  %true = arith.constant true
  affine.for %i = 0 to 4 {
    // expected-error @below {{'scf.if' is outside the affine contract}}
    scf.if %true {
      %0 = affine.load %a[%i] : memref<4xi8>
      affine.store %0, %b[%i] : memref<4xi8>
    }
  }
  return
}
// -----
func.func @float_inside(%a: memref<4xi8>, %b: memref<4xi8>) {
  affine.for %i = 0 to 4 {
    %0 = affine.load %a[%i] : memref<4xi8>
    // expected-error @below {{a float type, f32}}
    %1 = arith.sitofp %0 : i8 to f32
    %2 = arith.fptosi %1 : f32 to i8
    affine.store %2, %b[%i] : memref<4xi8>
  }
  return
}
// -----
func.func @two_writers(%a: memref<4xi8>, %b: memref<4xi8>) {
  affine.for %i = 0 to 2 {
    %0 = affine.load %a[%i] : memref<4xi8>
    affine.store %0, %b[%i] : memref<4xi8>
  }
  affine.for %i = 0 to 2 {
    %0 = affine.load %a[%i + 2] : memref<4xi8>
    // expected-error @below {{a buffer that two nests store}}
    affine.store %0, %b[%i + 2] : memref<4xi8>
  }
  return
}
// -----
func.func @unwritten(%a: memref<4xi8>, %b: memref<4xi8>) {
  %buffer = memref.alloc() : memref<4xi8>
  affine.for %i = 0 to 4 {
    // expected-error @below {{a load from a buffer that no nest before has stored}}
    %0 = affine.load %buffer[%i] : memref<4xi8>
    affine.store %0, %b[%i] : memref<4xi8>
  }
  return
}
// -----
func.func @into_the_image(%a: memref<4xi8>, %b: memref<4xi8>) {
  affine.for %i = 0 to 4 {
    %0 = affine.load %a[%i] : memref<4xi8>
    // expected-error @below {{a store into the image}}
    affine.store %0, %a[%i] : memref<4xi8>
  }
  return
}
// -----
memref.global "private" constant @table : memref<4xi8> = dense<1>
func.func @into_a_constant(%a: memref<4xi8>, %b: memref<4xi8>) {
  %table = memref.get_global @table : memref<4xi8>
  affine.for %i = 0 to 4 {
    %0 = affine.load %a[%i] : memref<4xi8>
    // expected-error @below {{a store into a constant}}
    affine.store %0, %table[%i] : memref<4xi8>
  }
  return
}
// -----
func.func @outside(%image: memref<4xi8>, %result: memref<4xi8>) {
  affine.for %x = 0 to 4 {
    // expected-error @below {{an access at index 4 of a dimension of 4 elements}}
    %0 = affine.load %image[%x + 1] : memref<4xi8>
    affine.store %0, %result[%x] : memref<4xi8>
  }
  return
}
// -----
// The sum begins one pixel too late.
func.func @begins_late(%image: memref<4x2xi8>, %result: memref<2xi8>) {
  %sum = memref.alloc() : memref<2xi8>
  %zero = arith.constant 0 : i8
  affine.for %x = 0 to 4 {
    affine.for %c = 0 to 2 {
      affine.if affine_set<(d) : (d - 1 == 0)>(%x) {
        affine.store %zero, %sum[%c] : memref<2xi8>
      }
      %0 = affine.load %image[%x, %c] : memref<4x2xi8>
      // expected-error @below {{a load of element [0], which nothing has stored before}}
      %1 = affine.load %sum[%c] : memref<2xi8>
      %2 = arith.addi %0, %1 : i8
      affine.store %2, %sum[%c] : memref<2xi8>
      affine.if affine_set<(d) : (d - 3 == 0)>(%x) {
        affine.store %2, %result[%c] : memref<2xi8>
      }
    }
  }
  return
}
// -----
// Only two of the rows are stored.
func.func @rows(%image: memref<4x2xi8>, %result: memref<4x2xi8>) {
  %map = memref.alloc() : memref<4x2xi8>
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 2 {
      affine.if affine_set<(d) : (-d + 1 >= 0)>(%y) {
        %0 = affine.load %image[%y, %x] : memref<4x2xi8>
        affine.store %0, %map[%y, %x] : memref<4x2xi8>
      }
    }
  }
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 2 {
      // expected-error @below {{a load of element [2, 0], which nothing has stored before}}
      %0 = affine.load %map[%y, %x] : memref<4x2xi8>
      affine.store %0, %result[%y, %x] : memref<4x2xi8>
    }
  }
  return
}
// -----
// expected-error @below {{3 elements of the result, of 4, that no nest stores}}
func.func @result(%image: memref<4xi8>, %result: memref<4xi8>) {
  affine.for %x = 0 to 4 {
    affine.if affine_set<(d) : (-d >= 0)>(%x) {
      %0 = affine.load %image[%x] : memref<4xi8>
      affine.store %0, %result[%x] : memref<4xi8>
    }
  }
  return
}
// -----
func.func @endless(%image: memref<4xi8>, %result: memref<4xi8>) {
  // expected-error @below {{a nest of 36,893,488,147,419,103,228 iterations, more than the 17,179,869,184 that end in a minute}}
  affine.for %x = 0 to 4 {
    affine.for %i = 0 to 9223372036854775807 {
      %0 = affine.load %image[%x] : memref<4xi8>
      affine.store %0, %result[%x] : memref<4xi8>
    }
  }
  return
}
// -----
func.func @shift(%image: memref<4xi8>, %result: memref<4xi8>) {
  %amount = arith.constant 8 : i8
  affine.for %x = 0 to 4 {
    %0 = affine.load %image[%x] : memref<4xi8>
    // expected-error @below {{a shift of 8 bits by 8}}
    %1 = arith.shrsi %0, %amount : i8
    affine.store %1, %result[%x] : memref<4xi8>
  }
  return
}
// -----
func.func @division(%image: memref<4xi8>, %result: memref<4xi8>) {
  %zero = arith.constant 0 : i8
  affine.for %x = 0 to 4 {
    %0 = affine.load %image[%x] : memref<4xi8>
    // expected-error @below {{a division by zero}}
    %1 = arith.divsi %0, %zero : i8
    affine.store %1, %result[%x] : memref<4xi8>
  }
  return
}
// -----
// A window whose last column is stored in the wrong row: one of its elements never is.
func.func @shifts(%image: memref<8xi8>, %result: memref<8xi8>) {
  %window = memref.alloc() : memref<3xi8>
  affine.for %x = 0 to 8 {
    affine.for %r = 0 to 1 {
      // expected-error @below {{a load of element [2], which nothing has stored before}}
      %0 = affine.load %window[%r + 2] : memref<3xi8>
      affine.store %0, %window[%r + 1] : memref<3xi8>
    }
    %1 = affine.load %image[%x] : memref<8xi8>
    affine.store %1, %window[0] : memref<3xi8>
    %2 = affine.load %window[0] : memref<3xi8>
    affine.store %2, %result[%x] : memref<8xi8>
  } {hls.pipeline}
  return
}
