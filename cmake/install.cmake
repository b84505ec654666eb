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

file(LOCK "${ENVIRONMENT}" DIRECTORY) # see build_extension.cmake
set(python "${ENVIRONMENT}/bin/python")
if(NOT EXISTS "${python}")
  run("${PYTHON}" -m venv "${ENVIRONMENT}")
endif()
# Most of the modules are never imported, so Python compiles those that are when they are.
set(install "${python}" -m pip install --quiet --disable-pip-version-check --no-compile)

# What builds the extension module goes into the environment, where it stays: an isolated build would download it once
# more and compile everything anew. Ninja is there so that make need not be.
file(STRINGS "${SOURCE}/pyproject.toml" requires REGEX "^requires = ")
string(REGEX MATCHALL "[a-z-]+==[0-9.]+" requires "${requires}")
run(${install} ${requires} ninja==1.13.2)

list(JOIN EXTRAS "," extras)
run(${install} --no-build-isolation --editable "${SOURCE}[${extras}]")
if(WITHOUT_DEPENDENCIES)
  run(${install} --no-deps ${WITHOUT_DEPENDENCIES})
endif()
file(TOUCH "${STAMP}")
