/* SPDX-License-Identifier: MIT */
#include "value.h"

#include <inttypes.h>

/*
 * The C module datetime. CPython Include/datetime.h, the same in 2.7 and in 3.6 to 3.15: behind an object's head comes
 * its hash, and then (but in a time difference) whether it has a time zone, and bytes with the highest first.
 */
enum {
    HAS_ZONE = 8, /* from the end of the head */
    DATA = 9,
    DATE_LEN = 4, /* bytes: year, month, day */
    TIME_LEN = 6, /* hour, minute, second, microsecond */
    DATETIME_LEN = DATE_LEN + TIME_LEN,
    DATETIME_ZONE = 24,
    TIME_ZONE = 16,
    DELTA_DAYS = 8,
    ZONE_OFFSET = 0,
    ZONE_NAME = 8,
    WITHOUT_FOLD = 2, /* the major version that has none */
};

static unsigned year_of(const unsigned char *data)
{
    return (unsigned)data[0] << 8 | data[1];
}

static unsigned microsecond_of(const unsigned char *time)
{
    return (unsigned)time[3] << 16 | (unsigned)time[4] << 8 | time[5];
}

/* Hour and minute, and what of the rest is not 0. */
static void write_clock(struct values *values, const unsigned char *time)
{
    value_format(&values->text, "%u, %u", time[0], time[1]);
    if (time[2] != 0 || microsecond_of(time) != 0)
        value_format(&values->text, ", %u", time[2]);
    if (microsecond_of(time) != 0)
        value_format(&values->text, ", %u", microsecond_of(time));
}

/* The second of two equal times of one night, and the time zone. */
static void write_rest(struct values *values, unsigned char fold, bool has_zone, remote_addr zone)
{
    bool has_fold = values->layout->version >> 8 != WITHOUT_FOLD && fold != 0;
    value_append(&values->text, has_fold ? ", fold=1" : "");
    if (has_zone) {
        value_append(&values->text, ", tzinfo=");
        value_write(values, zone);
    }
    value_append(&values->text, ")");
}

void value_write_date(struct values *values, remote_addr object, const struct object_type *type)
{
    unsigned char data[DATE_LEN];
    if (memory_read(values->memory, value_body(values, object) + DATA, data, sizeof(data)) != MEMORY_OK) {
        value_write_unreadable(values);
        return;
    }
    value_format(&values->text, "%.*s(%u, %u, %u)", TYPE_NAME_LEN, type->name, year_of(data), data[2], data[3]);
}

void value_write_datetime(struct values *values, remote_addr object, const struct object_type *type)
{
    unsigned char head[DATETIME_ZONE];
    remote_addr zone = 0, body = value_body(values, object);
    const unsigned char *data = head + DATA;
    if (memory_read(values->memory, body, head, sizeof(head)) != MEMORY_OK ||
        (head[HAS_ZONE] && !value_word(values, body + DATETIME_ZONE, &zone))) {
        value_write_unreadable(values);
        return;
    }
    value_format(&values->text, "%.*s(%u, %u, %u, ", TYPE_NAME_LEN, type->name, year_of(data), data[2], data[3]);
    write_clock(values, data + DATE_LEN);
    write_rest(values, data[DATETIME_LEN], head[HAS_ZONE] != 0, zone);
}

void value_write_time(struct values *values, remote_addr object, const struct object_type *type)
{
    unsigned char head[TIME_ZONE];
    remote_addr zone = 0, body = value_body(values, object);
    const unsigned char *data = head + DATA;
    if (memory_read(values->memory, body, head, sizeof(head)) != MEMORY_OK ||
        (head[HAS_ZONE] && !value_word(values, body + TIME_ZONE, &zone))) {
        value_write_unreadable(values);
        return;
    }
    value_format(&values->text, "%.*s(", TYPE_NAME_LEN, type->name);
    write_clock(values, data);
    write_rest(values, data[TIME_LEN], head[HAS_ZONE] != 0, zone);
}

/* To 3.6, what is 0 at the end is left out. */
static void write_delta_places(struct values *values, const int32_t parts[3])
{
    value_format(&values->text, "%" PRId32, parts[0]);
    if (parts[1] != 0 || parts[2] != 0)
        value_format(&values->text, ", %" PRId32, parts[1]);
    if (parts[2] != 0)
        value_format(&values->text, ", %" PRId32, parts[2]);
}

static void write_delta_names(struct values *values, const int32_t parts[3])
{
    static const char *const names[] = {"days", "seconds", "microseconds"};
    bool is_first = true;
    for (int i = 0; i < 3; i++) {
        if (parts[i] == 0)
            continue;
        value_format(&values->text, "%s%s=%" PRId32, is_first ? "" : ", ", names[i], parts[i]);
        is_first = false;
    }
    value_append(&values->text, is_first ? "0" : "");
}

void value_write_time_delta(struct values *values, remote_addr object, const struct object_type *type)
{
    int32_t parts[3];
    if (memory_read(values->memory, value_body(values, object) + DELTA_DAYS, parts, sizeof(parts)) != MEMORY_OK) {
        value_write_unreadable(values);
        return;
    }
    value_format(&values->text, "%.*s(", TYPE_NAME_LEN, type->name);
    if (values->layout->repr_format >= REPR_3_7)
        write_delta_names(values, parts);
    else
        write_delta_places(values, parts);
    value_append(&values->text, ")");
}

static bool is_zero_delta(const struct values *values, remote_addr delta)
{
    int32_t parts[3];
    return memory_read(values->memory, value_body(values, delta) + DELTA_DAYS, parts, sizeof(parts)) == MEMORY_OK &&
           parts[0] == 0 && parts[1] == 0 && parts[2] == 0;
}

/* CPython 3.13 Modules/_datetimemodule.c: PyDateTime_TimeZone and timezone_repr(): UTC is one object without a name. */
void value_write_time_zone(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr body = value_body(values, object), offset, name;
    if (!value_word(values, body + ZONE_OFFSET, &offset) || !value_word(values, body + ZONE_NAME, &name)) {
        value_write_unreadable(values);
        return;
    }
    if (name == 0 && is_zero_delta(values, offset)) {
        value_append(&values->text, "datetime.timezone.utc");
        return;
    }
    value_format(&values->text, "%.*s(", TYPE_NAME_LEN, type->name);
    value_write(values, offset);
    if (name != 0) {
        value_append(&values->text, ", ");
        value_write(values, name);
    }
    value_append(&values->text, ")");
}
