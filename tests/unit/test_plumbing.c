/* SPDX-License-Identifier: MIT */
#include "python/plumbing.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * Stacks of real interpreters, as gdb's bt shows them, innermost first; what of them somebody's code asked for; and how
 * many evaluation loops they have.
 */
static const struct stack {
    struct python_version version;
    const char *functions, *work;
    int eval_count;
} stacks[] = {
    {{.major = 2, .minor = 7},
     "__GI___select floatsleep time_sleep call_function PyEval_EvalFrameEx PyEval_EvalCodeEx function_call "
     "PyObject_Call PyObject_CallFunctionObjArgs listsort PyObject_Call builtin_sorted do_call "
     "call_function PyEval_EvalFrameEx PyEval_EvalCodeEx fast_function call_function PyEval_EvalFrameEx "
     "PyEval_EvalCodeEx PyEval_EvalCode run_mod PyRun_FileExFlags PyRun_SimpleFileExFlags "
     "PyRun_AnyFileExFlags Py_Main __libc_start_call_main __libc_start_main_impl _start",
     "__GI___select floatsleep time_sleep listsort builtin_sorted",
     3},
    {{.major = 2, .minor = 7},
     "__GI___select floatsleep time_sleep call_function PyEval_EvalFrameEx PyEval_EvalCodeEx "
     "PyEval_EvalCode PyImport_ExecCodeModuleEx load_source_module load_module import_submodule load_next "
     "import_module_level PyImport_ImportModuleLevel builtin___import__ call_function PyEval_EvalFrameEx "
     "PyEval_EvalCodeEx fast_function call_function PyEval_EvalFrameEx PyEval_EvalCodeEx PyEval_EvalCode "
     "run_mod PyRun_FileExFlags PyRun_SimpleFileExFlags PyRun_AnyFileExFlags Py_Main __libc_start_call_main "
     "__libc_start_main_impl _start",
     "__GI___select floatsleep time_sleep PyImport_ExecCodeModuleEx load_source_module load_module "
     "import_submodule load_next import_module_level PyImport_ImportModuleLevel builtin___import__",
     3},
    {{.major = 2, .minor = 7},
     "__GI___select floatsleep time_sleep call_function PyEval_EvalFrameEx PyEval_EvalCodeEx function_call "
     "PyObject_Call ext_do_call PyEval_EvalFrameEx fast_function call_function PyEval_EvalFrameEx "
     "fast_function call_function PyEval_EvalFrameEx PyEval_EvalCodeEx function_call PyObject_Call "
     "instancemethod_call PyObject_Call PyEval_CallObjectWithKeywords t_bootstrap pythread_wrapper "
     "start_thread clone3",
     "__GI___select floatsleep time_sleep",
     4},
    {{.major = 3, .minor = 6},
     "?? deflate zlib_compress_impl zlib_compress _PyCFunction_FastCallDict _PyCFunction_FastCallKeywords "
     "call_function _PyEval_EvalFrameDefault _PyEval_EvalCodeWithName fast_function call_function "
     "_PyEval_EvalFrameDefault _PyFunction_FastCall fast_function call_function _PyEval_EvalFrameDefault "
     "_PyEval_EvalCodeWithName PyEval_EvalCodeEx PyEval_EvalCode run_mod PyRun_FileExFlags "
     "PyRun_SimpleFileExFlags PyRun_AnyFileExFlags run_file Py_Main main",
     "?? deflate zlib_compress_impl zlib_compress",
     3},
    {{.major = 3, .minor = 6},
     "__GI___select pysleep time_sleep _PyCFunction_FastCallDict _PyCFunction_FastCallKeywords "
     "call_function _PyEval_EvalFrameDefault _PyEval_EvalCodeWithName fast_function call_function "
     "_PyEval_EvalFrameDefault _PyFunction_FastCall _PyFunction_FastCallDict _PyObject_FastCallDict "
     "_PyObject_Call_Prepend PyObject_Call call_maybe slot_nb_add binary_op1 PyNumber_Add "
     "_PyEval_EvalFrameDefault _PyFunction_FastCall fast_function call_function _PyEval_EvalFrameDefault "
     "_PyEval_EvalCodeWithName PyEval_EvalCodeEx PyEval_EvalCode run_mod PyRun_FileExFlags "
     "PyRun_SimpleFileExFlags PyRun_AnyFileExFlags run_file Py_Main main",
     "__GI___select pysleep time_sleep",
     4},
    {{.major = 3, .minor = 8},
     "__GI___select pysleep time_sleep cfunction_vectorcall_O _PyObject_Vectorcall call_function "
     "_PyEval_EvalFrameDefault _PyEval_EvalCodeWithName _PyFunction_Vectorcall _PyObject_Vectorcall "
     "_PyObject_FastCall object_vacall PyObject_CallFunctionObjArgs pattern_subx _sre_SRE_Pattern_sub_impl "
     "_sre_SRE_Pattern_sub method_vectorcall_FASTCALL_KEYWORDS _PyObject_Vectorcall call_function "
     "_PyEval_EvalFrameDefault _PyEval_EvalCodeWithName _PyFunction_Vectorcall _PyObject_Vectorcall "
     "call_function _PyEval_EvalFrameDefault function_code_fastcall _PyObject_Vectorcall call_function "
     "_PyEval_EvalFrameDefault _PyEval_EvalCodeWithName PyEval_EvalCodeEx PyEval_EvalCode run_eval_code_obj "
     "run_mod pyrun_file pyrun_simple_file PyRun_SimpleFileExFlags PyRun_AnyFileExFlags pymain_run_file "
     "pymain_run_python Py_RunMain pymain_main Py_BytesMain __libc_start_call_main __libc_start_main_impl "
     "_start",
     "__GI___select pysleep time_sleep pattern_subx _sre_SRE_Pattern_sub_impl _sre_SRE_Pattern_sub",
     4},
    {{.major = 3, .minor = 10},
     "__GI___select pysleep time_sleep cfunction_vectorcall_O _PyObject_VectorcallTstate "
     "PyObject_Vectorcall call_function _PyEval_EvalFrameDefault _PyEval_EvalFrame _PyEval_Vector "
     "_PyObject_VectorcallTstate PyObject_Vectorcall call_function _PyEval_EvalFrameDefault "
     "_PyEval_EvalFrame gen_send_ex2 gen_iternext _PyEval_EvalFrameDefault _PyEval_EvalFrame gen_send_ex2 "
     "gen_iternext list_extend list___init___impl list_vectorcall _PyObject_VectorcallTstate "
     "PyObject_Vectorcall call_function _PyEval_EvalFrameDefault _PyEval_EvalFrame _PyEval_Vector "
     "_PyObject_VectorcallTstate PyObject_Vectorcall call_function _PyEval_EvalFrameDefault "
     "_PyEval_EvalFrame _PyEval_Vector PyEval_EvalCode run_eval_code_obj run_mod pyrun_file "
     "_PyRun_SimpleFileObject _PyRun_AnyFileObject pymain_run_file_obj pymain_run_file pymain_run_python "
     "Py_RunMain pymain_main Py_BytesMain __libc_start_call_main __libc_start_main_impl _start",
     "__GI___select pysleep time_sleep list_extend list___init___impl list_vectorcall",
     5},
    {{.major = 3, .minor = 10},
     "list_traverse subtract_refs deduce_unreachable gc_collect_main gc_collect_with_callback "
     "gc_collect_generations _PyObject_GC_Alloc _PyObject_GC_Malloc _PyObject_GC_New PyList_New "
     "_PyEval_EvalFrameDefault _PyEval_EvalFrame _PyEval_Vector _PyObject_VectorcallTstate "
     "PyObject_Vectorcall call_function _PyEval_EvalFrameDefault _PyEval_EvalFrame _PyEval_Vector "
     "_PyObject_VectorcallTstate PyObject_Vectorcall call_function _PyEval_EvalFrameDefault "
     "_PyEval_EvalFrame _PyEval_Vector _PyObject_VectorcallTstate PyObject_Vectorcall call_function "
     "_PyEval_EvalFrameDefault _PyEval_EvalFrame _PyEval_Vector _PyObject_VectorcallTstate "
     "PyObject_Vectorcall call_function _PyEval_EvalFrameDefault _PyEval_EvalFrame _PyEval_Vector "
     "PyEval_EvalCode run_eval_code_obj run_mod pyrun_file _PyRun_SimpleFileObject _PyRun_AnyFileObject "
     "pymain_run_file_obj pymain_run_file pymain_run_python Py_RunMain pymain_main Py_BytesMain "
     "__libc_start_call_main __libc_start_main_impl _start",
     "list_traverse subtract_refs deduce_unreachable gc_collect_main gc_collect_with_callback "
     "gc_collect_generations _PyObject_GC_Alloc _PyObject_GC_Malloc _PyObject_GC_New PyList_New",
     5},
    {{.major = 3, .minor = 12},
     "__futex_abstimed_wait_common64 __futex_abstimed_wait_common __GI___futex_abstimed_wait_cancelable64 "
     "__pthread_cond_wait_common ___pthread_cond_timedwait64 PyCOND_TIMEDWAIT take_gil _Py_HandlePending "
     "_PyEval_EvalFrameDefault _PyEval_EvalFrame _PyEval_Vector PyEval_EvalCode run_eval_code_obj run_mod "
     "pyrun_file _PyRun_SimpleFileObject _PyRun_AnyFileObject pymain_run_file_obj pymain_run_file "
     "pymain_run_python Py_RunMain pymain_main Py_BytesMain __libc_start_call_main __libc_start_main_impl "
     "_start",
     "__futex_abstimed_wait_common64 __futex_abstimed_wait_common __GI___futex_abstimed_wait_cancelable64 "
     "__pthread_cond_wait_common ___pthread_cond_timedwait64 PyCOND_TIMEDWAIT take_gil",
     1},
    {{.major = 3, .minor = 12},
     "__GI___clock_nanosleep pysleep time_sleep cfunction_vectorcall_O _PyObject_VectorcallTstate "
     "PyObject_Vectorcall _PyEval_EvalFrameDefault _PyObject_VectorcallTstate _PyObject_CallNoArgs "
     "defdict_missing cfunction_vectorcall_O _PyObject_VectorcallTstate PyObject_CallOneArg dict_subscript "
     "_PyEval_EvalFrameDefault _PyEval_EvalFrame _PyEval_Vector PyEval_EvalCode run_eval_code_obj run_mod "
     "pyrun_file _PyRun_SimpleFileObject _PyRun_AnyFileObject pymain_run_file_obj pymain_run_file "
     "pymain_run_python Py_RunMain pymain_main Py_BytesMain __libc_start_call_main __libc_start_main_impl "
     "_start",
     "__GI___clock_nanosleep pysleep time_sleep defdict_missing dict_subscript",
     2},
    {{.major = 3, .minor = 13},
     "__GI___clock_nanosleep pysleep time_sleep cfunction_vectorcall_O _PyObject_VectorcallTstate "
     "PyObject_Vectorcall _PyEval_EvalFrameDefault _PyObject_VectorcallTstate vectorcall_unbound "
     "vectorcall_method slot_tp_setattro PyObject_SetAttr builtin_setattr_impl builtin_setattr "
     "cfunction_vectorcall_FASTCALL _PyObject_VectorcallTstate PyObject_Vectorcall _PyEval_EvalFrameDefault "
     "_PyEval_EvalFrame _PyEval_Vector PyEval_EvalCode run_eval_code_obj run_eval_code_obj run_mod "
     "pyrun_file _PyRun_SimpleFileObject _PyRun_AnyFileObject pymain_run_file_obj pymain_run_file "
     "pymain_run_python Py_RunMain pymain_main Py_BytesMain __libc_start_call_main __libc_start_main_impl "
     "_start",
     "__GI___clock_nanosleep pysleep time_sleep builtin_setattr_impl builtin_setattr",
     2},
    {{.major = 3, .minor = 13},
     "__GI___clock_nanosleep pysleep time_sleep cfunction_vectorcall_O _PyObject_VectorcallTstate "
     "PyObject_Vectorcall _PyEval_EvalFrameDefault _PyObject_VectorcallTstate PyObject_CallOneArg "
     "list_sort_impl list_sort cfunction_vectorcall_FASTCALL_KEYWORDS _PyObject_VectorcallTstate "
     "PyObject_Vectorcall builtin_sorted cfunction_vectorcall_FASTCALL_KEYWORDS _PyObject_VectorcallTstate "
     "PyObject_Vectorcall _PyEval_EvalFrameDefault _PyEval_EvalFrame _PyEval_Vector PyEval_EvalCode "
     "run_eval_code_obj run_eval_code_obj run_mod pyrun_file _PyRun_SimpleFileObject _PyRun_AnyFileObject "
     "pymain_run_file_obj pymain_run_file pymain_run_python Py_RunMain pymain_main Py_BytesMain "
     "__libc_start_call_main __libc_start_main_impl _start",
     "__GI___clock_nanosleep pysleep time_sleep list_sort_impl list_sort builtin_sorted",
     2},
    {{.major = 3, .minor = 13},
     "__GI___clock_nanosleep pysleep time_sleep cfunction_vectorcall_O _PyObject_VectorcallTstate "
     "PyObject_Vectorcall _PyEval_EvalFrameDefault _PyObject_VectorcallTstate method_vectorcall thread_run "
     "pythread_wrapper start_thread clone3",
     "__GI___clock_nanosleep pysleep time_sleep",
     1},
};

