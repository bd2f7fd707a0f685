/* SPDX-License-Identifier: MIT */
#include "module_name.h"

#include "base/cleanup.h"
#include "profile/native_file.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <string.h>

static const char frozen[] = "<frozen ";

/* Where the path goes on behind the last occurrence of a folder; NULL when it is not in the path. */
static const char *behind(const char *path, const char *folder)
{
    const char *found = NULL;
    for (const char *at = path; (at = strstr(at, folder)) != NULL; at += strlen(folder))
        found = at + strlen(folder);
    return found;
}

/* Behind "lib/python3.11/" and the like. */
static const char *behind_library(const char *path)
{
    const char *version = behind(path, "/lib/python");
    const char *slash = version ? strchr(version, '/') : NULL;
    return slash ? slash + 1 : NULL;
}

/* The path from the outermost package on. */
static const char *relative_path(const struct profile *profile, uint32_t file)
{
    size_t len;
    const char *path = profile_string(profile, profile_short_file(profile, file), &len);
    if (*path != '/')
        return path;
    const char *start = behind(path, "/site-packages/");
    if (!start)
        start = behind(path, "/dist-packages/");
    if (!start)
        start = behind_library(path);
    return start ? start : strrchr(path, '/') + 1;
}

/* The name of the folder that a path's last part is in; false when there is none. */
static bool find_folder(const char *path, size_t len, const char **ret, size_t *ret_len)
{
    const char *slash = memrchr(path, '/', len);
    if (!slash || slash == path)
        return false;
    const char *start = memrchr(path, '/', (size_t)(slash - path));
    *ret = start ? start + 1 : path;
    *ret_len = (size_t)(slash - *ret);
    return *ret_len > 0;
}

static bool cut_end(const char *text, size_t *len, const char *end)
{
    size_t end_len = strlen(end);
    if (*len <= end_len || memcmp(text + *len - end_len, end, end_len) != 0)
        return false;
    *len -= end_len;
    return true;
}

void module_name_append(struct buffer *out, const struct profile *profile, uint32_t file)
{
    static const char *const endings[] = {".py", ".pyc", ".pyo"};
    const char *text = relative_path(profile, file);
    size_t len = strlen(text);
    if (len > strlen(frozen) && strncmp(text, frozen, strlen(frozen)) == 0) {
        text += strlen(frozen);
        len -= strlen(frozen);
        cut_end(text, &len, ">");
    }
    for (size_t i = 0; i < array_size(endings) && !cut_end(text, &len, endings[i]); i++)
        continue;
    cut_end(text, &len, "/__init__");
    if (len == strlen("__init__") && memcmp(text, "__init__", len) == 0) {
        size_t path_len;
        const char *path = profile_string(profile, file, &path_len);
        find_folder(path, path_len, &text, &len);
    }
    if (len == 0)
        buffer_append_char(out, '?');
    for (size_t i = 0; i < len; i++)
        buffer_append_char(out, text[i] == '/' && *text != '<' ? '.' : text[i]);
}

/* The package folder that a path leads through, without what packagers append to it for libraries. */
static bool find_package(const char *path, const char **ret, size_t *ret_len)
{
    const char *start = behind(path, "/site-packages/");
    if (!start)
        start = behind(path, "/dist-packages/");
    const char *slash = start ? strchr(start, '/') : NULL;
    if (!slash || slash == start)
        return false;
    *ret = start;
    *ret_len = (size_t)(slash - start);
    cut_end(start, ret_len, ".libs");
    return true;
}

/* What comes before the ending: "_json" of "_json.cpython-311-x86_64-linux-gnu.so", "libpython3.11" of that with
 * ".so.1". */
static size_t bare_library_len(const char *name, size_t len)
{
    const char *ending = memmem(name, len, ".so", strlen(".so"));
    if (!ending || ending == name)
        return len;
    for (const char *dot = name + 1; dot < ending; dot++) {
        if (*dot == '.' && (dot[1] < '0' || dot[1] > '9'))
            return (size_t)(dot - name);
    }
    return (size_t)(ending - name);
}

void library_name_append(struct buffer *out, const struct profile *profile, uint32_t file)
{
    static const char python[] = "python";
    size_t len;
    const char *name;
    const char *path = profile_string(profile, file, &len);
    if (find_package(path, &name, &len)) {
        buffer_append(out, name, len);
        return;
    }
    if (native_file_is_source(path, len)) {
        buffer_append_text(out, native_file_is_python(path, len) ? python : "");
        return;
    }
    size_t base = native_file_base(path, len);
    buffer_append(out, path + base, bare_library_len(path + base, len - base));
}

size_t module_name_top(const char *name, size_t len)
{
    const char *dot = *name == '<' ? NULL : memchr(name, '.', len);
    return dot && dot > name ? (size_t)(dot - name) : len;
}
