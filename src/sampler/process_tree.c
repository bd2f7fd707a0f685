/* SPDX-License-Identifier: MIT */
#include "sampler/process_tree.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "sampler/recording.h"
#include "schedule.h"
#include "target/children.h"
#include "target/process.h"

#include <errno.h>
#include <sys/epoll.h>

enum {
    MS = 1000000,                    /* ns */
    SHORT_REST_NS = 1 * MS,          /* between looks at a process that has just begun to run a program */
    LOOK_REST_NS = 20 * MS,          /* between looks at one for which program it runs, at most */
    STARTING_NS = 20 * MS,           /* within which a Python loads what makes it one: it is looked at often */
    TRY_REST_NS = 200 * MS,          /* between tries to attach to the same program, at most */
    REST_SHARE = 8,                  /* the rest is such a part of the time for which it has run its program, */
    REST_FACTOR = 10,                /* but so many times what the last try took, or the last search for children */
    SEARCH_REST_NS = 10 * MS,        /* between searches for children while somebody has any, */
    BLIND_SEARCH_REST_NS = 100 * MS, /* and when it seems that nobody has */
    END_REST_NS = 200 * MS,          /* between looks at a process without a pidfd */
    MEMBER_LIMIT = 4096,
    EVENT_COUNT = 64,
};

struct member {
    const struct process *process;
    struct process *own; /* the same, but for the root, which is not ours */
    struct process_program program;
    uint64_t program_ns; /* since when it is known to run that */
    uint64_t look_ns;    /* when the next look at its program is due */
    uint64_t try_ns;     /* when the next try to attach is */
    uint64_t end_ns;     /* when the next look for its end is, without a pidfd */
    bool is_attached;
    bool was_attached;
    bool has_ended;
    bool is_added_root;
    struct error *error; /* of the last try */
};

struct process_tree {
    struct recording *recording;
    bool with_children;
    int events;              /* epoll: the recording's descriptor, and the members' pidfds */
    struct member **members; /* the root is the first */
    uint32_t count, capacity;
    pid_t last_number;        /* see children_last_number(), at the last search */
    uint64_t search_ns;       /* when the next search is due, */
    uint64_t blind_search_ns; /* also when nobody seems to have had a child */
    bool was_attached;
    struct error *refusal; /* see process_tree_refusals() */
    bool has_lacked;       /* some process could not be watched, for want of descriptors or memory */
    uint32_t refusal_count;
};

static uint64_t limited_rest(uint64_t rest, uint64_t limit)
{
    if (rest < SHORT_REST_NS)
        return SHORT_REST_NS;
    return rest < limit ? rest : limit;
}

static void destroy_member(struct member *member)
{
    process_destroy(member->own);
    error_destroy(member->error);
    free(member);
}

static struct error *watch(struct process_tree *tree, int fd, struct member *member)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};
    if (epoll_ctl(tree->events, EPOLL_CTL_ADD, fd, &event) != 0)
        return error_from_errno(errno, "cannot watch a process");
    return NULL;
}

/* Adds a process; own is it as well, if the tree is to own it, and stays the caller's on failure. */
static struct error *add_member(struct process_tree *tree, const struct process *process, struct process *own,
                                uint64_t first_try_ns)
{
    struct member *member = calloc(1, sizeof(*member));
    if (!member || !array_grow(&tree->members, tree->count, &tree->capacity, sizeof(struct member *))) {
        free(member);
        return error_no_memory();
    }
    *member = (struct member){.process = process, .look_ns = first_try_ns, .try_ns = first_try_ns};
    struct error *error = own && own->pidfd >= 0 ? watch(tree, own->pidfd, member) : NULL;
    if (error) {
        destroy_member(member);
        return error;
    }
    member->own = own;
    tree->members[tree->count++] = member;
    return NULL;
}

struct error *process_tree_create(struct recording *recording, const struct process *root, bool with_children,
                                  struct process_tree **ret)
{
    cleanup_process_tree struct process_tree *tree = calloc(1, sizeof(*tree));
    if (!tree)
        return error_no_memory();
    tree->recording = recording;
    tree->with_children = with_children;
    tree->events = epoll_create1(EPOLL_CLOEXEC);
    if (tree->events < 0)
        return error_from_errno(errno, "cannot make an event descriptor");
    struct error *error = watch(tree, recording_fd(recording), NULL);
    if (!error)
        error = add_member(tree, root, NULL, 0);
    if (!error)
        *ret = hand_over(&tree);
    return error;
}

void process_tree_destroy(struct process_tree *tree)
{
    if (!tree)
        return;
    for (uint32_t i = 0; i < tree->count; i++)
        destroy_member(tree->members[i]);
    free(tree->members);
    cleanup_close_fd(&tree->events);
    error_destroy(tree->refusal);
    free(tree);
}

