// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-pack-dsp{max-chain=3})' --split-input-file --validate-each | filecheck %s
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-pack-dsp{family=7series max-chain=1})' --split-input-file --validate-each | filecheck %s --check-prefix=SMALL
// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-pack-dsp{max-chain=3})' --split-input-file --remarks 2>&1 >/dev/null | filecheck %s --check-prefix=REMARK

// Three outputs of five products a step. Two of them share slices: their weights are packed, 19 bits apart, as no weight
// is -128, and chains of three products begin with half of what the low lane spans. The last chain has two products, and
// the last output slices of its own.
// REMARK: 'product': 2 products in a slice, 19 bits apart, chains of 3 of 5; slices of one product, chains of 3 of 5
// CHECK-LABEL: func.func @product
// CHECK: %[[WORD:.*]] = memref.alloc() {hls.lanes = 1 : i64, hls.name = "word"} : memref<5xi8>
// CHECK: %[[WEIGHT:.*]] = memref.get_global @weight_lanes
// CHECK: %[[TOTAL:.*]] = memref.alloc() {hls.name = "sum"} : memref<i32>
// CHECK: %[[LOW:.*]] = memref.alloc() {hls.name = "low_sum"} : memref<i32>
// CHECK: %[[HIGH:.*]] = memref.alloc() {hls.name = "high_sum"} : memref<i32>
// CHECK: %[[PACKED:.*]] = memref.alloc() {hls.name = "product"} : memref<i48>
// CHECK: affine.for %[[X:.*]] = 0 to 4 {
// CHECK: affine.store %{{.*}}, %[[LOW]][]
// CHECK: affine.store %{{.*}}, %[[HIGH]][]
// CHECK: affine.for %[[CHAIN:.*]] = 0 to 2 {
// CHECK-NEXT: %[[HALF:.*]] = arith.constant 262144 : i48
// CHECK-NEXT: affine.store %[[HALF]], %[[PACKED]][]
// CHECK-NEXT: affine.for %[[LINK:.*]] = 0 to 3 {
// CHECK-NEXT: affine.if #{{.*}}(%[[CHAIN]], %[[LINK]]) {
// CHECK-DAG: %[[A:.*]] = affine.load %[[WORD]][%[[CHAIN]] * 3 + %[[LINK]]]
// CHECK-DAG: %[[W0:.*]] = affine.load %[[WEIGHT]][0, %[[CHAIN]] * 3 + %[[LINK]]]
// CHECK-DAG: %[[W1:.*]] = affine.load %[[WEIGHT]][1, %[[CHAIN]] * 3 + %[[LINK]]]
// CHECK: %[[BOTH:.*]] = "hls.pack"(%[[W1]], %[[W0]]) {shift = 19 : i64} : (i8, i8) -> i27
// CHECK-DAG: %[[FACTOR:.*]] = arith.extsi %[[A]] : i8 to i48
// CHECK-DAG: %[[WIDE:.*]] = arith.extsi %[[BOTH]] : i27 to i48
// CHECK: arith.muli %[[FACTOR]], %[[WIDE]] : i48
// CHECK: affine.store %{{.*}}, %[[PACKED]][]
// CHECK-NEXT: }
// CHECK-NEXT: } {hls.cascade, hls.label = "links", hls.unroll = 3 : i64}
// CHECK: %[[SUM:.*]] = affine.load %[[PACKED]][]
// CHECK-NEXT: "hls.low"(%[[SUM]]) {shift = 19 : i64} : (i48) -> i19
// CHECK-NEXT: "hls.high"(%[[SUM]]) {shift = 19 : i64} : (i48) -> i17
// CHECK: } {hls.label = "chains", hls.unroll = 2 : i64}
// CHECK: affine.load %[[LOW]][]
// CHECK: affine.store %{{.*}}, %{{.*}}[0]
// CHECK: affine.load %[[HIGH]][]
// CHECK: affine.store %{{.*}}, %{{.*}}[1]
// CHECK: affine.store %{{.*}}, %[[TOTAL]][]
// CHECK: affine.load %[[WEIGHT]][2, %
// CHECK-NOT: hls.pack
// CHECK: arith.muli %{{.*}}, %{{.*}} : i32
// CHECK: } {hls.cascade, hls.label = "links", hls.unroll = 3 : i64}
// SMALL-LABEL: func.func @product
// SMALL: arith.constant 65536 : i48
// SMALL: "hls.pack"(%{{.*}}, %{{.*}}) {shift = 17 : i64} : (i8, i8) -> i25
// SMALL-NOT: hls.cascade
memref.global "private" constant @weight_lanes : memref<3x5xi8> = dense<[[1, -2, 3, -4, 5], [-127, 127, 100, 7, 8], [9, -10, 11, -128, 13]]> {hls.lanes = 2 : i64}
func.func @product(%image: memref<4x5xi8>, %result: memref<4x3xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 4 : i64, sym_name = "in"} : () -> !hls.stream<vector<5xi8>>
    %out = "hls.fifo"() {depth = 4 : i64, sym_name = "out"} : () -> !hls.stream<vector<3xi8>>
    "hls.source"(%image, %in) : (memref<4x5xi8>, !hls.stream<vector<5xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.lanes = 1 : i64, hls.name = "word"} : memref<5xi8>
      %acc = memref.alloc() {hls.lanes = 1 : i64, hls.name = "accumulator"} : memref<3xi32>
      %result_word = memref.alloc() : memref<3xi8>
      %weight = memref.get_global @weight_lanes : memref<3x5xi8>
      %total = memref.alloc() {hls.name = "sum"} : memref<i32>
      %zero = arith.constant 0 : i32
      %five = arith.constant 5 : i32
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<5xi8>>, memref<5xi8>) -> ()
        affine.for %o = 0 to 3 {
          affine.store %five, %acc[%o] : memref<3xi32>
        } {hls.label = "output_lanes", hls.unroll = 3 : i64}
        affine.for %o = 0 to 3 {
          affine.store %zero, %total[] : memref<i32>
          affine.for %i = 0 to 5 {
            %0 = affine.load %word[%i] : memref<5xi8>
            %1 = affine.load %weight[%o, %i] : memref<3x5xi8>
            %2 = arith.extsi %0 : i8 to i32
            %3 = arith.extsi %1 : i8 to i32
            %4 = arith.muli %2, %3 : i32
            %5 = affine.load %total[] : memref<i32>
            %6 = arith.addi %5, %4 : i32
            affine.store %6, %total[] : memref<i32>
          } {hls.label = "taps", hls.unroll = 5 : i64}
          %7 = affine.load %acc[%o] : memref<3xi32>
          %8 = affine.load %total[] : memref<i32>
          %9 = arith.addi %7, %8 : i32
          affine.store %9, %acc[%o] : memref<3xi32>
        } {hls.label = "output_lanes", hls.unroll = 3 : i64}
        affine.for %o = 0 to 3 {
          %10 = affine.load %acc[%o] : memref<3xi32>
          %11 = arith.shrsi %10, %five : i32
          %12 = arith.trunci %11 : i32 to i8
          affine.store %12, %result_word[%o] : memref<3xi8>
        } {hls.label = "output_lanes", hls.unroll = 3 : i64}
        "hls.write"(%result_word, %out) : (memref<3xi8>, !hls.stream<vector<3xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "product"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<3xi8>>, memref<4x3xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Two pixels share their weights, which are the same for both: the activations are packed, unsigned ones with a bit
// more. There is one chain, whose lanes are the sums. 18 bits apart the packed number still fits, and a low lane that may
// get -128 * 255 twice.
// REMARK: 'pixels': 2 products in a slice, 18 bits apart, chains of 2 of 2
// CHECK-LABEL: func.func @pixels
// CHECK: affine.for %[[LINK:.*]] = 0 to 2 {
// CHECK-DAG: %[[A0:.*]] = affine.load %{{.*}}[%[[LINK]]] : memref<4xi8>
// CHECK-DAG: %[[A1:.*]] = affine.load %{{.*}}[%[[LINK]] + 2] : memref<4xi8>
// CHECK-DAG: %[[LOW:.*]] = arith.extui %[[A0]] : i8 to i9
// CHECK-DAG: %[[HIGH:.*]] = arith.extui %[[A1]] : i8 to i9
// CHECK: "hls.pack"(%[[HIGH]], %[[LOW]]) {shift = 18 : i64} : (i9, i9) -> i27
// CHECK-NOT: hls.label = "chains"
// SMALL-LABEL: func.func @pixels
memref.global "private" constant @weight_lanes : memref<2xi8> = dense<-128> {hls.lanes = 1 : i64}
func.func @pixels(%image: memref<4x4xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 4 : i64, sym_name = "in"} : () -> !hls.stream<vector<4xi8>>
    %out = "hls.fifo"() {depth = 4 : i64, sym_name = "out"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %in) : (memref<4x4xi8>, !hls.stream<vector<4xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.lanes = 1 : i64, hls.name = "word"} : memref<4xi8>
      %acc = memref.alloc() {hls.lanes = 1 : i64, hls.name = "accumulator"} : memref<2xi32>
      %result_word = memref.alloc() : memref<2xi8>
      %weight = memref.get_global @weight_lanes : memref<2xi8>
      %total = memref.alloc() {hls.name = "sum"} : memref<i32>
      %zero = arith.constant 0 : i32
      %five = arith.constant 5 : i32
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<4xi8>>, memref<4xi8>) -> ()
        affine.for %o = 0 to 2 {
          affine.store %five, %acc[%o] : memref<2xi32>
        } {hls.label = "output_lanes", hls.unroll = 2 : i64}
        affine.for %o = 0 to 2 {
          affine.store %zero, %total[] : memref<i32>
          affine.for %i = 0 to 2 {
            %0 = affine.load %word[%o * 2 + %i] : memref<4xi8>
            %1 = affine.load %weight[%i] : memref<2xi8>
            %2 = arith.extui %0 : i8 to i32
            %3 = arith.extsi %1 : i8 to i32
            %4 = arith.muli %2, %3 : i32
            %5 = affine.load %total[] : memref<i32>
            %6 = arith.addi %5, %4 : i32
            affine.store %6, %total[] : memref<i32>
          } {hls.label = "taps", hls.unroll = 2 : i64}
          %7 = affine.load %acc[%o] : memref<2xi32>
          %8 = affine.load %total[] : memref<i32>
          %9 = arith.addi %7, %8 : i32
          affine.store %9, %acc[%o] : memref<2xi32>
        } {hls.label = "pixel_lanes", hls.unroll = 2 : i64}
        affine.for %o = 0 to 2 {
          %10 = affine.load %acc[%o] : memref<2xi32>
          %11 = arith.shrsi %10, %five : i32
          %12 = arith.trunci %11 : i32 to i8
          affine.store %12, %result_word[%o] : memref<2xi8>
        } {hls.label = "output_lanes", hls.unroll = 2 : i64}
        "hls.write"(%result_word, %out) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "pixels"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<2xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Two of five products of each sum are in LUTs; the other three in a chain.
