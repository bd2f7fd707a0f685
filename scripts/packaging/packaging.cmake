# What is installed beside the program for the law, and how packages are made of it. scripts/package calls this.
set(PYSPYC_MAINTAINER "pyspyc developers <pyspyc@pyspyc.invalid>" CACHE STRING
  "Who is asked about a package, as NAME <ADDRESS>")
set(packaging ${PROJECT_SOURCE_DIR}/scripts/packaging)

# Debian's form of the licence, made of LICENSE: an empty line is a dot.
file(STRINGS ${PROJECT_SOURCE_DIR}/LICENSE lines)
set(licence "")
foreach(line IN LISTS lines)
  if(line MATCHES "^Copyright \\(c\\) (.*)$")
    set(copyright_holder ${CMAKE_MATCH_1})
  elseif(line STREQUAL "")
    string(APPEND licence " .\n")
  elseif(NOT line STREQUAL "MIT License")
    string(APPEND licence " ${line}\n")
  endif()
endforeach()
string(REGEX REPLACE "^( \\.\n)+" "" licence "${licence}")
configure_file(${packaging}/copyright.in ${PROJECT_BINARY_DIR}/packaging/copyright @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/packaging/copyright ${packaging}/NOTICES DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(PYSPYC_STATIC)
  install(CODE "set(map \"${PROJECT_BINARY_DIR}/pyspyc.map\")\nset(folder \"${CMAKE_INSTALL_DOCDIR}/licences\")")
  install(SCRIPT ${packaging}/licences.cmake)
endif()

set(CPACK_PACKAGE_VENDOR "pyspyc developers")
set(CPACK_PACKAGE_CONTACT "${PYSPYC_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "sampling profiler for running Python programs")
set(CPACK_PACKAGE_DESCRIPTION
"It looks at a running Python program from outside, by reading its memory,
and tells where the time goes: as a flame graph, a tree, live on the
terminal, or in the formats of other tools. The program is not changed, not
restarted and, unless that is asked for, not stopped.

It knows CPython 2.7 and 3.6 to 3.15, without and with a global interpreter
lock, also in containers, and core files of them.")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
if(PYSPYC_STATIC)
  # A folder with the same tree, to be unpacked anywhere.
  set(CPACK_GENERATOR TGZ)
  set(CPACK_PACKAGE_FILE_NAME pyspyc-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR}-static)
else()
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_PRE_BUILD_SCRIPTS ${packaging}/debian.cmake)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SECTION devel)
  set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_SUGGESTS python3)
  set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${packaging}/prerm)
  set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
endif()
include(CPack)
