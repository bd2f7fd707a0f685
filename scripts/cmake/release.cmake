# What a user builds:  cmake -C scripts/cmake/release.cmake -S . -B build
set(CMAKE_GENERATOR Ninja CACHE INTERNAL "")
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(PYSPYC_TESTS OFF CACHE BOOL "")
