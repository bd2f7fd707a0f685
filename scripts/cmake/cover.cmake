# The fuzz targets, so built that they tell which code ran:  cmake -C scripts/cmake/cover.cmake -S . -B build-cover
include(${CMAKE_CURRENT_LIST_DIR}/debug.cmake)
set(CMAKE_C_COMPILER clang CACHE STRING "")
set(CMAKE_C_FLAGS "-fprofile-instr-generate -fcoverage-mapping" CACHE STRING "")
