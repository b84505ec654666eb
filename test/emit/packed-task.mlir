// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-pack-dsp,hls-place-memories,hls-pipeline-loops,hls-size-fifos,verify-scheduled)' | resnet-translate --emit-hls-cpp | filecheck %s

// Packed products in a cascade: nothing says that they are in a DSP slice, which would keep the additions out of it, and
// the sum is not balanced. Products in LUTs are variables of their own, as wide as their operands together.
// CHECK: // ===== tasks.cpp
// CHECK: #include "resnet_hls/packed.h"
// CHECK: resnet_hls::exact<48> product;
// CHECK: output_pairs: for (int output_pair = 0; output_pair < 2; ++output_pair) {
// CHECK-NEXT: #pragma HLS UNROLL
// CHECK-NEXT: product = 2097152;
// CHECK-NEXT: links: for (int link = 0; link < 3; ++link) {
// CHECK-NEXT: #pragma HLS UNROLL
// CHECK-NEXT: #pragma HLS EXPRESSION_BALANCE off
// CHECK-NEXT: const resnet_hls::exact<27> packed =
// CHECK-NEXT: resnet_hls::pack<27, 22>(weight[output_pair * 2 + 1][link], weight[output_pair * 2][link]);
// CHECK-NEXT: product += window_word.lane[link] * packed;
// CHECK-NEXT: }
// CHECK-NEXT: const resnet_hls::exact<48> value = product;
// CHECK-NEXT: low_sum = resnet_hls::low<22>(value);
// CHECK-NEXT: high_sum = resnet_hls::exact<13>(resnet_hls::high<22>(value));
// CHECK-NEXT: fabric_lanes: for (int fabric_lane = 0; fabric_lane < 2; ++fabric_lane) {
// CHECK-NEXT: #pragma HLS UNROLL
// CHECK-NEXT: const ap_int<8> value_2 = window_word.lane[fabric_lane + 3];
// CHECK-NEXT: const ap_int<16> product_2 = value_2 * weight[output_pair * 2][fabric_lane + 3];
// CHECK-NEXT: #pragma HLS BIND_OP variable=product_2 op=mul impl=fabric
// CHECK-NEXT: low_sum += product_2;
// CHECK-NEXT: const ap_int<16> product_3 = value_2 * weight[output_pair * 2 + 1][fabric_lane + 3];
// CHECK-NEXT: #pragma HLS BIND_OP variable=product_3 op=mul impl=fabric
// CHECK-NEXT: high_sum += product_3;
// CHECK-NEXT: }
// CHECK-NEXT: accumulator.lane[output_pair * 2] += low_sum;
// CHECK-NEXT: accumulator.lane[output_pair * 2 + 1] += high_sum;
memref.global "private" constant @weight_lanes : memref<4x5xi8> = dense<[[1, -2, 3, -4, 5], [6, -7, 8, 9, -9], [8, 7, 100, 7, 8], [9, -10, 11, -12, 13]]> {hls.lanes = 2 : i64}
func.func @fabric(%image: memref<4x5xi8>, %result: memref<4x4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 4 : i64, sym_name = "in"} : () -> !hls.stream<vector<5xi8>>
    %out = "hls.fifo"() {depth = 4 : i64, sym_name = "out"} : () -> !hls.stream<vector<4xi8>>
    "hls.source"(%image, %in) : (memref<4x5xi8>, !hls.stream<vector<5xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.lanes = 1 : i64, hls.name = "window_word"} : memref<5xi8>
      %acc = memref.alloc() {hls.lanes = 1 : i64, hls.name = "accumulator"} : memref<4xi32>
      %result_word = memref.alloc() : memref<4xi8>
      %weight = memref.get_global @weight_lanes : memref<4x5xi8>
      %total = memref.alloc() {hls.name = "sum"} : memref<i32>
      %zero = arith.constant 0 : i32
      %five = arith.constant 5 : i32
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<5xi8>>, memref<5xi8>) -> ()
        affine.for %o = 0 to 4 {
          affine.store %five, %acc[%o] : memref<4xi32>
        } {hls.label = "output_lanes", hls.unroll = 4 : i64}
        affine.for %o = 0 to 4 {
          affine.store %zero, %total[] : memref<i32>
          affine.for %i = 0 to 5 {
            %0 = affine.load %word[%i] : memref<5xi8>
            %1 = affine.load %weight[%o, %i] : memref<4x5xi8>
            %2 = arith.extsi %0 : i8 to i32
            %3 = arith.extsi %1 : i8 to i32
            %4 = arith.muli %2, %3 : i32
            %5 = affine.load %total[] : memref<i32>
            %6 = arith.addi %5, %4 : i32
            affine.store %6, %total[] : memref<i32>
          } {hls.label = "taps", hls.unroll = 5 : i64}
          %7 = affine.load %acc[%o] : memref<4xi32>
          %8 = affine.load %total[] : memref<i32>
          %9 = arith.addi %7, %8 : i32
          affine.store %9, %acc[%o] : memref<4xi32>
        } {hls.label = "output_lanes", hls.unroll = 4 : i64}
        affine.for %o = 0 to 4 {
          %10 = affine.load %acc[%o] : memref<4xi32>
          %11 = arith.shrsi %10, %five : i32
          %12 = arith.trunci %11 : i32 to i8
          affine.store %12, %result_word[%o] : memref<4xi8>
        } {hls.label = "output_lanes", hls.unroll = 4 : i64}
        "hls.write"(%result_word, %out) : (memref<4xi8>, !hls.stream<vector<4xi8>>) -> ()
      } {hls.pipeline}
    }) {hls.fabric = 2 : i64, sym_name = "fabric"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<4xi8>>, memref<4x4xi8>) -> ()
  }) : () -> ()
  return
}
