/* SPDX-License-Identifier: MIT */
/*
 * Tells where an interpreter's own headers put what we read, in the words of our_layout.c. Compiled with the headers
 * of each interpreter; the names are CPython's, as they changed from version to version.
 *
 * The compiler writes it into its assembler code, as "@layout NAME OFFSET", and nothing is run: so it can be asked of a
 * machine that is not here.
 */
#define Py_BUILD_CORE 1
#include <Python.h>

#include <frameobject.h>
#if PY_VERSION_HEX >= 0x03090000
#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>
#elif PY_VERSION_HEX >= 0x03080000
#include <internal/pycore_pystate.h>
#elif PY_VERSION_HEX >= 0x03070000
#include <internal/pystate.h>
#endif
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_code.h>
#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#endif
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe_structs.h>
#endif

#include <stddef.h>

#define SAY(name, value)          __asm__ volatile("@layout " name " %c0" : : "i"(value))
#define PRINT(name, type, member) SAY(#name, offsetof(type, member))

static void print_runtime(void)
{
#if PY_VERSION_HEX >= 0x03070000
    PRINT(runtime.interpreters_head, _PyRuntimeState, interpreters.head);
#else
    SAY("runtime.interpreters_head", 0); /* the variable interp_head itself */
#endif
#if PY_VERSION_HEX >= 0x03070000 && PY_VERSION_HEX < 0x030c0000
    PRINT(runtime.gil, _PyRuntimeState, ceval.gil);
#endif
#if PY_VERSION_HEX >= 0x03070000
#ifdef Py_GIL_DISABLED
    PRINT(gil.enabled, struct _gil_runtime_state, enabled);
#endif
    PRINT(gil.last_holder, struct _gil_runtime_state, last_holder);
    PRINT(gil.locked, struct _gil_runtime_state, locked);
    PRINT(gil.switch_number, struct _gil_runtime_state, switch_number);
    PRINT(gil.condition, struct _gil_runtime_state, cond);
#endif
}

static void print_interpreter(void)
{
    PRINT(interpreter.next, PyInterpreterState, next);
#if PY_VERSION_HEX >= 0x030b0000
    PRINT(interpreter.threads_head, PyInterpreterState, threads.head);
#else
    PRINT(interpreter.threads_head, PyInterpreterState, tstate_head);
#endif
#if PY_VERSION_HEX >= 0x030c0000
    PRINT(interpreter.modules, PyInterpreterState, imports.modules);
    PRINT(interpreter.gil_pointer, PyInterpreterState, ceval.gil);
#else
    PRINT(interpreter.modules, PyInterpreterState, modules);
#endif
    PRINT(interpreter.sysdict, PyInterpreterState, sysdict);
    PRINT(interpreter.builtins, PyInterpreterState, builtins);
#if PY_VERSION_HEX >= 0x03070000
    PRINT(interpreter.id, PyInterpreterState, id);
#endif
#if PY_VERSION_HEX >= 0x03090000
    PRINT(interpreter.collecting, PyInterpreterState, gc.collecting);
#endif
#if PY_VERSION_HEX >= 0x030f0000
    PRINT(interpreter.collecting_frame, PyInterpreterState, gc.frame);
#endif
}

static void print_thread(void)
{
    PRINT(thread.next, PyThreadState, next);
    PRINT(thread.interpreter, PyThreadState, interp);
#if PY_VERSION_HEX >= 0x030d0000
    PRINT(thread.frame, PyThreadState, current_frame);
#elif PY_VERSION_HEX >= 0x030b0000
    PRINT(thread.frame, PyThreadState, cframe);
    PRINT(thread.cframe_frame, _PyCFrame, current_frame);
#else
    PRINT(thread.frame, PyThreadState, frame);
#endif
#if PY_VERSION_HEX >= 0x030a0000 && PY_VERSION_HEX < 0x030d0000
    PRINT(thread.cframe, PyThreadState, cframe);
#endif
#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030d0000
    PRINT(thread.cframe_previous, _PyCFrame, previous);
#elif PY_VERSION_HEX >= 0x030a0000 && PY_VERSION_HEX < 0x030b0000
    PRINT(thread.cframe_previous, CFrame, previous);
#endif
    PRINT(thread.id, PyThreadState, thread_id);
#if PY_VERSION_HEX >= 0x030b0000
    PRINT(thread.native_id, PyThreadState, native_thread_id);
    PRINT(thread.stack_chunk, PyThreadState, datastack_chunk);
#endif
#if PY_VERSION_HEX >= 0x030d0000
    PRINT(thread.state, PyThreadState, state);
#endif
}

