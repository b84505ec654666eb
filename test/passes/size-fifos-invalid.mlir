// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-size-fifos)' --split-input-file --verify-diagnostics

// expected-error @below {{expected one hls.dataflow, found 0}}
module {
}
// -----
func.func @read_too_little(%image: memref<4xi8>, %result: memref<2xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{stream 'in': 4 words are written and 2 read in a frame}}
    %in = "hls.fifo"() {depth = 4 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 4 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 2 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2xi8>) -> ()
  }) : () -> ()
  return
}
