/* SPDX-License-Identifier: MIT */
#include "profile/view.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "profile/copy.h"
#include "profile/filter.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/recording_file.h"

#include <inttypes.h>
#include <string.h>

enum {
    COMMAND_LIMIT = 200,    /* bytes of a command line that a root frame shows; they can be millions */
    IDLE_BIT = 1 << 30,     /* of the number of a recording's node: with the mark behind it */
    STACK_LIMIT = 40000000, /* stacks, counted for each thread that has them */
};

/* What is known of a stack of the recording, from its own frames and those of its callers. */
enum stack_mark {
    HAS_FOCUS = 1,
    HAS_IGNORED = 2,
    HAS_START = 4,
};

/* A stack of a thread, and the node that shows it. */
struct shown_stack {
    uint32_t thread;
    uint32_t node; /* of the recording */
    uint32_t shown;
};

struct view {
    struct recording_file *file;
    const struct profile *recorded;
    struct view_options options;
    struct profile_copy copy;        /* the profile that is shown */
    struct filter_verdict *verdicts; /* by frame of the recording; NULL: no filter */
    uint8_t *marks;                  /* by node of the recording; NULL: no filter */
    uint32_t *threads;               /* the node of each thread; PROFILE_NONE while it has none, */
    uint32_t *processes;             /* and of each process */
    uint8_t *is_thread_shown;
    struct shown_stack *stacks;
    uint32_t stack_count, stack_capacity;
    struct table stack_table;
    uint32_t *path; /* nodes on the way up; as long as the recording has nodes */
};

void view_destroy(struct view *view)
{
    if (!view)
        return;
    profile_copy_deinit(&view->copy);
    free(view->verdicts);
    free(view->marks);
    free(view->threads);
    free(view->processes);
    free(view->is_thread_shown);
    free(view->stacks);
    table_deinit(&view->stack_table);
    free(view->path);
    free(view);
}

static bool judge_frames(struct view *view)
{
    uint32_t count = profile_frame_count(view->recorded);
    view->verdicts = calloc(count + (size_t)1, sizeof(*view->verdicts));
    for (uint32_t i = 0; view->verdicts && i < count; i++)
        view->verdicts[i] = filter_judge(view->options.filter, view->recorded, i);
    return view->verdicts != NULL;
}

static uint8_t marks_of(const struct filter_verdict *verdict)
{
    return (uint8_t)((verdict->is_focus ? HAS_FOCUS : 0) | (verdict->is_ignored ? HAS_IGNORED : 0) |
                     (verdict->is_start ? HAS_START : 0));
}

/* A node's parent has a smaller number, so that one walk upwards meets each parent before its children. */
static bool mark_stacks(struct view *view)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(view->recorded, &count);
    view->marks = calloc(count, sizeof(*view->marks));
    for (uint32_t i = PROFILE_ROOT + 1; view->marks && i < count; i++)
        view->marks[i] = view->marks[nodes[i].parent] | marks_of(&view->verdicts[nodes[i].frame]);
    return view->marks != NULL;
}

static uint32_t *create_numbers(uint32_t count)
{
    uint32_t *numbers = malloc((count + (size_t)1) * sizeof(*numbers));
    for (uint32_t i = 0; numbers && i < count; i++)
        numbers[i] = PROFILE_NONE;
    return numbers;
}

static bool init_members(struct view *view)
{
    uint32_t process_count, thread_count;
    profile_processes(view->recorded, &process_count);
    profile_threads(view->recorded, &thread_count);
    view->processes = create_numbers(process_count);
    view->threads = create_numbers(thread_count);
    view->is_thread_shown = malloc(thread_count + (size_t)1);
    if (!view->processes || !view->threads || !view->is_thread_shown)
        return false;
    for (uint32_t i = 0; i < thread_count; i++)
        view->is_thread_shown[i] =
            !view->options.filter || filter_accepts_thread(view->options.filter, view->recorded, i);
    return true;
}