/* Takes the error over that says why a process is not in the recording. */
static void refuse(struct process_tree *tree, pid_t pid, struct error *error)
{
    tree->refusal_count++;
    if (tree->refusal)
        error_destroy(error);
    else
        tree->refusal = error_wrap(error, "process %d", pid);
}

/* Takes the error over of a process that there was no descriptor or no memory for; the next search meets it again. */
static void note_lack(struct process_tree *tree, pid_t pid, struct error *error)
{
    bool is_lack = error->kind == ERROR_OS || error->kind == ERROR_NO_MEMORY;
    if (is_lack && !tree->has_lacked)
        refuse(tree, pid, error_wrap(error, "it, or others"));
    else
        error_destroy(error);
    tree->has_lacked |= is_lack;
}

static bool is_refused(const struct member *member)
{
    return !member->was_attached && member->error &&
           (member->error->kind == ERROR_UNSUPPORTED_VERSION || member->error->kind == ERROR_PERMISSION ||
            member->error->kind == ERROR_BUSY || member->error->kind == ERROR_OS ||
            member->error->kind == ERROR_NO_MEMORY);
}

static void note_changes(struct process_tree *tree)
{
    recording_take_changes(tree->recording);
    for (uint32_t i = 0; i < tree->count; i++) {
        struct member *member = tree->members[i];
        if (!member->is_attached || recording_samples(tree->recording, member->process))
            continue;
        member->is_attached = false;
        member->look_ns = member->try_ns = 0;
        member->program = (struct process_program){0};
    }
}

static void take_events(struct process_tree *tree)
{
    struct epoll_event events[EVENT_COUNT];
    int count = epoll_wait(tree->events, events, EVENT_COUNT, 0);
    for (int i = 0; i < count; i++) {
        struct member *member = events[i].data.ptr;
        if (member)
            member->has_ended = true;
        else
            note_changes(tree);
    }
}

/* Who has no pidfd is asked now and then. */
static void look_for_end(struct member *member, uint64_t now_ns)
{
    if (!member->own || member->process->pidfd >= 0 || now_ns < member->end_ns)
        return;
    member->end_ns = now_ns + END_REST_NS;
    member->has_ended = !process_is_running(member->process);
}

static void forget_ended(struct process_tree *tree, uint64_t now_ns)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tree->count; i++) {
        struct member *member = tree->members[i];
        look_for_end(member, now_ns);
        if (!member->has_ended) {
            tree->members[kept++] = member;
            continue;
        }
        if (is_refused(member))
            refuse(tree, member->process->pid, hand_over(&member->error));
        recording_detach(tree->recording, member->process);
        destroy_member(member);
    }
    tree->count = kept;
}

static void try_to_attach(struct process_tree *tree, struct member *member)
{
    error_destroy(hand_over(&member->error));
    uint64_t start_ns = monotonic_now_ns();
    member->error = recording_attach(tree->recording, member->process);
    uint64_t now_ns = monotonic_now_ns();
    if (!member->error) {
        member->is_attached = member->was_attached = tree->was_attached = true;
        return;
    }
    uint64_t rest = limited_rest((now_ns - member->program_ns) / REST_SHARE, TRY_REST_NS);
    /* A Python that is only just starting will be up in a moment, and may not live for many more. */
    bool is_starting = member->error->kind == ERROR_NOT_READY || now_ns - member->program_ns < STARTING_NS;
    uint64_t long_rest = is_starting ? 0 : limited_rest((now_ns - start_ns) * REST_FACTOR, TRY_REST_NS);
    member->try_ns = now_ns + (rest > long_rest ? rest : long_rest);
}

struct error *process_tree_add_root(struct process_tree *tree, struct process *root)
{
    struct error *error = add_member(tree, root, root, 0);
    if (error)
        return error;
    struct member *member = tree->members[tree->count - 1];
    member->is_added_root = true;
    member->program_ns = monotonic_now_ns();
    try_to_attach(tree, member);
    bool is_final = member->error && member->error->kind != ERROR_NOT_READY &&
                    !(member->error->kind == ERROR_NOT_PYTHON && tree->with_children);
    if (!is_final)
        return NULL;
    error = hand_over(&member->error);
    member->own = NULL;
    tree->count--;
    if (root->pidfd >= 0)
        epoll_ctl(tree->events, EPOLL_CTL_DEL, root->pidfd, NULL);
    destroy_member(member);
    return error;
}

bool process_tree_has_added_roots(const struct process_tree *tree)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        if (tree->members[i]->is_added_root)
            return true;
    }
    return false;
}

