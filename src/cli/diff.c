/* SPDX-License-Identifier: MIT */
#include "profile/diff.h"

#include "fail_over.h"
#include "input.h"
#include "nearest.h"
#include "options.h"
#include "output.h"
#include "picture_options.h"
#include "terminal.h"
#include "title.h"
#include "verbs.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "formats/diff_formats.h"
#include "profile/recording_file.h"
#include "profile/view.h"

#include <string.h>

enum {
    KEY_BEGIN = 256,
    KEY_END,
    KEY_NORMALIZE,
    KEY_LINES,
    KEY_TOP,
    KEY_NOISE,
    KEY_FAIL_OVER,
    OUTPUT_COUNT_LIMIT = 8,
    FORMAT_COUNT_LIMIT = 8,
    DEFAULT_ROWS = 20,
    ROW_LIMIT = 1000000,
};

static const struct argp_option diff_options[] = {
    {"output", 'o', "FILE", 0,
     "Write here; - is standard output\v (default: the table there, and a flame graph with the time in its name). "
     "Can be given several times",
     1},
    {"format", 'f', "FORMAT", 0, "In this format (default: as FILE's ending says)", 1},
    {"normalize", KEY_NORMALIZE, "HOW", 0,
     "Compare 'share' (default), or 'none': seconds\v as they are. A share is of all time that is shown", 2},
    {"top", KEY_TOP, "COUNT", 0, "Rows of each part of the table (default: 20)\v at most", 2},
    {"noise", KEY_NOISE, NULL, 0, "List in the table what may be noise, too", 2},
    {"fail-over", KEY_FAIL_OVER, "POINTS", 0,
     "Exit with status 3 if a function's share grew more\v than by so many percentage points, and by more than may be "
     "noise. Counted is its self time, or with 'total:POINTS' the time with what it calls; both can be given. Shares "
     "are "
     "of what is shown. Standard error names the functions; outputs are written all the same",
     2},
    {"lines", KEY_LINES, NULL, 0, "Compare lines, not functions\v, of code that is the same", 3},
    {"gil", 'g', NULL, 0, "Compare only samples of the thread with the GIL", 4},
    {"begin", KEY_BEGIN, "SECONDS", 0, "Compare only samples from this time on\v of each recording", 4},
    {"end", KEY_END, "SECONDS", 0, "Compare only samples before this time\v of each recording", 4},
    {"subprocesses", 's', NULL, 0, "Give each process a root frame of its own", 3},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {0},
};

/* The two recordings. */
enum { BEFORE, AFTER, SIDES };

struct diff_arguments {
    struct command_line line; /* must be first */
    const char *paths[SIDES];
    uint32_t path_count;
    const char *outputs[OUTPUT_COUNT_LIMIT];
    const struct diff_format *formats[OUTPUT_COUNT_LIMIT];
    struct output files[OUTPUT_COUNT_LIMIT];
    uint32_t output_count;
    const struct diff_format *format; /* that was asked for by name; NULL: none was */
    struct buffer default_name;
    bool with_lines;
    struct view_options view;
    struct picture_options picture;
    struct diff_options diff;
    struct diff_format_options writing;
    struct fail_over fail_over;
    bool has_grown; /* beyond that */
};

static struct error *take_path(struct diff_arguments *arguments, const char *path)
{
    if (arguments->path_count == SIDES)
        return error_create(ERROR_USAGE, "diff takes two recordings; 'pyspyc merge' makes one of several");
    arguments->paths[arguments->path_count++] = path;
    return NULL;
}

static struct error *take_output(struct diff_arguments *arguments, const char *path)
{
    if (arguments->output_count == OUTPUT_COUNT_LIMIT)
        return error_create(ERROR_USAGE, "more than %d outputs", OUTPUT_COUNT_LIMIT);
    arguments->outputs[arguments->output_count++] = path;
    return NULL;
}

static struct error *take_format(struct diff_arguments *arguments, const char *word)
{
    const char *names[FORMAT_COUNT_LIMIT];
    size_t count;
    const struct diff_format *formats = diff_formats_all(&count);
    for (size_t i = 0; i < count && i < FORMAT_COUNT_LIMIT; i++)
        names[i] = formats[i].name;
    const char *nearest = nearest_word(word, names, count);
    arguments->format = diff_format_by_name(word);
    if (arguments->format)
        return NULL;
    if (nearest)
        return error_create(ERROR_USAGE, "unknown format '%s': did you mean '%s'?", word, nearest);
    return error_create(ERROR_USAGE, "unknown format '%s' (see 'pyspyc diff --help')", word);
}

