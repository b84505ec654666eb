// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-bufferize)' --split-input-file --validate-each | filecheck %s

// The result is the last argument; a loop of one iteration is left out.
// CHECK-LABEL: func.func @add(%arg0: memref<1x3x4x2xi8>, %arg1: memref<1x3x4x2xi8>)
// CHECK: %[[B:.*]] = memref.get_global @constant : memref<2xi8>
// CHECK: affine.for %[[Y:.*]] = 0 to 3
// CHECK-NEXT: affine.for %[[X:.*]] = 0 to 4
// CHECK-NEXT: affine.for %[[C:.*]] = 0 to 2
// CHECK-NEXT: affine.load %arg0[0, %[[Y]], %[[X]], %[[C]]]
// CHECK-NEXT: affine.load %[[B]][%[[C]]]
// CHECK-NEXT: arith.addi
// CHECK-NEXT: affine.store %{{.*}}, %arg1[0, %[[Y]], %[[X]], %[[C]]]
#map = affine_map<(n, y, x, c) -> (n, y, x, c)>
#bias = affine_map<(n, y, x, c) -> (c)>
func.func @add(%image: tensor<1x3x4x2xi8>) -> tensor<1x3x4x2xi8> {
  %b = arith.constant dense<[1, 2]> : tensor<2xi8>
  %e = tensor.empty() : tensor<1x3x4x2xi8>
  %r = linalg.generic {indexing_maps = [#map, #bias, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%image, %b : tensor<1x3x4x2xi8>, tensor<2xi8>) outs(%e : tensor<1x3x4x2xi8>) {
  ^bb0(%v: i8, %w: i8, %o: i8):
    %0 = arith.addi %v, %w : i8
    linalg.yield %0 : i8
  } -> tensor<1x3x4x2xi8>
  return %r : tensor<1x3x4x2xi8>
}
// -----
// Padding is a guard on the load; an accumulator that starts from a constant is a buffer of its own, filled by a nest.
// CHECK: #[[INSIDE:.*]] = affine_set<(d0, d1) : (d0 + d1 - 1 >= 0, -d0 - d1 + 4 >= 0)>
// CHECK-LABEL: func.func @sum
// CHECK: %[[ACC:.*]] = memref.alloc() : memref<4xi8>
// CHECK: affine.for %[[X:.*]] = 0 to 4
// CHECK-NEXT: affine.store %c5_i8, %[[ACC]][%[[X]]]
// CHECK: affine.for %[[X:.*]] = 0 to 4
// CHECK-NEXT: affine.for %[[K:.*]] = 0 to 3
// CHECK-NEXT: affine.if #[[INSIDE]](%[[X]], %[[K]]) -> i8
// CHECK-NEXT: affine.load %arg0[%[[X]] + %[[K]] - 1]
// CHECK: } else {
// CHECK-NEXT: affine.yield %c7_i8
// CHECK: affine.load %[[ACC]][%[[X]]]
// CHECK: affine.store %{{.*}}, %[[ACC]][%[[X]]]
#in = affine_map<(x, k) -> (x + k)>
#window = affine_map<(x, k) -> (k)>
#out = affine_map<(x, k) -> (x)>
func.func @sum(%image: tensor<4xi8>) -> tensor<4xi8> {
  %seven = arith.constant 7 : i8
  %init = arith.constant dense<5> : tensor<4xi8>
  %k = tensor.empty() : tensor<3xi8>
  %padded = tensor.pad %image low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %seven : i8
  } : tensor<4xi8> to tensor<6xi8>
  %r = linalg.generic {indexing_maps = [#in, #window, #out], iterator_types = ["parallel", "reduction"]}
      ins(%padded, %k : tensor<6xi8>, tensor<3xi8>) outs(%init : tensor<4xi8>) {
  ^bb0(%v: i8, %w: i8, %o: i8):
    %0 = arith.addi %o, %v : i8
    linalg.yield %0 : i8
  } -> tensor<4xi8>
  return %r : tensor<4xi8>
}
// -----
// A reshape is index arithmetic, no buffer.
// CHECK-LABEL: func.func @flatten(%arg0: memref<3x4xi8>, %arg1: memref<12xi8>)
// CHECK-NOT: memref.alloc
// CHECK: affine.for %[[I:.*]] = 0 to 12
// CHECK-NEXT: affine.load %arg0[%[[I]] floordiv 4, %[[I]] mod 4]
#id = affine_map<(d) -> (d)>
func.func @flatten(%image: tensor<3x4xi8>) -> tensor<12xi8> {
  %flat = tensor.collapse_shape %image [[0, 1]] : tensor<3x4xi8> into tensor<12xi8>
  %e = tensor.empty() : tensor<12xi8>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%flat : tensor<12xi8>) outs(%e : tensor<12xi8>) {
  ^bb0(%v: i8, %o: i8):
    %0 = arith.addi %v, %v : i8
    linalg.yield %0 : i8
  } -> tensor<12xi8>
  return %r : tensor<12xi8>
}
// -----
// A concatenation is one nest, a guarded load per part.
// CHECK-LABEL: func.func @concat(%arg0: memref<2x3xi8>, %arg1: memref<2x6xi8>)
// CHECK: affine.for %[[Y:.*]] = 0 to 2
// CHECK-NEXT: affine.for %[[C:.*]] = 0 to 6
// CHECK-NEXT: affine.if
// CHECK-NEXT: affine.load %arg0[%[[Y]], %[[C]]]
// CHECK: } else {
// CHECK-NEXT: affine.load %arg0[%[[Y]], %[[C]] - 3]
// CHECK: affine.store %{{.*}}, %arg1[%[[Y]], %[[C]]]
func.func @concat(%image: tensor<2x3xi8>) -> tensor<2x6xi8> {
  %r = tensor.concat dim(1) %image, %image : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x6xi8>
  return %r : tensor<2x6xi8>
}
// -----
// Nothing but the image: it is copied.
// CHECK-LABEL: func.func @copy(%arg0: memref<4xi8>, %arg1: memref<4xi8>)
// CHECK: affine.load %arg0
// CHECK-NEXT: affine.store %{{.*}}, %arg1
func.func @copy(%image: tensor<4xi8>) -> tensor<4xi8> {
  return %image : tensor<4xi8>
}
