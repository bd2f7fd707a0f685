/* SPDX-License-Identifier: MIT */
/*
 * Objects of the target as repr() would write them, without calling anything of it. Whatever an object is, what is
 * read and written of it has limits: of characters, of depth, and of objects that are looked at.
 *
 * value.c goes through objects; each kind is written in the file that it belongs to.
 */
#ifndef PYTHON_VALUE_H
#define PYTHON_VALUE_H

#include "base/buffer.h"
#include "layout.h"
#include "memory/memory.h"
#include "object_type.h"
#include "value_text.h"

#include <stdbool.h>
#include <stdint.h>

struct dict_reader;

enum {
    VALUE_DEPTH_LIMIT = 32,    /* of containers in containers */
    VALUE_STEP_LIMIT = 100000, /* objects, or STEP_ENTRIES empty entries of tables, that are looked at for one value, */
    VALUE_TOTAL_LIMIT = 1000000, /* and for all of a sample */
    VALUE_READ_LIMIT = 200000,   /* reads of the target itself in a sample: half a second, where each takes 2.5 us */
    VALUE_LOOKUP_STEPS = 128,    /* what a look-up in a class counts for */
    VALUE_STEP_ENTRIES = 32,
};

/* One value that is being written, and what is known from others. */
struct values {
    const struct layout *layout;
    struct memory *memory;
    struct value_text text;
    struct object_types types;
    struct buffer scratch; /* a text that is being read */
    uint32_t steps_left, total_left;
    uint64_t first_read; /* memory.remote_reads when the sample began */
    uint32_t depth, open_count;
    remote_addr open[2 * VALUE_DEPTH_LIMIT]; /* the containers around what is being written */
    bool is_attribute;                       /* what is being written is part of an object's attributes */
};

/* `layout` must outlive the values. */
void values_init(struct values *values, const struct layout *layout);
void values_deinit(struct values *values);

/* Nothing is known of the target's memory any more. */
void values_begin_sample(struct values *values, struct memory *memory);

/* Appends a value to the buffer; at most `limit` characters. */
void values_write(struct values *values, remote_addr object, uint32_t limit, struct buffer *out);

/* --- for the files that write kinds of values ------------------------------------------------------------------ */

/* Writes an object into the current text. */
void value_write(struct values *values, remote_addr object);

/* Whether there is no use in going on in this sample: a limit of all values is reached. Counts steps. */
bool values_are_over(struct values *values, uint32_t steps);

/* What an object is whose type cannot be read, or NULL. */
const struct object_type *value_type(struct values *values, remote_addr object);

/* Instead of what cannot be read. */
void value_write_unreadable(struct values *values);

/* Goes into a container. False when it is being written already, further out: then a placeholder is all there is. */
bool value_enter(struct values *values, remote_addr container, const char *placeholder);
void value_leave(struct values *values);

/* Whether there is no use in going on: the text is full, or the limit of steps is reached. Counts steps. */
bool value_is_over(struct values *values, uint64_t steps);

static inline bool value_word(const struct values *values, remote_addr address, uint64_t *ret)
{
    return memory_read_u64(values->memory, address, ret) == MEMORY_OK;
}

/* The address behind an object's head, and behind its number of items. */
static inline remote_addr value_body(const struct values *values, remote_addr object)
{
    return object + values->layout->object.var_size;
}

/* Writes "<module.Type object at 0x7f0012345678>". */
void value_write_plain(struct values *values, remote_addr object, const struct object_type *type);

/* One writer for each kind, but for objects that are only their attributes. */
typedef void (*value_writer)(struct values *values, remote_addr object, const struct object_type *type);

/* value_scalar.c */
void value_write_bool(struct values *values, remote_addr object, const struct object_type *type);
void value_write_int(struct values *values, remote_addr object, const struct object_type *type);
void value_write_float(struct values *values, remote_addr object, const struct object_type *type);
void value_write_complex(struct values *values, remote_addr object, const struct object_type *type);
void value_write_complex_parts(struct values *values, double real, double imaginary, bool is_single);
void value_write_str(struct values *values, remote_addr object, const struct object_type *type);
void value_write_bytes(struct values *values, remote_addr object, const struct object_type *type);
void value_write_byte_array(struct values *values, remote_addr object, const struct object_type *type);

/* Whether an object is True. */
bool value_is_true(struct values *values, remote_addr object);

/* Writes a str without quotes; false, and nothing is written, when it is none. */
bool value_write_name(struct values *values, remote_addr text);

/* value_container.c */
void value_write_list(struct values *values, remote_addr object, const struct object_type *type);
void value_write_tuple(struct values *values, remote_addr object, const struct object_type *type);
void value_write_dict(struct values *values, remote_addr object, const struct object_type *type);
void value_write_frozen_dict(struct values *values, remote_addr object, const struct object_type *type);
void value_write_ordered_dict(struct values *values, remote_addr object, const struct object_type *type);
void value_write_default_dict(struct values *values, remote_addr object, const struct object_type *type);
void value_write_set(struct values *values, remote_addr object, const struct object_type *type);
void value_write_deque(struct values *values, remote_addr object, const struct object_type *type);
void value_write_range(struct values *values, remote_addr object, const struct object_type *type);
void value_write_range_2(struct values *values, remote_addr object, const struct object_type *type);
void value_write_slice(struct values *values, remote_addr object, const struct object_type *type);

/* The number of items of a list or tuple, and where the first of them is. */
bool value_open_list(struct values *values, remote_addr list, remote_addr *ret_items, uint64_t *ret_count);
bool value_open_tuple(struct values *values, remote_addr tuple, remote_addr *ret_items, uint64_t *ret_count);

/* value_code.c */
void value_write_class(struct values *values, remote_addr object, const struct object_type *type);
void value_write_class_2(struct values *values, remote_addr object, const struct object_type *type);
void value_write_class_name_2(struct values *values, remote_addr class);
void value_write_function(struct values *values, remote_addr object, const struct object_type *type);
void value_write_builtin(struct values *values, remote_addr object, const struct object_type *type);
void value_write_method(struct values *values, remote_addr object, const struct object_type *type);
void value_write_module(struct values *values, remote_addr object, const struct object_type *type);
void value_write_code(struct values *values, remote_addr object, const struct object_type *type);
void value_write_generator(struct values *values, remote_addr object, const struct object_type *type);
void value_write_exception(struct values *values, remote_addr object, const struct object_type *type);

/* value_time.c */
void value_write_date(struct values *values, remote_addr object, const struct object_type *type);
void value_write_datetime(struct values *values, remote_addr object, const struct object_type *type);
void value_write_time(struct values *values, remote_addr object, const struct object_type *type);
void value_write_time_delta(struct values *values, remote_addr object, const struct object_type *type);
void value_write_time_zone(struct values *values, remote_addr object, const struct object_type *type);

/* value_array.c */
void value_write_array(struct values *values, remote_addr object, const struct object_type *type);
void value_write_array_scalar(struct values *values, remote_addr object, const struct object_type *type);

/* value_instance.c */

/* Writes an enum's member, a data class or a named tuple, as their classes would. False: it is none of them. */
bool value_write_known_class(struct values *values, remote_addr object, const struct object_type *type);

/* Writes "a=1, b=2", those in slots first, and `separator` before them. False: there are none. */
bool value_write_attributes(struct values *values, remote_addr object, const struct object_type *type,
                            const char *separator);
void value_write_instance_2(struct values *values, remote_addr object, const struct object_type *type);

#endif
