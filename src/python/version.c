/* SPDX-License-Identifier: MIT */
#include "python/version.h"

#include <stdio.h>

void python_version_format(const struct python_version *version, char text[PYTHON_VERSION_TEXT_LEN])
{
    char micro[8] = "", serial[8] = "";
    const char level[] = {version->level, '\0'};
    if (version->micro >= 0)
        snprintf(micro, sizeof(micro), ".%u", version->micro & UINT8_MAX);
    if (version->level)
        snprintf(serial, sizeof(serial), "%s%u", *level == 'c' ? "rc" : level, version->serial);
    snprintf(text, PYTHON_VERSION_TEXT_LEN, "%d.%d%s%s%s", version->major, version->minor, micro, serial,
             version->is_free_threaded ? " (free-threaded)" : "");
}
