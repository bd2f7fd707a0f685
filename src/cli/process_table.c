/* SPDX-License-Identifier: MIT */
#include "process_table.h"

#include "options.h"
#include "terminal.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "formats/tree_options.h"
#include "profile/pattern.h"
#include "sampler/process_listing.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

enum { USER_TEXT_LIMIT = 16384 }; /* bytes of what is known of a user; one with more is shown by number */

static const char *state_word(char state)
{
    switch (state) {
    case 'R':
        return "running";
    case 'T':
    case 't':
        return "stopped";
    case 'D':
        return "waiting";
    default:
        return "sleeping";
    }
}

#ifdef PYSPYC_STATIC

static void close_users(FILE **users)
{
    if (*users)
        fclose(*users);
}

/*
 * Only out of the file: for what else nsswitch.conf may name, glibc loads shared libraries (nss/nss_module.c), which
 * are those of another glibc wherever we were taken, or of none.
 */
static bool find_user(uint32_t user, struct passwd *entry, char *texts, size_t len)
{
    FILE *users __attribute__((cleanup(close_users))) = fopen("/etc/passwd", "re");
    struct passwd *found;
    while (users && fgetpwent_r(users, entry, texts, len, &found) == 0) {
        if (entry->pw_uid == user)
            return true;
    }
    return false;
}

#else

static bool find_user(uint32_t user, struct passwd *entry, char *texts, size_t len)
{
    struct passwd *found;
    return getpwuid_r(user, entry, texts, len, &found) == 0 && found;
}

#endif

static void append_user(struct buffer *out, uint32_t user)
{
    char texts[USER_TEXT_LIMIT];
    struct passwd entry;
    if (find_user(user, &entry, texts, sizeof(texts)))
        escape_visible(out, entry.pw_name, strlen(entry.pw_name));
    else
        buffer_format(out, "%u", user);
}

/* One line, cut at `width` bytes unless that is 0. */
static void print_process(const struct listed_process *process, uint32_t width, FILE *out)
{
    cleanup_buffer struct buffer line = {0}, user = {0};
    append_user(&user, process->summary.user);
    buffer_format(&line, "%7d  %-10s %-8s %7u  %-9s", process->pid, buffer_text(&user),
                  *process->version ? process->version : "?", process->summary.thread_count,
                  state_word(process->summary.state));
    if (process->refusal) {
        buffer_append_text(&line, "[");
        escape_visible(&line, process->refusal, strlen(process->refusal));
        buffer_append_text(&line, "] ");
    }
    escape_visible(&line, process->command, strlen(process->command));
    size_t len = width > 0 && line.len > width ? width : line.len;
    while (len < line.len && len > 0 && ((unsigned char)buffer_text(&line)[len] & 0xC0) == 0x80)
        len--; /* not in the middle of a character */
    fprintf(out, "%.*s\n", (int)len, buffer_text(&line));
}

static uint32_t print_part(const struct process_listing *listing, bool is_refused, uint32_t width, FILE *out)
{
    uint32_t printed = 0;
    for (uint32_t i = 0; i < listing->count; i++) {
        const struct listed_process *process = &listing->processes[i];
        if ((process->refusal != NULL) != is_refused)
            continue;
        if (printed++ == 0 && is_refused)
            fputs("\nThese cannot be profiled:\n", out);
        print_process(process, width, out);
    }
    return printed;
}

void process_table_print(const struct process_listing *listing, FILE *out)
{
    struct tree_options layout = {0};
    terminal_describe(fileno(out), &layout);
    fprintf(out, "%7s  %-10s %-8s %7s  %-9s%s\n", "PID", "USER", "PYTHON", "THREADS", "STATE", "COMMAND");
    print_part(listing, false, layout.width, out);
    print_part(listing, true, layout.width, out);
}

/* Takes out of a listing what does not match. */
static struct error *keep_matching(struct process_listing *listing, const char *expression)
{
    cleanup_pattern struct pattern *pattern = NULL;
    struct error *error = pattern_create("name", expression, &pattern);
    uint32_t kept = 0;
    if (error)
        return error;
    for (uint32_t i = 0; i < listing->count; i++) {
        struct listed_process process = listing->processes[i];
        if (!pattern_matches(pattern, process.command, strlen(process.command)))
            continue;
        listing->processes[i] = listing->processes[kept]; /* what is dropped moves behind, where it is freed */
        listing->processes[kept++] = process;
    }
    for (uint32_t i = kept; i < listing->count; i++)
        listed_process_deinit(&listing->processes[i]);
    listing->count = kept;
    return NULL;
}

static bool has_process(const struct process_listing *listing, pid_t pid)
{
    for (uint32_t i = 0; i < listing->count; i++) {
        if (listing->processes[i].pid == pid)
            return true;
    }
    return false;
}

/* The only one whose parent is not in the listing, too; NULL when there are several. */
static const struct listed_process *only_root(const struct process_listing *listing)
{
    const struct listed_process *found = NULL;
    for (uint32_t i = 0; i < listing->count; i++) {
        if (has_process(listing, listing->processes[i].summary.parent))
            continue;
        if (found)
            return NULL;
        found = &listing->processes[i];
    }
    return found;
}

struct error *process_by_name(const char *expression, bool with_children, pid_t *ret)
{
    cleanup_process_listing struct process_listing listing = {0};
    struct error *error = process_listing_init(&listing);
    if (!error)
        error = keep_matching(&listing, expression);
    if (error)
        return error;
    if (listing.count == 0)
        return error_create(ERROR_USAGE, "no Python process has a command line like '%s' (see 'pyspyc ps')",
                            expression);
    const struct listed_process *root = only_root(&listing);
    if (listing.count == 1 || (root && with_children)) {
        *ret = root ? root->pid : listing.processes[0].pid;
        return NULL;
    }
    process_table_print(&listing, stderr);
    return error_create(ERROR_USAGE, "%u processes have a command line like '%s': choose with --pid%s", listing.count,
                        expression, root ? ", or take all with --subprocesses" : "");
}

static const struct argp_option ps_options[] = {
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

static error_t parse_ps_option(int key, char *value, struct argp_state *state)
{
    if (key != ARGP_KEY_ARG)
        return options_default(key, state);
    return options_fail(state, error_create(ERROR_USAGE, "ps takes no '%s'", value));
}

const struct argp ps_argp = {
    .options = ps_options,
    .parser = parse_ps_option,
    .doc = "Lists the Python processes that can be profiled, and why others cannot.\v"
           "Processes that may not be read are taken for Pythons by their name. A process is running when any of its "
           "threads runs or is ready to.",
};

static struct error *print_all(void)
{
    cleanup_process_listing struct process_listing listing = {0};
    struct error *error = process_listing_init(&listing);
    if (error)
        return error;
    process_table_print(&listing, stdout);
    return fflush(stdout) == 0 ? NULL : error_from_errno(errno, "cannot write to standard output");
}

int verb_ps(int argc, char **argv)
{
    struct command_line line = {.verb = "ps", .tables = {ps_options}};
    struct error *error = options_parse(&ps_argp, argc, argv, &line);
    if (!error)
        error = print_all();
    return error ? report_error(error) : STATUS_SUCCESS;
}
