/* SPDX-License-Identifier: MIT */
#include "value.h"

#include "read.h"

#include <inttypes.h>

static void write_none(struct values *values, remote_addr object, const struct object_type *type)
{
    (void)object;
    (void)type;
    value_append(&values->text, "None");
}

static void write_ellipsis(struct values *values, remote_addr object, const struct object_type *type)
{
    (void)object;
    (void)type;
    value_append(&values->text, "Ellipsis");
}

static void write_not_implemented(struct values *values, remote_addr object, const struct object_type *type)
{
    (void)object;
    (void)type;
    value_append(&values->text, "NotImplemented");
}

static const value_writer writers[VALUE_KIND_COUNT] = {
    [VALUE_NONE] = write_none,
    [VALUE_ELLIPSIS] = write_ellipsis,
    [VALUE_NOT_IMPLEMENTED] = write_not_implemented,
    [VALUE_BOOL] = value_write_bool,
    [VALUE_INT] = value_write_int,
    [VALUE_INT_2] = value_write_int,
    [VALUE_LONG_2] = value_write_int,
    [VALUE_FLOAT] = value_write_float,
    [VALUE_COMPLEX] = value_write_complex,
    [VALUE_STR] = value_write_str,
    [VALUE_UNICODE_2] = value_write_str,
    [VALUE_BYTES] = value_write_bytes,
    [VALUE_BYTES_2] = value_write_bytes,
    [VALUE_BYTE_ARRAY] = value_write_byte_array,
    [VALUE_LIST] = value_write_list,
    [VALUE_TUPLE] = value_write_tuple,
    [VALUE_DICT] = value_write_dict,
    [VALUE_FROZEN_DICT] = value_write_frozen_dict,
    [VALUE_DEFAULT_DICT] = value_write_default_dict,
    [VALUE_ORDERED_DICT] = value_write_ordered_dict,
    [VALUE_SET] = value_write_set,
    [VALUE_FROZEN_SET] = value_write_set,
    [VALUE_DEQUE] = value_write_deque,
    [VALUE_RANGE] = value_write_range,
    [VALUE_RANGE_2] = value_write_range_2,
    [VALUE_SLICE] = value_write_slice,
    [VALUE_CLASS] = value_write_class,
    [VALUE_CLASS_2] = value_write_class_2,
    [VALUE_INSTANCE_2] = value_write_instance_2,
    [VALUE_FUNCTION] = value_write_function,
    [VALUE_BUILTIN] = value_write_builtin,
    [VALUE_METHOD] = value_write_method,
    [VALUE_MODULE] = value_write_module,
    [VALUE_CODE] = value_write_code,
    [VALUE_GENERATOR] = value_write_generator,
    [VALUE_CELL] = value_write_plain,
    [VALUE_EXCEPTION] = value_write_exception,
    [VALUE_DATE] = value_write_date,
    [VALUE_DATETIME] = value_write_datetime,
    [VALUE_TIME] = value_write_time,
    [VALUE_TIME_DELTA] = value_write_time_delta,
    [VALUE_TIME_ZONE] = value_write_time_zone,
    [VALUE_ARRAY] = value_write_array,
    [VALUE_ARRAY_SCALAR] = value_write_array_scalar,
};

void values_init(struct values *values, const struct layout *layout)
{
    *values = (struct values){.layout = layout};
}

void values_deinit(struct values *values)
{
    object_types_deinit(&values->types);
    buffer_deinit(&values->scratch);
}

void values_begin_sample(struct values *values, struct memory *memory)
{
    object_types_clear(&values->types);
    values->memory = memory;
    values->total_left = VALUE_TOTAL_LIMIT;
    values->first_read = memory->remote_reads;
}

const struct object_type *value_type(struct values *values, remote_addr object)
{
    remote_addr type;
    if (!value_word(values, object + values->layout->object.type, &type))
        return NULL;
    return object_types_find(&values->types, values->layout, values->memory, type);
}

void value_write_unreadable(struct values *values)
{
    value_append(&values->text, "<unreadable>");
}

bool values_are_over(struct values *values, uint32_t steps)
{
    uint64_t reads = values->memory->remote_reads - values->first_read;
    if (steps > values->total_left || reads > VALUE_READ_LIMIT)
        return true;
    values->total_left -= steps;
    return false;
}

bool value_is_over(struct values *values, uint64_t steps)
{
    if (steps > values->steps_left || values_are_over(values, (uint32_t)steps)) {
        values->text.is_full = true;
        return true;
    }
    values->steps_left -= (uint32_t)steps;
    return values->text.is_full;
}

bool value_enter(struct values *values, remote_addr container, const char *placeholder)
{
    bool is_open = values->open_count >= sizeof(values->open) / sizeof(values->open[0]);
    for (uint32_t i = 0; i < values->open_count && !is_open; i++)
        is_open = values->open[i] == container;
    if (is_open) {
        value_append(&values->text, placeholder);
        return false;
    }
    values->open[values->open_count++] = container;
    return true;
}

void value_leave(struct values *values)
{
    values->open_count--;
}

void value_write_plain(struct values *values, remote_addr object, const struct object_type *type)
{
    value_append(&values->text, "<");
    value_append(&values->text, type->full_name);
    value_format(&values->text, " object at %#" PRIx64 ">", object);
}

/* What Python would only say the class and the address of is shown with its attributes, one level of them. */
static void write_object(struct values *values, remote_addr object, const struct object_type *type)
{
    if (values->is_attribute) {
        value_write_plain(values, object, type);
        return;
    }
    value_append(&values->text, "<");
    value_append(&values->text, type->full_name);
    if (value_write_attributes(values, object, type, " "))
        value_append(&values->text, ">");
    else
        value_format(&values->text, " object at %#" PRIx64 ">", object);
}

/* A class with a repr() of its own shows what its base's would have said, and its attributes. */
static void write_derived(struct values *values, remote_addr object, const struct object_type *type)
{
    value_append(&values->text, "<");
    value_append(&values->text, type->full_name);
    value_append(&values->text, " ");
    writers[type->kind](values, object, type);
    if (!values->is_attribute)
        value_write_attributes(values, object, type, ", ");
    value_append(&values->text, ">");
}

static void write_typed(struct values *values, remote_addr object, const struct object_type *type)
{
    bool is_own = type->has_own_repr && type->kind != VALUE_CLASS;
    if (is_own && value_write_known_class(values, object, type))
        return;
    if (type->kind == VALUE_OBJECT)
        write_object(values, object, type);
    else if (is_own)
        write_derived(values, object, type);
    else
        writers[type->kind](values, object, type);
}

void value_write(struct values *values, remote_addr object)
{
    if (value_is_over(values, 1))
        return;
    if (values->depth >= VALUE_DEPTH_LIMIT) {
        value_append(&values->text, "...");
        return;
    }
    if (object == 0) {
        value_append(&values->text, "<NULL>");
        return;
    }
    const struct object_type *type = value_type(values, object);
    values->depth++;
    if (type)
        write_typed(values, object, type);
    else
        value_write_unreadable(values);
    values->depth--;
}

void values_write(struct values *values, remote_addr object, uint32_t limit, struct buffer *out)
{
    /* No type is in use now, so that it does no harm to forget them all. */
    if (values->types.count >= TYPE_COUNT_LIMIT)
        object_types_clear(&values->types);
    values->text = value_text_begin(out, limit);
    values->steps_left = VALUE_STEP_LIMIT;
    values->depth = values->open_count = 0;
    values->is_attribute = false;
    value_write(values, object);
    value_text_end(&values->text);
}
