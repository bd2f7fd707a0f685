# Brings what was installed for a package to where Debian's policy wants it. CPack runs this before it packs.
file(GLOB root ${CPACK_TEMPORARY_DIRECTORY})
set(share ${root}/usr/share)
find_program(GZIP gzip REQUIRED)

function(pack file)
  execute_process(COMMAND ${GZIP} -9 -n --force ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Section 12.1
pack(${share}/man/man1/pyspyc.1)
# Section 12.7. The version is Debian's and ours, as there is no other packaging of it.
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog ${share}/doc/pyspyc/changelog COPYONLY)
pack(${share}/doc/pyspyc/changelog)
# Where Debian's zsh looks for what packages bring.
file(RENAME ${share}/zsh/site-functions ${share}/zsh/vendor-completions)
file(CHMOD_RECURSE ${share} FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
  DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
