/* SPDX-License-Identifier: MIT */
/* What the file says, field by field; tests/integration/test_pprof.py asks google's pprof. */
#include "base/buffer.h"
#include "pprof.pb-c.h"
#include "profile/losses.h"
#include "profile_builder.h"
#include "recording_in_memory.h"

#include <zlib.h>

enum { UNPACKED_LIMIT = 1 << 20 };

/* Unpacks a file. */
static Pprof__Profile *unpack(const char *packed, size_t len)
{
    z_stream inflater = {.next_in = (Bytef *)packed, .avail_in = (uInt)len};
    cleanup_free uint8_t *bytes = malloc(UNPACKED_LIMIT);
    assert_int_equal(inflateInit2(&inflater, MAX_WBITS + 16), Z_OK);
    inflater.next_out = bytes;
    inflater.avail_out = UNPACKED_LIMIT;
    assert_int_equal(inflate(&inflater, Z_FINISH), Z_STREAM_END);
    Pprof__Profile *message = pprof__profile__unpack(NULL, inflater.total_out, bytes);
    assert_non_null(message);
    inflateEnd(&inflater);
    return message;
}

static Pprof__Profile *write_file(const struct profile *profile, const struct sample *samples, uint32_t count)
{
    size_t len;
    cleanup_recording_file struct recording_file *file = build_recording(profile, samples, count);
    cleanup_free char *packed = build_output(file, "pprof", &(struct format_options){0}, &len);
    return unpack(packed, len);
}

static const char *text(const Pprof__Profile *message, int64_t string)
{
    assert_in_range(string, 0, message->n_string_table - 1);
    return message->string_table[string];
}

static const char *function_name(const Pprof__Profile *message, uint64_t location)
{
    const Pprof__Location *seen = message->location[location - 1];
    assert_int_equal(seen->id, location);
    assert_int_equal(seen->n_line, 1);
    return text(message, message->function[seen->line[0]->function_id - 1]->name);
}

/* "leaf<caller<root", and behind that the labels. */
static void check_sample(const Pprof__Profile *message, size_t index, const char *expected)
{
    cleanup_buffer struct buffer found = {0};
    const Pprof__Sample *sample = message->sample[index];
    for (size_t i = 0; i < sample->n_location_id; i++)
        buffer_format(&found, "%s%s", i > 0 ? "<" : "", function_name(message, sample->location_id[i]));
    for (size_t i = 0; i < sample->n_label; i++) {
        const Pprof__Label *label = sample->label[i];
        if (label->num != 0)
            buffer_format(&found, " %s=%lld", text(message, label->key), (long long)label->num);
        else
            buffer_format(&found, " %s='%s'", text(message, label->key), text(message, label->str));
    }
    assert_string_equal(buffer_text(&found), expected);
}

static void check_values(const Pprof__Sample *sample, int64_t samples, int64_t cpu, int64_t wall)
{
    assert_int_equal(sample->n_value, 3);
    assert_int_equal(sample->value[0], samples);
    assert_int_equal(sample->value[1], cpu);
    assert_int_equal(sample->value[2], wall);
}

static uint32_t add_frame(struct profile *profile, uint32_t parent, const char *name, int32_t line, int32_t first_line)
{
    const struct profile_frame frame = {
        .kind = FRAME_PYTHON,
        .name = build_string(profile, name),
        .file = build_string(profile, "/lib/pkg/a.py"),
        .line = line,
        .first_line = first_line,
    };
    profile_set_short_file(profile, frame.file, build_string(profile, "pkg/a.py"));
    return profile_child(profile, parent, profile_intern_frame(profile, &frame));
}

static struct profile *create_profile(void)
{
    struct profile *profile;
    assert_null(profile_create("app", "python app.py", &profile));
    *profile_info(profile) = (struct profile_info){
        .title = profile_info(profile)->title,
        .selection = PROFILE_NONE,
        .interval_ns = 1000,
        .start_unix_ns = 5000000000,
        .duration_ns = 77000,
    };
    const struct profile_process process = {.pid = 10,
                                            .command_line = build_string(profile, "python app.py"),
                                            .python_version = build_string(profile, "3.12.1")};
    const struct profile_thread main_thread = {.os_id = 10, .name = build_string(profile, "MainThread")};
    const struct profile_thread other = {.id = 0x7f12, .name = PROFILE_NONE};
    profile_add_process(profile, &process);
    profile_add_thread(profile, &main_thread);
    profile_add_thread(profile, &other);
    return profile;
}