static void append_string(struct buffer *out, const struct profile *profile, uint32_t string, size_t limit)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    size_t end = len < limit ? len : limit;
    while (end < len && end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80) /* not inside of a character */
        end--;
    buffer_append(out, text, end);
    buffer_append_text(out, end < len ? "..." : "");
}

static uint32_t make_group(struct view *view, uint32_t parent, enum frame_kind kind, uint32_t member,
                           const struct buffer *label)
{
    struct profile *profile = view->copy.profile;
    const struct profile_frame frame = {
        .kind = kind,
        .name = profile_intern(profile, buffer_text(label), label->len),
        .file = PROFILE_NONE,
        .member = member,
    };
    return label->failed ? PROFILE_NONE : profile_child(profile, parent, profile_intern_frame(profile, &frame));
}

/* The root of a process's stacks: "process 1234: python worker.py". */
static uint32_t find_process(struct view *view, uint32_t process)
{
    uint32_t count;
    const struct profile_process *member = &profile_processes(view->recorded, &count)[process];
    if (view->processes[process] != PROFILE_NONE)
        return view->processes[process];
    cleanup_buffer struct buffer label = {0};
    buffer_append_text(&label, "process");
    if (member->pid != 0)
        buffer_format(&label, " %" PRId64, member->pid);
    if (member->command_line != PROFILE_NONE) {
        buffer_append_text(&label, ": ");
        append_string(&label, view->recorded, member->command_line, COMMAND_LIMIT);
    }
    view->processes[process] = make_group(view, PROFILE_ROOT, FRAME_PROCESS, process, &label);
    return view->processes[process];
}

/* The root of a thread's stacks: "thread (1234): MainThread". */
static uint32_t find_thread(struct view *view, uint32_t thread)
{
    uint32_t count;
    const struct profile_thread *member = &profile_threads(view->recorded, &count)[thread];
    if (view->threads[thread] != PROFILE_NONE)
        return view->threads[thread];
    cleanup_buffer struct buffer label = {0};
    buffer_append_text(&label, "thread");
    if (member->os_id != 0)
        buffer_format(&label, " (%" PRId64 ")", member->os_id);
    else if (member->id != 0)
        buffer_format(&label, " (0x%" PRIx64 ")", member->id);
    if (member->name != PROFILE_NONE) {
        buffer_append_text(&label, ": ");
        append_string(&label, view->recorded, member->name, SIZE_MAX);
    }
    uint32_t process = find_process(view, member->process);
    view->threads[thread] =
        process == PROFILE_NONE ? PROFILE_NONE : make_group(view, process, FRAME_THREAD, thread, &label);
    return view->threads[thread];
}

static bool stack_equals(const void *context, uint32_t index, const void *key)
{
    const struct shown_stack *stack = &((const struct view *)context)->stacks[index];
    const struct shown_stack *wanted = key;
    return stack->thread == wanted->thread && stack->node == wanted->node;
}

static uint64_t hash_stack(uint32_t thread, uint32_t node)
{
    return hash_number((uint64_t)thread << 32 | node);
}

/* What shows a thread's stack; PROFILE_NONE while that was not made. */
static uint32_t find_shown(const struct view *view, uint32_t thread, uint32_t node)
{
    const struct shown_stack wanted = {.thread = thread, .node = node};
    uint32_t found = table_find(&view->stack_table, hash_stack(thread, node), stack_equals, view, &wanted);
    return found == TABLE_NONE ? PROFILE_NONE : view->stacks[found].shown;
}

static bool add_shown(struct view *view, uint32_t thread, uint32_t node, uint32_t shown)
{
    if (shown == PROFILE_NONE || view->stack_count >= STACK_LIMIT ||
        !array_grow(&view->stacks, view->stack_count, &view->stack_capacity, sizeof(*view->stacks)) ||
        !table_insert(&view->stack_table, hash_stack(thread, node), view->stack_count))
        return false;
    view->stacks[view->stack_count++] = (struct shown_stack){thread, node, shown};
    return true;
}

