// RUN: not resnet-translate %s --emit-hls-cpp 2>&1 | filecheck %s
// CHECK: error: {{.*}}: a port of i16 elements, expected i8
// CHECK-NEXT: help: begin and end the network with an 8-bit quantizer
func.func @wide(%image: memref<4xi16>, %result: memref<4xi16>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi16>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi16>>
    "hls.source"(%image, %in) : (memref<4xi16>, !hls.stream<vector<1xi16>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [0], hls.storage = "register"} : memref<1xi16>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi16>>, memref<1xi16>) -> ()
        "hls.write"(%word, %out) : (memref<1xi16>, !hls.stream<vector<1xi16>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi16>>, memref<4xi16>) -> ()
  }) : () -> ()
  return
}
