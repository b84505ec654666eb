// RUN: resnet-translate %s --emit-graph | filecheck %s

// Tasks are nodes, streams edges; the ports have tasks of their own.
// CHECK: digraph copy {
// CHECK: "read_input" [shape=box];
// CHECK-NEXT: "hand_on" [shape=box];
// CHECK-NEXT: "write_output" [shape=box];
// CHECK-NEXT: "read_input" -> "hand_on" [label="2 lanes, depth 3"];
// CHECK-NEXT: "hand_on" -> "write_output" [label="2 lanes, depth 2"];
// CHECK-NEXT: }
func.func @copy(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 3 : i64, sym_name = "in"} : () -> !hls.stream<vector<2xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<2xi8>
      affine.for %x = 0 to 2 {
        "hls.read"(%in, %word) : (!hls.stream<vector<2xi8>>, memref<2xi8>) -> ()
        "hls.write"(%word, %out) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "hand_on"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<2xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