static bool is_frame_shown(const struct view *view, uint32_t node, uint32_t frame)
{
    if (!view->options.filter)
        return true;
    bool is_below_start = !filter_needs_start(view->options.filter) || view->marks[node] & HAS_START;
    return is_below_start && !view->verdicts[frame].is_hidden;
}

/* What shows a stack whose caller is shown by `shown`. */
static uint32_t show_frame(struct view *view, const struct profile_node *nodes, uint32_t node, uint32_t shown)
{
    uint32_t frame = nodes[node].frame;
    if (!is_frame_shown(view, node, frame))
        return shown;
    uint32_t copied = profile_copy_frame(&view->copy, profile_frame(view->recorded, frame));
    return profile_child(view->copy.profile, shown, copied);
}

/* What shows a thread's stack; PROFILE_NONE without memory. */
static uint32_t show_stack(struct view *view, uint32_t thread, uint32_t node)
{
    uint32_t count, depth = 0, shown = PROFILE_NONE;
    const struct profile_node *nodes = profile_nodes(view->recorded, &count);
    for (; node != PROFILE_ROOT; node = nodes[node].parent) {
        shown = find_shown(view, thread, node);
        if (shown != PROFILE_NONE)
            break;
        view->path[depth++] = node;
    }
    if (node == PROFILE_ROOT)
        shown = find_thread(view, thread);
    while (depth > 0 && shown != PROFILE_NONE) {
        uint32_t next = view->path[--depth];
        shown = show_frame(view, nodes, next, shown);
        if (!add_shown(view, thread, next, shown))
            return PROFILE_NONE;
    }
    return shown;
}

static bool is_marked(const struct view *view, const struct sample *sample)
{
    return view->options.mark_idle && !(sample->states & SAMPLE_ACTIVE);
}

/* What shows a stack with a mark behind it. PROFILE_NONE without memory. */
static uint32_t show_idle(struct view *view, const struct sample *sample)
{
    uint32_t marked = find_shown(view, sample->thread, sample->node | IDLE_BIT);
    if (marked != PROFILE_NONE)
        return marked;
    struct profile *profile = view->copy.profile;
    const struct profile_frame mark = {
        .kind = FRAME_MARK,
        .name = profile_intern(profile, VIEW_IDLE_MARK, strlen(VIEW_IDLE_MARK)),
        .file = PROFILE_NONE,
    };
    uint32_t stack = show_stack(view, sample->thread, sample->node);
    marked = profile_child(profile, stack, profile_intern_frame(profile, &mark));
    return add_shown(view, sample->thread, sample->node | IDLE_BIT, marked) ? marked : PROFILE_NONE;
}

static bool is_stack_in_view(const struct view *view, uint32_t node)
{
    const struct filter *filter = view->options.filter;
    if (!filter)
        return true;
    uint8_t marks = view->marks[node];
    return !(marks & HAS_IGNORED) && (marks & HAS_FOCUS || !filter_needs_focus(filter)) &&
           (marks & HAS_START || !filter_needs_start(filter));
}

static bool is_in_view(const struct view *view, const struct sample *sample)
{
    const struct view_options *options = &view->options;
    bool is_in_time =
        options->end_ns == 0 || (sample->time_ns >= options->begin_ns && sample->time_ns < options->end_ns);
    bool has_gil = !options->only_gil || sample->states & SAMPLE_HAS_GIL;
    return is_in_time && has_gil && view->is_thread_shown[sample->thread] && is_stack_in_view(view, sample->node);
}

static struct error *count_sample(void *context, const struct sample *sample)
{
    struct view *view = context;
    if (!is_in_view(view, sample))
        return NULL;
    uint32_t shown = is_marked(view, sample) ? show_idle(view, sample) : show_stack(view, sample->thread, sample->node);
    if (shown == PROFILE_NONE)
        return error_no_memory();
    profile_count(view->copy.profile, shown, sample->weight);
    return NULL;
}