static void stacks_show_what_was_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_size(stacks); i++) {
        char functions[4096], work[4096] = "";
        int eval_count = 0;
        char *rest = NULL;
        strncpy(functions, stacks[i].functions, sizeof(functions) - 1);
        functions[sizeof(functions) - 1] = '\0';
        for (char *name = strtok_r(functions, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
            enum python_role role = python_native_role(name, &stacks[i].version);
            eval_count += role == PYTHON_ROLE_EVAL;
            if (role != PYTHON_ROLE_WORK)
                continue;
            strncat(work, work[0] ? " " : "", sizeof(work) - strlen(work) - 1);
            strncat(work, name, sizeof(work) - strlen(work) - 1);
        }
        assert_string_equal(work, stacks[i].work);
        assert_int_equal(eval_count, stacks[i].eval_count);
    }
}

static void check(const char *symbol, enum python_role expected)
{
    static const struct python_version version = {.major = 3, .minor = 14};
    assert_int_equal(python_native_role(symbol, &version), expected);
}

static void the_loop_depends_on_the_version(void **state)
{
    (void)state;
    static const struct python_version old = {.major = 2, .minor = 7}, middle = {.major = 3, .minor = 5},
                                       wrapped = {.major = 3, .minor = 6};
    assert_int_equal(python_native_role("PyEval_EvalFrameEx", &old), PYTHON_ROLE_EVAL);
    assert_int_equal(python_native_role("PyEval_EvalFrameEx", &middle), PYTHON_ROLE_EVAL);
    assert_int_equal(python_native_role("PyEval_EvalFrameEx", &wrapped), PYTHON_ROLE_PLUMBING);
    check("PyEval_EvalFrameEx", PYTHON_ROLE_PLUMBING);
    check("_PyEval_EvalFrameDefault", PYTHON_ROLE_EVAL);
    check("_PyEval_EvalFrame", PYTHON_ROLE_PLUMBING);
    check("_TAIL_CALL_BINARY_OP", PYTHON_ROLE_HANDLER);
    check("_TAIL_CALL_BINARY_OP.cold.0", PYTHON_ROLE_HANDLER);
    check("_PyJIT_Entry", PYTHON_ROLE_HANDLER);
}

