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
    THREAD_LEN = 512,
    FRAME_LEN = 128,
    STACK_LEN = 4096, /* of a thread; a test that needs more brings its own frames */
    STACK_HEAD_LEN = 24,
    GIL_LEN = 64,
    CODE_LEN = 512, /* with its instructions */
    TYPE_LEN = 1024,
    UNIT_LEN = 2,
};

static const remote_addr HEAP_ADDRESS = 0x7f0000000000;

struct python_heap *python_heap_create(const struct layout *layout, size_t len)
{
    struct python_heap *heap = calloc(1, sizeof(*heap));
    fake_memory_init(&heap->fake);
    heap->layout = layout;
    heap->bytes = calloc(1, len);
    heap->len = len;
    heap->next_version = 1000;
    fake_memory_map(&heap->fake, HEAP_ADDRESS, heap->bytes, len);
    heap->runtime = python_heap_alloc(heap, RUNTIME_LEN);
    heap->code_type = python_heap_alloc(heap, TYPE_LEN);
    heap->other_type = python_heap_alloc(heap, TYPE_LEN);
    return heap;
}

void python_heap_destroy(struct python_heap *heap)
{
    free(heap->bytes);
    free(heap);
}

struct python *python_heap_open(const struct python_heap *heap)
{
    struct python_runtime runtime = {
        .version = {.major = (uint8_t)(heap->layout->version >> 8), .minor = (uint8_t)heap->layout->version},
        .address = heap->runtime,
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

/* CPython Include/cpython/unicodeobject.h: the state word has kind from bit 2 on, compact at 5, ascii at 6. */
remote_addr python_heap_str(struct python_heap *heap, const void *characters, size_t count, unsigned kind,
                            bool is_ascii)
{
    const struct layout *layout = heap->layout;
    uint16_t data = is_ascii ? layout->text.ascii_data : layout->text.compact_data;
    remote_addr object = python_heap_alloc(heap, data + count * kind + kind);
    python_heap_put_u64(heap, object + layout->text.length, count);
    python_heap_put_u32(heap, object + layout->text.state, kind << 2 | 1U << 5 | (is_ascii ? 1U << 6 : 0));
    python_heap_put_u64(heap, object + layout->text.hash, object * 31 + count);
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
    python_heap_put_u64(heap, object + layout->bytes.length, len);
    if (len > 0)
        memcpy(python_heap_bytes_at(heap, object + layout->bytes.data), bytes, len);
    return object;
}

remote_addr python_heap_int(struct python_heap *heap, uint64_t number)
{
    const struct layout *layout = heap->layout;
    remote_addr object = python_heap_alloc(heap, layout->integer.digits + 3 * sizeof(uint32_t));
    uint32_t count = 0;
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
    return code;
}

remote_addr python_heap_gil(struct python_heap *heap, remote_addr interpreter)
{
    if (heap->layout->runtime.gil != LAYOUT_NONE)
        return heap->runtime + heap->layout->runtime.gil;
    return get_u64(heap, interpreter + heap->layout->interpreter.gil_pointer);
}

void python_heap_set_gil(struct python_heap *heap, remote_addr interpreter, remote_addr thread, int locked)
{
    remote_addr gil = python_heap_gil(heap, interpreter);
    python_heap_put_u64(heap, gil + heap->layout->gil.last_holder, thread);
    python_heap_put_u32(heap, gil + heap->layout->gil.locked, (uint32_t)locked);
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
    prepend(heap, interpreter + layout->interpreter.threads_head, thread.address, layout->thread.next);
    return thread;
}

void python_heap_put_frame(struct python_heap *heap, struct heap_thread *thread, remote_addr frame, remote_addr code,
                           int instruction, unsigned owner)
{
    const struct layout *layout = heap->layout;
    python_heap_put_u64(heap, frame + layout->frame.code, code);
    python_heap_put_u64(heap, frame + layout->frame.previous, thread->innermost);
    if (layout->frame.instruction_unit != 0)
        python_heap_put_u32(heap, frame + layout->frame.instruction,
                            (uint32_t)(instruction * UNIT_LEN / layout->frame.instruction_unit));
    else
        python_heap_put_u64(heap, frame + layout->frame.instruction,
                            code + layout->code.instructions + (uint64_t)((int64_t)instruction * UNIT_LEN));
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
        python_heap_put_frame(heap, thread, python_heap_alloc(heap, FRAME_LEN), 0, 0, PYTHON_HEAP_OWNER_C_STACK);
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
