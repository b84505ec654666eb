// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-place-memories)' --split-input-file --verify-diagnostics
// RUN: not resnet-opt %s --pass-pipeline='builtin.module(hls-place-memories{family=7series})' --split-input-file 2>&1 | filecheck %s --check-prefix=SERIES7

// SERIES7: no UltraRAM for weights: devices of the family 7series have none
// SERIES7-NEXT: help: let weights lie elsewhere (weights=auto), or choose a board with UltraRAM: kv260, zcu104

// expected-error @below {{expected one hls.dataflow, found 0}}
module {
}
// -----
func.func @no_nest(%image: memref<2xi8>, %result: memref<2xi8>) {
  "hls.dataflow"() ({
    // expected-error @below {{a task with 0 nests, expected one}}
    "hls.task"() ({
      %word = memref.alloc() : memref<1xi8>
    }) {sym_name = "idle"} : () -> ()
  }) : () -> ()
  return
}
// -----
// 74 of 72 bits and 4,096 words each.
// expected-error @below {{no UltraRAM for weights: 74 are needed up to here, 64 may be used}}
memref.global "private" constant @much : memref<300000x8xi8> = dense<1> {hls.lanes = 1 : i64, hls.storage = "uram"}
func.func @too_much(%image: memref<300000xi8>, %result: memref<300000xi8>) {
  "hls.dataflow"() ({
    "hls.task"() ({
      %w = memref.get_global @much : memref<300000x8xi8>
      %word = memref.alloc() {hls.lanes = 0 : i64} : memref<1xi8>
      affine.for %i = 0 to 300000 {
        %0 = affine.load %w[%i, 0] : memref<300000x8xi8>
        affine.store %0, %word[0] : memref<1xi8>
      }
    }) {sym_name = "task"} : () -> ()
  }) : () -> ()
  return
}
// -----
// expected-error @below {{a single word in UltraRAM}}
memref.global "private" constant @word : memref<8xi8> = dense<1> {hls.lanes = 1 : i64, hls.storage = "uram"}
func.func @single(%image: memref<8xi8>, %result: memref<8xi8>) {
  "hls.dataflow"() ({
    %in = "hls.fifo"() {depth = 2 : i64, sym_name = "in"} : () -> !hls.stream<vector<8xi8>>
    "hls.source"(%image, %in) : (memref<8xi8>, !hls.stream<vector<8xi8>>) -> ()
    "hls.sink"(%in, %result) : (!hls.stream<vector<8xi8>>, memref<8xi8>) -> ()
  }) : () -> ()
  return
}
