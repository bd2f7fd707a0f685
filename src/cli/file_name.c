/* SPDX-License-Identifier: MIT */
#include "file_name.h"

#include "base/buffer.h"

#include <inttypes.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

void file_name_append_time(struct buffer *out)
{
    char when[64];
    struct tm local;
    time_t now = time(NULL);
    if (localtime_r(&now, &local) && strftime(when, sizeof(when), "%Y-%m-%dT%H-%M-%S", &local) > 0)
        buffer_append_text(out, when);
}

static void append_host(struct buffer *out)
{
    char name[HOST_NAME_MAX + 1] = "";
    gethostname(name, sizeof(name) - 1);
    for (const char *c = name; *c; c++)
        buffer_append_char(out, *c == '/' ? '_' : *c);
}

/* Appends what a percent sign and this letter stand for; false: nothing. */
static bool append_fact(struct buffer *out, char letter, const struct file_name_facts *facts)
{
    switch (letter) {
    case 'p':
        buffer_format(out, "%d", facts->pid);
        return true;
    case 'n':
        buffer_format(out, "%" PRIu32, facts->number);
        return true;
    case 'h':
        append_host(out);
        return true;
    case 't':
        file_name_append_time(out);
        return true;
    case '%':
        buffer_append_char(out, '%');
        return true;
    default:
        return false;
    }
}

void file_name_append(struct buffer *out, const char *pattern, const struct file_name_facts *facts)
{
    for (const char *c = pattern; *c; c++) {
        if (*c == '%' && append_fact(out, c[1], facts))
            c++;
        else
            buffer_append_char(out, *c);
    }
}
