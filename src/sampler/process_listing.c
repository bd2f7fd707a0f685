/* SPDX-License-Identifier: MIT */
#include "sampler/process_listing.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "interpreter.h"
#include "openers.h"
#include "python/runtime.h"
#include "target/denial.h"
#include "target/privileges.h"
#include "target/process.h"
#include "target/process_images.h"
#include "target/process_memory.h"

#include <string.h>

_Static_assert((int)LISTED_VERSION_LEN == (int)PYTHON_VERSION_TEXT_LEN, "a version fits");

/* What was found in processes with the same files. */
struct verdict {
    uint64_t key;
    bool is_python;
    char version[LISTED_VERSION_LEN];
    char *refusal; /* an unsupported version */
};

struct verdicts {
    struct verdict *all;
    uint32_t count, capacity;
};

static void forget_verdicts(struct verdicts *verdicts)
{
    for (uint32_t i = 0; i < verdicts->count; i++)
        free(verdicts->all[i].refusal);
    free(verdicts->all);
}

static const struct verdict *find_verdict(const struct verdicts *verdicts, uint64_t key)
{
    for (uint32_t i = 0; i < verdicts->count; i++) {
        if (verdicts->all[i].key == key)
            return &verdicts->all[i];
    }
    return NULL;
}

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return hash;
}

/* What is the same for processes that have the same executable and files with code in them. */
static uint64_t key_of(const struct process_program *program, const struct maps *maps)
{
    uint64_t key = mix(0xcbf29ce484222325, &program->device, sizeof(program->device));
    key = mix(key, &program->inode, sizeof(program->inode));
    for (uint32_t i = 0; i < maps->count; i++) {
        const struct mapping *mapping = &maps->mappings[i];
        if (!mapping->executable || mapping->inode == 0)
            continue;
        key = mix(key, &mapping->inode, sizeof(mapping->inode));
        key = mix(key, mapping->path, strlen(mapping->path));
    }
    return key;
}

/* Looks for the interpreter. False: what was found is of this process alone, such as one that is just starting. */
static bool judge(const struct process *process, const struct maps *maps, struct memory *memory, struct verdict *ret)
{
    cleanup_python_runtime struct python_runtime runtime = {0};
    const struct module_opener opener = opener_of_process(process);
    const struct mapping *executable = process_executable_mapping(process, maps);
    cleanup_error struct error *error = interpreter_find(&opener, executable, maps, memory, &runtime);
    if (!error) {
        ret->is_python = true;
        python_version_format(&runtime.version, ret->version);
        return true;
    }
    if (error->kind == ERROR_UNSUPPORTED_VERSION) {
        ret->is_python = true;
        ret->refusal = strdup(error->sentence);
        return true;
    }
    if (error->kind == ERROR_NOT_READY) {
        ret->is_python = true;
        ret->refusal = strdup("it is just starting");
    }
    return error->kind == ERROR_NOT_PYTHON;
}

/* Takes a verdict over for a process. */
static void apply(struct verdict *verdict, struct listed_process *process)
{
    memcpy(process->version, verdict->version, sizeof(process->version));
    process->refusal = hand_over(&verdict->refusal);
}

/* Whether a process that may be read is a Python. */
static bool look_into(const struct process *process, const struct maps *maps, struct memory *memory,
                      struct verdicts *verdicts, struct listed_process *ret)
{
    struct process_program program;
    cleanup_error struct error *error = process_read_program(process, &program);
    if (error)
        return false;
    struct verdict verdict = {.key = key_of(&program, maps)};
    const struct verdict *known = find_verdict(verdicts, verdict.key);
    if (known) {
        verdict = *known;
        verdict.refusal = known->refusal ? strdup(known->refusal) : NULL;
    } else if (judge(process, maps, memory, &verdict) &&
               array_grow(&verdicts->all, verdicts->count, &verdicts->capacity, sizeof(*verdicts->all))) {
        struct verdict *kept = &verdicts->all[verdicts->count++];
        *kept = verdict;
        kept->refusal = verdict.refusal ? strdup(verdict.refusal) : NULL;
    }
    apply(&verdict, ret);
    return verdict.is_python;
}

