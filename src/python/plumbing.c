/* SPDX-License-Identifier: MIT */
#include "python/plumbing.h"

#include "base/cleanup.h"

#include <stdbool.h>
#include <string.h>

/*
 * What was met between Python frames in stacks of 2.7 and 3.6 to 3.15, on the way into a program and into its threads,
 * and what inlines into that. Sorted, as bytes are. Not in it: what works where nothing is called (PyDict_SetItem), and
 * what somebody's code names (builtin_exec, builtin___import__, list_vectorcall, which is list()).
 */
static const char *const plumbing[] = {
    "PyCFunction_Call",
    "PyEval_CallFunction",
    "PyEval_CallMethod",
    "PyEval_CallObjectWithKeywords",
    "PyEval_EvalCode",
    "PyEval_EvalCodeEx",
    "PyEval_EvalFrame",
    "PyGen_am_send",
    "PyInstance_New",
    "PyIter_Next",
    "PyIter_NextItem",
    "PyIter_Send",
    "PyMethod_Call",
    "PyObject_DelItem",
    "PyObject_Format",
    "PyObject_GetAttr",
    "PyObject_GetItem",
    "PyObject_GetIter",
    "PyObject_Hash",
    "PyObject_IsTrue",
    "PyObject_Length",
    "PyObject_Not",
    "PyObject_Repr",
    "PyObject_RichCompare",
    "PyObject_RichCompareBool",
    "PyObject_SetAttr",
    "PyObject_SetItem",
    "PyObject_Size",
    "PyObject_Str",
    "PyObject_Vectorcall",
    "PyObject_VectorcallDict",
    "PyObject_VectorcallMethod",
    "PySequence_Contains",
    "PySequence_GetItem",
    "PyVectorcall_Call",
    "PyVectorcall_Function",
    "Py_BytesMain",
    "Py_CLEAR",
    "Py_DECREF",
    "Py_INCREF",
    "Py_Main",
    "Py_RunMain",
    "Py_XDECREF",
    "Py_XINCREF",
    "RunMain",
    "_PyCFunction_FastCallDict",
    "_PyCFunction_FastCallKeywords",
    "_PyCFunction_Vectorcall",
    "_PyEvalFrameClearAndPop",
    "_PyEvalFramePushAndInit",
    "_PyEvalFramePushAndInit_Ex",
    "_PyEvalFramePushAndInit_UnTagged",
    "_PyEval_EvalCode",
    "_PyEval_EvalCodeWithName",
    "_PyEval_EvalFrame",
    "_PyEval_FrameClearAndPop",
    "_PyEval_Vector",
    "_PyFrame_ClearExceptCode",
    "_PyFrame_ClearLocals",
    "_PyFrame_Initialize",
    "_PyFrame_New_NoTrack",
    "_PyFrame_Push",
    "_PyFrame_PushUnchecked",
    "_PyFunction_FastCall",
    "_PyFunction_FastCallDict",
    "_PyFunction_FastCallKeywords",
    "_PyFunction_Vectorcall",
    "_PyGen_Send",
    "_PyInterpreterState_GET",
    "_PyMethodDef_RawFastCallDict",
    "_PyMethodDef_RawFastCallKeywords",
    "_PyMethodDescr_FastCallKeywords",
    "_PyMethodDescr_Vectorcall",
    "_PyMethod_FastCall",
    "_PyObject_GetMethod",
    "_PyStack_UnpackDict",
    "_PyThreadState_GET",
    "_PyThreadState_PopFrame",
    "_PyThreadState_PushFrame",
    "_PyVectorcall_Call",
    "_PyVectorcall_FunctionInline",
    "_PyWrapper_FastCall",
    "_Py_CheckFunctionResult",
    "_Py_CheckRecursiveCall",
    "_Py_DECREF",
    "_Py_Dealloc",
    "_Py_EnterRecursiveCall",
    "_Py_EnterRecursiveCallTstate",
    "_Py_HandlePending",
    "_Py_INCREF",
    "_Py_LeaveRecursiveCall",
    "_Py_LeaveRecursiveCallTstate",
    "_Py_MakeCoro",
    "_Py_XDECREF",
    "__GI___clone",
    "__GI___clone3",
    "__clone",
    "__clone3",
    "__libc_start_call_main",
    "__libc_start_main",
    "__libc_start_main_impl",
    "__restore_rt",
    "_gen_throw",
    "_start",
    "binary_iop1",
    "binary_op",
    "binary_op1",
    "call_attribute",
    "call_function",
    "call_function_tail",
    "call_maybe",
    "call_method",
    "call_method_noarg",
    "call_unbound",
    "call_unbound_noarg",
    "classmethoddescr_call",
    "clear_gen_frame",
    "clear_thread_frame",
    "clone",
    "clone3",
    "do_call",
    "do_call_core",
    "do_richcompare",
    "eval_frame_handle_pending",
    "ext_do_call",
    "fast_function",
    "frame_dealloc",
    "func_descr_get",
    "function_call",
    "function_code_fastcall",
    "gen_close",
    "gen_iternext",
    "gen_send",
    "gen_throw",
    "initialize_locals",
    "instance_call",
    "instancemethod_call",
    "instancemethod_descr_get",
    "lookup_maybe",
    "lookup_maybe_method",
    "lookup_method",
    "main",
    "method_call",
    "method_descr_call",
    "method_descr_get",
    "method_get",
    "methoddescr_call",
    "object_vacall",
    "property_descr_get",
    "property_descr_set",
    "pythread_wrapper",
    "run_eval_code_obj",
    "run_file",
    "run_mod",
    "run_pyc_file",
    "run_simple_file",
    "start_thread",
    "t_bootstrap",
    "ternary_iop1",
    "ternary_op",
    "thread_run",
    "type_call",
    "type_vectorcall",
    "wrap_binaryfunc",
    "wrap_binaryfunc_l",
    "wrap_binaryfunc_r",
    "wrap_buffer",
    "wrap_call",
    "wrap_del",
    "wrap_delattr",
    "wrap_delitem",
    "wrap_descr_delete",
    "wrap_descr_get",
    "wrap_descr_set",
    "wrap_hashfunc",
    "wrap_indexargfunc",
    "wrap_init",
    "wrap_inquirypred",
    "wrap_lenfunc",
    "wrap_next",
    "wrap_objobjargproc",
    "wrap_objobjproc",
    "wrap_releasebuffer",
    "wrap_richcmpfunc",
    "wrap_setattr",
    "wrap_sq_delitem",
    "wrap_sq_item",
    "wrap_sq_setitem",
    "wrap_ternaryfunc",
    "wrap_ternaryfunc_r",
    "wrap_unaryfunc",
    "wrapper_call",
    "wrapper_descr_call",
    "wrapperdescr_call",
    "wrapperdescr_raw_call",
};

