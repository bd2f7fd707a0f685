/* SPDX-License-Identifier: MIT */
/*
 * break-values PID COUNT LIMIT: reads the arguments and locals of a Python process's main thread COUNT times, of memory
 * of which a few words are wrong each time, the same ones in each run. The process itself is only read. Fails when a
 * value is longer than LIMIT characters, or when whole memory does not give any. That reading ends, and does no harm,
 * whoever runs this sees; best in a build with sanitizers.
 */
#include "base/cleanup.h"
#include "base/error.h"
#include "memory/snapshot.h"
#include "python/variables.h"
#include "python/walk.h"
#include "sampler/session.h"
#include "target/process.h"
#include "target/process_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORD_LEN = sizeof(uint64_t),
    MOST_WORDS = 400,   /* one word in so many is wrong at the rarest, */
    FEWEST_WORDS = 20,  /* and at the most often */
    SMALL_LIMIT = 1000, /* numbers that a length might be */
};

/* Memory of which some words are not what they are. */
struct broken_memory {
    struct memory memory;
    struct memory *source;
    uint64_t seed;
    uint64_t rarity;   /* one word in so many is wrong; 0: none */
    remote_addr other; /* an address that was read before */
};

/* Steele, Lea and Flood's splitmix64: small, and the same everywhere. */
static uint64_t next_random(struct broken_memory *broken)
{
    uint64_t mixed = broken->seed += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31;
}

static uint64_t break_word(struct broken_memory *broken, uint64_t word)
{
    switch (next_random(broken) % 6) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return next_random(broken) % SMALL_LIMIT;
    case 3:
        return broken->other;
    case 4:
        return word + (1 + next_random(broken) % 4) * WORD_LEN;
    default:
        return word ^ 1ULL << next_random(broken) % 64;
    }
}

static void break_bytes(struct broken_memory *broken, unsigned char *bytes, size_t len)
{
    for (size_t at = 0; at + WORD_LEN <= len; at += WORD_LEN) {
        uint64_t word;
        if (next_random(broken) % broken->rarity != 0)
            continue;
        memcpy(&word, bytes + at, sizeof(word));
        word = break_word(broken, word);
        memcpy(bytes + at, &word, sizeof(word));
    }
}

static enum memory_status read_broken(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                      size_t *ret_done)
{
    struct broken_memory *broken = (struct broken_memory *)memory;
    enum memory_status status = memory_read_batch(broken->source, pieces, count, ret_done);
    for (size_t i = 0; i < *ret_done && broken->rarity != 0; i++) {
        break_bytes(broken, pieces[i].destination, pieces[i].len);
        broken->other = pieces[i].address;
    }
    return status;
}

static const struct memory_ops broken_ops = {.read = read_broken};

static size_t count_characters(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* Reads the variables of all frames. */
static struct error *read_frames(struct python_variables *variables, struct broken_memory *broken,
                                 const struct python_frame *frames, uint32_t frame_count, uint32_t limit,
                                 uint32_t *ret_count)
{
    *ret_count = 0;
    for (uint32_t i = 0; i < frame_count; i++) {
        uint32_t count;
        const struct python_variable *found = python_variables_read(variables, &broken->memory, &frames[i], &count);
        for (uint32_t k = 0; k < count; k++) {
            if (count_characters(found[k].value, found[k].value_len) > limit)
                return error_create(ERROR_BAD_DATA, "%s is too long: %s", found[k].name, found[k].value);
        }
        *ret_count += count;
    }
    return NULL;
}

static struct error *break_often(struct python *python, struct memory *memory, uint32_t times, uint32_t limit)
{
    cleanup_python_variables struct python_variables *variables = NULL;
    struct broken_memory broken = {.memory = {.ops = &broken_ops}, .source = memory};
    uint32_t thread_count, count, total = 0;
    struct error *error = python_variables_create(python, limit, &variables);
    for (uint32_t i = 0; !error && i <= times; i++) {
        python_begin_sample(python);
        if (python_list_threads(python, memory) != PYTHON_OK)
            return error_create(ERROR_BAD_DATA, "cannot list the threads");
        struct python_thread *threads = python_threads(python, &thread_count);
        struct python_thread *main_thread = &threads[thread_count - 1];
        if (python_walk_thread(python, memory, main_thread) != PYTHON_OK)
            return error_create(ERROR_BAD_DATA, "cannot walk the main thread");
        broken.seed = i;
        broken.rarity = i == 0 ? 0 : FEWEST_WORDS + i % (MOST_WORDS - FEWEST_WORDS);
        error = read_frames(variables, &broken, python_frames(python) + main_thread->first_frame,
                            main_thread->frame_count, limit, &count);
        if (!error && i == 0 && count == 0)
            error = error_create(ERROR_BAD_DATA, "there are no variables");
        total += count;
    }
    if (!error)
        printf("break-values: %u values\n", total);
    return error;
}

static struct error *run(pid_t pid, uint32_t times, uint32_t limit)
{
    cleanup_process struct process *process = NULL;
    cleanup_process_memory struct memory *memory = NULL;
    cleanup_snapshot struct snapshot *snapshot = NULL;
    cleanup_session struct session *session = NULL;
    struct error *error = process_open(NULL, pid, &process);
    if (!error)
        error = process_memory_create(process, &memory);
    if (!error)
        error = session_open(process, &(struct session_options){.choice = THREADS_ALL}, &session);
    /* The process is at rest: each word of it is read once. */
    if (!error)
        error = snapshot_create(memory, &snapshot);
    return error ? error : break_often(session_python(session), snapshot_memory(snapshot), times, limit);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: break-values PID COUNT LIMIT\n", stderr);
        return 2;
    }
    cleanup_error struct error *error = run((pid_t)strtol(argv[1], NULL, 10), (uint32_t)strtoul(argv[2], NULL, 10),
                                            (uint32_t)strtoul(argv[3], NULL, 10));
    if (error)
        fprintf(stderr, "break-values: %s\n", error->sentence);
    return error != NULL;
}
