// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-channels-last)' --split-input-file --validate-each | filecheck %s

// A feature map 1 x 2 x 3 x 4 (channels first) becomes 1 x 3 x 4 x 2; elementwise loops follow its order.
// CHECK: #[[ID:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-NEXT: #[[BIAS:.*]] = affine_map<(d0, d1, d2, d3) -> (d3)>
// CHECK-LABEL: func.func @add(%arg0: tensor<1x3x4x2xi8>) -> tensor<1x3x4x2xi8> attributes {hls.layout = "nhwc"}
// CHECK: indexing_maps = [#[[ID]], #[[BIAS]], #[[ID]]]
#map = affine_map<(n, c, y, x) -> (n, c, y, x)>
#bias = affine_map<(n, c, y, x) -> (c)>
func.func @add(%image: tensor<1x2x3x4xi8>) -> tensor<1x2x3x4xi8> {
  %b = arith.constant dense<[1, 2]> : tensor<2xi8>
  %e = tensor.empty() : tensor<1x2x3x4xi8>
  %r = linalg.generic {indexing_maps = [#map, #bias, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%image, %b : tensor<1x2x3x4xi8>, tensor<2xi8>) outs(%e : tensor<1x2x3x4xi8>) {
  ^bb0(%v: i8, %w: i8, %o: i8):
    %0 = arith.addi %v, %w : i8
    linalg.yield %0 : i8
  } -> tensor<1x2x3x4xi8>
  return %r : tensor<1x2x3x4xi8>
}
// -----
// Weights F x C x KH x KW become KH x KW x C x F at compile time, the amounts of the padding are reordered.
// CHECK: #[[IN:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2 + d5, d3 + d6, d4)>
// CHECK-NEXT: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d5, d6, d4, d1)>
// CHECK-NEXT: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2, d3, d1)>
// CHECK-LABEL: func.func @convolution(%arg0: tensor<1x3x4x2xi8>) -> tensor<1x3x4x1xi32>
// CHECK: arith.constant dense<{{\[\[\[}}[1], [3]], {{\[\[}}2], [4]]]]> : tensor<1x2x2x1xi8>
// CHECK: tensor.pad %arg0 low[0, 0, 1, 0] high[0, 0, 0, 0]
// CHECK: indexing_maps = [#[[IN]], #[[W]], #[[OUT]]]
#in = affine_map<(n, f, y, x, c, ky, kx) -> (n, c, y + ky, x + kx)>
#weight = affine_map<(n, f, y, x, c, ky, kx) -> (f, c, ky, kx)>
#out = affine_map<(n, f, y, x, c, ky, kx) -> (n, f, y, x)>
func.func @convolution(%image: tensor<1x2x3x4xi8>) -> tensor<1x1x3x4xi32> {
  %zero = arith.constant 0 : i8
  %w = arith.constant dense<[[[[1, 2]], [[3, 4]]]]> : tensor<1x2x1x2xi8>
  %init = arith.constant dense<5> : tensor<1x1x3x4xi32>
  %padded = tensor.pad %image low[0, 0, 0, 1] high[0, 0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : i8
  } : tensor<1x2x3x4xi8> to tensor<1x2x3x5xi8>
  %r = linalg.generic {indexing_maps = [#in, #weight, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%padded, %w : tensor<1x2x3x5xi8>, tensor<1x2x1x2xi8>) outs(%init : tensor<1x1x3x4xi32>) {
  ^bb0(%v: i8, %k: i8, %o: i32):
    %0 = arith.extsi %v : i8 to i32
    %1 = arith.extsi %k : i8 to i32
    %2 = arith.muli %0, %1 : i32
    %3 = arith.addi %o, %2 : i32
    linalg.yield %3 : i32
  } -> tensor<1x1x3x4xi32>
  return %r : tensor<1x1x3x4xi32>
}
// -----
// A transposition disappears into the map of its user.
// CHECK-LABEL: func.func @transposed
// CHECK: linalg.generic
// CHECK-NOT: linalg.generic
#map = affine_map<(n, c, y, x) -> (n, c, y, x)>
#last = affine_map<(n, c, y, x) -> (n, y, x, c)>
func.func @transposed(%image: tensor<1x2x3x4xi8>) -> tensor<1x2x3x4xi8> {
  %e = tensor.empty() : tensor<1x3x4x2xi8>
  %t = linalg.generic {indexing_maps = [#map, #last], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%image : tensor<1x2x3x4xi8>) outs(%e : tensor<1x3x4x2xi8>) {
  ^bb0(%v: i8, %o: i8):
    linalg.yield %v : i8
  } -> tensor<1x3x4x2xi8>
  %e2 = tensor.empty() : tensor<1x2x3x4xi8>
  %r = linalg.generic {indexing_maps = [#last, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%t : tensor<1x3x4x2xi8>) outs(%e2 : tensor<1x2x3x4xi8>) {
  ^bb0(%v: i8, %o: i8):
    %0 = arith.addi %v, %v : i8
    linalg.yield %0 : i8
  } -> tensor<1x2x3x4xi8>
  return %r : tensor<1x2x3x4xi8>
}
// -----
// The rows of a classifier's weights follow the order in which a feature map of two channels is flattened.
// CHECK-LABEL: func.func @flattened(%arg0: tensor<1x1x2x2xi8>) -> tensor<1x1xi32>
// CHECK: dense<{{\[}}[1, 3, 2, 4]]> : tensor<1x4xi8>
#in = affine_map<(n, f, c) -> (n, c)>
#weight = affine_map<(n, f, c) -> (f, c)>
#out = affine_map<(n, f, c) -> (n, f)>
func.func @flattened(%image: tensor<1x2x1x2xi8>) -> tensor<1x1xi32> {
  %w = arith.constant dense<[[1, 2, 3, 4]]> : tensor<1x4xi8>
  %init = arith.constant dense<0> : tensor<1x1xi32>
  %flat = tensor.collapse_shape %image [[0], [1, 2, 3]] : tensor<1x2x1x2xi8> into tensor<1x4xi8>
  %r = linalg.generic {indexing_maps = [#in, #weight, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%flat, %w : tensor<1x4xi8>, tensor<1x4xi8>) outs(%init : tensor<1x1xi32>) {
  ^bb0(%v: i8, %k: i8, %o: i32):
    %0 = arith.extsi %v : i8 to i32
    %1 = arith.extsi %k : i8 to i32
    %2 = arith.muli %0, %1 : i32
    %3 = arith.addi %o, %2 : i32
    linalg.yield %3 : i32
  } -> tensor<1x1xi32>
  return %r : tensor<1x1xi32>
}
