/* SPDX-License-Identifier: MIT */
#include "python_heap.h"

#include "python/layout.h"
#include "python/runtime.h"
#include "python/walk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIGNMENT = 16,
    RUNTIME_LEN = 4096,
    INTERPRETER_LEN = 8192,
    THREAD_LEN = 1024,
    FRAME_LEN = 128,
    STACK_LEN = 4096, /* of a thread; a test that needs more brings its own frames */
    STACK_HEAD_LEN = 24,
    GIL_LEN = 64,
    CODE_LEN = 512, /* with its instructions */
    TYPE_LEN = 1024,
    UNIT_LEN = 2,
    COPY_COUNT = 2,   /* of each code object's instructions, where threads have their own */
    WIDE_LEN = 4,     /* of a character of a unicode object of 2.7, unless a test changes its layout */
    BASE_FRAME = 888, /* CPython 3.15 Include/internal/pycore_tstate.h: behind the PyThreadState */
    /* CPython 2.7 Include/object.h: bits of tp_flags. */
    FLAG_INT = 1 << 23,
    FLAG_STRING = 1 << 27,
    FLAG_UNICODE = 1 << 28,
};

static const remote_addr HEAP_ADDRESS = 0x7f0000000000;

static remote_addr make_type(struct python_heap *heap, uint64_t flags)
{
    remote_addr type = python_heap_alloc(heap, TYPE_LEN);
    python_heap_put_u64(heap, type + heap->layout->type.flags, flags);
    return type;
}

struct python_heap *python_heap_create(const struct layout *layout, size_t len)
{
    struct python_heap *heap = calloc(1, sizeof(*heap));
    fake_memory_init(&heap->fake);
    heap->layout = malloc(sizeof(*layout));
    *heap->layout = *layout;
    if (layout->container_format == CONTAINERS_2)
        heap->layout->text.wide_len = WIDE_LEN;
    heap->bytes = calloc(1, len);
    heap->len = len;
    heap->next_version = 1000;
    fake_memory_map(&heap->fake, HEAP_ADDRESS, heap->bytes, len);
    heap->runtime = python_heap_alloc(heap, RUNTIME_LEN);
    heap->code_type = python_heap_alloc(heap, TYPE_LEN);
    heap->other_type = python_heap_alloc(heap, TYPE_LEN);
    heap->int_type = make_type(heap, FLAG_INT);
    heap->str_type = make_type(heap, FLAG_STRING);
    heap->unicode_type = make_type(heap, FLAG_UNICODE);
    heap->none = python_heap_alloc(heap, layout->object.var_size);
    heap->current_thread = python_heap_alloc(heap, sizeof(remote_addr));
    return heap;
}

struct python_heap *python_heap_create_with_gil(size_t len)
{
    uint32_t count;
    const struct layout *layout = layout_all(&count);
    while (count > 0 && layout->gil_format != GIL_OF_INTERPRETER) {
        layout++;
        count--;
    }
    return count > 0 ? python_heap_create(layout, len) : NULL;
}

void python_heap_destroy(struct python_heap *heap)
{
    free(heap->bytes);
    free(heap->layout);
    free(heap);
}

struct python *python_heap_open(const struct python_heap *heap)
{
    struct python_runtime runtime = {
        .version = {.major = (uint8_t)(heap->layout->version >> 8), .minor = (uint8_t)heap->layout->version},
        .address = heap->runtime,
        .current_thread = heap->layout->gil_format == GIL_CURRENT_THREAD ? heap->current_thread : 0,
        .code_type = heap->code_type,
        .layout = malloc(sizeof(*runtime.layout)),
    };
    *runtime.layout = *heap->layout;
    struct python *python = NULL;
    struct error *error = python_create(&runtime, &python);
    assert(!error && !runtime.layout);
    return error ? NULL : python;
}

