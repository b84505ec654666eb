// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-channels-last)' --split-input-file --verify-diagnostics

func.func @split(%image: tensor<1x2x3x4xi8>) -> tensor<2x12xi8> {
  // expected-error @below {{a reshape of a feature map other than flattening}}
  %r = tensor.collapse_shape %image [[0, 1], [2, 3]] : tensor<1x2x3x4xi8> into tensor<2x12xi8>
  return %r : tensor<2x12xi8>
}
// -----
#map = affine_map<(n, c) -> (n, c)>
func.func @flattened(%image: tensor<1x2x3x4xi8>) -> tensor<1x24xi8> {
  // expected-error @below {{a flattened feature map that is used by something else than a matrix product}}
  %flat = tensor.collapse_shape %image [[0], [1, 2, 3]] : tensor<1x2x3x4xi8> into tensor<1x24xi8>
  %e = tensor.empty() : tensor<1x24xi8>
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%flat : tensor<1x24xi8>) outs(%e : tensor<1x24xi8>) {
  ^bb0(%v: i8, %o: i8):
    linalg.yield %v : i8
  } -> tensor<1x24xi8>
  return %r : tensor<1x24xi8>
}
// -----
// A convolution that sums over channels and hands none on: the result has no channel.
#in = affine_map<(n, y, x, c) -> (n, c, y, x)>
#out = affine_map<(n, y, x, c) -> (n, 0, y, x)>
func.func @no_channel(%image: tensor<1x2x3x4xi8>) -> tensor<1x1x3x4xi8> {
  %init = arith.constant dense<0> : tensor<1x1x3x4xi8>
  // expected-error @below {{cannot tell which dimension of the result is the channel}}
  %r = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%image : tensor<1x2x3x4xi8>) outs(%init : tensor<1x1x3x4xi8>) {
  ^bb0(%v: i8, %o: i8):
    %0 = arith.maxsi %v, %o : i8
    linalg.yield %0 : i8
  } -> tensor<1x1x3x4xi8>
  return %r : tensor<1x1x3x4xi8>
}
