// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-bufferize)' --split-input-file --verify-diagnostics

func.func @slice(%image: tensor<4xi8>) -> tensor<2xi8> {
  // expected-error @below {{'tensor.extract_slice' cannot be bufferized}}
  %r = tensor.extract_slice %image[0] [2] [1] : tensor<4xi8> to tensor<2xi8>
  return %r : tensor<2xi8>
}
// -----
func.func @computed_padding(%image: tensor<4xi8>) -> tensor<6xi8> {
  // expected-error @below {{padding that is no constant, or twice with different values}}
  %r = tensor.pad %image low[1] high[1] {
  ^bb0(%i: index):
    %v = arith.index_cast %i : index to i8
    tensor.yield %v : i8
  } : tensor<4xi8> to tensor<6xi8>
  return %r : tensor<6xi8>
}
// -----
func.func @two_paddings(%image: tensor<4xi8>) -> tensor<8xi8> {
  %zero = arith.constant 0 : i8
  %one = arith.constant 1 : i8
  %0 = tensor.pad %image low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : i8
  } : tensor<4xi8> to tensor<6xi8>
  // expected-error @below {{padding that is no constant, or twice with different values}}
  %r = tensor.pad %0 low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %one : i8
  } : tensor<6xi8> to tensor<8xi8>
  return %r : tensor<8xi8>
}
