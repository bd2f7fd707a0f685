/* SPDX-License-Identifier: MIT */
#include "sampler/dump_variables.h"

#include "base/cleanup.h"
#include "profile/process_dump.h"
#include "python/variables.h"
#include "python/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 3000, VARIABLE_LIMIT = 1 << 19, BYTE_LIMIT = 1 << 26 };

static struct python_frame frames[FRAMES];
static struct python_variable found[PYTHON_VARIABLE_LIMIT];
static uint32_t found_count;
static uint32_t reads;

/* Stand-ins for the room below. */
struct error *python_variables_create(const struct python *python, uint32_t text_limit, struct python_variables **ret)
{
    (void)python;
    (void)text_limit;
    *ret = (struct python_variables *)frames;
    return NULL;
}

void python_variables_destroy(struct python_variables *variables)
{
    (void)variables;
}

const struct python_variable *python_variables_read(struct python_variables *variables, struct memory *memory,
                                                    const struct python_frame *frame, uint32_t *ret_count)
{
    (void)variables;
    (void)memory;
    (void)frame;
    reads++;
    *ret_count = found_count;
    return found;
}

const struct python_frame *python_frames(const struct python *python)
{
    (void)python;
    return frames;
}

static void find(uint32_t count, const char *value, size_t len)
{
    found_count = count;
    for (uint32_t i = 0; i < count; i++)
        found[i] = (struct python_variable){.name = "n", .name_len = 1, .value = value, .value_len = len};
}

static void read_frames(struct dump_variables *variables, uint32_t count)
{
    const struct python_thread thread = {.frame_count = count};
    dump_variables_begin(variables);
    reads = 0;
    dump_variables_read(variables, NULL, NULL, &thread);
}

/* How many frames have variables, which are taken. */
static uint32_t take_all(struct dump_variables *variables)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < FRAMES; i++) {
        struct dump_frame frame = {0};
        dump_variables_take(variables, i, false, &frame);
        count += frame.variables != NULL;
        for (uint32_t j = 0; j < frame.variable_count; j++) {
            free(frame.variables[j].name.bytes);
            free(frame.variables[j].value.bytes);
        }
        free(frame.variables);
    }
    return count;
}

static void each_frame_gets_its_own_once(void **state)
{
    cleanup_dump_variables struct dump_variables variables;
    struct dump_frame frame = {0}, again = {0};
    (void)state;
    assert_null(dump_variables_init(&variables, NULL, 128));
    find(2, "'text'", 6);
    read_frames(&variables, 3);
    dump_variables_take(&variables, 1, true, &frame);
    assert_int_equal(frame.variable_count, 2);
    assert_string_equal(frame.variables[1].value.bytes, "'text'");
    assert_true(frame.variables[1].is_unsteady);
    dump_variables_take(&variables, 1, true, &again);
    assert_null(again.variables);
    for (uint32_t i = 0; i < frame.variable_count; i++) {
        free(frame.variables[i].name.bytes);
        free(frame.variables[i].value.bytes);
    }
    free(frame.variables);
    /* Nobody asked for the others; they are not those of the next sample. */
    dump_variables_begin(&variables);
    assert_int_equal(take_all(&variables), 0);
}

/* Who reads a core file takes one sample only. */
static void the_first_sample_needs_no_beginning(void **state)
{
    cleanup_dump_variables struct dump_variables variables;
    const struct python_thread thread = {.frame_count = 3};
    (void)state;
    assert_null(dump_variables_init(&variables, NULL, 128));
    find(2, "1", 1);
    dump_variables_read(&variables, NULL, NULL, &thread);
    assert_int_equal(take_all(&variables), 3);
}

static void nothing_is_read_that_nobody_asked_for(void **state)
{
    cleanup_dump_variables struct dump_variables variables;
    (void)state;
    assert_null(dump_variables_init(&variables, NULL, 0));
    find(2, "1", 1);
    read_frames(&variables, 3);
    assert_int_equal(reads, 0);
    assert_int_equal(take_all(&variables), 0);
}

static void all_variables_together_have_a_limit(void **state)
{
    cleanup_dump_variables struct dump_variables variables;
    (void)state;
    assert_null(dump_variables_init(&variables, NULL, 128));
    find(PYTHON_VARIABLE_LIMIT, "1", 1);
    read_frames(&variables, FRAMES);
    assert_false(variables.failed);
    uint32_t most = VARIABLE_LIMIT / PYTHON_VARIABLE_LIMIT / 2;
    assert_int_equal(reads, most + 1);
    assert_int_equal(take_all(&variables), most);
    /* Each thread may take half of what the others have left, in whichever sample they were read. */
    read_frames(&variables, FRAMES);
    assert_int_equal(take_all(&variables), most / 2);
    find(1, "1", 1);
    read_frames(&variables, FRAMES);
    assert_int_equal(take_all(&variables), FRAMES);
}

static void so_have_their_texts(void **state)
{
    cleanup_dump_variables struct dump_variables variables;
    cleanup_free char *value = calloc(PYTHON_VALUE_LIMIT, 1);
    (void)state;
    assert_non_null(value);
    assert_null(dump_variables_init(&variables, NULL, PYTHON_VALUE_LIMIT));
    find(1, value, PYTHON_VALUE_LIMIT - 1);
    read_frames(&variables, FRAMES);
    assert_int_equal(take_all(&variables), BYTE_LIMIT / PYTHON_VALUE_LIMIT / 2);
    assert_int_equal(reads, BYTE_LIMIT / PYTHON_VALUE_LIMIT / 2 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_frame_gets_its_own_once),
        cmocka_unit_test(the_first_sample_needs_no_beginning),
        cmocka_unit_test(nothing_is_read_that_nobody_asked_for),
        cmocka_unit_test(all_variables_together_have_a_limit),
        cmocka_unit_test(so_have_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