static void print_frame(void)
{
#if PY_VERSION_HEX >= 0x030b0000
#if PY_VERSION_HEX >= 0x030d0000
    PRINT(frame.code, _PyInterpreterFrame, f_executable);
#else
    PRINT(frame.code, _PyInterpreterFrame, f_code);
#endif
    PRINT(frame.previous, _PyInterpreterFrame, previous);
#if PY_VERSION_HEX >= 0x030d0000
    PRINT(frame.instruction, _PyInterpreterFrame, instr_ptr);
#else
    PRINT(frame.instruction, _PyInterpreterFrame, prev_instr);
#endif
#if PY_VERSION_HEX < 0x030c0000
    PRINT(frame.is_entry, _PyInterpreterFrame, is_entry);
#endif
    PRINT(frame.owner, _PyInterpreterFrame, owner);
#if PY_VERSION_HEX >= 0x030e0000 && defined(Py_GIL_DISABLED)
    PRINT(frame.tlbc_index, _PyInterpreterFrame, tlbc_index);
#endif
#else
    PRINT(frame.code, PyFrameObject, f_code);
    PRINT(frame.previous, PyFrameObject, f_back);
    PRINT(frame.instruction, PyFrameObject, f_lasti);
#endif
}

static void print_code(void)
{
    PRINT(code.filename, PyCodeObject, co_filename);
    PRINT(code.name, PyCodeObject, co_name);
#if PY_VERSION_HEX >= 0x030b0000
    PRINT(code.qualname, PyCodeObject, co_qualname);
#endif
#if PY_VERSION_HEX >= 0x030a0000
    PRINT(code.line_table, PyCodeObject, co_linetable);
#else
    PRINT(code.line_table, PyCodeObject, co_lnotab);
#endif
    PRINT(code.first_line, PyCodeObject, co_firstlineno);
#if PY_VERSION_HEX >= 0x030c0000
    PRINT(code.version, PyCodeObject, co_version);
#endif
#if PY_VERSION_HEX >= 0x030b0000
    PRINT(code.instructions, PyCodeObject, co_code_adaptive);
    PRINT(code.first_traceable, PyCodeObject, _co_firsttraceable);
#if PY_VERSION_HEX >= 0x030e0000 && defined(Py_GIL_DISABLED)
    PRINT(code.tlbc, PyCodeObject, co_tlbc);
#endif
#endif
}

