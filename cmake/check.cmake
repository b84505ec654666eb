# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The tests of `cmake --workflow --preset check`. Each runs a tool of .venv/ on the source tree.
function(add_check name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PROCESSORS" "COMMAND")
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  if(arg_PROCESSORS)
    set_tests_properties(${name} PROPERTIES PROCESSORS ${arg_PROCESSORS})
  endif()
endfunction()

set(bin "${ENVIRONMENT_BIN}")
add_check(ruff-check COMMAND "${bin}/ruff" check)
add_check(ruff-format COMMAND "${bin}/ruff" format --check)
add_check(mypy COMMAND "${bin}/mypy" --strict python)
add_check(clang-format COMMAND "${CMAKE_COMMAND}" "-DCLANG_FORMAT=${bin}/clang-format" -P cmake/clang_format.cmake)
# Beside mypy, which has one thread.
add_check(lit COMMAND "${bin}/lit" --succinct --workers=2 --order=lexical test)
# Tests of one file run in one process, because they share what is expensive to build.
add_check(pytest PROCESSORS 2 COMMAND "${bin}/pytest" --numprocesses=2 --dist=loadfile --no-loadscope-reorder --durations=60)
