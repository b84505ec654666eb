// RUN: resnet-opt %s --split-input-file --pass-pipeline='builtin.module(canonicalize)' | filecheck %s
// CHECK: @first
// CHECK: // -----
// CHECK: @second

// All or nothing: an error in one module names its line in the file, and the other module is not written either.
// RUN: rm -f %t.mlir
// RUN: not resnet-opt %s --split-input-file --pass-pipeline='builtin.module(canonicalize,my-label)' --load-pass=%S/Inputs/user_pass.py -o %t.mlir 2>&1 | filecheck %s --check-prefix=NEST
// NEST: resnet-opt: error: pass pipeline: column {{[0-9]+}}: 'my-label' runs on func.func, not on builtin.module
// NEST-NEXT: help: move it into func.func(…)
// RUN: not resnet-opt %s --split-input-file --load-pass=%S/Inputs/user_pass.py --pass-pipeline='builtin.module(func.func(my-label))' -o %t.mlir 2>&1 | filecheck %s --check-prefix=ERROR
// ERROR: resnet-opt: error: {{.*}}resnet-opt-split.mlir:20:1: my-label: has a label already
// ERROR-NEXT: help: use my-label once
// RUN: not ls %t.mlir

func.func @first() {
  return
}
// -----
func.func @second() attributes {label = "taken"} {
  return
}
