/* SPDX-License-Identifier: MIT */
#include "python/status.h"

const char *python_status_text(enum python_status status)
{
    switch (status) {
    case PYTHON_OK:
        return "no failure";
    case PYTHON_GONE:
        return "process gone";
    case PYTHON_BAD_MEMORY:
        return "memory not mapped";
    case PYTHON_BAD_THREAD:
        return "broken thread list";
    case PYTHON_BAD_FRAME:
        return "broken frame chain";
    case PYTHON_BAD_CODE:
        return "unreadable code object";
    case PYTHON_IN_MOTION:
        return "interpreter between two frames";
    case PYTHON_NO_MEMORY:
        return "out of memory";
    case PYTHON_STATUS_COUNT:
        break;
    }
    return "unknown failure";
}
