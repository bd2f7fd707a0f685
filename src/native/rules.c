/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum {
    RULE_LIMIT = 1 << 15,   /* then all begins anew */
    RULE_NONE = UINT32_MAX, /* as a state */
    KEPT_LIMIT = 1 << 22,   /* bytes of entries; they are those of signal handlers' callers and of PLTs */
    STATE_LEN_LIMIT = 2048, /* bytes of one of libunwind's states: 184 on x86-64, 904 on aarch64 */
};

struct rules {
    unw_addr_space_t space;
    struct unwind_entry entry; /* the one that is being read */
    struct rule *rules;
    uint32_t count, capacity;
    size_t kept_len; /* bytes of the entries that rules have */
    struct table rules_by_address;
    /* libunwind's states, each once. What is in them is its own business. */
    uint64_t *states;
    uint32_t state_count, state_capacity;
    uint32_t state_words; /* of one; 0: none was seen */
    struct table states_by_content;
};

struct rules *rules_create(unw_addr_space_t space)
{
    struct rules *rules = calloc(1, sizeof(*rules));
    if (rules && unwind_entry_init(&rules->entry)) {
        rules->space = space;
        return rules;
    }
    free(rules);
    return NULL;
}

static void forget(struct rules *rules)
{
    for (uint32_t i = 0; i < rules->count; i++)
        unwind_entry_destroy(rules->rules[i].entry);
    rules->count = 0;
    rules->kept_len = 0;
    rules->state_count = 0;
    table_clear(&rules->rules_by_address);
    table_clear(&rules->states_by_content);
}

void rules_destroy(struct rules *rules)
{
    if (!rules)
        return;
    forget(rules);
    unwind_entry_deinit(&rules->entry);
    table_deinit(&rules->rules_by_address);
    table_deinit(&rules->states_by_content);
    free(rules->rules);
    free(rules->states);
    free(rules);
}

static uint64_t *state_of(const struct rules *rules, uint32_t state)
{
    return rules->states + (size_t)state * rules->state_words;
}

static bool has_content(const void *context, uint32_t index, const void *key)
{
    const struct rules *rules = context;
    return memcmp(state_of(rules, index), key, rules->state_words * sizeof(uint64_t)) == 0;
}

/* The number of a state; RULE_NONE without memory. */
static uint32_t keep_state(struct rules *rules, const uint64_t *words)
{
    size_t len = rules->state_words * sizeof(uint64_t);
    uint64_t hash = hash_bytes(words, len);
    uint32_t state = table_find(&rules->states_by_content, hash, has_content, rules, words);
    if (state != TABLE_NONE)
        return state;
    if (!array_grow(&rules->states, rules->state_count, &rules->state_capacity, len) ||
        !table_insert(&rules->states_by_content, hash, rules->state_count))
        return RULE_NONE;
    memcpy(state_of(rules, rules->state_count), words, len);
    return rules->state_count++;
}

/* The state for one address, picked out of those of its function. */
struct pick {
    struct rules *rules;
    remote_addr address;
    uint32_t state;
};

/* Called by libunwind for each stretch of a function in which one state holds. */
static int take_state(void *token, void *state, size_t len, unw_word_t start, unw_word_t end)
{
    struct pick *pick = token;
    struct rules *rules = pick->rules;
    uint64_t words[STATE_LEN_LIMIT / sizeof(uint64_t)] = {0};
    if (pick->address < start || pick->address >= end)
        return 0;
    uint32_t word_count = (uint32_t)((len + sizeof(uint64_t) - 1) / sizeof(uint64_t));
    if (len > sizeof(words) || (rules->state_words != 0 && rules->state_words != word_count))
        return -UNW_EINVAL;
    rules->state_words = word_count;
    memcpy(words, state, len);
    pick->state = keep_state(rules, words);
    return 0;
}

/* Has libunwind read the entry that was found for an address, and fills the rule in. */
static void read_entry(struct rules *rules, struct remote *remote, const struct native_module *module,
                       struct rule *rule)
{
    const struct remote saved = *remote;
    remote->entry = &rules->entry;
    remote->described = module;
    remote->registers[REGISTER_PC] = rule->address;
    remote->registers[REGISTER_SP] = 0;
    remote->known = UINT64_MAX;
    unw_cursor_t cursor;
    struct pick pick = {.rules = rules, .address = rule->address, .state = RULE_NONE};
    if (unw_init_remote(&cursor, rules->space, remote) >= 0)
        unw_reg_states_iterate(&cursor, take_state, &pick); /* it may fail further on in the function */
    rule->state = pick.state;
    rule->is_signal = rules->entry.is_signal;
    uint32_t reads_left = remote->reads_left;
    *remote = saved;
    remote->reads_left = reads_left;
}

/* What was read of a file to find an entry is also reading. */
static bool spend(struct remote *remote, uint32_t reads)
{
    remote->reads_left -= reads < remote->reads_left ? reads : remote->reads_left;
    return remote->reads_left > 0;
}

/* False when it could not be made now, but perhaps another time. */
static bool make_rule(struct rules *rules, struct remote *remote, const struct native_module *module, struct rule *rule)
{
    bool is_found = unwind_entry_find(&rules->entry, remote->cache, module, rule->address);
    if (!spend(remote, rules->entry.len / sizeof(uint64_t)))
        return false;
    if (!is_found)
        return true;
    read_entry(rules, remote, module, rule);
    if (remote->reads_left == 0)
        return false;
    if (rule->state == RULE_NONE || !rules->entry.has_expressions)
        return true;
    rule->entry = unwind_entry_copy(&rules->entry);
    return rule->entry != NULL;
}

static bool has_address(const void *context, uint32_t index, const void *key)
{
    const struct rules *rules = context;
    const struct rule *rule = &rules->rules[index], *wanted = key;
    return rule->address == wanted->address && rule->module == wanted->module;
}

const struct rule *rules_find(struct rules *rules, struct remote *remote, const struct native_module *module,
                              remote_addr address)
{
    struct rule rule = {.module = module->number, .state = RULE_NONE, .address = address};
    uint64_t hash = hash_pair(module->number, address);
    uint32_t found = table_find(&rules->rules_by_address, hash, has_address, rules, &rule);
    if (found != TABLE_NONE)
        return rules->rules[found].state != RULE_NONE ? &rules->rules[found] : NULL;
    if (rules->count >= RULE_LIMIT || rules->kept_len >= KEPT_LIMIT)
        forget(rules);
    if (!array_grow(&rules->rules, rules->count, &rules->capacity, sizeof(rule)) ||
        !make_rule(rules, remote, module, &rule))
        return NULL;
    if (!table_insert(&rules->rules_by_address, hash, rules->count)) {
        unwind_entry_destroy(rule.entry);
        return NULL;
    }
    rules->kept_len += rule.entry ? rule.entry->len : 0;
    rules->rules[rules->count] = rule;
    return rules->rules[rules->count++].state != RULE_NONE ? &rules->rules[rules->count - 1] : NULL;
}

int rules_apply(const struct rules *rules, const struct rule *rule, struct remote *remote, unw_cursor_t *cursor)
{
    remote->entry = rule->entry;
    int status = unw_apply_reg_state(cursor, state_of(rules, rule->state));
    remote->entry = NULL;
    return status;
}
