# Everything built for libFuzzer, with clang:  cmake -C scripts/cmake/fuzz.cmake -S . -B build-fuzz
# The rooms report their coverage to the fuzzer; only a fuzz target links the fuzzer itself (-fsanitize=fuzzer).
include(${CMAKE_CURRENT_LIST_DIR}/asan.cmake)
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(PYSPYC_FUZZ ON CACHE BOOL "")
set(CMAKE_C_FLAGS "-fsanitize=fuzzer-no-link" CACHE STRING "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
