// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-unroll-loops,verify-dataflow)' --split-input-file --validate-each | filecheck %s

// Two of five inputs and three of seven outputs a step: three groups of each, whose last ones have lanes that mean
// nothing. The constants are zero there. The ports have no such lanes: one pixel is a word there, and converters stand
// behind and before them. Reading is over after one step, so that only the first of three steps reads.
// CHECK-DAG: memref.global "private" constant @weight_lanes : memref<3x3x3x2xi8> = dense<{{\[\[\[\[}}1, 8], [2, 9], [3, 10]], {{.*}} {{\[\[}}35, 0], [0, 0], [0, 0]]]]> {hls.lanes = 2 : i64}
// CHECK-DAG: memref.global "private" constant @bias_lanes : memref<3x3xi32> = dense<{{\[\[}}1, 2, 3], [4, 5, 6], [7, 0, 0]]> {hls.lanes = 1 : i64}
// CHECK-LABEL: func.func @product
// CHECK: %[[PORT:[a-z_0-9]+]] = "hls.fifo"() {depth = 10 : i64, sym_name = "in_x5"} : () -> !hls.stream<vector<5xi8>>
// CHECK-NEXT: %[[IN:[a-z_0-9]+]] = "hls.fifo"() {depth = 30 : i64, sym_name = "in_x2"} : () -> !hls.stream<vector<2xi8>>
// CHECK-NEXT: %[[OUT:[a-z_0-9]+]] = "hls.fifo"() {depth = 30 : i64, sym_name = "out_x3"} : () -> !hls.stream<vector<3xi8>>
// CHECK-NEXT: %[[END:[a-z_0-9]+]] = "hls.fifo"() {depth = 10 : i64, sym_name = "out_x7"} : () -> !hls.stream<vector<7xi8>>
// CHECK-NEXT: "hls.source"(%{{[a-z_0-9]+}}, %[[PORT]])
// CHECK: memref.alloc() {hls.name = "held"} : memref<3x2xi8>
// CHECK: affine.for %{{[a-z_0-9]+}} = 0 to 10 {
// CHECK-NEXT: affine.for %[[S:[a-z_0-9]+]] = 0 to 3 {
// CHECK-NEXT: affine.if
// CHECK-NEXT: "hls.read"(%[[PORT]]
// CHECK: "hls.write"(%{{[a-z_0-9]+}}, %[[IN]])
// CHECK: }) {sym_name = "in_width_5_to_2"}
// CHECK: memref.alloc() {hls.lanes = 1 : i64, hls.name = "sum"} : memref<3x3xi32>
// CHECK: }) {sym_name = "product"}
// CHECK: }) {sym_name = "out_width_3_to_7"}
memref.global "private" constant @weight : memref<5x7xi8> = dense<[[1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 14], [15, 16, 17, 18, 19, 20, 21], [22, 23, 24, 25, 26, 27, 28], [29, 30, 31, 32, 33, 34, 35]]>
memref.global "private" constant @bias : memref<7xi32> = dense<[1, 2, 3, 4, 5, 6, 7]>
func.func @product(%image: memref<10x5xi8>, %result: memref<10x7xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 50 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 70 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<10x5xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %input_word = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
      %output_word = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
      %held = memref.alloc() {hls.name = "held"} : memref<1xi8>
      %sum = memref.alloc() {hls.name = "sum"} : memref<7xi32>
      %w = memref.get_global @weight : memref<5x7xi8>
      %b = memref.get_global @bias : memref<7xi32>
      affine.for %x = 0 to 10 {
        affine.for %i = 0 to 5 {
          affine.for %o = 0 to 7 {
            affine.if affine_set<(d) : (d == 0)>(%o) {
              "hls.read"(%in, %input_word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
              %0 = affine.load %input_word[0] : memref<1xi8>
              affine.store %0, %held[0] : memref<1xi8>
            }
            affine.if affine_set<(d) : (d == 0)>(%i) {
              %0 = affine.load %b[%o] : memref<7xi32>
              affine.store %0, %sum[%o] : memref<7xi32>
            }
            %1 = affine.load %held[0] : memref<1xi8>
            %2 = affine.load %w[%i, %o] : memref<5x7xi8>
            %3 = affine.load %sum[%o] : memref<7xi32>
            %4 = arith.extsi %1 : i8 to i32
            %5 = arith.extsi %2 : i8 to i32
            %6 = arith.muli %4, %5 : i32
            %7 = arith.addi %3, %6 : i32
            affine.store %7, %sum[%o] : memref<7xi32>
            affine.if affine_set<(d) : (d - 4 == 0)>(%i) {
              %8 = affine.load %sum[%o] : memref<7xi32>
              %9 = arith.trunci %8 : i32 to i8
              affine.store %9, %output_word[0] : memref<1xi8>
              "hls.write"(%output_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }
          } {hls.unroll = 3 : i64}
        } {hls.unroll = 2 : i64}
      }
    }) {sym_name = "product"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<10x7xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Neighbours that both have lanes that mean nothing, and the same: no converter. And those that have others: five
// elements as two words of three become two words of four. The second word of three completes both words of four, so
// that the last is written a step later.
// CHECK-LABEL: func.func @neighbours
// CHECK-DAG: "hls.fifo"() {depth = 4 : i64, sym_name = "alike"} : () -> !hls.stream<vector<3xi8>>
// CHECK-DAG: "hls.fifo"() {depth = 4 : i64, sym_name = "between_x3"} : () -> !hls.stream<vector<3xi8>>
// CHECK-DAG: "hls.fifo"() {depth = 4 : i64, sym_name = "between_x4"} : () -> !hls.stream<vector<4xi8>>
// CHECK: }) {sym_name = "second"}
// CHECK: affine.for %[[R:[a-z_0-9]+]] = 0 to 2 {
// CHECK-NEXT: affine.for %[[S:[a-z_0-9]+]] = 0 to 3 {
// CHECK-NEXT: affine.if #[[READS:[a-z_0-9]+]](%[[R]], %[[S]])
// CHECK-NEXT: "hls.read"
// CHECK: affine.if #[[WRITES:[a-z_0-9]+]](%[[R]], %[[S]])
// CHECK: "hls.write"
// CHECK: }) {sym_name = "between_width_3_to_4"}
func.func @neighbours(%image: memref<2x5xi8>, %result: memref<2x5xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 10 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %alike = "hls.fifo"() {depth = 10 : i64, sym_name = "alike"} : () -> !hls.stream<vector<1xi8>>
    %between = "hls.fifo"() {depth = 10 : i64, sym_name = "between"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 10 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<2x5xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 5 {
          "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %alike) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.unroll = 3 : i64}
      }
    }) {sym_name = "first"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 5 {
          "hls.read"(%alike, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %between) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.unroll = 3 : i64}
      }
    }) {sym_name = "second"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 5 {
          "hls.read"(%between, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          "hls.write"(%word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
        } {hls.unroll = 4 : i64}
      }
    }) {sym_name = "third"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2x5xi8>) -> ()
  }) : () -> ()
  return
}
