// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-scheduled)' --split-input-file --verify-diagnostics

// What verify-dataflow refuses, this contract refuses, too.
func.func @words(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{stream 'in': 4 words are written and 3 read in a frame}}
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 3 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @not_pipelined(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    // expected-error @below {{'copy' has 0 pipelined loops, expected one}}
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @no_depth(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      // expected-error @below {{the loop of 'copy' without hls.depth}}
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline, hls.interval = 1 : i64}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @no_interval(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      // expected-error @below {{the loop of 'copy' without hls.interval}}
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline, hls.depth = 2 : i64}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @one_stage(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      // expected-error @below {{the loop of 'copy' with hls.depth = 1, not 2 at least}}
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline, hls.interval = 1 : i64, hls.depth = 1 : i64}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @not_unrolled(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        // expected-error @below {{a loop of 6 iterations inside the pipelined one, unrolled by 3}}
        affine.for %k = 0 to 6 {
          %0 = affine.load %word[0] : memref<1xi8>
          affine.store %0, %word[0] : memref<1xi8>
        } {hls.unroll = 3 : i64}
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @no_storage(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      // expected-error @below {{an array of 'copy' without hls.storage}}
      %word = memref.alloc() {hls.partition = []} : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @no_partition(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      // expected-error @below {{an array of 'copy' without hls.partition}}
      %word = memref.alloc() {hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// expected-error @below {{constant @offset has no hls.storage}}
memref.global "private" constant @offset : memref<4xi8> = dense<1>
func.func @constant(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @depth_of_one(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{stream 'in' has room for 1 words, expected 2 at least}}
    %in = "hls.fifo"() {depth = 1 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @wide_port(%image: memref<4xi16>, %result: memref<4xi16>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi16>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi16>>
    // expected-error @below {{a port of i16 elements, expected i8}}
    "hls.source"(%image, %in) : (memref<4xi16>, !hls.stream<vector<1xi16>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi16>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi16>>, memref<1xi16>) -> ()
        "hls.write"(%word, %out) : (memref<1xi16>, !hls.stream<vector<1xi16>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi16>>, memref<4xi16>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @deadlock(%image: memref<16xi8>, %result: memref<16xi8>) {
  "hls.dataflow"() ({
    %image_words = "hls.fifo"() {depth = 16 : i64, sym_name = "image"} : () -> !hls.stream<vector<1xi8>>
    %main = "hls.fifo"() {depth = 16 : i64, sym_name = "main"} : () -> !hls.stream<vector<1xi8>>
    // Eight words must fit before `sum` gives its first, or `fork` can never go on.
    // expected-error @below {{deadlock in cycle 11: 'fork' waits for room in full stream 'skip'; 'add' waits for a word of empty stream 'sums'; 'sum' waits for a word of empty stream 'main'}}
    %skip = "hls.fifo"() {depth = 7 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %sums = "hls.fifo"() {depth = 16 : i64, sym_name = "sums"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 16 : i64, sym_name = "result"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %image_words) : (memref<16xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 16 {
        "hls.read"(%image_words, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %main) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        "hls.write"(%word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "fork"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %sum = memref.alloc() {hls.lanes = 0 : i64, hls.partition = [], hls.storage = "register"} : memref<1xi8>
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
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "sum"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %b = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 16 {
        "hls.read"(%sums, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %a[0] : memref<1xi8>
        %1 = affine.load %b[0] : memref<1xi8>
        %2 = arith.addi %0, %1 : i8
        affine.store %2, %a[0] : memref<1xi8>
        "hls.write"(%a, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<16xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @deadlock_between_frames(%image: memref<1x8xi8>, %result: memref<1x8xi8>) {
  "hls.dataflow"() ({
    %image_words = "hls.fifo"() {depth = 8 : i64, sym_name = "image"} : () -> !hls.stream<vector<1xi8>>
    %main = "hls.fifo"() {depth = 32 : i64, sym_name = "main"} : () -> !hls.stream<vector<1xi8>>
    // Eight words fit, and one frame completes; but `late` gives the first of them when the next frame's first comes.
    // expected-error @below {{deadlock in cycle 12: 'fork' waits for room in full stream 'skip'; 'add' waits for a word of empty stream 'sums'; 'late' waits for a word of empty stream 'main'}}
    %skip = "hls.fifo"() {depth = 8 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %sums = "hls.fifo"() {depth = 8 : i64, sym_name = "sums"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "result"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %image_words) : (memref<1x8xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 8 {
        "hls.read"(%image_words, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %main) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        "hls.write"(%word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "fork"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %new = memref.alloc() {hls.lanes = 0 : i64, hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %old = memref.alloc() {hls.lanes = 0 : i64, hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %line = memref.alloc() {hls.lanes = 0 : i64, hls.partition = [], hls.storage = "lutram"} : memref<8xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 8 {
          affine.if affine_set<(d) : (-d >= 0)>(%y) {
            "hls.read"(%main, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %new[0] : memref<1xi8>
          }
          %1 = affine.load %line[%x] : memref<8xi8>
          affine.store %1, %old[0] : memref<1xi8>
          %2 = affine.load %new[0] : memref<1xi8>
          affine.store %2, %line[%x] : memref<8xi8>
          affine.if affine_set<(d) : (d - 1 >= 0)>(%y) {
            %3 = affine.load %old[0] : memref<1xi8>
            affine.store %3, %word[0] : memref<1xi8>
            "hls.write"(%word, %sums) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
      } {hls.overlap = 1 : i64}
    }) {sym_name = "late"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %b = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 8 {
        "hls.read"(%sums, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %a[0] : memref<1xi8>
        %1 = affine.load %b[0] : memref<1xi8>
        %2 = arith.addi %0, %1 : i8
        affine.store %2, %a[0] : memref<1xi8>
        "hls.write"(%a, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.pipeline}
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<1x8xi8>) -> ()
  }) : () -> ()
  return
}
