/* SPDX-License-Identifier: MIT */
#include "profile/diff.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/copy.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/sample.h"
#include "profile/view.h"

#include <math.h>
#include <string.h>

static const double ns_per_second = 1e9;

/* What frames of both recordings are one frame of the diff, and how that is shown. */
struct key {
    const struct profile *source; /* whose frame is shown: that of `after`, if it has one */
    uint32_t frame;
    int32_t line;        /* of the function; 0 when several have this key */
    uint32_t diff_frame; /* number in the profiles of the diff */
};

/* A diff in the making. */
struct work {
    const struct diff_options *options;
    struct diff *diff;
    struct profile *keys;  /* its frames are the keys: frames without what does not matter */
    struct key *key_table; /* by frame of keys */
    uint32_t key_count;
    uint32_t *frame_keys; /* by frame of the recording that is added: its key */
    uint32_t *nodes;      /* by node of it: that of the diff */
};

/* Sums over the samples of a view. */
struct weights {
    double sum, square_sum;
};

static struct error *add_weight(void *context, const struct sample *sample)
{
    struct weights *weights = context;
    weights->sum += sample->weight;
    weights->square_sum += (double)sample->weight * (sample->states & SAMPLE_COUNTED ? 1 : sample->weight);
    return NULL;
}

struct error *diff_source_init(struct diff_source *source, const struct view *view)
{
    struct weights weights = {0};
    struct error *error = view_each_sample(view, add_weight, &weights);
    *source = (struct diff_source){
        .profile = view_profile(view),
        .weight = weights.sum > 0 ? weights.square_sum / weights.sum : 1,
    };
    return error;
}

static uint32_t copy_string(struct profile *profile, const struct profile *source, uint32_t string)
{
    size_t len;
    const char *text = profile_string(source, string, &len);
    return string == PROFILE_NONE ? PROFILE_NONE : profile_intern(profile, text, len);
}

static uint32_t copy_labelled(struct profile *profile, const char *label, const struct profile *source, uint32_t string)
{
    cleanup_buffer struct buffer text = {0};
    size_t len;
    const char *name = profile_string(source, string, &len);
    buffer_format(&text, "%s%s", label, len > 0 ? ": " : "");
    buffer_append(&text, name, len);
    return text.failed ? PROFILE_NONE : profile_intern(profile, buffer_text(&text), text.len);
}

/* A thread or process, without its numbers: these are others in each run. */
static uint32_t group_name(struct profile *keys, const struct profile *source, const struct profile_frame *frame)
{
    uint32_t count;
    if (frame->kind == FRAME_THREAD) {
        const struct profile_thread *threads = profile_threads(source, &count);
        return copy_labelled(keys, "thread", source, frame->member < count ? threads[frame->member].name : frame->name);
    }
    const struct profile_process *processes = profile_processes(source, &count);
    return copy_labelled(keys, "process", source,
                         frame->member < count ? processes[frame->member].command_line : frame->name);
}

static bool is_group(const struct profile_frame *frame)
{
    return frame->kind == FRAME_THREAD || frame->kind == FRAME_PROCESS;
}

/* The frame's key, as a frame of keys; PROFILE_NONE without memory. */
static uint32_t intern_key(const struct work *work, const struct profile *source, const struct profile_frame *frame)
{
    const struct diff_options *options = work->options;
    struct profile_frame key = {.kind = is_group(frame) ? FRAME_MARK : frame->kind, .file = PROFILE_NONE};
    if (is_group(frame)) {
        key.name = group_name(work->keys, source, frame);
        return profile_intern_frame(work->keys, &key);
    }
    uint32_t file = options->with_full_files ? frame->file : profile_short_file(source, frame->file);
    key.name = copy_string(work->keys, source, frame->name);
    key.file = copy_string(work->keys, source, file);
    if (options->lines != DIFF_NO_LINES)
        key.first_line = frame->first_line;
    if (options->lines == DIFF_LINES)
        key.line = frame->line;
    return profile_intern_frame(work->keys, &key);
}

