// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-to-dataflow,verify-dataflow)' --split-input-file --validate-each | filecheck %s

// Two nests become two tasks. The feature map between them becomes a stream with room for a frame, 8 words of one
// element; what a task needs besides, constants and arrays of its own, moves into it.
// CHECK-LABEL: func.func @network
// CHECK-NEXT: "hls.dataflow"() ({
// CHECK-NEXT: %[[IN:[a-z_0-9]+]] = "hls.fifo"() {depth = 8 : i64, sym_name = "input_to_shift"} : () -> !hls.stream<vector<1xi8>>
// CHECK-NEXT: %[[MID:[a-z_0-9]+]] = "hls.fifo"() {depth = 8 : i64, sym_name = "shift_to_pool"}
// CHECK-NEXT: %[[OUT:[a-z_0-9]+]] = "hls.fifo"() {depth = 4 : i64, sym_name = "pool_to_output"}
// CHECK-NEXT: "hls.source"(%arg0, %[[IN]]) : (memref<4x2xi8>, !hls.stream<vector<1xi8>>) -> ()
// CHECK-NEXT: "hls.task"() ({
// CHECK-DAG: %[[TWO:[a-z_0-9]+]] = arith.constant 2 : i8
// CHECK-DAG: %[[READ:[a-z_0-9]+]] = memref.alloc() {hls.name = "input_word"} : memref<1xi8>
// CHECK-DAG: %[[WRITE:[a-z_0-9]+]] = memref.alloc() {hls.name = "output_word"} : memref<1xi8>
// CHECK: affine.for %{{.*}} = 0 to 4
// CHECK-NEXT: affine.for %{{.*}} = 0 to 2
// CHECK-NEXT: "hls.read"(%[[IN]], %[[READ]])
// CHECK-NEXT: %[[X:[a-z_0-9]+]] = affine.load %[[READ]][0]
// CHECK-NEXT: %[[Y:[a-z_0-9]+]] = arith.shrsi %[[X]], %[[TWO]]
// CHECK-NEXT: affine.store %[[Y]], %[[WRITE]][0]
// CHECK-NEXT: "hls.write"(%[[WRITE]], %[[MID]])
// CHECK: }) {sym_name = "shift"}
// CHECK: "hls.task"() ({
// CHECK: memref.alloc() {hls.name = "most"} : memref<1xi8>
// CHECK: "hls.read"(%[[MID]],
// CHECK: affine.if
// CHECK: "hls.write"(%{{.*}}, %[[OUT]])
// CHECK: }) {sym_name = "pool"}
// CHECK-NEXT: "hls.sink"(%[[OUT]], %arg1) : (!hls.stream<vector<1xi8>>, memref<4xi8>) -> ()
// CHECK-NEXT: }) : () -> ()
// CHECK-NEXT: return
func.func @network(%image: memref<4x2xi8>, %result: memref<4xi8>) {
  %two = arith.constant 2 : i8
  %least = arith.constant -128 : i8
  %map = memref.alloc() : memref<4x2xi8>
  %most = memref.alloc() {hls.name = "most"} : memref<1xi8>
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 2 {
      %0 = affine.load %image[%y, %x] : memref<4x2xi8>
      %1 = arith.shrsi %0, %two : i8
      affine.store %1, %map[%y, %x] : memref<4x2xi8>
    }
  } {hls.name = "shift"}
  affine.for %y = 0 to 4 {
    affine.for %x = 0 to 2 {
      affine.if affine_set<(d) : (d == 0)>(%x) {
        affine.store %least, %most[0] : memref<1xi8>
      }
      %0 = affine.load %map[%y, %x] : memref<4x2xi8>
      %1 = affine.load %most[0] : memref<1xi8>
      %2 = arith.maxsi %0, %1 : i8
      affine.store %2, %most[0] : memref<1xi8>
      affine.if affine_set<(d) : (d - 1 == 0)>(%x) {
        %3 = affine.load %most[0] : memref<1xi8>
        affine.store %3, %result[%y] : memref<4xi8>
      }
    }
  } {hls.name = "pool"}
  return
}
// -----
// A feature map with two readers is written to a stream for each; the skip is one of them. An image with two readers
// gets a task that hands it on, and a layer with the name of a C++ keyword another name.
// CHECK-LABEL: func.func @skip
// CHECK-DAG: %[[IN:[a-z_0-9]+]] = "hls.fifo"() {{.*}}"input_to_fork_input"
// CHECK-DAG: %[[A:[a-z_0-9]+]] = "hls.fifo"() {{.*}}"fork_input_to_xor_1"
// CHECK-DAG: %[[B:[a-z_0-9]+]] = "hls.fifo"() {{.*}}"fork_input_to_add"
// CHECK-DAG: %[[C:[a-z_0-9]+]] = "hls.fifo"() {{.*}}"xor_1_to_twice"
// CHECK-DAG: %[[D:[a-z_0-9]+]] = "hls.fifo"() {{.*}}"xor_1_to_add"
// CHECK: "hls.read"(%[[IN]], %[[WORD:[a-z_0-9]+]])
// CHECK-NEXT: "hls.write"(%[[WORD]], %[[A]])
// CHECK-NEXT: "hls.write"(%[[WORD]], %[[B]])
// CHECK: }) {sym_name = "fork_input"}
// CHECK: "hls.read"(%[[A]],
// CHECK: "hls.write"(%[[WORD2:[a-z_0-9]+]], %[[C]])
// CHECK-NEXT: "hls.write"(%[[WORD2]], %[[D]])
// CHECK: }) {sym_name = "xor_1"}
func.func @skip(%image: memref<6xi8>, %result: memref<6xi8>) {
  %c5 = arith.constant 5 : i8
  %map = memref.alloc() : memref<6xi8>
  %twice = memref.alloc() : memref<6xi8>
  affine.for %x = 0 to 6 {
    %0 = affine.load %image[%x] : memref<6xi8>
    %1 = arith.addi %0, %c5 : i8
    affine.store %1, %map[%x] : memref<6xi8>
  } {hls.name = "xor"}
  affine.for %x = 0 to 6 {
    %0 = affine.load %map[%x] : memref<6xi8>
    %1 = arith.addi %0, %0 : i8
    affine.store %1, %twice[%x] : memref<6xi8>
  } {hls.name = "twice"}
  affine.for %x = 0 to 6 {
    %0 = affine.load %twice[%x] : memref<6xi8>
    %1 = affine.load %map[%x] : memref<6xi8>
    %2 = affine.load %image[%x] : memref<6xi8>
    %3 = arith.addi %0, %1 : i8
    %4 = arith.addi %3, %2 : i8
    affine.store %4, %result[%x] : memref<6xi8>
  } {hls.name = "add"}
  return
}
// -----
// A concatenation reads each stream under the condition that chose the buffer; the `affine.if` that remains only
// chooses between the words.
// CHECK-LABEL: func.func @concatenate
// CHECK: }) {sym_name = "repeat"}
// CHECK: "hls.task"
// CHECK: affine.for %[[X:[a-z_0-9]+]] = 0 to 3
// CHECK-NEXT: affine.for %[[C:[a-z_0-9]+]] = 0 to 6
// CHECK-NEXT: affine.if #[[FIRST:[a-z_0-9]+]](%[[X]], %[[C]]) {
// CHECK-NEXT: "hls.read"(%{{.*}}, %[[A:[a-z_0-9]+]])
// CHECK-NEXT: }
// CHECK-NEXT: affine.if #[[SECOND:[a-z_0-9]+]](%[[X]], %[[C]]) {
// CHECK-NEXT: "hls.read"(%{{.*}}, %[[B:[a-z_0-9]+]])
// CHECK-NEXT: }
// CHECK-NEXT: affine.if #{{.*}}(%[[C]]) -> i8 {
// CHECK-NEXT: affine.load %[[A]][0]
// CHECK: } else {
// CHECK-NEXT: affine.load %[[B]][0]
func.func @concatenate(%image: memref<3x2xi8>, %result: memref<3x6xi8>) {
  %c1 = arith.constant 1 : i8
  %four = memref.alloc() : memref<3x4xi8>
  %held = memref.alloc() : memref<2xi8>
  affine.for %x = 0 to 3 {
    affine.for %i = 0 to 2 {
      affine.for %c = 0 to 2 {
        affine.if affine_set<(d) : (d == 0)>(%i) {
          %1 = affine.load %image[%x, %c] : memref<3x2xi8>
          affine.store %1, %held[%c] : memref<2xi8>
        }
        %0 = affine.load %held[%c] : memref<2xi8>
        affine.store %0, %four[%x, %i * 2 + %c] : memref<3x4xi8>
      }
    }
  } {hls.name = "repeat"}
  affine.for %x = 0 to 3 {
    affine.for %c = 0 to 6 {
      %0 = affine.if affine_set<(d) : (-d + 3 >= 0)>(%c) -> i8 {
        %1 = affine.load %four[%x, %c] : memref<3x4xi8>
        affine.yield %1 : i8
      } else {
        %1 = affine.load %image[%x, %c - 4] : memref<3x2xi8>
        affine.yield %1 : i8
      }
      affine.store %0, %result[%x, %c] : memref<3x6xi8>
    }
  } {hls.name = "concatenate"}
  return
}
