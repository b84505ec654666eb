// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-dataflow)' --split-input-file | filecheck %s

// Two tasks, one after the other; the second one multiplies by a constant of its own.
// CHECK-LABEL: func.func @two_tasks
// CHECK: "hls.dataflow"
memref.global "private" constant @factor : memref<1xi8> = dense<3>
func.func @two_tasks(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %between = "hls.fifo"() {depth = 2 : i64, sym_name = "between"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %between) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %factor = memref.get_global @factor : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%between, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        %1 = affine.load %factor[0] : memref<1xi8>
        %2 = arith.muli %0, %1 : i8
        affine.store %2, %word[0] : memref<1xi8>
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "triple"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// A window as large as the feature map is one: all of it is needed at once. Loops over taps tell.
// CHECK-LABEL: func.func @window
func.func @window(%image: memref<2000xi8>, %result: memref<2000xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2000 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<2000xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %window = memref.alloc() : memref<2000xi8>
      affine.for %x = 0 to 2000 {
        affine.for %k = 0 to 2000 {
          affine.if affine_set<(d) : (d == 0)>(%k) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %window[%x] : memref<2000xi8>
          }
          affine.if affine_set<(d) : (d - 1999 == 0)>(%x) {
            %0 = affine.load %window[%k] : memref<2000xi8>
            affine.store %0, %word[0] : memref<1xi8>
            "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.tap}
      }
    }) {sym_name = "window"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2000xi8>) -> ()
  }) : () -> ()
  return
}