static int32_t shown_line(const struct diff_options *options, const struct profile_frame *frame)
{
    if (options->without_lines)
        return 0;
    if (options->lines == DIFF_LINES || (frame->first_line == 0 && frame->kind != FRAME_NATIVE))
        return frame->line;
    return frame->first_line;
}

/* Learns how a key is shown: by the first recording that has it. Its functions there may have several lines. */
static void note_key(const struct work *work, uint32_t key, const struct profile *source, uint32_t frame)
{
    int32_t line = shown_line(work->options, profile_frame(source, frame));
    struct key *noted = &work->key_table[key];
    if (!noted->source)
        *noted = (struct key){.source = source, .frame = frame, .line = line};
    else if (noted->source == source && noted->line != line)
        noted->line = 0;
}

/* Makes room for the keys of a recording's frames, which are no more than those. */
static bool grow_keys(struct work *work, uint32_t more)
{
    size_t count = work->key_count + (size_t)more;
    struct key *grown = realloc(work->key_table, count * sizeof(*grown));
    if (!grown)
        return false;
    memset(grown + work->key_count, 0, more * sizeof(*grown));
    work->key_table = grown;
    work->key_count = (uint32_t)count;
    return true;
}

static bool find_keys(struct work *work, const struct profile *source)
{
    uint32_t count = profile_frame_count(source);
    for (uint32_t i = 0; i < count; i++) {
        work->frame_keys[i] = intern_key(work, source, profile_frame(source, i));
        if (work->frame_keys[i] == PROFILE_NONE)
            return false;
        note_key(work, work->frame_keys[i], source, i);
    }
    return true;
}

/* Makes the frame of a key in one of the diff's profiles. */
static uint32_t make_frame(struct profile *profile, const struct profile *keys, uint32_t key, const struct key *shown)
{
    const struct profile_frame *frame = profile_frame(keys, key);
    struct profile_frame made = {.kind = frame->kind, .line = shown->line, .first_line = shown->line};
    made.name = copy_string(profile, keys, frame->name);
    made.file = PROFILE_NONE;
    if (frame->kind == FRAME_PYTHON || frame->kind == FRAME_NATIVE) {
        const struct profile_frame *seen = profile_frame(shown->source, shown->frame);
        uint32_t short_file = profile_short_file(shown->source, seen->file);
        made.first_line = shown->line == 0 ? 0 : seen->first_line;
        made.file = copy_string(profile, shown->source, seen->file);
        if (short_file != seen->file && made.file != PROFILE_NONE)
            profile_set_short_file(profile, made.file, copy_string(profile, shown->source, short_file));
    }
    return profile_intern_frame(profile, &made);
}

/* The number that the diff's profiles have for a frame with this key. They get everything in the same order. */
static uint32_t diff_frame(const struct work *work, uint32_t key)
{
    struct key *shown = &work->key_table[key];
    if (shown->diff_frame == 0) {
        uint32_t frame = make_frame(work->diff->before.profile, work->keys, key, shown);
        if (frame == PROFILE_NONE || make_frame(work->diff->after.profile, work->keys, key, shown) != frame)
            return PROFILE_NONE;
        shown->diff_frame = frame;
    }
    return shown->diff_frame;
}

static bool is_left_out(const struct diff_options *options, const struct profile_frame *frame)
{
    return (frame->kind == FRAME_THREAD && !options->with_threads) ||
           (frame->kind == FRAME_PROCESS && !options->with_processes);
}

static uint32_t add_node(const struct work *work, const struct profile *source, const struct profile_node *node)
{
    uint32_t parent = work->nodes[node->parent];
    if (is_left_out(work->options, profile_frame(source, node->frame)))
        return parent;
    uint32_t frame = diff_frame(work, work->frame_keys[node->frame]);
    uint32_t child = profile_child(work->diff->before.profile, parent, frame);
    return profile_child(work->diff->after.profile, parent, frame) == child ? child : PROFILE_NONE;
}

