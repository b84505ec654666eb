// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-lower-dataflow)' --split-input-file --verify-diagnostics

func.func @two_nests(%image: memref<2xi8>, %result: memref<2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<2xi8>, !hls.stream<vector<1xi8>>) -> ()
    // expected-error @below {{a task with 2 nests, expected one}}
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %i = 0 to 2 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
      }
      affine.for %i = 0 to 2 {
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @read_more_than_written(%image: memref<2xi8>, %result: memref<2xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{stream 'in': 2 words are written and 3 read in a frame}}
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %i = 0 to 3 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        affine.if affine_set<(d) : (d - 1 >= 0)>(%i) {
          "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2xi8>) -> ()
  }) : () -> ()
  return
}
