/* SPDX-License-Identifier: MIT */
#include "alike.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "profile/profile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What a thread's frame begins with (profile/view.c): "thread", and perhaps its number, decimal or hexadecimal. */
static const char word[] = "thread", begin_of_number[] = " (", end_of_number[] = ")";

/* Names without their numbers. */
struct kind {
    size_t name, len; /* in kinds->text */
    uint32_t count;   /* of threads */
    uint32_t first;   /* frame */
};

struct kinds {
    struct kind *kinds;
    uint32_t count, capacity;
    struct table table;
    struct buffer text;
    uint32_t *of_frame; /* PROFILE_NONE: no thread */
};

struct kind_key {
    const char *text;
    size_t len;
};

static void kinds_deinit(struct kinds *kinds)
{
    free(kinds->kinds);
    free(kinds->of_frame);
    table_deinit(&kinds->table);
    buffer_deinit(&kinds->text);
}

/* Where what a thread is called begins, behind its number. */
static size_t skip_number(const char *name)
{
    if (strncmp(name, word, strlen(word)) != 0)
        return 0;
    const char *rest = name + strlen(word);
    bool has_number = strncmp(rest, begin_of_number, strlen(begin_of_number)) == 0;
    const char *end = has_number ? strstr(rest, end_of_number) : NULL;
    return (size_t)((end ? end + strlen(end_of_number) : rest) - name);
}

/* What a thread is called, with a # for each number in it. */
static void append_kind(struct buffer *out, const char *name, size_t len)
{
    for (size_t i = skip_number(name); i < len; i++) {
        if (!isdigit((unsigned char)name[i]))
            buffer_append_char(out, name[i]);
        else if (i == 0 || !isdigit((unsigned char)name[i - 1]))
            buffer_append_char(out, '#');
    }
}

static bool kind_equals(const void *context, uint32_t index, const void *key)
{
    const struct kinds *kinds = context;
    const struct kind *kind = &kinds->kinds[index];
    const struct kind_key *wanted = key;
    return kind->len == wanted->len && memcmp(buffer_text(&kinds->text) + kind->name, wanted->text, wanted->len) == 0;
}

/* Counts a thread. Returns its kind, or PROFILE_NONE without memory. */
static uint32_t count_thread(struct kinds *kinds, const struct profile *profile, uint32_t frame)
{
    size_t len, begin = kinds->text.len;
    const char *name = profile_string(profile, profile_frame(profile, frame)->name, &len);
    append_kind(&kinds->text, name, len);
    if (kinds->text.failed)
        return PROFILE_NONE;
    const struct kind_key key = {buffer_text(&kinds->text) + begin, kinds->text.len - begin};
    uint64_t hash = hash_bytes(key.text, key.len);
    uint32_t found = table_find(&kinds->table, hash, kind_equals, kinds, &key);
    if (found != TABLE_NONE) {
        kinds->text.len = begin;
        kinds->kinds[found].count++;
        return found;
    }
    if (!array_grow(&kinds->kinds, kinds->count, &kinds->capacity, sizeof(*kinds->kinds)) ||
        !table_insert(&kinds->table, hash, kinds->count))
        return PROFILE_NONE;
    kinds->kinds[kinds->count] = (struct kind){begin, key.len, 1, frame};
    return kinds->count++;
}

static bool count_threads(struct kinds *kinds, const struct profile *profile, uint32_t frame_count)
{
    kinds->of_frame = malloc(frame_count * sizeof(*kinds->of_frame));
    for (uint32_t i = 0; kinds->of_frame && i < frame_count; i++) {
        kinds->of_frame[i] = PROFILE_NONE;
        if (profile_frame(profile, i)->kind != FRAME_THREAD)
            continue;
        kinds->of_frame[i] = count_thread(kinds, profile, i);
        if (kinds->of_frame[i] == PROFILE_NONE)
            return false;
    }
    return kinds->of_frame != NULL;
}

struct error *alike_init(struct alike *alike, const struct profile *profile)
{
    struct kinds kinds __attribute__((cleanup(kinds_deinit))) = {0};
    uint32_t count = profile_frame_count(profile);
    alike->first = malloc(count * sizeof(*alike->first));
    if (!alike->first || !count_threads(&kinds, profile, count))
        return error_no_memory();
    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = kinds.of_frame[i];
        bool are_many = kind != PROFILE_NONE && kinds.kinds[kind].count > ALIKE_FEW;
        alike->first[i] = are_many ? kinds.kinds[kind].first : i;
    }
    return NULL;
}

void alike_deinit(struct alike *alike)
{
    free(alike->first);
    alike->first = NULL;
}

void alike_append_name(struct buffer *out, const struct profile *profile, uint32_t frame, uint32_t count)
{
    size_t len;
    const char *name = profile_string(profile, profile_frame(profile, frame)->name, &len);
    buffer_format(out, "%u threads%s", count, skip_number(name) > 0 ? "" : ": ");
    append_kind(out, name, len);
}
