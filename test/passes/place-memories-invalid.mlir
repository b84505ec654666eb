// RUN: resnet-opt %s --pass-pipeline='builtin.module(hls-place-memories)' --split-input-file --verify-diagnostics

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
