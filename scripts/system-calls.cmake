# Writes the names of a machine's system calls, as rows of a C table: [0] = "read",
#   cmake -DCOMPILER=... -DSYSROOT=... -DOUTPUT=... -P system-calls.cmake
# Where the kernel has one table for several machines (asm-generic/unistd.h), as for aarch64, some numbers have a name of
# their own: __NR_lseek is __NR3264_lseek, which is 62.
execute_process(COMMAND ${COMPILER} --sysroot=${SYSROOT} -E -dM -x c -include sys/syscall.h /dev/null
                OUTPUT_VARIABLE macros COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "#define __NR3264_[a-z0-9_]+ [0-9]+\n" numbers "${macros}")
foreach(number ${numbers})
  string(REGEX MATCH "__NR3264_([a-z0-9_]+) ([0-9]+)" matched "${number}")
  string(REPLACE "#define __NR_${CMAKE_MATCH_1} __NR3264_${CMAKE_MATCH_1}\n"
                 "#define __NR_${CMAKE_MATCH_1} ${CMAKE_MATCH_2}\n" macros "${macros}")
endforeach()
string(REGEX MATCHALL "#define __NR_[a-z0-9_]+ [0-9]+\n" macros "${macros}")
list(TRANSFORM macros REPLACE "#define __NR_([a-z0-9_]+) ([0-9]+)\n" "[\\2] = \"\\1\",\n")
list(JOIN macros "" rows)
file(WRITE ${OUTPUT} "${rows}")
