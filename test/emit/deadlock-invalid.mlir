// What deadlocks is not emitted.
// RUN: not resnet-translate %s --emit-hls-cpp -o %t.folder 2>&1 | filecheck %s
// RUN: not ls %t.folder
// CHECK: resnet-translate: error: {{.*}}deadlock-invalid.mlir:9:13: deadlock in cycle 6: 'fork' waits for room in full stream 'skip'; 'join' waits for a word of empty stream 'sum'; 'sum' waits for a word of empty stream 'main'
// CHECK-NEXT: help: give stream 'skip' room for 4 words, or run hls-size-fifos
func.func @deadlock(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %image_words = "hls.fifo"() {depth = 2 : i64, sym_name = "image"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 2 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %main = "hls.fifo"() {depth = 2 : i64, sym_name = "main"} : () -> !hls.stream<vector<1xi8>>
    %sum = "hls.fifo"() {depth = 2 : i64, sym_name = "sum"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "result"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %image_words) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [0], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%image_words, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %main) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        "hls.write"(%word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "fork"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [0], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 7 {
        affine.if affine_set<(d) : (-d + 3 >= 0)>(%x) {
          "hls.read"(%main, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        }
        affine.if affine_set<(d) : (d - 3 >= 0)>(%x) {
          "hls.write"(%word, %sum) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "sum"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.partition = [0], hls.storage = "register"} : memref<1xi8>
      %b = memref.alloc() {hls.partition = [0], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%sum, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%a, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "join"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
