/* SPDX-License-Identifier: MIT */
#include "profile/profile.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "profile/losses.h"
#include "profile/members.h"

#include <string.h>

struct interned_string {
    uint32_t offset; /* in profile->text */
    uint32_t len;
    uint32_t short_file; /* another string, or PROFILE_NONE */
};

static const uint32_t ONLY_CHILD = UINT32_C(1) << 31;

struct profile {
    struct profile_info info;

    struct buffer text; /* all strings, each followed by a NUL */
    struct interned_string *strings;
    uint32_t string_count, string_capacity;
    struct table string_table;

    struct profile_frame *frames;
    uint32_t frame_count, frame_capacity;
    struct table frame_table;

    struct profile_node *nodes;
    uint32_t node_count, node_capacity; /* below ONLY_CHILD */
    struct table node_table;            /* those that have siblings */
    uint32_t *newest_children;          /* by node; with ONLY_CHILD: the only one; PROFILE_NONE: it has none */
    uint32_t newest_capacity;

    struct profile_process *processes;
    uint32_t process_count, process_capacity;
    struct profile_thread *threads;
    uint32_t thread_count, thread_capacity;

    struct profile_loss *losses;
    uint32_t loss_count, loss_capacity;

    bool lacks_memory; /* some string was not stored; so a frame without a file may be one that has one */
};

static bool add_node(struct profile *profile, const struct profile_node *node)
{
    uint32_t count = profile->node_count;
    if (!array_grow(&profile->nodes, count, &profile->node_capacity, sizeof(*profile->nodes)) ||
        !array_grow(&profile->newest_children, count, &profile->newest_capacity, sizeof(*profile->newest_children)))
        return false;
    profile->nodes[count] = *node;
    profile->newest_children[count] = PROFILE_NONE;
    profile->node_count++;
    return true;
}

struct error *profile_create(const char *root_name, const char *title, struct profile **ret)
{
    cleanup_profile struct profile *profile = calloc(1, sizeof(*profile));
    if (!profile)
        return error_no_memory();
    profile->info.recorder = profile->info.selection = PROFILE_NONE;
    profile->info.title = profile_intern(profile, title, strlen(title));
    const struct profile_frame frame = {
        .kind = FRAME_PROCESS,
        .name = profile_intern(profile, root_name, strlen(root_name)),
        .file = PROFILE_NONE,
    };
    uint32_t root_frame = profile_intern_frame(profile, &frame);
    if (profile->info.title == PROFILE_NONE || root_frame == PROFILE_NONE ||
        !add_node(profile, &(struct profile_node){.frame = root_frame, .parent = PROFILE_NONE}))
        return error_no_memory();
    *ret = hand_over(&profile);
    return NULL;
}

void profile_destroy(struct profile *profile)
{
    if (!profile)
        return;
    buffer_deinit(&profile->text);
    free(profile->strings);
    free(profile->frames);
    free(profile->nodes);
    free(profile->newest_children);
    free(profile->processes);
    free(profile->threads);
    free(profile->losses);
    table_deinit(&profile->string_table);
    table_deinit(&profile->frame_table);
    table_deinit(&profile->node_table);
    free(profile);
}

void profile_swap(struct profile *one, struct profile *other)
{
    struct profile content = *one;
    *one = *other;
    *other = content;
}

void profile_seal(struct profile *profile)
{
    table_deinit(&profile->string_table);
    table_deinit(&profile->frame_table);
    table_deinit(&profile->node_table);
}

uint64_t profile_size(const struct profile *profile)
{
    enum { SLOT = 2 * sizeof(struct table_slot) }; /* a table is half full, on average */
    return profile->text.len + profile->string_count * (sizeof(*profile->strings) + SLOT) +
           profile->frame_count * (sizeof(*profile->frames) + SLOT) +
           profile->node_count * (sizeof(*profile->nodes) + sizeof(*profile->newest_children) + SLOT);
}

struct profile_info *profile_info(struct profile *profile)
{
    return &profile->info;
}

const struct profile_info *profile_get_info(const struct profile *profile)
{
    return &profile->info;
}

struct text_key {
    const char *text;
    size_t len;
};