/* Whether the name of the program, which is the first word of a command line, is like that of a Python. */
static bool is_named_python(const char *command)
{
    size_t len = strcspn(command, " ");
    const char *slash = memrchr(command, '/', len);
    const char *name = slash ? slash + 1 : command;
    return memmem(name, len - (size_t)(name - command), "python", strlen("python"));
}

/* Whether a process is listed. */
static bool fill(const struct process *process, struct verdicts *verdicts, struct listed_process *ret)
{
    cleanup_maps struct maps maps = {0};
    cleanup_process_memory struct memory *memory = NULL;
    cleanup_error struct error *error = process_read_maps(process, &maps);
    if (!error)
        error = process_memory_create(process, &memory);
    if (!error)
        return look_into(process, &maps, memory, verdicts, ret);
    if (error->kind != ERROR_PERMISSION || !is_named_python(ret->command))
        return false;
    ret->refusal = strdup(denial_words(process));
    return ret->refusal;
}

void listed_process_deinit(struct listed_process *process)
{
    free(process->command);
    free(process->refusal);
}

/* Whether a process, which is open, is one to be listed. */
static bool describe(const struct process *process, struct verdicts *verdicts, struct listed_process *ret)
{
    cleanup_buffer struct buffer command = {0};
    cleanup_error struct error *gone = process_command_line(process, &command);
    if (gone || command.len == 0)
        return false;
    ret->command = strdup(buffer_text(&command));
    return ret->command && fill(process, verdicts, ret) && process_summarize(process, &ret->summary);
}

/* Looks at one process; who ends meanwhile, or is a thread of the kernel, is passed over. */
static bool look_at(pid_t pid, struct verdicts *verdicts, struct listed_process *ret)
{
    cleanup_process struct process *process = NULL;
    cleanup_error struct error *error = process_open(NULL, pid, &process);
    bool is_refused = error && error->kind == ERROR_PERMISSION;
    *ret = (struct listed_process){.pid = pid};
    if (!error)
        return describe(process, verdicts, ret);
    /* What our file lends us is not for this one: it is listed as if we had nothing. */
    if (!is_refused || !privileges_put_aside(true))
        return false;
    cleanup_error struct error *again = process_open(NULL, pid, &process);
    bool is_listed = !again && describe(process, verdicts, ret);
    privileges_put_aside(false);
    return is_listed;
}

static struct error *add_process(struct process_listing *listing, pid_t pid, struct verdicts *verdicts)
{
    struct listed_process listed;
    if (!look_at(pid, verdicts, &listed)) {
        listed_process_deinit(&listed);
        return NULL;
    }
    if (!array_grow(&listing->processes, listing->count, &listing->capacity, sizeof(listed))) {
        listed_process_deinit(&listed);
        return error_no_memory();
    }
    listing->processes[listing->count++] = listed;
    return NULL;
}

struct error *process_listing_init(struct process_listing *listing)
{
    cleanup_free pid_t *pids = NULL;
    uint32_t count;
    __attribute__((cleanup(forget_verdicts))) struct verdicts verdicts = {0};
    *listing = (struct process_listing){0};
    struct error *error = process_list(NULL, &pids, &count);
    for (uint32_t i = 0; !error && i < count; i++)
        error = add_process(listing, pids[i], &verdicts);
    if (error)
        process_listing_deinit(listing);
    return error;
}

void process_listing_deinit(struct process_listing *listing)
{
    for (uint32_t i = 0; i < listing->count; i++)
        listed_process_deinit(&listing->processes[i]);
    free(listing->processes);
    *listing = (struct process_listing){0};
}