remote_addr python_heap_alloc(struct python_heap *heap, size_t len)
{
    remote_addr address = HEAP_ADDRESS + heap->used;
    heap->used += (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    assert(heap->used <= heap->len);
    return address;
}

unsigned char *python_heap_bytes_at(struct python_heap *heap, remote_addr address)
{
    assert(address >= HEAP_ADDRESS && address < HEAP_ADDRESS + heap->len);
    return heap->bytes + (address - HEAP_ADDRESS);
}

void python_heap_put_u64(struct python_heap *heap, remote_addr address, uint64_t value)
{
    memcpy(python_heap_bytes_at(heap, address), &value, sizeof(value));
}

void python_heap_put_u32(struct python_heap *heap, remote_addr address, uint32_t value)
{
    memcpy(python_heap_bytes_at(heap, address), &value, sizeof(value));
}

void python_heap_put_u8(struct python_heap *heap, remote_addr address, unsigned value)
{
    *python_heap_bytes_at(heap, address) = (unsigned char)value;
}

static uint64_t get_u64(struct python_heap *heap, remote_addr address)
{
    uint64_t value;
    memcpy(&value, python_heap_bytes_at(heap, address), sizeof(value));
    return value;
}

/* In 2.7 a str has bytes; whatever else is text has characters of one width, which lie elsewhere. */
static remote_addr make_unicode_2(struct python_heap *heap, const unsigned char *characters, size_t count,
                                  unsigned kind)
{
    const struct layout *layout = heap->layout;
    unsigned wide_len = layout->text.wide_len;
    remote_addr data = python_heap_alloc(heap, (count + 1) * wide_len);
    remote_addr object = python_heap_alloc(heap, layout->text.compact_data + sizeof(uint64_t));
    for (size_t i = 0; i < count; i++)
        memcpy(python_heap_bytes_at(heap, data + i * wide_len), characters + i * kind,
               kind < wide_len ? kind : wide_len);
    python_heap_put_u64(heap, object + layout->object.type, heap->unicode_type);
    python_heap_put_u64(heap, object + layout->text.length, count);
    python_heap_put_u64(heap, object + layout->text.compact_data, data);
    return object;
}

static void put_hash(struct python_heap *heap, remote_addr object, size_t count)
{
    python_heap_put_u64(heap, object + heap->layout->text.hash, object * 31 + count);
}

/* CPython Include/cpython/unicodeobject.h: behind the kind, of 3 bits, the state has a bit each for compact and ascii.
 */
remote_addr python_heap_str(struct python_heap *heap, const void *characters, size_t count, unsigned kind,
                            bool is_ascii)
{
    const struct layout *layout = heap->layout;
    if (layout->container_format == CONTAINERS_2)
        return is_ascii ? python_heap_bytes(heap, characters, count) : make_unicode_2(heap, characters, count, kind);
    uint16_t data = is_ascii ? layout->text.ascii_data : layout->text.compact_data;
    remote_addr object = python_heap_alloc(heap, data + count * kind + kind);
    uint32_t state = kind | 1U << 3 | (is_ascii ? 1U << 4 : 0);
    python_heap_put_u64(heap, object + layout->text.length, count);
    python_heap_put_u32(heap, object + layout->text.state, state << layout->text.kind_shift);
    put_hash(heap, object, count);
    memcpy(python_heap_bytes_at(heap, object + data), characters, count * kind);
    return object;
}

remote_addr python_heap_text(struct python_heap *heap, const char *text)
{
    return python_heap_str(heap, text, strlen(text), 1, true);
}

remote_addr python_heap_bytes(struct python_heap *heap, const void *bytes, size_t len)
{
    const struct layout *layout = heap->layout;
    remote_addr object = python_heap_alloc(heap, layout->bytes.data + len + 1);
    python_heap_put_u64(heap, object + layout->object.type, heap->str_type);
    python_heap_put_u64(heap, object + layout->bytes.length, len);
    put_hash(heap, object, len);
    if (len > 0)
        memcpy(python_heap_bytes_at(heap, object + layout->bytes.data), bytes, len);
    return object;
}

remote_addr python_heap_int(struct python_heap *heap, uint64_t number)
{
    const struct layout *layout = heap->layout;
    remote_addr object = python_heap_alloc(heap, layout->integer.digits + 3 * sizeof(uint32_t));
    uint32_t count = 0;
    python_heap_put_u64(heap, object + layout->object.type, heap->int_type);
    if (layout->container_format == CONTAINERS_2) {
        python_heap_put_u64(heap, object + layout->integer.digits, number);
        return object;
    }
    for (; number != 0; number >>= 30, count++)
        python_heap_put_u32(heap, object + layout->integer.digits + count * sizeof(uint32_t), number & 0x3fffffff);
    if (layout->integer.tag != LAYOUT_NONE)
        python_heap_put_u64(heap, object + layout->integer.tag, count ? (uint64_t)count << 3 : 1);
    else
        python_heap_put_u64(heap, object + layout->object.var_size, count);
    return object;
}

/* A table that gives each instruction, two bytes long, the line after the last one's. */
static remote_addr make_line_table(struct python_heap *heap)
{
    unsigned char table[3 * PYTHON_HEAP_CODE_LINES];
    size_t len = 0;
    for (int i = 0; i < PYTHON_HEAP_CODE_LINES; i++) {
        unsigned char is_next = i > 0;
        switch (heap->layout->line_format) {
        case LINES_LNOTAB_UNSIGNED:
        case LINES_LNOTAB:
            table[len++] = is_next ? UNIT_LEN : 0;
            table[len++] = is_next;
            break;
        case LINES_RANGES:
            table[len++] = UNIT_LEN;
            table[len++] = is_next;
            break;
        case LINES_LOCATIONS:
            table[len++] = (unsigned char)(0x80 | (10 + is_next) << 3); /* one unit, "one line" form */
            table[len++] = 4;
            table[len++] = 9;
            break;
        }
    }
    return python_heap_bytes(heap, table, len);
}

/* CPython 3.14 Include/internal/pycore_code.h: _PyCodeArray: their number, then where each of them is. */
static remote_addr make_copies(struct python_heap *heap, remote_addr code)
{
    remote_addr copies = python_heap_alloc(heap, (1 + COPY_COUNT) * sizeof(remote_addr));
    python_heap_put_u64(heap, copies, COPY_COUNT);
    python_heap_put_u64(heap, copies + 8, code + heap->layout->code.instructions);
    for (unsigned i = 1; i < COPY_COUNT; i++)
        python_heap_put_u64(heap, copies + (1 + i) * 8, python_heap_alloc(heap, CODE_LEN));
    return copies;
}

remote_addr python_heap_code(struct python_heap *heap, const char *name, const char *filename, uint32_t first_line)
{
    const struct layout *layout = heap->layout;
    remote_addr code = python_heap_alloc(heap, CODE_LEN);
    python_heap_put_u64(heap, code + layout->object.type, heap->code_type);
    python_heap_put_u64(heap, code + layout->code.filename, python_heap_text(heap, filename));
    python_heap_put_u64(heap, code + layout->code.name, python_heap_text(heap, name));
    if (layout->code.qualname != LAYOUT_NONE)
        python_heap_put_u64(heap, code + layout->code.qualname, python_heap_text(heap, name));
    python_heap_put_u64(heap, code + layout->code.line_table, make_line_table(heap));
    python_heap_put_u32(heap, code + layout->code.first_line, first_line);
    if (layout->code.version != LAYOUT_NONE)
        python_heap_put_u32(heap, code + layout->code.version, heap->next_version++);
    if (layout->code.tlbc != LAYOUT_NONE)
        python_heap_put_u64(heap, code + layout->code.tlbc, make_copies(heap, code));
    return code;
}

remote_addr python_heap_gil(struct python_heap *heap, remote_addr interpreter)
{
    if (heap->layout->gil_format == GIL_CURRENT_THREAD)
        return heap->current_thread;
    if (heap->layout->gil_format == GIL_OF_RUNTIME)
        return heap->runtime + heap->layout->runtime.gil;
    return get_u64(heap, interpreter + heap->layout->interpreter.gil_pointer);
}

void python_heap_set_gil(struct python_heap *heap, remote_addr interpreter, remote_addr thread, int locked)
{
    remote_addr gil = python_heap_gil(heap, interpreter);
    if (heap->layout->gil_format == GIL_CURRENT_THREAD) {
        python_heap_put_u64(heap, gil, locked == 1 ? thread : 0);
        return;
    }
    python_heap_put_u64(heap, gil + heap->layout->gil.last_holder, thread);
    python_heap_put_u32(heap, gil + heap->layout->gil.locked, (uint32_t)locked);
}

void python_heap_set_switches(struct python_heap *heap, remote_addr interpreter, uint64_t switches)
{
    python_heap_put_u64(heap, python_heap_gil(heap, interpreter) + heap->layout->gil.switch_number, switches);
}

void python_heap_attach(struct python_heap *heap, remote_addr interpreter, const struct heap_thread *thread)
{
    if (heap->layout->gil_format == GIL_OPTIONAL)
        python_heap_set_state(heap, thread, 1);
    else
        python_heap_set_gil(heap, interpreter, thread->address, 1);
}

void python_heap_set_state(struct python_heap *heap, const struct heap_thread *thread, uint32_t state)
{
    if (heap->layout->thread.state != LAYOUT_NONE)
        python_heap_put_u32(heap, thread->address + heap->layout->thread.state, state);
}

void python_heap_collect(struct python_heap *heap, remote_addr interpreter, remote_addr frame)
{
    const struct layout *layout = heap->layout;
    if (layout->interpreter.collecting != LAYOUT_NONE)
        python_heap_put_u32(heap, interpreter + layout->interpreter.collecting, 1);
    if (layout->interpreter.collecting_frame != LAYOUT_NONE)
        python_heap_put_u64(heap, interpreter + layout->interpreter.collecting_frame, frame);
}

/* Puts a block at the head of the list that begins at `head`. */
static void prepend(struct python_heap *heap, remote_addr head, remote_addr block, uint16_t next)
{
    python_heap_put_u64(heap, block + next, get_u64(heap, head));
    python_heap_put_u64(heap, head, block);
}

remote_addr python_heap_interpreter(struct python_heap *heap)
{
    const struct layout *layout = heap->layout;
    remote_addr interpreter = python_heap_alloc(heap, INTERPRETER_LEN);
    if (layout->interpreter.gil_pointer != LAYOUT_NONE)
        python_heap_put_u64(heap, interpreter + layout->interpreter.gil_pointer, python_heap_alloc(heap, GIL_LEN));
    if (layout->interpreter.id != LAYOUT_NONE)
        python_heap_put_u64(heap, interpreter + layout->interpreter.id, heap->interpreter_count);
    heap->interpreter_count++;
    prepend(heap, heap->runtime + layout->runtime.interpreters_head, interpreter, layout->interpreter.next);
    return interpreter;
}

/* Makes `frame` the one that the thread executes. */
static void set_innermost(struct python_heap *heap, struct heap_thread *thread, remote_addr frame)
{
    thread->innermost = frame;
    python_heap_put_u64(heap, thread->cframe, frame);
}

static void set_stack_top(struct python_heap *heap, struct heap_thread *thread, remote_addr top)
{
    if (heap->layout->thread.stack_chunk == LAYOUT_NONE)
        return;
    thread->stack_top = top;
    python_heap_put_u64(heap, thread->address + heap->layout->thread.stack_chunk + sizeof(uint64_t), top);
}

/* From 3.15 on, a chain of frames ends with one that is in the thread state. */
static void put_base_frame(struct python_heap *heap, struct heap_thread *thread)
{
    if (heap->layout->version >= (3 << 8 | 15))
        python_heap_put_frame(heap, thread, thread->address + BASE_FRAME, heap->none, 0, PYTHON_HEAP_OWNER_C_STACK);
}

struct heap_thread python_heap_thread(struct python_heap *heap, remote_addr interpreter, uint64_t id)
{
    const struct layout *layout = heap->layout;
    struct heap_thread thread = {.address = python_heap_alloc(heap, THREAD_LEN)};
    python_heap_put_u64(heap, thread.address + layout->thread.interpreter, interpreter);
    python_heap_put_u64(heap, thread.address + layout->thread.id, id);
    if (layout->thread.native_id != LAYOUT_NONE)
        python_heap_put_u64(heap, thread.address + layout->thread.native_id, id);
    thread.cframe = thread.address + layout->thread.frame;
    if (layout->thread.cframe_frame != LAYOUT_NONE) {
        remote_addr cframe = python_heap_alloc(heap, 32);
        python_heap_put_u64(heap, thread.address + layout->thread.frame, cframe);
        thread.cframe = cframe + layout->thread.cframe_frame;
    }
    if (layout->thread.stack_chunk != LAYOUT_NONE) {
        thread.stack = python_heap_alloc(heap, STACK_LEN);
        python_heap_put_u64(heap, thread.address + layout->thread.stack_chunk, thread.stack);
        set_stack_top(heap, &thread, thread.stack + STACK_HEAD_LEN + sizeof(uint64_t));
    }
    put_base_frame(heap, &thread);
    prepend(heap, interpreter + layout->interpreter.threads_head, thread.address, layout->thread.next);
    return thread;
}

/* Where the instructions of a code object are that the thread executes. */
static remote_addr instructions_of(struct python_heap *heap, const struct heap_thread *thread, remote_addr code)
{
    const struct layout *layout = heap->layout;
    if (thread->copy == 0)
        return code + layout->code.instructions;
    return get_u64(heap, get_u64(heap, code + layout->code.tlbc) + (1 + thread->copy) * 8);
}

static void put_instruction(struct python_heap *heap, const struct heap_thread *thread, remote_addr frame,
                            remote_addr code, int instruction)
{
    const struct layout *layout = heap->layout;
    if (layout->frame.tlbc_index != LAYOUT_NONE)
        python_heap_put_u32(heap, frame + layout->frame.tlbc_index, thread->copy);
    if (layout->frame.instruction_unit != 0)
        python_heap_put_u32(heap, frame + layout->frame.instruction,
                            (uint32_t)(instruction * UNIT_LEN / layout->frame.instruction_unit));
    else
        python_heap_put_u64(heap, frame + layout->frame.instruction,
                            instructions_of(heap, thread, code) + (uint64_t)((int64_t)instruction * UNIT_LEN));
}

/* From 3.14 on, None and, in free-threaded builds, code are marked as objects whose references are not counted. */
static remote_addr tag_code(const struct python_heap *heap, remote_addr code)
{
    bool is_counted = !heap->layout->is_free_threaded && code != heap->none;
    return heap->layout->frame.code_tag != 0 && !is_counted ? code | 1 : code;
}

void python_heap_put_frame(struct python_heap *heap, struct heap_thread *thread, remote_addr frame, remote_addr code,
                           int instruction, unsigned owner)
{
    const struct layout *layout = heap->layout;
    python_heap_put_u64(heap, frame + layout->frame.code, tag_code(heap, code));
    python_heap_put_u64(heap, frame + layout->frame.previous, thread->innermost);
    if (owner != PYTHON_HEAP_OWNER_C_STACK)
        put_instruction(heap, thread, frame, code, instruction);
    if (layout->frame.is_entry != LAYOUT_NONE)
        python_heap_put_u8(heap, frame + layout->frame.is_entry, thread->is_entering);
    if (layout->frame.owner != LAYOUT_NONE)
        python_heap_put_u8(heap, frame + layout->frame.owner, owner);
    thread->is_entering = false;
    set_innermost(heap, thread, frame);
}

void python_heap_enter(struct python_heap *heap, struct heap_thread *thread)
{
    if (heap->layout->entry_format == ENTRY_SHIM)
        python_heap_put_frame(heap, thread, python_heap_alloc(heap, FRAME_LEN), heap->none, 0,
                              PYTHON_HEAP_OWNER_C_STACK);
    thread->is_entering = true;
}

remote_addr python_heap_call(struct python_heap *heap, struct heap_thread *thread, remote_addr code, int instruction)
{
    remote_addr frame;
    if (heap->layout->thread.stack_chunk != LAYOUT_NONE) {
        frame = thread->stack_top;
        assert(frame + FRAME_LEN <= thread->stack + STACK_LEN);
        set_stack_top(heap, thread, frame + FRAME_LEN);
    } else {
        frame = python_heap_alloc(heap, FRAME_LEN);
    }
    python_heap_put_frame(heap, thread, frame, code, instruction, PYTHON_HEAP_OWNER_THREAD);
    return frame;
}

remote_addr python_heap_resume(struct python_heap *heap, struct heap_thread *thread, remote_addr code, int instruction)
{
    remote_addr frame = python_heap_alloc(heap, FRAME_LEN);
    python_heap_put_frame(heap, thread, frame, code, instruction, PYTHON_HEAP_OWNER_GENERATOR);
    return frame;
}
