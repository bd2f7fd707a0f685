/* SPDX-License-Identifier: MIT */
/*
 * The stacks are those of this test: glibc's backtrace(), which uses the compiler's own unwinder, says what is true.
 */
#include "native/unwinder.h"

#include "base/cleanup.h"
#include "image/loaded_image.h"
#include "own_process.h"

#include <elf.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { DEPTH = 40 };

static struct own_stack own; /* what was taken last */
static remote_addr end;      /* of the stack that the test runs on */

static void free_stack(void)
{
    free((void *)(uintptr_t)own.stack.bytes);
    own.stack.bytes = NULL;
}

static void take(void)
{
    free_stack();
    own_stack_take(&own, end);
}

struct fixture {
    struct maps maps;
    struct modules *modules;
    struct unwinder *unwinder;
    const struct native_frame *frames;
    uint32_t count;
};

static void make(struct fixture *fixture, const struct module_opener *opener)
{
    own_maps_init(&fixture->maps);
    assert_null(modules_create(opener, &own_memory, &fixture->modules));
    assert_null(modules_update(fixture->modules, &fixture->maps));
    assert_null(unwinder_create(fixture->modules, &fixture->unwinder));
}

static void unmake(struct fixture *fixture)
{
    unwinder_destroy(fixture->unwinder);
    modules_destroy(fixture->modules);
    maps_deinit(&fixture->maps);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    end = own_stack_end();
    make(&fixture, &own_opener);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    unmake(*state);
    free_stack();
    return 0;
}

static enum unwind_end run(struct fixture *fixture, const struct native_stack *stack)
{
    fixture->frames = NULL;
    fixture->count = 0;
    return unwinder_run(fixture->unwinder, stack, &fixture->frames, &fixture->count);
}

/* What holds for each answer, whatever the stack. */
static void check_sanity(const struct fixture *fixture, const struct native_stack *stack)
{
    assert_in_range(fixture->count, 1, NATIVE_FRAME_LIMIT);
    assert_int_equal(fixture->frames[0].pc, stack->registers.values[REGISTER_PC]);
    assert_int_equal(fixture->frames[0].sp, stack->registers.values[REGISTER_SP]);
    assert_false(fixture->frames[0].is_call);
    for (uint32_t i = 0; i + 1 < fixture->count; i++)
        assert_int_equal(fixture->frames[i].cfa, fixture->frames[i + 1].sp);
}

/* The first frame is in own_stack_take() for both, at different instructions. */
static void check_truth(const struct fixture *fixture)
{
    check_sanity(fixture, &own.stack);
    assert_int_equal(fixture->count, own.truth_count);
    for (uint32_t i = 1; i < fixture->count; i++)
        assert_int_equal(fixture->frames[i].pc, (remote_addr)(uintptr_t)own.truth[i]);
}

static void check_whole(struct fixture *fixture)
{
    assert_int_equal(run(fixture, &own.stack), UNWIND_WHOLE);
    check_truth(fixture);
}

static volatile int used;

/* Frames of several shapes: with a length known only at run time, with many registers saved, aligned, and plain. */
__attribute__((noinline)) static int descend(int depth, double x)
{
    _Alignas(64) volatile char aligned[64] = {0};
    volatile char *const some = __builtin_alloca((size_t)depth * 8 + 16);
    some[0] = (char)depth;
    int result = used;
    if (depth > 0)
        result += descend(depth - 1, x + 0.5);
    else
        take();
    return result + some[0] + aligned[depth % 64] + (int)x;
}

static int compare(const void *a, const void *b)
{
    (void)a;
    (void)b;
    descend(3, 1);
    return 0;
}

__attribute__((noinline)) static int recurse(int depth)
{
    int items[2] = {depth, used};
    if (depth > 0)
        items[0] += recurse(depth - 1);
    else
        qsort(items, 2, sizeof(*items), compare);
    return items[0] + items[1];
}

static void a_deep_stack_is_what_glibc_says(void **state)
{
    struct fixture *fixture = *state;
    descend(DEPTH, 1);
    check_whole(fixture);
    assert_true(fixture->count > DEPTH);
}

