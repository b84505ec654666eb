// Without a pipeline the module is parsed, verified and printed; `-` is stdin and stdout.
// RUN: resnet-opt %s | filecheck %s --check-prefix=PRINT
// RUN: resnet-opt - -o - < %s | filecheck %s --check-prefix=PRINT
// PRINT-LABEL: func.func @twice
// PRINT: arith.constant 0
// PRINT: arith.addi
// PRINT: arith.addi

// MLIR's own passes, nested, with options.
// RUN: resnet-opt %s --pass-pipeline='builtin.module(func.func(canonicalize{max-iterations=2 top-down=false}, cse))' | filecheck %s --check-prefix=CANONICAL
// CANONICAL-LABEL: func.func @twice
// CANONICAL-NOT: arith.constant
// CANONICAL: %[[SUM:.*]] = arith.addi %arg0, %arg0
// CANONICAL-NEXT: return %[[SUM]]

// The result goes to a file, and bytecode is read as well as text.
// RUN: resnet-opt %s -o %t.mlir
// RUN: filecheck %s --check-prefix=PRINT < %t.mlir
// RUN: %python -c "from torch_mlir import ir; import sys; ir.Module.parseFile(sys.argv[1], ir.Context()).operation.write_bytecode(open(sys.argv[2], 'wb'))" %s %t.mlirbc
// RUN: resnet-opt %t.mlirbc | filecheck %s --check-prefix=PRINT

// RUN: resnet-opt %s --pass-pipeline='builtin.module(cse,func.func(canonicalize))' --print-ir-after-all --timing -o %t.mlir 2>&1 | filecheck %s --check-prefix=AFTER
// AFTER: IR Dump After cse
// AFTER: arith.constant 0
// AFTER: IR Dump After func.func(canonicalize)
// AFTER-NOT: arith.constant 0
// AFTER: wall time
// AFTER-NEXT: % cse
// AFTER-NEXT: % func.func(canonicalize)
// AFTER-NEXT: (reading, printing, hooks)
// AFTER-NEXT: total

// Locations name the file; a large constant can be left out.
// RUN: resnet-opt %s --mlir-print-debuginfo --elide-large=4 | filecheck %s --check-prefix=DEBUG
// DEBUG: dense_resource<__elided__>
// DEBUG: loc("{{.*}}resnet-opt.mlir":{{[0-9]+}}:3)

func.func @twice(%value: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %table = arith.constant dense<[1, 2, 3, 4, 5, 6, 7, 8]> : tensor<8xi32>
  %same = arith.addi %value, %zero : i32
  %sum = arith.addi %same, %same : i32
  return %sum : i32
}
