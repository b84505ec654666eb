// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-integerize)' --split-input-file --verify-diagnostics

// expected-error @below {{expected one float input}}
func.func @integers(%image: tensor<4xi8>) -> tensor<4xi8> {
  return %image : tensor<4xi8>
}
// -----
#map = affine_map<(d) -> (d)>
func.func @float_model(%image: tensor<4xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %f = tensor.empty() : tensor<4xf32>
  %g = tensor.empty() : tensor<f32>
  // expected-error @below {{the input image reaches this operation without being quantized}}
  %x = linalg.generic {indexing_maps = [#map, affine_map<(d) -> ()>], iterator_types = ["reduction"]} ins(%image : tensor<4xf32>) outs(%g : tensor<f32>) {
  ^bb0(%v: f32, %o: f32):
    %0 = arith.addf %v, %o : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  return %x : tensor<f32>
}
// -----
// expected-error @below {{the input image is not quantized first}}
func.func @ignored(%image: tensor<4xf32>) -> tensor<4xf32> {
  %y = arith.constant dense<0.0> : tensor<4xf32>
  return %y : tensor<4xf32>
}
// -----
#map = affine_map<(d) -> (d)>
// expected-error @below {{the input image is quantized in several ways}}
func.func @two_scales(%image: tensor<4xf32>) -> tensor<4xf32> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 2.5e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %other : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %b = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%r : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %other : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]} ins(%x, %b : tensor<4xf32>, tensor<4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %0 = arith.addf %v, %w : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
// -----
// Quantizers of a sum at scales that are no power of two apart.
#map = affine_map<(d) -> (d)>
func.func @unequal_skip(%image: tensor<4xf32>) -> tensor<4xf32> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 7.0e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  %a = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %b = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%a : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %other : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  // expected-error @below {{no exact integer form: scales 0.699999988 and 2^-1 differ by no power of two}}
  %y = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]} ins(%x, %b : tensor<4xf32>, tensor<4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %0 = arith.addf %v, %w : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
// -----
// Weight scales per channel, as the importer leaves them: a multiplication by a constant tensor.
#map = affine_map<(d) -> (d)>
func.func @per_channel(%image: tensor<4xf32>) -> tensor<4xf32> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 7.0e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %scales = arith.constant dense<[1.0, 2.0, 4.0, 8.0]> : tensor<4xf32>
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  // expected-error @below {{no exact integer form: a product with something else than one positive constant (scales per channel, or two activations)}}
  %y = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]} ins(%x, %scales : tensor<4xf32>, tensor<4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %0 = arith.mulf %v, %w : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
// -----
#map = affine_map<(d) -> (d)>
func.func @float_constant(%image: tensor<4xf32>) -> tensor<4xf32> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 7.0e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %scales = arith.constant dense<[0.1, 0.2, 0.3, 0.4]> : tensor<4xf32>
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  // expected-error @below {{no exact integer form: an intermediate value needs the range [-8589934592, 8522825728], more than 32 bits hold}}
  %y = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]} ins(%x, %scales : tensor<4xf32>, tensor<4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %0 = arith.addf %v, %w : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
// -----
#map = affine_map<(d) -> (d)>
func.func @unrounded(%image: tensor<4xf32>) -> tensor<4xf32> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 2.0 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  // expected-error @below {{no exact integer form: a conversion to integers without rounding}}
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %other : f32
    %1 = arith.minimumf %0, %hi : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%r : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
// -----
// 127 * 512 does not fit eight bits, and nothing limits it.
#map = affine_map<(d) -> (d)>
func.func @unsaturated(%image: tensor<4xf32>) -> tensor<4xf32> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 9.765625e-04 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  // expected-error @below {{no exact integer form: values in [-128, 1000] are converted to 8-bit integers without saturation}}
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %other : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %big : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%r : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
// -----
#map = affine_map<(d) -> (d)>
// expected-error @below {{the result is not dequantized}}
func.func @integer_result(%image: tensor<4xf32>) -> tensor<4xi8> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 7.0e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  return %q : tensor<4xi8>
}
// -----
#map = affine_map<(d) -> (d)>
func.func @unknown(%image: tensor<4xf32>) -> tensor<4xf32> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 7.0e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  // expected-error @below {{no exact integer form: the operation math.exp}}
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %0 = math.exp %v : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
// -----
#map = affine_map<(d) -> (d)>
// What says that an index is inside is kept, and has no range.
func.func @asserted(%image: tensor<4xf32>) -> tensor<4xf32> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 7.0e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %zero = arith.constant 0 : i8
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: i8, %o: i8):
    %0 = arith.cmpi sge, %v, %zero : i8
    cf.assert %0, "an index below zero"
    linalg.yield %v : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%r : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  // expected-error @below {{no exact integer form: the operation math.exp}}
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %0 = math.exp %v : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
// -----
#map = affine_map<(d) -> (d)>
func.func @slice(%image: tensor<4xf32>) -> tensor<2xf32> {
  %scale = arith.constant 5.0e-01 : f32
  %other = arith.constant 7.0e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %big = arith.constant 1.0e+03 : f32
  %i = tensor.empty() : tensor<4xi8>
  %f = tensor.empty() : tensor<4xf32>
  %q = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%image : tensor<4xf32>) outs(%i : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %0 = arith.divf %v, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maximumf %1, %lo : f32
    %3 = arith.minimumf %2, %hi : f32
    %4 = arith.fptosi %3 : f32 to i8
    linalg.yield %4 : i8
  } -> tensor<4xi8>
  %x = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%q : tensor<4xi8>) outs(%f : tensor<4xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %scale : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  // expected-error @below {{'tensor.extract_slice' on real numbers has no integer form here}}
  %y = tensor.extract_slice %x[0] [2] [1] : tensor<4xf32> to tensor<2xf32>
  return %y : tensor<2xf32>
}