static void the_same_stack_a_second_time_is_the_same(void **state)
{
    struct fixture *fixture = *state;
    for (int depth = 0; depth < DEPTH; depth++) {
        descend(depth, 1);
        check_whole(fixture);
        check_whole(fixture);
    }
}

static void callbacks_out_of_the_c_library_are_followed(void **state)
{
    recurse(DEPTH);
    check_whole(*state);
}

static void handle(int number)
{
    (void)number;
    descend(2, 1);
}

static void raise_signal(int flags)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = flags}, before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
}

static void a_signal_handler_was_not_called(void **state)
{
    struct fixture *fixture = *state;
    unsigned not_called = 0;
    raise_signal(0);
    check_whole(fixture);
    for (uint32_t i = 1; i < fixture->count; i++)
        not_called += !fixture->frames[i].is_call;
    assert_int_equal(not_called, 2); /* what the kernel made, and what it interrupted */
}

static void the_stack_behind_a_signal_stack_is_not_in_the_copy(void **state)
{
    static unsigned char alternative[1 << 16];
    const stack_t stack = {.ss_sp = alternative, .ss_size = sizeof(alternative)};
    struct fixture *fixture = *state;
    stack_t before;
    assert_int_equal(sigaltstack(&stack, &before), 0);
    end = (remote_addr)(uintptr_t)alternative + sizeof(alternative);
    raise_signal(SA_ONSTACK);
    sigaltstack(&before, NULL);
    assert_int_not_equal(run(fixture, &own.stack), UNWIND_WHOLE);
    check_sanity(fixture, &own.stack);
    assert_in_range(fixture->count, 6, own.truth_count); /* the handler's, and the frame that it interrupted */
    for (uint32_t i = 1; i < fixture->count; i++)
        assert_int_equal(fixture->frames[i].pc, (remote_addr)(uintptr_t)own.truth[i]);
}

static void *run_thread(void *argument)
{
    (void)argument;
    end = own_stack_end();
    descend(5, 1);
    return NULL;
}

static void a_thread_begins_where_it_was_made(void **state)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_thread, NULL), 0);
    pthread_join(thread, NULL);
    check_whole(*state);
}

static void a_copy_that_ends_early_gives_the_inner_frames(void **state)
{
    struct fixture *fixture = *state;
    descend(DEPTH, 1);
    struct native_stack cut = own.stack;
    uint32_t most = 0;
    for (cut.len = 0; cut.len < own.stack.len; cut.len += sizeof(uint64_t)) {
        enum unwind_end how = run(fixture, &cut);
        check_sanity(fixture, &cut);
        assert_true(how == UNWIND_CUT || fixture->count == (uint32_t)own.truth_count);
        assert_in_range(fixture->count, most, own.truth_count);
        most = fixture->count;
        for (uint32_t i = 1; i < fixture->count; i++)
            assert_int_equal(fixture->frames[i].pc, (remote_addr)(uintptr_t)own.truth[i]);
    }
    assert_int_equal(most, own.truth_count);
}

static void there_is_an_end_to_frames(void **state)
{
    struct fixture *fixture = *state;
    recurse(NATIVE_FRAME_LIMIT + 10);
    assert_int_equal(run(fixture, &own.stack), UNWIND_CUT);
    assert_int_equal(fixture->count, NATIVE_FRAME_LIMIT);
    check_sanity(fixture, &own.stack);
}

/* As if own_stack_take() had called an address in place of backtrace(). */
static void call_from_here(struct native_stack *stack, remote_addr pc)
{
    unsigned char *bytes = malloc(stack->len + sizeof(uint64_t));
    const uint64_t back = (uint64_t)(uintptr_t)own.truth[0];
    assert_non_null(bytes);
    memcpy(bytes, &back, sizeof(back));
    memcpy(bytes + sizeof(back), stack->bytes, stack->len);
    stack->start -= sizeof(back);
    stack->len += sizeof(back);
    stack->bytes = bytes;
    stack->registers.values[REGISTER_SP] -= sizeof(back);
    stack->registers.values[REGISTER_PC] = pc;
#if defined(__aarch64__)
    stack->registers.values[30] = back;
    stack->registers.values[REGISTER_SP] += sizeof(back);
#endif
}