static bool string_equals(const void *context, uint32_t index, const void *key)
{
    const struct profile *profile = context;
    const struct text_key *wanted = key;
    const struct interned_string *string = &profile->strings[index];
    return string->len == wanted->len && memcmp(profile->text.data + string->offset, wanted->text, wanted->len) == 0;
}

uint32_t profile_intern(struct profile *profile, const char *text, size_t len)
{
    const struct text_key key = {text, len};
    uint64_t hash = hash_bytes(text, len);
    uint32_t found = table_find(&profile->string_table, hash, string_equals, profile, &key);
    if (found != TABLE_NONE)
        return found;
    size_t offset = profile->text.len;
    if (offset + len >= UINT32_MAX || !buffer_reserve(&profile->text, len + 1) ||
        !array_grow(&profile->strings, profile->string_count, &profile->string_capacity, sizeof(*profile->strings)) ||
        !table_insert(&profile->string_table, hash, profile->string_count)) {
        profile->lacks_memory = true;
        return PROFILE_NONE;
    }
    buffer_append(&profile->text, text, len);
    buffer_append_char(&profile->text, '\0');
    profile->strings[profile->string_count] = (struct interned_string){
        .offset = (uint32_t)offset,
        .len = (uint32_t)len,
        .short_file = PROFILE_NONE,
    };
    return profile->string_count++;
}

const char *profile_string(const struct profile *profile, uint32_t string, size_t *ret_len)
{
    if (string == PROFILE_NONE) {
        *ret_len = 0;
        return "";
    }
    *ret_len = profile->strings[string].len;
    return profile->text.data + profile->strings[string].offset;
}

uint32_t profile_string_count(const struct profile *profile)
{
    return profile->string_count;
}

uint32_t profile_frame_count(const struct profile *profile)
{
    return profile->frame_count;
}

static bool frame_equals(const void *context, uint32_t index, const void *key)
{
    const struct profile *profile = context;
    const struct profile_frame *frame = &profile->frames[index];
    const struct profile_frame *wanted = key;
    return frame->name == wanted->name && frame->line == wanted->line && frame->file == wanted->file &&
           frame->first_line == wanted->first_line && frame->kind == wanted->kind && frame->member == wanted->member;
}

uint32_t profile_intern_frame(struct profile *profile, const struct profile_frame *frame)
{
    if (frame->name == PROFILE_NONE || profile->lacks_memory)
        return PROFILE_NONE;
    uint64_t where = (uint64_t)frame->file << 32 | (uint32_t)frame->line;
    uint64_t which = (uint64_t)frame->first_line << 32 | frame->member;
    uint64_t hash = hash_pair(hash_pair((uint64_t)frame->name << 32 | frame->kind, where), which);
    uint32_t found = table_find(&profile->frame_table, hash, frame_equals, profile, frame);
    if (found != TABLE_NONE)
        return found;
    if (!array_grow(&profile->frames, profile->frame_count, &profile->frame_capacity, sizeof(*profile->frames)) ||
        !table_insert(&profile->frame_table, hash, profile->frame_count))
        return PROFILE_NONE;
    profile->frames[profile->frame_count] = *frame;
    return profile->frame_count++;
}

const struct profile_frame *profile_frame(const struct profile *profile, uint32_t frame)
{
    return &profile->frames[frame];
}

bool profile_frame_has_file(const struct profile *profile, const struct profile_frame *frame)
{
    size_t len;
    profile_string(profile, frame->file, &len);
    return (frame->kind == FRAME_PYTHON || frame->kind == FRAME_NATIVE) && len > 0;
}

static bool node_equals(const void *context, uint32_t index, const void *key)
{
    const struct profile_node *node = &((const struct profile *)context)->nodes[index];
    const struct profile_node *wanted = key;
    return node->parent == wanted->parent && node->frame == wanted->frame;
}

static uint64_t hash_node(const struct profile_node *node)
{
    return hash_number((uint64_t)node->parent << 32 | node->frame);
}