static void parts_and_copies_count_as_the_whole(void **state)
{
    (void)state;
    check("_PyEval_EvalFrameDefault.cold", PYTHON_ROLE_EVAL);
    check("_PyEval_EvalFrameDefault.lto_priv.0", PYTHON_ROLE_EVAL);
    check("call_function.part.3.constprop.0", PYTHON_ROLE_PLUMBING);
    check("method_vectorcall_O.cold", PYTHON_ROLE_PLUMBING);
    check("list_sort_impl.isra.0", PYTHON_ROLE_WORK);
}

static void what_works_stays_visible(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        ".",
                                        "zlib_compress",
                                        "list_sort_impl",
                                        "builtin_sorted",
                                        "sre_ucs1_match",
                                        "time_sleep",
                                        "lock_PyThread_acquire_lock",
                                        "acquire_timed",
                                        "PyThread_acquire_lock_timed",
                                        "dict_subscript",
                                        "unicode_concatenate",
                                        "long_add",
                                        "gc_collect_main",
                                        "take_gil",
                                        "PyImport_ImportModuleLevelObject",
                                        "builtin___import__",
                                        "list_vectorcall",
                                        "partial_vectorcall",
                                        "_PyEval_EvalFrameDefaul",
                                        "_PyEval_EvalFrameDefault2",
                                        "call_functio",
                                        "call_function2",
                                        "mai",
                                        "PyEval_SaveThread",
                                        "_PyObject_GC_New",
                                        "_PyObject_GenericGetAttrWithDict",
                                        "wrap_strftime",
                                        "clone4",
                                        "PyObject_Malloc"};
    for (size_t i = 0; i < array_size(names); i++)
        check(names[i], PYTHON_ROLE_WORK);
}

static void the_way_in_is_plumbing(void **state)
{
    (void)state;
    static const char *const names[] = {"PyCFunction_Call",
                                        "wrapperdescr_raw_call",
                                        "wrap_unaryfunc",
                                        "_start",
                                        "main",
                                        "__libc_start_main",
                                        "__clone3",
                                        "clone",
                                        "start_thread",
                                        "pymain_run_command",
                                        "PyNumber_InPlaceAdd",
                                        "slot_tp_getattr_hook",
                                        "PyObject_CallMethodObjArgs",
                                        "gen_send_ex2",
                                        "_PyObject_VectorcallTstate",
                                        "binary_op1",
                                        "t_bootstrap"};
    for (size_t i = 0; i < array_size(names); i++)
        check(names[i], PYTHON_ROLE_PLUMBING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_show_what_was_asked_for),
        cmocka_unit_test(the_loop_depends_on_the_version),
        cmocka_unit_test(parts_and_copies_count_as_the_whole),
        cmocka_unit_test(what_works_stays_visible),
        cmocka_unit_test(the_way_in_is_plumbing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
