/* SPDX-License-Identifier: MIT */
#include "remote.h"

#include <string.h>

/* A stack does not go on for more bytes than that behind its copied part; what does is no address of a stack. */
static const uint64_t beyond_limit = 1 << 30;

/* libunwind exports it, but has no header for it. */
int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *, int, void *);

bool remote_read_stack(struct remote *remote, remote_addr address, uint64_t *ret)
{
    uint64_t at = address - remote->stack_start;
    if (at < remote->stack_len && remote->stack_len - at >= sizeof(*ret)) {
        memcpy(ret, remote->stack + at, sizeof(*ret));
        return true;
    }
    if (at < remote->stack_len + beyond_limit)
        remote->is_beyond = true;
    return false;
}

/*
 * While rules are made, only what was checked is to be read. libunwind also follows the pointer to a function that
 * handles exceptions, which it has no use for, and may have a zero.
 */
static int access_mem(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int is_write, void *argument)
{
    (void)space;
    struct remote *remote = argument;
    if (is_write || remote->reads_left == 0)
        return -UNW_EUNSPEC;
    remote->reads_left--;
    if (remote->entry && unwind_entry_word(remote->entry, address, value))
        return 0;
    if (remote->described) {
        *value = 0;
        return 0;
    }
    if (remote_read_stack(remote, address, value))
        return 0;
    const struct native_module *module = modules_find(remote->modules, address);
    return module && page_cache_read(remote->cache, module, address, value, sizeof(*value)) ? 0 : -UNW_EUNSPEC;
}

/* libunwind's numbers of registers are those of DWARF. */
static int access_reg(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int is_write, void *argument)
{
    (void)space;
    const struct remote *remote = argument;
    if (is_write || number < 0 || number >= REGISTER_COUNT || !(remote->known >> number & 1))
        return -UNW_EBADREG;
    *value = remote->registers[number];
    return 0;
}

/* Hands libunwind a search table with one row, that of the entry. */
static int find_proc_info(unw_addr_space_t space, unw_word_t pc, unw_proc_info_t *info, int is_needed, void *argument)
{
    const struct remote *remote = argument;
    const struct native_module *module = remote->described;
    if (!module || pc < module->start || pc >= module->end)
        return -UNW_ENOINFO;
    unw_dyn_info_t table = {
        .start_ip = module->start,
        .end_ip = module->end,
        .format = UNW_INFO_FORMAT_REMOTE_TABLE,
        .u.rti.segbase = remote->entry->table,
        .u.rti.table_data = remote->entry->parts[UNWIND_ROW].address,
        .u.rti.table_len = remote->entry->parts[UNWIND_ROW].len / sizeof(unw_word_t),
    };
    int status = UNW_OBJ(dwarf_search_unwind_table)(space, pc, &table, info, is_needed, argument);
    return status >= 0 && !info->unwind_info ? -UNW_ENOINFO : status;
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *argument)
{
    (void)space;
    (void)info;
    (void)argument;
}

static int get_dyn_info_list_addr(unw_addr_space_t space, unw_word_t *address, void *argument)
{
    (void)space;
    (void)address;
    (void)argument;
    return -UNW_ENOINFO;
}

static int access_fpreg(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value, int is_write, void *argument)
{
    (void)space;
    (void)number;
    (void)value;
    (void)is_write;
    (void)argument;
    return -UNW_EBADREG;
}

static int resume(unw_addr_space_t space, unw_cursor_t *cursor, void *argument)
{
    (void)space;
    (void)cursor;
    (void)argument;
    return -UNW_EINVAL;
}

static int get_proc_name(unw_addr_space_t space, unw_word_t address, char *name, size_t len, unw_word_t *offset,
                         void *argument)
{
    (void)space;
    (void)address;
    (void)name;
    (void)len;
    (void)offset;
    (void)argument;
    return -UNW_ENOINFO;
}

unw_addr_space_t remote_space_create(void)
{
    unw_accessors_t accessors = {
        .find_proc_info = find_proc_info,
        .put_unwind_info = put_unwind_info,
        .get_dyn_info_list_addr = get_dyn_info_list_addr,
        .access_mem = access_mem,
        .access_reg = access_reg,
        .access_fpreg = access_fpreg,
        .resume = resume,
        .get_proc_name = get_proc_name,
    };
    return unw_create_addr_space(&accessors, 0);
}
