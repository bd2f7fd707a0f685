/* SPDX-License-Identifier: MIT */
#include "native/symbol_name.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void check(const char *symbol, const char *expected)
{
    cleanup_buffer struct buffer name = {0};
    symbol_name_append(symbol, &name);
    assert_string_equal(buffer_text(&name), expected);
}

static void names_of_c_stay(void **state)
{
    (void)state;
    check("list_sort_impl", "list_sort_impl");
    check("_start", "_start");
    check("", "");
    check("_Z", "_Z");
    check("_R", "_R");
    check("_Zero", "_Zero");
    check(".hidden", ".hidden");
    check("a.out", "a.out");
}

/* As c++filt -p has them. */
static void names_of_cpp_have_no_arguments(void **state)
{
    (void)state;
    check("_ZN2at4_ops20hann_window_periodic10redispatchEN3c1014DispatchKeySetElb",
          "at::_ops::hann_window_periodic::redispatch");
    check("_ZN5space3BoxIiE5twiceEi", "space::Box<int>::twice");
    check("_Z3fooIiEvT_", "foo<int>");
    check("_ZNSt8functionIFviEE4callEv", "std::function<void (int)>::call");
    check("_ZN5space5outerEi.cold", "space::outer");
    check("_ZN5space5outerEi.constprop.0.isra.1", "space::outer");
}

static void names_of_rust_have_no_hash(void **state)
{
    (void)state;
    check("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt");
    check("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE.llvm.123456", "core::fmt::Write::write_fmt");
    check("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar");
    check("_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
          "<Test + 'static as foo::Bar<Test>>::bar");
}

static void what_compilers_append_is_cut(void **state)
{
    (void)state;
    check("_PyEval_EvalFrameDefault.cold", "_PyEval_EvalFrameDefault");
    check("long_add.constprop.0", "long_add");
    check("f.part.0.cold", "f");
    check("f.lto_priv.3", "f");
    check("f.llvm.987654", "f");
    check("f.localalias", "f");
}

/* The symbols are those of a module that Cython 0.29 made, and in which these functions are. */
static void names_of_cython_are_those_of_the_source(void **state)
{
    (void)state;
    check("__pyx_pw_4fast_1loop_it", "fast.loop_it");
    check("__pyx_pf_4fast_loop_it", "fast.loop_it");
    check("__pyx_f_4fast_inner", "fast.inner");
    check("__pyx_pw_3pkg_5quick_3Vec_3norm", "pkg.quick.Vec.norm");
    check("__pyx_pw_4fast_3Vec_4norm_1closure", "fast.Vec.norm.closure");
    check("__pyx_pw_4fast_3Vec_1__init__", "fast.Vec.__init__");
    check("__pyx_pw_4fast_3Vec_10__setstate_cython__", "fast.Vec.__setstate_cython__");
    check("__pyx_pw_4fast_5Plain_10_priv_name_lambda", "fast.Plain._priv_name.lambda");
    check("__pyx_gb_4fast_3Vec_6generator", "fast.Vec.generator");
    check("__pyx_getprop_4fast_3Vec_prop", "fast.Vec.prop");
    check("__pyx_fuse_0__pyx_f_4fast_foo", "fast.foo");
    check("__pyx_pw_4fast_5__pyx_fuse_1foo", "fast.foo");
    check("__pyx_pymod_exec_fast", "fast.<module>");
    check("_ZL23__pyx_pw_4fast_1loop_itP7_objectS0_", "fast.loop_it");
    check("__Pyx_PyObject_Call", "__Pyx_PyObject_Call");
    check("__pyx_pw_", "__pyx_pw_");
    check("__pyx_pw_99999999999999999999999999_a", "_a");
    assert_true(symbol_is_of_cython("__pyx_f_4fast_inner"));
    assert_true(symbol_is_of_cython("_ZL23__pyx_pw_4fast_1loop_itP7_objectS0_"));
    assert_false(symbol_is_of_cython("__Pyx_PyObject_Call"));
    assert_false(symbol_is_of_cython("list_sort"));
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Each pair names the one before twice: 2^40 times the first type. */
static void a_name_that_would_never_end_is_cut(void **state)
{
    (void)state;
    cleanup_buffer struct buffer symbol = {0}, name = {0};
    buffer_append_text(&symbol, "_Z1f");
    buffer_append_text(&symbol, "I");
    buffer_append_text(&symbol, "St4pairIiiE");
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int i = 0; i < 30; i++)
        buffer_format(&symbol, "St4pairIS%c_S%c_E", digits[i + 1], digits[i + 1]);
    buffer_append_text(&symbol, "Evv");
    double start = seconds();
    symbol_name_append(buffer_text(&symbol), &name);
    assert_true(seconds() - start < 2);
    assert_in_range(name.len, 1, SYMBOL_NAME_LIMIT);
}

static void a_name_that_is_nested_too_deeply_stays(void **state)
{
    (void)state;
    static const char letters[] = "PNRIF";
    for (size_t i = 0; letters[i]; i++) {
        cleanup_buffer struct buffer symbol = {0}, name = {0};
        buffer_append_text(&symbol, "_Z1f");
        for (int depth = 0; depth < 100000; depth++)
            buffer_append_char(&symbol, letters[i]);
        buffer_append_text(&symbol, "iE");
        symbol_name_append(buffer_text(&symbol), &name);
        assert_int_equal(name.len, SYMBOL_NAME_LIMIT);
    }
}

static void any_symbol_is_survived(void **state)
{
    (void)state;
    static const char *const symbols[] = {
        "_ZN5space3BoxIiE5twiceEi",
        "_ZNSt8functionIFviEE4callEv",
        "_RNvNtCs1234_7mycrate3foo3bar",
        "_ZZN5space5outerEiENKUliiE_clEii",
        "__pyx_pw_4fast_3Vec_4norm_1closure",
        "_ZN3c104impl28wrap_kernel_functor_unboxed_INS0_6detail24WrapFunctionIntoFunctor_EEE4callEv",
        "_RINvNtC3std3mem8align_ofNtNtC3std3mem12DiscriminantE",
        "_RINvNtC3std3mem12replace_withNtNtC3std3mem12DiscriminantE"};
    static const char alphabet[] = "_ZNRISTtEKLUlijvPOFS0123456789XxDdpCB.$\xff";
    uint64_t random = 7;
    for (int round = 0; round < 20000; round++) {
        char symbol[256];
        random = random * 6364136223846793005U + 1442695040888963407U;
        strncpy(symbol, symbols[(random >> 40) % array_size(symbols)], sizeof(symbol) - 1);
        symbol[sizeof(symbol) - 1] = '\0';
        for (int i = 0; i < 4; i++) {
            random = random * 6364136223846793005U + 1442695040888963407U;
            symbol[2 + (random >> 33) % (strlen(symbol) - 2)] = alphabet[(random >> 20) % (sizeof(alphabet) - 1)];
        }
        cleanup_buffer struct buffer name = {0};
        symbol_name_append(symbol, &name);
        assert_true(name.len <= SYMBOL_NAME_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_c_stay),
        cmocka_unit_test(names_of_cpp_have_no_arguments),
        cmocka_unit_test(names_of_rust_have_no_hash),
        cmocka_unit_test(what_compilers_append_is_cut),
        cmocka_unit_test(names_of_cython_are_those_of_the_source),
        cmocka_unit_test(a_name_that_would_never_end_is_cut),
        cmocka_unit_test(a_name_that_is_nested_too_deeply_stays),
        cmocka_unit_test(any_symbol_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
