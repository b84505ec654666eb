# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# cmake -DCLANG_FORMAT=… -P clang_format.cmake, in the source tree: fails where a C++ file is not formatted.
file(GLOB_RECURSE files lib/*.h lib/*.cpp test/*.h test/*.cpp)
if(files)
  execute_process(COMMAND "${CLANG_FORMAT}" --dry-run --Werror ${files} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "run: .venv/bin/clang-format -i on the files above")
  endif()
endif()
