# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# cmake -DSOURCE=… -DENVIRONMENT=… -P build_extension.cmake
# Brings the extension module in the virtual environment up to date. pip would do that too, and takes seconds to find out
# that there is nothing to do; the build folder that pip left behind knows at once.
function(run)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY "${SOURCE}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Two builds in one folder at a time would break what ninja has noted there.
file(LOCK "${ENVIRONMENT}" DIRECTORY)
if(EXISTS "${SOURCE}/build/extension/CMakeCache.txt")
  run("${CMAKE_COMMAND}" --build "${SOURCE}/build/extension" -- --quiet)
  run("${CMAKE_COMMAND}" --install "${SOURCE}/build/extension" --prefix "${ENVIRONMENT}/lib/python3.11/site-packages")
else()
  run("${ENVIRONMENT}/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation
      --editable "${SOURCE}")
endif()