static void a_call_of_nothing_shows_who_called(void **state)
{
    struct fixture *fixture = *state;
    static const remote_addr nowheres[] = {0, 1, 0x1000, UINT64_MAX};
    descend(3, 1);
    for (size_t i = 0; i < array_size(nowheres); i++) {
        struct native_stack stack = own.stack;
        call_from_here(&stack, nowheres[i]);
        assert_int_equal(run(fixture, &stack), UNWIND_WHOLE);
        check_sanity(fixture, &stack);
        assert_int_equal(fixture->count, own.truth_count + 1);
        for (uint32_t k = 1; k < fixture->count; k++)
            assert_int_equal(fixture->frames[k].pc, (remote_addr)(uintptr_t)own.truth[k - 1]);
        free((void *)(uintptr_t)stack.bytes);
    }
}

/* A function as a just-in-time compiler makes it: it keeps its frame pointer, calls its argument, and no file tells. */
static const unsigned char calls_its_argument[] = {
#if defined(__aarch64__)
    0xfd, 0x7b, 0xbf, 0xa9, /* stp x29, x30, [sp, #-16]! */
    0xfd, 0x03, 0x00, 0x91, /* mov x29, sp */
    0x00, 0x00, 0x3f, 0xd6, /* blr x0 */
    0xfd, 0x7b, 0xc1, 0xa8, /* ldp x29, x30, [sp], #16 */
    0xc0, 0x03, 0x5f, 0xd6, /* ret */
#else
    0x55,             /* push %rbp */
    0x48, 0x89, 0xe5, /* mov %rsp, %rbp */
    0xff, 0xd7,       /* call *%rdi */
    0x5d,             /* pop %rbp */
    0xc3,             /* ret */
#endif
};

#if !defined(__aarch64__)
/* As CPython 3.12 makes it for each Python function with -X perf. */
static const unsigned char only_calls_its_argument[] = {
    0x48, 0x83, 0xec, 0x08, /* sub $8, %rsp */
    0xff, 0xd7,             /* call *%rdi */
    0x48, 0x83, 0xc4, 0x08, /* add $8, %rsp */
    0xc3,                   /* ret */
};
#endif

static void *make_code(const unsigned char *bytes, size_t len)
{
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(code != MAP_FAILED);
    memcpy(code, bytes, len);
    assert_int_equal(mprotect(code, 4096, PROT_READ | PROT_EXEC), 0);
    __builtin___clear_cache(code, (char *)code + len);
    return code;
}

/* Calls it between two looks at the stack. The callers of both are the same. */
static void take_through(const unsigned char *bytes, size_t len, struct own_stack *ret_without)
{
    void *code = make_code(bytes, len);
    void (*function)(void (*)(void));
    memcpy(&function, &code, sizeof(function));
    own_stack_take(ret_without, end);
    function(take);
    used++; /* so that it is called, and not gone to */
}

static void check_code_without_a_file(const unsigned char *bytes, size_t len)
{
    struct fixture fixture;
    static struct own_stack without;
    end = own_stack_end();
    take_through(bytes, len, &without);
    make(&fixture, &own_opener); /* which sees the new code */
    assert_int_equal(run(&fixture, &own.stack), UNWIND_WHOLE);
    check_sanity(&fixture, &own.stack);
    uint32_t caller = 1;
    while (modules_find(fixture.modules, fixture.frames[caller - 1].pc)->path[0] != '\0')
        assert_true(++caller < fixture.count);
    assert_true(fixture.frames[caller].is_guess);
    assert_int_equal(fixture.count - caller, (uint32_t)without.truth_count - 1);
    for (uint32_t i = caller + 1; i < fixture.count; i++)
        assert_int_equal(fixture.frames[i].pc, (remote_addr)(uintptr_t)without.truth[i - caller + 1]);
    unmake(&fixture);
    free((void *)(uintptr_t)without.stack.bytes);
}

static void code_without_a_file_is_left_along_its_frame_pointer(void **state)
{
    (void)state;
    check_code_without_a_file(calls_its_argument, sizeof(calls_its_argument));
}

#if !defined(__aarch64__)

static void code_that_only_calls_is_left_without_one(void **state)
{
    (void)state;
    check_code_without_a_file(only_calls_its_argument, sizeof(only_calls_its_argument));
}

static int take_in_comparison(const void *a, const void *b)
{
    (void)a;
    (void)b;
    take();
    return used;
}

