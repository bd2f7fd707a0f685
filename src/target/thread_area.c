/* SPDX-License-Identifier: MIT */
#include "target/thread_area.h"

#include "base/cleanup.h"
#include "target/process_images.h"

enum {
    /* glibc nptl/descr.h: tid of struct pthread on x86-64, 2.27 to 2.43. */
    DEFAULT_TID_OFFSET = 720,
    /* Linux include/uapi/linux/rseq.h: struct rseq begins with cpu_id_start and cpu_id, 32 bits each. */
    RSEQ_CPU_ID_OFFSET = 4,
    THREAD_AREA_LIMIT = 64 * 1024, /* bytes from pthread_t to anything of interest; struct pthread has about 2,300 */
};

/* glibc nptl_db/db_info.c: each of these is {bits, count, offset}, 32 bits each. */
static void read_tid_offset(const struct loaded_image *libc, struct memory *memory, struct thread_area *area)
{
    uint32_t description[3];
    uint64_t address = loaded_image_find(libc, "_thread_db_pthread_tid");
    if (address == 0 || memory_read(memory, address, description, sizeof(description)) != MEMORY_OK)
        return;
    bool is_plausible = description[0] == 32 && description[1] == 1 && description[2] < THREAD_AREA_LIMIT;
    if (is_plausible)
        area->tid_offset = description[2];
}

/*
 * glibc 2.35 sysdeps/unix/sysv/linux/rseq-internal.h: __rseq_offset is the distance from the thread pointer, and
 * __rseq_size is 0 where the registration was refused. On x86-64 the thread pointer and pthread_t are the same.
 */
static void read_cpu_id_offset(const struct loaded_image *linker, struct memory *memory, struct thread_area *area)
{
#ifdef __x86_64__
    uint64_t offset_address = loaded_image_find(linker, "__rseq_offset");
    uint64_t size_address = loaded_image_find(linker, "__rseq_size");
    uint64_t offset;
    uint32_t size;
    if (offset_address == 0 || size_address == 0 || memory_read_u64(memory, offset_address, &offset) != MEMORY_OK ||
        memory_read_u32(memory, size_address, &size) != MEMORY_OK || size == 0)
        return;
    int64_t distance = (int64_t)offset;
    if (distance <= -THREAD_AREA_LIMIT || distance >= THREAD_AREA_LIMIT)
        return;
    area->cpu_id_offset = distance + RSEQ_CPU_ID_OFFSET;
    area->has_cpu_id = true;
#else
    (void)linker;
    (void)memory;
    (void)area;
#endif
}

typedef void (*image_reader)(const struct loaded_image *image, struct memory *memory, struct thread_area *area);

static void read_from(const struct process *process, const struct maps *maps, const char *library_prefix,
                      struct memory *memory, image_reader reader, struct thread_area *area)
{
    const struct mapping *mapping = process_library_mapping(maps, library_prefix);
    if (!mapping)
        mapping = process_executable_mapping(process, maps);
    if (!mapping)
        return;
    cleanup_loaded_image struct loaded_image image = {0};
    cleanup_error struct error *error = process_open_image(process, maps, mapping, &image);
    if (!error)
        reader(&image, memory, area);
}

void thread_area_find(const struct process *process, const struct maps *maps, struct memory *memory,
                      struct thread_area *ret)
{
    struct thread_area area = {.tid_offset = DEFAULT_TID_OFFSET};
    read_from(process, maps, "libc.so", memory, read_tid_offset, &area);
    read_from(process, maps, "ld-linux", memory, read_cpu_id_offset, &area);
    *ret = area;
}