/* Adds a child of a node that has none with this frame; older: the one that it had alone, or PROFILE_NONE. */
static uint32_t add_child(struct profile *profile, const struct profile_node *child, uint32_t older)
{
    uint32_t added = profile->node_count;
    bool is_only = profile->newest_children[child->parent] == PROFILE_NONE;
    if (older != PROFILE_NONE && !table_insert(&profile->node_table, hash_node(&profile->nodes[older]), older))
        return PROFILE_NONE;
    if (older != PROFILE_NONE)
        profile->newest_children[child->parent] = older; /* it is in the table, whatever comes */
    if (!add_node(profile, child))
        return PROFILE_NONE;
    if (!is_only && !table_insert(&profile->node_table, hash_node(child), added)) {
        profile->node_count--;
        return PROFILE_NONE;
    }
    profile->newest_children[child->parent] = is_only ? added | ONLY_CHILD : added;
    return added;
}

/*
 * Stacks that follow one another are alike, and most nodes have one child: few calls come to the table, where a tree of
 * millions misses the cache each time.
 */
uint32_t profile_child(struct profile *profile, uint32_t node, uint32_t frame)
{
    if (node == PROFILE_NONE || frame == PROFILE_NONE || profile->lacks_memory)
        return PROFILE_NONE;
    const struct profile_node child = {.frame = frame, .parent = node};
    uint32_t newest = profile->newest_children[node];
    if (newest == PROFILE_NONE)
        return add_child(profile, &child, PROFILE_NONE);
    bool is_only = newest & ONLY_CHILD;
    newest &= ~ONLY_CHILD;
    if (profile->nodes[newest].frame == frame)
        return newest;
    if (is_only)
        return add_child(profile, &child, newest);
    uint32_t found = table_find(&profile->node_table, hash_node(&child), node_equals, profile, &child);
    return found != TABLE_NONE ? found : add_child(profile, &child, PROFILE_NONE);
}

bool profile_lacks_memory(const struct profile *profile)
{
    return profile->lacks_memory;
}

void profile_count(struct profile *profile, uint32_t node, uint64_t samples)
{
    profile->nodes[node].self += samples;
}

const struct profile_node *profile_nodes(const struct profile *profile, uint32_t *ret_count)
{
    *ret_count = profile->node_count;
    return profile->nodes;
}

void profile_set_short_file(struct profile *profile, uint32_t file, uint32_t short_file)
{
    profile->strings[file].short_file = short_file;
}

uint32_t profile_short_file(const struct profile *profile, uint32_t file)
{
    if (file == PROFILE_NONE || profile->strings[file].short_file == PROFILE_NONE)
        return file;
    return profile->strings[file].short_file;
}

uint32_t profile_add_process(struct profile *profile, const struct profile_process *process)
{
    if (!array_grow(&profile->processes, profile->process_count, &profile->process_capacity, sizeof(*process)))
        return PROFILE_NONE;
    profile->processes[profile->process_count] = *process;
    return profile->process_count++;
}

uint32_t profile_add_thread(struct profile *profile, const struct profile_thread *thread)
{
    if (!array_grow(&profile->threads, profile->thread_count, &profile->thread_capacity, sizeof(*thread)))
        return PROFILE_NONE;
    profile->threads[profile->thread_count] = *thread;
    return profile->thread_count++;
}

void profile_name_thread(struct profile *profile, uint32_t thread, uint32_t name)
{
    profile->threads[thread].name = name;
}

const struct profile_process *profile_processes(const struct profile *profile, uint32_t *ret_count)
{
    *ret_count = profile->process_count;
    return profile->processes;
}

const struct profile_thread *profile_threads(const struct profile *profile, uint32_t *ret_count)
{
    *ret_count = profile->thread_count;
    return profile->threads;
}

bool profile_set_loss(struct profile *profile, const char *cause, size_t len, uint64_t count)
{
    uint32_t string = profile_intern(profile, cause, len), i = 0;
    if (string == PROFILE_NONE)
        return false;
    while (i < profile->loss_count && profile->losses[i].cause != string)
        i++;
    if (i == profile->loss_count) {
        if (!array_grow(&profile->losses, i, &profile->loss_capacity, sizeof(*profile->losses)))
            return false;
        profile->loss_count++;
    }
    profile->losses[i] = (struct profile_loss){string, count};
    return true;
}

void profile_clear_losses(struct profile *profile)
{
    profile->loss_count = 0;
}

const struct profile_loss *profile_losses(const struct profile *profile, uint32_t *ret_count)
{
    *ret_count = profile->loss_count;
    return profile->losses;
}