static void stacks_are_samples_with_labels(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = create_profile();
    uint32_t main_node = add_frame(profile, PROFILE_ROOT, "main", 3, 1);
    uint32_t work = add_frame(profile, main_node, "work", 8, 7), again = add_frame(profile, main_node, "work", 9, 7);
    const struct sample samples[] = {
        {.time_ns = 0, .thread = 0, .node = work, .weight = 3, .states = SAMPLE_ACTIVE},
        {.time_ns = 1, .thread = 0, .node = again, .weight = 1, .states = SAMPLE_ACTIVE | SAMPLE_HAS_GIL},
        {.time_ns = 2, .thread = 0, .node = work, .weight = 2, .states = SAMPLE_GIL_WAIT},
        {.time_ns = 3, .thread = 1, .node = main_node, .weight = 4},
        {.time_ns = 4, .thread = 1, .node = PROFILE_ROOT, .weight = 5},
    };
    Pprof__Profile *message = write_file(profile, samples, array_size(samples));
    assert_int_equal(message->n_sample, 4);
    check_sample(message, 0,
                 "work<main thread='MainThread' thread_id=10 pid=10 process='python app.py' python='3.12.1'");
    check_values(message->sample[0], 5, 3000, 5000);
    check_sample(message, 1,
                 "work<main thread='MainThread' thread_id=10 pid=10 process='python app.py' python='3.12.1'");
    check_values(message->sample[1], 1, 1000, 1000);
    check_sample(message, 2, " thread_ident=32530 pid=10 process='python app.py' python='3.12.1'");
    check_values(message->sample[2], 5, 0, 5000);
    check_sample(message, 3, "main thread_ident=32530 pid=10 process='python app.py' python='3.12.1'");
    check_values(message->sample[3], 4, 0, 4000);
    pprof__profile__free_unpacked(message, NULL);
}

/* One function has two locations, and both are in the folder that its package is in. */
static void tables_are_numbered_in_order(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = create_profile();
    uint32_t main_node = add_frame(profile, PROFILE_ROOT, "main", 3, 1);
    const struct sample samples[] = {
        {.node = add_frame(profile, main_node, "work", 8, 7), .weight = 1},
        {.node = add_frame(profile, main_node, "work", 9, 7), .weight = 1},
        {.node = add_frame(profile, main_node, "work", 9, 6), .weight = 1},
    };
    Pprof__Profile *message = write_file(profile, samples, array_size(samples));
    assert_int_equal(message->n_function, 3);
    assert_int_equal(message->n_location, 4);
    assert_int_equal(message->n_mapping, 2);
    for (size_t i = 0; i < message->n_function; i++) {
        assert_int_equal(message->function[i]->id, i + 1);
        assert_int_equal(message->function[i]->system_name, 0);
        assert_string_equal(text(message, message->function[i]->filename), "/lib/pkg/a.py");
    }
    for (size_t i = 0; i < message->n_location; i++) {
        assert_int_equal(message->location[i]->id, i + 1);
        assert_int_equal(message->location[i]->mapping_id, 2);
    }
    assert_string_equal(text(message, message->mapping[0]->filename), "app");
    assert_string_equal(text(message, message->mapping[1]->filename), "/lib/");
    for (size_t i = 0; i < message->n_mapping; i++)
        assert_true(message->mapping[i]->id == i + 1 && message->mapping[i]->has_functions &&
                    message->mapping[i]->has_filenames && message->mapping[i]->has_line_numbers);
    const Pprof__Location *first = message->location[0], *second = message->location[2];
    assert_int_equal(first->line[0]->line, 8);
    assert_int_equal(second->line[0]->line, 9);
    assert_int_equal(first->line[0]->function_id, second->line[0]->function_id);
    assert_int_equal(message->function[first->line[0]->function_id - 1]->start_line, 7);
    pprof__profile__free_unpacked(message, NULL);
}

static void the_head_says_what_is_counted(void **state)
{
    (void)state;
    static const char *const types[][2] = {{"samples", "count"}, {"cpu", "nanoseconds"}, {"wall", "nanoseconds"}};
    static const char *const comments[] = {"command: python app.py",
                                           "intervals: 0 ok, 0 idle, 0 torn, 0 unreadable, 0 missed", "lost 3: things"};
    cleanup_profile struct profile *profile = create_profile();
    profile_set_loss(profile, "things", 6, 3);
    const struct sample sample = {.node = add_frame(profile, PROFILE_ROOT, "main", 3, 1), .weight = 1};
    Pprof__Profile *message = write_file(profile, &sample, 1);
    assert_int_equal(message->n_sample_type, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(text(message, message->sample_type[i]->type), types[i][0]);
        assert_string_equal(text(message, message->sample_type[i]->unit), types[i][1]);
    }
    assert_string_equal(text(message, message->default_sample_type), "wall");
    assert_string_equal(text(message, message->period_type->type), "wall");
    assert_string_equal(text(message, message->period_type->unit), "nanoseconds");
    assert_int_equal(message->period, 1000);
    assert_int_equal(message->time_nanos, 5000000000);
    assert_int_equal(message->duration_nanos, 77000);
    assert_int_equal(message->n_comment, array_size(comments));
    for (size_t i = 0; i < array_size(comments); i++)
        assert_string_equal(text(message, message->comment[i]), comments[i]);
    pprof__profile__free_unpacked(message, NULL);
}

