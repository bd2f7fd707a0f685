/* SPDX-License-Identifier: MIT */
#include "memory/maps.h"

#include "base/table.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAPS_COUNT_LIMIT = 1 << 20 }; /* vm.max_map_count is 65,530 unless somebody raised it */

static const char deleted_mark[] = " (deleted)";

/* A line that is being read: everything before `at` is done. */
struct cursor {
    char *at;
    bool failed;
};

static uint64_t take_number(struct cursor *cursor, int base)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(cursor->at, &end, base);
    if (!isxdigit((unsigned char)*cursor->at) || errno != 0)
        cursor->failed = true;
    cursor->at = end;
    return number;
}

static void take_char(struct cursor *cursor, char expected)
{
    if (*cursor->at == expected)
        cursor->at++;
    else
        cursor->failed = true;
}

static void take_permissions(struct cursor *cursor, struct mapping *mapping)
{
    if (strnlen(cursor->at, 4) < 4) {
        cursor->failed = true;
        return;
    }
    mapping->readable = cursor->at[0] == 'r';
    mapping->writable = cursor->at[1] == 'w';
    mapping->executable = cursor->at[2] == 'x';
    cursor->at += 4;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* Undoes the kernel's \ooo escapes in place. */
static void unescape(char *path)
{
    char *to = path;
    for (const char *from = path; *from; to++) {
        if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3])) {
            *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

static void take_path(struct cursor *cursor, struct mapping *mapping)
{
    while (*cursor->at == ' ')
        cursor->at++;
    char *path = cursor->at;
    size_t len = strlen(path), mark_len = sizeof(deleted_mark) - 1;
    if (len >= mark_len && strcmp(path + len - mark_len, deleted_mark) == 0) {
        mapping->is_deleted = true;
        path[len - mark_len] = '\0';
    }
    unescape(path);
    mapping->path = path;
}

/* Reads one NUL-terminated line, which it changes. */
static bool parse_line(char *line, struct mapping *ret)
{
    struct cursor cursor = {.at = line};
    struct mapping mapping = {0};
    mapping.start = take_number(&cursor, 16);
    take_char(&cursor, '-');
    mapping.end = take_number(&cursor, 16);
    take_char(&cursor, ' ');
    take_permissions(&cursor, &mapping);
    take_char(&cursor, ' ');
    mapping.offset = take_number(&cursor, 16);
    take_char(&cursor, ' ');
    take_number(&cursor, 16);
    take_char(&cursor, ':');
    take_number(&cursor, 16);
    take_char(&cursor, ' ');
    mapping.inode = take_number(&cursor, 10);
    if (cursor.failed || mapping.end <= mapping.start)
        return false;
    take_path(&cursor, &mapping);
    *ret = mapping;
    return true;
}

static struct error *append(struct maps *maps, const struct mapping *mapping)
{
    if (maps->count > 0 && mapping->start < maps->mappings[maps->count - 1].end)
        return NULL;
    if (maps->count >= MAPS_COUNT_LIMIT)
        return error_create(ERROR_BAD_DATA, "the target has more than %d mappings", MAPS_COUNT_LIMIT);
    if (!array_grow(&maps->mappings, maps->count, &maps->capacity, sizeof(*maps->mappings)))
        return error_no_memory();
    maps->mappings[maps->count++] = *mapping;
    return NULL;
}

static struct error *parse_lines(struct maps *maps, char *text)
{
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n"))) {
        struct mapping mapping;
        if (!parse_line(line, &mapping))
            continue;
        struct error *error = append(maps, &mapping);
        if (error)
            return error;
    }
    return NULL;
}

struct error *maps_init(struct maps *maps, const char *text, size_t len)
{
    *maps = (struct maps){.text = strndup(text, len)};
    if (!maps->text)
        return error_no_memory();
    struct error *error = parse_lines(maps, maps->text);
    if (error)
        maps_deinit(maps);
    return error;
}

void maps_deinit(struct maps *maps)
{
    free(maps->mappings);
    free(maps->text);
    *maps = (struct maps){0};
}

const struct mapping *maps_find(const struct maps *maps, remote_addr address)
{
    uint32_t low = 0, high = maps->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (maps->mappings[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < maps->count && maps->mappings[low].start <= address)
        return &maps->mappings[low];
    return NULL;
}

bool mapping_is_same_file(const struct mapping *a, const struct mapping *b)
{
    return a->inode == b->inode && a->inode != 0 && strcmp(a->path, b->path) == 0;
}

const struct mapping *maps_find_code(const struct maps *maps, const struct mapping *mapping)
{
    for (uint32_t i = 0; i < maps->count; i++) {
        if (maps->mappings[i].executable && mapping_is_same_file(&maps->mappings[i], mapping))
            return &maps->mappings[i];
    }
    return mapping;
}

const char *mapping_name(const struct mapping *mapping)
{
    const char *slash = strrchr(mapping->path, '/');
    return slash ? slash + 1 : mapping->path;
}