/* Looks at what a process runs that is not attached to, and attaches to it when that is due. */
static void look_at(struct process_tree *tree, struct member *member, uint64_t now_ns)
{
    if (member->is_attached || now_ns < member->look_ns)
        return;
    struct process_program program;
    cleanup_error struct error *error = process_read_program(member->process, &program);
    if (!error && !process_program_equals(&program, &member->program)) {
        member->program = program;
        member->program_ns = now_ns;
        member->try_ns = now_ns;
    }
    if (now_ns >= member->try_ns)
        try_to_attach(tree, member);
    member->look_ns = now_ns + limited_rest((now_ns - member->program_ns) / REST_SHARE, LOOK_REST_NS);
}

static bool is_member(const struct process_tree *tree, pid_t pid)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        if (tree->members[i]->process->pid == pid)
            return true;
    }
    return false;
}

/*
 * Adds a process that has been found. Who was only just forked is likely to run something else in a moment, and until
 * then to be in memory that is not its own (vfork), so it is left alone for that long.
 */
static void add_child(struct process_tree *tree, const char *proc, pid_t pid, uint64_t now_ns)
{
    cleanup_process struct process *process = NULL;
    if (tree->count >= MEMBER_LIMIT) {
        refuse(tree, pid, error_create(ERROR_OS, "there are %d others already", MEMBER_LIMIT));
        return;
    }
    cleanup_error struct error *error = process_open(proc, pid, &process);
    if (!error && (process->pid != pid || !process_is_running(process)))
        return;
    if (!error)
        error = add_member(tree, process, process, now_ns + SHORT_REST_NS);
    if (error)
        note_lack(tree, pid, hand_over(&error));
    else
        (void)hand_over(&process);
}

static void find_children_of(struct process_tree *tree, const struct process *parent, uint64_t now_ns)
{
    cleanup_free pid_t *pids = NULL;
    uint32_t count;
    cleanup_error struct error *error = children_list(parent, &pids, &count);
    for (uint32_t i = 0; !error && i < count; i++) {
        if (!is_member(tree, pids[i]))
            add_child(tree, parent->proc, pids[i], now_ns);
    }
    if (error)
        note_lack(tree, parent->pid, error_wrap(hand_over(&error), "its child processes cannot be listed"));
}

static bool is_search_due(struct process_tree *tree, uint64_t now_ns)
{
    if (!tree->with_children || now_ns < tree->search_ns)
        return false;
    pid_t last_number = children_last_number(tree->members[0]->process->proc);
    bool is_due = last_number != tree->last_number || now_ns >= tree->blind_search_ns;
    tree->last_number = last_number;
    tree->search_ns = now_ns + SEARCH_REST_NS;
    return is_due;
}

/* Those who are added are asked for their own children in the same search. */
static void find_children(struct process_tree *tree)
{
    uint64_t start_ns = monotonic_now_ns();
    if (!is_search_due(tree, start_ns))
        return;
    for (uint32_t i = 0; i < tree->count; i++)
        find_children_of(tree, tree->members[i]->process, start_ns);
    uint64_t now_ns = monotonic_now_ns();
    uint64_t rest_ns = (now_ns - start_ns) * REST_FACTOR;
    if (rest_ns > SEARCH_REST_NS)
        tree->search_ns = now_ns + rest_ns;
    tree->blind_search_ns = now_ns + (rest_ns > BLIND_SEARCH_REST_NS ? rest_ns : BLIND_SEARCH_REST_NS);
}

void process_tree_update(struct process_tree *tree)
{
    take_events(tree);
    forget_ended(tree, monotonic_now_ns());
    find_children(tree);
    for (uint32_t i = 0; i < tree->count; i++)
        look_at(tree, tree->members[i], monotonic_now_ns());
}

int process_tree_fd(const struct process_tree *tree)
{
    return tree->events;
}

static uint64_t next_due_ns(const struct process_tree *tree)
{
    uint64_t due_ns = tree->with_children ? tree->search_ns : UINT64_MAX;
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct member *member = tree->members[i];
        if (!member->is_attached && member->look_ns < due_ns)
            due_ns = member->look_ns;
        if (member->own && member->process->pidfd < 0 && member->end_ns < due_ns)
            due_ns = member->end_ns;
    }
    return due_ns;
}

int process_tree_timeout_ms(const struct process_tree *tree)
{
    uint64_t due_ns = next_due_ns(tree), now_ns = monotonic_now_ns();
    if (due_ns == UINT64_MAX)
        return -1;
    return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns + MS - 1) / MS);
}

bool process_tree_was_attached(const struct process_tree *tree)
{
    return tree->was_attached;
}

struct error *process_tree_take_error(struct process_tree *tree)
{
    return hand_over(&tree->members[0]->error);
}

const struct error *process_tree_refusals(struct process_tree *tree, uint32_t *ret_count)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        struct member *member = tree->members[i];
        if (is_refused(member))
            refuse(tree, member->process->pid, hand_over(&member->error));
    }
    *ret_count = tree->refusal_count;
    return tree->refusal;
}
