# Daily work:  cmake -C scripts/cmake/debug.cmake -S . -B build-debug
set(CMAKE_GENERATOR Ninja CACHE INTERNAL "")
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(PYSPYC_WERROR ON CACHE BOOL "")
set(PYSPYC_TESTS ON CACHE BOOL "")
