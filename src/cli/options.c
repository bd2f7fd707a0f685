/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "help.h"
#include "nearest.h"
#include "verbs.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum {
    OPTION_COUNT_LIMIT = 64, /* rows of a verb's table */
    RATE_LIMIT = 100000,
    LAST_SECONDS = 1000000000, /* some thirty years */
};

static const double FIRST_SECONDS = 1e-6;

/* The option of a number, counted through all tables; NULL behind the last one. */
static const struct argp_option *option_at(const struct command_line *line, size_t number)
{
    for (const struct argp_option *const *table = line->tables; *table; table++) {
        for (const struct argp_option *option = *table; option->name; option++) {
            if (number-- == 0)
                return option;
        }
    }
    return NULL;
}

static const struct argp_option *find_long(const struct command_line *line, const char *name, size_t len)
{
    const struct argp_option *option;
    for (size_t i = 0; (option = option_at(line, i)); i++) {
        if (strncmp(option->name, name, len) == 0 && option->name[len] == '\0')
            return option;
    }
    return NULL;
}

static const struct argp_option *find_short(const struct command_line *line, char key)
{
    const struct argp_option *option;
    for (size_t i = 0; (option = option_at(line, i)); i++) {
        if (option->key == key)
            return option;
    }
    return NULL;
}

/* The two first options that an abbreviation can mean; false when there are not two. */
static bool is_ambiguous(const struct command_line *line, const char *word, size_t len, const char *ret[2])
{
    size_t count = 0;
    const struct argp_option *option;
    for (size_t i = 0; count < 2 && (option = option_at(line, i)); i++) {
        if (strncmp(option->name, word, len) == 0)
            ret[count++] = option->name;
    }
    return count == 2;
}

static struct error *describe_unknown_long(const struct command_line *line, const char *word, size_t len)
{
    const char *meanings[2];
    if (is_ambiguous(line, word, len, meanings))
        return error_create(ERROR_USAGE, "option '--%.*s' can mean '--%s' or '--%s'", (int)len, word, meanings[0],
                            meanings[1]);
    const char *names[OPTION_COUNT_LIMIT];
    size_t count = 0;
    const struct argp_option *option;
    while (count < OPTION_COUNT_LIMIT && (option = option_at(line, count)))
        names[count++] = option->name;
    cleanup_free char *name = strndup(word, len);
    const char *nearest = name ? nearest_word(name, names, count) : NULL;
    if (nearest)
        return error_create(ERROR_USAGE, "unknown option '--%.*s': did you mean '--%s'?", (int)len, word, nearest);
    return error_create(ERROR_USAGE, "unknown option '--%.*s' (see 'pyspyc %s --help')", (int)len, word, line->verb);
}

/* Says what is wrong with a word of the command line that argp did not accept. */
static struct error *describe_mistake(const struct command_line *line, const char *word)
{
    const struct argp_option *option;
    if (strncmp(word, "--", 2) == 0) {
        const char *name = word + 2;
        size_t len = strcspn(name, "=");
        option = find_long(line, name, len);
        if (!option)
            return describe_unknown_long(line, name, len);
        if (option->arg)
            return error_create(ERROR_USAGE, "option '--%s' needs a value: %s", option->name, option->arg);
        return error_create(ERROR_USAGE, "option '--%s' takes no value", option->name);
    }
    for (const char *key = word + 1; *word == '-' && *key; key++) {
        option = find_short(line, *key);
        if (!option)
            return error_create(ERROR_USAGE, "unknown option '-%c' (see 'pyspyc %s --help')", *key, line->verb);
        if (option->arg)
            return error_create(ERROR_USAGE, "option '-%c' needs a value: %s", *key, option->arg);
    }
    return error_create(ERROR_USAGE, "cannot understand '%s' (see 'pyspyc %s --help')", word, line->verb);
}

error_t options_note(struct command_line *line, struct error *error)
{
    if (line->error)
        error_destroy(error);
    else
        line->error = error;
    return EINVAL;
}

error_t options_fail(struct argp_state *state, struct error *error)
{
    return options_note(state->input, error);
}

