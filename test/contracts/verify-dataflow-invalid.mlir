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
// -----
func.func @overlaps_too_far(%image: memref<4x2xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 8 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %below = "hls.fifo"() {depth = 8 : i64, sym_name = "below"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 8 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4x2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %window_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %skip_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %column = memref.alloc() {hls.name = "column"} : memref<3xi8>
      %line = memref.alloc() {hls.name = "line_buffer"} : memref<2x2xi8>
      %zero = arith.constant 0 : i8
      // expected-error @below {{4 of 6 iterations that overlap the next frame's}}
      affine.for %y = 0 to 6 {
        affine.for %x = 0 to 2 {
          affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %column[2] : memref<3xi8>
          }
          affine.for %r = 0 to 2 {
            %0 = affine.load %line[%r, %x] : memref<2x2xi8>
            affine.store %0, %column[%r] : memref<3xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.for %r = 0 to 2 {
            %0 = affine.load %column[%r + 1] : memref<3xi8>
            affine.store %0, %line[%r, %x] : memref<2x2xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.if affine_set<(d) : (d - 1 >= 0, -d + 4 >= 0)>(%y) {
            %0 = affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) -> i8 {
              %1 = affine.load %column[2] : memref<3xi8>
              affine.yield %1 : i8
            } else {
              affine.yield %zero : i8
            }
            affine.store %0, %window_word[0] : memref<1xi8>
            "hls.write"(%window_word, %below) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
          affine.if affine_set<(d) : (d - 2 >= 0)>(%y) {
            %0 = affine.load %column[0] : memref<3xi8>
            affine.store %0, %skip_word[0] : memref<1xi8>
            "hls.write"(%skip_word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.pipeline}
      } {hls.overlap = 4 : i64}
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.name = "below_word"} : memref<1xi8>
      %b = memref.alloc() {hls.name = "skip_word"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      affine.for %y = 0 to 4 {
        affine.for %x = 0 to 2 {
          "hls.read"(%below, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %a[0] : memref<1xi8>
          %1 = affine.load %b[0] : memref<1xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %sum[0] : memref<1xi8>
          "hls.write"(%sum, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @overlaps_inside(%image: memref<4x2xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 8 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %below = "hls.fifo"() {depth = 8 : i64, sym_name = "below"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 8 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4x2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %window_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %skip_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %column = memref.alloc() {hls.name = "column"} : memref<3xi8>
      %line = memref.alloc() {hls.name = "line_buffer"} : memref<2x2xi8>
      %zero = arith.constant 0 : i8
      affine.for %y = 0 to 6 {
        // expected-error @below {{only the outermost loop may overlap frames}}
        affine.for %x = 0 to 2 {
          affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %column[2] : memref<3xi8>
          }
          affine.for %r = 0 to 2 {
            %0 = affine.load %line[%r, %x] : memref<2x2xi8>
            affine.store %0, %column[%r] : memref<3xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.for %r = 0 to 2 {
            %0 = affine.load %column[%r + 1] : memref<3xi8>
            affine.store %0, %line[%r, %x] : memref<2x2xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.if affine_set<(d) : (d - 1 >= 0, -d + 4 >= 0)>(%y) {
            %0 = affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) -> i8 {
              %1 = affine.load %column[2] : memref<3xi8>
              affine.yield %1 : i8
            } else {
              affine.yield %zero : i8
            }
            affine.store %0, %window_word[0] : memref<1xi8>
            "hls.write"(%window_word, %below) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
          affine.if affine_set<(d) : (d - 2 >= 0)>(%y) {
            %0 = affine.load %column[0] : memref<3xi8>
            affine.store %0, %skip_word[0] : memref<1xi8>
            "hls.write"(%skip_word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.overlap = 1 : i64, hls.pipeline}
      }
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.name = "below_word"} : memref<1xi8>
      %b = memref.alloc() {hls.name = "skip_word"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      affine.for %y = 0 to 4 {
        affine.for %x = 0 to 2 {
          "hls.read"(%below, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %a[0] : memref<1xi8>
          %1 = affine.load %b[0] : memref<1xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %sum[0] : memref<1xi8>
          "hls.write"(%sum, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @reads_late(%image: memref<4x2xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 8 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %below = "hls.fifo"() {depth = 8 : i64, sym_name = "below"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 8 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4x2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %window_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %skip_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %column = memref.alloc() {hls.name = "column"} : memref<3xi8>
      %line = memref.alloc() {hls.name = "line_buffer"} : memref<2x2xi8>
      %zero = arith.constant 0 : i8
      affine.for %y = 0 to 6 {
        affine.for %x = 0 to 2 {
          // expected-error @below {{a word is read in iterations 2 to 5, where frames overlap from 4 on}}
          affine.if affine_set<(d) : (d - 2 >= 0)>(%y) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %column[2] : memref<3xi8>
          }
          affine.for %r = 0 to 2 {
            %0 = affine.load %line[%r, %x] : memref<2x2xi8>
            affine.store %0, %column[%r] : memref<3xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.for %r = 0 to 2 {
            %0 = affine.load %column[%r + 1] : memref<3xi8>
            affine.store %0, %line[%r, %x] : memref<2x2xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.if affine_set<(d) : (d - 1 >= 0, -d + 4 >= 0)>(%y) {
            %0 = affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) -> i8 {
              %1 = affine.load %column[2] : memref<3xi8>
              affine.yield %1 : i8
            } else {
              affine.yield %zero : i8
            }
            affine.store %0, %window_word[0] : memref<1xi8>
            "hls.write"(%window_word, %below) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
          affine.if affine_set<(d) : (d - 2 >= 0)>(%y) {
            %0 = affine.load %column[0] : memref<3xi8>
            affine.store %0, %skip_word[0] : memref<1xi8>
            "hls.write"(%skip_word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.pipeline}
      } {hls.overlap = 2 : i64}
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.name = "below_word"} : memref<1xi8>
      %b = memref.alloc() {hls.name = "skip_word"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      affine.for %y = 0 to 4 {
        affine.for %x = 0 to 2 {
          "hls.read"(%below, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %a[0] : memref<1xi8>
          %1 = affine.load %b[0] : memref<1xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %sum[0] : memref<1xi8>
          "hls.write"(%sum, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @writes_for_two_frames(%image: memref<4x2xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 8 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %below = "hls.fifo"() {depth = 8 : i64, sym_name = "below"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 8 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4x2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %window_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %skip_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %column = memref.alloc() {hls.name = "column"} : memref<3xi8>
      %line = memref.alloc() {hls.name = "line_buffer"} : memref<2x2xi8>
      %zero = arith.constant 0 : i8
      affine.for %y = 0 to 7 {
        affine.for %x = 0 to 2 {
          affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %column[2] : memref<3xi8>
          }
          affine.for %r = 0 to 2 {
            %0 = affine.load %line[%r, %x] : memref<2x2xi8>
            affine.store %0, %column[%r] : memref<3xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.for %r = 0 to 2 {
            %0 = affine.load %column[%r + 1] : memref<3xi8>
            affine.store %0, %line[%r, %x] : memref<2x2xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.if affine_set<(d) : (d - 1 >= 0, -d + 4 >= 0)>(%y) {
            %0 = affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) -> i8 {
              %1 = affine.load %column[2] : memref<3xi8>
              affine.yield %1 : i8
            } else {
              affine.yield %zero : i8
            }
            affine.store %0, %window_word[0] : memref<1xi8>
            "hls.write"(%window_word, %below) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
          // expected-error @below {{a word is written in iterations 2 to 6, where frames overlap from 4 on}}
          affine.if affine_set<(d) : (d - 2 >= 0)>(%y) {
            %0 = affine.load %column[0] : memref<3xi8>
            affine.store %0, %skip_word[0] : memref<1xi8>
            "hls.write"(%skip_word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.pipeline}
      } {hls.overlap = 3 : i64}
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.name = "below_word"} : memref<1xi8>
      %b = memref.alloc() {hls.name = "skip_word"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      affine.for %y = 0 to 4 {
        affine.for %x = 0 to 2 {
          "hls.read"(%below, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %a[0] : memref<1xi8>
          %1 = affine.load %b[0] : memref<1xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %sum[0] : memref<1xi8>
          "hls.write"(%sum, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @writes_always(%image: memref<4x2xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 8 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %below = "hls.fifo"() {depth = 8 : i64, sym_name = "below"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 8 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4x2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %window_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %skip_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %column = memref.alloc() {hls.name = "column"} : memref<3xi8>
      %line = memref.alloc() {hls.name = "line_buffer"} : memref<2x2xi8>
      %zero = arith.constant 0 : i8
      affine.for %y = 0 to 6 {
        affine.for %x = 0 to 2 {
          affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %column[2] : memref<3xi8>
          }
          affine.for %r = 0 to 2 {
            %0 = affine.load %line[%r, %x] : memref<2x2xi8>
            affine.store %0, %column[%r] : memref<3xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.for %r = 0 to 2 {
            %0 = affine.load %column[%r + 1] : memref<3xi8>
            affine.store %0, %line[%r, %x] : memref<2x2xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.if affine_set<(d) : (d - 1 >= 0, -d + 4 >= 0)>(%y) {
            %0 = affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) -> i8 {
              %1 = affine.load %column[2] : memref<3xi8>
              affine.yield %1 : i8
            } else {
              affine.yield %zero : i8
            }
            affine.store %0, %window_word[0] : memref<1xi8>
            "hls.write"(%window_word, %below) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
          // expected-error @below {{a transfer without a condition where frames overlap}}
          "hls.write"(%skip_word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.pipeline}
      } {hls.overlap = 2 : i64}
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.name = "below_word"} : memref<1xi8>
      %b = memref.alloc() {hls.name = "skip_word"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      affine.for %y = 0 to 4 {
        affine.for %x = 0 to 2 {
          "hls.read"(%below, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %a[0] : memref<1xi8>
          %1 = affine.load %b[0] : memref<1xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %sum[0] : memref<1xi8>
          "hls.write"(%sum, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @remembers_rows(%image: memref<4x2xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 8 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %below = "hls.fifo"() {depth = 8 : i64, sym_name = "below"} : () -> !hls.stream<vector<1xi8>>
    %skip = "hls.fifo"() {depth = 8 : i64, sym_name = "skip"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 8 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4x2xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %window_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %skip_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %column = memref.alloc() {hls.name = "column"} : memref<3xi8>
      %line = memref.alloc() {hls.name = "line_buffer"} : memref<6x2xi8>
      %zero = arith.constant 0 : i8
      affine.for %y = 0 to 6 {
        affine.for %x = 0 to 2 {
          affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) {
            "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
            %0 = affine.load %word[0] : memref<1xi8>
            affine.store %0, %column[2] : memref<3xi8>
          }
          // expected-error @below {{a statement that depends on the outermost loop, whose iterations overlap the next frame's}}
          affine.for %r = 0 to 2 {
            %0 = affine.load %line[%y, %x] : memref<6x2xi8>
            affine.store %0, %column[%r] : memref<3xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.for %r = 0 to 2 {
            %0 = affine.load %column[%r + 1] : memref<3xi8>
            affine.store %0, %line[%y, %x] : memref<6x2xi8>
          } {hls.label = "window_rows", hls.unroll = 2 : i64}
          affine.if affine_set<(d) : (d - 1 >= 0, -d + 4 >= 0)>(%y) {
            %0 = affine.if affine_set<(d) : (-d + 3 >= 0)>(%y) -> i8 {
              %1 = affine.load %column[2] : memref<3xi8>
              affine.yield %1 : i8
            } else {
              affine.yield %zero : i8
            }
            affine.store %0, %window_word[0] : memref<1xi8>
            "hls.write"(%window_word, %below) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
          affine.if affine_set<(d) : (d - 2 >= 0)>(%y) {
            %0 = affine.load %column[0] : memref<3xi8>
            affine.store %0, %skip_word[0] : memref<1xi8>
            "hls.write"(%skip_word, %skip) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.pipeline}
      } {hls.overlap = 2 : i64}
    }) {sym_name = "window"} : () -> ()
    "hls.task"() ({
      %a = memref.alloc() {hls.name = "below_word"} : memref<1xi8>
      %b = memref.alloc() {hls.name = "skip_word"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      affine.for %y = 0 to 4 {
        affine.for %x = 0 to 2 {
          "hls.read"(%below, %a) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.read"(%skip, %b) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          %0 = affine.load %a[0] : memref<1xi8>
          %1 = affine.load %b[0] : memref<1xi8>
          %2 = arith.addi %0, %1 : i8
          affine.store %2, %sum[0] : memref<1xi8>
          "hls.write"(%sum, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        }
      }
    }) {sym_name = "add"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// A word is added up before it is read.
func.func @early(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 4 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 4 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      affine.for %x = 0 to 4 {
        // expected-error @below {{a load of element [0], which nothing has stored before}}
        %0 = affine.load %word[0] : memref<1xi8>
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %1 = arith.addi %0, %0 : i8
        affine.store %1, %sum[0] : memref<1xi8>
        "hls.write"(%sum, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      }
    }) {sym_name = "double"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
