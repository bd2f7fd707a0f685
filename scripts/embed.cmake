# Turns a text file into a C source that defines it as an array, at build time:
#     cmake -DINPUT=flamegraph.js -DOUTPUT=flamegraph_js.c -DNAME=flamegraph_js -P embed.cmake
# defines `const unsigned char flamegraph_js[]` (with a NUL behind it) and `const size_t flamegraph_js_len` (without).
file(READ "${INPUT}" bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR len "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE "${OUTPUT}"
  "#include \"embedded.h\"\n\nconst unsigned char ${NAME}[] = {\n${bytes}0};\nconst size_t ${NAME}_len = ${len};\n")