/* A comparison that keeps no frame pointer, and uses that register for something else. */
static void *make_comparison(void)
{
    unsigned char code[] = {
        0x55,                                     /* push %rbp */
        0x31, 0xed,                               /* xor %ebp, %ebp */
        0x48, 0x83, 0xec, 0x20,                   /* sub $32, %rsp */
        0x48, 0xb8, 0,    0,    0, 0, 0, 0, 0, 0, /* mov $take, %rax */
        0xff, 0xd0,                               /* call *%rax */
        0x48, 0x83, 0xc4, 0x20,                   /* add $32, %rsp */
        0x31, 0xc0,                               /* xor %eax, %eax */
        0x5d,                                     /* pop %rbp */
        0xc3,                                     /* ret */
    };
    void (*const function)(void) = take;
    memcpy(code + 9, &function, sizeof(function));
    return make_code(code, sizeof(code));
}

static void the_innermost_code_without_a_frame_pointer_is_left_too(void **state)
{
    (void)state;
    struct fixture fixture;
    static struct own_stack in_c;
    void *code = make_comparison();
    int (*comparisons[])(const void *, const void *) = {take_in_comparison, NULL};
    memcpy(&comparisons[1], &code, sizeof(code));
    end = own_stack_end();
    for (volatile size_t i = 0; i < array_size(comparisons); i++) { /* from one call */
        int items[2] = {2, 1};
        in_c = i == 1 ? own : in_c;
        own.stack.bytes = NULL;
        qsort(items, 2, sizeof(*items), comparisons[i]);
    }
    make(&fixture, &own_opener);
    assert_int_equal(run(&fixture, &own.stack), UNWIND_LOST); /* it is not the innermost */
    const struct native_frame jit = fixture.frames[fixture.count - 1];
    assert_string_equal(modules_find(fixture.modules, jit.pc)->path, "");
    struct native_stack inner = own.stack;
    memset(inner.registers.values, 0, sizeof(inner.registers.values));
    inner.registers.values[REGISTER_PC] = jit.pc;
    inner.registers.values[REGISTER_SP] = jit.sp;
    assert_int_equal(run(&fixture, &inner), UNWIND_WHOLE);
    check_sanity(&fixture, &inner);
    assert_true(fixture.frames[1].is_guess);
    for (uint32_t i = 1; i < fixture.count; i++) {
        void *truth = in_c.truth[(uint32_t)in_c.truth_count - fixture.count + i];
        assert_int_equal(fixture.frames[i].pc, (remote_addr)(uintptr_t)truth);
        assert_true(i == 1 || !fixture.frames[i].is_guess);
    }
    unmake(&fixture);
    free((void *)(uintptr_t)in_c.stack.bytes);
}

#endif

static void without_modules_there_is_one_frame(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct maps none = {0};
    make(&fixture, &own_opener);
    descend(3, 1);
    assert_int_equal(run(&fixture, &own.stack), UNWIND_WHOLE);
    assert_null(modules_update(fixture.modules, &none));
    unwinder_update(fixture.unwinder);
    assert_int_not_equal(run(&fixture, &own.stack), UNWIND_WHOLE);
    assert_int_equal(fixture.count, 1);
    assert_null(modules_update(fixture.modules, &fixture.maps));
    unwinder_update(fixture.unwinder);
    check_whole(&fixture);
    unmake(&fixture);
}

static void nothing_is_allocated_for_what_is_known(void **state)
{
    descend(DEPTH, 1);
    check_whole(*state);
    size_t before = mallinfo2().uordblks;
    check_whole(*state);
    assert_int_equal(mallinfo2().uordblks, before);
}

static uint64_t seed = 0x9e3779b97f4a7c15U;

static uint64_t random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* An address that may have to do with the process. */
static uint64_t random_address(const struct fixture *fixture)
{
    const struct mapping *mapping = &fixture->maps.mappings[random_number() % fixture->maps.count];
    switch (random_number() % 4) {
    case 0:
        return random_number();
    case 1:
        return own.stack.start + random_number() % (own.stack.len + 64);
    case 2:
        return random_number() % 64;
    default:
        return mapping->start + random_number() % (mapping->end - mapping->start);
    }
}

