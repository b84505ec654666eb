// RUN: resnet-opt %s --split-input-file --verify-diagnostics

func.func @other_operation(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  // expected-error @below {{'hls.dataflow' op holds 'arith.constant': only fifo, task, source and sink may stand in it}}
  "hls.dataflow"() ({
    %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %a) : (memref<1x2xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.sink"(%a, %result) : (!hls.stream<vector<2xi8>>, memref<1x2xi8>) -> ()
    %c = arith.constant 1 : i32
  }) : () -> ()
  return
}
// -----
func.func @nobody(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{'hls.fifo' op has 0 writers and 0 readers, expected one of each}}
    %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xi8>>
  }) : () -> ()
  return
}
// -----
func.func @unread(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{'hls.fifo' op has 1 writers and 0 readers, expected one of each}}
    %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %a) : (memref<1x2xi8>, !hls.stream<vector<2xi8>>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @two_readers(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{'hls.fifo' op has 1 writers and 2 readers, expected one of each}}
    %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %a) : (memref<1x2xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.sink"(%a, %result) : (!hls.stream<vector<2xi8>>, memref<1x2xi8>) -> ()
    "hls.sink"(%a, %result) : (!hls.stream<vector<2xi8>>, memref<1x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @two_writers(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{'hls.fifo' op has 2 writers and 1 readers, expected one of each}}
    %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %a) : (memref<1x2xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<2xi8>
      "hls.write"(%word, %a) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
    }) {sym_name = "t"} : () -> ()
    "hls.sink"(%a, %result) : (!hls.stream<vector<2xi8>>, memref<1x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @depth(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{'hls.fifo' op depth must be at least 1}}
    %a = "hls.fifo"() {depth = 0 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %a) : (memref<1x2xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.sink"(%a, %result) : (!hls.stream<vector<2xi8>>, memref<1x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @scalar_word() {
  // expected-error @below {{'hls.fifo' op word type must be a vector of integers, got i8}}
  %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<i8>
  return
}
// -----
func.func @float_word() {
  // expected-error @below {{'hls.fifo' op word type must be a vector of integers, got vector<2xf32>}}
  %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xf32>>
  return
}
// -----
func.func @shared(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  %word = memref.alloc() : memref<2xi8>
  "hls.dataflow"() ({
    %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %a) : (memref<1x2xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.task"() ({
      // expected-error @below {{'hls.read' op uses a value of type memref<2xi8> from outside its task: only streams may be shared}}
      "hls.read"(%a, %word) : (!hls.stream<vector<2xi8>>, memref<2xi8>) -> ()
    }) {sym_name = "t"} : () -> ()
  }) : () -> ()
  return
}
// -----
func.func @word_size(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  "hls.dataflow"() ({
    %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %a) : (memref<1x2xi8>, !hls.stream<vector<2xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<3xi8>
      // expected-error @below {{'hls.read' op buffer memref<3xi8> does not hold one word vector<2xi8>}}
      "hls.read"(%a, %word) : (!hls.stream<vector<2xi8>>, memref<3xi8>) -> ()
    }) {sym_name = "t"} : () -> ()
  }) : () -> ()
  return
}
// -----
func.func @word_type(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  "hls.dataflow"() ({
    %b = "hls.fifo"() {depth = 2 : i64, sym_name = "b"} : () -> !hls.stream<vector<2xi8>>
    "hls.task"() ({
      %word = memref.alloc() : memref<2xi16>
      // expected-error @below {{'hls.write' op buffer memref<2xi16> does not hold one word vector<2xi8>}}
      "hls.write"(%word, %b) : (memref<2xi16>, !hls.stream<vector<2xi8>>) -> ()
    }) {sym_name = "t"} : () -> ()
    "hls.sink"(%b, %result) : (!hls.stream<vector<2xi8>>, memref<1x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @outside(%word: memref<2xi8>, %a: !hls.stream<vector<2xi8>>) {
  // expected-error @below {{'hls.read' op must be inside 'hls.task'}}
  "hls.read"(%a, %word) : (!hls.stream<vector<2xi8>>, memref<2xi8>) -> ()
  return
}
// -----
func.func @outside(%word: memref<2xi8>, %a: !hls.stream<vector<2xi8>>) {
  // expected-error @below {{'hls.write' op must be inside 'hls.task'}}
  "hls.write"(%word, %a) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
  return
}
// -----
func.func @outside(%image: memref<1x2xi8>, %a: !hls.stream<vector<2xi8>>) {
  // expected-error @below {{'hls.source' op must be inside 'hls.dataflow'}}
  "hls.source"(%image, %a) : (memref<1x2xi8>, !hls.stream<vector<2xi8>>) -> ()
  return
}
// -----
func.func @lanes(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  "hls.dataflow"() ({
    %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<4xi8>>
    // expected-error @below {{'hls.source' op memref<1x2xi8> is no row of words vector<4xi8>}}
    "hls.source"(%image, %a) : (memref<1x2xi8>, !hls.stream<vector<4xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<4xi8>
      "hls.read"(%a, %word) : (!hls.stream<vector<4xi8>>, memref<4xi8>) -> ()
    }) {sym_name = "t"} : () -> ()
  }) : () -> ()
  return
}
// -----
func.func @lane_type(%image: memref<1x2xi8>, %result: memref<1x2xi8>) {
  "hls.dataflow"() ({
    %a = "hls.fifo"() {depth = 2 : i64, sym_name = "a"} : () -> !hls.stream<vector<2xi16>>
    "hls.task"() ({
      %word = memref.alloc() : memref<2xi16>
      "hls.write"(%word, %a) : (memref<2xi16>, !hls.stream<vector<2xi16>>) -> ()
    }) {sym_name = "t"} : () -> ()
    // expected-error @below {{'hls.sink' op memref<1x2xi8> is no row of words vector<2xi16>}}
    "hls.sink"(%a, %result) : (!hls.stream<vector<2xi16>>, memref<1x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
func.func @no_stream(%word: memref<2xi8>) {
  // expected-error @below {{'hls.read' op expects a stream of vectors, got memref<2xi8>}}
  "hls.read"(%word, %word) : (memref<2xi8>, memref<2xi8>) -> ()
  return
}
// -----
func.func @scalars(%word: memref<2xi8>, %a: !hls.stream<i8>) {
  // expected-error @below {{'hls.write' op expects a stream of vectors, got !hls.stream<i8>}}
  "hls.write"(%word, %a) : (memref<2xi8>, !hls.stream<i8>) -> ()
  return
}
// -----
func.func @dynamic(%word: memref<?xi8>, %a: !hls.stream<vector<2xi8>>) {
  // expected-error @below {{'hls.write' op expects a memref of static shape, got memref<?xi8>}}
  "hls.write"(%word, %a) : (memref<?xi8>, !hls.stream<vector<2xi8>>) -> ()
  return
}
// -----
func.func @empty() {
  // expected-error @below {{'hls.dataflow' op expects a region of one block}}
  "hls.dataflow"() ({}) : () -> ()
  return
}
// -----
func.func @no_depth() {
  // expected-error @below {{'hls.fifo' op requires an integer attribute 'depth'}}
  %0 = "hls.fifo"() {sym_name = "a"} : () -> !hls.stream<vector<2xi8>>
  return
}
// -----
func.func @parameters() {
  // expected-error @below {{expected 1 type arguments, but had 0}}
  %0 = "hls.fifo"() {depth = 1 : i64, sym_name = "a"} : () -> !hls.stream
  return
}
// -----
func.func @no_shift(%a: i8) {
  // expected-error @below {{'hls.pack' op requires an integer attribute 'shift'}}
  %0 = "hls.pack"(%a, %a) : (i8, i8) -> i27
  return
}
// -----
func.func @shift(%a: i8) {
  // expected-error @below {{'hls.pack' op shift must be at least 1}}
  %0 = "hls.pack"(%a, %a) {shift = 0 : i64} : (i8, i8) -> i27
  return
}
// -----
func.func @lanes_overlap(%a: i8) {
  // expected-error @below {{'hls.pack' op low lane of 8 bits reaches into the high one, which begins at bit 7}}
  %0 = "hls.pack"(%a, %a) {shift = 7 : i64} : (i8, i8) -> i27
  return
}
// -----
func.func @no_high_lane(%a: i8) {
  // expected-error @below {{'hls.pack' op a result of 18 bits has none for a high lane at bit 18}}
  %0 = "hls.pack"(%a, %a) {shift = 18 : i64} : (i8, i8) -> i18
  return
}
// -----
func.func @low_width(%a: i48) {
  // expected-error @below {{'hls.low' op the low lane has 18 bits, not 20}}
  %0 = "hls.low"(%a) {shift = 18 : i64} : (i48) -> i20
  return
}
// -----
func.func @low_of_nothing(%a: i18) {
  // expected-error @below {{'hls.low' op 18 bits hold no lane above bit 18}}
  %0 = "hls.low"(%a) {shift = 18 : i64} : (i18) -> i18
  return
}
// -----
func.func @high_width(%a: i48) {
  // expected-error @below {{'hls.high' op 48 bits hold no 31 bits above bit 18}}
  %0 = "hls.high"(%a) {shift = 18 : i64} : (i48) -> i31
  return
}
// -----
func.func @no_operands() {
  // expected-error @below {{'hls.read' op expects 2 operands and 0 results, got 0 and 0}}
  "hls.read"() : () -> ()
  return
}
// -----
func.func @no_operand_of_a_lane() {
  // expected-error @below {{'hls.low' op expects 1 operands and 1 results, got 0 and 0}}
  "hls.low"() {shift = 3 : i64} : () -> ()
  return
}
// -----
func.func @no_region() {
  // expected-error @below {{'hls.task' op expects a region of one block}}
  "hls.task"() : () -> ()
  return
}
// -----
func.func @no_text() {
  // expected-error @below {{'hls.task' op expects a text as sym_name, got 3 : i8}}
  "hls.task"() ({
  ^bb0:
  }) {sym_name = 3 : i8} : () -> ()
  return
}
// -----
func.func @no_stream() {
  "hls.dataflow"() ({
    // expected-error @below {{'hls.fifo' op expects one result, a stream}}
    "hls.fifo"() {depth = 2 : i64} : () -> ()
  }) : () -> ()
  return
}