static struct error *take_measure(struct diff_arguments *arguments, const char *word)
{
    if (strcmp(word, "share") != 0 && strcmp(word, "none") != 0)
        return error_create(ERROR_USAGE, "--normalize takes 'share' or 'none', not '%s'", word);
    arguments->diff.measure = strcmp(word, "share") == 0 ? DIFF_SHARES : DIFF_SECONDS;
    return NULL;
}

/* Without an output: the table for the terminal, and a picture beside it; or the format that was asked for. */
static struct error *add_default_outputs(struct diff_arguments *arguments)
{
    size_t count;
    const struct diff_format *formats = diff_formats_all(&count);
    struct error *error = take_output(arguments, "-");
    if (error || arguments->format || count < 2)
        return error;
    title_append_file_name(&arguments->default_name, "diff", formats[1].extension);
    if (arguments->default_name.failed)
        return error_no_memory();
    return take_output(arguments, buffer_text(&arguments->default_name));
}

static struct error *choose_format(struct diff_arguments *arguments, uint32_t output)
{
    size_t count;
    const char *path = arguments->outputs[output];
    bool is_standard_output = strcmp(path, "-") == 0;
    const struct diff_format *by_ending = diff_format_by_ending(path);
    const struct diff_format *format = by_ending;
    if (is_standard_output && !arguments->format)
        format = &diff_formats_all(&count)[0];
    else if (arguments->format && (arguments->output_count == 1 || !by_ending))
        format = arguments->format;
    arguments->formats[output] = format;
    if (format)
        return NULL;
    return error_create(ERROR_USAGE, "no format of a diff is known for '%s': choose one with --format", path);
}

static void choose_frames(struct diff_arguments *arguments)
{
    const struct format_options *format = &arguments->picture.format;
    struct diff_options *diff = &arguments->diff;
    diff->lines = arguments->with_lines ? DIFF_LINES : DIFF_NO_LINES;
    if (format->detail.lines == PROFILE_FUNCTION_LINE)
        diff->lines = DIFF_FIRST_LINES;
    diff->without_lines = format->detail.lines == PROFILE_NO_LINE;
    diff->with_threads = format->detail.with_threads;
    diff->with_processes = format->detail.with_processes;
    diff->with_full_files = format->full_filenames;
    arguments->writing.full_filenames = format->full_filenames;
}

static struct error *complete(struct diff_arguments *arguments)
{
    struct view_options *view = &arguments->view;
    if (arguments->path_count < SIDES)
        return error_create(ERROR_USAGE, "diff needs two recordings: pyspyc diff before.pyspyc after.pyspyc");
    if (view->end_ns != 0 && view->end_ns <= view->begin_ns)
        return error_create(ERROR_USAGE, "--end is not after --begin");
    if (view->begin_ns != 0 && view->end_ns == 0)
        view->end_ns = UINT64_MAX;
    if (arguments->with_lines && arguments->picture.format.detail.lines != PROFILE_CURRENT_LINE)
        return error_create(ERROR_USAGE, "--lines, --function and --nolineno exclude each other");
    if (fail_over_is_set(&arguments->fail_over) && arguments->diff.measure != DIFF_SHARES)
        return error_create(ERROR_USAGE, "--fail-over compares shares, so it does not go with '--normalize none'");
    choose_frames(arguments);
    struct error *error = arguments->output_count == 0 ? add_default_outputs(arguments) : NULL;
    for (uint32_t i = 0; !error && i < arguments->output_count; i++) {
        error = choose_format(arguments, i);
        for (uint32_t j = 0; !error && j < i; j++) {
            if (strcmp(arguments->outputs[i], arguments->outputs[j]) == 0)
                error = error_create(ERROR_USAGE, "two outputs are to go to '%s'", arguments->outputs[i]);
        }
    }
    return error ? error : picture_options_complete(&arguments->picture);
}

static error_t parse_diff_option(int key, char *value, struct argp_state *state)
{
    struct diff_arguments *arguments = state->input;
    struct error *error = NULL;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &arguments->picture;
        break;
    case 'o':
        error = take_output(arguments, value);
        break;
    case 'f':
        error = take_format(arguments, value);
        break;
    case KEY_NORMALIZE:
        error = take_measure(arguments, value);
        break;
    case KEY_TOP:
        error = options_take_count(value, 1, ROW_LIMIT, &arguments->writing.rows);
        break;
    case KEY_NOISE:
        arguments->writing.with_noise = true;
        break;
    case KEY_FAIL_OVER:
        error = fail_over_take(&arguments->fail_over, value);
        break;
    case KEY_LINES:
        arguments->with_lines = true;
        break;
    case 'g':
        arguments->view.only_gil = true;
        break;
    case 's':
        arguments->picture.format.detail.with_processes = true;
        break;
    case KEY_BEGIN:
        error = options_take_time(value, &arguments->view.begin_ns);
        break;
    case KEY_END:
        error = options_take_seconds(value, &arguments->view.end_ns);
        break;
    case ARGP_KEY_ARG:
        error = take_path(arguments, value);
        break;
    case ARGP_KEY_END:
        error = complete(arguments);
        break;
    default:
        return options_default(key, state);
    }
    return error ? options_fail(state, error) : 0;
}

