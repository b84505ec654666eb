// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance{lut=100})' --split-input-file --verify-diagnostics
// RUN: not resnet-opt %s --pass-pipeline='builtin.module(hls-balance{target-cycles=3})' 2>&1 | filecheck %s --check-prefix=TARGET
// RUN: not resnet-opt %s --pass-pipeline='builtin.module(hls-balance{target-cycles=10 dsp=2 lut=300})' 2>&1 | filecheck %s --check-prefix=FIT

// TARGET: no unroll factors reach 3 cycles
// TARGET-NEXT: help: ask for 25,000,000 frames a second (10 cycles); a clock of 833 MHz would do, if it can be met
// FIT: 10 cycles need {{.*}} LUT for 300
// FIT-NEXT: help: ask for {{.*}} frames a second ({{.*}} cycles); a clock of {{.*}} MHz would do, if it can be met; kv260 or ultra96v2 or zcu102 or zcu104 would do

// Two tasks have counters and a handshake each, whatever the factors.
// expected-error @below {{the smallest design needs}}
module {
memref.global "private" constant @w : memref<4x3xi8> = dense<1>
func.func @windows(%image: memref<10x4xi8>, %result: memref<8x4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 40 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %taps = "hls.fifo"() {depth = 96 : i64, sym_name = "taps"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 32 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<10x4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %input_word = memref.alloc() : memref<1xi8>
      %output_word = memref.alloc() : memref<1xi8>
      %window = memref.alloc() {hls.name = "window"} : memref<3x4xi8>
      affine.for %x = 0 to 10 {
        affine.for %c = 0 to 4 {
          affine.for %k = 0 to 3 {
            affine.if affine_set<(d) : (d == 0)>(%k) {
              affine.for %s = 0 to 2 {
                %0 = affine.load %window[%s + 1, %c] : memref<3x4xi8>
                affine.store %0, %window[%s, %c] : memref<3x4xi8>
              } {hls.unroll = 2 : i64}
            }
            affine.if affine_set<(d) : (d == 0)>(%k) {
              "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
              %0 = affine.load %input_word[0] : memref<1xi8>
              affine.store %0, %window[2, %c] : memref<3x4xi8>
            }
            affine.if affine_set<(d) : (d - 2 >= 0)>(%x) {
              %0 = affine.load %window[%k, %c] : memref<3x4xi8>
              affine.store %0, %output_word[0] : memref<1xi8>
              "hls.write"(%output_word, %taps) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }
          } {hls.pipeline, hls.tap}
        }
      }
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %input_word = memref.alloc() : memref<1xi8>
      %output_word = memref.alloc() : memref<1xi8>
      %sum = memref.alloc() {hls.name = "sum"} : memref<1xi32>
      %zero = arith.constant 0 : i32
      %w = memref.get_global @w : memref<4x3xi8>
      affine.for %x = 0 to 8 {
        affine.for %c = 0 to 4 {
          affine.for %k = 0 to 3 {
            affine.if affine_set<(d) : (d == 0)>(%k) {
              affine.store %zero, %sum[0] : memref<1xi32>
            }
            "hls.read"(%taps, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %input_word[0] : memref<1xi8>
            %1 = affine.load %w[%c, %k] : memref<4x3xi8>
            %2 = affine.load %sum[0] : memref<1xi32>
            %3 = arith.extsi %0 : i8 to i32
            %4 = arith.extsi %1 : i8 to i32
            %5 = arith.muli %3, %4 : i32
            %6 = arith.addi %2, %5 : i32
            affine.store %6, %sum[0] : memref<1xi32>
            affine.if affine_set<(d) : (d - 2 == 0)>(%k) {
              %7 = affine.load %sum[0] : memref<1xi32>
              %8 = arith.trunci %7 : i32 to i8
              affine.store %8, %output_word[0] : memref<1xi8>
              "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }
          } {hls.tap}
        }
      }
    }) {sym_name = "depthwise"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<8x4xi8>) -> ()
  }) : () -> ()
  return
}
}
