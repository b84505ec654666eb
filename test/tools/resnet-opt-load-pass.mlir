// A pass in a user's own file: run, mixed with MLIR's own, documented, and its failures reported.
// RUN: resnet-opt %s --load-pass=%S/Inputs/user_pass.py --pass-pipeline='builtin.module(func.func(canonicalize,my-label{text="two words"}))' | filecheck %s
// CHECK: func.func @f{{.*}} attributes {label = "two words"}

// RUN: resnet-opt --load-pass=%S/Inputs/user_pass.py --help-passes | filecheck %s --check-prefix=HELP
// HELP: my-label
// HELP-NEXT: Label every function.
// HELP: The label is a string attribute `label`.
// HELP: text=<str> (default: here): what the label says
// HELP: stop=<bool> (default: false)

// RUN: not resnet-opt %s --load-pass=%S/Inputs/user_pass.py --pass-pipeline='builtin.module(func.func(my-label,my-label))' 2>&1 | filecheck %s --check-prefix=TWICE
// TWICE: resnet-opt: error: {{.*}}.mlir:26:1: my-label: has a label already
// TWICE-NEXT: help: use my-label once

// A defective pass is reported with the place in its source, and IR that it leaves invalid is caught.
// RUN: not resnet-opt %s --load-pass=%S/Inputs/user_pass.py --pass-pipeline='builtin.module(func.func(my-label{stop}))' 2>&1 | filecheck %s --check-prefix=STOP
// STOP: resnet-opt: error: {{.*}}user_pass.py:{{[0-9]+}}: pass 'my-label' stopped with KeyError: 'no such thing'
// STOP-NOT: Traceback
// RUN: not resnet-opt %s --load-pass=%S/Inputs/user_pass.py --pass-pipeline='builtin.module(my-break)' 2>&1 | filecheck %s --check-prefix=BREAK
// BREAK: resnet-opt: error: {{.*}}: my-break: 'func.return' op has 0 operands, but enclosing function (@f) returns 1

// RUN: not resnet-opt %s --load-pass=%t.none.py 2>&1 | filecheck %s --check-prefix=NONE
// NONE: resnet-opt: error: {{.*}}.none.py: there is no such file

func.func @f(%a: i32) -> i32 {
  return %a : i32
}