/* The same for families of functions: PyNumber_Add, slot_nb_add, method_vectorcall_O. */
static const char *const plumbing_prefixes[] = {
    "PyNumber_",
    "__Pyx_",
    "__pyx_lambda_funcdef_",
    "py::", /* made by python -X perf for a Python function, and that one stands below it */
    "py_trampoline_evaluator",
    "PyObject_Call",
    "PyRun_",
    "_PyCallMethodDescriptor",
    "_PyObject_Call",
    "_PyObject_FastCall",
    "_PyObject_MakeTpCall",
    "_PyObject_Vectorcall",
    "_PyRun_",
    "_Py_BuiltinCall",
    "_PyForIter_",
    "_Py_CallBuiltin",
    "_Py_UnixMain",
    "_Py_VectorCall",
    "_Py_slot_",
    "cfunction_call",
    "cfunction_vectorcall_",
    "coro_wrapper_",
    "async_gen_asend_",
    "async_gen_athrow_",
    "gen_send_ex",
    "method_vectorcall",
    "pymain_",
    "pyrun_",
    "slot_",
    "vectorcall_",
};

/* The bytes of a symbol without what compilers append to parts and copies of a function, which begins with a dot. */
static size_t plain_len(const char *symbol)
{
    return symbol[0] ? 1 + strcspn(symbol + 1, ".") : 0;
}

static bool is_name(const char *symbol, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(symbol, name, len) == 0;
}

static bool is_listed(const char *symbol, size_t len)
{
    size_t low = 0, high = array_size(plumbing);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(symbol, plumbing[middle], len);
        if (order == 0)
            order = plumbing[middle][len] ? -1 : 0;
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static bool has_listed_prefix(const char *symbol, size_t len)
{
    for (size_t i = 0; i < array_size(plumbing_prefixes); i++) {
        size_t prefix_len = strlen(plumbing_prefixes[i]);
        if (len >= prefix_len && memcmp(symbol, plumbing_prefixes[i], prefix_len) == 0)
            return true;
    }
    return false;
}

/*
 * Of a tail-calling interpreter (3.14 and later) each instruction is a function (Python/ceval_macros.h), and 3.15 calls
 * what its own just-in-time compiler made through one (Python/jit.c).
 */
static bool is_handler(const char *symbol, size_t len)
{
    static const char prefix[] = "_TAIL_CALL_";
    return strncmp(symbol, prefix, sizeof(prefix) - 1) == 0 || is_name(symbol, len, "_PyJIT_Entry");
}

/* PEP 523 made a way to the loop of PyEval_EvalFrameEx, in 3.6. */
static bool is_wrapped_loop(const struct python_version *version)
{
    return version->major > 3 || (version->major == 3 && version->minor >= 6);
}

enum python_role python_native_role(const char *symbol, const struct python_version *version)
{
    size_t len = plain_len(symbol);
    if (is_name(symbol, len, "_PyEval_EvalFrameDefault"))
        return PYTHON_ROLE_EVAL;
    if (is_name(symbol, len, "PyEval_EvalFrameEx"))
        return is_wrapped_loop(version) ? PYTHON_ROLE_PLUMBING : PYTHON_ROLE_EVAL;
    if (is_handler(symbol, len))
        return PYTHON_ROLE_HANDLER;
    return is_listed(symbol, len) || has_listed_prefix(symbol, len) ? PYTHON_ROLE_PLUMBING : PYTHON_ROLE_WORK;
}
