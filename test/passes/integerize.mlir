// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-integerize,verify-integer-linalg)' --split-input-file --validate-each | filecheck %s

// The quantizer at the input and the dequantizer at the output become attributes; requantization from scale 1/8 to 1/2 is
// a shift by two that rounds half to even, (x + 1 + ((x >> 2) & 1)) >> 2.
// CHECK-LABEL: func.func @requantize(%arg0: tensor<8xi8>) -> tensor<8xi8>
// CHECK-SAME: hls.input = {max = 127 : i64, min = -128 : i64, scale = 1.250000e-01 : f64, signed = true}
// CHECK-SAME: hls.output = {max = 32 : i64, min = -32 : i64, scale = 5.000000e-01 : f64, signed = true}
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : i32
// CHECK-DAG: %[[C2:.*]] = arith.constant 2 : i32
// CHECK: linalg.generic
// CHECK-SAME: ins(%arg0 : tensor<8xi8>)
// CHECK: %[[X:.*]] = arith.extsi %in : i8 to i32
// CHECK-NEXT: %[[FLOOR:.*]] = arith.shrsi %[[X]], %[[C2]]
// CHECK-NEXT: %[[ODD:.*]] = arith.andi %[[FLOOR]], %[[C1]]
// CHECK-NEXT: %[[BIASED:.*]] = arith.addi %[[X]], %[[C1]]
// CHECK-NEXT: %[[SUM:.*]] = arith.addi %[[BIASED]], %[[ODD]]
// CHECK-NEXT: %[[ROUNDED:.*]] = arith.shrsi %[[SUM]], %[[C2]]
// The range [-32, 32] fits: nothing is clamped.
// CHECK-NEXT: arith.trunci %[[ROUNDED]] : i32 to i8
#map = affine_map<(d) -> (d)>
func.func @requantize(%image: tensor<8xf32>) -> tensor<8xf32> {
  %eighth = arith.constant 1.25e-01 : f32
  %half = arith.constant 5.0e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %i = tensor.empty() : tensor<8xi8>
  %f = tensor.empty() : tensor<8xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<8xf32>) outs(%i : tensor<8xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %eighth : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<8xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<8xi8>) outs(%f : tensor<8xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %eighth : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%i : tensor<8xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %half : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<8xi8>
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%r : tensor<8xi8>) outs(%f : tensor<8xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %half : f32
    linalg.yield %1 : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}
// -----
// An unsigned image limited to [0, 15] at scale 1: the limits before the rounding count, too. A matrix product on real
// numbers, with weights at scale 1/4 and a bias at the product's scale, becomes one on integers.
// CHECK-LABEL: func.func @product(%arg0: tensor<4xi8>) -> tensor<2xi32>
// CHECK-SAME: hls.input = {max = 15 : i64, min = 0 : i64, scale = 1.000000e+00 : f64, signed = false}
// CHECK-SAME: hls.output = {max = 67 : i64, min = -83 : i64, scale = 2.500000e-01 : f64, signed = true}
// CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<[7, -8]> : tensor<2xi32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x4xi8>
// CHECK: linalg.generic
// CHECK-SAME: ins(%arg0, %[[W]] : tensor<4xi8>, tensor<2x4xi8>) outs(%[[BIAS]] : tensor<2xi32>)
// CHECK: arith.extui %in : i8 to i32
// CHECK-NEXT: arith.extsi %{{.*}} : i8 to i32
// CHECK-NEXT: arith.muli
// CHECK-NEXT: arith.addi
#map = affine_map<(d) -> (d)>
#map2 = affine_map<(d, e) -> (d, e)>
#in = affine_map<(f, c) -> (c)>
#out = affine_map<(f, c) -> (f)>
func.func @product(%image: tensor<4xf32>) -> tensor<2xf32> {
  %quarter = arith.constant 2.5e-01 : f32
  %lo = arith.constant 0.0 : f32
  %hi = arith.constant 2.55e+02 : f32
  %limit = arith.constant 1.5e+01 : f32
  %w = arith.constant dense<[[1, 2, -3, 1], [-2, 0, -3, 4]]> : tensor<2x4xi8>
  %b = arith.constant dense<[7, -8]> : tensor<2xi32>
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %f2 = tensor.empty() : tensor<2x4xf32>
  %f3 = tensor.empty() : tensor<2xf32>
  %clipped = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %0 = arith.cmpf ugt, %v, %limit : f32
    %1 = arith.select %0, %limit, %v : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%clipped : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = math.roundeven %v : f32
    %1 = arith.maximumf %0, %lo : f32
    %2 = arith.minimumf %1, %hi : f32
    %3 = arith.fptoui %2 : f32 to i8
    linalg.yield %3 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.uitofp %v : i8 to f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %weights = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<2x4xi8>) outs(%f2 : tensor<2x4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %quarter : f32
    linalg.yield %1 : f32
  } -> tensor<2x4xf32>
  %bias = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%b : tensor<2xi32>) outs(%f3 : tensor<2xf32>) {
  ^bb0(%v: i32, %o: f32):
    %0 = arith.sitofp %v : i32 to f32
    %1 = arith.mulf %0, %quarter : f32
    linalg.yield %1 : f32
  } -> tensor<2xf32>
  %r = linalg.generic {indexing_maps = [#in, #map2, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x, %weights : tensor<4xf32>, tensor<2x4xf32>) outs(%bias : tensor<2xf32>) {
  ^bb0(%v: f32, %k: f32, %o: f32):
    %0 = arith.mulf %v, %k : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2xf32>
  return %r : tensor<2xf32>
}
