// What resnet-translate says to bad usage and bad input.
// RUN: not resnet-translate %s 2>&1 | filecheck %s --check-prefix=USAGE
// USAGE: resnet-translate: error: one of the arguments --emit-hls-cpp --emit-graph is required
// USAGE-NEXT: help: 'resnet-translate --help' lists the options

// RUN: not resnet-translate %t.none --emit-graph 2>&1 | filecheck %s --check-prefix=NONE
// NONE: resnet-translate: error: {{.*}}.none: there is no such file
// NONE-NEXT: help:

// RUN: echo 'func.func @f( {' > %t.mlir
// RUN: not resnet-translate %t.mlir --emit-hls-cpp 2>&1 | filecheck %s --check-prefix=SYNTAX
// SYNTAX: resnet-translate: error: {{.*}}.mlir:1:{{[0-9]+}}: expected non-function type
// SYNTAX-NEXT: help: 'resnet-opt {{.*}}.mlir' shows all errors

module {
}
