// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-integer-linalg)' --split-input-file | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-channels-last,verify-integer-linalg)' --split-input-file --validate-each

// A padded convolution with bias and ReLU. The contract changes nothing.
// CHECK-LABEL: func.func @convolution
// CHECK: tensor.pad
// CHECK: arith.muli
// CHECK: arith.trunci
#bias = affine_map<(n, f, y, x) -> (f)>
#map = affine_map<(n, f, y, x) -> (n, f, y, x)>
#in = affine_map<(n, f, y, x, c, ky, kx) -> (n, c, y + ky, x + kx)>
#weight = affine_map<(n, f, y, x, c, ky, kx) -> (f, c, ky, kx)>
#out = affine_map<(n, f, y, x, c, ky, kx) -> (n, f, y, x)>
func.func @convolution(%image: tensor<1x2x4x4xi8>) -> tensor<1x3x4x4xi8> {
  %zero = arith.constant 0 : i8
  %zero_i32 = arith.constant 0 : i32
  %shift = arith.constant 4 : i32
  %w = arith.constant dense<3> : tensor<3x2x3x3xi8>
  %b = arith.constant dense<[1, 2, 3]> : tensor<3xi16>
  %padded = tensor.pad %image low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : i8
  } : tensor<1x2x4x4xi8> to tensor<1x2x6x6xi8>
  %e = tensor.empty() : tensor<1x3x4x4xi32>
  %init = linalg.generic {indexing_maps = [#bias, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%b : tensor<3xi16>) outs(%e : tensor<1x3x4x4xi32>) {
  ^bb0(%v: i16, %o: i32):
    %0 = arith.extsi %v : i16 to i32
    linalg.yield %0 : i32
  } -> tensor<1x3x4x4xi32>
  %acc = linalg.generic {indexing_maps = [#in, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%padded, %w : tensor<1x2x6x6xi8>, tensor<3x2x3x3xi8>) outs(%init : tensor<1x3x4x4xi32>) {
  ^bb0(%v: i8, %k: i8, %o: i32):
    %0 = arith.extui %v : i8 to i32
    %1 = arith.extsi %k : i8 to i32
    %2 = arith.muli %0, %1 : i32
    %3 = arith.addi %o, %2 : i32
    linalg.yield %3 : i32
  } -> tensor<1x3x4x4xi32>
  %q = tensor.empty() : tensor<1x3x4x4xi8>
  %result = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%acc : tensor<1x3x4x4xi32>) outs(%q : tensor<1x3x4x4xi8>) {
  ^bb0(%v: i32, %o: i8):
    %0 = arith.maxsi %v, %zero_i32 : i32
    %1 = arith.shrsi %0, %shift : i32
    %2 = arith.trunci %1 : i32 to i8
    linalg.yield %2 : i8
  } -> tensor<1x3x4x4xi8>
  return %result : tensor<1x3x4x4xi8>
}
// -----
// CHECK-LABEL: func.func @nothing
func.func @nothing(%image: tensor<1x2x4x4xi8>) -> tensor<1x2x4x4xi8> {
  return %image : tensor<1x2x4x4xi8>
}