/* Whether a text is UTF-8, as iconv sees it from afar: by its own rules, not ours. */
static bool is_utf8(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;
    while (*at) {
        size_t more = *at < 0x80 ? 0 : *at >= 0xc2 && *at <= 0xdf ? 1 : *at >= 0xe0 && *at <= 0xef ? 2 : 3;
        if (*at >= 0x80 && (*at < 0xc2 || *at > 0xf4))
            return false;
        bool is_wrong = (*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
                        (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f);
        if (is_wrong)
            return false;
        for (at++; more > 0; more--, at++) {
            if ((*at & 0xc0) != 0x80)
                return false;
        }
    }
    return true;
}

static void hostile_names_are_harmless_text(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } names[] = {
        {"\xff\xfe", 2},         {"a\0b", 3},         {"\x1b[2J", 4},  {"\xed\xa0\x80", 3}, {"\xc0\x80", 2}, {"", 0},
        {"\xf4\x90\x80\x80", 4}, {"\xe2\x80\xae", 3}, {"\xe2\x82", 2}, {"\n", 1},
    };
    cleanup_profile struct profile *profile = create_profile();
    struct sample samples[array_size(names)];
    for (uint32_t i = 0; i < array_size(names); i++) {
        uint32_t frame = build_frame_bytes(profile, names[i].bytes, names[i].len, names[i].bytes, (int32_t)i);
        samples[i] = (struct sample){.node = profile_child(profile, PROFILE_ROOT, frame), .weight = 1};
    }
    Pprof__Profile *message = write_file(profile, samples, array_size(samples));
    assert_int_equal(message->n_sample, array_size(names));
    assert_string_equal(message->string_table[0], "");
    for (size_t i = 0; i < message->n_string_table; i++) {
        assert_true(is_utf8(message->string_table[i]));
        assert_null(strpbrk(message->string_table[i], "\x1b\n"));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(message->string_table[i], message->string_table[j]);
    }
    assert_string_equal(function_name(message, 1), "\\xff\\xfe");
    assert_string_equal(function_name(message, 2), "a\\x00b");
    assert_string_equal(function_name(message, 6), "(no name)");
    pprof__profile__free_unpacked(message, NULL);
}

static void times_are_cut_at_the_largest_number(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = create_profile();
    profile_info(profile)->interval_ns = UINT64_C(1) << 62;
    const struct sample sample = {.node = add_frame(profile, PROFILE_ROOT, "main", 3, 1), .weight = UINT32_MAX};
    Pprof__Profile *message = write_file(profile, &sample, 1);
    check_values(message->sample[0], UINT32_MAX, 0, INT64_MAX);
    pprof__profile__free_unpacked(message, NULL);
}

static uint32_t add_native(struct profile *profile, uint32_t parent, const char *name, const char *file, int32_t line)
{
    const struct profile_frame frame = {.kind = file ? FRAME_NATIVE : FRAME_KERNEL,
                                        .name = build_string(profile, name),
                                        .file = file ? build_string(profile, file) : PROFILE_NONE,
                                        .line = line};
    return profile_child(profile, parent, profile_intern_frame(profile, &frame));
}

static void check_location(const Pprof__Profile *message, size_t index, const char *name, const char *mapping,
                           const char *file, int64_t line)
{
    const Pprof__Location *location = message->location[index];
    const Pprof__Function *function = message->function[location->line[0]->function_id - 1];
    assert_string_equal(text(message, function->name), name);
    assert_string_equal(text(message, function->filename), file);
    assert_int_equal(location->line[0]->line, line);
    if (*mapping)
        assert_string_equal(text(message, message->mapping[location->mapping_id - 1]->filename), mapping);
    else
        assert_int_equal(location->mapping_id, 0);
}

/* A function without a source is told by its library; two libraries have one of the same name. */
static void libraries_are_mappings(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = create_profile();
    uint32_t node = add_native(profile, PROFILE_ROOT, "step", "/src/fast.c", 12);
    uint32_t other = add_native(profile, node, "read", "/lib/libpthread.so.0", 0);
    uint32_t call = add_native(profile, node, "read", "/lib/libc.so.6", 0);
    const struct sample samples[] = {
        {.node = other, .weight = 1},
        {.node = add_native(profile, call, "read", NULL, 0), .weight = 1},
    };
    Pprof__Profile *message = write_file(profile, samples, array_size(samples));
    assert_int_equal(message->n_location, 4);
    check_location(message, 0, "read", "/lib/libpthread.so.0", "", 0);
    check_location(message, 1, "step", "", "/src/fast.c", 12);
    check_location(message, 2, "read (kernel)", "[kernel]", "", 0);
    check_location(message, 3, "read", "/lib/libc.so.6", "", 0);
    assert_int_equal(message->n_mapping, 4);
    assert_string_equal(text(message, message->mapping[0]->filename), "app");
    pprof__profile__free_unpacked(message, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_are_samples_with_labels),  cmocka_unit_test(tables_are_numbered_in_order),
        cmocka_unit_test(libraries_are_mappings),          cmocka_unit_test(the_head_says_what_is_counted),
        cmocka_unit_test(hostile_names_are_harmless_text), cmocka_unit_test(times_are_cut_at_the_largest_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
