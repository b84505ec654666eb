// RUN: resnet-opt %s --split-input-file --pass-pipeline='builtin.module(hls-size-fifos)' --validate-each | filecheck %s
// RUN: resnet-opt %s --split-input-file --pass-pipeline='builtin.module(hls-size-fifos{minimum=4})' | filecheck %s --check-prefix=MINIMUM
// RUN: resnet-opt %s --split-input-file --pass-pipeline='builtin.module(hls-size-fifos{objective=latency})' | filecheck %s --check-prefix=LATENCY
// RUN: resnet-opt %s --split-input-file --pass-pipeline='builtin.module(hls-place-memories,hls-pipeline-loops,hls-size-fifos,verify-scheduled)' | filecheck %s

// The task `sum` needs 23 steps for a frame, so an image arrives in 23 cycles. Its first word comes in the step that
// takes the eighth; until it is there, words of the skip wait: those eight, and three that come in the meantime, while
// the sum passes the second stage of `sum`, its stream and the full flag of the skip. Its last seven steps read nothing:
// then `fork` waits, and the image in front of it, outside, because there is no room.
// CHECK-LABEL: @skip
// CHECK: depth = 2 : i64, hls.storage = "srl", sym_name = "image"
// CHECK: depth = 2 : i64, hls.storage = "srl", sym_name = "main"
// CHECK: depth = 11 : i64, hls.storage = "srl", sym_name = "skip"
// CHECK: depth = 2 : i64, hls.storage = "srl", sym_name = "sums"
// CHECK: depth = 2 : i64, hls.storage = "srl", sym_name = "result"
// MINIMUM: depth = 4 : i64, hls.storage = "srl", sym_name = "image"
// MINIMUM: depth = 11 : i64, hls.storage = "srl", sym_name = "skip"
// LATENCY: depth = 11 : i64, hls.storage = "srl", sym_name = "skip"
func.func @skip(%image: memref<16xi8>, %result: memref<16xi8>) {
  "hls.dataflow"() ({
    %image_words = "hls.fifo"() {depth = 16 : i64, sym_name = "image"} : () -> !hls.stream<vector<1xi8>>
    %main = "hls.fifo"() {depth = 16 : i64, sym_name = "main"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 16 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %sums = "hls.fifo"() {depth = 16 : i64, sym_name = "sums"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 16 : i64, sym_name = "result"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %image_words) : (memref<16xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 16 {
        "hls.read"(%image_words, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %main) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        "hls.write"(%word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "fork"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %sum = memref.alloc() {hls.lanes = 0 : i64} : memref<1xi8>
      %zero = arith.constant 0 : i8
      affine.for %x = 0 to 23 {
        affine.if affine_set<(d) : (d == 0)>(%x) {
          affine.store %zero, %sum[0] : memref<1xi8>
        }
        affine.if affine_set<(d) : (-d + 15 >= 0)>(%x) {
          "hls.read"(%main, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %word[0] : memref<1xi8>
          %1 = affine.load %sum[0] : memref<1xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %sum[0] : memref<1xi8>
        }
        affine.if affine_set<(d) : (d - 7 >= 0)>(%x) {
          %3 = affine.load %sum[0] : memref<1xi8>
          affine.store %3, %word[0] : memref<1xi8>
          "hls.write"(%word, %sums) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      } {hls.pipeline}
    }) {sym_name = "sum"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() : memref<1xi8>
      %b = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 16 {
        "hls.read"(%sums, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %a[0] : memref<1xi8>
        %1 = affine.load %b[0] : memref<1xi8>
        %2 = arith.addi %0, %1 : i8
        affine.store %2, %a[0] : memref<1xi8>
        "hls.write"(%a, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<16xi8>) -> ()
  }) : () -> ()
  return
}

// -----

// The same with a task on the skip that makes four bytes of one: what waits for the sums waits in front of it.
// CHECK-LABEL: @widened_skip
// CHECK: depth = 9 : i64, hls.storage = "srl", sym_name = "skip"
// CHECK: depth = 2 : i64, hls.storage = "srl", sym_name = "wide"
func.func @widened_skip(%image: memref<16xi8>, %result: memref<64xi8>) {
  "hls.dataflow"() ({
    %image_words = "hls.fifo"() {depth = 16 : i64, sym_name = "image"} : () -> !hls.stream<vector<1xi8>>
    %main = "hls.fifo"() {depth = 16 : i64, sym_name = "main"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 16 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %wide = "hls.fifo"() {depth = 16 : i64, sym_name = "wide"} : () -> !hls.stream<vector<4xi8>>
    %sums = "hls.fifo"() {depth = 16 : i64, sym_name = "sums"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 16 : i64, sym_name = "result"} : () -> !hls.stream<vector<4xi8>>
    "hls.source"(%image, %image_words) : (memref<16xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 16 {
        "hls.read"(%image_words, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %main) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        "hls.write"(%word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "fork"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %sum = memref.alloc() {hls.lanes = 0 : i64} : memref<1xi8>
      %zero = arith.constant 0 : i8
      affine.for %x = 0 to 23 {
        affine.if affine_set<(d) : (d == 0)>(%x) {
          affine.store %zero, %sum[0] : memref<1xi8>
        }
        affine.if affine_set<(d) : (-d + 15 >= 0)>(%x) {
          "hls.read"(%main, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %word[0] : memref<1xi8>
          %1 = affine.load %sum[0] : memref<1xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %sum[0] : memref<1xi8>
        }
        affine.if affine_set<(d) : (d - 7 >= 0)>(%x) {
          %3 = affine.load %sum[0] : memref<1xi8>
          affine.store %3, %word[0] : memref<1xi8>
          "hls.write"(%word, %sums) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      } {hls.pipeline}
    }) {sym_name = "sum"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %four = memref.alloc() {hls.lanes = 1 : i64} : memref<4xi8>
      affine.for %x = 0 to 16 {
        "hls.read"(%skip, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        affine.for %lane = 0 to 4 {
          affine.store %0, %four[%lane] : memref<4xi8>
        } {hls.unroll = 4 : i64}
        "hls.write"(%four, %wide) : (memref<4xi8>, !hls.stream<vector<4xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "widen"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() : memref<1xi8>
      %b = memref.alloc() {hls.lanes = 1 : i64} : memref<4xi8>
      affine.for %x = 0 to 16 {
        "hls.read"(%sums, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.read"(%wide, %b) : (!hls.stream<vector<4xi8>>, memref<4xi8>) -> ()
        %0 = affine.load %a[0] : memref<1xi8>
        affine.for %lane = 0 to 4 {
          %1 = affine.load %b[%lane] : memref<4xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %b[%lane] : memref<4xi8>
        } {hls.unroll = 4 : i64}
        "hls.write"(%b, %out) : (memref<4xi8>, !hls.stream<vector<4xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<4xi8>>, memref<64xi8>) -> ()
  }) : () -> ()
  return
}
