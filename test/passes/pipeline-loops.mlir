// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-pipeline-loops)' --split-input-file --validate-each | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-pipeline-loops{clock-mhz=100})' --split-input-file | filecheck %s --check-prefix=SLOW

// Four products and their sum, at 250 MHz: 2.92 ns of operations a stage. Stage 0 reads the words and the weights, the
// multipliers take stages 1 to 3, and the sums of four products two additions of 1.02 ns in stage 4; their third and last,
// to the accumulator, begins stage 5, and what it gives is shifted and written there.
// CHECK-LABEL: func.func @sum_of_products
// CHECK: {hls.depth = 6 : i64, hls.interval = 1 : i64, hls.pipeline}
// At 100 MHz there are 7.3 ns, and all three additions fit into one stage.
// SLOW-LABEL: func.func @sum_of_products
// SLOW: {hls.depth = 5 : i64, hls.interval = 1 : i64, hls.pipeline}
memref.global "private" constant @weight_lanes : memref<3x4xi8> = dense<[[1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]]> {hls.lanes = 1 : i64, hls.storage = "rom_lutram"}
func.func @sum_of_products(%image: memref<6x4xi8>, %result: memref<2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<4xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<6x4xi8>, !hls.stream<vector<4xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.lanes = 1 : i64, hls.partition = [], hls.storage = "register"} : memref<4xi8>
      %sum = memref.alloc() {hls.lanes = 0 : i64, hls.partition = [], hls.storage = "register"} : memref<i32>
      %result_word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %weight = memref.get_global @weight_lanes : memref<3x4xi8>
      %zero = arith.constant 0 : i32
      %five = arith.constant 5 : i32
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 3 {
          "hls.read"(%in, %word) : (!hls.stream<vector<4xi8>>, memref<4xi8>) -> ()
          affine.if affine_set<(d) : (d == 0)>(%x) {
            affine.store %zero, %sum[] : memref<i32>
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
            %8 = arith.shrsi %7, %five : i32
            %9 = arith.trunci %8 : i32 to i8
            affine.store %9, %result_word[0] : memref<1xi8>
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
// A task that passes words on reads in its first stage and writes in its second. Where it passes on what it finds in
// memory, it takes a stage for LUTs, two for block RAM.
// CHECK-LABEL: func.func @memories
// CHECK: {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.label = "pass", hls.pipeline}
// CHECK: {hls.depth = 2 : i64, hls.interval = 1 : i64, hls.label = "lutram", hls.pipeline}
// CHECK: {hls.depth = 3 : i64, hls.interval = 1 : i64, hls.label = "bram", hls.pipeline}
func.func @memories(%image: memref<8xi8>, %result: memref<2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 8 : i64, sym_name = "in"} : () -> !hls.stream<vector<1xi8>>
    %a = "hls.fifo"() {depth = 8 : i64, sym_name = "a"} : () -> !hls.stream<vector<1xi8>>
    %b = "hls.fifo"() {depth = 4 : i64, sym_name = "b"} : () -> !hls.stream<vector<1xi8>>
    %out = "hls.fifo"() {depth = 2 : i64, sym_name = "out"} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<8xi8>, !hls.stream<vector<1xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      affine.for %x = 0 to 8 {
        "hls.read"(%in, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
        "hls.write"(%word, %a) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
      } {hls.label = "pass", hls.pipeline}
    }) {sym_name = "pass"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %old = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %line = memref.alloc() {hls.lanes = 0 : i64, hls.partition = [], hls.storage = "lutram"} : memref<4xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 4 {
          "hls.read"(%a, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          affine.if affine_set<(d) : (d - 1 == 0)>(%y) {
            %0 = affine.load %line[%x] : memref<4xi8>
            affine.store %0, %old[0] : memref<1xi8>
            "hls.write"(%old, %b) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
          %1 = affine.load %word[0] : memref<1xi8>
          affine.store %1, %line[%x] : memref<4xi8>
        } {hls.label = "lutram", hls.pipeline}
      }
    }) {sym_name = "lutram"} : () -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %old = memref.alloc() {hls.partition = [], hls.storage = "register"} : memref<1xi8>
      %line = memref.alloc() {hls.lanes = 0 : i64, hls.partition = [], hls.storage = "bram"} : memref<2xi8>
      affine.for %y = 0 to 2 {
        affine.for %x = 0 to 2 {
          "hls.read"(%b, %word) : (!hls.stream<vector<1xi8>>, memref<1xi8>) -> ()
          affine.if affine_set<(d) : (d - 1 == 0)>(%y) {
            %0 = affine.load %line[%x] : memref<2xi8>
            affine.store %0, %old[0] : memref<1xi8>
            "hls.write"(%old, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
          }
          %1 = affine.load %word[0] : memref<1xi8>
          affine.store %1, %line[%x] : memref<2xi8>
        } {hls.label = "bram", hls.pipeline}
      }
    }) {sym_name = "bram"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<1xi8>>, memref<2xi8>) -> ()
  }) : () -> ()
  return
}
