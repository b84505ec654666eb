// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-integer-linalg)' --split-input-file --verify-diagnostics

// expected-error @below {{expected one public func.func, found 2}}
module {
  func.func @one(%image: tensor<4xi8>) -> tensor<4xi8> { return %image : tensor<4xi8> }
  func.func @two(%image: tensor<4xi8>) -> tensor<4xi8> { return %image : tensor<4xi8> }
}
// -----
// expected-error @below {{expected one input and one result, found 2 inputs and 1 results}}
func.func @two_inputs(%a: tensor<4xi8>, %b: tensor<4xi8>) -> tensor<4xi8> {
  return %a : tensor<4xi8>
}
// -----
// expected-error @below {{expected tensors, found memref<4xi8>}}
func.func @memref(%a: memref<4xi8>) -> memref<4xi8> {
  return %a : memref<4xi8>
}
// -----
// expected-error @below {{a float type, tensor<4xf32>}}
func.func @float_input(%a: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}
// -----
// expected-error @below {{has a dynamic shape}}
func.func @dynamic(%a: tensor<?xi8>) -> tensor<?xi8> {
  return %a : tensor<?xi8>
}
// -----
#map = affine_map<(d) -> (d)>
func.func @float_body(%a: tensor<4xi8>) -> tensor<4xi8> {
  %e = tensor.empty() : tensor<4xi8>
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%a : tensor<4xi8>) outs(%e : tensor<4xi8>) {
  ^bb0(%v: i8, %o: i8):
    // expected-error @below {{a float type, f32}}
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.fptosi %0 : f32 to i8
    linalg.yield %1 : i8
  } -> tensor<4xi8>
  return %r : tensor<4xi8>
}
// -----
#map = affine_map<(d) -> (d)>
func.func @wide(%a: tensor<4xi8>) -> tensor<4xi8> {
  %e = tensor.empty() : tensor<4xi8>
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%a : tensor<4xi8>) outs(%e : tensor<4xi8>) {
  ^bb0(%v: i8, %o: i8):
    // expected-error @below {{i128 is not of 1, 8, 16 or 32 bits}}
    %0 = arith.extsi %v : i8 to i128
    %1 = arith.trunci %0 : i128 to i8
    linalg.yield %1 : i8
  } -> tensor<4xi8>
  return %r : tensor<4xi8>
}
// -----
#map = affine_map<(d) -> (d)>
func.func @division(%a: tensor<4xi8>) -> tensor<4xi8> {
  %e = tensor.empty() : tensor<4xi8>
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%a : tensor<4xi8>) outs(%e : tensor<4xi8>) {
  ^bb0(%v: i8, %o: i8):
    // expected-error @below {{'arith.divsi' is no integer operation of a body}}
    %0 = arith.divsi %v, %v : i8
    linalg.yield %0 : i8
  } -> tensor<4xi8>
  return %r : tensor<4xi8>
}
// -----
func.func @slice(%a: tensor<4xi8>) -> tensor<2xi8> {
  // expected-error @below {{'tensor.extract_slice' is no operation of integer linalg}}
  %0 = tensor.extract_slice %a[0] [2] [1] : tensor<4xi8> to tensor<2xi8>
  return %0 : tensor<2xi8>
}
// -----
func.func @named(%a: tensor<4xi8>) -> tensor<4xi8> {
  %e = tensor.empty() : tensor<4xi8>
  // expected-error @below {{'linalg.add' is no operation of integer linalg}}
  %0 = linalg.add ins(%a, %a : tensor<4xi8>, tensor<4xi8>) outs(%e : tensor<4xi8>) -> tensor<4xi8>
  return %0 : tensor<4xi8>
}
// -----
func.func @computed_padding(%a: tensor<4xi8>) -> tensor<6xi8> {
  // expected-error @below {{padding with a value that is no constant}}
  %0 = tensor.pad %a low[1] high[1] {
  ^bb0(%i: index):
    %v = arith.index_cast %i : index to i8
    tensor.yield %v : i8
  } : tensor<4xi8> to tensor<6xi8>
  return %0 : tensor<6xi8>
}
// -----
#in = affine_map<(f, c) -> (c)>
#weight = affine_map<(f, c) -> (f, c)>
#out = affine_map<(f, c) -> (f)>
func.func @unextended(%a: tensor<4xi8>) -> tensor<3xi8> {
  %w = arith.constant dense<1> : tensor<3x4xi8>
  %e = arith.constant dense<0> : tensor<3xi8>
  %r = linalg.generic {indexing_maps = [#in, #weight, #out], iterator_types = ["parallel", "reduction"]}
      ins(%a, %w : tensor<4xi8>, tensor<3x4xi8>) outs(%e : tensor<3xi8>) {
  ^bb0(%v: i8, %k: i8, %o: i8):
    // expected-error @below {{a product of i8, expected i32}}
    %0 = arith.muli %v, %k : i8
    %1 = arith.addi %o, %0 : i8
    linalg.yield %1 : i8
  } -> tensor<3xi8>
  return %r : tensor<3xi8>
}
// -----
#in = affine_map<(f, c) -> (c)>
#weight = affine_map<(f, c) -> (f, c)>
#out = affine_map<(f, c) -> (f)>
func.func @wide_factor(%a: tensor<4xi16>) -> tensor<3xi32> {
  %w = arith.constant dense<1> : tensor<3x4xi8>
  %e = arith.constant dense<0> : tensor<3xi32>
  %r = linalg.generic {indexing_maps = [#in, #weight, #out], iterator_types = ["parallel", "reduction"]}
      ins(%a, %w : tensor<4xi16>, tensor<3x4xi8>) outs(%e : tensor<3xi32>) {
  ^bb0(%v: i16, %k: i8, %o: i32):
    %0 = arith.extsi %v : i16 to i32
    %1 = arith.extsi %k : i8 to i32
    // expected-error @below {{a factor of i16, expected i8}}
    %2 = arith.muli %0, %1 : i32
    %3 = arith.addi %o, %2 : i32
    linalg.yield %3 : i32
  } -> tensor<3xi32>
  return %r : tensor<3xi32>
}
// -----
#in = affine_map<(f, c) -> (c)>
#weight = affine_map<(f, c) -> (f, c)>
#out = affine_map<(f, c) -> (f)>
func.func @two_activations(%a: tensor<3x4xi8>) -> tensor<3xi32> {
  %w = arith.constant dense<1> : tensor<4xi8>
  %e = arith.constant dense<0> : tensor<3xi32>
  // expected-error @below {{weights that are no constant}}
  %r = linalg.generic {indexing_maps = [#in, #weight, #out], iterator_types = ["parallel", "reduction"]}
      ins(%w, %a : tensor<4xi8>, tensor<3x4xi8>) outs(%e : tensor<3xi32>) {
  ^bb0(%v: i8, %k: i8, %o: i32):
    %0 = arith.extsi %v : i8 to i32
    %1 = arith.extsi %k : i8 to i32
    %2 = arith.muli %0, %1 : i32
    %3 = arith.addi %o, %2 : i32
    linalg.yield %3 : i32
  } -> tensor<3xi32>
  return %r : tensor<3xi32>
}
// -----
#in = affine_map<(f, c) -> (f, c)>
#out = affine_map<(f, c) -> (f)>
func.func @unknown_reduction(%a: tensor<3x4xi8>) -> tensor<3xi8> {
  %e = arith.constant dense<0> : tensor<3xi8>
  // expected-error @below {{a reduction that is neither a sum of products, a sum, nor a maximum}}
  %r = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction"]}
      ins(%a : tensor<3x4xi8>) outs(%e : tensor<3xi8>) {
  ^bb0(%v: i8, %o: i8):
    %0 = arith.xori %o, %v : i8
    linalg.yield %0 : i8
  } -> tensor<3xi8>
  return %r : tensor<3xi8>
}
