// An operation that has no C++ form is an error at its place, and nothing is printed or written.
// RUN: not resnet-translate %s --emit-hls-cpp > %t.out 2> %t.err
// RUN: filecheck %s < %t.err
// RUN: not filecheck %s --check-prefix=ANYTHING < %t.out
// RUN: not resnet-translate %s --emit-hls-cpp -o %t.folder
// RUN: not ls %t.folder
// CHECK: resnet-translate: error: {{.*}}unknown-op-invalid.mlir:20:14: 'arith.divsi' cannot be emitted as C++
// CHECK-NEXT: help:
// ANYTHING: {{.}}
func.func @divide(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [0], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        %1 = arith.divsi %0, %0 : i8
        affine.store %1, %word[0] : memref<1xi8>
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
