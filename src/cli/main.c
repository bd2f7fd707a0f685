/* SPDX-License-Identifier: MIT */
#include "help.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/escape.h"
#include "target/privileges.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Shows a text without memory: plain letters stay. */
static void show_plainly(const char *text)
{
    for (; *text != '\0'; text++)
        putc(*text >= ' ' && *text <= '~' ? *text : '?', stderr);
}

int report_error(struct error *error)
{
    cleanup_buffer struct buffer shown = {0};
    /* A sentence quotes what others chose: names of files and programs. */
    escape_visible(&shown, error->sentence, strlen(error->sentence));
    fputs("pyspyc: ", stderr);
    if (shown.failed)
        show_plainly(error->sentence);
    else
        fputs(buffer_text(&shown), stderr);
    fputs("\n", stderr);
    int status = error->kind == ERROR_USAGE ? STATUS_USAGE : STATUS_FAILURE;
    error_destroy(error);
    return status;
}

/*
 * Makes sure that descriptors 0 to 2 are taken, so that no file of ours gets a number that means a standard stream.
 * What was closed cannot be read from or written to afterwards either.
 */
static void take_standard_descriptors(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int taken = fcntl(fd, F_GETFD) < 0 ? open("/dev/null", modes[fd]) : fd;
        if (taken < 0)
            return;
    }
}

int main(int argc, char **argv)
{
    take_standard_descriptors();
    struct error *error = privileges_settle();
    if (error)
        return report_error(error);
    if (argc < 2) {
        help_print(stderr);
        return STATUS_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        help_print(stdout);
        return STATUS_SUCCESS;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        printf("pyspyc %s\n", PYSPYC_VERSION);
        return STATUS_SUCCESS;
    }
    const struct verb *verb = verbs_find(word);
    if (!verb)
        return report_error(verbs_describe_unknown(word));
    return verb->run(argc - 1, argv + 1);
}
