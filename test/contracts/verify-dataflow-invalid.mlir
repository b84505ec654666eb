// RUN: resnet-opt %s --pass-pipeline='builtin.module(verify-dataflow)' --split-input-file --verify-diagnostics

// expected-error @below {{expected one hls.dataflow, found 0}}
module {
  func.func @f(%image: memref<4xi8>, %result: memref<4xi8>) {
    return
  }
}
// -----
func.func @beside(%image: memref<4xi8>, %result: memref<4xi8>) {
  // expected-error @below {{'memref.alloc' beside the dataflow}}
  %map = memref.alloc() : memref<4xi8>
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
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
func.func @two_images(%image: memref<4xi8>, %result: memref<4xi8>) {
  // expected-error @below {{a dataflow with 2 'hls.source', expected one}}
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    %more = "hls.fifo"() {depth = 2 : i64, sym_name = "more"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %more) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.read"(%more, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @two_nests(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    // expected-error @below {{a task with 2 nests, expected one}}
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
      }
      affine.for %x = 0 to 4 {
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @not_perfect(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      // expected-error @below {{a nest that is not perfect}}
      affine.for %x = 0 to 2 {
        affine.for %y = 0 to 2 {
          "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
        %zero = arith.constant 0 : i8
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @outside_the_nest(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
      // expected-error @below {{'affine.load' in a task, outside its nest}}
      %0 = affine.load %word[0] : memref<1xi8>
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @other_operations(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 2 {
        affine.for %y = 0 to 2 {
          // expected-error @below {{'memref.load' in a task}}
          %0 = memref.load %word[%x] : memref<1xi8>
          "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
memref.global "private" constant @weight : memref<4xi8> = dense<1>
func.func @store_into_constant(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %weight = memref.get_global @weight : memref<4xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        // expected-error @below {{a store into a constant}}
        affine.store %0, %weight[%x] : memref<4xi8>
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @starts_at_one(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      // expected-error @below {{a loop that starts at 1}}
      affine.for %x = 1 to 5 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @words(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{stream 'in': 4 words are written and 5 read in a frame}}
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 5 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        affine.if affine_set<(d) : (d - 1 >= 0)>(%x) {
          "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @result_too_long(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    // expected-error @below {{stream 'out': 8 words are written and 4 read in a frame}}
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @cycle(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %there = "hls.fifo"() {depth = 2 : i64, sym_name = "there"} : () -> !hls.stream<vector<1xi8>>
    // expected-error @below {{stream 'back' runs backwards: 'b' writes it for 'a', which does not stand after it}}
    %back = "hls.fifo"() {depth = 2 : i64, sym_name = "back"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %there) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        "hls.read"(%back, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "a"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %x = 0 to 4 {
        "hls.read"(%there, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %back) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "b"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @feature_map(%image: memref<2000xi8>, %result: memref<2000xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<2000xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      // expected-error @below {{an array of 2000 elements in 'copy', whose streams carry 2000 in a frame}}
      %map = memref.alloc() : memref<2000xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 2000 {
          affine.if affine_set<(d) : (d == 0)>(%y) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %map[%x] : memref<2000xi8>
          }
          affine.if affine_set<(d) : (d - 1 == 0)>(%y) {
            %0 = affine.load %map[%x] : memref<2000xi8>
            affine.store %0, %word[0] : memref<1xi8>
            "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        }
      }
    }) {sym_name = "copy"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2000xi8>) -> ()
  }) : () -> ()
  return
}