error_t options_default(int key, struct argp_state *state)
{
    struct command_line *line = state->input;
    switch (key) {
    case 'h':
        help_print_verb(verbs_find(line->verb));
        exit(0);
    case ARGP_KEY_ERROR:
        if (!line->error)
            line->error = describe_mistake(line, state->argv[state->next > 1 ? state->next - 1 : 1]);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The option that a word such as "--rate=5" or "--ra" means; NULL when it is none, or one of several. */
static const struct argp_option *find_meant(const struct command_line *line, const char *word)
{
    const char *name = word + strlen("--");
    size_t len = strcspn(name, "=");
    const struct argp_option *option, *found = find_long(line, name, len);
    if (found)
        return found;
    for (size_t i = 0; (option = option_at(line, i)); i++) {
        if (strncmp(option->name, name, len) != 0)
            continue;
        if (found)
            return NULL;
        found = option;
    }
    return found;
}

/* Letters that end in one with a value: "-sp=5" becomes "-sp5". Returns whether the value is the next word. */
static bool drop_equals_sign(const struct command_line *line, char *word)
{
    for (char *letter = word + 1; *letter; letter++) {
        const struct argp_option *option = find_short(line, *letter);
        if (!option)
            return false;
        if (!option->arg)
            continue;
        if (letter[1] == '=')
            memmove(letter + 1, letter + 2, strlen(letter + 2) + 1);
        return letter[1] == '\0';
    }
    return false;
}

/* py-spy takes "-r=100" for "-r 100", getopt for a rate of "=100". */
static void drop_equals_signs(const struct command_line *line, int argc, char **argv)
{
    for (int i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0' && strcmp(argv[i], "--") != 0; i++) {
        bool takes_next;
        if (argv[i][1] == '-') {
            const struct argp_option *option = find_meant(line, argv[i]);
            takes_next = option && option->arg && !strchr(argv[i], '=');
        } else {
            takes_next = drop_equals_sign(line, argv[i]);
        }
        i += takes_next;
    }
}

struct error *options_parse(const struct argp *argp, int argc, char **argv, struct command_line *input)
{
    drop_equals_signs(input, argc, argv);
    error_t result = argp_parse(argp, argc, argv, ARGP_IN_ORDER | ARGP_NO_ERRS | ARGP_NO_HELP, NULL, input);
    if (result == ENOMEM)
        return error_no_memory();
    return input->error;
}

/* Reads a whole number that fills the text. */
static bool parse_number(const char *text, int base, uint64_t limit, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, base);
    if (!isxdigit((unsigned char)*text) || *end != '\0' || errno != 0 || number > limit)
        return false;
    *ret = number;
    return true;
}

struct error *options_take_pid(const char *text, pid_t *ret)
{
    bool is_hexadecimal = strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0;
    uint64_t pid;
    if (!parse_number(text, is_hexadecimal ? 16 : 10, INT32_MAX, &pid) || pid == 0)
        return error_create(ERROR_USAGE, "'%s' is not a process number", text);
    *ret = (pid_t)pid;
    return NULL;
}

struct error *options_take_descriptor(const char *text, int *ret)
{
    uint64_t number;
    if (!parse_number(text, 10, INT32_MAX, &number) || fcntl((int)number, F_GETFD) < 0)
        return error_create(ERROR_USAGE, "'%s' is not the number of an open descriptor", text);
    /* The standard streams are the program's, too. */
    if (number > STDERR_FILENO)
        fcntl((int)number, F_SETFD, FD_CLOEXEC);
    *ret = (int)number;
    return NULL;
}

struct error *options_take_rate(const char *text, uint64_t *ret_interval_ns)
{
    uint64_t rate;
    if (!parse_number(text, 10, UINT64_MAX, &rate) || rate == 0)
        return error_create(ERROR_USAGE, "'%s' is not a rate: it takes 1 to %d samples a second", text, RATE_LIMIT);
    if (rate > RATE_LIMIT) { /* py-spy takes any, and then samples as fast as it can */
        fprintf(stderr, "pyspyc: samples are taken %d times a second, as more cannot be had\n", RATE_LIMIT);
        rate = RATE_LIMIT;
    }
    *ret_interval_ns = 1000000000U / rate;
    return NULL;
}

struct error *options_take_time(const char *text, uint64_t *ret_ns)
{
    char *end;
    if (strtod(text, &end) == 0 && end > text && *end == '\0') {
        *ret_ns = 0;
        return NULL;
    }
    return options_take_seconds(text, ret_ns);
}

struct error *options_take_seconds(const char *text, uint64_t *ret_ns)
{
    char *end;
    double seconds = strtod(text, &end);
    bool is_decimal = isdigit((unsigned char)*text) || *text == '.';
    if (!is_decimal || *end != '\0' || !(seconds >= FIRST_SECONDS) || seconds > LAST_SECONDS)
        return error_create(ERROR_USAGE, "'%s' is not a length of time: it takes seconds, more than 0", text);
    *ret_ns = (uint64_t)llround(seconds * 1e9);
    return NULL;
}

bool options_take_size(const char *text, uint64_t *ret_len)
{
    static const char units[] = "KMG";
    enum { DIGIT_LIMIT = 9, UNIT_BITS = 10 };
    size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] != '\0' ? strchr(units, text[digits]) : NULL;
    if (digits == 0 || digits > DIGIT_LIMIT || !unit || text[digits + 1] != '\0')
        return false;
    *ret_len = strtoull(text, NULL, 10) << UNIT_BITS * (unit - units + 1);
    return true;
}

struct error *options_take_percent(const char *text, double *ret)
{
    char *end;
    double percent = strtod(text, &end);
    if (end == text || *end != '\0' || !(percent >= 0 && percent <= 100))
        return error_create(ERROR_USAGE, "'%s' is not a percentage from 0 to 100", text);
    *ret = percent;
    return NULL;
}

struct error *options_take_count(const char *text, uint32_t first, uint32_t limit, uint32_t *ret)
{
    uint64_t count;
    if (!parse_number(text, 10, limit, &count) || count < first)
        return error_create(ERROR_USAGE, "'%s' is not a number from %u to %u", text, first, limit);
    *ret = (uint32_t)count;
    return NULL;
}
