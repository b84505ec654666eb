# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Targets `environment-demo` and `environment-check`: the packages of pyproject.toml in .venv/ of the source tree, with
# this project installed editable, so that .venv/bin/resnet-hls runs the sources, and with its extension module as lib/sim
# has it now. A stamp per target says what is there already; it lies in .venv/, so that deleting .venv/ is all it takes to
# start afresh.
find_package(Python 3.11...<3.12 REQUIRED COMPONENTS Interpreter)

set(ENVIRONMENT "${CMAKE_SOURCE_DIR}/.venv")
set(ENVIRONMENT_BIN "${ENVIRONMENT}/bin")

function(add_environment name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "EXTRAS;WITHOUT_DEPENDENCIES")
  set(stamp "${ENVIRONMENT}/${name}.stamp")
  add_custom_command(
    OUTPUT "${stamp}"
    COMMAND
      "${CMAKE_COMMAND}" "-DPYTHON=${Python_EXECUTABLE}" "-DSOURCE=${CMAKE_SOURCE_DIR}" "-DENVIRONMENT=${ENVIRONMENT}"
      "-DEXTRAS=${arg_EXTRAS}" "-DWITHOUT_DEPENDENCIES=${arg_WITHOUT_DEPENDENCIES}" "-DSTAMP=${stamp}" -P
      "${CMAKE_SOURCE_DIR}/cmake/install.cmake"
    DEPENDS "${CMAKE_SOURCE_DIR}/pyproject.toml" "${CMAKE_SOURCE_DIR}/cmake/install.cmake"
    COMMENT "Installing pinned packages into .venv (${name})"
    VERBATIM USES_TERMINAL)
  add_custom_target(
    ${name}
    COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${CMAKE_SOURCE_DIR}" "-DENVIRONMENT=${ENVIRONMENT}" -P
            "${CMAKE_SOURCE_DIR}/cmake/build_extension.cmake"
    DEPENDS "${stamp}"
    VERBATIM USES_TERMINAL)
endfunction()

# The bundled networks are PyTorch modules, so the demo needs PyTorch.
add_environment(environment-demo EXTRAS torch)
# hls4ml is there for the Xilinx headers in its wheel; its own dependencies would bring a machine learning framework.
add_environment(environment-check EXTRAS torch fit test WITHOUT_DEPENDENCIES hls4ml==1.3.0)
