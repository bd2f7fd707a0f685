/* SPDX-License-Identifier: MIT */
/* A library that looks like CPython's from outside, and is none: what it has is never initialised. */
char _PyRuntime[65536];
const unsigned long Py_Version = PY_VERSION_OF_STUB;
const char *Py_GetVersion(void);

const char *Py_GetVersion(void)
{
    return _PyRuntime;
}
