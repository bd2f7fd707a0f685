/* SPDX-License-Identifier: MIT */
/*
 * Answers what is asked about the code of modules: names of functions, lines, inlined functions. This is where ELF
 * symbols, DWARF information and mangled names of a target's files are read, in a process that can do nothing else.
 */
#ifndef CODE_SERVICE_H
#define CODE_SERVICE_H

/* Answers until nobody is left to ask. */
void code_service_run(int socket);

#endif
