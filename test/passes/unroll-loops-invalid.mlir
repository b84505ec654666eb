// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-unroll-loops)' --split-input-file --verify-diagnostics

func.func @no_divisor(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      // expected-error @below {{unroll factor 4 does not divide the trip count 6}}
      affine.for %x = 0 to 6 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.unroll = 4 : i64}
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Differences of neighbours: a lane needs what the lane before it has left in %last, so lanes cannot run statement by
// statement.
func.func @neighbours(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %difference = memref.alloc() : memref<1xi8>
      %sum = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 6 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        // expected-error @below {{lanes of 'channel_groups' that share an element}}
        %1 = affine.load %sum[0] : memref<1xi8>
        %2 = arith.addi %0, %1 : i8
        affine.store %2, %sum[0] : memref<1xi8>
        %3 = affine.load %sum[0] : memref<1xi8>
        affine.store %3, %difference[0] : memref<1xi8>
        "hls.write"(%difference, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.unroll = 2 : i64}
    }) {sym_name = "running_sum"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// The third of six iterations is the first lane of the second group: nothing can stand between two lanes.
func.func @in_the_middle(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %one = arith.constant 1 : i8
      %word = memref.alloc() : memref<1xi8>
      %offset = memref.alloc() : memref<1xi8>
      %shifted = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 6 {
        affine.if affine_set<(d) : (d - 2 == 0)>(%x) {
          // expected-error @below {{an access between two lanes of an unrolled loop}}
          affine.store %one, %offset[0] : memref<1xi8>
        }
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        %1 = affine.load %offset[0] : memref<1xi8>
        %2 = arith.addi %0, %1 : i8
        affine.store %2, %shifted[0] : memref<1xi8>
        "hls.write"(%shifted, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.unroll = 2 : i64}
    }) {sym_name = "offset"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// The word that is written holds the sum as it was before and as it is after: its statements cannot all run first.
func.func @interleaved(%image: memref<6xi8>, %result: memref<12xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %sum = memref.alloc() : memref<1xi8>
      %both = memref.alloc() : memref<2xi8>
      affine.for %x = 0 to 6 {
        %0 = affine.load %sum[0] : memref<1xi8>
        affine.store %0, %both[0] : memref<2xi8>
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %1 = affine.load %word[0] : memref<1xi8>
        affine.store %1, %sum[0] : memref<1xi8>
        // expected-error @below {{an access that would no longer come in its turn}}
        %2 = affine.load %sum[0] : memref<1xi8>
        affine.store %2, %both[1] : memref<2xi8>
        "hls.write"(%both, %out) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
      }
    }) {sym_name = "before_and_after"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<2xi8>>, memref<12xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Words of two and three lanes: neither is a multiple of the other.
func.func @widths(%image: memref<6xi8>, %result: memref<6xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 6 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    // expected-error @below {{words of 2 and 3 lanes cannot be converted}}
    %between = "hls.fifo"() {depth = 6 : i64, sym_name = "between"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 6 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 6 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %between) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.unroll = 2 : i64}
    }) {sym_name = "first"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 6 {
        "hls.read"(%between, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.unroll = 3 : i64}
    }) {sym_name = "second"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<6xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// expected-error @below {{expected one hls.dataflow, found 0}}
module {
}
