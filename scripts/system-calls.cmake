# Writes the names of this machine's system calls, as rows of a C table: [0] = "read",
#   cmake -DCOMPILER=... -DOUTPUT=... -P system-calls.cmake
execute_process(COMMAND ${COMPILER} -E -dM -x c -include sys/syscall.h /dev/null OUTPUT_VARIABLE macros
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "#define __NR_[a-z0-9_]+ [0-9]+\n" macros "${macros}")
list(TRANSFORM macros REPLACE "#define __NR_([a-z0-9_]+) ([0-9]+)\n" "[\\2] = \"\\1\",\n")
list(JOIN macros "" rows)
file(WRITE ${OUTPUT} "${rows}")
