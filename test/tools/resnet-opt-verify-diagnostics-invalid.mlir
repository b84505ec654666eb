// RUN: not resnet-opt %s --split-input-file --verify-diagnostics 2>&1 | filecheck %s
// CHECK: resnet-opt: error: {{.*}}-invalid.mlir:9: expected error "never" was not produced
// CHECK: help:
// CHECK: resnet-opt: error: {{.*}}-invalid.mlir:14:3: unexpected error: 'func.return' op has 0 operands
// CHECK: resnet-opt: error: {{.*}}-invalid.mlir:20:3: unexpected error: 'func.return' op has 0 operands
// CHECK: resnet-opt: error: {{.*}}-invalid.mlir:19: expected error "other text" was not produced

func.func @missing() {
  // expected-error @below {{never}}
  return
}
// -----
func.func @unexpected() -> i32 {
  return
}
// -----
func.func @wrong_text() -> i32 {
  // The text has to be part of the message.
  // expected-error @below {{other text}}
  return
}
