/* SPDX-License-Identifier: MIT */
#include "profile/merge.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "profile/copy.h"
#include "profile/losses.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile/recording_writer.h"
#include "profile/sample.h"

#include <inttypes.h>
#include <string.h>

enum { BLOCK_SAMPLES = 1 << 16 }; /* that are written at once */

static const char unfinished[] = "recordings that were put together and had not been finished";

/* One of the recordings. */
struct part {
    const char *name;
    uint64_t interval_ns, start_unix_ns, duration_ns;
    uint64_t shift_ns; /* what its times are put off by */
    uint64_t scale;    /* what its weights are multiplied with */
};

struct merge {
    struct part *parts;
    uint32_t part_count, part_capacity;
    uint32_t added; /* parts */
    char *title, *root;
    bool has_one_title, has_one_root; /* that all parts have in common */
    uint64_t table_limit;
    struct profile *profile; /* what is written */
    struct recording_writer *writer;
    struct sample *samples; /* that wait to be written */
    uint32_t sample_count;
};

/* One recording while its samples are added. */
struct addition {
    struct merge *merge;
    const struct part *part;
    struct profile_copy copy;
    uint32_t first_thread; /* number of its first thread in the merged profile */
    uint32_t *nodes;       /* of it -> of the merged profile; PROFILE_NONE while that was not made */
    uint32_t *path;        /* nodes on the way up */
    uint32_t node_count;
};

struct error *merge_create(uint64_t table_limit, struct merge **ret)
{
    cleanup_merge struct merge *merge = calloc(1, sizeof(*merge));
    if (!merge)
        return error_no_memory();
    merge->table_limit = table_limit > 0 ? table_limit : UINT64_MAX;
    merge->samples = malloc(BLOCK_SAMPLES * sizeof(*merge->samples));
    if (!merge->samples)
        return error_no_memory();
    *ret = hand_over(&merge);
    return NULL;
}

void merge_destroy(struct merge *merge)
{
    if (!merge)
        return;
    free(merge->parts);
    free(merge->title);
    free(merge->root);
    free(merge->samples);
    profile_destroy(merge->profile);
    recording_writer_destroy(merge->writer);
    free(merge);
}

/* Takes the text of the first recording, and tells of each other one whether it has the same. */
static bool compare_text(const struct profile *profile, uint32_t string, char **text, bool *is_one)
{
    size_t len;
    const char *own = profile_string(profile, string, &len);
    if (!*text) {
        *text = strdup(own);
        *is_one = true;
    }
    if (*text && strcmp(*text, own) != 0)
        *is_one = false;
    return *text != NULL;
}