static bool add_tree(const struct work *work, const struct profile *source, struct diff_side *side)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(source, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t mapped = i == PROFILE_ROOT ? PROFILE_ROOT : add_node(work, source, &nodes[i]);
        if (mapped == PROFILE_NONE)
            return false;
        work->nodes[i] = mapped;
        profile_count(side->profile, mapped, nodes[i].self);
        side->all += nodes[i].self;
    }
    return true;
}

/* Adds the tree of one recording, whose samples are counted on its side. */
static bool add_recording(struct work *work, const struct profile *source, struct diff_side *side)
{
    uint32_t node_count, frame_count = profile_frame_count(source);
    profile_nodes(source, &node_count);
    cleanup_free uint32_t *frame_keys = calloc(frame_count, sizeof(*frame_keys));
    cleanup_free uint32_t *nodes = calloc(node_count, sizeof(*nodes));
    if (!frame_keys || !nodes || !grow_keys(work, frame_count + 1))
        return false;
    work->frame_keys = frame_keys;
    work->nodes = nodes;
    bool is_added = find_keys(work, source) && add_tree(work, source, side);
    work->frame_keys = work->nodes = NULL;
    return is_added;
}

/* Makes the profile of a side, with nothing but its info. */
static struct error *begin_side(struct diff_side *side, const struct diff_source *source)
{
    size_t len;
    uint32_t count;
    const struct profile_info *info = profile_get_info(source->profile);
    const struct profile_node *root = profile_nodes(source->profile, &count);
    struct error *error =
        profile_create(profile_string(source->profile, profile_frame(source->profile, root->frame)->name, &len),
                       profile_string(source->profile, info->title, &len), &side->profile);
    if (error)
        return error;
    struct profile_info *own = profile_info(side->profile);
    uint32_t title = own->title;
    *own = *info;
    own->title = title;
    own->recorder = copy_string(side->profile, source->profile, info->recorder);
    own->selection = copy_string(side->profile, source->profile, info->selection);
    side->weight = source->weight;
    return NULL;
}

/* The diff's tree, for going down and up again. */
struct tree {
    const struct profile_node *before, *after;
    uint32_t count;
    uint32_t *first_child, *next_sibling;
    struct diff_amount *totals;
    uint32_t *depths; /* by frame: how often it is on the way from the root to where we are */
};

static void link_and_sum(const struct tree *tree)
{
    memset(tree->first_child, 0xff, tree->count * sizeof(*tree->first_child));
    memset(tree->next_sibling, 0xff, tree->count * sizeof(*tree->next_sibling));
    for (uint32_t i = 0; i < tree->count; i++)
        tree->totals[i] = (struct diff_amount){tree->before[i].self, tree->after[i].self};
    for (uint32_t i = tree->count - 1; i > 0; i--) {
        uint32_t parent = tree->before[i].parent;
        tree->totals[parent].before += tree->totals[i].before;
        tree->totals[parent].after += tree->totals[i].after;
        tree->next_sibling[i] = tree->first_child[parent];
        tree->first_child[parent] = i;
    }
}

static void enter(const struct tree *tree, uint32_t node, struct diff_function *functions)
{
    uint32_t frame = tree->before[node].frame;
    struct diff_function *function = &functions[frame];
    function->self.before += tree->before[node].self;
    function->self.after += tree->after[node].self;
    if (tree->depths[frame]++ > 0)
        return;
    function->total.before += tree->totals[node].before;
    function->total.after += tree->totals[node].after;
}

