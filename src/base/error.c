/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char no_memory_sentence[] = "out of memory";
static struct error no_memory = {ERROR_NO_MEMORY, no_memory_sentence};

struct error *error_no_memory(void)
{
    return &no_memory;
}

/* Takes sentence over. */
static struct error *create_from_sentence(enum error_kind kind, char *sentence)
{
    struct error *error = malloc(sizeof(*error));
    if (!error || !sentence) {
        free(error);
        free(sentence);
        return error_no_memory();
    }
    error->kind = kind;
    error->sentence = sentence;
    return error;
}

/* Returns "context: detail", or NULL without memory. */
__attribute__((format(printf, 2, 0))) static char *format_with_detail(const char *detail, const char *format,
                                                                      va_list arguments)
{
    char *context;
    if (vasprintf(&context, format, arguments) < 0)
        return NULL;
    char *sentence;
    if (asprintf(&sentence, "%s: %s", context, detail) < 0)
        sentence = NULL;
    free(context);
    return sentence;
}

struct error *error_create(enum error_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sentence;
    if (vasprintf(&sentence, format, arguments) < 0)
        sentence = NULL;
    va_end(arguments);
    return create_from_sentence(kind, sentence);
}

static enum error_kind kind_of_errno(int errno_value)
{
    switch (errno_value) {
    case EPERM:
    case EACCES:
        return ERROR_PERMISSION;
    case ENOENT:
        return ERROR_NOT_FOUND;
    case ESRCH:
        return ERROR_TARGET_GONE;
    case ENOMEM:
        return ERROR_NO_MEMORY;
    default:
        return ERROR_OS;
    }
}

struct error *error_from_errno(int errno_value, const char *format, ...)
{
    char detail[128];
    va_list arguments;
    va_start(arguments, format);
    char *sentence = format_with_detail(strerror_r(errno_value, detail, sizeof(detail)), format, arguments);
    va_end(arguments);
    return create_from_sentence(kind_of_errno(errno_value), sentence);
}

struct error *error_wrap(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sentence = format_with_detail(error->sentence, format, arguments);
    va_end(arguments);
    enum error_kind kind = error->kind;
    error_destroy(error);
    return create_from_sentence(kind, sentence);
}

void error_destroy(struct error *error)
{
    if (!error || error == &no_memory)
        return;
    free(error->sentence);
    free(error);
}
