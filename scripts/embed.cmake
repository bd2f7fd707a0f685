# Turns text files, one behind the other, into a C source that defines them as an array, at build time:
#     cmake -DINPUTS=a.js,b.js -DOUTPUT=flamegraph_js.c -DNAME=flamegraph_js -P embed.cmake
# defines `const unsigned char flamegraph_js[]` (with a NUL behind it) and `const size_t flamegraph_js_len` (without).
string(REPLACE "," ";" inputs "${INPUTS}")
foreach(input ${inputs})
  file(READ "${input}" part HEX)
  string(APPEND bytes "${part}")
endforeach()
string(LENGTH "${bytes}" digits)
math(EXPR len "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE "${OUTPUT}"
  "#include \"embedded.h\"\n\nconst unsigned char ${NAME}[] = {\n${bytes}0};\nconst size_t ${NAME}_len = ${len};\n")