/* Goes through the tree, depth first; a frame is counted where no caller is the same. */
static void add_functions(const struct tree *tree, struct diff_function *functions)
{
    uint32_t node = PROFILE_ROOT;
    while (node != PROFILE_NONE) {
        enter(tree, node, functions);
        if (tree->first_child[node] != PROFILE_NONE) {
            node = tree->first_child[node];
            continue;
        }
        tree->depths[tree->before[node].frame]--;
        while (node != PROFILE_ROOT && tree->next_sibling[node] == PROFILE_NONE) {
            node = tree->before[node].parent;
            tree->depths[tree->before[node].frame]--;
        }
        node = node == PROFILE_ROOT ? PROFILE_NONE : tree->next_sibling[node];
    }
}

static void tree_deinit(struct tree *tree)
{
    free(tree->first_child);
    free(tree->next_sibling);
    free(tree->totals);
    free(tree->depths);
}

static struct error *tree_init(struct tree *tree, const struct diff *diff)
{
    tree->after = profile_nodes(diff->after.profile, &tree->count);
    tree->before = profile_nodes(diff->before.profile, &tree->count);
    tree->first_child = calloc(tree->count, sizeof(*tree->first_child));
    tree->next_sibling = calloc(tree->count, sizeof(*tree->next_sibling));
    tree->totals = calloc(tree->count, sizeof(*tree->totals));
    tree->depths = calloc(profile_frame_count(diff->before.profile), sizeof(*tree->depths));
    if (!tree->first_child || !tree->next_sibling || !tree->totals || !tree->depths)
        return error_no_memory();
    link_and_sum(tree);
    return NULL;
}

static struct error *count_functions(struct diff *diff)
{
    struct tree tree = {0};
    struct error *error = tree_init(&tree, diff);
    diff->frame_count = profile_frame_count(diff->before.profile);
    diff->functions = calloc(diff->frame_count, sizeof(*diff->functions));
    if (!error && diff->functions)
        add_functions(&tree, diff->functions);
    else if (!error)
        error = error_no_memory();
    tree_deinit(&tree);
    return error;
}

static void work_deinit(struct work *work)
{
    profile_destroy(work->keys);
    free(work->key_table);
}

struct error *diff_create(const struct diff_source *before, const struct diff_source *after,
                          const struct diff_options *options, struct diff **ret)
{
    cleanup_diff struct diff *diff = calloc(1, sizeof(*diff));
    if (!diff)
        return error_no_memory();
    struct work work __attribute__((cleanup(work_deinit))) = {.options = options, .diff = diff};
    diff->measure = options->measure;
    diff->lines = options->lines;
    struct error *error = begin_side(&diff->before, before);
    if (!error)
        error = begin_side(&diff->after, after);
    if (!error)
        error = profile_create("", "", &work.keys);
    if (error)
        return error;
    /* `after` comes first, as it is asked first how a frame is shown. */
    if (!add_recording(&work, after->profile, &diff->after) || !add_recording(&work, before->profile, &diff->before))
        return error_no_memory();
    error = count_functions(diff);
    if (!error)
        *ret = hand_over(&diff);
    return error;
}

void diff_destroy(struct diff *diff)
{
    if (!diff)
        return;
    profile_destroy(diff->before.profile);
    profile_destroy(diff->after.profile);
    free(diff->functions);
    free(diff);
}

double diff_scale(const struct diff *diff)
{
    double before = (double)diff->before.all, after = (double)diff->after.all;
    if (diff->measure == DIFF_SECONDS) {
        before = diff_seconds(&diff->after, 1);
        after = diff_seconds(&diff->before, 1);
    }
    return before > 0 && after > 0 ? after / before : 1;
}

/* The samples that a node is as wide as, by itself. */
static uint64_t width_of(const struct diff *diff, const struct tree *tree, uint32_t node)
{
    uint64_t before = tree->before[node].self;
    if (tree->totals[node].after > 0 || before == 0)
        return tree->after[node].self;
    double scaled = round((double)before * diff_scale(diff));
    return scaled < 1 ? 1 : (uint64_t)scaled;
}