static void describe_time(const struct view_options *options, struct buffer *text)
{
    const char *separator = text->len > 0 ? ", " : "";
    if (options->end_ns == UINT64_MAX)
        buffer_format(text, "%sfrom %.3f s on", separator, (double)options->begin_ns / 1e9);
    else if (options->end_ns != 0 && options->begin_ns == 0)
        buffer_format(text, "%sup to %.3f s", separator, (double)options->end_ns / 1e9);
    else if (options->end_ns != 0)
        buffer_format(text, "%sfrom %.3f s to %.3f s", separator, (double)options->begin_ns / 1e9,
                      (double)options->end_ns / 1e9);
}

/* Says in the profile what is not shown. */
static bool describe(struct view *view)
{
    cleanup_buffer struct buffer text = {0};
    struct profile_info *info = profile_info(view->copy.profile);
    if (view->options.only_gil)
        buffer_append_text(&text, "only with the GIL");
    describe_time(&view->options, &text);
    if (view->options.filter) {
        cleanup_buffer struct buffer words = {0};
        filter_describe(view->options.filter, &words);
        buffer_format(&text, "%s%s", text.len > 0 && words.len > 0 ? ", " : "", buffer_text(&words));
        text.failed |= words.failed;
    }
    if (text.len > 0)
        info->selection = profile_intern(view->copy.profile, buffer_text(&text), text.len);
    return !text.failed && (text.len == 0 || info->selection != PROFILE_NONE);
}

/* The time of the profile is that which is in view. */
static void cut_time(struct view *view)
{
    const struct view_options *options = &view->options;
    struct profile_info *info = profile_info(view->copy.profile);
    uint64_t end_ns = options->end_ns == 0 || options->end_ns > info->duration_ns ? info->duration_ns : options->end_ns;
    info->duration_ns = end_ns > options->begin_ns ? end_ns - options->begin_ns : 0;
    if (info->start_unix_ns != 0)
        info->start_unix_ns += options->begin_ns;
}

static struct error *prepare(struct view *view)
{
    uint32_t count;
    struct error *error = profile_copy_init(&view->copy, view->recorded);
    if (error)
        return error;
    cut_time(view);
    profile_nodes(view->recorded, &count);
    view->path = malloc(count * sizeof(*view->path));
    bool is_ready = view->path && init_members(view) && describe(view);
    if (is_ready && view->options.filter)
        is_ready = judge_frames(view) && mark_stacks(view);
    return is_ready ? NULL : error_no_memory();
}

struct error *view_create(struct recording_file *file, const struct view_options *options, struct view **ret)
{
    cleanup_view struct view *view = calloc(1, sizeof(*view));
    if (!view)
        return error_no_memory();
    view->file = file;
    view->recorded = recording_file_profile(file);
    view->options = *options;
    struct error *error = prepare(view);
    if (!error)
        error = recording_file_each_sample(file, count_sample, view);
    if (error)
        return error;
    profile_seal(view->copy.profile);
    *ret = hand_over(&view);
    return NULL;
}

const struct profile *view_profile(const struct view *view)
{
    return view->copy.profile;
}

/* Who is told of samples in view. */
struct view_round {
    const struct view *view;
    sample_visitor visit;
    void *context;
};

/* What shows a sample, which was counted. */
static uint32_t find_node(const struct view *view, const struct sample *sample)
{
    if (is_marked(view, sample))
        return find_shown(view, sample->thread, sample->node | IDLE_BIT);
    return sample->node == PROFILE_ROOT ? view->threads[sample->thread]
                                        : find_shown(view, sample->thread, sample->node);
}

static struct error *pass_on(void *context, const struct sample *sample)
{
    const struct view_round *round = context;
    if (!is_in_view(round->view, sample))
        return NULL;
    struct sample shown = *sample;
    shown.time_ns -= round->view->options.begin_ns;
    shown.node = find_node(round->view, sample);
    if (shown.node == PROFILE_NONE)
        return error_create(ERROR_BAD_DATA, "the recording was changed while it was read");
    return round->visit(round->context, &shown);
}

struct error *view_each_sample(const struct view *view, sample_visitor visit, void *context)
{
    struct view_round round = {view, visit, context};
    return recording_file_each_sample(view->file, pass_on, &round);
}
