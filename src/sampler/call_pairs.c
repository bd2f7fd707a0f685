/* SPDX-License-Identifier: MIT */
#include "call_pairs.h"

#include "base/cleanup.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <string.h>

/* Each function has a name of its own, so that each pair is two strings, two code objects and two places in a file. */
const char call_pairs_program[] =
    "import os, time\n"
    "parent = os.getppid()\n"
    "for k in range(8):\n"
    "    exec('def b_%d(): pass\\ndef a_%d(): b_%d(); b_%d(); b_%d()' % (k, k, k, k, k))\n"
    "def one_round():\n"
    "    for _ in range(20):\n"
    "        a_0(); a_1(); a_2(); a_3(); a_4(); a_5(); a_6(); a_7()\n"
    "end = time.monotonic() + 3600\n"
    "while os.getppid() == parent and time.monotonic() < end:\n"
    "    for _ in range(50):\n"
    "        one_round()\n";

/* What a frame of a stack is in the program. */
struct part {
    char letter; /* 'a' or 'b', the functions that are called; 'r' for one_round(), '<' for the module, else '\0' */
    char number; /* of 'a' and 'b' */
};

static struct part part_of(const struct profile *profile, uint32_t frame)
{
    size_t len;
    const struct profile_frame *is = profile_frame(profile, frame);
    const char *name = profile_string(profile, is->name, &len);
    if (is->kind != FRAME_PYTHON)
        return (struct part){0};
    if (len == 3 && (name[0] == 'a' || name[0] == 'b') && name[1] == '_')
        return (struct part){name[0], name[2]};
    if (strcmp(name, "one_round") == 0)
        return (struct part){.letter = 'r'};
    return (struct part){.letter = strcmp(name, "<module>") == 0 ? '<' : '\0'};
}

/* Whether one frame may stand directly under another. */
static bool may_call(struct part caller, struct part callee)
{
    switch (callee.letter) {
    case 'b':
        return caller.letter == 'a' && caller.number == callee.number;
    case 'a':
        return caller.letter == 'r';
    case 'r':
        return caller.letter == '<';
    default:
        /* The functions of the program call nothing else. */
        return caller.letter != 'a' && caller.letter != 'b' && caller.letter != 'r';
    }
}

/* The frame that a node's frame was called by. Marks, such as that of the garbage collector, stand for no call. */
static uint32_t find_caller(const struct profile *profile, const struct profile_node *nodes, uint32_t node)
{
    uint32_t caller = nodes[node].parent;
    while (caller != PROFILE_NONE && caller != PROFILE_ROOT &&
           profile_frame(profile, nodes[caller].frame)->kind == FRAME_MARK)
        caller = nodes[caller].parent;
    return caller;
}

static void note_example(const struct profile *profile, uint32_t caller, uint32_t callee, struct call_pairs *pairs)
{
    size_t len;
    if (*pairs->example != '\0')
        return;
    snprintf(pairs->example, sizeof(pairs->example), "%.40s -> ",
             profile_string(profile, profile_frame(profile, caller)->name, &len));
    size_t used = strlen(pairs->example);
    snprintf(pairs->example + used, sizeof(pairs->example) - used, "%.40s",
             profile_string(profile, profile_frame(profile, callee)->name, &len));
}

struct error *call_pairs_judge(const struct profile *profile, struct call_pairs *ret)
{
    uint32_t count;
    struct call_pairs pairs = {0};
    const struct profile_node *nodes = profile_nodes(profile, &count);
    cleanup_free bool *is_false = calloc(count, sizeof(*is_false)), *is_inside = calloc(count, sizeof(*is_inside));
    if (!is_false || !is_inside)
        return error_no_memory();
    /* A node's parent comes before it. */
    for (uint32_t i = 1; i < count; i++) {
        uint32_t caller = find_caller(profile, nodes, i);
        struct part callee = part_of(profile, nodes[i].frame), above = part_of(profile, nodes[caller].frame);
        bool is_mark = profile_frame(profile, nodes[i].frame)->kind == FRAME_MARK;
        bool is_wrong = !is_mark && !may_call(above, callee);
        if (is_wrong)
            note_example(profile, nodes[caller].frame, nodes[i].frame, &pairs);
        is_false[i] = is_wrong || is_false[nodes[i].parent];
        is_inside[i] = callee.letter == 'a' || callee.letter == 'b' || is_inside[nodes[i].parent];
        pairs.seen += is_inside[i] ? nodes[i].self : 0;
        pairs.impossible += is_false[i] ? nodes[i].self : 0;
    }
    *ret = pairs;
    return NULL;
}