static const struct argp_child diff_children[] = {
    {&picture_argp, 0, "How it is shown:", 3},
    {&filter_argp, 0, "What is shown:", 4},
    {0},
};

const struct argp diff_argp = {
    .children = diff_children,
    .options = diff_options,
    .parser = parse_diff_option,
    .args_doc = "BEFORE AFTER",
    .doc = "Compares two recordings: what takes more time, or less, than before.\v"
           "A function is the same when its name and file are, wherever it stands in it. What changed by less than "
           "sampling may have made of it is noise: grey in the picture, left out of the table. "
           "Exit status: 0, or 1 on failure; 2 for mistakes of usage; 3 as --fail-over says.",
};

/* One of the recordings, as it is compared. */
struct side {
    struct recording_file *file;
    struct view *view;
    struct diff_source source;
};

static void side_deinit(struct side *side)
{
    view_destroy(side->view);
    recording_file_close(side->file);
}

static struct error *side_init(struct side *side, const char *path, const struct view_options *options)
{
    cleanup_fd int fd = -1;
    struct error *error = input_open(path, &fd);
    if (!error)
        error = input_read(fd, path, &side->file);
    if (error)
        return error;
    input_report_gaps(path, side->file);
    error = view_create(side->file, options, &side->view);
    return error ? error : diff_source_init(&side->source, side->view);
}

static struct error *make_diff(const struct diff_arguments *arguments, struct diff **ret)
{
    struct side before __attribute__((cleanup(side_deinit))) = {0};
    struct side after __attribute__((cleanup(side_deinit))) = {0};
    struct view_options view = arguments->view;
    view.filter = arguments->picture.filter;
    struct error *error = side_init(&before, arguments->paths[BEFORE], &view);
    if (!error)
        error = side_init(&after, arguments->paths[AFTER], &view);
    return error ? error : diff_create(&before.source, &after.source, &arguments->diff, ret);
}

static struct error *write_output(struct diff_arguments *arguments, const struct diff *diff, uint32_t output)
{
    struct output *file = &arguments->files[output];
    struct diff_format_options writing = arguments->writing;
    bool is_standard_output = strcmp(arguments->outputs[output], "-") == 0;
    struct tree_options terminal = {0};
    if (is_standard_output)
        terminal_describe(STDOUT_FILENO, &terminal);
    writing.with_colours = terminal.use_colour;
    writing.columns = terminal.width;
    struct error *error = output_begin(file);
    if (error)
        return error;
    error = arguments->formats[output]->write(diff, &writing, file->stream);
    if (error)
        return error_wrap(error, "cannot write '%s'", file->path);
    error = output_commit(file);
    if (error || is_standard_output)
        return error;
    cleanup_buffer struct buffer shown = {0};
    escape_visible(&shown, file->path, strlen(file->path));
    fprintf(stderr, "pyspyc: wrote %s\n", shown.failed ? "the file" : buffer_text(&shown));
    return NULL;
}

static struct error *compare(struct diff_arguments *arguments)
{
    cleanup_diff struct diff *diff = NULL;
    struct error *error = NULL;
    for (uint32_t i = 0; !error && i < arguments->output_count; i++)
        error = output_open(arguments->outputs[i], &arguments->files[i]);
    if (!error)
        error = make_diff(arguments, &diff);
    for (uint32_t i = 0; !error && i < arguments->output_count; i++)
        error = write_output(arguments, diff, i);
    if (error || !fail_over_is_set(&arguments->fail_over))
        return error;
    const struct fail_over_options options = {arguments->writing.rows, arguments->writing.full_filenames};
    return fail_over_check(&arguments->fail_over, diff, &options, &arguments->has_grown);
}

int verb_diff(int argc, char **argv)
{
    struct diff_arguments arguments = {
        .line = {.verb = "diff", .tables = {diff_options, picture_argp_options, filter_argp_options}},
        .writing = {.rows = DEFAULT_ROWS},
    };
    arguments.picture.line = &arguments.line;
    struct error *error = options_parse(&diff_argp, argc, argv, &arguments.line);
    if (!error)
        error = compare(&arguments);
    for (uint32_t i = 0; i < arguments.output_count; i++)
        output_deinit(&arguments.files[i]);
    buffer_deinit(&arguments.default_name);
    picture_options_deinit(&arguments.picture);
    if (error)
        return report_error(error);
    return arguments.has_grown ? STATUS_GROWN : STATUS_SUCCESS;
}