static void print_objects(void)
{
    PRINT(object.type, PyObject, ob_type);
    PRINT(object.var_size, PyVarObject, ob_size);
    PRINT(bytes.length, PyVarObject, ob_size);
    PRINT(type.name, PyTypeObject, tp_name);
    PRINT(type.basic_size, PyTypeObject, tp_basicsize);
    PRINT(type.flags, PyTypeObject, tp_flags);
    PRINT(type.dict_offset, PyTypeObject, tp_dictoffset);
#if PY_MAJOR_VERSION == 2
    /* Of the two kinds of text, names are bytes. */
    PRINT(text.hash, PyStringObject, ob_shash);
    PRINT(text.length, PyUnicodeObject, length);
    PRINT(text.compact_data, PyUnicodeObject, str);
    PRINT(bytes.data, PyStringObject, ob_sval);
    PRINT(dict.mask, PyDictObject, ma_mask);
    PRINT(dict.table, PyDictObject, ma_table);
    PRINT(integer.digits, PyIntObject, ob_ival);
#else
    PRINT(text.length, PyASCIIObject, length);
    PRINT(text.hash, PyASCIIObject, hash);
    PRINT(text.state, PyASCIIObject, state);
    SAY("text.ascii_data", sizeof(PyASCIIObject));
    SAY("text.compact_data", sizeof(PyCompactUnicodeObject));
    PRINT(bytes.data, PyBytesObject, ob_sval);
    PRINT(type.cached_keys, PyHeapTypeObject, ht_cached_keys);
    PRINT(dict.keys, PyDictObject, ma_keys);
    PRINT(dict.values, PyDictObject, ma_values);
#endif
#if PY_VERSION_HEX >= 0x030c0000
    PRINT(integer.tag, PyLongObject, long_value.lv_tag);
    PRINT(integer.digits, PyLongObject, long_value.ob_digit);
#elif PY_MAJOR_VERSION == 3
    PRINT(integer.digits, PyLongObject, ob_digit);
#endif
#if PY_VERSION_HEX >= 0x030b0000
    PRINT(dict.log2_index_bytes, PyDictKeysObject, dk_log2_index_bytes);
    PRINT(dict.kind, PyDictKeysObject, dk_kind);
    PRINT(dict.entry_count, PyDictKeysObject, dk_nentries);
    PRINT(dict.indices, PyDictKeysObject, dk_indices);
    PRINT(dict.first_value, struct _dictvalues, values);
#endif
}

static void print_locals(void)
{
    PRINT(locals.arg_count, PyCodeObject, co_argcount);
#if PY_MAJOR_VERSION >= 3
    PRINT(locals.kwonly_count, PyCodeObject, co_kwonlyargcount);
#endif
    PRINT(locals.flags, PyCodeObject, co_flags);
#if PY_VERSION_HEX >= 0x030b0000
    PRINT(locals.first, _PyInterpreterFrame, localsplus);
    PRINT(locals.names, PyCodeObject, co_localsplusnames);
    PRINT(locals.kinds, PyCodeObject, co_localspluskinds);
#else
    PRINT(locals.first, PyFrameObject, f_localsplus);
    PRINT(locals.names, PyCodeObject, co_varnames);
    PRINT(locals.local_count, PyCodeObject, co_nlocals);
    PRINT(locals.cellvars, PyCodeObject, co_cellvars);
    PRINT(locals.freevars, PyCodeObject, co_freevars);
#endif
}

static void print_values(void)
{
    PRINT(type.item_size, PyTypeObject, tp_itemsize);
    PRINT(type.repr, PyTypeObject, tp_repr);
    PRINT(type.members, PyTypeObject, tp_members);
    PRINT(type.base, PyTypeObject, tp_base);
    PRINT(type.dict, PyTypeObject, tp_dict);
    PRINT(type.mro, PyTypeObject, tp_mro);
    PRINT(tuple.items, PyTupleObject, ob_item);
    PRINT(list.items, PyListObject, ob_item);
    PRINT(set.mask, PySetObject, mask);
    PRINT(set.table, PySetObject, table);
    PRINT(set.key, setentry, key);
    PRINT(cell.value, PyCellObject, ob_ref);
    PRINT(function.code, PyFunctionObject, func_code);
#if PY_MAJOR_VERSION >= 3
    PRINT(byte_array.start, PyByteArrayObject, ob_start);
    PRINT(type.qualname, PyHeapTypeObject, ht_qualname);
    PRINT(function.qualname, PyFunctionObject, func_qualname);
    PRINT(function.name, PyFunctionObject, func_qualname);
    PRINT(generator.name, PyGenObject, gi_qualname);
#else
    PRINT(byte_array.start, PyByteArrayObject, ob_bytes);
    PRINT(function.name, PyFunctionObject, func_name);
#endif
}

int main(void)
{
    print_runtime();
    print_interpreter();
    print_thread();
    print_frame();
    print_code();
    print_objects();
    print_locals();
    print_values();
    return 0;
}
