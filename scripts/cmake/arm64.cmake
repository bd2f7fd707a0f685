# For aarch64, on another machine:  cmake -C scripts/cmake/arm64.cmake -S . -B build-arm64
# With the compiler of Debian's crossbuild-essential-arm64, and the libraries that scripts/get-roots arm64 has fetched.
include(${CMAKE_CURRENT_LIST_DIR}/release.cmake)
execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../get-roots --folder
  OUTPUT_VARIABLE roots OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(CMAKE_SYSTEM_NAME Linux CACHE STRING "")
set(CMAKE_SYSTEM_PROCESSOR aarch64 CACHE STRING "")
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc CACHE STRING "")
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu CACHE STRING "")
set(CMAKE_SYSROOT ${roots}/arm64 CACHE PATH "")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER CACHE STRING "")
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY CACHE STRING "")
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY CACHE STRING "")
set(PYSPYC_WERROR ON CACHE BOOL "")