struct error *merge_note(struct merge *merge, const struct recording_file *file, const char *name)
{
    uint32_t count;
    const struct profile *profile = recording_file_profile(file);
    const struct profile_info *info = profile_get_info(profile);
    uint32_t root = profile_frame(profile, profile_nodes(profile, &count)->frame)->name;
    if (!compare_text(profile, info->title, &merge->title, &merge->has_one_title) ||
        !compare_text(profile, root, &merge->root, &merge->has_one_root) ||
        !array_grow(&merge->parts, merge->part_count, &merge->part_capacity, sizeof(*merge->parts)))
        return error_no_memory();
    merge->parts[merge->part_count++] = (struct part){
        .name = name,
        .interval_ns = info->interval_ns,
        .start_unix_ns = info->start_unix_ns,
        .duration_ns = info->duration_ns,
        .scale = 1,
    };
    return NULL;
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static const struct part *find_fastest(const struct merge *merge)
{
    const struct part *fastest = &merge->parts[0];
    for (uint32_t i = 1; i < merge->part_count; i++) {
        if (merge->parts[i].interval_ns < fastest->interval_ns)
            fastest = &merge->parts[i];
    }
    return fastest;
}

/* How many of the fastest's intervals one of the part is; 0 when that is no whole number. */
static uint64_t find_scale(const struct part *part, const struct part *fastest)
{
    if (part->interval_ns == fastest->interval_ns)
        return 1;
    if (fastest->interval_ns == 0)
        return 0;
    uint64_t scale = (part->interval_ns + fastest->interval_ns / 2) / fastest->interval_ns;
    uint64_t scaled = scale * fastest->interval_ns;
    uint64_t off = scaled > part->interval_ns ? scaled - part->interval_ns : part->interval_ns - scaled;
    return off <= scale && scale <= UINT32_MAX ? scale : 0;
}

static struct error *choose_scales(struct merge *merge)
{
    const struct part *fastest = find_fastest(merge);
    for (uint32_t i = 0; i < merge->part_count; i++) {
        struct part *part = &merge->parts[i];
        part->scale = find_scale(part, fastest);
        if (part->scale == 0)
            return error_create(ERROR_USAGE,
                                "'%s' has an interval of %.3f ms and '%s' one of %.3f ms, which is no multiple of it: "
                                "only such recordings can be put together",
                                fastest->name, (double)fastest->interval_ns / 1e6, part->name,
                                (double)part->interval_ns / 1e6);
    }
    return NULL;
}

static int compare_starts(const void *a, const void *b)
{
    const struct part *one = *(struct part *const *)a, *other = *(struct part *const *)b;
    return (one->start_unix_ns > other->start_unix_ns) - (one->start_unix_ns < other->start_unix_ns);
}

/*
 * Recordings that went on together keep their distance from the first of them. *ret_start is when the whole began; 0
 * when that is not one time.
 */
static struct error *align(const struct merge *merge, uint64_t *ret_start)
{
    cleanup_free struct part **sorted = calloc(merge->part_count, sizeof(struct part *));
    if (!sorted)
        return error_no_memory();
    for (uint32_t i = 0; i < merge->part_count; i++)
        sorted[i] = &merge->parts[i];
    qsort(sorted, merge->part_count, sizeof(struct part *), compare_starts);
    uint64_t start = 0, end = 0;
    uint32_t groups = 0;
    for (uint32_t i = 0; i < merge->part_count; i++) {
        struct part *part = sorted[i];
        uint64_t part_end = add_capped(part->start_unix_ns, part->duration_ns);
        if (groups == 0 || part->start_unix_ns == 0 || part->start_unix_ns >= end || start == 0) {
            groups++;
            start = part->start_unix_ns;
            end = part_end;
        }
        part->shift_ns = part->start_unix_ns - start;
        end = part_end > end ? part_end : end;
    }
    *ret_start = groups == 1 ? start : 0;
    return NULL;
}

struct error *merge_begin(struct merge *merge, int fd)
{
    char several[64];
    if (merge->part_count == 0)
        return error_create(ERROR_USAGE, "there is no recording to be merged");
    snprintf(several, sizeof(several), "%u recordings", merge->part_count);
    struct error *error = choose_scales(merge);
    if (!error)
        error = profile_create(merge->has_one_root ? merge->root : several,
                               merge->has_one_title ? merge->title : several, &merge->profile);
    if (error)
        return error;
    struct profile_info *info = profile_info(merge->profile);
    info->interval_ns = find_fastest(merge)->interval_ns;
    error = align(merge, &info->start_unix_ns);
    return error ? error : recording_writer_create(fd, &merge->writer);
}

static void add_intervals(struct profile_intervals *all, const struct profile_intervals *some, uint64_t scale)
{
    all->ok += some->ok * scale;
    all->idle += some->idle * scale;
    all->torn += some->torn * scale;
    all->unreadable += some->unreadable * scale;
    all->missed += some->missed * scale;
}

static void add_info(const struct addition *addition)
{
    struct merge *merge = addition->merge;
    struct profile_info *all = profile_info(merge->profile);
    const struct profile_info *own = profile_get_info(addition->copy.source);
    uint64_t end_ns = add_capped(addition->part->shift_ns, own->duration_ns);
    bool is_cpu_known = own->cpu_ns != 0 && (merge->added == 0 || all->cpu_ns != 0);
    all->duration_ns = end_ns > all->duration_ns ? end_ns : all->duration_ns;
    all->cpu_ns = is_cpu_known ? all->cpu_ns + own->cpu_ns : 0;
    add_intervals(&all->intervals, &own->intervals, addition->part->scale);
}

static bool add_loss(struct profile *profile, const char *cause, size_t len, uint64_t more)
{
    uint32_t count;
    uint32_t string = profile_intern(profile, cause, len);
    const struct profile_loss *losses = profile_losses(profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (losses[i].cause == string)
            more = add_capped(more, losses[i].count);
    }
    return string != PROFILE_NONE && profile_set_loss(profile, cause, len, more);
}

static bool add_losses(const struct addition *addition, bool is_finished)
{
    uint32_t count;
    struct profile *profile = addition->merge->profile;
    const struct profile_loss *losses = profile_losses(addition->copy.source, &count);
    for (uint32_t i = 0; i < count; i++) {
        size_t len;
        const char *cause = profile_string(addition->copy.source, losses[i].cause, &len);
        if (!add_loss(profile, cause, len, losses[i].count))
            return false;
    }
    return is_finished || add_loss(profile, unfinished, strlen(unfinished), 1);
}

static void addition_deinit(struct addition *addition)
{
    profile_copy_deinit(&addition->copy);
    free(addition->nodes);
    free(addition->path);
}

/* Nothing of the recording is in the merged profile. */
static void addition_begin_anew(struct addition *addition)
{
    for (uint32_t i = PROFILE_ROOT + 1; i < addition->node_count; i++)
        addition->nodes[i] = PROFILE_NONE;
    addition->nodes[PROFILE_ROOT] = PROFILE_ROOT;
}

static struct error *addition_init(struct addition *addition, struct merge *merge, const struct recording_file *file)
{
    const struct profile *source = recording_file_profile(file);
    addition->merge = merge;
    addition->part = &merge->parts[merge->added];
    profile_nodes(source, &addition->node_count);
    profile_threads(merge->profile, &addition->first_thread);
    addition->nodes = malloc(addition->node_count * sizeof(*addition->nodes));
    addition->path = malloc(addition->node_count * sizeof(*addition->path));
    if (!addition->nodes || !addition->path)
        return error_no_memory();
    addition_begin_anew(addition);
    struct error *error = profile_copy_init_into(&addition->copy, source, merge->profile);
    if (error)
        return error;
    add_info(addition);
    bool is_added = profile_copy_members(&addition->copy) && add_losses(addition, recording_file_is_finished(file));
    return is_added ? NULL : error_no_memory();
}

/* Lets the merged profile forget its stacks, which are in the file. */
static struct error *forget_stacks(struct addition *addition)
{
    struct merge *merge = addition->merge;
    cleanup_profile_copy struct profile_copy copy = {0};
    struct error *error = profile_copy_init(&copy, merge->profile);
    if (error)
        return error;
    profile_swap(copy.profile, merge->profile);
    recording_writer_begin_anew(merge->writer, merge->profile);
    profile_copy_begin_anew(&addition->copy);
    addition_begin_anew(addition);
    /* Many members take much room themselves. */
    uint64_t least = 2 * profile_size(merge->profile);
    merge->table_limit = least > merge->table_limit ? least : merge->table_limit;
    return NULL;
}

static struct error *write_block(struct merge *merge)
{
    recording_writer_gather(merge->writer, merge->profile);
    recording_writer_append(merge->writer, merge->samples, merge->sample_count);
    merge->sample_count = 0;
    return recording_writer_write(merge->writer);
}

/* The node of the merged profile for one of the recording; PROFILE_NONE without memory. */
static uint32_t map_node(struct addition *addition, uint32_t node)
{
    uint32_t count, depth = 0;
    const struct profile *source = addition->copy.source;
    const struct profile_node *nodes = profile_nodes(source, &count);
    for (; addition->nodes[node] == PROFILE_NONE; node = nodes[node].parent)
        addition->path[depth++] = node;
    uint32_t mapped = addition->nodes[node];
    while (depth > 0 && mapped != PROFILE_NONE) {
        node = addition->path[--depth];
        uint32_t frame = profile_copy_frame(&addition->copy, profile_frame(source, nodes[node].frame));
        mapped = addition->nodes[node] = profile_child(addition->merge->profile, mapped, frame);
    }
    return mapped;
}

static struct error *add_sample(void *context, const struct sample *sample)
{
    struct addition *addition = context;
    struct merge *merge = addition->merge;
    uint64_t weight = sample->weight * addition->part->scale;
    if (weight > UINT32_MAX)
        return error_create(ERROR_BAD_DATA, "a sample of '%s' stands for more time than can be", addition->part->name);
    uint32_t node = map_node(addition, sample->node);
    if (node == PROFILE_NONE)
        return error_no_memory();
    merge->samples[merge->sample_count++] = (struct sample){
        .time_ns = add_capped(sample->time_ns, addition->part->shift_ns),
        .thread = sample->thread + addition->first_thread,
        .node = node,
        .weight = (uint32_t)weight,
        .states = sample->states,
    };
    bool is_large = profile_size(merge->profile) > merge->table_limit;
    if (!is_large && merge->sample_count < BLOCK_SAMPLES)
        return NULL;
    struct error *error = write_block(merge);
    return !error && is_large ? forget_stacks(addition) : error;
}

struct error *merge_add(struct merge *merge, struct recording_file *file)
{
    struct addition addition __attribute__((cleanup(addition_deinit))) = {0};
    if (merge->added == merge->part_count)
        return error_create(ERROR_USAGE, "there are more recordings than were noted");
    const struct part *part = &merge->parts[merge->added];
    const struct profile_info *info = profile_get_info(recording_file_profile(file));
    if (info->interval_ns != part->interval_ns || info->start_unix_ns != part->start_unix_ns)
        return error_create(ERROR_BAD_DATA, "'%s' has become another recording meanwhile", part->name);
    struct error *error = addition_init(&addition, merge, file);
    if (!error)
        error = recording_file_each_sample(file, add_sample, &addition);
    if (!error)
        error = write_block(merge);
    merge->added++;
    return error;
}

struct error *merge_finish(struct merge *merge)
{
    return recording_writer_finish(merge->writer);
}
