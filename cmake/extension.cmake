# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The extension module resnet_hls.simulate._cycles, from lib/sim/*.cpp. Portable code: a wheel runs on other machines.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release) # -O3
endif()
find_package(Python 3.11...<3.12 REQUIRED COMPONENTS Interpreter Development.Module)
find_package(nanobind CONFIG REQUIRED)

file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/lib/sim/*.cpp")
# torch-mlir's modules are nanobind's as well: a domain of our own keeps the two apart. Without NOMINSIZE it would be -Os.
nanobind_add_module(_cycles NOMINSIZE NB_DOMAIN resnet_hls ${sources})
target_compile_features(_cycles PRIVATE cxx_std_20)
set_target_properties(_cycles PROPERTIES CXX_EXTENSIONS OFF)
target_compile_options(_cycles PRIVATE -Wall -Wextra)
# The file differs from one compiler to the next; what tells two compilers of ours apart is what it was made of.
file(GLOB inputs CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/lib/sim/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/lib/sim/*.h")
list(SORT inputs)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${inputs})
set(sums "")
foreach(input IN LISTS inputs)
  file(SHA256 "${input}" sum)
  string(APPEND sums "${sum}\n")
endforeach()
string(SHA256 sums "${sums}")
set_property(SOURCE "${CMAKE_CURRENT_SOURCE_DIR}/lib/sim/bindings.cpp" PROPERTY COMPILE_DEFINITIONS "SOURCES_SHA256=\"${sums}\"")
set(CMAKE_INSTALL_MESSAGE LAZY)
install(TARGETS _cycles LIBRARY DESTINATION resnet_hls/simulate)