/* Callers in the C library are found though its file is said to be gone, as long as nobody tells the unwinder so. */
static void the_unchanged_part_of_a_stack_is_not_unwound_again(void **state)
{
    struct fixture *fixture = *state;
    cleanup_free struct mapping *left = malloc(fixture->maps.count * sizeof(*left));
    struct maps maps = {.mappings = left};
    assert_non_null(left);
    for (uint32_t i = 0; i < fixture->maps.count; i++) {
        if (!strstr(fixture->maps.mappings[i].path, "/libc"))
            left[maps.count++] = fixture->maps.mappings[i];
    }
    recurse(3);
    check_whole(fixture);
    assert_null(modules_update(fixture->modules, &maps));
    check_whole(fixture);
    unwinder_update(fixture->unwinder);
    assert_int_not_equal(run(fixture, &own.stack), UNWIND_WHOLE);
}

/* What an unwinder says that does not remember any stack. */
static void check_against_no_memory(struct fixture *fixture, struct unwinder *forgetful,
                                    const struct native_stack *stack)
{
    const struct native_frame *frames;
    uint32_t count;
    unwinder_update(forgetful);
    enum unwind_end how = unwinder_run(forgetful, stack, &frames, &count);
    assert_int_equal(run(fixture, stack), how);
    assert_int_equal(fixture->count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(fixture->frames[i].pc, frames[i].pc);
        assert_int_equal(fixture->frames[i].sp, frames[i].sp);
        assert_int_equal(fixture->frames[i].cfa, frames[i].cfa);
        assert_int_equal(fixture->frames[i].is_call, frames[i].is_call);
        assert_int_equal(fixture->frames[i].is_guess, frames[i].is_guess);
    }
}

static uint64_t random_word_of(const struct native_stack *stack)
{
    uint64_t word;
    memcpy(&word, stack->bytes + random_number() % (stack->len - sizeof(word)) / sizeof(word) * sizeof(word),
           sizeof(word));
    return random_number() % 4 == 0 ? random_number() : word;
}

static void take_shape(int number)
{
    switch (number % 3) {
    case 0:
        descend(DEPTH, 1);
        return;
    case 1:
        recurse(DEPTH / 2);
        return;
    default:
        raise_signal(0);
        return;
    }
}

/* One to three words or registers of a stack get a value that others of it have; most are changed back afterwards. */
static void remembered_stacks_change_no_answer(void **state)
{
    struct fixture *fixture = *state;
    struct unwinder *forgetful;
    uint32_t whole = 0;
    assert_null(unwinder_create(fixture->modules, &forgetful));
    for (int round = 0; round < 1500; round++) {
        if (round % 100 == 0)
            take_shape(round / 100);
        struct native_stack stack = own.stack;
        /* Sometimes another end, and so another stack: more of them than are remembered. */
        if (round % 3 == 0)
            stack.len -= random_number() % 64 * sizeof(uint64_t);
        unsigned char *bytes = malloc(stack.len);
        assert_non_null(bytes);
        memcpy(bytes, own.stack.bytes, stack.len);
        stack.bytes = bytes;
        for (uint64_t i = random_number() % 4; i > 0; i--) {
            uint64_t value = random_word_of(&stack), at = random_number() % (stack.len / sizeof(value));
            if (random_number() % 4 == 0)
                stack.registers.values[random_number() % REGISTER_SP] = value;
            else
                memcpy(bytes + at * sizeof(value), &value, sizeof(value));
        }
        check_against_no_memory(fixture, forgetful, &stack);
        whole += fixture->count > 10;
        free(bytes);
    }
    assert_in_range(whole, 300, 1500);
    unwinder_destroy(forgetful);
}

static void hostile_registers_and_bytes_do_no_harm(void **state)
{
    struct fixture *fixture = *state;
    descend(DEPTH, 1);
    struct native_stack hostile = own.stack;
    cleanup_free unsigned char *bytes = malloc(own.stack.len);
    assert_non_null(bytes);
    for (int round = 0; round < 10000; round++) {
        memcpy(bytes, own.stack.bytes, own.stack.len);
        hostile.bytes = bytes;
        hostile.registers = own.stack.registers;
        for (uint64_t i = random_number() % 4; i > 0; i--)
            hostile.registers.values[random_number() % REGISTER_COUNT] = random_address(fixture);
        for (uint64_t i = random_number() % 8; i > 0; i--) {
            uint64_t address = random_address(fixture);
            memcpy(bytes + random_number() % (own.stack.len - sizeof(address)), &address, sizeof(address));
        }
        hostile.start = round % 100 == 0 ? random_address(fixture) : own.stack.start;
        run(fixture, &hostile);
        check_sanity(fixture, &hostile);
    }
}