static bool copy_tree(const struct diff *diff, const struct tree *tree, struct profile_copy *copy)
{
    for (uint32_t i = 1; i < diff->frame_count; i++) {
        if (profile_copy_frame(copy, profile_frame(copy->source, i)) != i)
            return false;
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        uint32_t node =
            i == PROFILE_ROOT ? i : profile_child(copy->profile, tree->after[i].parent, tree->after[i].frame);
        if (node != i)
            return false;
        profile_count(copy->profile, node, width_of(diff, tree, node));
    }
    return true;
}

struct error *diff_make_widths(const struct diff *diff, struct profile **ret)
{
    struct tree tree = {0};
    cleanup_profile_copy struct profile_copy copy = {0};
    struct error *error = profile_copy_init(&copy, diff->after.profile);
    if (!error)
        error = tree_init(&tree, diff);
    if (!error && !copy_tree(diff, &tree, &copy))
        error = error_no_memory();
    if (!error)
        *ret = hand_over(&copy.profile);
    tree_deinit(&tree);
    return error;
}

double diff_seconds(const struct diff_side *side, uint64_t samples)
{
    return (double)samples * (double)profile_get_info(side->profile)->interval_ns / ns_per_second;
}

double diff_percent(const struct diff_side *side, uint64_t samples)
{
    return side->all > 0 ? 100.0 * (double)samples / (double)side->all : 0;
}

double diff_points(const struct diff *diff, const struct diff_amount *amount)
{
    return diff_percent(&diff->after, amount->after) - diff_percent(&diff->before, amount->before);
}

double diff_more_seconds(const struct diff *diff, const struct diff_amount *amount)
{
    return diff_seconds(&diff->after, amount->after) - diff_seconds(&diff->before, amount->before);
}

double diff_change(const struct diff *diff, const struct diff_amount *amount)
{
    return diff->measure == DIFF_SHARES ? diff_points(diff, amount) : diff_more_seconds(diff, amount);
}

/* p (1 - p), p being the share that `some` of `all` samples let one guess at. */
static double guess_variance(double some, double all)
{
    double p = (some + 1) / (all + 2);
    return p * (1 - p);
}

/* A difference, in the unit of what is compared: its variance, and what half a look on each side is. */
struct chance {
    double variance, half;
};

/* The variance of a number of samples, in square seconds. */
static double variance_of_seconds(const struct diff_side *side, uint64_t samples)
{
    double all = (double)side->all, look = diff_seconds(side, 1);
    return look * look * side->weight * all * guess_variance((double)samples, all);
}

static struct chance chance_of_seconds(const struct diff *diff, const struct diff_amount *amount)
{
    const struct diff_side *before = &diff->before, *after = &diff->after;
    return (struct chance){
        .variance = variance_of_seconds(before, amount->before) + variance_of_seconds(after, amount->after),
        .half = (diff_seconds(before, 1) * before->weight + diff_seconds(after, 1) * after->weight) / 2,
    };
}

static struct chance chance_of_points(const struct diff *diff, const struct diff_amount *amount)
{
    double before = (double)diff->before.all, after = (double)diff->after.all;
    double some = (double)amount->before + (double)amount->after;
    double looks = diff->before.weight / before + diff->after.weight / after;
    return (struct chance){
        .variance = 100.0 * 100.0 * guess_variance(some, before + after) * looks,
        .half = 100.0 * looks / 2,
    };
}

bool diff_is_noise(const struct diff *diff, const struct diff_amount *amount)
{
    if (diff->before.all == 0 || diff->after.all == 0)
        return true;
    const struct chance chance =
        diff->measure == DIFF_SHARES ? chance_of_points(diff, amount) : chance_of_seconds(diff, amount);
    return fabs(diff_change(diff, amount)) - chance.half <= DIFF_NOISE_ERRORS * sqrt(chance.variance);
}
