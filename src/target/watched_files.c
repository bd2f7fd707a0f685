/* SPDX-License-Identifier: MIT */
#include "watched_files.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "target/open_file.h"
#include "target/waiting.h"

#include <poll.h>
#include <string.h>

enum {
    POLL_STEP = 64, /* struct pollfd that are read at once */
    SET_COUNT = 3,  /* of select: to be read, to be written, and with exceptional conditions */
    BITS = 64,
};

/* What is wanted of the files so far. */
struct wishes {
    bool wants_read, wants_write, wants_other;
};

static void add_file(struct waiting *waiting, int32_t file)
{
    if (waiting->file_count < WAITING_FILE_LIMIT)
        waiting->files[waiting->file_count++] = file;
    else
        waiting->more_files++;
}

static void set_action(struct waiting *waiting, const struct wishes *wishes)
{
    if (wishes->wants_other || wishes->wants_read == wishes->wants_write)
        return;
    waiting->action = wishes->wants_read ? WAITING_TO_READ : WAITING_TO_WRITE;
}

bool watched_files_of_poll(struct memory *memory, remote_addr array, uint64_t count, struct waiting *waiting)
{
    struct wishes wishes = {0};
    struct pollfd polled[POLL_STEP];
    uint64_t limit = count < WAITING_WATCH_LIMIT ? count : WAITING_WATCH_LIMIT;
    for (uint64_t start = 0; start < limit; start += POLL_STEP) {
        uint64_t step = limit - start < POLL_STEP ? limit - start : POLL_STEP;
        if (memory_read(memory, array + start * sizeof(polled[0]), polled, step * sizeof(polled[0])) != MEMORY_OK)
            return false;
        for (uint64_t i = 0; i < step; i++) {
            /* poll(2): a negative one is passed over. */
            if (polled[i].fd < 0)
                continue;
            add_file(waiting, polled[i].fd);
            wishes.wants_read |= polled[i].events & (POLLIN | POLLRDNORM);
            wishes.wants_write |= polled[i].events & (POLLOUT | POLLWRNORM);
        }
    }
    set_action(waiting, &wishes);
    /* Of those that were not looked at, there is no telling what is wanted. */
    if (count > limit) {
        waiting->action = WAITING_FOR_EVENTS;
        waiting->more_files += count - limit < UINT32_MAX / 2 ? (uint32_t)(count - limit) : UINT32_MAX / 2;
    }
    return true;
}

bool watched_files_of_select(struct memory *memory, uint64_t count, const uint64_t sets[3], struct waiting *waiting)
{
    struct wishes wishes = {0};
    uint64_t bits[SET_COUNT];
    uint64_t limit = count < WAITING_WATCH_LIMIT ? count : WAITING_WATCH_LIMIT;
    for (uint64_t start = 0; start < limit; start += BITS) {
        uint64_t step = limit - start < BITS ? limit - start : BITS;
        uint64_t mask = step < BITS ? (UINT64_C(1) << step) - 1 : UINT64_MAX;
        memset(bits, 0, sizeof(bits));
        for (int set = 0; set < SET_COUNT; set++) {
            if (sets[set] != 0 && memory_read_u64(memory, sets[set] + start / 8, &bits[set]) != MEMORY_OK)
                return false;
            bits[set] &= mask;
        }
        for (uint64_t i = 0; i < step; i++) {
            if ((bits[0] | bits[1] | bits[2]) >> i & 1)
                add_file(waiting, (int32_t)(start + i));
        }
        wishes.wants_read |= bits[0] != 0;
        wishes.wants_write |= bits[1] != 0;
        wishes.wants_other |= (bits[2] & ~(bits[0] | bits[1])) != 0;
    }
    set_action(waiting, &wishes);
    return true;
}

/* "tfd:        7 events:       19 data:                7  pos:0 ino:..." for each: Linux fs/eventpoll.c. */
void watched_files_of_epoll(const struct task *task, int32_t epoll, struct waiting *waiting)
{
    static const char start[] = "tfd:";
    cleanup_buffer struct buffer text = {0};
    if (!open_file_read_info(task, epoll, &text))
        return;
    const char *line = buffer_text(&text);
    for (uint32_t i = 0; line && i < WAITING_WATCH_LIMIT; i++) {
        if (strncmp(line, start, sizeof(start) - 1) == 0)
            add_file(waiting, (int32_t)strtol(line + sizeof(start) - 1, NULL, 10));
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
}
