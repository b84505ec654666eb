// RUN: resnet-opt %s --split-input-file --verify-diagnostics

func.func @relative() -> i32 {
  // expected-error @+1 {{'func.return' op has 0 operands}}
  return
}
// -----
func.func @same_line() -> i32 {
  return // expected-error-re {{op has {{[0-9]+}} operands, but enclosing function (@{{[a-z_]+}}) returns 1}}
}
// -----
func.func @below() -> i32 {
  // expected-error @below {{op has 0 operands}}
  // expected-note @below {{see current operation}}
  return
}
// -----
func.func @above() -> i32 {
  return
  // expected-error @above {{op has 0 operands}}
}
// -----
func.func @backwards() -> i32 {
  return

  // expected-error @-2 {{op has 0 operands}}
}
// -----
func.func @syntax() {
  // expected-error @below {{expected attribute value}}
  %0 = arith.constant : i32
}
