# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Target `demo`: the bundled ResNet8 to HLS C++ for the KV260, and the C++ checked against the network on images.
set(DEMO "${CMAKE_SOURCE_DIR}/build/demo/resnet8")
add_custom_target(
  demo
  COMMAND "${CMAKE_COMMAND}" -E rm -rf "${DEMO}"
  COMMAND "${ENVIRONMENT_BIN}/resnet-hls" build resnet8 --board kv260 -o "${DEMO}"
  COMMAND "${ENVIRONMENT_BIN}/resnet-hls" verify "${DEMO}" --images 100
  COMMAND "${ENVIRONMENT_BIN}/resnet-hls" verify "${DEMO}" --data drawings
  WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
  VERBATIM USES_TERMINAL)
add_dependencies(demo environment-demo)
