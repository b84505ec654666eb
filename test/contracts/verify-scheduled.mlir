// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-scheduled)' --split-input-file | filecheck %s

// One pipelined loop, loops inside it unrolled whole, every array and constant placed, room in every stream.
// CHECK-LABEL: func.func @scheduled
memref.global "private" constant @offset : memref<4xi8> = dense<[1, 2, 3, 4]> {hls.lanes = 1 : i64, hls.storage = "rom_lutram"}
func.func @scheduled(%image: memref<8xi8>, %result: memref<8xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<4xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<4xi8>>
    "hls.source"(%image, %in) : (memref<8xi8>, !hls.stream<vector<4xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<4xi8>
      %offset = memref.get_global @offset : memref<4xi8>
      affine.for %x = 0 to 2 {
        "hls.read"(%in, %word) : (!hls.stream<vector<4xi8>>, memref<4xi8>) -> ()
        affine.for %l = 0 to 4 {
          %0 = affine.load %word[%l] : memref<4xi8>
          %1 = affine.load %offset[%l] : memref<4xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %word[%l] : memref<4xi8>
        } {hls.unroll = 4 : i64}
        "hls.write"(%word, %out) : (memref<4xi8>, !hls.stream<vector<4xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "shift"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<4xi8>>, memref<8xi8>) -> ()
  }) : () -> ()
  return
}