/* This program's file with some bytes changed, in place of the true one; other files cannot be opened. */
struct changed_file {
    const char *path;
    unsigned char *bytes;
    size_t len;
};

static struct error *open_changed(void *context, const struct maps *maps, const struct mapping *mapping,
                                  struct loaded_image *ret)
{
    const struct changed_file *file = context;
    if (strcmp(mapping->path, file->path) != 0)
        return own_opener.open(NULL, maps, mapping, ret);
    ret->bias = maps->mappings[0].start;
    return image_open_bytes(file->bytes, file->len, &ret->image);
}

/* Finds the part of a file that holds its unwind tables, by the program headers; both parts stand one behind another.
 */
static void find_tables(const struct changed_file *file, size_t *ret_at, size_t *ret_len)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment = {0};
    memcpy(&header, file->bytes, sizeof(header));
    for (size_t i = 0; i < header.e_phnum; i++) {
        memcpy(&segment, file->bytes + header.e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type == PT_GNU_EH_FRAME)
            break;
    }
    assert_int_equal(segment.p_type, PT_GNU_EH_FRAME);
    *ret_at = segment.p_offset;
    *ret_len = segment.p_filesz * 5; /* .eh_frame follows, and is longer */
    if (*ret_len > file->len - *ret_at)
        *ret_len = file->len - *ret_at;
}

static void read_whole(const char *path, struct changed_file *ret)
{
    cleanup_file FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    ret->path = path;
    ret->len = (size_t)ftell(file);
    ret->bytes = malloc(ret->len);
    rewind(file);
    assert_int_equal(fread(ret->bytes, 1, ret->len, file), ret->len);
}

static void run_with_changed_file(struct changed_file *file)
{
    const struct module_opener opener = {.context = file, .open = open_changed};
    struct fixture fixture;
    make(&fixture, &opener);
    run(&fixture, &own.stack);
    check_sanity(&fixture, &own.stack);
    unmake(&fixture);
}

static void changed_tables_do_no_harm(void **state)
{
    struct fixture *fixture = *state;
    const struct mapping *mapping = maps_find(&fixture->maps, (remote_addr)(uintptr_t)descend);
    struct changed_file file;
    size_t at, len;
    read_whole(mapping->path, &file);
    find_tables(&file, &at, &len);
    descend(5, 1);
    recurse(2);
    cleanup_free unsigned char *tables = malloc(len);
    assert_non_null(tables);
    memcpy(tables, file.bytes + at, len);
    for (int round = 0; round < 1500; round++) {
        /* A few, so that other entries are still good, or many. */
        for (uint64_t i = random_number() % (round % 2 ? 4 : len / 16); i > 0; i--)
            file.bytes[at + random_number() % len] = (unsigned char)random_number();
        run_with_changed_file(&file);
        memcpy(file.bytes + at, tables, len);
    }
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_deep_stack_is_what_glibc_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_stack_a_second_time_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(callbacks_out_of_the_c_library_are_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_signal_handler_was_not_called, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_stack_behind_a_signal_stack_is_not_in_the_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_thread_begins_where_it_was_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copy_that_ends_early_gives_the_inner_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_is_an_end_to_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_of_nothing_shows_who_called, set_up, tear_down),
        cmocka_unit_test_setup_teardown(code_without_a_file_is_left_along_its_frame_pointer, set_up, tear_down),
#if !defined(__aarch64__)
        cmocka_unit_test_setup_teardown(code_that_only_calls_is_left_without_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_innermost_code_without_a_frame_pointer_is_left_too, set_up, tear_down),
#endif
        cmocka_unit_test_setup_teardown(without_modules_there_is_one_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_allocated_for_what_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_unchanged_part_of_a_stack_is_not_unwound_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(remembered_stacks_change_no_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_registers_and_bytes_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_tables_do_no_harm, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
