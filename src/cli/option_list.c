/* SPDX-License-Identifier: MIT */
#include "option_list.h"

#include "base/buffer.h"

#include <ctype.h>
#include <string.h>

static void add(struct option_list *list, const struct argp_option *option, const char *head)
{
    if (list->count < OPTION_LIST_LIMIT)
        list->options[list->count++] = (struct listed_option){.option = option, .head = head};
}

static bool is_help(const struct argp_option *option)
{
    return strcmp(option->name, "help") == 0;
}

static void add_table(struct option_list *list, const struct argp *argp, const char *head);

/* The tables of children: those of group 0, or the others. */
static void add_children(struct option_list *list, const struct argp *argp, bool are_first)
{
    for (const struct argp_child *child = argp->children; child && child->argp; child++) {
        if ((child->group == 0) == are_first)
            add_table(list, child->argp, child->header);
    }
}

static void add_table(struct option_list *list, const struct argp *argp, const char *head)
{
    add_children(list, argp, true);
    for (const struct argp_option *option = argp->options; option && option->name; option++) {
        if (is_help(option))
            continue;
        add(list, option, head);
        head = NULL;
    }
    add_children(list, argp, false);
}

void option_list_init(struct option_list *list, const struct argp *argp)
{
    list->count = 0;
    add_table(list, argp, NULL);
    for (const struct argp_option *option = argp->options; option && option->name; option++) {
        if (is_help(option))
            add(list, option, "");
    }
}

bool option_is_hidden(const struct argp_option *option)
{
    return (option->flags & OPTION_HIDDEN) != 0;
}

bool option_is_seldom(const struct argp_option *option)
{
    return (option->flags & OPTION_SELDOM) != 0;
}

bool option_has_letter(const struct argp_option *option)
{
    return option->key > 0 && option->key < 128 && isgraph(option->key);
}

void doc_append_short(struct buffer *out, const char *doc)
{
    buffer_format(out, "%.*s", (int)strcspn(doc, "\v"), doc);
}

void doc_append_whole(struct buffer *out, const char *doc)
{
    doc_append_short(out, doc);
    buffer_append_text(out, doc_rest(doc));
}

const char *doc_rest(const char *doc)
{
    const char *end = strchr(doc, '\v');
    return end ? end + 1 : "";
}
