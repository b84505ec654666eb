// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-narrow-integers)' --split-input-file --validate-each | filecheck %s

// Sums of twelve products. Weights add up to 66, all of them positive: whatever the image is, a sum lies between
// -128 * 66 and 127 * 66, and a product between -128 * 9 and 127 * 9. What is added to round is as narrow as the sum;
// the bound of the minimum needs no more bits than what it bounds. Biases take a byte. Streams stay as they are.
// CHECK: memref.global "private" constant @bias : memref<2xi8> = dense<[100, -100]>
// CHECK-LABEL: func.func @sum_of_products
// CHECK: %[[SUM:[a-z_0-9]+]] = memref.alloc() : memref<i15>
// CHECK: memref.alloc() : memref<1xi8>
// CHECK-DAG: %[[FIVE:[a-z_0-9]+]] = arith.constant 5 : i15
// CHECK-DAG: %[[HALF:[a-z_0-9]+]] = arith.constant 15 : i15
// CHECK-DAG: %[[MOST:[a-z_0-9]+]] = arith.constant 127 : i10
// CHECK: affine.if
// CHECK-NEXT: affine.load {{.*}} : memref<2xi8>
// CHECK-NEXT: arith.extsi {{.*}} : i8 to i15
// CHECK-NEXT: affine.store {{.*}}, %[[SUM]][] : memref<i15>
// CHECK: arith.muli {{.*}} : i12
// CHECK-NEXT: %[[PRODUCT:[a-z_0-9]+]] = arith.extsi {{.*}} : i12 to i15
// CHECK-NEXT: %[[OLD:[a-z_0-9]+]] = affine.load %[[SUM]][] : memref<i15>
// CHECK-NEXT: %[[NEW:[a-z_0-9]+]] = arith.addi %[[OLD]], %[[PRODUCT]] : i15
// CHECK-NEXT: affine.store %[[NEW]], %[[SUM]][] : memref<i15>
// CHECK: %[[TOTAL:[a-z_0-9]+]] = affine.load %[[SUM]][] : memref<i15>
// CHECK-NEXT: %[[ROUNDED:[a-z_0-9]+]] = arith.addi %[[TOTAL]], %[[HALF]] : i15
// CHECK-NEXT: %[[LONG:[a-z_0-9]+]] = arith.shrsi %[[ROUNDED]], %[[FIVE]] : i15
// CHECK-NEXT: %[[SHORT:[a-z_0-9]+]] = arith.trunci %[[LONG]] : i15 to i10
// CHECK-NEXT: %[[LEAST:[a-z_0-9]+]] = arith.minsi %[[SHORT]], %[[MOST]] : i10
// CHECK-NEXT: %[[RESULT:[a-z_0-9]+]] = arith.trunci %[[LEAST]] : i10 to i8
// CHECK-NEXT: affine.store %[[RESULT]]
memref.global "private" constant @weight : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]]>
memref.global "private" constant @bias : memref<2xi32> = dense<[100, -100]>
func.func @sum_of_products(%image: memref<6x4xi8>, %result: memref<2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<4xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6x4xi8>, !hls.stream<vector<4xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<4xi8>
      %sum = memref.alloc() : memref<i32>
      %result_word = memref.alloc() : memref<1xi8>
      %weight = memref.get_global @weight : memref<3x4xi8>
      %bias = memref.get_global @bias : memref<2xi32>
      %five = arith.constant 5 : i32
      %half = arith.constant 15 : i32
      %most = arith.constant 127 : i32
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 3 {
          "hls.read"(%in, %word) : (!hls.stream<vector<4xi8>>, memref<4xi8>) -> ()
          affine.if affine_set<(d) : (d == 0)>(%x) {
            %0 = affine.load %bias[%y] : memref<2xi32>
            affine.store %0, %sum[] : memref<i32>
          }
          affine.for %l = 0 to 4 {
            %0 = affine.load %word[%l] : memref<4xi8>
            %1 = affine.load %weight[%x, %l] : memref<3x4xi8>
            %2 = arith.extsi %0 : i8 to i32
            %3 = arith.extsi %1 : i8 to i32
            %4 = arith.muli %2, %3 : i32
            %5 = affine.load %sum[] : memref<i32>
            %6 = arith.addi %5, %4 : i32
            affine.store %6, %sum[] : memref<i32>
          } {hls.unroll = 4 : i64}
          affine.if affine_set<(d) : (d - 2 == 0)>(%x) {
            %7 = affine.load %sum[] : memref<i32>
            %8 = arith.addi %7, %half : i32
            %9 = arith.shrsi %8, %five : i32
            %10 = arith.minsi %9, %most : i32
            %11 = arith.trunci %10 : i32 to i8
            affine.store %11, %result_word[0] : memref<1xi8>
            "hls.write"(%result_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
        } {hls.pipeline}
      }
    }) {sym_name = "products"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// What a stream carries is known where it is read: no maximum with zero, no larger number than 100. A line buffer of
// nine values takes five bits. What an unsigned byte is extended to takes nine.
// CHECK-LABEL: func.func @ranges_of_streams
// CHECK: arith.extui {{.*}} : i8 to i9
// CHECK: arith.minsi {{.*}} : i9
// CHECK: sym_name = "first"
// CHECK: %[[ROW:[a-z_0-9]+]] = memref.alloc() {hls.lanes = 0 : i64} : memref<4xi5>
// CHECK: %[[THREE:[a-z_0-9]+]] = arith.constant 3 : i8
// CHECK-NOT: maxsi
// CHECK: %[[BYTE:[a-z_0-9]+]] = affine.load %{{[a-z_0-9]+}}[0] : memref<1xi8>
// CHECK-NEXT: %[[SHIFTED:[a-z_0-9]+]] = arith.shrsi %[[BYTE]], %[[THREE]] : i8
// CHECK-NEXT: %[[FEW:[a-z_0-9]+]] = arith.trunci %[[SHIFTED]] : i8 to i5
// CHECK-NEXT: affine.store %[[FEW]], %[[ROW]][%{{[a-z_0-9]+}}] : memref<4xi5>
// CHECK-NEXT: %[[BACK:[a-z_0-9]+]] = affine.load %[[ROW]][%{{[a-z_0-9]+}}] : memref<4xi5>
// CHECK-NEXT: arith.extsi %[[BACK]] : i5 to i8
func.func @ranges_of_streams(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %between = "hls.fifo"() {depth = 2 : i64, sym_name = "between"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %result_word = memref.alloc() : memref<1xi8>
      %most = arith.constant 100 : i32
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        %1 = arith.extui %0 : i8 to i32
        %2 = arith.minsi %1, %most : i32
        %3 = arith.trunci %2 : i32 to i8
        affine.store %3, %result_word[0] : memref<1xi8>
        "hls.write"(%result_word, %between) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "first"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %row = memref.alloc() {hls.lanes = 0 : i64} : memref<4xi8>
      %result_word = memref.alloc() : memref<1xi8>
      %zero = arith.constant 0 : i8
      %three = arith.constant 3 : i8
      affine.for %x = 0 to 4 {
        "hls.read"(%between, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        %1 = arith.maxsi %0, %zero : i8
        %2 = arith.shrsi %1, %three : i8
        affine.store %2, %row[%x] : memref<4xi8>
        %3 = affine.load %row[%x] : memref<4xi8>
        affine.store %3, %result_word[0] : memref<1xi8>
        "hls.write"(%result_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "second"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Nothing is known of a quotient: it keeps its type, and so do its operands. An array that a frame adds to before it sets
// it may hold any number. A choice takes as many bits as the larger of its values.
// CHECK-LABEL: func.func @unknown
// CHECK: %[[TOTAL:[a-z_0-9]+]] = memref.alloc() : memref<i32>
// CHECK: %[[CHOICE:[a-z_0-9]+]] = affine.if {{.*}} -> i11 {
// CHECK: affine.yield %{{.*}} : i11
// CHECK: } else {
// CHECK: affine.yield %{{.*}} : i11
// CHECK: %[[WIDE:[a-z_0-9]+]] = arith.extsi %[[CHOICE]] : i11 to i32
// CHECK: %[[QUOTIENT:[a-z_0-9]+]] = arith.divsi %[[WIDE]], %{{[a-z_0-9]+}} : i32
// CHECK: affine.load %[[TOTAL]][] : memref<i32>
// CHECK-NEXT: arith.addi %{{[a-z_0-9]+}}, %[[QUOTIENT]] : i32
func.func @unknown(%image: memref<4xi8>, %result: memref<4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<4xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
      %total = memref.alloc() : memref<i32>
      %result_word = memref.alloc() : memref<1xi8>
      %three = arith.constant 3 : i32
      %far = arith.constant -1000 : i32
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        %0 = affine.load %word[0] : memref<1xi8>
        %1 = arith.extsi %0 : i8 to i32
        %2 = affine.if affine_set<(d) : (d - 2 >= 0)>(%x) -> i32 {
          affine.yield %1 : i32
        } else {
          affine.yield %far : i32
        }
        %3 = arith.divsi %2, %three : i32
        %4 = affine.load %total[] : memref<i32>
        %5 = arith.addi %4, %3 : i32
        affine.store %5, %total[] : memref<i32>
        %6 = arith.trunci %3 : i32 to i8
        affine.store %6, %result_word[0] : memref<1xi8>
        "hls.write"(%result_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "quotients"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
  }) : () -> ()
  return
}