// REMARK: 'fabric': 2 products in a slice, 22 bits apart, chains of 3 of 3
// CHECK-LABEL: func.func @fabric
// CHECK: affine.for %[[PAIR:.*]] = 0 to 2 {
// CHECK: } {hls.cascade, hls.label = "links", hls.unroll = 3 : i64}
// CHECK: affine.for %[[N:.*]] = 0 to 2 {
// CHECK-NEXT: %[[A:.*]] = affine.load %{{.*}}[%[[N]] + 3] : memref<5xi8>
// CHECK-NEXT: %[[W:.*]] = affine.load %{{.*}}[%[[PAIR]] * 2, %[[N]] + 3]
// CHECK: arith.muli %{{.*}}, %{{.*}} {hls.multiplier = "fabric"} : i32
// CHECK: affine.load %{{.*}}[%[[PAIR]] * 2 + 1, %[[N]] + 3]
// CHECK: arith.muli %{{.*}}, %{{.*}} {hls.multiplier = "fabric"} : i32
// CHECK: } {hls.label = "fabric_lanes", hls.unroll = 2 : i64}
// CHECK: } {hls.label = "output_pairs", hls.unroll = 2 : i64}
// SMALL-LABEL: func.func @fabric
memref.global "private" constant @weight_lanes : memref<4x5xi8> = dense<[[1, -2, 3, -4, 5], [6, -7, 8, 9, -9], [8, 7, 100, 7, 8], [9, -10, 11, -12, 13]]> {hls.lanes = 2 : i64}
func.func @fabric(%image: memref<4x5xi8>, %result: memref<4x4xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 4 : i64, sym_name = "in"} : () -> !hls.stream<vector<5xi8>>
    %out = "hls.fifo"() {depth = 4 : i64, sym_name = "out"} : () -> !hls.stream<vector<4xi8>>
    "hls.source"(%image, %in) : (memref<4x5xi8>, !hls.stream<vector<5xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.lanes = 1 : i64, hls.name = "word"} : memref<5xi8>
      %acc = memref.alloc() {hls.lanes = 1 : i64, hls.name = "accumulator"} : memref<4xi32>
      %result_word = memref.alloc() : memref<4xi8>
      %weight = memref.get_global @weight_lanes : memref<4x5xi8>
      %total = memref.alloc() {hls.name = "sum"} : memref<i32>
      %zero = arith.constant 0 : i32
      %five = arith.constant 5 : i32
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<5xi8>>, memref<5xi8>) -> ()
        affine.for %o = 0 to 4 {
          affine.store %five, %acc[%o] : memref<4xi32>
        } {hls.label = "output_lanes", hls.unroll = 4 : i64}
        affine.for %o = 0 to 4 {
          affine.store %zero, %total[] : memref<i32>
          affine.for %i = 0 to 5 {
            %0 = affine.load %word[%i] : memref<5xi8>
            %1 = affine.load %weight[%o, %i] : memref<4x5xi8>
            %2 = arith.extsi %0 : i8 to i32
            %3 = arith.extsi %1 : i8 to i32
            %4 = arith.muli %2, %3 : i32
            %5 = affine.load %total[] : memref<i32>
            %6 = arith.addi %5, %4 : i32
            affine.store %6, %total[] : memref<i32>
          } {hls.label = "taps", hls.unroll = 5 : i64}
          %7 = affine.load %acc[%o] : memref<4xi32>
          %8 = affine.load %total[] : memref<i32>
          %9 = arith.addi %7, %8 : i32
          affine.store %9, %acc[%o] : memref<4xi32>
        } {hls.label = "output_lanes", hls.unroll = 4 : i64}
        affine.for %o = 0 to 4 {
          %10 = affine.load %acc[%o] : memref<4xi32>
          %11 = arith.shrsi %10, %five : i32
          %12 = arith.trunci %11 : i32 to i8
          affine.store %12, %result_word[%o] : memref<4xi8>
        } {hls.label = "output_lanes", hls.unroll = 4 : i64}
        "hls.write"(%result_word, %out) : (memref<4xi8>, !hls.stream<vector<4xi8>>) -> ()
      } {hls.pipeline}
    }) {hls.fabric = 2 : i64, sym_name = "fabric"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<4xi8>>, memref<4x4xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// All products are in LUTs, nothing else changes.
// CHECK-LABEL: func.func @all_fabric
// CHECK: affine.for %{{.*}} = 0 to 5 {
// CHECK: arith.muli %{{.*}}, %{{.*}} {hls.multiplier = "fabric"} : i32
// CHECK: } {hls.label = "taps", hls.unroll = 5 : i64}
// SMALL-LABEL: func.func @all_fabric
memref.global "private" constant @weight_lanes : memref<2x5xi8> = dense<[[1, -2, 3, -4, 5], [6, -7, 8, 9, -9]]> {hls.lanes = 2 : i64}
func.func @all_fabric(%image: memref<4x5xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 4 : i64, sym_name = "in"} : () -> !hls.stream<vector<5xi8>>
    %out = "hls.fifo"() {depth = 4 : i64, sym_name = "out"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %in) : (memref<4x5xi8>, !hls.stream<vector<5xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.lanes = 1 : i64, hls.name = "word"} : memref<5xi8>
      %acc = memref.alloc() {hls.lanes = 1 : i64, hls.name = "accumulator"} : memref<2xi32>
      %result_word = memref.alloc() : memref<2xi8>
      %weight = memref.get_global @weight_lanes : memref<2x5xi8>
      %total = memref.alloc() {hls.name = "sum"} : memref<i32>
      %zero = arith.constant 0 : i32
      %five = arith.constant 5 : i32
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<5xi8>>, memref<5xi8>) -> ()
        affine.for %o = 0 to 2 {
          affine.store %five, %acc[%o] : memref<2xi32>
        } {hls.label = "output_lanes", hls.unroll = 2 : i64}
        affine.for %o = 0 to 2 {
          affine.store %zero, %total[] : memref<i32>
          affine.for %i = 0 to 5 {
            %0 = affine.load %word[%i] : memref<5xi8>
            %1 = affine.load %weight[%o, %i] : memref<2x5xi8>
            %2 = arith.extsi %0 : i8 to i32
            %3 = arith.extsi %1 : i8 to i32
            %4 = arith.muli %2, %3 : i32
            %5 = affine.load %total[] : memref<i32>
            %6 = arith.addi %5, %4 : i32
            affine.store %6, %total[] : memref<i32>
          } {hls.label = "taps", hls.unroll = 5 : i64}
          %7 = affine.load %acc[%o] : memref<2xi32>
          %8 = affine.load %total[] : memref<i32>
          %9 = arith.addi %7, %8 : i32
          affine.store %9, %acc[%o] : memref<2xi32>
        } {hls.label = "output_lanes", hls.unroll = 2 : i64}
        affine.for %o = 0 to 2 {
          %10 = affine.load %acc[%o] : memref<2xi32>
          %11 = arith.shrsi %10, %five : i32
          %12 = arith.trunci %11 : i32 to i8
          affine.store %12, %result_word[%o] : memref<2xi8>
        } {hls.label = "output_lanes", hls.unroll = 2 : i64}
        "hls.write"(%result_word, %out) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
      } {hls.pipeline}
    }) {hls.fabric = 5 : i64, sym_name = "all_fabric"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<2xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
// -----
// Each channel has activations and weights of its own: nothing to share, but chains of slices. The product that
// requantizes is left alone.
// REMARK: 'depthwise': slices of one product, chains of 3 of 3
// CHECK-LABEL: func.func @depthwise
// CHECK-NOT: hls.pack
// CHECK: affine.for %[[O:.*]] = 0 to 2 {
// CHECK-NOT: arith.constant 0 : i48
// CHECK: affine.for %[[LINK:.*]] = 0 to 3 {
// CHECK: affine.load %{{.*}}[%[[LINK]] + %[[O]] * 3] : memref<6xi8>
// CHECK: } {hls.cascade, hls.label = "links", hls.unroll = 3 : i64}
// CHECK: arith.muli %{{.*}}, %{{.*}} : i32
// CHECK-NEXT: arith.trunci
// CHECK-NOT: REMARK
// SMALL-LABEL: func.func @depthwise
// SMALL-NOT: hls.cascade
memref.global "private" constant @weight_lanes : memref<2x3xi8> = dense<[[1, -2, 3], [-4, 5, 6]]> {hls.lanes = 2 : i64}
func.func @depthwise(%image: memref<4x6xi8>, %result: memref<4x2xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 4 : i64, sym_name = "in"} : () -> !hls.stream<vector<6xi8>>
    %out = "hls.fifo"() {depth = 4 : i64, sym_name = "out"} : () -> !hls.stream<vector<2xi8>>
    "hls.source"(%image, %in) : (memref<4x6xi8>, !hls.stream<vector<6xi8>>) -> ()
    "hls.task"() ({
      %word = memref.alloc() {hls.lanes = 1 : i64, hls.name = "word"} : memref<6xi8>
      %acc = memref.alloc() {hls.lanes = 1 : i64, hls.name = "accumulator"} : memref<2xi32>
      %result_word = memref.alloc() : memref<2xi8>
      %weight = memref.get_global @weight_lanes : memref<2x3xi8>
      %total = memref.alloc() {hls.name = "sum"} : memref<i32>
      %zero = arith.constant 0 : i32
      %five = arith.constant 5 : i32
      affine.for %x = 0 to 4 {
        "hls.read"(%in, %word) : (!hls.stream<vector<6xi8>>, memref<6xi8>) -> ()
        affine.for %o = 0 to 2 {
          affine.store %five, %acc[%o] : memref<2xi32>
        } {hls.label = "output_lanes", hls.unroll = 2 : i64}
        affine.for %o = 0 to 2 {
          affine.store %zero, %total[] : memref<i32>
          affine.for %i = 0 to 3 {
            %0 = affine.load %word[%o * 3 + %i] : memref<6xi8>
            %1 = affine.load %weight[%o, %i] : memref<2x3xi8>
            %2 = arith.extsi %0 : i8 to i32
            %3 = arith.extsi %1 : i8 to i32
            %4 = arith.muli %2, %3 : i32
            %5 = affine.load %total[] : memref<i32>
            %6 = arith.addi %5, %4 : i32
            affine.store %6, %total[] : memref<i32>
          } {hls.label = "taps", hls.unroll = 3 : i64}
          %7 = affine.load %acc[%o] : memref<2xi32>
          %8 = affine.load %total[] : memref<i32>
          %9 = arith.addi %7, %8 : i32
          affine.store %9, %acc[%o] : memref<2xi32>
        } {hls.label = "output_lanes", hls.unroll = 2 : i64}
        affine.for %o = 0 to 2 {
          %10 = affine.load %acc[%o] : memref<2xi32>
          %11 = arith.muli %10, %five : i32
          %12 = arith.trunci %11 : i32 to i8
          affine.store %12, %result_word[%o] : memref<2xi8>
        } {hls.label = "output_lanes", hls.unroll = 2 : i64}
        "hls.write"(%result_word, %out) : (memref<2xi8>, !hls.stream<vector<2xi8>>) -> ()
      } {hls.pipeline}
    }) {sym_name = "depthwise"} : () -> ()
    "hls.sink"(%out, %result) : (!hls.stream<vector<2xi8>>, memref<4x2xi8>) -> ()
  }) : () -> ()
  return
}
