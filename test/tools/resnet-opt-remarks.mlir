// What passes say about their work: with --remarks on stderr, location first, whether the pipeline ends well or not; a
// location that carries a layer's name says it.
// RUN: resnet-opt %s --load-pass=%S/Inputs/user_pass.py --pass-pipeline='builtin.module(func.func(my-label))' --remarks 2>&1 | filecheck %s
// CHECK: {{.*}}resnet-opt-remarks.mlir:16:1: remark: [my-label] is labelled 'here'
// CHECK-NEXT: model.onnx:3:4: layer 'conv1': remark: [my-label] is labelled 'here'
// CHECK-NEXT: module {
// RUN: not resnet-opt - --load-pass=%S/Inputs/user_pass.py --pass-pipeline='builtin.module(func.func(my-label,my-label))' --remarks < %s 2>&1 | filecheck %s --check-prefix=FAILS
// FAILS: -:16:1: remark: [my-label] is labelled 'here'
// FAILS: resnet-opt: error: -:16:1: my-label: has a label already

// Without the option nobody hears them; with --verify-diagnostics they are compared with 'expected-remark' comments.
// RUN: resnet-opt %s --load-pass=%S/Inputs/user_pass.py --pass-pipeline='builtin.module(func.func(my-label))' 2>&1 | filecheck %s --check-prefix=QUIET
// QUIET-NOT: remark:
// RUN: resnet-opt %s --load-pass=%S/Inputs/user_pass.py --pass-pipeline='builtin.module(func.func(my-label))' --remarks --verify-diagnostics

func.func @first() { // expected-remark {{[my-label] is labelled 'here'}}
  return
}
// expected-remark @unknown {{is labelled}}
func.func @second() {
  return
} loc("conv1"("model.onnx":3:4))
