# Unit tests under AddressSanitizer and UBSan:  cmake -C scripts/cmake/asan.cmake -S . -B build-asan
include(${CMAKE_CURRENT_LIST_DIR}/debug.cmake)
set(PYSPYC_SANITIZE ON CACHE BOOL "")
set(CMAKE_C_FLAGS_DEBUG "-g -O1" CACHE STRING "") # half the time, and stacks that can still be read
