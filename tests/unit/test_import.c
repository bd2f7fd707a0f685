/* SPDX-License-Identifier: MIT */
#include "formats/import.h"

#include "base/buffer.h"
#include "formats/imported.h"
#include "pprof.pb-c.h"
#include "profile/losses.h"
#include "profile_builder.h"
#include "recording_in_memory.h"

#include <unistd.h>
#include <zlib.h>

static const struct profile_detail everything = {.with_threads = true, .with_processes = true};
static const struct profile_detail frames_only = {0};

static int file_of(const void *bytes, size_t len)
{
    int fd = build_file();
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* Imports bytes; *ret is set when that succeeds. */
static struct error *import_bytes(const void *bytes, size_t len, const struct import_limits *limits,
                                  struct buffer *notes, struct recording_file **ret)
{
    cleanup_fd int in = file_of(bytes, len);
    cleanup_fd int recording = build_file();
    struct error *error = import_within(in, "some file", recording, limits, notes);
    if (error)
        return error;
    assert_null(recording_file_open(dup(recording), "test", ret));
    assert_true(recording_file_is_finished(*ret));
    assert_int_equal(recording_file_lost_bytes(*ret), 0);
    return NULL;
}

static struct recording_file *import_good(const void *bytes, size_t len, struct buffer *notes)
{
    struct recording_file *file = NULL;
    struct error *error = import_bytes(bytes, len, &import_limits, notes, &file);
    if (error)
        fail_msg("%s", error->sentence);
    return file;
}

static void check_raw(struct recording_file *file, const struct profile_detail *detail, const char *expected)
{
    size_t len;
    cleanup_free char *text = build_output(file, "raw", &(struct format_options){.detail = *detail}, &len);
    assert_string_equal(text, expected);
}

/* Compares what comes of collapsed stacks when they are written as such again. */
static void check(const char *stacks, const struct profile_detail *detail, const char *expected)
{
    cleanup_buffer struct buffer notes = {0};
    cleanup_recording_file struct recording_file *file = import_good(stacks, strlen(stacks), &notes);
    check_raw(file, detail, expected);
}

static void check_refused(const void *bytes, size_t len, const struct import_limits *limits, const char *part)
{
    cleanup_buffer struct buffer notes = {0};
    struct recording_file *file = NULL;
    cleanup_error struct error *error = import_bytes(bytes, len, limits, &notes, &file);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
    if (!strstr(error->sentence, part))
        fail_msg("'%s' has no '%s'", error->sentence, part);
}

static void check_text_refused(const char *text, const char *part)
{
    check_refused(text, strlen(text), &import_limits, part);
}

/* --- collapsed stacks --- */

static void our_own_stacks_come_back(void **state)
{
    (void)state;
    static const char *const files[] = {
        "app.py;<module> (a.py:3);f (pkg/b.py:4) 12\napp.py;<module> (a.py:9) 1\n",
        "app.py;process 12: python a.py;thread (12): MainThread;f (a.py:3) 5\n"
        "app.py;process 12: python a.py;thread (13): w;<GC> 7\n"
        "app.py;process_14;thread (0x7f): MainThread;f (a.py:3) 5\n",
        "app.py;app.py 3\napp.py;f (a.py:1) 2\n",
        "all;main;f 3\n",
        "all;f (a.py);g (no place) 3\n",
    };
    check(files[0], &frames_only, files[0]);
    check(files[1], &everything, files[1]);
    check(files[2], &frames_only, files[2]);
    check(files[3], &frames_only, files[3]);
    check(files[4], &frames_only, files[4]);
}

static void first_frames_of_others_are_frames(void **state)
{
    (void)state;
    check("main;f 3\nmain;g 4\n", &frames_only, "all;main;f 3\nall;main;g 4\n");
    check("main 3\n", &frames_only, "all;main 3\n");
    check("a;f (a.py:1) 3\nb;f (a.py:1) 4\n", &frames_only, "all;a;f (a.py:1) 3\nall;b;f (a.py:1) 4\n");
    check("f (a.py:1);g (a.py:2) 3\n", &frames_only, "all;f (a.py:1);g (a.py:2) 3\n");
}

static void py_spys_stacks_are_understood(void **state)
{
    (void)state;
    static const char stacks[] = "process 12:\"python a.py\";thread (0x7F12): MainThread;<module> (a.py:3) 10\n"
                                 "process 12:\"python a.py\";process 13:\"python b.py\";thread (0x7F13);f (b.py:1) 4\n";
    check(stacks, &frames_only, "all;<module> (a.py:3) 10\nall;f (b.py:1) 4\n");
    check(stacks, &everything,
          "all;process 12: python a.py;thread (0x7f12): MainThread;<module> (a.py:3) 10\n"
          "all;process 13: python b.py;thread (0x7f13);f (b.py:1) 4\n");
}

static void austins_stacks_are_understood(void **state)
{
    (void)state;
    static const char stacks[] = "# austin: 3.7.0\n# interval: 100\nP12;T0:13;/x/a.py:<module>:3;/x/a.py:f:7 2500\n"
                                 "P12;T0:13;/x/a.py:<module>:3 500\n# duration: 3000\n";
    cleanup_buffer struct buffer notes = {0};
    cleanup_recording_file struct recording_file *file = import_good(stacks, strlen(stacks), &notes);
    assert_string_equal(buffer_text(&notes), "");
    assert_int_equal(profile_get_info(recording_file_profile(file))->interval_ns, 1000);
    assert_int_equal(profile_get_info(recording_file_profile(file))->duration_ns, 3000000);
    check_raw(file, &everything,
              "all;process_12;thread (13);<module> (/x/a.py:3) 500\n"
              "all;process_12;thread (13);<module> (/x/a.py:3);f (/x/a.py:7) 2500\n");
    check("P12;T13;f 3\nP12;g 1\n", &frames_only, "all;P12;T13;f 3\nall;P12;g 1\n");
}

static void lines_that_are_no_stacks_are_counted(void **state)
{
    (void)state;
    static const char stacks[] = "# a comment 12\n\r\nf;g 3\r\nno count\nf;g 1.5\n;; 7\nh 4";
    cleanup_buffer struct buffer notes = {0};
    cleanup_recording_file struct recording_file *file = import_good(stacks, strlen(stacks), &notes);
    check_raw(file, &frames_only, "all;f;g 3\nall;h 4\n");
    assert_non_null(
        strstr(buffer_text(&notes), "3 of the lines of some file are no stacks and were left out, from line 4"));
    assert_non_null(strstr(buffer_text(&notes), "as if it were 10 ms"));
}

static void what_is_no_stacks_is_refused(void **state)
{
    (void)state;
    check_text_refused("", "is empty");
    check_text_refused("# only comments\n", "has no stacks");
    check_text_refused("\n\nroot:x:0:0\n", "line 3 is no collapsed stack");
    check_text_refused("{\"a\": 1}\n", "line 1 is no collapsed stack");
    check_text_refused("f 18446744073709551615\n", "larger counts");
    check_text_refused("f 18446744073709551615\ng 1\n", "larger counts");
    check_text_refused("f\x01 3\n", "nothing that can be read");
}

static void names_can_be_anything(void **state)
{
    (void)state;
    check("a\xff;b\xe2\x80\xae (c\xed\xa0\x80.py:1) 3\n", &frames_only, "a\\xff;b\\u{202e} (c\\ud800.py:1) 3\n");
    check("f (a.py:99999999999) 3\n", &frames_only, "all;f (a.py:99999999999) 3\n");
    check(";;f;;g; 3\n", &frames_only, "all;f;g 3\n");
}

static struct error *note_sample(void *context, const struct sample *sample)
{
    buffer_format(context, "%u %llu+%u %u\n", sample->thread, (unsigned long long)(sample->time_ns / 10000000),
                  sample->weight, sample->states);
    return NULL;
}

static void samples_of_a_thread_follow_one_another(void **state)
{
    (void)state;
    static const char stacks[] =
        "r;thread (1): a;f (a.py:1) 3\nr;thread (2): b;f (a.py:1) 5\nr;thread (1): a;g (a.py:2) 2\n";
    cleanup_buffer struct buffer notes = {0}, found = {0};
    cleanup_recording_file struct recording_file *file = import_good(stacks, strlen(stacks), &notes);
    assert_null(recording_file_each_sample(file, note_sample, &found));
    assert_string_equal(buffer_text(&found), "0 2+3 17\n1 4+5 17\n0 4+2 17\n");
    const struct profile_info *info = profile_get_info(recording_file_profile(file));
    assert_int_equal(info->duration_ns, 50000000);
    assert_int_equal(info->intervals.ok, 5);
}

/* Counts above 32 bits take several samples. */
static void large_counts_stay_whole(void **state)
{
    (void)state;
    check("f 12884901888\n", &frames_only, "all;f 12884901888\n");
    check("f 4000000000000000\n", &frames_only, "all;f 4000000000000000\n");
}

/* --- limits --- */

static void sizes_are_limited(void **state)
{
    (void)state;
    static const char stacks[] = "a;b;c 1\na;b;d 1\n";
    struct import_limits limits = import_limits;
    limits.text_len = sizeof(stacks) - 2;
    check_refused(stacks, sizeof(stacks) - 1, &limits, "too large");
    limits = import_limits;
    limits.nodes = 4;
    check_refused(stacks, sizeof(stacks) - 1, &limits, "more different stacks");
    limits = import_limits;
    limits.frames = 3;
    check_refused(stacks, sizeof(stacks) - 1, &limits, "more frames");
    limits = import_limits;
    limits.samples = 1;
    check_refused(stacks, sizeof(stacks) - 1, &limits, "larger counts");
}

static void long_lines_are_refused(void **state)
{
    (void)state;
    cleanup_buffer struct buffer line = {0};
    buffer_append_text(&line, "a 1\n");
    char *rest = buffer_reserve(&line, 17 << 20);
    assert_non_null(rest);
    memset(rest, 'x', 17 << 20);
    line.len += 17 << 20;
    check_refused(line.data, line.len, &import_limits, "line 2 of some file is longer");
}

/* --- gzip --- */

static void pack(struct buffer *out, const void *bytes, size_t len)
{
    z_stream deflater = {.next_in = (Bytef *)bytes, .avail_in = (uInt)len};
    assert_int_equal(deflateInit2(&deflater, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    uLong limit = deflateBound(&deflater, len);
    deflater.next_out = (Bytef *)buffer_reserve(out, limit);
    deflater.avail_out = (uInt)limit;
    assert_int_equal(deflate(&deflater, Z_FINISH), Z_STREAM_END);
    out->len += deflater.total_out;
    deflateEnd(&deflater);
}

static void packed_files_are_unpacked(void **state)
{
    (void)state;
    cleanup_buffer struct buffer packed = {0}, notes = {0};
    pack(&packed, "f;g 3\n", 6);
    pack(&packed, "f;h 4\n", 6); /* files can be put together */
    cleanup_recording_file struct recording_file *file = import_good(packed.data, packed.len, &notes);
    check_raw(file, &frames_only, "all;f;g 3\nall;f;h 4\n");
}

static void a_packed_recording_is_copied(void **state)
{
    (void)state;
    enum { LEN = 200000 }; /* several pieces */
    cleanup_free char *bytes = malloc(LEN), *copy = malloc(LEN + 1);
    cleanup_buffer struct buffer packed = {0}, notes = {0};
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (char)(i * i % 251);
    memcpy(bytes, "\x93pyspyc\n\x02\0\0\0", 12);
    pack(&packed, bytes, LEN);
    cleanup_fd int in = file_of(packed.data, packed.len), recording = build_file();
    assert_null(import_within(in, "some file", recording, &import_limits, &notes));
    assert_int_equal(pread(recording, copy, LEN + 1, 0), LEN);
    assert_memory_equal(copy, bytes, LEN);
    cleanup_fd int cut = file_of(packed.data, packed.len - 9), other = build_file();
    cleanup_error struct error *error = import_within(cut, "some file", other, &import_limits, &notes);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
}

static void damaged_packing_is_refused(void **state)
{
    (void)state;
    cleanup_buffer struct buffer packed = {0};
    pack(&packed, "f;g 3\nf;h 12\nf;i 11112\n", 23);
    for (size_t len = 3; len < packed.len; len++) /* less looks like text that is not packed */
        check_refused(packed.data, len, &import_limits, "");
    check_refused(packed.data, packed.len - 1, &import_limits, "its end is missing");
    packed.data[packed.len - 5] ^= 1; /* the checksum */
    check_refused(packed.data, packed.len, &import_limits, "it is damaged");
}

static void what_unpacks_without_end_is_refused(void **state)
{
    (void)state;
    cleanup_buffer struct buffer packed = {0};
    cleanup_free char *zeros = calloc(1, 8 << 20);
    struct import_limits limits = import_limits;
    limits.pprof_len = 1 << 20;
    pack(&packed, zeros, 8 << 20);
    assert_true(packed.len < 10000);
    check_refused(packed.data, packed.len, &limits, "too large");
    memset(zeros, '\n', 8 << 20);
    limits.text_len = 1 << 20;
    packed.len = 0;
    pack(&packed, zeros, 8 << 20);
    check_refused(packed.data, packed.len, &limits, "too large");
}

/* --- pprof files --- */

/* A file of one sample, in pieces that tests change. Strings: see below. */
struct parts {
    Pprof__Profile profile;
    Pprof__ValueType types[3];
    Pprof__Sample samples[2];
    Pprof__Label labels[6];
    Pprof__Location locations[2];
    Pprof__Line lines[3];
    Pprof__Function functions[2];
    Pprof__ValueType *type_pointers[3];
    Pprof__Sample *sample_pointers[2];
    Pprof__Label *label_pointers[6];
    Pprof__Location *location_pointers[2];
    Pprof__Line *line_pointers[3];
    Pprof__Function *function_pointers[2];
    uint64_t stack[2];
    int64_t values[2][3];
};

enum { NOTHING, OUTER, INNER, FILE_NAME, SAMPLES, COUNT, CPU, WALL, NS, US, THREAD, THREAD_ID, PID, WORKER, NUMBER };
static const char *const strings[] = {"",       "outer",     "inner", "a.py",        "samples",
                                      "count",  "cpu",       "wall",  "nanoseconds", "us",
                                      "thread", "thread_id", "pid",   "wörker",      "42"};

/* Two locations, outer() at line 3 and in the other one inner() at line 7 that outer() of line 4 has taken in. */
static void init_tables(struct parts *parts)
{
    for (int i = 0; i < 2; i++) {
        pprof__location__init(&parts->locations[i]);
        pprof__function__init(&parts->functions[i]);
        parts->locations[i].id = 100 + i;
        parts->functions[i].id = UINT64_MAX - i;
        parts->functions[i].name = OUTER + i;
        parts->functions[i].filename = FILE_NAME;
        parts->location_pointers[i] = &parts->locations[i];
        parts->function_pointers[i] = &parts->functions[i];
    }
    for (int i = 0; i < 3; i++) {
        pprof__line__init(&parts->lines[i]);
        parts->lines[i].line = (int64_t[]){3, 7, 4}[i];
        parts->lines[i].function_id = UINT64_MAX - (i == 1);
        parts->line_pointers[i] = &parts->lines[i];
    }
    parts->locations[0].n_line = 1;
    parts->locations[0].line = &parts->line_pointers[0];
    parts->locations[1].n_line = 2;
    parts->locations[1].line = &parts->line_pointers[1];
}

static void init_samples(struct parts *parts)
{
    parts->stack[0] = 101;
    parts->stack[1] = 100;
    for (int i = 0; i < 2; i++) {
        pprof__sample__init(&parts->samples[i]);
        parts->samples[i].n_location_id = 2 - i;
        parts->samples[i].location_id = &parts->stack[i];
        parts->samples[i].n_value = 1;
        parts->samples[i].value = parts->values[i];
        parts->sample_pointers[i] = &parts->samples[i];
    }
    for (int i = 0; i < 6; i++) {
        pprof__label__init(&parts->labels[i]);
        parts->label_pointers[i] = &parts->labels[i];
    }
    for (int i = 0; i < 3; i++) {
        pprof__value_type__init(&parts->types[i]);
        parts->type_pointers[i] = &parts->types[i];
    }
}

static void parts_init(struct parts *parts)
{
    memset(parts, 0, sizeof(*parts));
    init_tables(parts);
    init_samples(parts);
    pprof__profile__init(&parts->profile);
    parts->types[0].type = SAMPLES;
    parts->types[0].unit = COUNT;
    parts->values[0][0] = 5;
    parts->values[1][0] = 2;
    parts->profile.n_string_table = array_size(strings);
    parts->profile.string_table = (char **)strings; /* which is only read */
    parts->profile.n_sample_type = 1;
    parts->profile.sample_type = parts->type_pointers;
    parts->profile.n_sample = 2;
    parts->profile.sample = parts->sample_pointers;
    parts->profile.n_location = 2;
    parts->profile.location = parts->location_pointers;
    parts->profile.n_function = 2;
    parts->profile.function = parts->function_pointers;
}

/* Times instead of counts: {cpu, wall} in a unit. */
static void set_times(struct parts *parts, int64_t unit, const int64_t values[2][2])
{
    for (int i = 0; i < 2; i++) {
        parts->types[i].type = CPU + i;
        parts->types[i].unit = unit;
        parts->samples[i].n_value = 2;
        for (int j = 0; j < 2; j++)
            parts->values[i][j] = values[i][j];
    }
    parts->profile.n_sample_type = 2;
}

static void parts_pack(const struct parts *parts, struct buffer *out)
{
    size_t len = pprof__profile__get_packed_size(&parts->profile);
    out->len = pprof__profile__pack(&parts->profile, (uint8_t *)buffer_reserve(out, len));
}

static struct recording_file *import_parts(const struct parts *parts, struct buffer *notes)
{
    cleanup_buffer struct buffer bytes = {0};
    parts_pack(parts, &bytes);
    return import_good(bytes.data, bytes.len, notes);
}

static void check_parts(const struct parts *parts, const struct profile_detail *detail, uint64_t interval_ns,
                        const char *expected)
{
    cleanup_buffer struct buffer notes = {0};
    cleanup_recording_file struct recording_file *file = import_parts(parts, &notes);
    assert_int_equal(profile_get_info(recording_file_profile(file))->interval_ns, interval_ns);
    check_raw(file, detail, expected);
}

static void check_parts_refused(const struct parts *parts, const struct import_limits *limits, const char *part)
{
    cleanup_buffer struct buffer bytes = {0};
    parts_pack(parts, &bytes);
    check_refused(bytes.data, bytes.len, limits, part);
}

static void counts_become_samples(void **state)
{
    (void)state;
    struct parts parts;
    parts_init(&parts);
    check_parts(&parts, &frames_only, 10000000,
                "all;outer (a.py:3) 2\nall;outer (a.py:3);outer (a.py:4);inner (a.py:7) 5\n");
    Pprof__ValueType period = PPROF__VALUE_TYPE__INIT;
    period.unit = US;
    parts.profile.period_type = &period;
    parts.profile.period = 30;
    check_parts(&parts, &frames_only, 30000,
                "all;outer (a.py:3) 2\nall;outer (a.py:3);outer (a.py:4);inner (a.py:7) 5\n");
}

static struct error *count_states(void *context, const struct sample *sample)
{
    uint64_t *weights = context;
    weights[sample->states & SAMPLE_ACTIVE] += sample->weight;
    return NULL;
}

static void times_are_told_in_intervals(void **state)
{
    (void)state;
    struct parts parts;
    uint64_t weights[2] = {0};
    cleanup_buffer struct buffer notes = {0};
    Pprof__ValueType period = PPROF__VALUE_TYPE__INIT;
    parts_init(&parts);
    set_times(&parts, US, (const int64_t[2][2]){{400, 600}, {0, 200}});
    check_parts(&parts, &frames_only, 200000,
                "all;outer (a.py:3) 1\nall;outer (a.py:3);outer (a.py:4);inner (a.py:7) 3\n");
    cleanup_recording_file struct recording_file *file = import_parts(&parts, &notes);
    assert_null(recording_file_each_sample(file, count_states, weights));
    assert_int_equal(weights[0], 2);
    assert_int_equal(weights[1], 2);
    assert_string_equal(buffer_text(&notes), "");
    period.unit = NS;
    parts.profile.period_type = &period;
    parts.profile.period = 100000;
    check_parts(&parts, &frames_only, 100000,
                "all;outer (a.py:3) 2\nall;outer (a.py:3);outer (a.py:4);inner (a.py:7) 6\n");
    parts.profile.period = 300000; /* which 200 us are no multiple of */
    check_parts(&parts, &frames_only, 200000,
                "all;outer (a.py:3) 1\nall;outer (a.py:3);outer (a.py:4);inner (a.py:7) 3\n");
}

static void labels_tell_threads_and_processes(void **state)
{
    (void)state;
    struct parts parts;
    parts_init(&parts);
    const int64_t labels[][3] = {{THREAD, WORKER, 0}, {THREAD_ID, NUMBER, 0}, {PID, 0, 7}, {FILE_NAME, OUTER, 0}};
    for (size_t i = 0; i < array_size(labels); i++) {
        parts.labels[i].key = labels[i][0];
        parts.labels[i].str = labels[i][1];
        parts.labels[i].num = labels[i][2];
    }
    parts.samples[0].n_label = array_size(labels);
    parts.samples[0].label = parts.label_pointers;
    check_parts(&parts, &everything, 10000000,
                "all;process;thread;outer (a.py:3) 2\n"
                "all;process_7;thread (42): wörker;outer (a.py:3);outer (a.py:4);inner (a.py:7) 5\n");
}

static void what_has_no_name_is_an_address(void **state)
{
    (void)state;
    struct parts parts;
    parts_init(&parts);
    parts.locations[0].n_line = 0;
    parts.locations[0].address = 0x7f12;
    parts.functions[1].name = 0;
    parts.functions[1].system_name = WORKER;
    check_parts(&parts, &frames_only, 10000000, "all;0x7f12 2\nall;0x7f12;outer (a.py:4);wörker (a.py:7) 5\n");
}

static void files_that_do_not_hold_together_are_refused(void **state)
{
    (void)state;
    struct parts parts;
    parts_init(&parts);
    parts.profile.n_sample_type = 0;
    check_parts_refused(&parts, &import_limits, "does not say what its samples count");
    parts_init(&parts);
    parts.samples[1].n_value = 0;
    check_parts_refused(&parts, &import_limits, "not as many values");
    parts_init(&parts);
    parts.samples[1].n_value = 3;
    check_parts_refused(&parts, &import_limits, "not as many values");
    parts_init(&parts);
    parts.stack[0] = 7;
    check_parts_refused(&parts, &import_limits, "a location that is not there");
    parts_init(&parts);
    parts.lines[1].function_id = 7;
    check_parts_refused(&parts, &import_limits, "a function that is not there");
    parts_init(&parts);
    parts.locations[1].id = parts.locations[0].id;
    check_parts_refused(&parts, &import_limits, "an id twice");
    parts_init(&parts);
    parts.functions[1].id = parts.functions[0].id;
    check_parts_refused(&parts, &import_limits, "an id twice");
}

static void numbers_of_no_string_are_refused(void **state)
{
    (void)state;
    static const int64_t wrong[] = {array_size(strings), INT64_MAX, -1, INT64_MIN};
    for (size_t i = 0; i < array_size(wrong); i++) {
        struct parts parts;
        parts_init(&parts);
        parts.functions[0].name = wrong[i];
        check_parts_refused(&parts, &import_limits, "not all strings");
        parts_init(&parts);
        parts.functions[0].filename = wrong[i];
        check_parts_refused(&parts, &import_limits, "not all strings");
        parts_init(&parts);
        parts.samples[0].n_label = 1;
        parts.samples[0].label = parts.label_pointers;
        parts.labels[0].key = wrong[i];
        check_parts_refused(&parts, &import_limits, "not all strings");
        parts_init(&parts);
        parts.profile.default_sample_type = wrong[i];
        check_parts_refused(&parts, &import_limits, "not all strings");
    }
}

static void values_can_be_anything(void **state)
{
    (void)state;
    struct parts parts;
    cleanup_buffer struct buffer notes = {0};
    parts_init(&parts);
    parts.values[0][0] = INT64_MIN;
    cleanup_recording_file struct recording_file *file = import_parts(&parts, &notes);
    check_raw(file, &frames_only, "all;outer (a.py:3) 2\n");
    assert_non_null(strstr(buffer_text(&notes), "a negative value, which were left out: 1"));
    parts.values[0][0] = INT64_MAX;
    check_parts_refused(&parts, &import_limits, "larger");
    parts_init(&parts);
    set_times(&parts, US, (const int64_t[2][2]){{0, INT64_MAX}, {0, 1}});
    check_parts_refused(&parts, &import_limits, "larger times");
    set_times(&parts, NS, (const int64_t[2][2]){{INT64_MAX, INT64_MAX}, {INT64_MAX, INT64_MAX}});
    check_parts_refused(&parts, &import_limits, "larger");
    set_times(&parts, NS, (const int64_t[2][2]){{INT64_MAX, 0}, {-1, 0}}); /* no time at all */
    check_parts(&parts, &frames_only, 10000000, "");
    parts_init(&parts);
    parts.lines[0].line = INT64_MIN;
    parts.lines[1].line = INT64_MAX;
    check_parts(&parts, &frames_only, 10000000, "all;outer (a.py) 2\nall;outer (a.py);outer (a.py:4);inner (a.py) 5\n");
}

static void what_a_pprof_file_makes_us_do_is_limited(void **state)
{
    (void)state;
    struct parts parts;
    struct import_limits limits = import_limits;
    parts_init(&parts);
    limits.memory = 1000;
    check_parts_refused(&parts, &limits, "more memory");
    limits = import_limits;
    limits.frames = 3;
    check_parts_refused(&parts, &limits, "more frames");
    limits = import_limits;
    limits.nodes = 3;
    check_parts_refused(&parts, &limits, "more different stacks");
    limits = import_limits;
    limits.samples = 6;
    check_parts_refused(&parts, &limits, "larger counts");
    limits = import_limits;
    limits.pprof_len = 10;
    check_parts_refused(&parts, &limits, "too large");
}

static void check_survived(const void *bytes, size_t len)
{
    cleanup_buffer struct buffer notes = {0};
    cleanup_recording_file struct recording_file *file = NULL;
    cleanup_error struct error *error = import_bytes(bytes, len, &import_limits, &notes, &file);
    assert_true((error == NULL) == (file != NULL));
}

/* Whatever is wrong with a file, the result is a recording or an error. */
static void broken_files_do_no_harm(void **state)
{
    (void)state;
    struct parts parts;
    cleanup_buffer struct buffer bytes = {0};
    parts_init(&parts);
    set_times(&parts, US, (const int64_t[2][2]){{400, 600}, {0, 200}});
    parts.samples[0].n_label = 1;
    parts.samples[0].label = parts.label_pointers;
    parts.labels[0].key = PID;
    parts.labels[0].num = 7;
    parts_pack(&parts, &bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        check_survived(bytes.data, i);
        static const unsigned char changes[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x80, 0xff};
        for (size_t j = 0; j < array_size(changes); j++) {
            bytes.data[i] ^= (char)changes[j];
            check_survived(bytes.data, bytes.len);
            bytes.data[i] ^= (char)changes[j];
        }
    }
}

/* --- there and back --- */

static uint32_t add_frame(struct profile *profile, uint32_t parent, const char *name, const char *file, int32_t line)
{
    const struct profile_frame frame = {
        .kind = file ? FRAME_PYTHON : FRAME_MARK,
        .name = build_string(profile, name),
        .file = build_string(profile, file),
        .line = line,
        .first_line = file ? 1 : 0,
    };
    if (file && strncmp(file, "/lib/", 5) == 0)
        profile_set_short_file(profile, frame.file, build_string(profile, file + 5));
    return profile_child(profile, parent, profile_intern_frame(profile, &frame));
}

static uint32_t add_native(struct profile *profile, uint32_t parent, const char *name, const char *file,
                           const char *short_file, int32_t line)
{
    const struct profile_frame frame = {
        .kind = FRAME_NATIVE, .name = build_string(profile, name), .file = build_string(profile, file), .line = line};
    profile_set_short_file(profile, frame.file, build_string(profile, short_file));
    return profile_child(profile, parent, profile_intern_frame(profile, &frame));
}

static struct recording_file *build_example(void)
{
    cleanup_profile struct profile *profile = NULL;
    assert_null(profile_create("app", "python app.py", &profile));
    struct profile_info *info = profile_info(profile);
    info->interval_ns = 3000;
    info->start_unix_ns = 5000000000;
    info->duration_ns = 77000;
    info->intervals = (struct profile_intervals){.ok = 11, .torn = 3};
    profile_set_loss(profile, "things", 6, 3);
    const struct profile_process process = {
        .pid = 10, .command_line = build_string(profile, "app.py"), .python_version = build_string(profile, "3.12.1")};
    const struct profile_thread main_thread = {
        .os_id = 10, .name = build_string(profile, "MainThread"), .is_main = true};
    const struct profile_thread other = {.os_id = 11, .name = PROFILE_NONE};
    profile_add_process(profile, &process);
    profile_add_thread(profile, &main_thread);
    profile_add_thread(profile, &other);
    uint32_t main_node = add_frame(profile, PROFILE_ROOT, "<module>", "/home/a.py", 3);
    uint32_t load = add_frame(profile, main_node, "load", "/lib/json/b.py", 7);
    uint32_t fast = add_native(profile, load, "step", "/src/pkg/fast.c", "pkg/fast.c", 12);
    uint32_t call = add_native(profile, fast, "read", "/usr/lib/libc.so.6", "libc.so.6", 0);
    uint32_t other_call = add_native(profile, fast, "read", "/usr/lib/libpthread.so.0", "libpthread.so.0", 0);
    const struct profile_frame kernel = {
        .kind = FRAME_KERNEL, .name = build_string(profile, "read"), .file = PROFILE_NONE};
    uint32_t system_call = profile_child(profile, call, profile_intern_frame(profile, &kernel));
    const struct sample samples[] = {
        {.thread = 0, .node = fast, .weight = 1, .states = SAMPLE_ACTIVE},
        {.thread = 0, .node = system_call, .weight = 3, .states = SAMPLE_ACTIVE},
        {.thread = 0, .node = other_call, .weight = 2, .states = SAMPLE_ACTIVE},
        {.thread = 0, .node = load, .weight = 4, .states = SAMPLE_ACTIVE},
        {.thread = 0, .node = add_frame(profile, load, "<GC>", NULL, 0), .weight = 2, .states = SAMPLE_ACTIVE},
        {.thread = 1, .node = main_node, .weight = 5},
        {.thread = 1, .node = PROFILE_ROOT, .weight = 1},
    };
    return build_recording(profile, samples, array_size(samples));
}

/* Compares what a format makes of both. */
static void check_same(struct recording_file *first, struct recording_file *second, const char *format)
{
    const struct format_options all[] = {
        {.detail = everything},
        {.detail = {.lines = PROFILE_FUNCTION_LINE}},
        {.full_filenames = true},
    };
    for (size_t i = 0; i < array_size(all); i++) {
        size_t first_len, second_len;
        cleanup_free char *first_text = build_output(first, format, &all[i], &first_len);
        cleanup_free char *second_text = build_output(second, format, &all[i], &second_len);
        assert_int_equal(first_len, second_len);
        assert_memory_equal(first_text, second_text, first_len);
    }
}

static void recordings_come_back_from_pprof(void **state)
{
    (void)state;
    size_t len;
    cleanup_buffer struct buffer notes = {0};
    cleanup_recording_file struct recording_file *before = build_example();
    cleanup_free char *packed = build_output(before, "pprof", &(struct format_options){0}, &len);
    cleanup_recording_file struct recording_file *after = import_good(packed, len, &notes);
    assert_string_equal(buffer_text(&notes), "");
    check_same(before, after, "raw");
    check_same(before, after, "flamegraph");
    check_same(before, after, "pprof");
    const struct profile *profile = recording_file_profile(after);
    const struct profile_info *info = profile_get_info(profile);
    assert_int_equal(info->start_unix_ns, 5000000000);
    assert_int_equal(info->intervals.torn, 3);
    uint32_t count;
    assert_true(profile_threads(profile, &count)[0].is_main);
    assert_false(profile_threads(profile, &count)[1].is_main);
    assert_int_equal(profile_losses(profile, &count)[0].count, 3);
}

static void native_stacks_come_back(void **state)
{
    (void)state;
    static const char stacks[] = "all;<module> (a.py:3);list_sort (python3.11) 12\n"
                                 "all;<module> (a.py:3);load (b.pyx:7);read (libc.so.6);read (kernel) 5\n";
    cleanup_buffer struct buffer notes = {0};
    cleanup_recording_file struct recording_file *file = import_good(stacks, strlen(stacks), &notes);
    check_raw(file, &frames_only, stacks);
    const struct profile *profile = recording_file_profile(file);
    static const enum frame_kind kinds[] = {FRAME_PYTHON, FRAME_NATIVE, FRAME_NATIVE, FRAME_NATIVE, FRAME_KERNEL};
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    assert_int_equal(count, 1 + array_size(kinds));
    for (uint32_t i = 1; i < count; i++)
        assert_int_equal(profile_frame(profile, nodes[i].frame)->kind, kinds[i - 1]);
    check("read (kernel);f 3\n", &frames_only, "all;read (kernel);f 3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_stacks_come_back),
        cmocka_unit_test(native_stacks_come_back),
        cmocka_unit_test(first_frames_of_others_are_frames),
        cmocka_unit_test(py_spys_stacks_are_understood),
        cmocka_unit_test(austins_stacks_are_understood),
        cmocka_unit_test(lines_that_are_no_stacks_are_counted),
        cmocka_unit_test(what_is_no_stacks_is_refused),
        cmocka_unit_test(names_can_be_anything),
        cmocka_unit_test(samples_of_a_thread_follow_one_another),
        cmocka_unit_test(large_counts_stay_whole),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(long_lines_are_refused),
        cmocka_unit_test(packed_files_are_unpacked),
        cmocka_unit_test(a_packed_recording_is_copied),
        cmocka_unit_test(damaged_packing_is_refused),
        cmocka_unit_test(what_unpacks_without_end_is_refused),
        cmocka_unit_test(counts_become_samples),
        cmocka_unit_test(times_are_told_in_intervals),
        cmocka_unit_test(labels_tell_threads_and_processes),
        cmocka_unit_test(what_has_no_name_is_an_address),
        cmocka_unit_test(files_that_do_not_hold_together_are_refused),
        cmocka_unit_test(numbers_of_no_string_are_refused),
        cmocka_unit_test(values_can_be_anything),
        cmocka_unit_test(what_a_pprof_file_makes_us_do_is_limited),
        cmocka_unit_test(broken_files_do_no_harm),
        cmocka_unit_test(recordings_come_back_from_pprof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
