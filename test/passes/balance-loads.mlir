// RUN: resnet-opt %s --remarks --pass-pipeline='builtin.module(hls-balance{dsp=8 lut=1200 bram36=0 uram=8})' 2>&1 | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance{dsp=8 lut=1200 bram36=8 uram=8 target-cycles=2560})' | filecheck %s --check-prefix=BRAM
// RUN: not resnet-opt %s --pass-pipeline='builtin.module(hls-balance{dsp=8 lut=1200 bram36=0 uram=0 target-cycles=2560})' 2>&1 | filecheck %s --check-prefix=NONE
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-balance{target-cycles=2560 weights=uram})' | filecheck %s --check-prefix=WANTED
// RUN: not resnet-opt %s --pass-pipeline='builtin.module(hls-balance{weights=uram uram=0})' 2>&1 | filecheck %s --check-prefix=NO-URAM
// RUN: not resnet-opt %s --pass-pipeline='builtin.module(hls-balance{weights=uram family=7series})' 2>&1 | filecheck %s --check-prefix=SERIES7

// 4,096 bytes of weights: with a few LUTs and no block RAM nothing is as fast as with UltraRAM, two for words
// of sixteen bytes. Where block RAM will do, that is taken, for it needs no load.
// CHECK: a frame every 2,560 cycles with 8 DSP, {{.*}} 2 URAM (modelled), proven to be the least interval of these factors
// CHECK: @weight : {{.*}} {hls.storage = "uram"}
// BRAM: @weight : {{.*}} {hls.storage = "rom_bram"}
// NONE: 2,560 cycles need {{.*}} LUT for 1,200
// WANTED: @weight : {{.*}} {hls.storage = "uram"}
// NO-URAM: no UltraRAM for weights: none may be used
// SERIES7: no UltraRAM for weights: devices of the family 7series have none
memref.global "private" constant @weight : memref<64x64xi8> = dense<100>
memref.global "private" constant @bias : memref<64xi32> = dense<100>
func.func @product(%image: memref<10x64xi8>, %result: memref<10x64xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 640 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 640 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<10x64xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %input_word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %held = memref.alloc() {hls.name = "held"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "sum"} : memref<64xi32>
      %five = arith.constant 5 : i32
      %w = memref.get_global @weight : memref<64x64xi8>
      %b = memref.get_global @bias : memref<64xi32>
      affine.for %x = 0 to 10 {
        affine.for %i = 0 to 64 {
          affine.for %o = 0 to 64 {
            affine.if affine_set<(d) : (d == 0)>(%o) {
              "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
              %0 = affine.load %input_word[0] : memref<1xi8>
              affine.store %0, %held[0] : memref<1xi8>
            }
            affine.if affine_set<(d) : (d == 0)>(%i) {
              %0 = affine.load %b[%o] : memref<64xi32>
              affine.store %0, %sum[%o] : memref<64xi32>
            }
            %1 = affine.load %held[0] : memref<1xi8>
            %2 = affine.load %w[%i, %o] : memref<64x64xi8>
            %3 = affine.load %sum[%o] : memref<64xi32>
            %4 = arith.extsi %1 : i8 to i32
            %5 = arith.extsi %2 : i8 to i32
            %6 = arith.muli %4, %5 : i32
            %7 = arith.addi %3, %6 : i32
            affine.store %7, %sum[%o] : memref<64xi32>
            affine.if affine_set<(d) : (d - 63 == 0)>(%i) {
              %8 = affine.load %sum[%o] : memref<64xi32>
              %9 = arith.shrsi %8, %five : i32
              %10 = arith.trunci %9 : i32 to i8
              affine.store %10, %output_word[0] : memref<1xi8>
              "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }
          }
        }
      }
    }) {sym_name = "product"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<10x64xi8>) -> ()
  }) : () -> ()
  return
}
