// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-place-memories)' --split-input-file | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-place-memories{luts-of-bram=0 register-depth=2})' --split-input-file | filecheck %s --check-prefix=SMALL
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-place-memories{weights=uram})' --split-input-file | filecheck %s --check-prefix=URAM

// Rows of a line buffer are banks, for a step touches all of them; a window is all banks. A bank of 16 addresses is LUT
// memory, and block RAM where that costs nothing. Words of streams and accumulators are registers.
// CHECK-LABEL: func.func @line_buffer
// CHECK: memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<2xi8>
// CHECK: memref.alloc() {hls.lanes = 1 : i64, hls.name = "line_buffer", hls.partition = [0], hls.storage = "lutram"} : memref<2x16x2xi8>
// CHECK: memref.alloc() {hls.lanes = 1 : i64, hls.name = "window", hls.partition = [0], hls.storage = "register"} : memref<3x2xi8>
// CHECK: memref.alloc() {hls.lanes = 0 : i64, hls.name = "accumulator", hls.partition = [], hls.storage = "register"} : memref<16xi32>
// SMALL: hls.name = "line_buffer", hls.partition = [0], hls.storage = "bram"}
// SMALL: hls.name = "window", hls.partition = [0], hls.storage = "register"}
func.func @line_buffer(%image: memref<16x2xi8>, %result: memref<16x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 16 : i64, sym_name = "in"} : () -> !hls.stream<vector<2xi8>>
    %out = "hls.fifo"() {depth = 16 : i64, sym_name = "out"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %in) : (memref<16x2xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<2xi8>
      %line = memref.alloc() {hls.lanes = 1 : i64, hls.name = "line_buffer"} : memref<2x16x2xi8>
      %window = memref.alloc() {hls.lanes = 1 : i64, hls.name = "window"} : memref<3x2xi8>
      %sum = memref.alloc() {hls.lanes = 0 : i64, hls.name = "accumulator"} : memref<16xi32>
      %zero = arith.constant 0 : i32
      affine.for %x = 0 to 16 {
        "hls.read"(%in, %word) : (!hls.stream<vector<2xi8>>, memref<2xi8>) -> ()
        affine.store %zero, %sum[%x] : memref<16xi32>
        affine.for %r = 0 to 2 {
          affine.for %l = 0 to 2 {
            %0 = affine.load %line[%r, %x, %l] : memref<2x16x2xi8>
            affine.store %0, %window[%r, %l] : memref<3x2xi8>
          } {hls.unroll = 2 : i64}
        } {hls.unroll = 2 : i64}
        "hls.write"(%word, %out) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "task"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<2xi8>>, memref<16x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Constants where they cost less, the last dimension being lanes; one that has a place keeps it.
// CHECK: @shallow : memref<4x16x8xi8> = {{.*}} {hls.lanes = 1 : i64, hls.storage = "rom_lutram"}
// CHECK: @deep : memref<64x16x8xi8> = {{.*}} {hls.lanes = 1 : i64, hls.storage = "rom_bram"}
// SMALL: @shallow : memref<4x16x8xi8> = {{.*}} {hls.lanes = 1 : i64, hls.storage = "rom_bram"}
// CHECK: @placed : memref<64x16x8xi8> = {{.*}} {hls.lanes = 1 : i64, hls.storage = "rom_lutram"}
// SMALL: @placed : memref<64x16x8xi8> = {{.*}} {hls.lanes = 1 : i64, hls.storage = "rom_lutram"}
// Or where they are wanted: in UltraRAM, but those that are small, and those of which a step takes all at once.
// URAM: @shallow : memref<4x16x8xi8> = {{.*}} {hls.lanes = 1 : i64, hls.storage = "uram"}
// URAM: @deep : memref<64x16x8xi8> = {{.*}} {hls.lanes = 1 : i64, hls.storage = "uram"}
// URAM: @placed : memref<64x16x8xi8> = {{.*}} {hls.lanes = 1 : i64, hls.storage = "rom_lutram"}
// URAM: @bias : memref<16xi32> = {{.*}} {hls.storage = "rom_lutram"}
// URAM: @at_once : memref<64x16x8xi8> = {{.*}} {hls.lanes = 3 : i64, hls.storage = "rom_lutram"}
memref.global "private" constant @shallow : memref<4x16x8xi8> = dense<1> {hls.lanes = 1 : i64}
memref.global "private" constant @deep : memref<64x16x8xi8> = dense<1> {hls.lanes = 1 : i64}
memref.global "private" constant @placed : memref<64x16x8xi8> = dense<1> {hls.lanes = 1 : i64, hls.storage = "rom_lutram"}
memref.global "private" constant @bias : memref<16xi32> = dense<1>
memref.global "private" constant @at_once : memref<64x16x8xi8> = dense<1> {hls.lanes = 3 : i64}
func.func @constants(%image: memref<80x8xi8>, %result: memref<80x8xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<8xi8>>
    "hls.source"(%image, %in) : (memref<80x8xi8>, !hls.stream<vector<8xi8>>) -> ()
    "hls.sink"(%in, %result) : (!hls.stream<vector<8xi8>>, memref<80x8xi8>) -> ()
  }) : () -> ()
  return
}
