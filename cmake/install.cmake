# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# cmake -DPYTHON=… -DSOURCE=… -DENVIRONMENT=… -DEXTRAS=a;b -DWITHOUT_DEPENDENCIES=x;y -DSTAMP=… -P install.cmake
# Makes the virtual environment where there is none and installs the project into it, editable, with its extras.
function(run)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY "${SOURCE}" RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "failed (${status}): ${command}")
  endif()
endfunction()

set(python "${ENVIRONMENT}/bin/python")
if(NOT EXISTS "${python}")
  run("${PYTHON}" -m venv "${ENVIRONMENT}")
endif()
set(install "${python}" -m pip install --quiet --disable-pip-version-check)

# The build backend goes into the environment, because an isolated build would download it once more.
file(STRINGS "${SOURCE}/pyproject.toml" backend REGEX "^requires = ")
string(REGEX MATCH "scikit-build-core==[0-9.]+" backend "${backend}")
run(${install} "${backend}")

list(JOIN EXTRAS "," extras)
run(${install} --no-build-isolation --editable "${SOURCE}[${extras}]")
if(WITHOUT_DEPENDENCIES)
  run(${install} --no-deps ${WITHOUT_DEPENDENCIES})
endif()
file(TOUCH "${STAMP}")
